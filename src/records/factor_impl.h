/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of second factors share; all in an open transaction. */
#ifndef LODGE_RECORDS_FACTOR_IMPL_H
#define LODGE_RECORDS_FACTOR_IMPL_H

#include "records/factor.h"

struct factor_row {
    struct str id, kind, label, name, secret;
    bool active;
    int64_t last, made_ms, used_ms;
};

/* At most FACTOR_MAX; slices are the arena's. */
MUST_USE enum err factor_rows(struct store *store, struct arena *arena, struct str school,
                              struct str account, struct factor_row rows[FACTOR_MAX],
                              size_t *ret_n);
MUST_USE enum err factors_in(struct store *store, struct arena *arena, const struct actor *actor,
                             struct factors *ret_factors);

/* Whether it is a code of the actor's sheet that was not used; it is then. Also true: sets it only.
 */
MUST_USE enum err sheet_judge(struct engine *engine, const struct actor *actor, struct str code,
                              bool *ret_right);

#endif

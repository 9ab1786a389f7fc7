/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What whoever made a record is told of it, also where they may not see it: that it was received,
 * its number, whom it reaches and, where that is nobody, whom to call. Nothing of what it holds. */
#ifndef LODGE_RECORDS_RECEIPT_H
#define LODGE_RECORDS_RECEIPT_H

#include "records/engine.h"

/* {"id", "made_ms", "adult": bool (it hides from its subject)}, and unless the maker is its subject
 * "reaches": labels of the roles of those who work on it and can sign in, "nobody": there are none,
 * "call": [{"name", "role"}], those who would and have no account that signs in, and where it hides
 * from its subject "officers": [{"name", "phone", "out_of_hours"}], the local authority's.
 * ERR_NOT_FOUND for all but whoever made it. */
MUST_USE enum err receipt_get(struct engine *engine, const struct actor *actor,
                              const struct register_def *def, struct str id, json_t **ret_receipt);

#endif

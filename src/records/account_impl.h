/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of accounts share. All of it works in an open transaction, unless it says
 * otherwise. */
#ifndef LODGE_RECORDS_ACCOUNT_IMPL_H
#define LODGE_RECORDS_ACCOUNT_IMPL_H

#include "records/account.h"
#include "records/audit.h"

enum { ACCOUNT_COLUMNS_N = 13 };

/* From the first ACCOUNT_COLUMNS_N columns, which stand in the arena. */
void account_from_columns(const struct store_value *columns, struct account *ret_account);
MUST_USE enum err account_get(struct store *store, struct arena *arena, struct str school,
                              struct str id, struct account *ret_account);
/* An account that the actor may not touch is ERR_NOT_FOUND or ERR_DENIED: nobody's own. */
MUST_USE enum err account_get_other(struct store *store, struct arena *arena,
                                    const struct actor *actor, struct str id,
                                    struct account *ret_account);

/* Commits where err is ERR_OK, else rolls back; the error of both. */
MUST_USE enum err account_finish(struct store *store, enum err err);

bool account_may(const struct actor *actor, enum verb verb);

/* An act about an account: words as in the log. field may be NULL. */
MUST_USE enum err account_note(struct engine *engine, const struct actor *actor, enum act act,
                               const struct account *account, const char *field, struct str words);

/* Ends the account's sessions but one ('' for all), remembered computers, and sign-ins at the gate.
 */
MUST_USE enum err account_end_all(struct engine *engine, const struct actor *actor,
                                  const struct account *account, struct str but, struct str why);

enum notice {
    NOTICE_UNSET,
#define NOTICE(name, text, roles) NOTICE_##name,
#include "records/notice.def"
#undef NOTICE
    NOTICE_COUNT,
};
MUST_USE enum err notice_add(struct store *store, const struct actor *actor, enum notice notice,
                             struct str about, struct str record, struct str words);

/* Whether a mail says that something waits (what says that mail does not go could not go by mail);
 * *ret_roles: of those who read it, beside whom it is about. */
bool notice_is_mailed(struct str kind, unsigned *ret_roles);

/* {"at": ISO 8601 in UTC, "text": "22 November 2026, 2:05pm"}; null for 0. */
json_t *account_moment(int64_t ms);

/* A pattern of LIKE for a part of a folded text (wire/fold.h), in the arena. */
MUST_USE enum err account_pattern(struct arena *arena, struct str part, struct str *ret_pattern);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions of the console (S2, R95): a token in a cookie, its BLAKE2b digest in the store.
 *
 * A session ends after SESSION_IDLE_MS without a request, after SESSION_MS in any case, when the
 * person signs out, when the account is disabled, reset or marked as compromised, when the person's
 * last role ends. Its second factor is shown once; a remembered school computer replaces it for 12
 * hours, but never where a page asks for the factor itself (switching filtering off, accounts,
 * disposal).
 */
#ifndef LODGE_RECORDS_SESSION_H
#define LODGE_RECORDS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "store/store.h"

enum { SESSION_TOKEN_CHARS = 43, SESSION_IDLE_MS = 30 * 60 * 1000, SESSION_MS = 12 * 60 * 60 * 1000 };

enum session_stage {
    SESSION_NONE,     /* no cookie, unknown, over */
    SESSION_PASSWORD, /* the password was right; the second factor is awaited: only its pages open */
    SESSION_WHOLE,
};

struct session {
    enum session_stage stage;
    struct str id;
    struct str school, account, person;
    int64_t factor_ms; /* shown in this session; 0: not (remembered computers included) */
    char csrf[SESSION_TOKEN_CHARS + 1]; /* what forms of this session carry */
};

/* Looks a cookie's token up and notes its use, at most once a minute. Opens its own transactions.
 * An unknown one is no error: stage NONE. */
MUST_USE enum err session_find(struct store *store, struct arena *arena, struct str token,
                               int64_t now_ms, struct session *ret_session);

#endif

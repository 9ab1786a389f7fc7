/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions of the console (S2, R95): a token in a cookie, its BLAKE2b digest in the store.
 *
 * A session ends after SESSION_IDLE_MS without a request, after SESSION_MS in any case, when the
 * person signs out, when the account is disabled, reset or marked as compromised, when the person's
 * last role ends. Its second factor is shown once; a remembered school computer replaces it for 12
 * hours, but never where a page asks for the factor itself (switching filtering off, accounts,
 * disposal). Each step up (the second factor, a password of one's own) is a new session with a new
 * token: one that somebody planted or read before is worth nothing behind it.
 */
#ifndef LODGE_RECORDS_SESSION_H
#define LODGE_RECORDS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/account.h"
#include "records/actor.h"
#include "records/engine.h"
#include "store/store.h"

enum {
    SESSION_TOKEN_CHARS = 43,
    SESSION_IDLE_MS = 30 * 60 * 1000,
    SESSION_MS = 12 * 60 * 60 * 1000,
    SESSION_SIGNING_MS = 15 * 60 * 1000, /* from the password to the second factor */
    SESSION_GLASS_MS = 60 * 60 * 1000,   /* of the sealed credential */
    SESSION_DIGEST_BYTES = 32,
};

enum session_stage {
    SESSION_NONE,     /* no cookie, unknown, over */
    SESSION_PASSWORD, /* the password was right; the second factor, or a password of one's own, is
                         awaited: only their pages open */
    SESSION_WHOLE,
};

struct session {
    enum session_stage stage;
    struct str id;
    struct str school, account, person;
    struct str glass; /* the sealed credential that opened it (R89): account and person are empty */
    int64_t factor_ms; /* shown in this session; 0: not (remembered computers included) */
    char csrf[SESSION_TOKEN_CHARS + 1]; /* what forms of this session carry */
};

/* Looks a cookie's token up and notes its use, at most once a minute. Opens its own transactions.
 * An unknown one is no error: stage NONE. */
MUST_USE enum err session_find(struct store *store, struct arena *arena, struct str token,
                               int64_t now_ms, struct session *ret_session);

/* Fills an actor whose client, now_ms and today are set: the person of the session with the roles
 * of today, or the sealed credential with the head's. A session whose person has no role left, or
 * is gone, is ended and answers ERR_DENIED. Opens its own transactions. */
MUST_USE enum err session_actor(struct engine *engine, struct arena *arena,
                                const struct session *session, struct actor *actor);

/* ---- beginning and ending ---- */

struct session_token {
    char text[SESSION_TOKEN_CHARS + 1]; /* for the cookie; wipe it */
};

/* A new token and the digest that is stored of it; CSRF tokens come of it too. */
void session_token_make(struct session_token *ret_token, uint8_t ret_digest[SESSION_DIGEST_BYTES]);
/* False for what is no token. */
bool session_token_digest(struct str token, uint8_t ret_digest[SESSION_DIGEST_BYTES]);

/* Begins one for the actor's account, which the caller has seen proven (actor: school, account,
 * person, client, now_ms; session: the one it comes from, which ends, or empty). factor_ms: when
 * the second factor was shown, 0 for none. A whole one is an act (signed in). */
MUST_USE enum err session_begin(struct engine *engine, const struct actor *actor,
                                enum session_stage stage, int64_t factor_ms,
                                struct session_token *ret_token);
/* The same for the sealed credential; in an open transaction. */
MUST_USE enum err session_begin_glass(struct store *store, const struct actor *actor,
                                      struct str glass, struct session_token *ret_token);

/* Notes that the second factor was shown again in this whole session. */
MUST_USE enum err session_show_factor(struct engine *engine, const struct actor *actor);

/* Ends one of the actor's own account (also the one they are in): an act (signed out).
 * ERR_NOT_FOUND. */
MUST_USE enum err session_end(struct engine *engine, const struct actor *actor, struct str id);
/* All but this one, and all remembered computers: "sign out everywhere else". */
MUST_USE enum err session_end_others(struct engine *engine, const struct actor *actor);
/* Those of a person whose last role ended or who left, in an open transaction of the school. */
MUST_USE enum err session_end_person(struct store *store, struct str school, struct str person,
                                     int64_t now_ms, struct str why);

/* ---- challenges of passkeys ---- */

enum { SESSION_CHALLENGE_BYTES = 32, SESSION_CHALLENGE_MS = 5 * 60 * 1000 };

/* A new challenge, the only one of this session. */
MUST_USE enum err session_challenge_make(struct store *store, const struct actor *actor,
                                         uint8_t ret_challenge[SESSION_CHALLENGE_BYTES]);
/* Takes it: it counts once. ERR_NOT_FOUND for none, or too old a one. */
MUST_USE enum err session_challenge_take(struct store *store, const struct actor *actor,
                                         uint8_t ret_challenge[SESSION_CHALLENGE_BYTES]);

#endif

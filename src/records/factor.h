/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Second factors of an account (S2): an authenticator application (TOTP), passkeys, a printed sheet
 * of codes for rooms without phones; and school computers that need none for 12 hours.
 *
 * Every code counts once. Wrong ones are counted by account: after FACTOR_WRONG_MAX none is
 * compared for FACTOR_LOCK_MS, whoever knows the password already. A factor's first use, its end
 * and a new sheet are acts. The actor is whoever signs in or is signed in; nobody makes another's
 * factor.
 */
#ifndef LODGE_RECORDS_FACTOR_H
#define LODGE_RECORDS_FACTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/totp.h"
#include "records/actor.h"
#include "records/engine.h"
#include "records/session.h"

enum {
    FACTOR_WRONG_MAX = 10,
    FACTOR_LOCK_MS = 15 * MS_PER_MINUTE,
    FACTOR_MAX = 10, /* of one account */
    FACTOR_LABEL_MAX = 60,
    SHEET_CODES = 10,
    SHEET_CODE_CHARS = 9, /* "k7mq-p3xd": 40 bits */
    COMPUTER_MS = 12 * MS_PER_HOUR,
};

/* What an account has. */
struct factors {
    bool totp, passkey;
    int64_t sheet_left; /* codes that are not used */
};
static inline bool factors_any(const struct factors *factors)
{
    return factors->totp || factors->passkey || factors->sheet_left > 0;
}
MUST_USE enum err factors_of(struct engine *engine, const struct actor *actor,
                             struct factors *ret_factors);

/* Adds "factors": [{"id", "kind", "label", "made", "used"}] and "sheet": {"left", "made"} to a
 * document; in an open transaction. */
MUST_USE enum err factor_list(struct engine *engine, struct str school, struct str account,
                              json_t *document);

/* A code of the application or of the sheet. ERR_INVALID: wrong; ERR_DENIED: too many were. */
MUST_USE enum err factor_judge(struct engine *engine, const struct actor *actor, struct str code);

/* ---- the application ---- */

/* The secret that is being set up: a new one, or the one that waits for its first code. Wipe it. */
MUST_USE enum err factor_totp_begin(struct engine *engine, const struct actor *actor,
                                    uint8_t ret_secret[TOTP_SECRET_BYTES]);
/* The first code makes it active. ERR_INVALID: wrong; ERR_NOT_FOUND: none waits; ERR_DENIED. */
MUST_USE enum err factor_totp_confirm(struct engine *engine, const struct actor *actor,
                                      struct str code);

/* ---- the sheet ---- */

/* A new sheet instead of the old one, to be shown once. Wipe it. */
struct sheet {
    char codes[SHEET_CODES][SHEET_CODE_CHARS + 1];
};
MUST_USE enum err sheet_make(struct engine *engine, const struct actor *actor,
                             struct sheet *ret_sheet);

/* ---- passkeys ---- */

/* Keeps one: its credential id and public key (COSE) as verified by crypto/webauthn.h.
 * ERR_CONFLICT: it is somebody's already; ERR_LIMIT: the account has FACTOR_MAX. */
MUST_USE enum err passkey_add(struct engine *engine, const struct actor *actor, struct str label,
                              struct str credential, struct str key, int64_t counter);
/* The actor's passkeys' credential ids: an array of base64url texts, for the browser. */
MUST_USE enum err passkey_ids(struct engine *engine, const struct actor *actor, json_t **ret_ids);
/* The key of one of the actor's. ERR_NOT_FOUND. Slices are the arena's. */
MUST_USE enum err passkey_find(struct engine *engine, const struct actor *actor,
                               struct arena *arena, struct str credential, struct str *ret_id,
                               struct str *ret_key, int64_t *ret_counter);
/* Notes its use; ERR_DENIED where the counter did not grow: a copy of it may be about. */
MUST_USE enum err passkey_used(struct engine *engine, const struct actor *actor, struct str id,
                               int64_t counter_before, int64_t counter);

/* ---- ending ---- */

/* One of the actor's own; not the last one of somebody whose roles ask for one (ERR_CONFLICT). */
MUST_USE enum err factor_remove(struct engine *engine, const struct actor *actor, struct str id);

/* ---- remembered school computers ---- */

/* For COMPUTER_MS this browser's token stands for the second factor of the actor's account. */
MUST_USE enum err computer_remember(struct engine *engine, const struct actor *actor,
                                    struct session_token *ret_token);
/* At the address where it was remembered. An unknown token is no error. */
MUST_USE enum err computer_is_known(struct engine *engine, const struct actor *actor,
                                    struct str token, bool *ret_known);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts: who may sign in, by what (docs/accounts.md; R83, R95, S2).
 *
 * A log-on is unique in its school. At sign-in a name that several schools have is written with the
 * school's number: "a.khan@123456"; alone it is nobody's. No password is ever stored or shown
 * again: a reset makes a one-time password, which is printed on a card, holds ACCOUNT_ONE_TIME_MS
 * and opens nothing but the page that asks for one of one's own. Every function is a transaction of
 * its own with its act; what an actor may do to others' accounts is asked of permit.def, and nobody
 * does it to their own.
 */
#ifndef LODGE_RECORDS_ACCOUNT_H
#define LODGE_RECORDS_ACCOUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/engine.h"

enum {
    ACCOUNT_LOG_ON_MAX = 64,
    ACCOUNT_PASSWORD_CHARS_MIN = 10, /* of one's own; for roles with a second factor too */
    ACCOUNT_ONE_TIME_CHARS = 14,     /* "k7mq-p3xd-9rtb": 60 bits */
    ACCOUNT_ONE_TIME_DAYS = 14,
};

enum account_state {
    ACCOUNT_STATE_UNSET,
    ACCOUNT_ACTIVE,
    ACCOUNT_DISABLED,
    ACCOUNT_COMPROMISED, /* somebody may know the password: it opens nothing until it is changed */
};

struct account {
    struct str id, school, person;
    struct str class_group; /* a class's log-on, which is not for the console (R85); else empty */
    struct str log_on, hash;
    enum account_state state;
    bool must_change; /* the password is a one-time one */
    int64_t password_ms, made_ms, changed_ms;
    int64_t wrong_codes, wrong_code_ms;
};

/* ---- signing in ---- */

/* The account that a name at sign-in means; ERR_NOT_FOUND for none, or several. Slices are the
 * arena's. An account that cannot sign in now (disabled, compromised, its one-time password too
 * old) has an empty hash, so that it costs the same time and words as a wrong password. */
MUST_USE enum err account_find(struct store *store, struct arena *arena, struct str name,
                               int64_t now_ms, struct account *ret_account);

/* The account with this log-on in one school, in whatever state: for the operator. ERR_NOT_FOUND.
 */
MUST_USE enum err account_find_at(struct engine *engine, struct arena *arena, struct str school,
                                  struct str log_on, struct account *ret_account);

/* The folded form of what somebody typed as their name, in the arena: what guesses are counted by,
 * alike for names that are somebody's and names that are not. At most ACCOUNT_LOG_ON_MAX bytes. */
struct str account_fold(struct arena *arena, struct str name);

/* The account at an issuer of single sign-on. ERR_NOT_FOUND: none, or one that cannot sign in. */
MUST_USE enum err account_find_identity(struct store *store, struct arena *arena, struct str issuer,
                                        struct str subject, struct account *ret_account);
/* The account of the one person with this address of mail (lower case), for a first single sign-on.
 * ERR_NOT_FOUND: nobody, several, or one that cannot sign in. */
MUST_USE enum err account_find_match(struct store *store, struct arena *arena, struct str address,
                                     struct account *ret_account);
/* Links the actor's own account to who they are at an issuer; ERR_CONFLICT: somebody has it. */
MUST_USE enum err account_link_identity(struct engine *engine, const struct actor *actor,
                                        struct str issuer, struct str subject);
/* The same by what the issuer vouches for, which others may write into a record: once for an
 * account and an issuer, ERR_CONFLICT behind that. */
MUST_USE enum err account_link_match(struct engine *engine, const struct actor *actor,
                                     struct str issuer, struct str subject);

/* ---- one's own ---- */

/* Whether the actor's account waits for a password of their own: it has a one-time one, or one that
 * may be known. False for the sealed credential. */
MUST_USE enum err account_awaits_password(struct engine *engine, const struct actor *actor,
                                          bool *ret_awaits);
/* The actor's log-on and hash, in the arena; hash may be NULL. */
MUST_USE enum err account_log_on(struct engine *engine, struct arena *arena,
                                 const struct actor *actor, struct str *ret_log_on,
                                 struct str *ret_hash);

/* {"log_on", "must_change", "password_changed", "sessions": [...], "computers": [...], "factors":
 * [...], "sheet": {"left", "made"}, "identities": [...]} of the actor's account. */
MUST_USE enum err account_mine(struct engine *engine, const struct actor *actor,
                               json_t **ret_document);

/* Whether a password may be chosen: at least ACCOUNT_PASSWORD_CHARS_MIN characters, not the log-on
 * or the name, not one letter over and over, not among the passwords everybody tries first. NULL,
 * or a sentence for beside the field; static. */
const char *account_password_fault(struct str password, struct str log_on, struct str name);

/* The actor's own new password, as its hash: an account that is compromised is active again, and
 * all other sessions and remembered computers of it end. */
MUST_USE enum err account_set_password(struct engine *engine, const struct actor *actor,
                                       struct str hash);

/* R95 "I think somebody knows my password": all other sessions and remembered computers end at
 * once, this one may do nothing but choose a new password, nobody signs in before that, and head
 * and technician are told. */
MUST_USE enum err account_compromised(struct engine *engine, const struct actor *actor);

/* ---- others' ---- */

/* {"items": [{"id", "log_on", "name", "kind", "state", "must_change", "factors", "sheet_left",
 * "last_used", "mine"}], "page", "more", "search", "may": {"make", "change"}}. ERR_DENIED. */
MUST_USE enum err account_list(struct engine *engine, const struct actor *actor, struct str search,
                               size_t page, json_t **ret_document);
/* One of them, as above, with its sessions' number. ERR_NOT_FOUND, ERR_DENIED. */
MUST_USE enum err account_show(struct engine *engine, const struct actor *actor, struct str id,
                               json_t **ret_document);
/* People of the school without an account: {"items": [{"id", "name", "kind", "log_on"}]}. */
MUST_USE enum err account_people_without(struct engine *engine, const struct actor *actor,
                                         struct str search, json_t **ret_document);

/* A random one-time password; wipe it when it is printed. */
void account_one_time(char ret_password[ACCOUNT_ONE_TIME_CHARS + 1]);

/* For a person of the actor's school. ERR_INVALID: *ret_why, a sentence, and *ret_field says which
 * is wrong ("person", "log_on"). must_change is always set where the hash is a one-time one. */
struct account_new {
    struct str person;
    struct str log_on;
    struct str hash;
    bool must_change;
};
struct account_fault {
    const char *field;
    const char *why;
};
MUST_USE enum err account_make(struct engine *engine, const struct actor *actor,
                               const struct account_new *fresh, struct record_id *ret_id,
                               struct account_fault *ret_fault);
/* Ends all sessions and remembered computers at once. ERR_NOT_FOUND, ERR_DENIED, ERR_CONFLICT where
 * it is so already. */
MUST_USE enum err account_disable(struct engine *engine, const struct actor *actor, struct str id);
MUST_USE enum err account_enable(struct engine *engine, const struct actor *actor, struct str id);
/* Sets a one-time password by its hash, ends all sessions. */
MUST_USE enum err account_reset(struct engine *engine, const struct actor *actor, struct str id,
                                struct str hash);
/* Takes all second factors off, the sheet and remembered computers included, and ends all sessions;
 * who holds a role that asks for one sets a new one up at the next sign-in. Head, DSL and chair are
 * told. */
MUST_USE enum err account_reset_factors(struct engine *engine, const struct actor *actor,
                                        struct str id);

/* ---- notices ---- */

/* What waits on the actor's start page: {"items": [{"id", "kind", "text", "words", "name",
 * "made"}]}. */
MUST_USE enum err notice_list(struct engine *engine, const struct actor *actor,
                              json_t **ret_document);
/* ERR_NOT_FOUND for one that is not for this actor. */
MUST_USE enum err notice_seen(struct engine *engine, const struct actor *actor, struct str id);

#endif

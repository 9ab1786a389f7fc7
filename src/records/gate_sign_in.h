/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing in at the gate: a person is bound to a device of the register (design section 3), until
 * an end, and the gate decides on what the device asks for as on theirs.
 *
 * The device is the one at the address that a request comes from; nobody binds another. It is no
 * session: nothing of the records opens by it. One in force for a device: a new one ends the one
 * before. It also ends with its time, the school's midnight at the latest; by whoever is at the
 * device, or signed in as the person; and with all that ends the account's sessions (disabled,
 * reset, a new password, "somebody knows it"). What the gate is told (publish.h) is narrower still:
 * a device that has another address than at the beginning, an owner, or is isolated, a person who
 * left or whom the policy places nowhere have none.
 *
 * Beginning and end are acts (audit.h); the end by time stands in the act of the beginning.
 */
#ifndef LODGE_RECORDS_GATE_SIGN_IN_H
#define LODGE_RECORDS_GATE_SIGN_IN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/engine.h"

struct gate_device {
    struct str school, id, tag;
    bool isolated, owned;
};

/* The device that the gate of this school (the store's only one, or of this name) knows at an
 * address. ERR_NOT_FOUND. Texts are the arena's. Opens its own transaction. */
MUST_USE enum err gate_device_at(struct store *store, struct arena *arena, struct str school_name,
                                 const uint8_t client[16], struct gate_device *ret_device);

struct gate_sign_in {
    struct str id, device, person, account;
    struct str name, tag; /* of the person, of the device */
    int64_t until_ms;
};

/* Who is signed in at a device now. ERR_NOT_FOUND: nobody. Opens its own transaction. */
MUST_USE enum err gate_sign_in_at(struct store *store, struct arena *arena,
                                  const struct gate_device *device, int64_t now_ms,
                                  struct gate_sign_in *ret_sign_in);

/* Those of an account that are in force: [{"id", "device", "tag", "until"}]. In an open
 * transaction.
 */
MUST_USE enum err gate_sign_ins_of(struct store *store, struct str school, struct str account,
                                   int64_t now_ms, json_t *to);

enum gate_how {
    GATE_HOW_UNSET,
    GATE_HOW_SILENT,   /* the provider knew the browser */
    GATE_HOW_PROVIDER, /* at the provider's page */
    GATE_HOW_PASSWORD,
    GATE_HOW_SESSION, /* out of a session of the console */
};

/* Binds the actor (school, account, person, client, now_ms), whom the caller has seen proven, to
 * the device at their address, for limit_ms and to the school's midnight at most. *ret_until_ms.
 * ERR_DENIED: the account may not sign in, or the policy places the person nowhere; ERR_NOT_FOUND:
 * there is no such device (any more), or it has an owner or is isolated. */
MUST_USE enum err gate_sign_in_begin(struct engine *engine, const struct actor *actor,
                                     struct str school_name, enum gate_how how, int64_t limit_ms,
                                     int64_t *ret_until_ms);

/* Ends one of the actor's own account. ERR_NOT_FOUND. */
MUST_USE enum err gate_sign_in_end(struct engine *engine, const struct actor *actor, struct str id);
/* Ends what is in force at the device at the actor's address (the actor may be nobody but client
 * and now_ms). ERR_NOT_FOUND: there is no such device. */
MUST_USE enum err gate_sign_in_end_here(struct engine *engine, const struct actor *actor,
                                        struct str school_name);
/* All of an account, in an open write transaction. */
MUST_USE enum err gate_sign_in_end_account(struct engine *engine, const struct actor *actor,
                                           struct str account, struct str why);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passkeys as second factors (Web Authentication Level 2, sections 7.1 and 7.2).
 *
 * What a browser answers is JSON: {"id", "client", "attestation"} at registration, {"id", "client",
 * "data", "signature"} later, each in base64url. It counts for the challenge of this session, once,
 * for this host, with somebody present. Attestation is not asked for. */
#ifndef LODGE_RECORDS_PASSKEY_H
#define LODGE_RECORDS_PASSKEY_H

#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/engine.h"

enum { PASSKEY_ANSWER_MAX = 16 * 1024 };

/* host: as the browser calls the console, with its port unless 443. Keeps a new passkey of the
 * actor's. ERR_INVALID: not an answer to the challenge, or one that is wrong; ERR_CONFLICT,
 * ERR_LIMIT as passkey_add. */
MUST_USE enum err passkey_register(struct engine *engine, const struct actor *actor,
                                   struct str host, struct str label, struct str answer);

/* Whether it is one of the actor's passkeys. ERR_INVALID: no; ERR_DENIED: its counter went back. */
MUST_USE enum err passkey_judge(struct engine *engine, const struct actor *actor, struct str host,
                                struct str answer);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sealed credential of the safe (R89): what opens the console when nobody who could is there.
 *
 * A technician asks for it; the head, another person, confirms within GLASS_ASKED_MS and prints it,
 * once. Only its digest is stored. Breaking the seal gives the head's rights for an hour
 * (SESSION_GLASS_MS), but no allegation, since it says nothing of who broke it; it is an act, and
 * is announced to head, DSL and chair. It is then used up, and so is any other when a new one is
 * made.
 */
#ifndef LODGE_RECORDS_GLASS_H
#define LODGE_RECORDS_GLASS_H

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/engine.h"
#include "records/session.h"

enum {
    GLASS_CODE_CHARS = 34, /* "k7mq-p3xd-9rtb-w2hn-4c6v-fjqa-8ygs": 140 bits */
    GLASS_ASKED_MS = 24 * MS_PER_HOUR,
    GLASS_NAME_MAX = 100, /* characters */
    GLASS_REASON_MAX = 500,
};

/* {"items": [{"id", "state", "asked_by", "asked", "sealed_by", "sealed", "used", "used_name",
 * "used_reason"}], "may": {"ask", "seal"}}, newest first. ERR_DENIED for others than technician and
 * head. */
MUST_USE enum err glass_list(struct engine *engine, const struct actor *actor,
                             json_t **ret_document);
/* A technician's. ERR_DENIED. */
MUST_USE enum err glass_ask(struct engine *engine, const struct actor *actor);
/* The head's, who is not the one who asked: makes the credential, to be printed once. Wipe it.
 * ERR_DENIED, ERR_NOT_FOUND for one that is not asked for, or too long ago. */
MUST_USE enum err glass_seal(struct engine *engine, const struct actor *actor, struct str id,
                             char ret_code[GLASS_CODE_CHARS + 1]);
/* Whether this can be kept as who breaks it, and as why: there is some of it, not too much, and
 * nothing that cannot be seen. */
bool glass_is_name(struct str name);
bool glass_is_reason(struct str reason);
/* Nobody is signed in: actor has client and now_ms only. name and reason are what they say of
 * themselves, both needed (ERR_INVALID). ERR_NOT_FOUND: no such credential. *ret_school is the
 * arena's. */
MUST_USE enum err glass_break(struct engine *engine, struct arena *arena, const struct actor *actor,
                              struct str code, struct str name, struct str reason,
                              struct session_token *ret_token);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class log-ons and the adults beside them (R85, T2; design section 3).
 *
 * Devices of a class of younger children have a class log-on (schema/device.toml). It has no
 * password and is nobody's: it holds only while an adult who signed in to the console runs it, on
 * the devices that they chose, and every event of those devices names the class and the adult.
 * Whoever teaches or covers the class today may start it, and senior leader and head for any class
 * (permit.def, area supervision); visitors, pupils and the operator never.
 *
 * It ends at its time, SUPERVISION_MS_MAX from a click and never past the school day; by the adult;
 * by another adult of the class who takes over; by whoever answers for the filter; and with the
 * adult's account (disabled, reset, compromised) or when they leave. Signing out of the console
 * does not end it: the adult is still beside the children. Each beginning, change and end is an act
 * (area supervision). The gate learns of it by publishing (publish.h).
 */
#ifndef LODGE_RECORDS_SUPERVISION_H
#define LODGE_RECORDS_SUPERVISION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "policy/policy.h"
#include "records/actor.h"
#include "records/engine.h"

enum {
    SUPERVISION_MS_MAX = 3 * MS_PER_HOUR,
    SUPERVISION_MS_AFTER = MS_PER_HOUR, /* outside of the timetable: clubs, trips */
    SUPERVISION_MS_MIN = 5 * MS_PER_MINUTE,
    SUPERVISION_ENDS_MAX = 6,
    SUPERVISION_DEVICES_MAX = 500, /* of one class */
};

/* ---- until when ---- */

struct supervision_ends {
    int64_t last_ms; /* none is later */
    bool outside;    /* the timetable has no more lessons today */
    size_t usual;    /* which is offered first */
    size_t n;        /* at least one */
    struct supervision_choice {
        int64_t ms;
        struct str lesson; /* that ends then; empty: none does. The policy's memory. */
    } choices[SUPERVISION_ENDS_MAX];
};
/* What is offered at a time: the ends of the lessons ahead, or 30 minutes, 1, 2 and 3 hours. */
void supervision_ends(const struct policy *policy, int64_t now_ms,
                      struct supervision_ends *ret_ends);

/* ---- what is there ---- */

/* {"running": [{"id", "class": {"id", "name"}, "by": {"id", "name"}, "mine", "began": moment,
 * "until": moment, "devices": [device...], "may": {"end", "prolong", "take_over"}}],
 *  "classes": [{"id", "name", "taught", "devices": [device..., "with": null or {"name", "mine",
 * "until"}], "free": n}], "ends": [{"value": ISO 8601, "text": "10:30am", "lesson"}], "usual":
 * value, "outside": bool} with device {"id", "tag", "kind", "room"} and moment {"at": ISO 8601,
 * "text": "10:30am"}. Classes are those that the actor may start, their own first. brief: without
 * ends. ERR_DENIED: none of the actor's roles has to do with class log-ons. */
MUST_USE enum err supervision_show(struct engine *engine, const struct actor *actor, bool brief,
                                   json_t **ret_document);

/* ---- changes ---- */

struct supervision_fault {
    const char *field; /* "class", "devices", "until" */
    const char *why;   /* static */
};

struct supervision_new {
    struct str group;          /* the class */
    const struct str *devices; /* ids */
    size_t n_devices;
    bool all; /* all that are not with another adult; devices are not looked at */
    int64_t until_ms;
};
/* Devices that are with another adult go over to the actor. ERR_INVALID with *ret_fault;
 * ERR_NOT_FOUND: no such class, or not the actor's; ERR_DENIED. */
MUST_USE enum err supervision_start(struct engine *engine, const struct actor *actor,
                                    const struct supervision_new *wish, struct record_id *ret_id,
                                    struct supervision_fault *ret_fault);
/* The actor's own. ERR_INVALID, ERR_NOT_FOUND, ERR_DENIED: somebody else's. */
MUST_USE enum err supervision_prolong(struct engine *engine, const struct actor *actor,
                                      struct str id, int64_t until_ms,
                                      struct supervision_fault *ret_fault);
/* The whole of another adult's, until the same time. Errors as for starting. */
MUST_USE enum err supervision_take_over(struct engine *engine, const struct actor *actor,
                                        struct str id, struct record_id *ret_id,
                                        struct supervision_fault *ret_fault);
MUST_USE enum err supervision_end(struct engine *engine, const struct actor *actor, struct str id);

/* Ends all beside a person, with an act for each, in the open write transaction: with their
 * account. why: words for the log. */
MUST_USE enum err supervision_end_person(struct engine *engine, const struct actor *actor,
                                         struct str person, struct str why);

#endif

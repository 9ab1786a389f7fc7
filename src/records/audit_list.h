/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Acts as somebody may read them: for the page /audit and its API. */
#ifndef LODGE_RECORDS_AUDIT_LIST_H
#define LODGE_RECORDS_AUDIT_LIST_H

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "store/store.h"

enum { AUDIT_LIST_MAX = 100 };

struct audit_query {
    struct str person; /* id: who did it, or whom it was about; empty: all */
    struct str area;   /* a register's name or one of audit_area.def; empty: all */
    struct str from;   /* days in Britain, both included, as "2026-11-22"; empty: no bound */
    struct str until;
    struct str before; /* only acts before this place, a "next"; empty: the newest */
};

/* In an open transaction of the school. {"items": [{"when" (UTC), "act", "act_label",
 * "actor":
 * {"id", "name"}, "client", "area", "area_label", "record", "plural" (of a register), "about":
 * {"id", "name"}, "version", "fields": [names], "words"}...], newest first, at most AUDIT_LIST_MAX,
 * "next": text for `before` (absent at the end; no number: gaps would tell), "areas": [{"value",
 * "label"}] that the actor may read of, "all": false where only their own acts are shown}.
 *
 * Nothing that hides from the actor, no register that the actor may not see (but for acts of the
 * actor's own, and those about whom a role passes to the actor), nothing about a child of the
 * actor's that others did. ERR_DENIED: no right to the audit; ERR_INVALID: *ret_fault names the
 * member of the query that is not valid, static. */
MUST_USE enum err audit_list(struct store *store, struct arena *arena, const struct actor *actor,
                             const struct audit_query *query, json_t **ret_document,
                             struct str *ret_fault);

/* The first millisecond of a day in Britain. ERR_INVALID: no such day. */
MUST_USE enum err audit_day_ms(struct str day, int64_t *ret_ms);
/* The first one that is not of that day any more. */
MUST_USE enum err audit_day_end_ms(struct str day, int64_t *ret_ms);

#endif

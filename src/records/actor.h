/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who acts: the person behind a request or a command, with the roles that they hold today. */
#ifndef LODGE_RECORDS_ACTOR_H
#define LODGE_RECORDS_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/permit.h"
#include "store/store.h"

/* Ids that Lodge issues: 26 characters of lower-case base 32 from 128 random bits. */
enum { RECORD_ID_CHARS = 26 };
struct record_id {
    char text[RECORD_ID_CHARS + 1];
};
void record_id_make(struct record_id *ret_id);
bool record_id_is_valid(struct str id);

/* A person, or the operator at the machine ("lodge user", "lodge restore": person empty, roles 0,
 * operator true), or nobody (signed out: all empty). Slices live as long as the request. */
struct actor {
    struct str school;
    struct str person;  /* id */
    struct str account; /* id */
    struct str session; /* id, not the token */
    struct str name;    /* as others see it */
    unsigned roles;     /* 1U << role, or-ed: posts of today, pupil, parent */
    unsigned held;      /* roles that anybody in the school holds today: what passes on follows */
    bool operator;
    int64_t factor_ms;  /* when the second factor was shown in this session; 0: it was not */
    uint8_t client[16]; /* the address; zeros for the operator */
    int64_t now_ms;     /* UTC */
    int32_t today;      /* the school's day, as in base/clock.h */
};

static inline bool actor_has(const struct actor *actor, enum role role)
{
    return (actor->roles & (1U << role)) != 0;
}

/* Fills school, person, name, roles and held for a person in an open transaction of their school
 * (actor->school and actor->today are set): posts that hold on `today` and pupil by the person's
 * kind, both only while they are at the school; parent where the family's register gives
 * responsibility and contact. The name is the arena's. ERR_NOT_FOUND: nobody of that id.
 */
MUST_USE enum err actor_load(struct store *store, struct arena *arena, struct str person,
                             struct actor *actor);

/* A day as the store keeps it: "2026-11-22". */
enum { DAY_TEXT_MAX = 16 };
struct str day_print(int32_t day, char to[DAY_TEXT_MAX]);

#endif

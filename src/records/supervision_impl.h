/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of supervision share; all of it in an open transaction. */
#ifndef LODGE_RECORDS_SUPERVISION_IMPL_H
#define LODGE_RECORDS_SUPERVISION_IMPL_H

#include "records/supervision.h"

/* A class whose devices have a class log-on. Slices are the arena's. */
struct supervision_class {
    struct str id, name;
    struct str policy_group; /* whose part of the policy holds on its devices */
    bool taught;             /* by the actor, today */
};

/* One that runs. */
struct supervision_running {
    struct str id, group, group_name, person, name;
    int64_t made_ms, until_ms;
    bool taught;
    bool mine;
};

/* The school's policy in force; free it. ERR_NOT_FOUND: there is none. */
MUST_USE enum err supervision_policy(struct engine *engine, const struct actor *actor,
                                     struct policy **ret_policy);
/* Whether the policy counts the actor among the adults of the school today: the gate takes nobody
 * else beside a class. */
MUST_USE enum err supervision_is_adult(struct engine *engine, const struct actor *actor,
                                       const struct policy *policy, bool *ret_adult);

/* ERR_NOT_FOUND for one that does not run or that the actor may not see. */
MUST_USE enum err supervision_get(struct engine *engine, struct arena *arena,
                                  const struct actor *actor, struct str id,
                                  struct supervision_running *ret_running);
/* Calls take for each that the actor may see. */
MUST_USE enum err supervision_each(struct engine *engine, const struct actor *actor, void *context,
                                   void (*take)(void *context,
                                                const struct supervision_running *running));

bool supervision_may_start(const struct actor *actor, bool taught);
bool supervision_may_end(const struct actor *actor, const struct supervision_running *running);

/* "10:30am" in British time. */
struct str supervision_clock(int64_t ms, char to[CIVIL_TEXT_MAX]);

#endif

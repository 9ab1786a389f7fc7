/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an actor stands to one record, and to the records of a list: relationship before role.
 *
 * 1. The person in a field with hidden_from sees no trace of the record, nor does whoever once was
 *    in it.
 * 2. A person under a no-contact order sees nothing about that child, whatever their role.
 * 3. About one's own child (a tie in the family's register that holds today) a governor's roles
 * count for nothing, and where the register is sensitive or about families no role counts but the
 *    parent's, which takes responsibility.
 * 4. Nobody makes, changes or disposes of what is about themselves by a role's reach over others,
 *    where that would be their own rights or their own case (posts, accounts, safeguarding,
 *    allegations).
 * 5. The role that the subject holds, or nobody does, passes on (permit_passes).
 * 6. Then the widest scope of the roles that are left.
 */
#ifndef LODGE_RECORDS_STANDING_H
#define LODGE_RECORDS_STANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/register.h"
#include "store/store.h"

/* Whether the records of this register hide from somebody: they have a subject. */
bool standing_hides(const struct register_def *def);

/* ---- one record ---- */

/* What a record says about people; ids, empty where it names none. */
struct standing_facts {
    struct str about;
    struct str made_by;            /* empty for one that is being made */
    const struct str *hidden_from; /* of all fields with hidden_from, now and before */
    size_t n_hidden_from;
    const struct str *named; /* of all fields with named */
    size_t n_named;
};

struct standing {
    unsigned roles;     /* that count for this record: for moves (by) and fields (seen_by) too */
    enum scope nearest; /* the narrowest scope that reaches the record; SCOPE_NONE: none does */
    bool self;          /* it is about the actor */
    bool as_parent;     /* only a parent's rights count */
};

/* In an open transaction of the school. */
MUST_USE enum err standing_of(struct store *store, struct arena *arena, const struct actor *actor,
                              const struct register_def *def, const struct standing_facts *facts,
                              struct standing *ret_standing);

/* Whether that standing allows it. For VERB_make the facts are those of the record to be made. What
 * one may not see does not exist: ask for VERB_see first. */
bool standing_may(const struct standing *standing, enum area area, enum verb verb);

/* ---- lists, searches, counts and exports ---- */

/* What the statements of a register take (tools/schema_sql.py). They answer a record where
 *
 *     (reach or the subject holds a role R of `passed` today, and nobody but subjects holds a role
 *      B of which `passed` says R<B)
 *     and no field with hidden_from is the viewer
 *     and no tie of family that holds today has the viewer as adult and `about` as child and
 *         (no_contact = 1 or kin = 'none' or (kin = 'made' and made_by <> viewer)
 *          or (kin = 'own' and responsibility = 0 and made_by <> viewer))
 *
 * where the dates of posts, ties and memberships hold on actor.today. */
struct standing_list {
    bool any; /* false: nothing, no statement is run */
    enum register_reach reach;
    struct str kin;    /* "all", "own", "made" or "none"; static */
    char passed[1024]; /* roles' names as ",dsl,head,head<chair,"; ",," for none */
};

/* verb: VERB_see for lists and searches, VERB_take for exports. */
void standing_list(const struct actor *actor, const struct register_def *def, enum verb verb,
                   struct standing_list *ret_list);

#endif

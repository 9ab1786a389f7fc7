/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may do what: permit.def (role x area x verb -> scope). Relationship comes before role (design
 * section 6); what follows from it for one record and for lists is worked out in standing.h:
 *
 * 1. The subject of a record that hides from its subject (a field with hidden_from) sees no trace
 * of it, whatever their role.
 * 2. A role whose holder is that subject, or that nobody holds, passes to the next holder who is
 * not the subject (pass.def: head to chair of governors, and so on).
 * 3. What somebody is as a parent or a pupil they see as that: a governor sees their own child's
 *    record by the rights of a parent only.
 * 4. Then the widest scope of all roles held.
 * Doubt is refusal: no row, no right.
 */
#ifndef LODGE_RECORDS_PERMIT_H
#define LODGE_RECORDS_PERMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum role {
#define ROLE(name, label, factor) ROLE_##name,
#include "records/role.def"
#undef ROLE
    ROLE_COUNT
};

enum area {
    AREA_UNSET,
#define AREA(name, label) AREA_##name,
#include "records/area.def"
#undef AREA
    AREA_COUNT
};

enum verb {
    VERB_UNSET,
#define VERB(name, label) VERB_##name,
#include "records/verb.def"
#undef VERB
    VERB_COUNT
};

enum scope {
    SCOPE_NONE,   /* may not */
    SCOPE_MADE,   /* made by oneself, or oneself is named in it (register.h, `named`) */
    SCOPE_OWN,    /* ... or about oneself or one's child */
    SCOPE_CLASS,  /* ... or about a member of a group one teaches or covers today */
    SCOPE_SCHOOL, /* the school's */
    SCOPE_TRUST,  /* all schools' */
};

/* The table alone: one role's scope. */
enum scope permit_scope(enum role role, enum area area, enum verb verb);
/* The widest of several roles (1U << role, or-ed). */
enum scope permit_widest(unsigned roles, enum area area, enum verb verb);
/* Those of the roles whose scope is at least this one. */
unsigned permit_holders(unsigned roles, enum area area, enum verb verb, enum scope at_least);
/* A role that passes on (pass.def) to somebody, for records that hide from their subject. */
struct permit_pass {
    enum role role; /* what they have then */
    bool vacant;    /* nobody holds it and they stand in: for every record */
    enum role
        holder; /* else: where the subject holds this one (the role, or who stands in for it) */
    unsigned before; /* and nobody but the subject holds one of these (1U << role, or-ed) */
};
/* Those of one who holds `mine`, where `held` are all roles that somebody in the school holds
 * today. Answers how many. */
size_t permit_passes(unsigned mine, unsigned held, struct permit_pass ret_passes[ROLE_COUNT]);
/* Whether any of the roles asks for a second factor at sign-in (S2). */
bool permit_needs_factor(unsigned roles);

struct str role_label(enum role role);
struct str role_name(enum role role);
/* ROLE_COUNT for none. */
enum role role_find(struct str name);
struct str area_label(enum area area);
struct str area_name(enum area area);
struct str verb_label(enum verb verb);

#endif

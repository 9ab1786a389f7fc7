/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy as it is in memory: what policy_parse makes and everything else in this folder reads.
 *
 * Private to policy/. Built once, then never written; all of it lives in the policy's arena.
 * Whatever the document lists in some order is sorted here, so that no answer depends on that
 * order.
 */
#ifndef LODGE_POLICY_MODEL_IMPL_H
#define LODGE_POLICY_MODEL_IMPL_H

#include "base/arena.h"
#include "base/limits.h"
#include "catalog/category.h"
#include "catalog/catset.h"
#include "policy/calendar_impl.h"
#include "policy/decide.h"
#include "policy/match_impl.h"
#include "policy/policy.h"

enum {
    POLICY_NO_GROUP = LIMIT_GROUPS,
    POLICY_ROWS_MAX = 1024,
    POLICY_NOMINATED_MAX = 256,
    POLICY_PORTS_MAX = 64,
    POLICY_TIERS = TIER_INFRASTRUCTURE + 1,
};

/* What a cell does; its level is only its name. */
enum outcome {
    OUTCOME_UNSET,
    OUTCOME_ALLOW,
    OUTCOME_BLOCK,
    OUTCOME_TIMES,     /* allowed in its times */
    OUTCOME_NOMINATED, /* allowed for the people of its list */
};

/* A cell of the table, or what stands for one where no row speaks (a tier's default,
 * uncategorised). */
struct cell {
    enum outcome outcome;
    enum level level;
    enum reason reason;
    unsigned row;       /* index into rows, for REASON_TABLE */
    unsigned group;     /* the group that the document names */
    uint64_t times;     /* set of times, for OUTCOME_TIMES */
    unsigned nominated; /* index into nominated, for OUTCOME_NOMINATED */
    struct str name;    /* "table/shopping/pupils" */
};

struct row {
    struct str id;
    struct str label;
    struct str section;
    struct str source;
    struct str note;
    struct str law;
    struct catset categories;
    bool enforced;
    size_t first_cell; /* its cells in cells[], by group */
    size_t n_cells;
};

/* Which ways of tunnelling are open to a group. */
struct tunnels {
    bool not_tls;
    bool no_sni;
    bool ip_literal;
    bool other_ports;
    bool ech;
};

struct group {
    struct str id;
    struct str label;
    unsigned outer;  /* POLICY_NO_GROUP: none */
    uint64_t chain;  /* itself and the groups that it is in */
    uint64_t within; /* itself and the groups in it */
    enum voice voice;
    bool agreement_needed;
    bool agreement_parent;
    enum level uncategorised;
    enum level tiers[POLICY_TIERS];
    struct tunnels tunnels;
    enum safe_search safe_search;
    bool inspect;                       /* TLS, so that paths are seen (T5) */
    struct cell rest;                   /* uncategorised */
    struct cell defaults[POLICY_TIERS]; /* categories without a row */
    struct cell unknown;                /* a category number that this build does not know */
    struct str limited_name;            /* "agreement/pupils-ks2" */
};

struct nominated {
    struct str id;
    struct str label;
    size_t n_people;
    const struct str *people; /* sorted */
    uint64_t groups;          /* with the groups within */
};

struct words {
    const struct str *p;
    size_t n;
};

/* Who is in a group: whoever fits all that it names. */
struct member_rule {
    unsigned group;
    struct str kind;    /* empty: any */
    struct words years; /* none: any */
    struct words roles;
};

/* An entry of a school's list, as the document has it. */
struct entry {
    enum match_kind kind;
    struct str match;
    struct str who;
    struct str why;
    struct str review; /* a date; empty for lifelines and the learning list */
    uint64_t groups;
};

/* The cells that hold for one category and one group: refs[first] .. refs[first + n - 1]. */
struct cells_at {
    uint32_t first;
    uint32_t n;
};

struct policy {
    struct arena arena;
    uint64_t generation;
    struct str title;
    struct str school;
    struct calendar calendar;
    size_t n_groups;
    struct group groups[LIMIT_GROUPS];
    unsigned unknown_group;
    size_t n_ports;
    uint16_t ports[POLICY_PORTS_MAX];
    size_t n_nominated;
    struct nominated *nominated;
    size_t n_member_rules;
    struct member_rule *member_rules; /* the first that fits */
    size_t n_rows;
    struct row *rows; /* by id */
    size_t n_cells;
    struct cell *cells; /* by row, then group */
    const struct cell **refs;
    struct cells_at (*at)[LIMIT_CATEGORIES]; /* [group][category] */
    size_t n_entries;
    struct entry *entries; /* by kind, match, groups */
    struct str gate;
    struct matcher matcher;
    struct catset always_open; /* tiers that the limited profile keeps */
    struct catset never_inspect;
    const struct search_rules *search;
};

/* A group of the school's own adults: who may override and sit beside a class. The unknown group
 * speaks like staff and may be anybody. */
static inline bool policy_group_is_staff(const struct policy *policy, unsigned group)
{
    return policy->groups[group].voice == VOICE_STAFF && group != policy->unknown_group;
}

/* Fills refs and at from rows, cells and groups. ERR_MEMORY. */
MUST_USE enum err policy_resolve(struct policy *policy);

/* The cell that a row has for a group: its own or its nearest outer group's; NULL for none. */
const struct cell *policy_row_cell(const struct policy *policy, const struct row *row,
                                   unsigned group);

#endif

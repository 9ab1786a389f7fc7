/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the steps of a decision share. Private to policy/. */
#ifndef LODGE_POLICY_DECIDE_IMPL_H
#define LODGE_POLICY_DECIDE_IMPL_H

#include "policy/model_impl.h"
#include "policy/state_impl.h"

enum { POOL_MAX = 2 * POLICY_OVERRULED_MAX };

/* A cell that holds for one of the request's categories, and what it says now. */
struct pool_item {
    const struct cell *cell;
    unsigned category;
    enum action action;
};

/* All of them, the strictest first. Refused is stricter than allowed; then the level, from illegal
 * down; then a row before a default; then the name, so that the answer rests on no order. */
struct pool {
    size_t n;
    bool illegal; /* one of them is at level illegal */
    int64_t until_ms;
    struct pool_item items[POOL_MAX];
};

struct decision {
    const struct policy *policy;
    const struct catalog *catalog;
    const struct state *state;
    const struct policy_subject *subject;
    const struct policy_request *request;
    int64_t now_ms;
    const struct group *group;
    uint64_t group_bit;
    const struct host *host; /* the one that is judged: the URL's, or the ClientHello's */
    const struct url *url;   /* where the path is known, else NULL */
    bool carries_sealed;     /* the host carries a sealed URL */
    struct catalog_hit hit;
    const struct match *found[MATCH_KINDS];
    struct pool pool;
    struct policy_answer *answer;
};

/* The cells of some categories; of none, what holds for uncategorised sites. */
void pool_fill(const struct decision *decision, const struct catset *categories, struct pool *pool);
/* And those of further categories. */
void pool_add(const struct decision *decision, const struct catset *categories, struct pool *pool);

/* What the state holds for the subject. Each lowers *until_ms to the time at which its answer may
 * change; names are those of rules ("grant/g-1"), and empty where nothing holds. */
struct held {
    bool holds;
    struct str id;
};
struct held scope_isolated(const struct decision *decision, int64_t *until_ms);
struct held scope_suspended(const struct decision *decision, int64_t *until_ms);
struct held scope_filtering_off(const struct decision *decision, int64_t *until_ms);
struct held scope_grant(const struct decision *decision, int64_t *until_ms);
/* True where the subject's agreement is there, or none is needed. */
bool scope_agreed(const struct decision *decision, int64_t *until_ms);
/* The end of what binds the subject to its device. */
int64_t scope_subject_end(const struct decision *decision);

/* inspect.c: whether the gate would see inside, where it is let. */
bool inspect_can(const struct policy_request *request);
/* Whether this host is inspected for this subject. */
bool inspect_wanted(const struct decision *decision);
/* Whether the hello's server name stands for another that it encrypts. */
bool inspect_has_ech(const struct policy_request *request);

static inline void until_lower(int64_t *until_ms, int64_t end_ms, int64_t now_ms)
{
    if (end_ms > now_ms && end_ms < *until_ms) {
        *until_ms = end_ms;
    }
}

#endif

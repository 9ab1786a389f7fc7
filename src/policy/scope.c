/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the state holds for a subject now: bans, agreements, grants. */
#include "policy/decide_impl.h"

static struct held ban_of(const struct decision *decision, enum state_section section,
                          uint64_t what, struct str who, int64_t *until_ms)
{
    struct held held = {0};
    if (decision->state == NULL || who.len == 0) {
        return held;
    }
    const struct state_ban *ban =
        state_ban_find(decision->state, section, what, who, decision->now_ms);
    if (ban != NULL) {
        until_lower(until_ms, ban->until, decision->now_ms);
        held = (struct held){true, state_str(decision->state, ban->id)};
    }
    return held;
}

struct held scope_isolated(const struct decision *decision, int64_t *until_ms)
{
    return ban_of(decision, STATE_ISOLATED, WHO_DEVICE, decision->subject->device, until_ms);
}

struct held scope_suspended(const struct decision *decision, int64_t *until_ms)
{
    struct held held =
        ban_of(decision, STATE_SUSPENSIONS, WHO_PERSON, decision->subject->person, until_ms);
    return held.holds ? held
                      : ban_of(decision, STATE_SUSPENSIONS, WHO_DEVICE, decision->subject->device,
                               until_ms);
}

bool scope_agreed(const struct decision *decision, int64_t *until_ms)
{
    /* A class log-on is many children beside an adult who has signed; `check --group` asks about a
     * member who has. */
    enum known known = decision->subject->known;
    if (!decision->group->agreement_needed || known == KNOWN_NOMINAL || known == KNOWN_CLASS) {
        return true;
    }
    const struct state_person *person =
        decision->state != NULL && decision->subject->person.len != 0
            ? state_person_find(decision->state, decision->subject->person)
            : NULL;
    if (person == NULL) {
        return false;
    }
    uint64_t needed = PERSON_SIGNED | PERSON_CURRENT;
    needed |= decision->group->agreement_parent ? PERSON_PARENT : 0;
    until_lower(until_ms, person->agreement_until, decision->now_ms);
    return (person->flags & needed) == needed && person->agreement_until > decision->now_ms;
}

static bool names_group(const struct decision *decision, struct state_range groups)
{
    const struct policy *policy = decision->policy;
    for (unsigned group = groups.n != 0 ? decision->subject->group : POLICY_NO_GROUP;
         group < POLICY_NO_GROUP; group = policy->groups[group].outer) {
        if (state_range_has(decision->state, groups, policy->groups[group].id)) {
            return true;
        }
    }
    return false;
}

static bool is_meant(const struct decision *decision, const struct state_grant *grant)
{
    const struct policy_subject *subject = decision->subject;
    return (grant->flags & GRANT_ALL) != 0 || names_group(decision, grant->groups) ||
           (subject->person.len != 0 &&
            state_range_has(decision->state, grant->people, subject->person)) ||
           (subject->device.len != 0 &&
            state_range_has(decision->state, grant->devices, subject->device));
}

/* Staff only, and only a person: never pupils, visitors or a class log-on (R105, U4). */
static bool may_override(const struct decision *decision)
{
    const struct policy_subject *subject = decision->subject;
    return policy_group_is_staff(decision->policy, subject->group) && subject->person.len != 0 &&
           subject->known != KNOWN_CLASS;
}

/* Meant for the subject and in force; a grant to come lowers *until_ms. */
static bool in_force(const struct decision *decision, const struct state_grant *grant,
                     int64_t *until_ms)
{
    bool now = grant->from <= decision->now_ms && decision->now_ms < grant->until;
    if ((grant->until <= decision->now_ms) || !is_meant(decision, grant) ||
        (grant->kind == GRANT_OVERRIDE && !may_override(decision))) {
        return false;
    }
    until_lower(until_ms, now ? grant->until : grant->from, decision->now_ms);
    return now;
}

/* The site itself, or everything; not a topic. */
static bool opens(const struct decision *decision, const struct state_grant *grant)
{
    const struct state_match *matches = state_records(decision->state, STATE_MATCHES);
    for (uint32_t i = 0; i < grant->matches.n; i++) {
        struct pattern pattern = state_pattern(decision->state, &matches[grant->matches.first + i]);
        if (pattern_opens(&pattern, decision->host, decision->url)) {
            return true;
        }
    }
    return grant->matches.n == 0 && catset_is_empty(&grant->categories);
}

struct held scope_filtering_off(const struct decision *decision, int64_t *until_ms)
{
    if (decision->state == NULL) {
        return (struct held){0};
    }
    const struct state_grant *grants = state_records(decision->state, STATE_GRANTS);
    size_t n = state_count(decision->state, STATE_GRANTS);
    for (size_t i = 0; i < n && grants[i].kind == GRANT_OFF; i++) {
        if (in_force(decision, &grants[i], until_ms)) {
            return (struct held){true, state_str(decision->state, grants[i].id)};
        }
    }
    return (struct held){0};
}

/* True where what is left without the granted categories is allowed: a grant for one topic does not
 * open a site that is closed for another one too. */
static bool rest_allows(const struct decision *decision, const struct catset *granted,
                        int64_t *until_ms)
{
    struct catset rest = decision->hit.categories;
    rest.bits[0] &= ~granted->bits[0];
    rest.bits[1] &= ~granted->bits[1];
    if (catset_is_empty(&rest)) {
        return true;
    }
    struct pool pool;
    pool_fill(decision, &rest, &pool);
    until_lower(until_ms, pool.until_ms, decision->now_ms);
    return pool.items[0].action == ACTION_ALLOW;
}

struct held scope_grant(const struct decision *decision, int64_t *until_ms)
{
    struct held topic = {0};
    struct catset granted = {{0, 0}};
    const struct state_grant *grants =
        decision->state != NULL ? state_records(decision->state, STATE_GRANTS) : NULL;
    size_t n = grants != NULL ? state_count(decision->state, STATE_GRANTS) : 0;
    for (size_t i = 0; i < n; i++) {
        const struct state_grant *grant = &grants[i];
        /* What it opens is asked first: most grants are about other sites, whomever they mean. */
        bool opens_site = grant->kind != GRANT_OFF && opens(decision, grant);
        bool opens_topic = catset_meets(&grant->categories, &decision->hit.categories);
        if ((!opens_site && !opens_topic) || !in_force(decision, grant, until_ms)) {
            continue;
        }
        struct held held = {true, state_str(decision->state, grant->id)};
        if (opens_site) {
            return held;
        }
        catset_join(&granted, &grant->categories);
        topic = topic.holds ? topic : held;
    }
    topic.holds = topic.holds && rest_allows(decision, &granted, until_ms);
    return topic;
}

int64_t scope_subject_end(const struct decision *decision)
{
    const struct policy_subject *subject = decision->subject;
    if (decision->state == NULL || subject->device.len == 0) {
        return INT64_MAX;
    }
    if (subject->known == KNOWN_SIGN_IN) {
        const struct state_sign_in *sign_in = state_sign_in_find(decision->state, subject->device);
        return sign_in != NULL ? sign_in->until : INT64_MAX;
    }
    if (subject->known == KNOWN_CLASS) {
        const struct state_device *device = state_device_find(decision->state, subject->device);
        return device != NULL ? device->supervised_until : INT64_MAX;
    }
    return INT64_MAX;
}

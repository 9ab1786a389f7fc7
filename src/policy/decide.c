/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decision (design section 3).
 *
 * Its order is law:
 *
 *  1. Sealed lists (the illegal tier): block, for everyone, always. No grant, role or switch
 * reaches them. A host that carries a sealed URL is inspected, and refused where it cannot be.
 *  2. Isolation of a device as evidence.
 *  3. Lifelines: open to everyone, suspended, unsigned or signed out. A visit stands in no live
 * view, report, alert or chart.
 *  4. Suspension of a person or device.
 *  5. Agreement: unsigned, out of date or lacking the parent's signature gives the limited profile:
 * the school's learning list, infrastructure hosts, and signing.
 *  6. Filtering off, granted by the head for a scope and a time.
 *  7. Grants in force: a lesson's unblock, a staff override.
 *  8. The school's own lists: deny before allow.
 *  9. The table: the row of each category the request has, for the subject's groups, at this time
 * of the timetable; the strictest level wins, and the answer names it.
 * 10. Uncategorised, and categories without a row: by group.
 *
 * 6 to 8 never reach a row at level "unacceptable and illegal". Doubt is refusal.
 *
 * Three things stand beside the order, because they ask how a site is reached and not what it is.
 * An address inside (behind 2) is refused whatever the name, or any name could lead there. A way of
 * tunnelling that the group may not use (behind 4) is refused before an exception for the site is
 * looked at. A search engine without a safe mode (behind 8) is closed to groups with safe search.
 * And 9 and 10 are weighed together: an open row for one category of a site does not open it where
 * another category, which no row names, is closed by default.
 *
 * The first step that speaks decides. The later ones are still asked, so that the answer can name
 * the rules that would have said otherwise: by another action or, in the table, at another level.
 */
#include "policy/decide.h"

#include "policy/decide_impl.h"

static bool is_pooled(enum reason reason)
{
    return reason == REASON_TABLE || reason == REASON_TIER || reason == REASON_INFRASTRUCTURE ||
           reason == REASON_UNCATEGORISED;
}

/* As pool items are ordered, for rules of all steps. */
static bool rule_is_stricter(const struct policy_rule *a, const struct policy_rule *b)
{
    bool a_open = a->action == ACTION_ALLOW;
    bool b_open = b->action == ACTION_ALLOW;
    return a_open != b_open ? b_open : a->level > b->level;
}

/* Keeps the strictest of them, in the order in which they came. */
static void overrule(struct policy_answer *answer, const struct policy_rule *rule)
{
    if (answer->n_overruled < POLICY_OVERRULED_MAX) {
        answer->overruled[answer->n_overruled++] = *rule;
        return;
    }
    size_t mildest = 0;
    for (size_t i = 1; i < POLICY_OVERRULED_MAX; i++) {
        if (!rule_is_stricter(&answer->overruled[i], &answer->overruled[mildest])) {
            mildest = i;
        }
    }
    if (rule_is_stricter(rule, &answer->overruled[mildest])) {
        answer->overruled[mildest] = *rule;
    }
}

/* A rule speaks: the first decides, others are overruled where they say otherwise. */
static bool say(struct decision *decision, const struct policy_rule *rule, unsigned category)
{
    struct policy_answer *answer = decision->answer;
    if (answer->action == ACTION_UNSET) {
        answer->action = rule->action;
        answer->level = rule->level;
        answer->reason = rule->reason;
        answer->rule = rule->name;
        answer->category = category;
        return true;
    }
    bool other_level =
        is_pooled(answer->reason) && is_pooled(rule->reason) && rule->level != answer->level;
    if (rule->action != answer->action || other_level) {
        overrule(answer, rule);
    }
    return true;
}

static bool say_plain(struct decision *decision, enum reason reason, enum action action,
                      struct str name)
{
    struct policy_rule rule = {reason, LEVEL_NONE, action, name};
    return say(decision, &rule, CATEGORY_UNSET);
}

/* A time at which the answer may change; of no matter once it has been given. */
static void ends_at(struct decision *decision, int64_t end_ms)
{
    if (decision->answer->action == ACTION_UNSET) {
        until_lower(&decision->answer->until_ms, end_ms, decision->now_ms);
    }
}

/* An exception speaks, unless a row at level illegal is out of its reach: then it is overruled. */
static bool say_exception(struct decision *decision, enum reason reason, struct str name)
{
    struct policy_rule rule = {reason, LEVEL_NONE, ACTION_ALLOW, name};
    if (!decision->pool.illegal) {
        return say(decision, &rule, CATEGORY_UNSET);
    }
    overrule(decision->answer, &rule);
    return false;
}

static bool step_sealed(struct decision *decision)
{
    if (decision->hit.sealed) {
        struct policy_rule rule = {REASON_SEALED, LEVEL_ILLEGAL, ACTION_BLOCK, STR("sealed")};
        return say(decision, &rule, CATEGORY_UNSET);
    }
    bool seen = decision->request->inspected && decision->request->kind != REQUEST_TUNNEL_RAW;
    return decision->carries_sealed && !seen &&
           say_plain(decision, REASON_SEALED_HOST, ACTION_BLOCK, STR("sealed-host"));
}

static bool step_isolated(struct decision *decision)
{
    int64_t until_ms = INT64_MAX;
    struct held held = scope_isolated(decision, &until_ms);
    ends_at(decision, until_ms);
    return held.holds && say_plain(decision, REASON_ISOLATED, ACTION_BLOCK, held.id);
}

static bool step_address(struct decision *decision)
{
    const struct policy_request *request = decision->request;
    const struct host *host = &request->url->host;
    bool special = (request->addr != NULL && addr_is_special(request->addr)) ||
                   (host->kind != HOST_NAME && addr_is_special(&host->addr));
    if (!special || request->allow_ports || decision->found[MATCH_PRIVATE] != NULL) {
        return false;
    }
    return say_plain(decision, REASON_PRIVATE_ADDRESS, ACTION_BLOCK, STR("private-address"));
}

static bool step_lifeline(struct decision *decision)
{
    const struct match *match = decision->found[MATCH_LIFELINE];
    if (match == NULL) {
        return false;
    }
    decision->answer->lifeline = decision->answer->action == ACTION_UNSET;
    return say_plain(decision, REASON_LIFELINE, ACTION_ALLOW, match->name);
}

static bool step_suspended(struct decision *decision)
{
    int64_t until_ms = INT64_MAX;
    struct held held = scope_suspended(decision, &until_ms);
    ends_at(decision, until_ms);
    return held.holds && say_plain(decision, REASON_SUSPENDED, ACTION_BLOCK, held.id);
}

bool policy_has_connect_port(const struct policy *policy, uint16_t port)
{
    for (size_t i = 0; i < policy->n_ports; i++) {
        if (policy->ports[i] == port) {
            return true;
        }
    }
    return false;
}

static bool step_tunnel(struct decision *decision)
{
    const struct policy_request *request = decision->request;
    const struct tunnels *open = &decision->group->tunnels;
    if (request->kind == REQUEST_URL) {
        return false;
    }
    if (!open->other_ports && !request->allow_ports &&
        !policy_has_connect_port(decision->policy, request->url->port)) {
        return say_plain(decision, REASON_TUNNEL_PORT, ACTION_BLOCK, STR("tunnel/other-ports"));
    }
    /* The school may name an address: then it is the site, not a way round one. */
    bool named = decision->found[MATCH_ALLOW] != NULL || decision->found[MATCH_PRIVATE] != NULL;
    if (!open->ip_literal && request->url->host.kind != HOST_NAME && !named) {
        return say_plain(decision, REASON_TUNNEL_IP, ACTION_BLOCK, STR("tunnel/ip-literal"));
    }
    if (!open->not_tls && request->kind == REQUEST_TUNNEL_RAW) {
        return say_plain(decision, REASON_TUNNEL_NOT_TLS, ACTION_BLOCK, STR("tunnel/not-tls"));
    }
    if (!open->no_sni && request->kind == REQUEST_TLS && !request->hello->has_sni) {
        return say_plain(decision, REASON_TUNNEL_NO_SNI, ACTION_BLOCK, STR("tunnel/no-sni"));
    }
    if (!open->ech && inspect_has_ech(request)) {
        return say_plain(decision, REASON_TUNNEL_ECH, ACTION_BLOCK, STR("tunnel/ech"));
    }
    return false;
}

/* In the limited profile: the learning list, whatever else its sites are, unless the school denies
 * one or the law does; and learning and infrastructure as categories, where nothing about the site
 * is closed. */
static bool is_in_limited_profile(const struct decision *decision)
{
    if (decision->found[MATCH_DENY] != NULL || decision->pool.illegal) {
        return false;
    }
    return decision->found[MATCH_LEARNING] != NULL ||
           (catset_meets(&decision->hit.categories, &decision->policy->always_open) &&
            decision->pool.items[0].action == ACTION_ALLOW);
}

static bool step_agreement(struct decision *decision)
{
    int64_t until_ms = INT64_MAX;
    bool agreed = scope_agreed(decision, &until_ms);
    ends_at(decision, until_ms);
    if (agreed) {
        return false;
    }
    ends_at(decision, decision->pool.until_ms);
    if (is_in_limited_profile(decision)) {
        const struct match *match = decision->found[MATCH_LEARNING];
        return say_plain(decision, REASON_AGREEMENT_OPEN, ACTION_ALLOW,
                         match != NULL ? match->name : decision->pool.items[0].cell->name);
    }
    bool closed_anyway = decision->pool.illegal;
    return !closed_anyway &&
           say_plain(decision, REASON_AGREEMENT, ACTION_LIMITED, decision->group->limited_name);
}

static bool step_filtering_off(struct decision *decision)
{
    int64_t until_ms = INT64_MAX;
    struct held held = scope_filtering_off(decision, &until_ms);
    ends_at(decision, until_ms);
    return held.holds && say_exception(decision, REASON_FILTERING_OFF, held.id);
}

static bool step_grant(struct decision *decision)
{
    int64_t until_ms = INT64_MAX;
    struct held held = scope_grant(decision, &until_ms);
    ends_at(decision, until_ms);
    return held.holds && say_exception(decision, REASON_GRANT, held.id);
}

static bool step_lists(struct decision *decision)
{
    const struct match *deny = decision->found[MATCH_DENY];
    const struct match *allow = decision->found[MATCH_ALLOW];
    bool spoke = deny != NULL && !decision->pool.illegal &&
                 say_plain(decision, REASON_LIST_DENY, ACTION_BLOCK, deny->name);
    return (allow != NULL && say_exception(decision, REASON_LIST_ALLOW, allow->name)) || spoke;
}

/* F33: an engine without a safe mode is closed to a group with safe search. What opens a site for
 * once (filtering off, a grant, the school's list) opens it too. */
static bool step_safe_search(struct decision *decision)
{
    if (decision->group->safe_search <= SAFE_SEARCH_OFF) {
        return false;
    }
    struct str path = decision->url != NULL ? decision->url->path : (struct str){0};
    struct str rule =
        search_unsafe(decision->policy->search, decision->host, path, decision->request->form);
    return rule.len != 0 && say_plain(decision, REASON_NO_SAFE_SEARCH, ACTION_BLOCK, rule);
}

/* Safe search is a part of filtering, so that where filtering is off it is off as well. A grant or
 * a list that opens a site says nothing about what is searched for there. */
static enum safe_search held_to(const struct decision *decision)
{
    const struct policy_answer *answer = decision->answer;
    bool filtered = answer->action == ACTION_ALLOW && answer->reason != REASON_FILTERING_OFF;
    return filtered ? decision->group->safe_search : SAFE_SEARCH_OFF;
}

static bool say_pool(struct decision *decision)
{
    ends_at(decision, decision->pool.until_ms);
    for (size_t i = 0; i < decision->pool.n; i++) {
        const struct pool_item *item = &decision->pool.items[i];
        struct policy_rule rule = {item->cell->reason, item->cell->level, item->action,
                                   item->cell->name};
        say(decision, &rule, item->category);
    }
    return decision->pool.n != 0;
}

static bool is_row_first(const struct decision *decision)
{
    return decision->pool.n != 0 && decision->pool.items[0].cell->reason == REASON_TABLE;
}

static bool step_table(struct decision *decision)
{
    return is_row_first(decision) && say_pool(decision);
}

static bool step_rest(struct decision *decision)
{
    return !is_row_first(decision) && say_pool(decision);
}

static bool (*const steps[])(struct decision *) = {
    step_sealed,      step_isolated,  step_address,       step_lifeline, step_suspended,
    step_tunnel,      step_agreement, step_filtering_off, step_grant,    step_lists,
    step_safe_search, step_table,     step_rest,
};

static void answer_doubt(struct policy_answer *answer)
{
    answer->action = ACTION_BLOCK;
    answer->level = LEVEL_NONE;
    answer->reason = REASON_DOUBT;
    answer->rule = STR("doubt");
    answer->sealed = false;
    answer->lifeline = false;
    answer->inspect = false;
    answer->ech = false;
    answer->safe_search = SAFE_SEARCH_OFF;
    answer->category = CATEGORY_UNSET;
    answer->until_ms = INT64_MAX;
    answer->categories = (struct catset){{0, 0}};
    answer->n_overruled = 0;
}

/* What the body is, beside what the site is. A server of updates serves programs: that is what it
 * is open for. What is harmful is harmful there too. */
static void add_content(struct decision *decision)
{
    const struct catset *content = decision->request->content;
    if (content == NULL) {
        return;
    }
    struct catset weighed = *content;
    struct catset infrastructure = category_tier_set(TIER_INFRASTRUCTURE);
    if (catset_meets(&decision->hit.categories, &infrastructure)) {
        struct catset harmful = category_tier_set(TIER_HARMFUL);
        for (size_t i = 0; i < CATSET_WORDS; i++) {
            weighed.bits[i] &= harmful.bits[i];
        }
    }
    pool_add(decision, &weighed, &decision->pool);
    catset_join(&decision->hit.categories, content);
}

static void look_up(struct decision *decision)
{
    const struct catalog *catalog = decision->catalog;
    const struct policy_request *request = decision->request;
    if (decision->url != NULL) {
        catalog_lookup(catalog, decision->url, &decision->hit);
    } else {
        catalog_lookup_host(catalog, decision->host, &decision->hit);
    }
    if (request->addr != NULL) {
        catalog_lookup_addr(catalog, request->addr, &decision->hit);
    }
    decision->carries_sealed =
        (inspect_can(request) || !request->inspected || request->kind == REQUEST_TUNNEL_RAW) &&
        catalog_host_has_sealed_url(catalog, decision->host);
    matcher_find(&decision->policy->matcher, decision->host, decision->url, decision->group_bit,
                 decision->found);
    if (decision->hit.sealed) {
        /* What else a sealed hit is, and what would have opened it, is nobody's business. */
        decision->pool.n = 0;
        decision->pool.illegal = true;
        decision->pool.until_ms = INT64_MAX;
    } else {
        pool_fill(decision, &decision->hit.categories, &decision->pool);
        add_content(decision);
    }
}

/* Decides for one host of the request. */
static void decide_host(const struct policy_images *images, const struct policy_subject *subject,
                        const struct policy_request *request, int64_t now_ms,
                        const struct host *host, struct policy_answer *answer)
{
    struct decision decision;
    decision.policy = images->policy;
    decision.catalog = images->catalog;
    decision.state = images->state;
    decision.subject = subject;
    decision.request = request;
    decision.now_ms = now_ms;
    decision.group = &images->policy->groups[subject->group];
    decision.group_bit = UINT64_C(1) << subject->group;
    decision.host = host;
    decision.url = request->kind == REQUEST_URL ? request->url : NULL;
    decision.answer = answer;
    decision.hit = (struct catalog_hit){0};
    look_up(&decision);
    answer_doubt(answer);
    answer->action = ACTION_UNSET;
    answer->categories = decision.hit.categories;
    answer->sealed = decision.hit.sealed;
    ends_at(&decision, scope_subject_end(&decision));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        (void)steps[i](&decision);
    }
    if (answer->action == ACTION_UNSET) {
        answer_doubt(answer);
    }
    answer->inspect = inspect_wanted(&decision);
    answer->safe_search = held_to(&decision);
    answer->ech = inspect_has_ech(request);
}

/* 0 for what is open, more for what is less so. */
static unsigned strictness(const struct policy_answer *answer)
{
    static const unsigned actions[] = {
        [ACTION_ALLOW] = 0, [ACTION_LIMITED] = 1, [ACTION_BLOCK] = 2};
    return actions[answer->action] * 16 + (unsigned)answer->level + (answer->sealed ? 64u : 0);
}

/* The stricter of two answers to one request; what holds for either of them holds for both. */
static void join_answers(struct policy_answer *answer, const struct policy_answer *other)
{
    struct policy_answer milder = *other;
    if (strictness(other) > strictness(answer)) {
        milder = *answer;
        *answer = *other;
    }
    struct policy_rule rule = {milder.reason, milder.level, milder.action, milder.rule};
    if (milder.action != answer->action) {
        overrule(answer, &rule);
    }
    catset_join(&answer->categories, &milder.categories);
    answer->lifeline = answer->lifeline && milder.lifeline;
    /* Two names where one is due: the one that may not be looked at must not hide the other. */
    answer->inspect = answer->inspect || milder.inspect;
    answer->until_ms = milder.until_ms < answer->until_ms ? milder.until_ms : answer->until_ms;
}

static bool is_whole(const struct policy_images *images, const struct policy_subject *subject,
                     const struct policy_request *request)
{
    return images->catalog != NULL && images->policy != NULL && subject->known > KNOWN_UNSET &&
           subject->known <= KNOWN_NOMINAL && subject->group < images->policy->n_groups &&
           request->kind > REQUEST_UNSET && request->kind <= REQUEST_TUNNEL_RAW &&
           request->url != NULL && request->url->host.kind != HOST_UNSET &&
           (request->kind == REQUEST_TLS) == (request->hello != NULL);
}

void policy_decide(const struct policy_images *images, const struct policy_subject *subject,
                   const struct policy_request *request, int64_t now_ms,
                   struct policy_answer *ret_answer)
{
    if (!is_whole(images, subject, request)) {
        answer_doubt(ret_answer);
        return;
    }
    const struct host *host = &request->url->host;
    decide_host(images, subject, request, now_ms, host, ret_answer);
    if (request->kind == REQUEST_TLS && request->hello->has_sni &&
        !host_eq(host, &request->hello->sni)) {
        struct policy_answer other;
        decide_host(images, subject, request, now_ms, &request->hello->sni, &other);
        join_answers(ret_answer, &other);
    }
}

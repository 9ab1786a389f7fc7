/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which group a person is in, and which day it is. */
#include "policy/place.h"

#include "base/clock.h"
#include "policy/parse_impl.h"

enum { RULES_MAX = 256, WORDS_MAX = 64 };

static void parse_words(struct jread *reader, const struct place *rule, const char *key,
                        struct words *ret_words)
{
    struct place list = jread_member(rule, key);
    size_t n = jread_count(reader, &list, WORDS_MAX);
    struct str *words = arena_array(reader->arena, n, sizeof(*words));
    if (n == 0 || words == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(&list, i);
        words[i] = jread_id_value(reader, &item);
    }
    *ret_words = (struct words){words, n};
}

static void parse_rule(struct jread *reader, const struct place *item, struct policy *policy)
{
    struct member_rule *rule = &policy->member_rules[policy->n_member_rules];
    if (!jread_object(reader, item, "group kind years roles")) {
        return;
    }
    struct place group = jread_member(item, "group");
    rule->kind = jread_id_or(reader, item, "kind", STR(""));
    parse_words(reader, item, "years", &rule->years);
    parse_words(reader, item, "roles", &rule->roles);
    if (policy_group_find(policy, jread_id(reader, item, "group"), &rule->group) != ERR_OK) {
        jread_complain(reader, &group, "is no group of this policy");
    }
    if (rule->kind.len == 0 && rule->years.n == 0 && rule->roles.n == 0) {
        jread_complain(reader, item, "is for nobody; name a \"kind\", \"years\" or \"roles\"");
    }
    policy->n_member_rules++;
}

void parse_members(struct jread *reader, const struct place *root, struct policy *policy)
{
    struct place list = jread_member(root, "members");
    size_t n = jread_count(reader, &list, RULES_MAX);
    policy->member_rules = arena_array(reader->arena, n, sizeof(*policy->member_rules));
    for (size_t i = 0; i < n && policy->member_rules != NULL; i++) {
        struct place item = jread_item(&list, i);
        parse_rule(reader, &item, policy);
    }
}

static bool has_word(const struct words *words, struct str word)
{
    for (size_t i = 0; i < words->n; i++) {
        if (str_eq(words->p[i], word)) {
            return true;
        }
    }
    return false;
}

static bool has_role(const struct words *roles, const struct policy_member *member)
{
    for (size_t i = 0; i < member->n_roles; i++) {
        if (has_word(roles, member->roles[i])) {
            return true;
        }
    }
    return false;
}

/* All that a rule names must fit. */
static bool fits(const struct member_rule *rule, const struct policy_member *member)
{
    return (rule->kind.len == 0 || str_eq(rule->kind, member->kind)) &&
           (rule->years.n == 0 || has_word(&rule->years, member->year)) &&
           (rule->roles.n == 0 || has_role(&rule->roles, member));
}

enum err policy_place(const struct policy *policy, const struct policy_member *member,
                      unsigned *ret_group)
{
    for (size_t i = 0; i < policy->n_member_rules; i++) {
        if (fits(&policy->member_rules[i], member)) {
            *ret_group = policy->member_rules[i].group;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

void policy_member_words(const struct policy *policy,
                         void (*fn)(void *context, struct str what, struct str word), void *context)
{
    for (size_t i = 0; i < policy->n_member_rules; i++) {
        const struct member_rule *rule = &policy->member_rules[i];
        if (rule->kind.len != 0) {
            fn(context, STR("kind"), rule->kind);
        }
        for (size_t y = 0; y < rule->years.n; y++) {
            fn(context, STR("years"), rule->years.p[y]);
        }
        for (size_t r = 0; r < rule->roles.n; r++) {
            fn(context, STR("roles"), rule->roles.p[r]);
        }
    }
}

void policy_day(const struct policy *policy, int64_t utc_ms, int64_t *ret_day, int64_t *ret_next_ms)
{
    const struct calendar *calendar = &policy->calendar;
    int64_t local_ms = utc_ms + (int64_t)calendar_offset(calendar, utc_ms) * MS_PER_MINUTE;
    int64_t day = local_ms / MS_PER_DAY;
    *ret_day = day;
    *ret_next_ms = policy_day_begin(policy, day + 1);
}

int64_t policy_day_begin(const struct policy *policy, int64_t day)
{
    const struct calendar *calendar = &policy->calendar;
    int64_t local_ms = day * MS_PER_DAY;
    int64_t utc_ms = 0;
    if (calendar_local_to_utc(calendar, local_ms, &utc_ms) != ERR_OK) {
        /* Outside the dates that the document has offsets for: the nearest one's. */
        utc_ms = local_ms - (int64_t)calendar_offset(calendar, local_ms) * MS_PER_MINUTE;
    }
    return utc_ms;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy document's groups: nested, each with its voice, agreement, defaults and tunnels. */
#include "policy/parse_impl.h"

#include "base/check.h"

uint64_t parse_group_set(struct jread *reader, const struct place *at, const char *key,
                         const struct policy *policy, uint64_t none)
{
    struct place list = jread_member(at, key);
    size_t n = jread_count(reader, &list, LIMIT_GROUPS);
    uint64_t set = 0;
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(&list, i);
        struct str id = jread_id_value(reader, &item);
        unsigned group = 0;
        if (policy_group_find(policy, id, &group) != ERR_OK) {
            jread_complain(reader, &item, "no group has the id \"%.*s\"; add it to \"groups\"",
                           STR_ARG(id));
        } else {
            set |= policy->groups[group].within;
        }
    }
    return n == 0 ? none : set;
}

static enum voice parse_voice(struct jread *reader, const struct place *item, enum voice fallback)
{
    static const struct str words[] = {[VOICE_KS1] = STR_INIT("ks1"),
                                       [VOICE_KS2] = STR_INIT("ks2"),
                                       [VOICE_STAFF] = STR_INIT("staff")};
    struct place voice = jread_member(item, "voice");
    if (voice.value == NULL) {
        return fallback;
    }
    size_t index = jread_word(reader, &voice, jread_value(reader, &voice), words, 4);
    return index <= VOICE_STAFF ? (enum voice)index : fallback;
}

/* "acceptable" or "unacceptable": defaults know no times and no lists. */
static enum level parse_default(struct jread *reader, const struct place *outer, const char *key,
                                enum level fallback)
{
    static const struct str words[] = {STR_INIT("acceptable"), STR_INIT("unacceptable")};
    struct place at = jread_member(outer, key);
    if (at.value == NULL) {
        return fallback;
    }
    return jread_word(reader, &at, jread_value(reader, &at), words, 2) == 0 ? LEVEL_ACCEPTABLE
                                                                            : LEVEL_UNACCEPTABLE;
}

static bool parse_tunnel(struct jread *reader, const struct place *outer, const char *key,
                         bool fallback)
{
    static const struct str words[] = {STR_INIT("allow"), STR_INIT("refuse")};
    struct place at = jread_member(outer, key);
    if (at.value == NULL) {
        return fallback;
    }
    return jread_word(reader, &at, jread_value(reader, &at), words, 2) == 0;
}

/* Unsaid is a tunnel: reading what people send and receive begins with a school's word for it, not
 * with a new version of a program. */
static bool parse_inspect(struct jread *reader, const struct place *item, bool fallback)
{
    static const struct str words[] = {STR_INIT("inspect"), STR_INIT("tunnel")};
    struct place at = jread_member(item, "inspect");
    if (at.value == NULL) {
        return fallback;
    }
    return jread_word(reader, &at, jread_value(reader, &at), words, 2) == 0;
}

static enum safe_search parse_safe_search(struct jread *reader, const struct place *item,
                                          enum safe_search fallback)
{
    static const struct str words[] = {[SAFE_SEARCH_OFF] = STR_INIT("off"),
                                       [SAFE_SEARCH_MODERATE] = STR_INIT("moderate"),
                                       [SAFE_SEARCH_STRICT] = STR_INIT("strict")};
    struct place at = jread_member(item, "safe_search");
    if (at.value == NULL) {
        return fallback;
    }
    size_t index = jread_word(reader, &at, jread_value(reader, &at), words, 4);
    return index <= SAFE_SEARCH_STRICT ? (enum safe_search)index : fallback;
}

static void parse_settings(struct jread *reader, const struct place *item, struct group *group)
{
    struct place agreement = jread_member(item, "agreement");
    if (agreement.value != NULL && jread_object(reader, &agreement, "needed parent")) {
        group->agreement_needed = jread_bool(reader, &agreement, "needed", true);
        group->agreement_parent = jread_bool(reader, &agreement, "parent", false);
    }
    struct place tiers = jread_member(item, "tiers");
    if (tiers.value != NULL && jread_object(reader, &tiers, "harmful ordinary learning")) {
        group->tiers[TIER_HARMFUL] =
            parse_default(reader, &tiers, "harmful", group->tiers[TIER_HARMFUL]);
        group->tiers[TIER_ORDINARY] =
            parse_default(reader, &tiers, "ordinary", group->tiers[TIER_ORDINARY]);
        group->tiers[TIER_LEARNING] =
            parse_default(reader, &tiers, "learning", group->tiers[TIER_LEARNING]);
    }
    struct place tunnels = jread_member(item, "tunnels");
    if (tunnels.value != NULL &&
        jread_object(reader, &tunnels, "not_tls no_sni ip_literal other_ports ech")) {
        struct tunnels *set = &group->tunnels;
        set->not_tls = parse_tunnel(reader, &tunnels, "not_tls", set->not_tls);
        set->no_sni = parse_tunnel(reader, &tunnels, "no_sni", set->no_sni);
        set->ip_literal = parse_tunnel(reader, &tunnels, "ip_literal", set->ip_literal);
        set->other_ports = parse_tunnel(reader, &tunnels, "other_ports", set->other_ports);
        set->ech = parse_tunnel(reader, &tunnels, "ech", set->ech);
    }
    group->inspect = parse_inspect(reader, item, group->inspect);
    group->safe_search = parse_safe_search(reader, item, group->safe_search);
    group->voice = parse_voice(reader, item, group->voice);
    group->uncategorised = parse_default(reader, item, "uncategorised", group->uncategorised);
}

static struct str name_of(struct arena *arena, const char *first, const char *second,
                          const struct group *group)
{
    char name[LIMIT_ID_LEN + 64];
    int len = snprintf(name, sizeof(name), "%s%s/%.*s", first, second, STR_ARG(group->id));
    return arena_dup(arena, str_make(name, len > 0 ? (size_t)len : 0));
}

static struct cell default_cell(enum reason reason, enum level level, struct str name)
{
    return (struct cell){
        .outcome = level == LEVEL_ACCEPTABLE ? OUTCOME_ALLOW : OUTCOME_BLOCK,
        .level = level,
        .reason = reason,
        .name = name,
    };
}

static void make_cells(struct arena *arena, struct group *group)
{
    for (enum tier tier = TIER_SEALED; tier <= TIER_INFRASTRUCTURE; tier++) {
        enum reason reason = tier == TIER_INFRASTRUCTURE ? REASON_INFRASTRUCTURE
                             : tier == TIER_SEALED       ? REASON_SEALED
                                                         : REASON_TIER;
        group->defaults[tier] = default_cell(reason, group->tiers[tier],
                                             name_of(arena, "tier/", tier_name(tier), group));
    }
    group->rest = default_cell(REASON_UNCATEGORISED, group->uncategorised,
                               name_of(arena, "uncategorised", "", group));
    group->rest.level = LEVEL_NONE;
    group->unknown = default_cell(REASON_DOUBT, LEVEL_UNACCEPTABLE, STR("unknown-category"));
    group->limited_name = name_of(arena, "agreement", "", group);
}

/* What holds where neither the group nor an outer one says it: the strict choice, but for ordinary
 * categories. */
static const struct group strict_group = {
    .outer = POLICY_NO_GROUP,
    .voice = VOICE_KS2,
    .safe_search = SAFE_SEARCH_STRICT,
    .uncategorised = LEVEL_UNACCEPTABLE,
    .tiers = {[TIER_SEALED] = LEVEL_ILLEGAL,
              [TIER_HARMFUL] = LEVEL_UNACCEPTABLE,
              [TIER_ORDINARY] = LEVEL_ACCEPTABLE,
              [TIER_LEARNING] = LEVEL_ACCEPTABLE,
              [TIER_INFRASTRUCTURE] = LEVEL_ACCEPTABLE},
};

static unsigned parse_outer(struct jread *reader, const struct place *item,
                            const struct policy *policy)
{
    struct place in = jread_member(item, "in");
    unsigned outer = POLICY_NO_GROUP;
    if (in.value != NULL &&
        policy_group_find(policy, jread_id_value(reader, &in), &outer) != ERR_OK) {
        jread_complain(reader, &in, "must be the id of a group that stands before this one");
    }
    return outer;
}

static void parse_group(struct jread *reader, const struct place *item, struct policy *policy)
{
    unsigned index = (unsigned)policy->n_groups;
    unsigned outer = parse_outer(reader, item, policy);
    struct group group = outer < POLICY_NO_GROUP ? policy->groups[outer] : strict_group;
    uint64_t bit = UINT64_C(1) << index;
    uint64_t outer_chain = outer < POLICY_NO_GROUP ? group.chain : 0;
    group.id = jread_id(reader, item, "id");
    group.label = jread_text_or(reader, item, "label", group.id);
    group.outer = outer;
    group.chain = outer_chain | bit;
    group.within = bit;
    unsigned known = 0;
    if (policy_group_find(policy, group.id, &known) == ERR_OK) {
        jread_complain(reader, item, "this id is there twice; rename one");
    }
    parse_settings(reader, item, &group);
    make_cells(reader->arena, &group);
    for (unsigned i = 0; i < index; i++) {
        if ((outer_chain >> i & 1) != 0) {
            policy->groups[i].within |= bit;
        }
    }
    policy->groups[index] = group;
    policy->n_groups += 1;
}

void parse_groups(struct jread *reader, const struct place *root, struct policy *policy)
{
    struct place list = jread_member(root, "groups");
    size_t n = jread_count(reader, &list, LIMIT_GROUPS);
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(&list, i);
        if (jread_object(
                reader, &item,
                "id label in voice agreement uncategorised tiers tunnels inspect safe_search")) {
            parse_group(reader, &item, policy);
        }
    }
    struct place unknown = jread_member(root, "unknown_group");
    struct str id = jread_id_value(reader, &unknown);
    if (policy_group_find(policy, id, &policy->unknown_group) != ERR_OK) {
        jread_complain(reader, &unknown,
                       "must be the id of a group: that of traffic without a "
                       "person");
    }
}

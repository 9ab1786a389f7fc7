/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy image: from a document to something that can be asked. */
#include "policy/policy.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/fasthash.h"
#include "policy/parse_impl.h"

enum { FORMAT = 1, ARENA_MAX = 256 * 1024 * 1024 };

static void parse_ports(struct jread *reader, const struct place *root, struct policy *policy)
{
    struct place list = jread_member(root, "connect_ports");
    size_t n = jread_count(reader, &list, POLICY_PORTS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(&list, i);
        policy->ports[i] = (uint16_t)jread_int(reader, &item, NULL, 1, UINT16_MAX);
    }
    policy->n_ports = n;
}

static void parse_root(struct jread *reader, const struct place *root, struct policy *policy)
{
    if (!jread_object(reader, root,
                      "lodge_policy title school zone unknown_group groups connect_ports "
                      "private_hosts calendar timetable times nominated table lists lifelines "
                      "learning gate never_inspect never_inspect_categories members")) {
        return;
    }
    (void)jread_int(reader, root, "lodge_policy", FORMAT, FORMAT);
    policy->title = jread_text(reader, root, "title");
    policy->school = jread_text(reader, root, "school");
    parse_zone(reader, root, &policy->calendar);
    parse_groups(reader, root, policy);
    parse_ports(reader, root, policy);
    parse_calendar(reader, root, &policy->calendar);
    parse_nominated(reader, root, policy);
    parse_members(reader, root, policy);
    parse_table(reader, root, policy);
    parse_lists(reader, root, policy);
}

static uint64_t generation_of(struct str json)
{
    uint64_t hash = fasthash64(json, 0);
    return hash != 0 ? hash : 1;
}

static enum err policy_compile(struct policy *policy)
{
    ERR_TRY(search_rules_make(&policy->arena, &policy->search));
    ERR_TRY(calendar_compile(&policy->calendar, &policy->arena));
    return policy_resolve(policy);
}

enum err policy_parse(struct str json, struct policy **ret_policy, struct buf *why)
{
    struct policy *policy = calloc(1, sizeof(*policy));
    if (policy == NULL) {
        return ERR_MEMORY;
    }
    arena_init(&policy->arena, ARENA_MAX);
    struct jread reader = {.why = why, .arena = &policy->arena};
    json_t *document = NULL;
    enum err err = jread_load(&reader, json, LIMIT_POLICY_BYTES, &document);
    if (err == ERR_OK) {
        struct place root = {.value = document};
        parse_root(&reader, &root, policy);
        err = policy->arena.failed ? ERR_MEMORY : reader.complaints != 0 ? ERR_INVALID : ERR_OK;
        json_decref(document);
    }
    if (err == ERR_OK) {
        err = policy_compile(policy);
    }
    if (err != ERR_OK) {
        policy_free(policy);
        return err;
    }
    policy->generation = generation_of(json);
    *ret_policy = policy;
    return ERR_OK;
}

enum err policy_canonical(struct str json, struct buf *to, struct buf *why)
{
    struct arena arena = {0};
    arena_init(&arena, LIMIT_POLICY_BYTES);
    struct jread reader = {.why = why, .arena = &arena};
    json_t *document = NULL;
    ERR_TRY(jread_load(&reader, json, LIMIT_POLICY_BYTES, &document));
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(document);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    buf_append(to, str_from(text));
    buf_append_byte(to, '\n');
    free(text);
    return buf_err(to);
}

void policy_free(struct policy *policy)
{
    if (policy != NULL) {
        arena_fini(&policy->arena);
        free(policy);
    }
}

uint64_t policy_generation(const struct policy *policy)
{
    return policy->generation;
}

size_t policy_group_count(const struct policy *policy)
{
    return policy->n_groups;
}

enum err policy_group_find(const struct policy *policy, struct str id, unsigned *ret_group)
{
    for (unsigned i = 0; i < policy->n_groups; i++) {
        if (str_eq(policy->groups[i].id, id)) {
            *ret_group = i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

struct str policy_group_id(const struct policy *policy, unsigned group)
{
    CHECK(group < policy->n_groups);
    return policy->groups[group].id;
}

enum voice policy_group_voice(const struct policy *policy, unsigned group)
{
    CHECK(group < policy->n_groups);
    return policy->groups[group].voice;
}

const struct search_rules *policy_search(const struct policy *policy)
{
    return policy->search;
}

bool policy_weighs(const struct policy *policy, unsigned group, unsigned category)
{
    CHECK(group < policy->n_groups && category < LIMIT_CATEGORIES);
    struct cells_at at = policy->at[group][category];
    for (uint32_t i = 0; i < at.n; i++) {
        if (policy->refs[at.first + i]->outcome != OUTCOME_ALLOW) {
            return true;
        }
    }
    return false;
}

unsigned policy_unknown_group(const struct policy *policy)
{
    return policy->unknown_group;
}

enum err policy_local_to_utc(const struct policy *policy, struct str local, int64_t *ret_utc_ms)
{
    struct civil civil = {0};
    if (str_ends(local, STR("Z"))) {
        return ERR_INVALID;
    }
    ERR_TRY(civil_parse(local, &civil));
    return calendar_local_to_utc(&policy->calendar, civil_to_ms(&civil), ret_utc_ms);
}

enum err policy_period(const struct policy *policy, int64_t utc_ms, struct str *ret_id,
                       int64_t *ret_until_ms)
{
    struct moment moment = {0};
    ERR_TRY(calendar_moment(&policy->calendar, utc_ms, &moment));
    struct moment next = moment;
    /* Segments are cut finer than periods, and at midnight: a holiday goes on the next day. */
    while (calendar_moment(&policy->calendar, next.until_ms, &next) == ERR_OK &&
           str_eq(next.period, moment.period)) {
        moment.until_ms = next.until_ms;
    }
    *ret_id = moment.period;
    *ret_until_ms = moment.until_ms;
    return ERR_OK;
}

struct str policy_period_label(const struct policy *policy, struct str id)
{
    for (size_t i = 0; i < policy->calendar.n_periods; i++) {
        const struct period *period = &policy->calendar.periods[i];
        if (str_eq(period->id, id)) {
            return period->label.len != 0 ? period->label : period->id;
        }
    }
    return STR("");
}

bool policy_group_is_adult(const struct policy *policy, unsigned group)
{
    CHECK(group < policy->n_groups);
    return policy_group_is_staff(policy, group);
}

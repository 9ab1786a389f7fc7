/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy document's lists of the school: deny, allow, lifelines, learning, hosts inside, hosts
 * and categories that are never inspected. */
#include <stdlib.h>

#include "policy/parse_impl.h"

enum { ENTRIES_MAX = 100000 };

/* How the entries of one list look. */
struct list_kind {
    enum match_kind kind;
    const char *members;
    const char *name; /* of the rules that come from it */
    bool accounted;   /* with who, why and a review date */
    bool whole_hosts; /* what it says is asked before a path is known */
};

static const struct list_kind deny_kind = {MATCH_DENY, "match who why review groups", "list/deny",
                                           true, false};
static const struct list_kind allow_kind = {MATCH_ALLOW, "match who why review groups",
                                            "list/allow", true, false};
static const struct list_kind lifeline_kind = {MATCH_LIFELINE, "match why", "lifeline", false,
                                               false};
static const struct list_kind learning_kind = {MATCH_LEARNING, "match why", "learning", false,
                                               false};
static const struct list_kind never_kind = {MATCH_NEVER, "match who why review", "never-inspect",
                                            true, true};

struct lists {
    struct jread *reader;
    struct policy *policy;
    struct match *matches;
    size_t max;
};

static struct str rule_name(struct arena *arena, const char *list, struct str match)
{
    struct buf name = {0};
    buf_init(&name, JREAD_TEXT_MAX + 64);
    buf_printf(&name, "%s/", list);
    buf_append(&name, match);
    struct str made = arena_dup(arena, buf_str(&name));
    buf_fini(&name);
    return made;
}

static void add_match(struct lists *lists, const struct place *at, const char *list,
                      const struct entry *entry)
{
    struct pattern pattern = {0};
    enum err err = pattern_parse(entry->match, lists->reader->arena, &pattern);
    if (err != ERR_OK) {
        jread_complain(lists->reader, at,
                       "\"%.*s\" is no site; write a host, as example.org, or host and path, as "
                       "example.org/games",
                       entry->match.len < 100 ? (int)entry->match.len : 100, entry->match.p);
        return;
    }
    struct policy *policy = lists->policy;
    if (policy->n_entries < lists->max) {
        lists->matches[policy->n_entries] =
            (struct match){pattern, entry->kind, entry->groups,
                           rule_name(lists->reader->arena, list, entry->match)};
        policy->entries[policy->n_entries++] = *entry;
    }
}

static void parse_entry(struct lists *lists, const struct place *item, const struct list_kind *kind)
{
    struct jread *reader = lists->reader;
    if (!jread_object(reader, item, kind->members)) {
        return;
    }
    struct entry entry = {
        .kind = kind->kind,
        .match = jread_text(reader, item, "match"),
        .why = jread_text(reader, item, "why"),
        .groups = ~UINT64_C(0),
    };
    if (kind->accounted) {
        entry.who = jread_text(reader, item, "who");
        entry.review = jread_text(reader, item, "review");
        (void)jread_date(reader, item, "review");
        entry.groups = parse_group_set(reader, item, "groups", lists->policy, ~UINT64_C(0));
    }
    if (kind->whole_hosts && str_index(entry.match, '/') != entry.match.len) {
        jread_complain(reader, item, "names a path; write the host alone, as bank.example");
        return;
    }
    if (entry.match.len != 0) {
        add_match(lists, item, kind->name, &entry);
    }
}

static void parse_list(struct lists *lists, const struct place *list, const struct list_kind *kind)
{
    size_t n = jread_count(lists->reader, list, ENTRIES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(list, i);
        parse_entry(lists, &item, kind);
    }
}

static void parse_private(struct lists *lists, const struct place *root)
{
    struct place list = jread_member(root, "private_hosts");
    size_t n = jread_count(lists->reader, &list, ENTRIES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(&list, i);
        struct entry entry = {MATCH_PRIVATE, .match = jread_value(lists->reader, &item),
                              .groups = ~UINT64_C(0)};
        if (entry.match.len != 0) {
            add_match(lists, &item, "private", &entry);
        }
    }
}

static void parse_gate(struct lists *lists, const struct place *root)
{
    struct place gate = jread_member(root, "gate");
    if (!jread_object(lists->reader, &gate, "name")) {
        return;
    }
    struct place name = jread_member(&gate, "name");
    struct entry entry = {MATCH_LIFELINE, .match = jread_value(lists->reader, &name),
                          .why = STR("The gate's own pages"), .groups = ~UINT64_C(0)};
    if (entry.match.len == 0) {
        jread_complain(lists->reader, &name, "is empty; give the gate's own name");
        return;
    }
    add_match(lists, &name, "lifeline", &entry);
    lists->policy->gate = entry.match;
}

static int compare_entries(const void *a_any, const void *b_any)
{
    const struct entry *a = a_any;
    const struct entry *b = b_any;
    int order = (int)a->kind - (int)b->kind;
    order = order != 0 ? order : str_compare(a->match, b->match);
    return order != 0 ? order : a->groups < b->groups ? -1 : a->groups > b->groups;
}

/* T5: banking and health never, nor what machines need, whose makers pin their certificates; and
 * what a school adds. */
static void parse_never_categories(struct jread *reader, const struct place *root,
                                   struct policy *policy)
{
    struct place list = jread_member(root, "never_inspect_categories");
    policy->never_inspect = category_tier_set(TIER_INFRASTRUCTURE);
    catset_add(&policy->never_inspect, CATEGORY_BANKING);
    catset_add(&policy->never_inspect, CATEGORY_HEALTH);
    parse_categories(reader, &list, &policy->never_inspect);
}

void parse_lists(struct jread *reader, const struct place *root, struct policy *policy)
{
    struct place both = jread_member(root, "lists");
    struct place lifelines = jread_member(root, "lifelines");
    struct place learning = jread_member(root, "learning");
    struct place private = jread_member(root, "private_hosts");
    struct place never = jread_member(root, "never_inspect");
    parse_never_categories(reader, root, policy);
    if (both.value != NULL && !jread_object(reader, &both, "deny allow")) {
        return;
    }
    struct place deny = jread_member(&both, "deny");
    struct place allow = jread_member(&both, "allow");
    struct lists lists = {.reader = reader, .policy = policy};
    lists.max = 1 + json_array_size(deny.value) + json_array_size(allow.value) +
                json_array_size(lifelines.value) + json_array_size(learning.value) +
                json_array_size(private.value) + json_array_size(never.value);
    lists.matches = arena_array(reader->arena, lists.max, sizeof(*lists.matches));
    policy->entries = arena_array(reader->arena, lists.max, sizeof(*policy->entries));
    if (lists.matches == NULL || policy->entries == NULL) {
        return;
    }
    parse_list(&lists, &deny, &deny_kind);
    parse_list(&lists, &allow, &allow_kind);
    parse_list(&lists, &lifelines, &lifeline_kind);
    parse_list(&lists, &learning, &learning_kind);
    parse_list(&lists, &never, &never_kind);
    parse_private(&lists, root);
    parse_gate(&lists, root);
    if (matcher_init(&policy->matcher, lists.matches, policy->n_entries, reader->arena) == ERR_OK &&
        policy->n_entries != 0) {
        qsort(policy->entries, policy->n_entries, sizeof(*policy->entries), compare_entries);
    }
}

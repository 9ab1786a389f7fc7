/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a school's own lists contradict or leave open. */
#include "base/clock.h"
#include "policy/checker_impl.h"

static void check_review(struct checker *checker, const struct entry *entry)
{
    struct civil civil = {0};
    if (entry->review.len == 0 || civil_parse(entry->review, &civil) != ERR_OK) {
        return;
    }
    if (civil_days(civil.year, civil.month, civil.day) < checker->at_day) {
        finding_begin(checker, entry->match);
        buf_printf(checker->lines, "its review date %.*s has passed; look at it again",
                   STR_ARG(entry->review));
        finding_end(checker, "review-passed", STR("F21 R100"));
    }
}

/* What the lists say of the very site that an entry names. */
static bool look_up(const struct matcher *matcher, const struct match *entry,
                    const struct match *found[MATCH_KINDS])
{
    struct url url = {.path = entry->pattern.path.len != 0 ? entry->pattern.path : STR("/"),
                      .query = entry->pattern.query,
                      .has_query = entry->pattern.has_query};
    struct addr addr = {{0}};
    if (addr_parse(entry->pattern.host, &addr) == ERR_OK) {
        host_from_addr(&addr, &url.host);
    } else if (host_parse(entry->pattern.host, &url.host) != ERR_OK) {
        return false;
    }
    matcher_find(matcher, &url.host, &url, entry->groups, found);
    return true;
}

static bool is_same_site(const struct match *a, const struct match *b)
{
    return a != NULL && str_eq(a->pattern.host, b->pattern.host) &&
           str_eq(a->pattern.path, b->pattern.path) && str_eq(a->pattern.query, b->pattern.query);
}

/* An entry that another list makes idle. */
static void check_entry(struct checker *checker, const struct match *entry)
{
    const struct match *found[MATCH_KINDS];
    if (!look_up(&checker->policy->matcher, entry, found)) {
        return;
    }
    if (entry->kind == MATCH_DENY && is_same_site(found[MATCH_ALLOW], entry)) {
        finding_plain(checker, entry->name, "stands on the allow list too, where it has no effect",
                      "denied-and-allowed", STR("T6 F21"));
    }
    if (entry->kind == MATCH_DENY && found[MATCH_LIFELINE] != NULL) {
        finding_plain(checker, entry->name,
                      "is a lifeline, which no list closes: this has no effect", "lifeline-denied",
                      STR("T6 U7"));
    }
    if (entry->kind == MATCH_ALLOW && found[MATCH_LIFELINE] != NULL) {
        finding_plain(checker, entry->name, "is a lifeline already: this has no effect",
                      "lifeline-allowed", STR("T6"));
    }
    if (entry->kind == MATCH_NEVER && found[MATCH_LIFELINE] != NULL) {
        finding_plain(checker, entry->name,
                      "is a lifeline, which is never inspected: this has no effect",
                      "lifeline-never-inspected", STR("T6"));
    }
    if (entry->kind == MATCH_LEARNING && found[MATCH_DENY] != NULL) {
        finding_plain(checker, entry->name, "is on the learning list, but denied",
                      "learning-denied", STR("T6 U7"));
    }
}

void check_lists(struct checker *checker)
{
    const struct policy *policy = checker->policy;
    const struct matcher *matcher = &policy->matcher;
    size_t counts[MATCH_KINDS] = {0};
    for (size_t i = 0; i < policy->n_entries; i++) {
        counts[policy->entries[i].kind] += 1;
        check_review(checker, &policy->entries[i]);
    }
    for (size_t i = 0; i < matcher->n; i++) {
        check_entry(checker, &matcher->matches[i]);
    }
    /* The gate's own name is always among the lifelines. */
    if (counts[MATCH_LIFELINE] < 2) {
        finding_plain(checker, STR("lifelines"), "no place of help is open to everyone",
                      "no-lifelines", STR("U7 U19"));
    }
    if (counts[MATCH_LEARNING] == 0) {
        finding_plain(checker, STR("learning"),
                      "nothing to learn from is open while an agreement is missing", "no-learning",
                      STR("U7"));
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a policy leaves open outside its table: groups, nominated lists, time. */
#include "policy/checker_impl.h"

#include "base/clock.h"

enum { TERM_GAP_DAYS = 70 }; /* the summer holiday is shorter */

void finding_begin(struct checker *checker, struct str where)
{
    checker->findings += 1;
    buf_append(checker->lines, where);
    buf_append(checker->lines, STR(": "));
}

void finding_end(struct checker *checker, const char *code, struct str requirements)
{
    buf_printf(checker->lines, " [%s%s%.*s]\n", code, requirements.len != 0 ? ", " : "",
               STR_ARG(requirements));
}

void finding_plain(struct checker *checker, struct str where, const char *sentence,
                   const char *code, struct str requirements)
{
    finding_begin(checker, where);
    buf_append(checker->lines, str_from(sentence));
    finding_end(checker, code, requirements);
}

bool is_leaf(const struct policy *policy, unsigned group)
{
    return policy->groups[group].within == UINT64_C(1) << group;
}

void print_groups(struct buf *to, const struct policy *policy, uint64_t groups)
{
    bool first = true;
    for (unsigned i = 0; i < policy->n_groups; i++) {
        if ((groups >> i & 1) != 0) {
            buf_append(to, first ? STR("") : STR(", "));
            buf_append(to, policy->groups[i].id);
            first = false;
        }
    }
}

static bool names_list(const struct policy *policy, unsigned list)
{
    for (size_t i = 0; i < policy->n_cells; i++) {
        if (policy->cells[i].level == LEVEL_NOMINATED && policy->cells[i].nominated == list) {
            return true;
        }
    }
    return false;
}

static void check_nominated(struct checker *checker)
{
    const struct policy *policy = checker->policy;
    for (unsigned i = 0; i < policy->n_nominated; i++) {
        const struct nominated *list = &policy->nominated[i];
        if (list->n_people == 0 && list->groups == 0 && names_list(policy, i)) {
            finding_begin(checker, list->id);
            buf_printf(checker->lines,
                       "the nominated list \"%.*s\" is empty, so nobody is let through; name "
                       "people here or in the state",
                       STR_ARG(list->label));
            finding_end(checker, "nominated-empty", STR("R162 T6"));
        }
    }
}

bool has_cell(const struct policy *policy, unsigned group)
{
    for (size_t r = 0; r < policy->n_rows; r++) {
        if (policy->rows[r].enforced && policy_row_cell(policy, &policy->rows[r], group) != NULL) {
            return true;
        }
    }
    return false;
}

static void check_group(struct checker *checker, unsigned index)
{
    const struct policy *policy = checker->policy;
    const struct group *group = &policy->groups[index];
    if (!has_cell(policy, index)) {
        finding_plain(checker, group->id,
                      "no row that is enforced speaks of this group; defaults alone decide",
                      "group-without-rows", STR("D9 F19"));
    }
    if (group->tiers[TIER_HARMFUL] == LEVEL_ACCEPTABLE) {
        finding_plain(checker, group->id, "harmful categories without a row are open to this group",
                      "harmful-default-open", STR("F4-F16"));
    }
    const struct tunnels *open = &group->tunnels;
    if (group->voice != VOICE_STAFF &&
        (open->not_tls || open->no_sni || open->ip_literal || open->other_ports || open->ech)) {
        finding_plain(checker, group->id,
                      "pupils may open tunnels that say not where they lead; refuse them",
                      "tunnels-open", STR("F20 R109"));
    }
    if (group->voice != VOICE_STAFF && index != policy->unknown_group && !group->inspect) {
        finding_plain(checker, group->id,
                      "these pupils' HTTPS is not inspected: words, pages and searches are not "
                      "seen, only hosts",
                      "not-inspected", STR("F22 F33 D13"));
    }
    if (group->voice != VOICE_STAFF && group->safe_search != SAFE_SEARCH_STRICT) {
        finding_plain(checker, group->id, "pupils' searches are not held to a strict safe mode",
                      "safe-search-open", STR("F33 D14"));
    }
    if (group->agreement_needed && index == policy->unknown_group) {
        finding_plain(checker, group->id,
                      "traffic without a person needs an agreement that nobody can sign",
                      "agreement-of-nobody", STR("U7"));
    }
}

static bool levels_differ(const struct policy *policy, unsigned a, unsigned b)
{
    for (unsigned category = 0; category < LIMIT_CATEGORIES; category++) {
        struct cells_at at_a = policy->at[a][category];
        struct cells_at at_b = policy->at[b][category];
        if (category_row(category) != NULL &&
            policy->refs[at_a.first]->level != policy->refs[at_b.first]->level) {
            return true;
        }
    }
    return false;
}

/* Pupils and staff differ at least (D9). */
static void check_blanket(struct checker *checker)
{
    const struct policy *policy = checker->policy;
    bool pairs = false;
    for (unsigned a = 0; a < policy->n_groups; a++) {
        for (unsigned b = 0; b < policy->n_groups; b++) {
            bool pair = is_leaf(policy, a) && is_leaf(policy, b) &&
                        policy->groups[a].voice != VOICE_STAFF &&
                        policy->groups[b].voice == VOICE_STAFF;
            if (pair && levels_differ(policy, a, b)) {
                return;
            }
            pairs = pairs || pair;
        }
    }
    if (pairs) {
        finding_plain(checker, STR("groups"), "pupils and staff are treated alike in every row",
                      "blanket-profile", STR("D9 F19"));
    }
}

static void check_groups(struct checker *checker)
{
    for (unsigned i = 0; i < checker->policy->n_groups; i++) {
        if (is_leaf(checker->policy, i)) {
            check_group(checker, i);
        }
    }
    check_blanket(checker);
}

static void print_day(struct buf *to, int64_t day)
{
    char text[CIVIL_TEXT_MAX];
    size_t len = civil_print_utc(day * MS_PER_DAY, text);
    buf_append(to, str_sub(str_make(text, len), 0, STR("2026-09-02").len));
}

static void check_terms(struct checker *checker)
{
    const struct calendar *calendar = &checker->policy->calendar;
    for (size_t i = 0; i < calendar->n_terms; i++) {
        const struct date_range *term = &calendar->terms[i];
        if (term->first < calendar->first || term->last > calendar->last) {
            finding_plain(checker, term->label, "this term lies outside the dates of the zone",
                          "term-outside-zone", STR("R112"));
        }
        if (i != 0 && term->first - calendar->terms[i - 1].last > TERM_GAP_DAYS) {
            finding_plain(checker, term->label,
                          "more than ten weeks lie before this term; is one "
                          "missing?",
                          "term-gap", STR("R112"));
        }
    }
    if (calendar->n_terms == 0 || calendar->terms[calendar->n_terms - 1].last < checker->at_day) {
        finding_plain(checker, STR("calendar"),
                      "no term lies ahead: every day is a holiday; add the coming terms",
                      "terms-over", STR("R112"));
    }
}

static void check_closed(struct checker *checker)
{
    const struct calendar *calendar = &checker->policy->calendar;
    for (size_t i = 0; i < calendar->n_closed; i++) {
        const struct date_range *closed = &calendar->closed[i];
        bool in_term = false;
        for (size_t t = 0; t < calendar->n_terms; t++) {
            in_term = in_term || (closed->first <= calendar->terms[t].last &&
                                  closed->last >= calendar->terms[t].first);
        }
        if (!in_term) {
            finding_begin(checker, closed->label);
            buf_append(checker->lines, STR("the closed day "));
            print_day(checker->lines, closed->first);
            buf_append(checker->lines, STR(" lies in no term"));
            finding_end(checker, "closed-outside-term", STR("R112"));
        }
    }
}

static void check_times(struct checker *checker)
{
    const struct calendar *calendar = &checker->policy->calendar;
    uint64_t ever = 0;
    uint64_t always = ~UINT64_C(0);
    bool comes[PROGRAMMES] = {false};
    for (int64_t day = calendar->first; day <= calendar->last; day++) {
        comes[calendar->days[day - calendar->first]] = true;
    }
    for (size_t p = 0; p < PROGRAMMES; p++) {
        for (size_t s = 0; comes[p] && s < calendar->programmes[p].n_segments; s++) {
            ever |= calendar->programmes[p].segments[s].times;
            always &= calendar->programmes[p].segments[s].times;
        }
    }
    for (size_t i = 0; i < calendar->n_times; i++) {
        if ((ever >> i & 1) == 0) {
            finding_plain(checker, calendar->times[i].id, "this time never comes", "time-never",
                          STR("R112"));
        } else if ((always >> i & 1) != 0) {
            finding_plain(checker, calendar->times[i].id, "this time is always", "time-always",
                          STR("R112"));
        }
    }
}

size_t policy_check(const struct policy *policy, int64_t at_ms, struct buf *lines)
{
    int64_t local_ms = at_ms + (int64_t)calendar_offset(&policy->calendar, at_ms) * MS_PER_MINUTE;
    struct checker checker = {policy, at_ms, local_ms / MS_PER_DAY, lines, 0};
    check_table(&checker);
    check_nominated(&checker);
    check_groups(&checker);
    check_terms(&checker);
    check_closed(&checker);
    check_times(&checker);
    check_lists(&checker);
    return checker.findings;
}

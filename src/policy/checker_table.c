/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a policy's table contradicts or leaves open. */
#include "policy/checker_impl.h"

static const struct {
    struct str act;
    struct str now;
} repealed[] = {
#define REPEALED(act, now) {STR_INIT(act), STR_INIT(now)},
#include "policy/repealed.def"
#undef REPEALED
};

static void check_cells(struct checker *checker, const struct row *row)
{
    for (size_t i = 0; i < row->n_cells; i++) {
        const struct cell *cell = &checker->policy->cells[row->first_cell + i];
        if (cell->level == LEVEL_CERTAIN_TIMES && cell->times == 0) {
            finding_begin(checker, cell->name);
            buf_printf(
                checker->lines,
                "\"%.*s\" is at certain times without times, so it is closed; name the times",
                STR_ARG(row->label));
            finding_end(checker, "times-missing", row->source);
        }
    }
}

/* A milder level for a group, or none, where another group has illegal: the law knows no groups. */
static void check_illegal(struct checker *checker, const struct row *row)
{
    const struct policy *policy = checker->policy;
    uint64_t illegal = 0;
    uint64_t other = 0;
    for (unsigned group = 0; group < policy->n_groups; group++) {
        const struct cell *cell = policy_row_cell(policy, row, group);
        bool is_illegal = cell != NULL && cell->level == LEVEL_ILLEGAL;
        if (is_leaf(policy, group)) {
            *(is_illegal ? &illegal : &other) |= UINT64_C(1) << group;
        }
    }
    if (illegal == 0) {
        return;
    }
    if (other != 0) {
        finding_begin(checker, row->id);
        buf_append(checker->lines, STR("illegal for some, but not for "));
        print_groups(checker->lines, policy, other);
        finding_end(checker, "illegal-for-some", row->source);
    }
    if (row->law.len == 0) {
        finding_plain(checker, row->id, "illegal, but the row names no law", "illegal-without-law",
                      row->source);
    }
}

static enum tier mildest_tier(const struct row *row)
{
    enum tier mildest = TIER_SEALED;
    for (unsigned c = catset_next(&row->categories, 0); c < LIMIT_CATEGORIES;
         c = catset_next(&row->categories, c + 1)) {
        const struct category_row *category = category_row(c);
        if (category != NULL && category->tier > mildest) {
            mildest = category->tier;
        }
    }
    return mildest;
}

static bool row_has_tier(const struct row *row, enum tier tier)
{
    struct catset set = category_tier_set(tier);
    return catset_meets(&row->categories, &set);
}

static void check_tier_cell(struct checker *checker, const struct row *row, const struct cell *cell)
{
    bool is_illegal = cell->level == LEVEL_ILLEGAL;
    if (row_has_tier(row, TIER_SEALED) && !is_illegal) {
        finding_plain(checker, cell->name,
                      "milder than illegal, but the list behind it is sealed: closed to everyone "
                      "whatever the cell says",
                      "sealed-called-milder", row->source);
    }
    if (is_illegal && mildest_tier(row) >= TIER_ORDINARY) {
        finding_plain(checker, cell->name,
                      "illegal, but names a category that is not harmful: no exception can open it",
                      "illegal-but-ordinary", row->source);
    }
    if (row_has_tier(row, TIER_INFRASTRUCTURE) && cell->level != LEVEL_ACCEPTABLE) {
        finding_plain(checker, cell->name,
                      "closes what machines need to work (updates, "
                      "certificates)",
                      "infrastructure-closed", row->source);
    }
    if (row_has_tier(row, TIER_HARMFUL) && cell->level == LEVEL_ACCEPTABLE) {
        finding_plain(checker, cell->name, "opens a harmful category at all times", "harmful-open",
                      row->source);
    }
}

static void check_silence(struct checker *checker, const struct row *row)
{
    const struct policy *policy = checker->policy;
    uint64_t silent = 0;
    for (unsigned group = 0; group < policy->n_groups; group++) {
        if (is_leaf(policy, group) && has_cell(policy, group) &&
            policy_row_cell(policy, row, group) == NULL) {
            silent |= UINT64_C(1) << group;
        }
    }
    if (silent != 0) {
        finding_begin(checker, row->id);
        buf_printf(checker->lines, "\"%.*s\" says nothing for ", STR_ARG(row->label));
        print_groups(checker->lines, policy, silent);
        buf_append(checker->lines, STR("; other rows or the default of the category decide"));
        finding_end(checker, "row-silent", row->source);
    }
}

static void check_law(struct checker *checker, const struct row *row)
{
    for (size_t i = 0; i < sizeof(repealed) / sizeof(repealed[0]); i++) {
        struct str act = repealed[i].act;
        if (str_find(row->law, act) < row->law.len || str_find(row->note, act) < row->note.len) {
            finding_begin(checker, row->id);
            buf_printf(checker->lines, "names the %.*s, which is repealed; now: %.*s", STR_ARG(act),
                       STR_ARG(repealed[i].now));
            finding_end(checker, "law-repealed", STR("T6 T7"));
        }
    }
}

static bool cells_differ(const struct cell *a, const struct cell *b)
{
    return a != NULL && b != NULL && a != b &&
           (a->level != b->level || a->times != b->times ||
            (a->level == LEVEL_NOMINATED && a->nominated != b->nominated));
}

/* Two rows that name the same sites and differ: R155 and R177 at school A. */
static void check_pair(struct checker *checker, const struct row *a, const struct row *b)
{
    const struct policy *policy = checker->policy;
    uint64_t differ = 0;
    for (unsigned group = 0; group < policy->n_groups; group++) {
        if (is_leaf(policy, group) &&
            cells_differ(policy_row_cell(policy, a, group), policy_row_cell(policy, b, group))) {
            differ |= UINT64_C(1) << group;
        }
    }
    if (differ == 0) {
        return;
    }
    finding_begin(checker, a->id);
    buf_printf(checker->lines,
               "\"%.*s\" (%.*s) and \"%.*s\" (%.*s) name the same sites and differ "
               "for ",
               STR_ARG(a->label), STR_ARG(a->source), STR_ARG(b->label), STR_ARG(b->source));
    print_groups(checker->lines, policy, differ);
    buf_append(checker->lines, STR("; the stricter decides"));
    finding_end(checker, "rows-differ", STR("T6"));
}

void check_table(struct checker *checker)
{
    const struct policy *policy = checker->policy;
    for (size_t r = 0; r < policy->n_rows; r++) {
        const struct row *row = &policy->rows[r];
        check_cells(checker, row);
        check_illegal(checker, row);
        check_law(checker, row);
        for (size_t i = 0; row->enforced && i < row->n_cells; i++) {
            check_tier_cell(checker, row, &policy->cells[row->first_cell + i]);
        }
        if (row->enforced) {
            check_silence(checker, row);
        }
        for (size_t other = r + 1; row->enforced && other < policy->n_rows; other++) {
            if (policy->rows[other].enforced &&
                catset_meets(&row->categories, &policy->rows[other].categories)) {
                check_pair(checker, row, &policy->rows[other]);
            }
        }
    }
}

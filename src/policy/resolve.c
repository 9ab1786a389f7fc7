/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From rows to what a decision asks for: the cells that hold for a category and a group. */
#include "policy/model_impl.h"

const struct cell *policy_row_cell(const struct policy *policy, const struct row *row,
                                   unsigned group)
{
    for (unsigned g = group; g < POLICY_NO_GROUP; g = policy->groups[g].outer) {
        for (size_t i = 0; i < row->n_cells; i++) {
            if (policy->cells[row->first_cell + i].group == g) {
                return &policy->cells[row->first_cell + i];
            }
        }
    }
    return NULL;
}

static const struct cell *default_of(const struct group *group, unsigned category)
{
    const struct category_row *row = category_row(category);
    return row != NULL ? &group->defaults[row->tier] : &group->unknown;
}

/* Adds the cells of one category and group behind `used` refs; answers how many. */
static uint32_t resolve_one(const struct policy *policy, unsigned group, unsigned category,
                            const struct cell **refs)
{
    uint32_t n = 0;
    for (size_t r = 0; r < policy->n_rows; r++) {
        const struct row *row = &policy->rows[r];
        const struct cell *cell = NULL;
        if (row->enforced && catset_has(&row->categories, category)) {
            cell = policy_row_cell(policy, row, group);
        }
        if (cell != NULL) {
            refs[n++] = cell;
        }
    }
    if (n == 0) {
        refs[n++] = default_of(&policy->groups[group], category);
    }
    return n;
}

static size_t count_refs(const struct policy *policy)
{
    size_t per_group = LIMIT_CATEGORIES;
    for (size_t r = 0; r < policy->n_rows; r++) {
        const struct catset *set = &policy->rows[r].categories;
        per_group +=
            (size_t)(__builtin_popcountll(set->bits[0]) + __builtin_popcountll(set->bits[1]));
    }
    return per_group * policy->n_groups;
}

enum err policy_resolve(struct policy *policy)
{
    policy->refs = arena_array(&policy->arena, count_refs(policy), sizeof(*policy->refs));
    policy->at = arena_array(&policy->arena, policy->n_groups, sizeof(*policy->at));
    if (policy->refs == NULL || policy->at == NULL) {
        return ERR_MEMORY;
    }
    policy->always_open = category_tier_set(TIER_LEARNING);
    struct catset infrastructure = category_tier_set(TIER_INFRASTRUCTURE);
    catset_join(&policy->always_open, &infrastructure);
    uint32_t used = 0;
    for (unsigned group = 0; group < policy->n_groups; group++) {
        for (unsigned category = 0; category < LIMIT_CATEGORIES; category++) {
            uint32_t n = resolve_one(policy, group, category, policy->refs + used);
            policy->at[group][category] = (struct cells_at){used, n};
            used += n;
        }
    }
    return ERR_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table: which cells hold for a request, and what each says at this time. */
#include "policy/decide_impl.h"

static bool list_names(const struct nominated *list, struct str person)
{
    size_t low = 0;
    size_t high = list->n_people;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(list->people[middle], person);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static bool is_nominated(const struct decision *decision, unsigned index)
{
    const struct nominated *list = &decision->policy->nominated[index];
    struct str person = decision->subject->person;
    if ((list->groups & decision->group_bit) != 0) {
        return true;
    }
    return person.len != 0 &&
           (list_names(list, person) ||
            (decision->state != NULL && state_is_nominated(decision->state, list->id, person)));
}

/* Outside the years that the calendar knows, no time holds. */
static bool is_time(const struct decision *decision, uint64_t times, int64_t *until_ms)
{
    struct moment moment = {0};
    if (calendar_moment(&decision->policy->calendar, decision->now_ms, &moment) != ERR_OK) {
        return false;
    }
    until_lower(until_ms, moment.until_ms, decision->now_ms);
    return (moment.times & times) != 0;
}

static enum action cell_action(const struct decision *decision, const struct cell *cell,
                               int64_t *until_ms)
{
    switch (cell->outcome) {
    case OUTCOME_ALLOW:
        return ACTION_ALLOW;
    case OUTCOME_TIMES:
        return is_time(decision, cell->times, until_ms) ? ACTION_ALLOW : ACTION_BLOCK;
    case OUTCOME_NOMINATED:
        return is_nominated(decision, cell->nominated) ? ACTION_ALLOW : ACTION_BLOCK;
    case OUTCOME_UNSET:
    case OUTCOME_BLOCK:
        break;
    }
    return ACTION_BLOCK;
}

static bool is_stricter(const struct pool_item *a, const struct pool_item *b)
{
    if (a->action != b->action) {
        return a->action == ACTION_BLOCK;
    }
    if (a->cell->level != b->cell->level) {
        return a->cell->level > b->cell->level;
    }
    bool a_row = a->cell->reason == REASON_TABLE;
    bool b_row = b->cell->reason == REASON_TABLE;
    return a_row != b_row ? a_row : str_compare(a->cell->name, b->cell->name) < 0;
}

/* Into its place; the least strict falls out of a full pool. */
static void pool_insert(struct pool *pool, struct pool_item item)
{
    size_t at = pool->n;
    if (at == POOL_MAX) {
        at -= 1;
        if (!is_stricter(&item, &pool->items[at])) {
            return;
        }
    } else {
        pool->n += 1;
    }
    for (; at > 0 && is_stricter(&item, &pool->items[at - 1]); at--) {
        pool->items[at] = pool->items[at - 1];
    }
    pool->items[at] = item;
}

static void pool_consider(const struct decision *decision, const struct cell *cell,
                          unsigned category, struct pool *pool)
{
    for (size_t i = 0; i < pool->n; i++) {
        if (pool->items[i].cell == cell) {
            return;
        }
    }
    struct pool_item item = {cell, category, cell_action(decision, cell, &pool->until_ms)};
    pool->illegal = pool->illegal || cell->level == LEVEL_ILLEGAL;
    pool_insert(pool, item);
}

void pool_fill(const struct decision *decision, const struct catset *categories, struct pool *pool)
{
    pool->n = 0;
    pool->illegal = false;
    pool->until_ms = INT64_MAX;
    if (catset_is_empty(categories)) {
        pool_consider(decision, &decision->group->rest, CATEGORY_UNSET, pool);
    }
    pool_add(decision, categories, pool);
}

void pool_add(const struct decision *decision, const struct catset *categories, struct pool *pool)
{
    const struct policy *policy = decision->policy;
    for (unsigned category = catset_next(categories, 0); category < LIMIT_CATEGORIES;
         category = catset_next(categories, category + 1)) {
        struct cells_at at = policy->at[decision->subject->group][category];
        for (uint32_t i = 0; i < at.n; i++) {
            pool_consider(decision, policy->refs[at.first + i], category, pool);
        }
    }
}

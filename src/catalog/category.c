/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of categories, from category.def. */
#include "catalog/category.h"

#include "base/check.h"
#include "base/limits.h"

static const struct category_row rows[LIMIT_CATEGORIES] = {
#define CATEGORY(id, number, name, tier, sensitive, source, staff, child)     \
    [number] = {STR_INIT(name),  tier,           sensitive, STR_INIT(source), \
                STR_INIT(staff), STR_INIT(child)},
#include "catalog/category.def"
#undef CATEGORY
};

const struct category_row *category_row(unsigned number)
{
    return number < LIMIT_CATEGORIES && rows[number].name.len != 0 ? &rows[number] : NULL;
}

enum err category_find(struct str name, unsigned *ret_number)
{
    for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
        if (rows[i].name.len != 0 && str_eq(rows[i].name, name)) {
            *ret_number = i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

struct catset category_tier_set(enum tier tier)
{
    struct catset set = {{0, 0}};
    CHECK(tier != TIER_UNSET);
    for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
        if (rows[i].tier == tier) {
            catset_add(&set, i);
        }
    }
    return set;
}

const char *tier_name(enum tier tier)
{
    static const char *const names[] = {
        [TIER_UNSET] = "unset",       [TIER_SEALED] = "sealed",
        [TIER_HARMFUL] = "harmful",   [TIER_ORDINARY] = "ordinary",
        [TIER_LEARNING] = "learning", [TIER_INFRASTRUCTURE] = "infrastructure",
    };
    CHECK((size_t)tier < sizeof(names) / sizeof(names[0]));
    return names[tier];
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The categories of this build, from category.def. */
#ifndef LODGE_CATALOG_CATEGORY_H
#define LODGE_CATALOG_CATEGORY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "catalog/catset.h"

/* What kind of thing a category is, and so what holds where no row of a school's table names it. */
enum tier {
    TIER_UNSET,
    TIER_SEALED,   /* the illegal lists: nobody switches them off or reads them (F1-F3) */
    TIER_HARMFUL,  /* F4-F16: unacceptable unless the school says otherwise */
    TIER_ORDINARY, /* press, sport, shopping ...: acceptable unless the school says otherwise */
    TIER_LEARNING, /* open in the limited profile too */
    TIER_INFRASTRUCTURE, /* what machines need (updates, certificates): always open */
};

/* CATEGORY_<ID> for each row; the value is the row's stable number in images and events. */
enum category {
    CATEGORY_UNSET = 0,
#define CATEGORY(id, number, name, tier, sensitive, source, staff, child) CATEGORY_##id = number,
#include "catalog/category.def"
#undef CATEGORY
};

struct category_row {
    struct str name; /* "social-networks": lower case, digits, hyphens */
    enum tier tier;
    bool sensitive; /* never named to a pupil on a page (health, sexuality, self-harm, religion ...)
                     */
    struct str source; /* requirements it rests on: "F7 R170" */
    struct str staff;  /* words for staff */
    struct str child;  /* words for a child; empty where sensitive */
};

/* The row of a number, or NULL where this build has none. */
const struct category_row *category_row(unsigned number);

/* ERR_NOT_FOUND for a name that this build does not know. */
MUST_USE enum err category_find(struct str name, unsigned *ret_number);

/* All categories of a tier. */
struct catset category_tier_set(enum tier tier);

const char *tier_name(enum tier tier);

#endif

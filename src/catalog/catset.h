/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A set of categories: one bit for each of up to 128 (LIMIT_CATEGORIES). */
#ifndef LODGE_CATALOG_CATSET_H
#define LODGE_CATALOG_CATSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum { CATSET_WORDS = 2 };
_Static_assert(CATSET_WORDS * 64 == LIMIT_CATEGORIES, "a bit for each category");

struct catset {
    uint64_t bits[CATSET_WORDS];
};

static inline void catset_add(struct catset *set, unsigned category)
{
    set->bits[(category >> 6) & 1] |= UINT64_C(1) << (category & 63);
}

static inline bool catset_has(const struct catset *set, unsigned category)
{
    return (set->bits[(category >> 6) & 1] >> (category & 63) & 1) != 0;
}

static inline bool catset_is_empty(const struct catset *set)
{
    return (set->bits[0] | set->bits[1]) == 0;
}

static inline void catset_join(struct catset *set, const struct catset *more)
{
    set->bits[0] |= more->bits[0];
    set->bits[1] |= more->bits[1];
}

static inline bool catset_meets(const struct catset *a, const struct catset *b)
{
    return ((a->bits[0] & b->bits[0]) | (a->bits[1] & b->bits[1])) != 0;
}

/* The lowest category in the set that is >= from, or LIMIT_CATEGORIES where there is none. */
static inline unsigned catset_next(const struct catset *set, unsigned from)
{
    for (unsigned word = from >> 6; word < CATSET_WORDS; word++) {
        uint64_t rest = set->bits[word];
        if (word == from >> 6) {
            rest &= ~UINT64_C(0) << (from & 63);
        }
        if (rest != 0) {
            return word * 64 + (unsigned)__builtin_ctzll(rest);
        }
    }
    return LIMIT_CATEGORIES;
}

#endif

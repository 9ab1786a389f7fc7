/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers from text, with bounds, and sums of sizes that report overflow. */
#ifndef LODGE_BASE_NUM_H
#define LODGE_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

static inline bool size_add(size_t a, size_t b, size_t *ret_sum)
{
    return !__builtin_add_overflow(a, b, ret_sum);
}

static inline bool size_mul(size_t a, size_t b, size_t *ret_product)
{
    return !__builtin_mul_overflow(a, b, ret_product);
}

/* All of s as a decimal number: digits only, no sign, no space, leading zeros allowed.
 * ERR_INVALID for other bytes or an empty slice, ERR_RANGE outside min..max. */
MUST_USE enum err parse_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret_value);

/* The same, hexadecimal, either case, no prefix. */
MUST_USE enum err parse_hex_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret_value);

/* The same for a decimal with an optional '-'. */
MUST_USE enum err parse_i64(struct str s, int64_t min, int64_t max, int64_t *ret_value);

#endif

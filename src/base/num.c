/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers from text. */
#include "base/num.h"

static enum err parse_base(struct str s, uint64_t base, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < s.len; i++) {
        int digit = ascii_hex(s.p[i]);
        if (digit < 0 || (uint64_t)digit >= base) {
            return ERR_INVALID;
        }
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return ERR_RANGE;
        }
    }
    *ret_value = value;
    return ERR_OK;
}

enum err parse_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    ERR_TRY(parse_base(s, 10, &value));
    if (value < min || value > max) {
        return ERR_RANGE;
    }
    *ret_value = value;
    return ERR_OK;
}

enum err parse_hex_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    ERR_TRY(parse_base(s, 16, &value));
    if (value < min || value > max) {
        return ERR_RANGE;
    }
    *ret_value = value;
    return ERR_OK;
}

enum err parse_i64(struct str s, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.p[0] == '-';
    uint64_t magnitude = 0;
    ERR_TRY(parse_base(negative ? str_skip(s, 1) : s, 10, &magnitude));
    uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (magnitude > most) {
        return ERR_RANGE;
    }
    int64_t value = (int64_t)(negative ? 0 - magnitude : magnitude);
    if (value < min || value > max) {
        return ERR_RANGE;
    }
    *ret_value = value;
    return ERR_OK;
}

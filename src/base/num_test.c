/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/num.h"

#include "lib/test.h"

TEST(decimals_are_digits_within_bounds)
{
    static const struct {
        const char *text;
        uint64_t min, max;
        enum err want;
        uint64_t value;
    } cases[] = {
        {"0", 0, 9, ERR_OK, 0},
        {"007", 0, 9, ERR_OK, 7},
        {"18446744073709551615", 0, UINT64_MAX, ERR_OK, UINT64_MAX},
        {"18446744073709551616", 0, UINT64_MAX, ERR_RANGE, 0},
        {"99999999999999999999999", 0, UINT64_MAX, ERR_RANGE, 0},
        {"10", 0, 9, ERR_RANGE, 0},
        {"1", 2, 9, ERR_RANGE, 0},
        {"", 0, 9, ERR_INVALID, 0},
        {"+1", 0, 9, ERR_INVALID, 0},
        {" 1", 0, 9, ERR_INVALID, 0},
        {"1 ", 0, 9, ERR_INVALID, 0},
        {"0x1", 0, 9, ERR_INVALID, 0},
        {"a", 0, 99, ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 42;
        assert_err(parse_u64(str_from(cases[i].text), cases[i].min, cases[i].max, &value),
                   cases[i].want);
        assert_int_equal(value, cases[i].want == ERR_OK ? cases[i].value : 42);
    }
}

TEST(hexadecimals_take_both_cases)
{
    uint64_t value = 0;
    assert_ok(parse_hex_u64(STR("fFfF"), 0, UINT64_MAX, &value));
    assert_int_equal(value, 0xffff);
    assert_err(parse_hex_u64(STR("fg"), 0, UINT64_MAX, &value), ERR_INVALID);
    assert_err(parse_hex_u64(STR("10000000000000000"), 0, UINT64_MAX, &value), ERR_RANGE);
}

TEST(signed_numbers_reach_both_ends)
{
    int64_t value = 0;
    assert_ok(parse_i64(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    assert_ok(parse_i64(STR("9223372036854775807"), INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MAX);
    assert_err(parse_i64(STR("9223372036854775808"), INT64_MIN, INT64_MAX, &value), ERR_RANGE);
    assert_err(parse_i64(STR("-"), INT64_MIN, INT64_MAX, &value), ERR_INVALID);
    assert_err(parse_i64(STR("-5"), 0, 9, &value), ERR_RANGE);
}

TESTS_MAIN(unit(decimals_are_digits_within_bounds), unit(hexadecimals_take_both_cases),
           unit(signed_numbers_reach_both_ends))

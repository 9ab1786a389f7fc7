/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include "lib/test.h"

TEST(a_buffer_takes_exactly_its_maximum)
{
    struct buf buf;
    buf_init(&buf, 5);
    buf_append(&buf, STR("abc"));
    buf_append(&buf, STR("de"));
    assert_ok(buf_err(&buf));
    buf_append(&buf, STR(""));
    assert_ok(buf_err(&buf));
    buf_append_byte(&buf, 'f');
    assert_err(buf_err(&buf), ERR_LIMIT);
    assert_str_eq(buf_str(&buf), STR("abcde"));
    buf_fini(&buf);
}

TEST(a_failed_buffer_takes_nothing_until_cleared)
{
    struct buf buf;
    buf_init(&buf, 4);
    buf_append(&buf, STR("abcde"));
    buf_append(&buf, STR("a"));
    assert_err(buf_err(&buf), ERR_LIMIT);
    assert_int_equal(buf.len, 0);
    buf_clear(&buf);
    buf_append(&buf, STR("a"));
    assert_ok(buf_err(&buf));
    assert_str_eq(buf_str(&buf), STR("a"));
    buf_fini(&buf);
}

TEST(numbers_are_written_in_decimal)
{
    struct buf buf;
    buf_init(&buf, 200);
    buf_append_u64(&buf, 0);
    buf_append_byte(&buf, ' ');
    buf_append_u64(&buf, UINT64_MAX);
    buf_append_byte(&buf, ' ');
    buf_append_i64(&buf, INT64_MIN);
    buf_printf(&buf, " %d %s", 7, "x");
    assert_str_eq(buf_str(&buf), STR("0 18446744073709551615 -9223372036854775808 7 x"));
    buf_fini(&buf);
}

TEST(consume_keeps_the_rest)
{
    struct buf buf;
    buf_init(&buf, 100);
    buf_append(&buf, STR("hello world"));
    buf_consume(&buf, 6);
    assert_str_eq(buf_str(&buf), STR("world"));
    buf_consume(&buf, 5);
    assert_int_equal(buf.len, 0);
    buf_fini(&buf);
}

TEST(a_c_string_never_hides_a_nul)
{
    struct buf buf;
    buf_init(&buf, 10);
    buf_append(&buf, STR("ab"));
    assert_string_equal(buf_cstr(&buf), "ab");
    assert_int_equal(buf.len, 2);
    buf_append(&buf, STR("\0c"));
    assert_null(buf_cstr(&buf));
    buf_fini(&buf);
}

TESTS_MAIN(unit(a_buffer_takes_exactly_its_maximum),
           unit(a_failed_buffer_takes_nothing_until_cleared), unit(numbers_are_written_in_decimal),
           unit(consume_keeps_the_rest), unit(a_c_string_never_hides_a_nul))

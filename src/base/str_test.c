/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/str.h"

#include "lib/test.h"

TEST(sub_is_clamped_to_the_slice)
{
    assert_str_eq(str_sub(STR("abc"), 1, 9), STR("bc"));
    assert_str_eq(str_sub(STR("abc"), 3, 1), STR(""));
    assert_str_eq(str_sub(STR("abc"), 9, 1), STR(""));
    assert_str_eq(str_skip(STR("abc"), 2), STR("c"));
}

TEST(cut_splits_at_the_first_byte)
{
    struct str head, tail;
    assert_true(str_cut(STR("a=b=c"), '=', &head, &tail));
    assert_str_eq(head, STR("a"));
    assert_str_eq(tail, STR("b=c"));
    assert_false(str_cut(STR("abc"), '=', &head, &tail));
    assert_str_eq(head, STR("abc"));
    assert_str_eq(tail, STR(""));
    assert_true(str_cut(STR("abc="), '=', &head, &tail));
    assert_str_eq(tail, STR(""));
}

TEST(case_is_ignored_for_ascii_letters_only)
{
    assert_true(str_eq_nocase(STR("Content-Length"), STR("cONTENT-lENGTH")));
    assert_false(str_eq_nocase(STR("[a"), STR("{a")));
    assert_false(str_eq_nocase(STR("ab"), STR("abc")));
}

TEST(trim_takes_only_the_ends)
{
    assert_str_eq(str_trim(STR(" \ta b\t ")), STR("a b"));
    assert_str_eq(str_trim(STR(" \t ")), STR(""));
    assert_str_eq(str_trim(STR("\r\na\n")), STR("\r\na\n"));
    assert_str_eq(str_trim_space(STR("\r\n a \n\v\f")), STR("a"));
}

TEST(words_come_off_the_front)
{
    struct str rest = STR("  one\ttwo   three \r\n");
    assert_str_eq(str_next_word(&rest), STR("one"));
    assert_str_eq(str_next_word(&rest), STR("two"));
    assert_str_eq(rest, STR("three"));
    assert_str_eq(str_next_word(&rest), STR("three"));
    assert_str_eq(str_next_word(&rest), STR(""));
    assert_int_equal(rest.len, 0);
}

TEST(prefixes_suffixes_order_and_search)
{
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_false(str_ends(STR("c"), STR("bc")));
    assert_true(str_compare(STR("ab"), STR("abc")) < 0);
    assert_true(str_compare(STR("b"), STR("abc")) > 0);
    assert_int_equal(str_compare(STR("abc"), STR("abc")), 0);
    assert_int_equal(str_find(STR("hello"), STR("ll")), 2);
    assert_int_equal(str_find(STR("hello"), STR("x")), 5);
    assert_int_equal(str_find(STR("hello"), STR("")), 0);
    assert_int_equal(str_index(STR("hello"), 'l'), 2);
    assert_int_equal(str_index(STR("hello"), 'x'), 5);
}

TESTS_MAIN(unit(sub_is_clamped_to_the_slice), unit(cut_splits_at_the_first_byte),
           unit(case_is_ignored_for_ascii_letters_only), unit(trim_takes_only_the_ends),
           unit(words_come_off_the_front), unit(prefixes_suffixes_order_and_search))

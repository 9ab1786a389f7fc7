/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outbound/lines.h"

#include "lib/test.h"

static struct lines_change compare(const char *before, const char *after)
{
    struct lines a = {0};
    struct lines b = {0};
    struct lines_change change;
    assert_ok(lines_add(&a, str_from(before)));
    assert_ok(lines_add(&b, str_from(after)));
    lines_compare(&a, &b, &change);
    lines_fini(&a);
    lines_fini(&b);
    return change;
}

TEST(order_comments_and_repetition_do_not_count)
{
    struct lines_change change = compare("# old\na\nb\n\nb\n", "b\r\n  a  \n# new");
    assert_int_equal(change.before, 2);
    assert_int_equal(change.after, 2);
    assert_int_equal(change.added, 0);
    assert_int_equal(change.removed, 0);
}

TEST(added_and_removed_lines_are_counted)
{
    struct lines_change change = compare("a\nb\nc\n", "b\nc\nd\ne\n");
    assert_int_equal(change.added, 2);
    assert_int_equal(change.removed, 1);
}

TEST(a_list_that_is_empty_halves_or_doubles_is_held)
{
    static const struct {
        size_t before, after;
        bool held;
    } cases[] = {
        {0, 0, true},    {0, 5, false},    {10, 0, true},   {10, 5, true}, {10, 6, false},
        {10, 19, false}, {10, 20, true},   {1, 1, false},   {1, 2, true},  {3, 2, false},
        {3, 1, true},    {100, 51, false}, {101, 50, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lines_change change = {.before = cases[i].before, .after = cases[i].after};
        assert_int_equal(lines_hold(&change) != NULL, cases[i].held);
    }
}

TEST(many_lines_are_held_in_memory)
{
    struct lines lines = {0};
    for (size_t i = 0; i < 5000; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%zu", i);
        assert_ok(lines_add(&lines, str_from(text)));
    }
    struct lines none = {0};
    struct lines_change change;
    lines_compare(&none, &lines, &change);
    assert_int_equal(change.added, 5000);
    lines_fini(&lines);
    lines_fini(&none);
}

TESTS_MAIN(unit(order_comments_and_repetition_do_not_count),
           unit(added_and_removed_lines_are_counted),
           unit(a_list_that_is_empty_halves_or_doubles_is_held),
           unit(many_lines_are_held_in_memory))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outbound/lines.h"

#include "lib/test.h"

static struct lines_change compare(enum list_format format, const char *before, const char *after)
{
    struct lines a = {0};
    struct lines b = {0};
    struct lines_change change;
    assert_ok(lines_add(&a, format, false, str_from(before)));
    assert_ok(lines_add(&b, format, false, str_from(after)));
    lines_compare(&a, &b, &change);
    lines_fini(&a);
    lines_fini(&b);
    return change;
}

TEST(order_comments_and_repetition_do_not_count)
{
    struct lines_change change =
        compare(LIST_DOMAINS, "# old\na.x\nb.x\n\nb.x\n", "B.x.\r\n  a.x  \n# new");
    assert_int_equal(change.before, 2);
    assert_int_equal(change.after, 2);
    assert_int_equal(change.added, 0);
    assert_int_equal(change.removed, 0);
}

TEST(added_and_removed_lines_are_counted)
{
    struct lines_change change = compare(LIST_DOMAINS, "a.x\nb.x\nc.x\n", "b.x\nc.x\nd.x\ne.x\n");
    assert_int_equal(change.added, 2);
    assert_int_equal(change.removed, 1);
}

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

TEST(each_format_has_its_lines_and_an_error_page_has_none)
{
    static const struct {
        enum list_format format;
        const char *before;
        const char *after;
        size_t n_before, n_after, added;
    } cases[] = {
        {LIST_DOMAINS, "a.x\n", "<html>\n<p>not found</p>\n</html>\n", 1, 0, 0},
        {LIST_HASHED, HASH "\t-\n" HASH "\t" HASH "\n", "nonsense\n", 2, 0, 0},
        {LIST_HOSTS, "0.0.0.0 a.x b.x\n", "0.0.0.0 b.x\n0.0.0.0 a.x\n", 2, 2, 0},
        {LIST_URLS, "a.x/b\na.x/b?c\n", "http://a.x/b?c=1\n", 2, 1, 1},
        {LIST_V2FLY, "include:a\nfull:b.x\n", "include:a @ads\nb.x\n", 2, 2, 2},
        {LIST_CIDR, "192.0.2.0/24\n", "192.0.2.0/25\n192.0.2.9/24\n", 1, 2, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lines_change change = compare(cases[i].format, cases[i].before, cases[i].after);
        assert_int_equal(change.before, cases[i].n_before);
        assert_int_equal(change.after, cases[i].n_after);
        assert_int_equal(change.added, cases[i].added);
    }
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
        snprintf(text, sizeof(text), "n%zu.example", i);
        assert_ok(lines_add(&lines, LIST_DOMAINS, false, str_from(text)));
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
           unit(each_format_has_its_lines_and_an_error_page_has_none),
           unit(a_list_that_is_empty_halves_or_doubles_is_held),
           unit(many_lines_are_held_in_memory))

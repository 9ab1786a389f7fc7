/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/manifest.h"

#include "catalog/category.h"
#include "lib/test.h"

static struct manifest_row *parse(const char *text, size_t want)
{
    struct manifest_row *rows = NULL;
    struct buf why;
    size_t n = 0;
    buf_init(&why, 1 << 16);
    assert_ok(manifest_parse(str_from(text), &why, &rows, &n));
    assert_int_equal(n, want);
    buf_fini(&why);
    return rows;
}

TEST(a_manifest_is_lists_exceptions_and_lists_that_are_not_used)
{
    struct manifest_row *rows = parse("# lists\n"
                                      "gambling  domains  lists/bets.txt\n"
                                      "\n"
                                      "terrorist-content urls secret.txt\n"
                                      "violence\turls\tv.txt\tsealed  # why\n"
                                      "violence hashed h.txt\n"
                                      "except gambling except/bets.txt\n"
                                      "unused lists/old.txt nobody keeps it\n",
                                      6);
    assert_int_equal(rows[0].kind, MANIFEST_LIST);
    assert_int_equal(rows[0].line, 2);
    assert_int_equal(rows[0].category, CATEGORY_GAMBLING);
    assert_int_equal(rows[0].format, LIST_DOMAINS);
    assert_false(rows[0].sealed);
    assert_str_eq(rows[0].path, STR("lists/bets.txt"));
    assert_true(rows[1].sealed); /* F3: its category's tier is */
    assert_true(rows[2].sealed);
    assert_true(rows[3].sealed); /* a hashed list is nothing else */
    assert_int_equal(rows[4].kind, MANIFEST_EXCEPT);
    assert_str_eq(rows[4].path, STR("except/bets.txt"));
    assert_int_equal(rows[5].kind, MANIFEST_UNUSED);
    assert_str_eq(rows[5].path, STR("lists/old.txt"));
    free(rows);
}

TEST(an_empty_manifest_has_no_rows)
{
    free(parse("", 0));
    free(parse("# nothing\n\n", 0));
}

static void refused(const char *text, const char *want)
{
    struct manifest_row *rows = NULL;
    struct buf why;
    size_t n = 0;
    buf_init(&why, 1 << 16);
    assert_err(manifest_parse(str_from(text), &why, &rows, &n), ERR_INVALID);
    assert_null(rows);
    if (str_find(buf_str(&why), str_from(want)) == why.len) {
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(buf_str(&why)), want);
    }
    buf_fini(&why);
}

TEST(what_is_wrong_is_said_with_its_line_and_what_to_do)
{
    refused("\ngamblng domains x\n",
            "line 2: there is no category \"gamblng\"; near it are gambling, ");
    refused("porn domains x\n", "near it are pornography, ");
    refused("games dmains x\n", "line 1: the format is one of domains, hosts, urls, ut1");
    refused("games domains\n", "the path is missing");
    refused("games domains x secret\n", "only \"sealed\" may follow the path, not \"secret\"");
    refused("games domains x sealed y\n", "not \"y\"");
    refused("violence cidr x sealed\n", "addresses cannot be sealed");
    refused("terrorist-content cidr x\n", "addresses cannot be sealed");
    refused("except games\n", "\"except CATEGORY FILE\"");
    refused("except gamse x\n", "line 1: there is no category \"gamse\"; near it are games");
    refused("unused x\n", "\"unused PATH REASON\"");
}

TEST(F3_nothing_is_taken_out_of_a_sealed_category)
{
    refused("except terrorist-content x\n", "nothing is taken out of a sealed category");
}

TEST(all_mistakes_are_told_at_once)
{
    refused("nope domains x\ngames nope x\n", "line 1: ");
    refused("nope domains x\ngames nope x\n", "line 2: ");
}

TESTS_MAIN(unit(a_manifest_is_lists_exceptions_and_lists_that_are_not_used),
           unit(an_empty_manifest_has_no_rows),
           unit(what_is_wrong_is_said_with_its_line_and_what_to_do),
           unit(F3_nothing_is_taken_out_of_a_sealed_category), unit(all_mistakes_are_told_at_once))

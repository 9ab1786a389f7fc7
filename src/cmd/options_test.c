/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/cmd.h"

#include <stdio.h>

#include "lib/test.h"

static const char *policy;
static const char *out;
static bool strict;

static const struct option_row rows[] = {
    {.name = "policy", .value = "FILE", .help = "the policy", .text = &policy, .required = true},
    {.name = "o", .value = "IMAGE", .help = "the image", .text = &out},
    {.name = "strict", .help = "be strict", .flag = &strict},
};

static const struct usage usage = {
    .command = "test",
    .synopsis = "--policy FILE [URL...]",
    .summary = "Tests.",
    .options = rows,
    .n_options = 3,
    .min_arguments = 0,
    .max_arguments = 2,
};

static int read_words(const char *a, const char *b, const char *c, const char *d, const char *e,
                      int *ret_first)
{
    static char words[6][32];
    static char *argv[7];
    const char *given[] = {"test", a, b, c, d, e};
    int argc = 0;
    policy = NULL;
    out = NULL;
    strict = false;
    for (size_t i = 0; i < 6 && given[i] != NULL; i++) {
        snprintf(words[i], sizeof(words[i]), "%s", given[i]);
        argv[argc++] = words[i];
    }
    argv[argc] = NULL;
    return options_read(&usage, argc, argv, ret_first);
}

TEST(options_and_arguments_mix)
{
    int first = 0;
    assert_int_equal(read_words("-", "--policy", "p", "--strict", NULL, &first), OPTIONS_GO_ON);
    assert_string_equal(policy, "p");
    assert_true(strict);
    assert_null(out);
    assert_int_equal(first, 4);
    assert_int_equal(read_words("--policy=p", "-o", "x", NULL, NULL, &first), OPTIONS_GO_ON);
    assert_string_equal(out, "x");
}

TEST(wrong_command_lines_are_usage_errors)
{
    int first = 0;
    assert_int_equal(read_words("--strict", NULL, NULL, NULL, NULL, &first), EXIT_USAGE);
    assert_int_equal(read_words("--policy", NULL, NULL, NULL, NULL, &first), EXIT_USAGE);
    assert_int_equal(read_words("--policy", "p", "--what", NULL, NULL, &first), EXIT_USAGE);
    assert_int_equal(read_words("--policy", "p", "-x", NULL, NULL, &first), EXIT_USAGE);
    assert_int_equal(read_words("--policy=p", "1", "2", "3", NULL, &first), EXIT_USAGE);
    assert_int_equal(read_words("--policy=p", "--strict=1", NULL, NULL, NULL, &first), EXIT_USAGE);
}

TEST(help_ends_with_success)
{
    int first = 0;
    assert_int_equal(read_words("--help", NULL, NULL, NULL, NULL, &first), EXIT_DONE);
}

TESTS_MAIN(unit(options_and_arguments_mix), unit(wrong_command_lines_are_usage_errors),
           unit(help_ends_with_success))

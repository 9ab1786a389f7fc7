/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unit tests: cmocka behind one header.
 *
 *     TEST(a_trailing_dot_is_dropped) { ... assert_str_eq(got, STR("a.example")); }
 *     TESTS_MAIN(unit(a_trailing_dot_is_dropped), ...)
 *
 * Names are sentences. A test that meets a requirement names it: TEST(R96_every_user_is_filtered).
 */
#ifndef LODGE_TESTS_TEST_H
#define LODGE_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

#define TEST(name) static void name(void **test_state_ __attribute__((unused)))
#define unit(name) cmocka_unit_test(name)
#define TESTS_MAIN(...)                                   \
    int main(void)                                        \
    {                                                     \
        const struct CMUnitTest tests[] = {__VA_ARGS__};  \
        return cmocka_run_group_tests(tests, NULL, NULL); \
    }

#define assert_str_eq(got, want)                                                    \
    do {                                                                            \
        struct str got_ = (got);                                                    \
        struct str want_ = (want);                                                  \
        if (!str_eq(got_, want_)) {                                                 \
            fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(got_), STR_ARG(want_)); \
        }                                                                           \
    } while (0)

#define assert_err(got, want)                                                     \
    do {                                                                          \
        enum err got_ = (got);                                                    \
        enum err want_ = (want);                                                  \
        if (got_ != want_) {                                                      \
            fail_msg("got ERR_%s, want ERR_%s", err_name(got_), err_name(want_)); \
        }                                                                         \
    } while (0)

#define assert_ok(got) assert_err(got, ERR_OK)

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/secret.h"

#include "lib/test.h"

TEST(secrets_are_equal_byte_for_byte)
{
    assert_true(secret_eq(STR("abc"), STR("abc")));
    assert_true(secret_eq(STR(""), STR("")));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    assert_false(secret_eq(STR("abc"), STR("Abc")));
    assert_false(secret_eq(STR("abc"), STR("ab")));
    assert_false(secret_eq(STR("abc"), STR("")));
}

TEST(wiping_leaves_zeroes_and_no_more)
{
    char bytes[] = {'a', 'b', 'c', 'd'};
    secret_wipe(bytes + 1, 2);
    assert_memory_equal(bytes, "a\0\0d", 4);
    secret_wipe(bytes, 0);
    assert_int_equal(bytes[0], 'a');
}

TESTS_MAIN(unit(secrets_are_equal_byte_for_byte), unit(wiping_leaves_zeroes_and_no_more))

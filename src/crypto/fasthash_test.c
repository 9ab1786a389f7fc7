/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/fasthash.h"

#include "lib/test.h"

TEST(an_empty_text_has_the_published_value)
{
    assert_int_equal(fasthash64(STR(""), 0), 0x2d06800538d394c2u);
}

TEST(a_seed_and_a_byte_change_the_hash)
{
    assert_int_equal(fasthash64(STR("abc"), 7), fasthash64(STR("abc"), 7));
    assert_int_not_equal(fasthash64(STR("abc"), 7), fasthash64(STR("abc"), 8));
    assert_int_not_equal(fasthash64(STR("abc"), 7), fasthash64(STR("abd"), 7));
}

TESTS_MAIN(unit(an_empty_text_has_the_published_value), unit(a_seed_and_a_byte_change_the_hash))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/fasthash.h"

#include "lib/test.h"

TEST(an_empty_text_has_the_published_values)
{
    assert_int_equal(fasthash64(STR(""), 0), 0x2d06800538d394c2u);
    struct hash128 hash = fasthash128(STR(""), 0);
    assert_int_equal(hash.low, 0x6001c324468d497fu);
    assert_int_equal(hash.high, 0x99aa06d3014798d8u);
}

TEST(a_seed_and_a_byte_change_the_hash)
{
    assert_int_equal(fasthash64(STR("abc"), 7), fasthash64(STR("abc"), 7));
    assert_int_not_equal(fasthash64(STR("abc"), 7), fasthash64(STR("abc"), 8));
    assert_int_not_equal(fasthash64(STR("abc"), 7), fasthash64(STR("abd"), 7));
    assert_int_not_equal(fasthash128(STR("abc"), 7).low, fasthash128(STR("abc"), 8).low);
    assert_int_not_equal(fasthash128(STR("abc"), 7).high, fasthash128(STR("abd"), 7).high);
}

TESTS_MAIN(unit(an_empty_text_has_the_published_values), unit(a_seed_and_a_byte_change_the_hash))

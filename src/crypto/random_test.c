/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/random.h"

#include "lib/test.h"

TEST(every_byte_is_filled_and_none_behind)
{
    uint8_t seen[600] = {0};
    uint8_t bytes[601] = {0};
    /* A byte that stays 0 through 16 draws would be one in 2^128. */
    for (int draw = 0; draw < 16; draw++) {
        random_bytes(bytes, 600);
        for (size_t i = 0; i < 600; i++) {
            seen[i] |= bytes[i];
        }
    }
    for (size_t i = 0; i < 600; i++) {
        assert_int_not_equal(seen[i], 0);
    }
    assert_int_equal(bytes[600], 0);
}

TEST(two_numbers_differ)
{
    assert_int_not_equal(random_u64(), random_u64());
}

TESTS_MAIN(unit(every_byte_is_filled_and_none_behind), unit(two_numbers_differ))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/first_code.h"

#include <string.h>

#include "lib/test.h"

enum { NOW = 1000000 };

struct client {
    uint8_t bytes[16];
};

static struct client ipv4(unsigned n)
{
    return (struct client){{[10] = 0xff,
                            [11] = 0xff,
                            [12] = 10,
                            [13] = (uint8_t)(n >> 16),
                            [14] = (uint8_t)(n >> 8),
                            [15] = (uint8_t)n}};
}

static void guess(struct first_code *code, struct client client, unsigned times, int64_t now_ms)
{
    for (unsigned i = 0; i < times; i++) {
        assert_true(first_code_may(code, client.bytes, now_ms));
        first_code_note(code, client.bytes, now_ms);
    }
}

TEST(who_guesses_waits_a_minute_and_nobody_else_does)
{
    struct first_code code = {.wrong = 0};
    struct client pupil = ipv4(1);
    struct client school = ipv4(2);
    guess(&code, pupil, FIRST_CODE_TRIES, NOW);
    assert_false(first_code_may(&code, pupil.bytes, NOW));
    assert_false(first_code_may(&code, pupil.bytes, NOW + FIRST_CODE_WAIT_MS - 1));
    assert_true(first_code_may(&code, school.bytes, NOW));
    guess(&code, school, 1, NOW);
    assert_true(first_code_may(&code, school.bytes, NOW));
    guess(&code, pupil, FIRST_CODE_TRIES, NOW + FIRST_CODE_WAIT_MS);
    assert_false(first_code_may(&code, pupil.bytes, NOW + FIRST_CODE_WAIT_MS));
}

TEST(while_many_guess_each_has_one_and_who_has_guessed_none_is_heard)
{
    struct first_code code = {.wrong = 0};
    for (unsigned n = 1; n <= FIRST_CODE_ALL; n++) {
        guess(&code, ipv4(n), 1, NOW);
    }
    assert_false(first_code_may(&code, ipv4(1).bytes, NOW));
    guess(&code, ipv4(1000), 1, NOW);
    assert_false(first_code_may(&code, ipv4(1000).bytes, NOW));
    assert_true(first_code_may(&code, ipv4(1001).bytes, NOW));
    assert_true(first_code_may(&code, ipv4(1).bytes, NOW + FIRST_CODE_WAIT_MS));
}

TEST(more_addresses_than_rows_put_the_oldest_out)
{
    struct first_code code = {.wrong = 0};
    guess(&code, ipv4(1), FIRST_CODE_TRIES, NOW);
    for (unsigned n = 2; n <= FIRST_CODE_ROWS; n++) {
        guess(&code, ipv4(n), 1, NOW + (int64_t)n);
    }
    assert_false(first_code_may(&code, ipv4(1).bytes, NOW + 1000));
    guess(&code, ipv4(9999), 1, NOW + 1000);
    assert_true(first_code_may(&code, ipv4(1).bytes, NOW + 1000));
    assert_false(first_code_may(&code, ipv4(2).bytes, NOW + 1000));
}

TEST(ipv6_counts_by_64_bits)
{
    struct first_code code = {.wrong = 0};
    struct client one = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, [15] = 1}};
    struct client same = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, [15] = 2}};
    struct client other = {{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 2, [15] = 1}};
    guess(&code, one, FIRST_CODE_TRIES, NOW);
    assert_false(first_code_may(&code, same.bytes, NOW));
    assert_true(first_code_may(&code, other.bytes, NOW));
}

TESTS_MAIN(unit(who_guesses_waits_a_minute_and_nobody_else_does),
           unit(while_many_guess_each_has_one_and_who_has_guessed_none_is_heard),
           unit(more_addresses_than_rows_put_the_oldest_out), unit(ipv6_counts_by_64_bits))

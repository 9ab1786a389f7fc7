/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/guesses.h"

#include <stdio.h>
#include <string.h>

#include "lib/test.h"

static struct guesses guesses;
static const uint8_t room[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7};
static const uint8_t office[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 8};

static void begin(void)
{
    guesses = (struct guesses){.seed = 1, .max = 10, .lock_ms = 1000};
}

static void guess(const uint8_t client[16], unsigned times, int64_t now_ms)
{
    for (unsigned i = 0; i < times; i++) {
        (void)guesses_note(&guesses, STR("teacher"), client, false, now_ms);
    }
}

TEST(S2_ten_wrong_passwords_lock_for_a_while)
{
    begin();
    for (unsigned i = 1; i <= 10; i++) {
        assert_true(guesses_may_try(&guesses, STR("teacher"), room, 100));
        assert_int_equal(guesses_note(&guesses, STR("teacher"), room, false, 100), i == 10);
    }
    assert_false(guesses_may_try(&guesses, STR("teacher"), room, 100));
    assert_false(guesses_may_try(&guesses, STR("teacher"), room, 1099));
    assert_true(guesses_may_try(&guesses, STR("teacher"), room, 1100));
    guess(room, 9, 1100); /* the old ones are forgotten */
    assert_true(guesses_may_try(&guesses, STR("teacher"), room, 1100));
}

TEST(S2_a_pupil_who_guesses_locks_nobody_else_out)
{
    begin();
    guess(room, 50, 100);
    assert_false(guesses_may_try(&guesses, STR("teacher"), room, 100));
    assert_true(guesses_may_try(&guesses, STR("teacher"), office, 100));
    assert_true(guesses_may_try(&guesses, STR("pupil"), room, 100));
}

TEST(a_right_password_forgets_the_wrong_ones)
{
    begin();
    guess(room, 9, 100);
    assert_false(guesses_note(&guesses, STR("teacher"), room, true, 100));
    guess(room, 9, 100);
    assert_true(guesses_may_try(&guesses, STR("teacher"), room, 100));
}

TEST(addresses_of_one_ipv6_network_count_together)
{
    begin();
    uint8_t client[16] = {0x20, 0x01, 0x0d, 0xb8};
    for (uint8_t i = 0; i < 10; i++) {
        client[15] = i;
        (void)guesses_note(&guesses, STR("teacher"), client, false, 100);
    }
    client[15] = 99;
    assert_false(guesses_may_try(&guesses, STR("teacher"), client, 100));
    client[7] = 1;
    assert_true(guesses_may_try(&guesses, STR("teacher"), client, 100));
}

/* So many other names, a wrong guess each. */
static void guess_others(unsigned n, int64_t now_ms)
{
    for (unsigned i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof(name), "p%u", i);
        (void)guesses_note(&guesses, str_from(name), room, false, now_ms);
    }
}

TEST(S2_a_full_table_forgets_the_pair_with_the_fewest_guesses)
{
    begin();
    guess(room, 10, 1);
    guess(office, 9, 1);
    guess_others(3 * GUESSES_PAIRS, 2);
    assert_false(guesses_may_try(&guesses, STR("teacher"), room, 3));
    assert_true(guesses_note(&guesses, STR("teacher"), office, false, 3));
    assert_false(guesses_may_try(&guesses, STR("teacher"), office, 3));
}

TEST(a_full_table_forgets_first_what_is_over)
{
    begin();
    guess(room, 10, 1);
    guess_others(GUESSES_PAIRS - 1, 900);
    guess(office, 10, 1001); /* the one place of old is taken again */
    assert_false(guesses_may_try(&guesses, STR("teacher"), office, 1001));
    assert_true(guesses_may_try(&guesses, STR("teacher"), room, 1001));
    assert_true(guesses_may_try(&guesses, STR("p0"), room, 1001));
}

TESTS_MAIN(unit(S2_ten_wrong_passwords_lock_for_a_while),
           unit(S2_a_pupil_who_guesses_locks_nobody_else_out),
           unit(a_right_password_forgets_the_wrong_ones),
           unit(addresses_of_one_ipv6_network_count_together),
           unit(S2_a_full_table_forgets_the_pair_with_the_fewest_guesses),
           unit(a_full_table_forgets_first_what_is_over))

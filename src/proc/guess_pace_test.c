/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/guess_pace.h"

#include <stdio.h>
#include <string.h>

#include "lib/test.h"

static struct guess_pace pace;
static const uint8_t room[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7};

static void client_of(unsigned number, uint8_t ret_client[16])
{
    memcpy(ret_client, room, sizeof(room));
    ret_client[13] = (uint8_t)(number >> 8);
    ret_client[14] = (uint8_t)number;
}

static void begin(void)
{
    pace = (struct guess_pace){.seed = 1};
}

/* From as many addresses, one each. */
static void guess_at_teacher(unsigned times, int64_t now_ms)
{
    for (unsigned i = 0; i < times; i++) {
        uint8_t client[16];
        client_of(i, client);
        guess_pace_note(&pace, STR("teacher"), client, false, now_ms);
    }
}

TEST(S2_guesses_at_one_account_from_many_addresses_are_held)
{
    uint8_t client[16];
    begin();
    client_of(999, client);
    guess_at_teacher(GUESS_ACCOUNT_BURST - 1, 100);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), client, 100), 0);
    guess_at_teacher(1, 100);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), client, 100), GUESS_HOLD_MS);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("pupil"), client, 100), 0);
    /* One step later one more may try at once, however many tried before. */
    guess_at_teacher(500, 100);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), client, 101 + GUESS_ACCOUNT_STEP_MS),
                     0);
}

TEST(S2_a_teacher_at_the_usual_computer_is_not_held)
{
    begin();
    guess_pace_note(&pace, STR("teacher"), room, true, 50);
    guess_at_teacher(100, 100);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), room, 100), 0);
    int64_t later = 51 + (int64_t)GUESS_KNOWN_DAYS * MS_PER_DAY;
    guess_at_teacher(100, later);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), room, later), GUESS_HOLD_MS);
}

TEST(guesses_at_many_accounts_from_one_address_are_held)
{
    char name[16];
    begin();
    guess_pace_note(&pace, STR("teacher"), room, true, 100);
    for (unsigned i = 0; i < GUESS_CLIENT_BURST; i++) {
        int len = snprintf(name, sizeof(name), "pupil%u", i);
        guess_pace_note(&pace, str_make(name, (size_t)len), room, false, 100);
    }
    assert_int_equal(guess_pace_hold_ms(&pace, STR("pupil77"), room, 100), GUESS_HOLD_MS);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), room, 100), GUESS_HOLD_MS);
    assert_int_equal(guess_pace_hold_ms(&pace, STR(""), room, 100), GUESS_HOLD_MS);
    uint8_t other[16];
    client_of(3, other);
    assert_int_equal(guess_pace_hold_ms(&pace, STR("pupil77"), other, 100), 0);
}

TEST(a_full_table_forgets_what_is_over_first)
{
    char name[16];
    begin();
    guess_at_teacher(GUESS_ACCOUNT_BURST, 1000);
    for (unsigned i = 0; i < 2 * GUESS_PACE_KEYS; i++) {
        uint8_t client[16];
        int len = snprintf(name, sizeof(name), "nobody%u", i);
        client_of(i, client);
        guess_pace_note(&pace, str_make(name, (size_t)len), client, false, 1000);
    }
    assert_int_equal(guess_pace_hold_ms(&pace, STR("teacher"), room, 1000), GUESS_HOLD_MS);
}

TESTS_MAIN(unit(S2_guesses_at_one_account_from_many_addresses_are_held),
           unit(S2_a_teacher_at_the_usual_computer_is_not_held),
           unit(guesses_at_many_accounts_from_one_address_are_held),
           unit(a_full_table_forgets_what_is_over_first))

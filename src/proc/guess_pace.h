/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slows guessing that the count per person and address (proc/guesses.h) does not see: at one
 * account from many addresses, and at many accounts from one. Slows, never locks: a pupil with a
 * roomful of computers must not lock a teacher out. Pure: time is an argument.
 *
 * Each account and each address may have so many wrong guesses, then one more each step; beyond
 * that, whoever guesses is held for GUESS_HOLD_MS first. An address from which the account was
 * signed in to lately is not held for that account's sake. Bounded tables; what gives way is what
 * is over first.
 */
#ifndef LODGE_PROC_GUESS_PACE_H
#define LODGE_PROC_GUESS_PACE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"

enum {
    GUESS_PACE_KEYS = 2048,
    GUESS_HOLD_MS = 4000,
    GUESS_ACCOUNT_BURST = 30, /* over all addresses */
    GUESS_ACCOUNT_STEP_MS = 30 * MS_PER_SECOND,
    GUESS_CLIENT_BURST = 60, /* over all accounts: a class behind one address mistypes */
    GUESS_CLIENT_STEP_MS = 10 * MS_PER_SECOND,
    GUESS_KNOWN_DAYS = 30,
};

struct guess_pace_row {
    uint64_t key;    /* 0: free */
    int64_t full_ms; /* when all wrong guesses are forgotten */
};

struct guess_pace {
    uint64_t seed; /* random */
    struct guess_pace_row accounts[GUESS_PACE_KEYS];
    struct guess_pace_row clients[GUESS_PACE_KEYS];
    struct guess_pace_row known[GUESS_PACE_KEYS]; /* account and address; until when */
};

/* Keys by which the owner counts who is held; an empty account has none (0). */
uint64_t guess_pace_account(const struct guess_pace *pace, struct str account);
uint64_t guess_pace_client(const struct guess_pace *pace, const uint8_t client[16]);

/* How long this question must wait before it is judged: 0 or GUESS_HOLD_MS. */
int64_t guess_pace_hold_ms(struct guess_pace *pace, struct str account, const uint8_t client[16],
                           int64_t now_ms);

/* Notes how a guess came out. */
void guess_pace_note(struct guess_pace *pace, struct str account, const uint8_t client[16],
                     bool right, int64_t now_ms);

#endif

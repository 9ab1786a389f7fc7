/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting wrong passwords (S2: lock after at most 10 bad guesses). Pure: time is an argument.
 *
 * Counted per person and client address together, so that a pupil who guesses at a teacher's
 * password locks out nobody but that pupil's device. IPv6 clients count by their /64. Bounded: the
 * oldest pair gives way.
 */
#ifndef LODGE_PROC_GUESSES_H
#define LODGE_PROC_GUESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { GUESSES_PAIRS = 4096 };

struct guess_pair {
    uint64_t key; /* 0: free */
    int64_t last_ms;
    uint64_t wrong;
};

struct guesses {
    uint64_t seed; /* random */
    uint64_t max;  /* wrong ones before a lock */
    int64_t lock_ms;
    struct guess_pair pairs[GUESSES_PAIRS];
};

/* Whether this pair may try now. A lock ends lock_ms after the last wrong guess, and so does the
 * memory of guesses below the limit; a try while locked does not prolong it. */
bool guesses_may_try(struct guesses *guesses, struct str person, const uint8_t client[16],
                     int64_t now_ms);

/* Notes how a try came out: a right one forgets the wrong ones before it. True where this was the
 * wrong guess that locks. */
bool guesses_note(struct guesses *guesses, struct str person, const uint8_t client[16], bool right,
                  int64_t now_ms);

#endif

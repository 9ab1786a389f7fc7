/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wrong codes of the first run, by address: who guesses waits, and keeps nobody else out.
 *
 * An address (IPv6 by /64) has FIRST_CODE_TRIES wrong ones a minute; while many are wrong in all,
 * one. Whoever has guessed none yet is always heard, so that a pupil cannot lock the school out of
 * its own first run; and the code's 60 bits are out of reach of all addresses together. Pure: time
 * is an argument. */
#ifndef LODGE_WEB_FIRST_CODE_H
#define LODGE_WEB_FIRST_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FIRST_CODE_TRIES = 10,
    FIRST_CODE_ALL = 100, /* wrong ones of all addresses a minute, beyond which each has one */
    FIRST_CODE_WAIT_MS = 60 * 1000,
    FIRST_CODE_ROWS = 256, /* the address that was heard of longest ago gives way */
};

struct first_code {
    struct first_code_row {
        uint8_t client[16];
        unsigned wrong; /* 0: free */
        int64_t since_ms;
    } rows[FIRST_CODE_ROWS];
    unsigned wrong; /* of all */
    int64_t since_ms;
};

/* Whether this address is heard now. now_ms does not go back. */
bool first_code_may(struct first_code *code, const uint8_t client[16], int64_t now_ms);

/* It was a wrong one. */
void first_code_note(struct first_code *code, const uint8_t client[16], int64_t now_ms);

#endif

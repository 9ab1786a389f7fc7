/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How often one address may ask the console: all requests, and tries to sign in. Pure: time is an
 * argument. IPv6 counts by /64. Bounded: the address that was heard of longest ago gives way. */
#ifndef LODGE_PROC_FRONT_RATES_H
#define LODGE_PROC_FRONT_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proc/bucket.h"

enum { FRONT_RATES_ROWS = 1024, FRONT_RATES_WAYS = 8 };

struct front_rates {
    uint64_t seed; /* random */
    int64_t per_second;
    int64_t sign_ins_per_minute;
    struct front_rate {
        uint8_t key[16];
        int64_t last_ms; /* 0: free */
        struct bucket requests;
        struct bucket sign_ins; /* its clock goes by sixtieths: so many a minute */
    } rows[FRONT_RATES_ROWS][FRONT_RATES_WAYS];
};

/* True, and it is counted; false: not now, and *ret_after_s says in how many seconds (at least 1).
 * A try to sign in is a request too. now_ms: monotonic, above 0. */
bool front_rates_take(struct front_rates *rates, const uint8_t client[16], bool sign_in,
                      int64_t now_ms, int64_t *ret_after_s);

#endif

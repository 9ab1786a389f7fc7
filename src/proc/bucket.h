/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How often something may be done: so many at once, then so many a second. */
#ifndef LODGE_PROC_BUCKET_H
#define LODGE_PROC_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Time is loop_mono_ms's. */
struct bucket {
    int64_t burst;
    int64_t per_second; /* 1 to 1000 */
    int64_t level;      /* thousandths of one */
    int64_t at_ms;      /* as of when */
};

/* Full. */
void bucket_init(struct bucket *bucket, int64_t burst, int64_t per_second, int64_t now_ms);

/* True, and one less is left; false: not now. */
bool bucket_take(struct bucket *bucket, int64_t now_ms);

/* When bucket_take will next say yes; now_ms where it would at once. */
int64_t bucket_next_ms(const struct bucket *bucket, int64_t now_ms);

#endif

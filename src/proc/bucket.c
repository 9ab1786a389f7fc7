/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/bucket.h"

#include "base/check.h"

enum { ONE = 1000 };

void bucket_init(struct bucket *bucket, int64_t burst, int64_t per_second, int64_t now_ms)
{
    CHECK(burst > 0 && burst <= INT32_MAX && per_second > 0 && per_second <= ONE);
    *bucket = (struct bucket){
        .burst = burst, .per_second = per_second, .level = burst * ONE, .at_ms = now_ms};
}

/* What is in it now. A thousandth comes each ms for each one a second. */
static int64_t level_at(const struct bucket *bucket, int64_t now_ms)
{
    int64_t missing = bucket->burst * ONE - bucket->level;
    int64_t passed = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
    return passed > missing / bucket->per_second ? bucket->burst * ONE
                                                 : bucket->level + passed * bucket->per_second;
}

bool bucket_take(struct bucket *bucket, int64_t now_ms)
{
    bucket->level = level_at(bucket, now_ms);
    bucket->at_ms = now_ms;
    if (bucket->level < ONE) {
        return false;
    }
    bucket->level -= ONE;
    return true;
}

int64_t bucket_next_ms(const struct bucket *bucket, int64_t now_ms)
{
    int64_t missing = ONE - level_at(bucket, now_ms);
    return missing <= 0 ? now_ms : now_ms + (missing + bucket->per_second - 1) / bucket->per_second;
}

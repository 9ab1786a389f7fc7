/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/bucket.h"

#include "lib/test.h"

static int64_t take_all(struct bucket *bucket, int64_t now_ms)
{
    int64_t n = 0;
    while (bucket_take(bucket, now_ms)) {
        n++;
    }
    return n;
}

TEST(a_burst_is_taken_at_once_and_then_so_many_a_second)
{
    struct bucket bucket;
    bucket_init(&bucket, 500, 50, 1000);
    assert_int_equal(take_all(&bucket, 1000), 500);
    assert_int_equal(bucket_next_ms(&bucket, 1000), 1020);
    assert_false(bucket_take(&bucket, 1019));
    assert_true(bucket_take(&bucket, 1020));
    assert_int_equal(take_all(&bucket, 2020), 50);
    assert_int_equal(take_all(&bucket, 2020 + 9999), 499);
}

TEST(it_is_never_fuller_than_full_however_long_nobody_asks)
{
    struct bucket bucket;
    bucket_init(&bucket, 3, 7, 5);
    assert_int_equal(take_all(&bucket, INT64_MAX), 3);
    bucket_init(&bucket, INT32_MAX, 1000, 0);
    assert_true(bucket_take(&bucket, INT64_MAX));
    assert_int_equal(bucket_next_ms(&bucket, INT64_MAX), INT64_MAX);
}

TEST(the_time_it_names_is_the_first_at_which_it_gives)
{
    static const int64_t rates[] = {1, 3, 7, 50, 999, 1000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct bucket bucket;
        int64_t now = 77;
        bucket_init(&bucket, 1, rates[i], now);
        assert_true(bucket_take(&bucket, now));
        for (int n = 0; n < 100; n++) {
            int64_t next = bucket_next_ms(&bucket, now);
            assert_false(bucket_take(&bucket, next - 1));
            assert_true(bucket_take(&bucket, next));
            now = next;
        }
    }
}

TEST(a_time_before_the_last_gives_nothing_and_breaks_nothing)
{
    struct bucket bucket;
    bucket_init(&bucket, 2, 50, 1000);
    assert_int_equal(take_all(&bucket, 1000), 2);
    assert_false(bucket_take(&bucket, 10));
    assert_true(bucket_take(&bucket, 1020));
}

TESTS_MAIN(unit(a_burst_is_taken_at_once_and_then_so_many_a_second),
           unit(it_is_never_fuller_than_full_however_long_nobody_asks),
           unit(the_time_it_names_is_the_first_at_which_it_gives),
           unit(a_time_before_the_last_gives_nothing_and_breaks_nothing))

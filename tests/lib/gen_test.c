/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/gen.h"

#include "lib/test.h"

TEST(a_run_gives_the_same_values_each_time)
{
    struct gen first = gen_start(7), second = gen_start(7), other = gen_start(8);
    uint64_t value = gen_u64(&first);
    assert_int_equal(value, gen_u64(&second));
    assert_int_not_equal(value, gen_u64(&other));
    /* The published first value of splitmix64 for state 0. */
    assert_int_equal(gen_start(0).state, 0xe220a8397b1dcdafu);
}

TEST(every_run_is_made_once)
{
    uint64_t runs = 0;
    GEN_RUNS(gen, 5)
    {
        assert_int_equal(gen.run, runs);
        runs++;
    }
    assert_int_equal(runs, 5);
    GEN_RUN(gen, 17)
    {
        assert_int_equal(gen.run, 17);
        runs++;
    }
    assert_int_equal(runs, 6);
}

TEST(values_stay_in_their_bounds_and_reach_them)
{
    unsigned below = 0, between = 0, chance = 0;
    GEN_RUNS(gen, 1000)
    {
        size_t small = gen_below(&gen, 4);
        int64_t value = gen_between(&gen, -2, 1);
        assert_run(gen, small < 4 && value >= -2 && value <= 1);
        below |= 1u << small;
        between |= 1u << (value + 2);
        chance += gen_chance(&gen, 10);
        assert_run(gen, !gen_chance(&gen, 0) && gen_chance(&gen, 100));
        (void)gen_between(&gen, INT64_MIN, INT64_MAX);
    }
    assert_int_equal(below, 15);
    assert_int_equal(between, 15);
    assert_in_range(chance, 60, 140);
}

TEST(host_names_fit_and_are_often_below_another)
{
    size_t equal = 0;
    GEN_RUNS(gen, 1000)
    {
        char a[GEN_HOST_MAX], b[GEN_HOST_MAX];
        struct str first = gen_host(&gen, a), second = gen_host(&gen, b);
        assert_run(gen, first.len < GEN_HOST_MAX && first.len > 2);
        equal += str_eq(first, second);
    }
    assert_in_range(equal, 10, 500);
}

TESTS_MAIN(unit(a_run_gives_the_same_values_each_time), unit(every_run_is_made_once),
           unit(values_stay_in_their_bounds_and_reach_them),
           unit(host_names_fit_and_are_often_below_another))

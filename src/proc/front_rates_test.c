/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/front_rates.h"

#include <string.h>

#include "lib/test.h"

#include "wire/addr.h"

enum { START_MS = 1000000 };

static struct front_rates *make(void)
{
    struct front_rates *rates = calloc(1, sizeof(*rates));
    assert_non_null(rates);
    rates->seed = 7;
    rates->per_second = 10;
    rates->sign_ins_per_minute = 6;
    return rates;
}

static struct addr address(const char *text)
{
    struct addr addr;
    assert_ok(addr_parse(str_from(text), &addr));
    return addr;
}

TEST(a_burst_goes_through_and_then_so_many_a_second)
{
    struct front_rates *rates = make();
    struct addr addr = address("192.0.2.1");
    int64_t after = 0;
    for (int i = 0; i < 80; i++) {
        assert_true(front_rates_take(rates, addr.bytes, false, START_MS, &after));
    }
    assert_false(front_rates_take(rates, addr.bytes, false, START_MS, &after));
    assert_int_equal(after, 1);
    for (int i = 0; i < 10; i++) {
        assert_true(front_rates_take(rates, addr.bytes, false, START_MS + 1000, &after));
    }
    assert_false(front_rates_take(rates, addr.bytes, false, START_MS + 1000, &after));
    free(rates);
}

TEST(S2_tries_to_sign_in_are_counted_by_the_minute)
{
    struct front_rates *rates = make();
    struct addr addr = address("192.0.2.1");
    int64_t after = 0;
    for (int i = 0; i < 6; i++) {
        assert_true(front_rates_take(rates, addr.bytes, true, START_MS, &after));
    }
    assert_false(front_rates_take(rates, addr.bytes, true, START_MS, &after));
    assert_in_range(after, 9, 12);
    assert_true(front_rates_take(rates, addr.bytes, false, START_MS, &after));
    assert_true(front_rates_take(rates, addr.bytes, true, START_MS + 11000, &after));
    assert_false(front_rates_take(rates, addr.bytes, true, START_MS + 11000, &after));
    free(rates);
}

TEST(addresses_are_apart_and_an_ipv6_network_is_one)
{
    struct front_rates *rates = make();
    struct addr one = address("2001:db8::1");
    struct addr same = address("2001:db8::ffff:1");
    struct addr other = address("2001:db8:0:1::1");
    int64_t after = 0;
    while (front_rates_take(rates, one.bytes, false, START_MS, &after)) {
    }
    assert_false(front_rates_take(rates, same.bytes, false, START_MS, &after));
    assert_true(front_rates_take(rates, other.bytes, false, START_MS, &after));
    free(rates);
}

TEST(many_addresses_do_not_fill_it)
{
    struct front_rates *rates = make();
    int64_t after = 0;
    for (uint32_t i = 0; i < 4 * FRONT_RATES_ROWS * FRONT_RATES_WAYS; i++) {
        struct addr addr = address("10.0.0.0");
        memcpy(addr.bytes + 13, (const char *)&i, 3);
        assert_true(front_rates_take(rates, addr.bytes, false, START_MS + i, &after));
    }
    free(rates);
}

TESTS_MAIN(unit(a_burst_goes_through_and_then_so_many_a_second),
           unit(S2_tries_to_sign_in_are_counted_by_the_minute),
           unit(addresses_are_apart_and_an_ipv6_network_is_one),
           unit(many_addresses_do_not_fill_it))

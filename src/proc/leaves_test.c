/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/leaves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

static struct leaves *leaves;

static struct host host_of(const char *text)
{
    struct host host;
    assert_ok(host_parse(str_from(text), &host));
    return host;
}

static struct host host_number(unsigned i)
{
    char text[32];
    snprintf(text, sizeof(text), "h%u.example", i);
    return host_of(text);
}

static bool has(const struct host *host)
{
    struct str der;
    return leaves_find(leaves, host, &der);
}

TEST(a_leaf_is_found_by_its_host_and_by_no_other)
{
    struct str der;
    struct host a = host_of("a.example");
    struct host b = host_of("b.example");
    assert_ok(leaves_new(8, &leaves));
    assert_ok(leaves_put(leaves, &a, STR("one")));
    assert_true(leaves_find(leaves, &a, &der));
    assert_str_eq(der, STR("one"));
    assert_false(has(&b));
    assert_ok(leaves_put(leaves, &a, STR("another")));
    assert_true(leaves_find(leaves, &a, &der));
    assert_str_eq(der, STR("another"));
    leaves_clear(leaves);
    assert_false(has(&a));
    leaves_free(leaves);
    leaves_free(NULL);
}

TEST(without_room_the_one_longest_not_asked_for_goes)
{
    struct host hosts[4];
    assert_ok(leaves_new(3, &leaves));
    for (unsigned i = 0; i < 4; i++) {
        hosts[i] = host_number(i);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_ok(leaves_put(leaves, &hosts[i], STR("x")));
    }
    assert_true(has(&hosts[0]));
    assert_ok(leaves_put(leaves, &hosts[3], STR("x")));
    assert_true(has(&hosts[0]));
    assert_false(has(&hosts[1]));
    assert_true(has(&hosts[2]));
    assert_true(has(&hosts[3]));
    leaves_free(leaves);
}

TEST(after_any_use_it_holds_what_a_plain_list_in_order_of_use_holds)
{
    enum { ROOM = 5, HOSTS = 12, STEPS = 20000 };
    unsigned list[ROOM]; /* the newest last */
    size_t n = 0;
    struct host hosts[HOSTS];
    uint32_t random = 1;
    for (unsigned i = 0; i < HOSTS; i++) {
        hosts[i] = host_number(i);
    }
    assert_ok(leaves_new(ROOM, &leaves));
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525U + 1013904223U;
        unsigned i = (random >> 16) % HOSTS;
        size_t at = 0;
        while (at < n && list[at] != i) {
            at++;
        }
        bool known = at < n;
        assert_int_equal(has(&hosts[i]), known);
        if (!known) {
            assert_ok(leaves_put(leaves, &hosts[i], STR("x")));
            at = n == ROOM ? 0 : n++;
        }
        memmove(&list[at], &list[at + 1], (n - at - 1) * sizeof(list[0]));
        list[n - 1] = i;
    }
    leaves_free(leaves);
}

TEST(F1_a_leaf_is_for_one_plain_name_or_address_never_for_many)
{
    static const char *const good[] = {"a.example",
                                       "gov.uk",
                                       "intranet",
                                       "_x.a-b.example",
                                       "192.0.2.1",
                                       "[2001:db8::1]",
                                       "xn--bcher-kva.example"};
    static const char *const bad[] = {"*.example",  "*",           "a.*.example", "a$b.example",
                                      "a!.example", "a'b.example", "a,b.example"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct host host = host_of(good[i]);
        assert_true(leaves_may_hold(&host));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct host host = {.kind = HOST_NAME, .len = (uint8_t)strlen(bad[i])};
        memcpy(host.text, bad[i], host.len);
        assert_false(leaves_may_hold(&host));
    }
    struct host none = {0};
    assert_false(leaves_may_hold(&none));
    static const char *const dots[] = {"", ".", ".a", "a.", "a..b", "A.example", "a\n"};
    for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++) {
        struct host host = {.kind = HOST_NAME, .len = (uint8_t)strlen(dots[i])};
        memcpy(host.text, dots[i], host.len);
        assert_false(leaves_may_hold(&host));
    }
}

TESTS_MAIN(unit(a_leaf_is_found_by_its_host_and_by_no_other),
           unit(without_room_the_one_longest_not_asked_for_goes),
           unit(after_any_use_it_holds_what_a_plain_list_in_order_of_use_holds),
           unit(F1_a_leaf_is_for_one_plain_name_or_address_never_for_many))

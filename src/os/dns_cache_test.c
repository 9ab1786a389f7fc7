/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/dns_cache.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "lib/test.h"

static const uint8_t key[16] = "sixteen bytes :)";

static void make_ip(unsigned n, uint8_t ret_ip[16])
{
    memset(ret_ip, 0, 16);
    ret_ip[10] = 0xff;
    ret_ip[11] = 0xff;
    ret_ip[12] = 192;
    ret_ip[14] = (uint8_t)(n >> 8);
    ret_ip[15] = (uint8_t)n;
}

static void put(struct dns_cache *cache, const char *name, unsigned n, int64_t until_ms)
{
    struct dns_answer answer = {.err = ERR_OK};
    uint8_t ip[16];
    make_ip(n, ip);
    dns_answer_add(&answer, ip);
    dns_cache_put(cache, str_from(name), &answer, until_ms);
}

static bool has(struct dns_cache *cache, const char *name, int64_t now_ms, unsigned n)
{
    struct dns_answer answer;
    uint8_t ip[16];
    make_ip(n, ip);
    return dns_cache_find(cache, str_from(name), now_ms, &answer) && answer.n == 1 &&
           memcmp(answer.ip[0], ip, 16) == 0;
}

TEST(an_answer_holds_until_its_end_and_not_a_millisecond_more)
{
    struct dns_cache *cache;
    assert_ok(dns_cache_new(10, key, &cache));
    put(cache, "a.example", 1, 1000);
    assert_true(has(cache, "a.example", 999, 1));
    assert_false(has(cache, "b.example", 999, 1));
    put(cache, "a.example", 2, 1000);
    assert_true(has(cache, "a.example", 999, 2));
    assert_false(has(cache, "a.example", 1000, 2));
    assert_false(has(cache, "a.example", 0, 2));
    dns_cache_free(cache);
}

TEST(the_least_recently_used_name_goes_first)
{
    struct dns_cache *cache;
    char name[32];
    assert_ok(dns_cache_new(1000, key, &cache));
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "n%u.example", i);
        put(cache, name, i, 10);
        assert_true(has(cache, "n0.example", 1, 0)); /* in use all the time */
    }
    for (unsigned i = 1; i < 3000; i++) {
        snprintf(name, sizeof(name), "n%u.example", i);
        assert_int_equal(has(cache, name, 1, i), i > 2000);
    }
    dns_cache_free(cache);
}

TEST(overrides_stay_whatever_is_remembered)
{
    struct dns_cache *cache;
    size_t line = 0;
    struct dns_answer answer;
    assert_ok(dns_cache_new(2, key, &cache));
    assert_ok(dns_cache_add_hosts(cache,
                                  STR("# comment\n\n192.0.0.7  A.Example b.example. # both\r\n"
                                      "::1 a.example\n192.0.0.8\ta.example"),
                                  &line));
    put(cache, "a.example", 1, 10);
    put(cache, "c.example", 1, 10);
    put(cache, "d.example", 1, 10);
    put(cache, "e.example", 1, 10);
    assert_true(dns_cache_find(cache, STR("a.example"), INT64_MAX - 1, &answer));
    assert_int_equal(answer.n, 3);
    assert_true(answer.from_hosts);
    assert_int_equal(answer.ip[0][15], 1); /* IPv6 first, then as written */
    assert_int_equal(answer.ip[1][15], 7);
    assert_int_equal(answer.ip[2][15], 8);
    assert_true(has(cache, "b.example", 1, 7));
    assert_false(has(cache, "c.example", 1, 1));
    dns_cache_free(cache);
}

TEST(a_hundred_thousand_overrides_are_found)
{
    struct dns_cache *cache;
    struct buf text;
    size_t line = 0;
    char name[32];
    assert_ok(dns_cache_new(2, key, &cache));
    buf_init(&text, 16 << 20);
    for (unsigned i = 0; i < 100000; i++) {
        buf_printf(&text, "192.0.%u.%u n%u.example\n", i >> 8 & 255, i & 255, i);
    }
    assert_ok(buf_err(&text));
    assert_ok(dns_cache_add_hosts(cache, buf_str(&text), &line));
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(name, sizeof(name), "n%u.example", i);
        assert_true(has(cache, name, 1, i & 0xffff));
    }
    buf_fini(&text);
    dns_cache_free(cache);
}

TEST(a_bad_line_of_a_hosts_file_is_named)
{
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {
        {"192.0.2.1 a\n192.0.2 b\n", 2},
        {"\n\n192.0.2.1\n", 3},
        {"a.example 192.0.2.1\n", 1},
        {"::1 a..b\n", 1},
        {"::1 a\\.b\n", 1},
        {"fe80::1%lo a\n", 1},
        {"192.0.2.1 a\n::1 b\nx", 3},
        {"127.1 a\n", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t line = 0;
        assert_err(dns_hosts_check(str_from(cases[i].text), &line), ERR_INVALID);
        assert_int_equal(line, cases[i].line);
    }
    size_t line = 0;
    assert_ok(dns_hosts_check(STR("::1 localhost # x\n\n"), &line));
    assert_ok(dns_hosts_check(STR(""), &line));
}

TEST(families_take_turns)
{
    struct dns_answer answer = {.err = ERR_OK};
    for (unsigned i = 0; i < 20; i++) {
        uint8_t ip[16];
        make_ip(i, ip);
        if (i >= 5 && i < 8) {
            ip[10] = 0; /* no longer a mapped one */
        }
        dns_answer_add(&answer, ip);
    }
    dns_answer_order(&answer);
    static const uint8_t want[DNS_ADDRESSES_MAX] = {5, 0, 6,  1,  7,  2,  3,  4,
                                                    8, 9, 10, 11, 12, 13, 14, 15};
    assert_int_equal(answer.n, DNS_ADDRESSES_MAX);
    for (size_t i = 0; i < answer.n; i++) {
        assert_int_equal(answer.ip[i][15], want[i]);
    }
}

TEST(only_names_that_fit_the_wire_are_asked)
{
    static const struct {
        const char *name;
        bool askable;
    } cases[] = {
        {"a", true},
        {"a.example", true},
        {"_dmarc.a.example", true},
        {"", false},
        {".", false},
        {"a.", false},
        {".a", false},
        {"a..b", false},
        {"a b.example", false},
        {"a\\046b", false},
        {"a\x80", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(dns_name_is_askable(str_from(cases[i].name)), cases[i].askable);
    }
    char name[256];
    memset(name, 'a', sizeof(name));
    for (size_t i = 49; i < sizeof(name); i += 50) {
        name[i] = '.';
    }
    assert_true(dns_name_is_askable(str_make(name, 253)));
    assert_false(dns_name_is_askable(str_make(name, 254)));
}

TESTS_MAIN(unit(an_answer_holds_until_its_end_and_not_a_millisecond_more),
           unit(the_least_recently_used_name_goes_first),
           unit(overrides_stay_whatever_is_remembered),
           unit(a_hundred_thousand_overrides_are_found), unit(a_bad_line_of_a_hosts_file_is_named),
           unit(families_take_turns), unit(only_names_that_fit_the_wire_are_asked))

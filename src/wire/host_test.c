/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/host.h"

#include "lib/gen.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct spelling {
    struct str text;
    const char *canonical;
};

static void check_spellings(const struct spelling *cases, size_t count, enum host_kind kind)
{
    for (size_t i = 0; i < count; i++) {
        struct host host;
        if (host_parse(cases[i].text, &host) != ERR_OK) {
            fail_msg("\"%.*s\" is refused", STR_ARG(cases[i].text));
        }
        assert_str_eq(host_str(&host), str_from(cases[i].canonical));
        assert_int_equal(host.text[host.len], 0);
        if (host.kind != kind) {
            fail_msg("\"%.*s\" is of kind %d", STR_ARG(cases[i].text), (int)host.kind);
        }
    }
}

static void check_refused(const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct host host = {.kind = HOST_UNSET, .len = 1, .text = "x"};
        if (host_parse(texts[i], &host) != ERR_INVALID) {
            fail_msg("\"%.*s\" is taken as \"%s\"", STR_ARG(texts[i]), host.text);
        }
        assert_true(host.kind == HOST_UNSET && host.len == 1 && host.text[0] == 'x');
    }
}

TEST(a_name_in_any_spelling_is_one_name)
{
    static const struct spelling cases[] = {
        {STR_INIT("example.org"), "example.org"},
        {STR_INIT("EXAMPLE.Org"), "example.org"},
        {STR_INIT("example.org."), "example.org"},
        {STR_INIT("localhost"), "localhost"},
        {STR_INIT("ex%61mple%2Eorg"), "example.org"},
        {STR_INIT("%45xample.org%2e"), "example.org"},
        {STR_INIT("example\xe3\x80\x82org"), "example.org"},
        {STR_INIT("example\xef\xbc\x8eorg\xef\xbd\xa1"), "example.org"},
        {STR_INIT("\xef\xbc\xa5xample.org"), "example.org"}, /* full-width E */
        {STR_INIT("exa\xc2\xadmple.org"), "example.org"},    /* soft hyphen */
        {STR_INIT("%EF%BD%85xample.org"), "example.org"},
        {STR_INIT("a_b.example"), "a_b.example"},
        {STR_INIT("-a-.example"), "-a-.example"},
        {STR_INIT("r3---sn.example"), "r3---sn.example"},
        {STR_INIT("1a.2b"), "1a.2b"},
        {STR_INIT("1.2.3.4.example"), "1.2.3.4.example"},
        {STR_INIT("0xg"), "0xg"},
        {STR_INIT("a.0xg"), "a.0xg"},
        {STR_INIT("x0"), "x0"},
    };
    check_spellings(cases, COUNT(cases), HOST_NAME);
}

TEST(international_names_are_one_name_too)
{
    static const struct spelling cases[] = {
        {STR_INIT("b\xc3\xbc"
                  "cher.example"),
         "xn--bcher-kva.example"},
        {STR_INIT("B\xc3\x9c"
                  "CHER.example"),
         "xn--bcher-kva.example"},
        {STR_INIT("bu\xcc\x88"
                  "cher.example"),
         "xn--bcher-kva.example"}, /* u and a diaeresis */
        {STR_INIT("XN--BCHER-KVA.example"), "xn--bcher-kva.example"},
        {STR_INIT("b%C3%BCcher.example."), "xn--bcher-kva.example"},
        {STR_INIT("fa\xc3\x9f.example"), "xn--fa-hia.example"},     /* non-transitional */
        {STR_INIT("fa\xe1\xba\x9e.example"), "xn--fa-hia.example"}, /* capital sharp s */
        {STR_INIT("xn--fa-hia.example"), "xn--fa-hia.example"},
        {STR_INIT("fass.example"), "fass.example"},
        {STR_INIT("r3---sn.b\xc3\xbc"
                  "cher.example"),
         "r3---sn.xn--bcher-kva.example"},
        {STR_INIT("a_b.b\xc3\xbc"
                  "cher.example"),
         "a_b.xn--bcher-kva.example"},
        {STR_INIT("xn--i-7iq.example"), "xn--i-7iq.example"}, /* a heart */
        {STR_INIT("xn--ls8h.example"), "xn--ls8h.example"},
        {STR_INIT("\xd7\x90\xd7\x91.example"), "xn--4dbc.example"}, /* Hebrew */
    };
    check_spellings(cases, COUNT(cases), HOST_NAME);
}

/* WHATWG, domain to ASCII: what is ASCII needs no look-up, so that what a browser was given in
 * ASCII arrives, be it valid IDNA or not. */
TEST(ascii_is_taken_as_it_is)
{
    static const struct spelling cases[] = {
        {STR_INIT("xn--a.example"), "xn--a.example"},
        {STR_INIT("XN--.example"), "xn--.example"},
        {STR_INIT("xn--a-yoc.example"), "xn--a-yoc.example"},
        {STR_INIT("xn--ab-j1t.example."), "xn--ab-j1t.example"},
        {STR_INIT("xn--%61.example"), "xn--a.example"},
    };
    check_spellings(cases, COUNT(cases), HOST_NAME);
}

TEST(right_to_left_names_may_have_digits_and_hyphens_inside)
{
    static const struct spelling cases[] = {
        {STR_INIT("a-1.\xd7\x90"), "a-1.xn--4db"},
        {STR_INIT("\xd7\x90\x31.example"), "xn--1-zhc.example"},
        {STR_INIT("b\xdb\xb3\xed\x88\x92.16a"),
         "xn--b-nyc1117m.16a"}, /* a digit of left to right */
    };
    check_spellings(cases, COUNT(cases), HOST_NAME);
}

TEST(a_look_alike_is_another_name)
{
    static const struct spelling cases[] = {
        {STR_INIT("\xd0\xb0pple.example"), "xn--pple-43d.example"}, /* Cyrillic a */
        {STR_INIT("g\xd0\xbe\xd0\xbegle.example"), "xn--ggle-55da.example"},
        {STR_INIT("\xce\xbfpen.example"), "xn--pen-8yc.example"}, /* Greek omicron */
        {STR_INIT("\xc4\xb1"
                  "cloud.example"),
         "xn--cloud-m4a.example"}, /* dotless i */
    };
    check_spellings(cases, COUNT(cases), HOST_NAME);
}

TEST(an_ipv4_address_in_any_spelling_is_one_address)
{
    static const struct spelling cases[] = {
        {STR_INIT("192.0.2.1"), "192.0.2.1"},
        {STR_INIT("192.0.2.1."), "192.0.2.1"},
        {STR_INIT("0300.0.02.01"), "192.0.2.1"},
        {STR_INIT("0xC0.0x0.0X2.0x01"), "192.0.2.1"},
        {STR_INIT("0xc0000201"), "192.0.2.1"},
        {STR_INIT("3221225985"), "192.0.2.1"},
        {STR_INIT("030000001001"), "192.0.2.1"},
        {STR_INIT("192.513"), "192.0.2.1"},
        {STR_INIT("192.0.513"), "192.0.2.1"},
        {STR_INIT("192.0x201"), "192.0.2.1"},
        {STR_INIT("%31%39%32.0.2.1"), "192.0.2.1"},
        {STR_INIT("\xef\xbc\x91\xef\xbc\x99\xef\xbc\x92.0.2.1"), "192.0.2.1"}, /* full-width */
        {STR_INIT("192\xe3\x80\x82"
                  "0\xe3\x80\x82"
                  "2\xe3\x80\x82"
                  "1"),
         "192.0.2.1"},
        {STR_INIT("\xe2\x91\xa0.0.2.1"), "1.0.2.1"}, /* a circled one */
        {STR_INIT("[::ffff:192.0.2.1]"), "192.0.2.1"},
        {STR_INIT("[::FFFF:c000:201]"), "192.0.2.1"},
        {STR_INIT("127.1"), "127.0.0.1"},
        {STR_INIT("0177.1"), "127.0.0.1"},
        {STR_INIT("2130706433"), "127.0.0.1"},
        {STR_INIT("0x7f.1"), "127.0.0.1"},
        {STR_INIT("0"), "0.0.0.0"},
        {STR_INIT("0x"), "0.0.0.0"},
        {STR_INIT("0x.0X.0"), "0.0.0.0"},
        {STR_INIT("00000000000000000000000000000000001"), "0.0.0.1"},
        {STR_INIT("4294967295"), "255.255.255.255"},
        {STR_INIT("255.16777215"), "255.255.255.255"},
        {STR_INIT("1.2.65535"), "1.2.255.255"},
    };
    check_spellings(cases, COUNT(cases), HOST_IPV4);
}

TEST(an_ipv6_address_in_any_spelling_is_one_address)
{
    static const struct spelling cases[] = {
        {STR_INIT("[2001:db8::1]"), "2001:db8::1"},
        {STR_INIT("[2001:DB8:0:0:0:0:0:1]"), "2001:db8::1"},
        {STR_INIT("[2001:0db8::0:0.0.0.1]"), "2001:db8::1"},
        {STR_INIT("[::]"), "::"},
        {STR_INIT("[::127.0.0.1]"), "::7f00:1"},
    };
    check_spellings(cases, COUNT(cases), HOST_IPV6);
}

static const struct str no_hosts[] = {
    STR_INIT(""),
    STR_INIT("."),
    STR_INIT(".."),
    STR_INIT(".example"),
    STR_INIT("a..example"),
    STR_INIT("example.."),
    STR_INIT("a%2e%2eexample"),
    STR_INIT("\xc2\xad"), /* nothing is left */
    STR_INIT("a.\xc2\xad.b"),
    STR_INIT("a b.example"),
    STR_INIT("a\0.example"),
    STR_INIT("a.example\0"),
    STR_INIT("a.example\r\nX: y"),
    STR_INIT("a\n.example"),
    STR_INIT("a\t.example"),
    STR_INIT("a%00.example"),
    STR_INIT("a%0d%0a.example"),
    STR_INIT("a%20.example"),
    STR_INIT("\xc3\xbc%00.example"),
    STR_INIT("user@a.example"),
    STR_INIT("user%40a.example"),
    STR_INIT("a.example:80"),
    STR_INIT("a.example/b"),
    STR_INIT("a.example%2fb"),
    STR_INIT("a.example\\b"),
    STR_INIT("a.example?b"),
    STR_INIT("a.example#b"),
    STR_INIT("a%example"),
    STR_INIT("a%4.example"),
    STR_INIT("a%"),
    STR_INIT("a%2525.example"),
    STR_INIT("a|b.example"),
    STR_INIT("a^b.example"),
    STR_INIT("a<b.example"),
    STR_INIT("a\x7f.example"),
    STR_INIT("a\x80.example"), /* no UTF-8 */
    STR_INIT("a%ff.example"),
    STR_INIT("\xc3"),
    STR_INIT("\xef\xbf\xbd.example"), /* U+FFFD */
    STR_INIT("a\xc2\xa0"
             "b.example"),            /* a space that does not break */
    STR_INIT("\xe2\x84\x80.example"), /* a/c, which maps to a slash */
    STR_INIT("xn--.\xc3\xbc"),        /* names that are not ASCII are looked at label by label */
    STR_INIT("xn--a.\xc3\xbc"),
    STR_INIT("\xc3\xbc.xn--bcher-kva-"),
    STR_INIT("\xd9\x8a\x61.example"), /* Arabic and Latin in a label */
    STR_INIT("0a.\xd7\x90"),          /* a digit first in a right-to-left domain */
    STR_INIT("0\xc3\xa0.\xd7\x90"),
    STR_INIT("a\xe2\x80\x8c"
             "b.example"), /* a joiner out of place */
    STR_INIT("1.2.3.4.5"),
    STR_INIT("1.2.3.256"),
    STR_INIT("256.2.3.4"),
    STR_INIT("1.2.65536"),
    STR_INIT("1.16777216"),
    STR_INIT("4294967296"),
    STR_INIT("99999999999999999999999999999"),
    STR_INIT("0x100000000"),
    STR_INIT("08"),
    STR_INIT("1.2.3.08"),
    STR_INIT("a.1"),
    STR_INIT("a.example.0x7f"),
    STR_INIT("a.09"),
    STR_INIT("1..2"),
    STR_INIT("::1"),
    STR_INIT("["),
    STR_INIT("[]"),
    STR_INIT("[::1"),
    STR_INIT("::1]"),
    STR_INIT("[::1]."),
    STR_INIT("[::1%25eth0]"),
    STR_INIT("[%3A%3A1]"),
    STR_INIT("[1.2.3.4]"),
    STR_INIT("[a.example]"),
    STR_INIT("[::1]a"),
    STR_INIT("a[::1]"),
};

TEST(what_is_no_host_is_refused)
{
    check_refused(no_hosts, COUNT(no_hosts));
}

TEST(lengths_have_their_bounds)
{
    char text[LIMIT_HOST_LEN + 2];
    struct host host;
    memset(text, 'a', sizeof(text));
    assert_ok(host_parse(str_make(text, 63), &host));
    assert_err(host_parse(str_make(text, 64), &host), ERR_INVALID);
    for (size_t i = 50; i < sizeof(text); i += 51) {
        text[i] = '.';
    }
    assert_ok(host_parse(str_make(text, 253), &host));
    assert_int_equal(host.len, 253);
    assert_err(host_parse(str_make(text, 254), &host), ERR_INVALID);
    text[253] = '.';
    assert_ok(host_parse(str_make(text, 254), &host));
    assert_int_equal(host.len, 253);
}

TEST(long_international_names_are_refused_and_not_cut)
{
    char text[4096];
    struct host host;
    for (size_t i = 0; i < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xbc", 2);
    }
    assert_ok(host_parse(str_make(text, 2 * 50), &host));
    assert_err(host_parse(str_make(text, 2 * 64), &host), ERR_INVALID);
    assert_err(host_parse(str_make(text, sizeof(text)), &host), ERR_INVALID);
    for (size_t i = 18; i < sizeof(text); i += 20) {
        memcpy(text + i, ".a", 2);
    }
    assert_err(host_parse(str_make(text, 600), &host), ERR_INVALID);
}

TEST(a_canonical_host_is_read_as_itself)
{
    static const char *const alphabets[] = {"abxn-0.", "0x1.7f", "\xc3\xbc.a-", "%2e4a1.",
                                            "[:]1fa."};
    GEN_RUNS(gen, 20000)
    {
        char text[24], bracketed[LIMIT_HOST_LEN + 3];
        struct host host, again;
        struct str alphabet = str_from(GEN_PICK(&gen, alphabets));
        if (host_parse(gen_text(&gen, alphabet, text, 1 + gen_below(&gen, 23)), &host) != ERR_OK) {
            continue;
        }
        bool ipv6 = host.kind == HOST_IPV6;
        int n = snprintf(bracketed, sizeof(bracketed), ipv6 ? "[%s]" : "%s", host.text);
        assert_run(gen, host_parse(str_make(bracketed, (size_t)n), &again) == ERR_OK);
        assert_run(gen, host_eq(&host, &again) && addr_eq(&host.addr, &again.addr));
    }
}

TEST(an_address_becomes_a_host)
{
    struct addr addr;
    struct host host;
    assert_ok(addr_parse(STR("192.0.2.1"), &addr));
    host_from_addr(&addr, &host);
    assert_int_equal(host.kind, HOST_IPV4);
    assert_str_eq(host_str(&host), STR("192.0.2.1"));
    assert_ok(addr_parse(STR("2001:DB8::1"), &addr));
    host_from_addr(&addr, &host);
    assert_int_equal(host.kind, HOST_IPV6);
    assert_str_eq(host_str(&host), STR("2001:db8::1"));
}

TEST(below_never_matches_inside_a_label)
{
    assert_true(host_is_below(STR("a.example.org"), STR("example.org")));
    assert_true(host_is_below(STR("example.org"), STR("example.org")));
    assert_false(host_is_below(STR("anexample.org"), STR("example.org")));
    assert_false(host_is_below(STR("example.org"), STR("a.example.org")));
    assert_false(host_is_below(STR("example.org.uk"), STR("example.org")));
    assert_false(host_is_below(STR("example.org"), STR("")));
}

TEST(an_authority_has_a_host_and_perhaps_a_port)
{
    static const struct {
        const char *text;
        uint16_t default_port;
        const char *host;
        uint16_t port;
    } cases[] = {
        {"a.example", 80, "a.example", 80},
        {"A.example:8080", 80, "a.example", 8080},
        {"a.example:", 80, "a.example", 80},
        {"a.example:443", 0, "a.example", 443},
        {"a.example.:00443", 0, "a.example", 443},
        {"127.1:65535", 0, "127.0.0.1", 65535},
        {"[::1]:443", 0, "::1", 443},
        {"[::1]", 443, "::1", 443},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct host host;
        uint16_t port = 0;
        assert_ok(
            host_parse_authority(str_from(cases[i].text), cases[i].default_port, &host, &port));
        assert_str_eq(host_str(&host), str_from(cases[i].host));
        assert_int_equal(port, cases[i].port);
    }
    static const char *const bad[] = {
        "",
        ":80",
        "a.example:",
        "a.example",
        "a.example:0",
        "a.example:65536",
        "a.example:+80",
        "a.example: 80",
        "a.example:80 ",
        "a.example:80:80",
        "a.example:x",
        "u@a.example:80",
        "u:p@a.example:80",
        "::1:80",
        "[::1:80",
        "[::1]80",
        "[::1]x:80",
        "[::1]:",
        "a.example:80/",
        "http://a.example:80",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct host host;
        uint16_t port = 7;
        assert_err(host_parse_authority(str_from(bad[i]), 0, &host, &port), ERR_INVALID);
        assert_int_equal(port, 7);
    }
}

TEST(only_the_canonical_text_is_read_back)
{
    static const struct {
        const char *text;
        enum host_kind kind; /* HOST_UNSET: refused */
    } cases[] = {
        {"a.example", HOST_NAME},       {"192.0.2.7", HOST_IPV4},    {"2001:db8::1", HOST_IPV6},
        {"A.example", HOST_UNSET},      {"a.example.", HOST_UNSET},  {"192.0.2.07", HOST_UNSET},
        {"0xc0000207", HOST_UNSET},     {"2001:DB8::1", HOST_UNSET}, {"[2001:db8::1]", HOST_UNSET},
        {"::ffff:1.2.3.4", HOST_UNSET}, {"%61.example", HOST_UNSET}, {"", HOST_UNSET},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct host host = {0};
        enum err err = host_parse_canonical(str_from(cases[i].text), &host);
        assert_err(err, cases[i].kind == HOST_UNSET ? ERR_INVALID : ERR_OK);
        assert_int_equal(host.kind, cases[i].kind);
    }
}

TESTS_MAIN(unit(a_name_in_any_spelling_is_one_name), unit(international_names_are_one_name_too),
           unit(ascii_is_taken_as_it_is),
           unit(right_to_left_names_may_have_digits_and_hyphens_inside),
           unit(a_look_alike_is_another_name), unit(an_ipv4_address_in_any_spelling_is_one_address),
           unit(an_ipv6_address_in_any_spelling_is_one_address), unit(what_is_no_host_is_refused),
           unit(lengths_have_their_bounds), unit(long_international_names_are_refused_and_not_cut),
           unit(a_canonical_host_is_read_as_itself), unit(an_address_becomes_a_host),
           unit(below_never_matches_inside_a_label), unit(only_the_canonical_text_is_read_back),
           unit(an_authority_has_a_host_and_perhaps_a_port))

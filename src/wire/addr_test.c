/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/addr.h"

#include <arpa/inet.h>

#include "lib/gen.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct addr parsed(const char *text)
{
    struct addr addr;
    if (addr_parse(str_from(text), &addr) != ERR_OK) {
        fail_msg("%s is not read", text);
    }
    return addr;
}

TEST(an_address_is_printed_in_its_one_form)
{
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"1.10.100.5", "1.10.100.5"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::FFFF:c000:0201", "192.0.2.1"},
        {"0:0:0:0:0:ffff:c000:201", "192.0.2.1"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"0:0:1:0:0:0:0:0", "0:0:1::"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::1.2.3.4", "::102:304"},
        {"64:ff9b::8.8.8.8", "64:ff9b::808:808"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct addr addr = parsed(cases[i].text);
        char text[ADDR_TEXT_MAX];
        assert_int_equal(addr_print(&addr, text), strlen(cases[i].printed));
        assert_string_equal(text, cases[i].printed);
    }
}

TEST(other_spellings_are_refused)
{
    static const struct str texts[] = {
        STR_INIT(""),
        STR_INIT("."),
        STR_INIT("1"),
        STR_INIT("1.2.3"),
        STR_INIT("1.2.3."),
        STR_INIT(".1.2.3"),
        STR_INIT("1..2.3"),
        STR_INIT("1.2.3.4."),
        STR_INIT("1.2.3.4.5"),
        STR_INIT("01.2.3.4"),
        STR_INIT("1.2.3.00"),
        STR_INIT("256.2.3.4"),
        STR_INIT("1.2.3.1000"),
        STR_INIT("0x1.2.3.4"),
        STR_INIT("1.2.3.4 "),
        STR_INIT(" 1.2.3.4"),
        STR_INIT("1.2.3.4\0"),
        STR_INIT("+1.2.3.4"),
        STR_INIT("1,2.3.4"),
        STR_INIT("[::1]"),
        STR_INIT("::1%eth0"),
        STR_INIT(":"),
        STR_INIT(":::"),
        STR_INIT("1::2::3"),
        STR_INIT("1:2:3:4:5:6:7"),
        STR_INIT("1:2:3:4:5:6:7:8:9"),
        STR_INIT("1:2:3:4::5:6:7:8"),
        STR_INIT("12345::"),
        STR_INIT("g::"),
        STR_INIT("::1.2.3"),
        STR_INIT("::01.2.3.4"),
        STR_INIT("::1.2.3.4:1"),
        STR_INIT("::1\0"),
        STR_INIT("::1 "),
        STR_INIT("1:2:3:4:5:6:7:1.2.3.4"),
        STR_INIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct addr addr = {{42}};
        if (addr_parse(texts[i], &addr) != ERR_INVALID) {
            fail_msg("%.*s is read", STR_ARG(texts[i]));
        }
        assert_int_equal(addr.bytes[0], 42);
    }
}

TEST(what_is_printed_is_read_as_the_same_address)
{
    GEN_RUNS(gen, 2000)
    {
        struct addr addr, again, theirs;
        char text[ADDR_TEXT_MAX];
        gen_bytes(&gen, (char *)addr.bytes, sizeof(addr.bytes));
        for (size_t i = 0; i < 8; i++) {
            if (gen_chance(&gen, 60)) {
                memset(addr.bytes + 2 * i, 0, 2);
            }
        }
        struct str printed = str_make(text, addr_print(&addr, text));
        assert_run(gen, addr_parse(printed, &again) == ERR_OK && addr_eq(&addr, &again));
        assert_run(gen, addr_is_ipv4(&addr) || inet_pton(AF_INET6, text, theirs.bytes) == 1);
        assert_run(gen, addr_is_ipv4(&addr) || addr_eq(&addr, &theirs));
    }
}

TEST(a_prefix_is_cut_to_its_bits)
{
    static const struct {
        const char *text;
        const char *addr;
        unsigned bits;
    } cases[] = {
        {"10.1.2.3", "10.1.2.3", 128},
        {"10.1.2.3/8", "10.0.0.0", 104},
        {"10.1.2.3/32", "10.1.2.3", 128},
        {"10.1.2.3/31", "10.1.2.2", 127},
        {"10.1.2.3/0", "0.0.0.0", 96},
        {"172.31.255.1/12", "172.16.0.0", 108},
        {"::1", "::1", 128},
        {"2001:db8:ffff::1/33", "2001:db8:8000::", 33},
        {"ff00::/8", "ff00::", 8},
        {"ff00::/0", "::", 0},
        {"::ffff:10.1.2.3/104", "10.0.0.0", 104},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct addr addr, want = parsed(cases[i].addr);
        unsigned bits = 0;
        assert_ok(addr_parse_cidr(str_from(cases[i].text), &addr, &bits));
        assert_true(addr_eq(&addr, &want));
        assert_int_equal(bits, cases[i].bits);
    }
    static const char *const bad[] = {"",       "/8",      "10.0.0.0/",    "10.0.0.0/33",
                                      "::/129", "::/-1",   "10.0.0.0/8/8", "10.0.0.0/ 8",
                                      "10/8",   "::/0001", "a.example/8",  "10.0.0.0/255.0.0.0"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct addr addr;
        unsigned bits = 7;
        assert_err(addr_parse_cidr(str_from(bad[i]), &addr, &bits), ERR_INVALID);
        assert_int_equal(bits, 7);
    }
}

static const char *const not_public[] = {
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.1.2.3",
    "64:ff9b:1::8.8.8.8",
    "64:ff9b::1:8.8.8.8",
    "100::1",
    "1fff:ffff::1",
    "2001:2::1",
    "2001:2:0:ffff::1",
    "2001:10::1",
    "2001:1f:ffff::1",
    "2001:20::1",
    "2001:2f:ffff::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:c0a8:101::1",
    "2001:0:7f00:1:0:ffff:f7f7:f7f7",  /* Teredo, server 127.0.0.1 */
    "2001:0:808:808:0:ffff:f5ff:fffe", /* Teredo, client 10.0.0.1 */
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ffff::1",
};

static const char *const in_public[] = {
    "1.0.0.0",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2000::1",
    "2001:0:808:808:0:ffff:f7f7:f7f7",
    "2001:2:1::1",
    "2001:f::1",
    "2001:30::1",
    "2001:200::1",
    "2001:db7::1",
    "2001:db9::1",
    "2002:808:808::1",
    "2606:4700::1111",
    "2a00:1450::1",
    "3ffe::1",
    "3fff:1000::1",
    "3fff:ffff::1",
};

/* The first and last address of each range, and their neighbours. */
TEST(addresses_that_are_not_public_are_special)
{
    for (size_t i = 0; i < COUNT(not_public); i++) {
        struct addr addr = parsed(not_public[i]);
        if (!addr_is_special(&addr)) {
            fail_msg("%s is taken for in_public", not_public[i]);
        }
    }
    for (size_t i = 0; i < COUNT(in_public); i++) {
        struct addr addr = parsed(in_public[i]);
        if (addr_is_special(&addr)) {
            fail_msg("%s is taken for not_public", in_public[i]);
        }
    }
}

TESTS_MAIN(unit(an_address_is_printed_in_its_one_form), unit(other_spellings_are_refused),
           unit(what_is_printed_is_read_as_the_same_address), unit(a_prefix_is_cut_to_its_bits),
           unit(addresses_that_are_not_public_are_special))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/catalog.h"

#include "lib/catalog.h"

struct expectation {
    const char *url;
    const char *want;
};

static void expect(const struct test_list *lists, size_t n_lists, const struct expectation *cases,
                   size_t n)
{
    struct catalog *catalog = test_catalog(lists, n_lists);
    for (size_t i = 0; i < n; i++) {
        const char *got = test_lookup(catalog, cases[i].url);
        if (strcmp(got, cases[i].want) != 0) {
            fail_msg("%s is %s, not %s", cases[i].url, got, cases[i].want);
        }
    }
    catalog_free(catalog);
}

#define EXPECT(lists, cases) \
    expect(lists, sizeof(lists) / sizeof((lists)[0]), cases, sizeof(cases) / sizeof((cases)[0]))

TEST(a_name_closes_itself_and_all_below_it_but_never_part_of_a_label)
{
    static const struct test_list lists[] = {
        {"gambling", LIST_DOMAINS,
         "bets.example\nwww.deep.example\nb\xc3\xbc"
         "cher.example\n"},
    };
    static const struct expectation cases[] = {
        {"http://bets.example/", "gambling"},
        {"https://BETS.example.:8443/x?y", "gambling"},
        {"http://www.bets.example/", "gambling"},
        {"http://a.b.c.bets.example/", "gambling"},
        {"http://xbets.example/", "-"},
        {"http://bets.example.org/", "-"},
        {"http://bets.x.example/", "-"},
        {"http://example/", "-"},
        {"http://deep.example/", "-"},
        {"http://www.deep.example/", "gambling"},
        {"http://www.x.deep.example/", "-"},
        {"http://xn--bcher-kva.example/", "gambling"},
        {"http://b\xc3\x9c"
         "cher.example/",
         "gambling"},
    };
    EXPECT(lists, cases);
}

TEST(categories_of_all_matches_come_together)
{
    static const struct test_list lists[] = {
        {"games", LIST_DOMAINS, "a.example\n"},
        {"gambling", LIST_HOSTS, "0.0.0.0 slots.a.example\n"},
        {"chat", LIST_URLS, "http://slots.a.example/room\n"},
        {"messaging", LIST_DOMAINS, "slots.a.example\n"},
    };
    static const struct expectation cases[] = {
        {"http://a.example/room", "games"},
        {"http://slots.a.example/", "gambling,messaging,games"},
        {"http://slots.a.example/room/2", "gambling,chat,messaging,games"},
        {"http://x.slots.a.example/room", "gambling,chat,messaging,games"},
    };
    EXPECT(lists, cases);
}

TEST(a_full_entry_is_the_host_alone)
{
    static const struct test_list lists[] = {
        {"games", LIST_V2FLY, "full:play.example\ndomain:fun.example @ads\n"},
    };
    static const struct expectation cases[] = {
        {"http://play.example/x", "games"},
        {"http://www.play.example/", "-"},
        {"http://fun.example/", "games"},
        {"http://www.fun.example/", "games"},
    };
    EXPECT(lists, cases);
}

TEST(I2_a_url_closes_its_path_on_segment_borders_and_not_its_host)
{
    static const struct test_list lists[] = {
        {"violence", LIST_URLS,
         "http://files.example/bad\nfiles.example/Dir/\nshop.example/\nhttps://deep.example/a/b/"
         "c\n"},
    };
    static const struct expectation cases[] = {
        {"http://files.example/", "-"},
        {"http://files.example/bad", "violence"},
        {"https://www.files.example/bad", "violence"},
        {"http://files.example/bad/", "violence"},
        {"http://files.example/bad/more?x=1", "violence"},
        {"http://files.example/badly", "-"},
        {"http://files.example/x/bad", "-"},
        {"http://files.example/x/../bad", "violence"},
        {"http://files.example//bad", "violence"},
        {"http://files.example/b%61d", "violence"},
        {"http://files.example/BAD", "violence"},
        {"http://files.example/dir", "violence"},
        {"http://xfiles.example/bad", "-"},
        {"http://shop.example/anything", "violence"},
        {"http://deep.example/a/b", "-"},
        {"http://deep.example/a/b/c/d/e/f", "violence"},
    };
    EXPECT(lists, cases);
}

TEST(F18_a_url_with_a_query_closes_that_query_alone)
{
    static const struct test_list lists[] = {
        {"homework-cheating", LIST_URLS,
         "youtube.example/watch?v=X1\nhost.example/?id=9\ntwo.example/p?a=1&b=2\n"},
    };
    static const struct expectation cases[] = {
        {"https://www.youtube.example/watch?v=X1", "homework-cheating"},
        {"https://youtube.example/watch?v=X1&t=10", "homework-cheating"},
        {"https://youtube.example/watch?app=desktop&v=X1", "homework-cheating"},
        {"https://youtube.example/watch/?v=X1", "homework-cheating"},
        {"https://youtube.example/watch", "-"},
        {"https://youtube.example/watch?v=X12", "-"},
        {"https://youtube.example/watch?v=X", "-"},
        {"https://youtube.example/watch?xv=X1", "-"},
        {"https://youtube.example/watch/more?v=X1", "-"},
        {"https://youtube.example/", "-"},
        {"https://host.example/", "-"},
        {"https://host.example/?id=9", "homework-cheating"},
        {"https://host.example/x?id=9", "-"},
        {"https://two.example/p?a=1&b=2&c=3", "homework-cheating"},
        {"https://two.example/p?a=1", "-"},
    };
    EXPECT(lists, cases);
}

/* What stands around the parameter of a list's URL must not hide it. */
TEST(F18_a_listed_query_is_found_behind_any_number_of_parameters)
{
    static const struct test_list lists[] = {
        {"violence", LIST_URLS, "video.example/watch?v=X1\ntwo.example/p?a=1&b=2\n"},
    };
    struct catalog *catalog = test_catalog(lists, 1);
    struct buf text;
    buf_init(&text, LIMIT_URL_LEN);
    static const size_t padding[] = {0, 63, 64, 65, 500, 3000};
    for (size_t i = 0; i < sizeof(padding) / sizeof(padding[0]); i++) {
        buf_clear(&text);
        buf_append(&text, STR("http://video.example/watch?"));
        for (size_t n = 0; n < padding[i]; n++) {
            buf_append(&text, STR("a&"));
        }
        buf_append(&text, STR("V=x1"));
        assert_string_equal(test_lookup(catalog, buf_cstr(&text)), "violence");
        buf_append_byte(&text, '4');
        assert_string_equal(test_lookup(catalog, buf_cstr(&text)), "-");
    }
    buf_fini(&text);
    catalog_free(catalog);
}

TEST(an_address_has_the_categories_of_every_prefix_that_covers_it)
{
    static const struct test_list lists[] = {
        {"vpn-proxy", LIST_CIDR, "192.0.2.0/24\n2001:db8::/32\n203.0.113.7\n"},
        {"malware", LIST_CIDR, "192.0.2.128/25\n192.0.2.200/32\n"},
        {"hacking", LIST_CIDR, "255.255.255.0/24\n"},
        {"gambling", LIST_DOMAINS, "198.51.100.1\n"},
    };
    static const struct expectation cases[] = {
        {"http://192.0.2.1/", "vpn-proxy"},
        {"http://192.0.1.255/", "-"},
        {"http://192.0.3.0/", "-"},
        {"http://192.0.2.127/", "vpn-proxy"},
        {"http://192.0.2.128/", "malware,vpn-proxy"},
        {"http://192.0.2.201/", "malware,vpn-proxy"},
        {"http://0xc0000201/", "vpn-proxy"},
        {"http://[::ffff:192.0.2.1]/", "vpn-proxy"},
        {"http://[2001:db8:1::5]/", "vpn-proxy"},
        {"http://[2001:db9::]/", "-"},
        {"http://203.0.113.7/", "vpn-proxy"},
        {"http://203.0.113.8/", "-"},
        {"http://255.255.255.255/", "hacking"},
        {"http://198.51.100.1/", "gambling"},
        {"http://198.51.100.2/", "-"},
    };
    EXPECT(lists, cases);
}

TEST(a_name_that_resolves_to_a_listed_address_gets_its_categories_added)
{
    static const struct test_list lists[] = {{"vpn-proxy", LIST_CIDR, "192.0.2.0/24\n"},
                                             {"games", LIST_DOMAINS, "198.51.100.1\n"}};
    struct catalog *catalog = test_catalog(lists, 2);
    struct catalog_hit hit = {{{0, 0}}, false};
    struct addr addr;
    catset_add(&hit.categories, CATEGORY_GAMES);
    assert_ok(addr_parse(STR("192.0.2.77"), &addr));
    catalog_lookup_addr(catalog, &addr, &hit);
    assert_true(catset_has(&hit.categories, CATEGORY_GAMES));
    assert_true(catset_has(&hit.categories, CATEGORY_VPN_PROXY));
    /* A list of names that holds an address means a URL with that address, not a shared server. */
    hit = (struct catalog_hit){{{0, 0}}, false};
    assert_ok(addr_parse(STR("198.51.100.1"), &addr));
    catalog_lookup_addr(catalog, &addr, &hit);
    assert_true(catset_is_empty(&hit.categories));
    catalog_free(catalog);
}

TEST(F18_an_exception_takes_out_the_name_and_its_www_and_leaves_what_is_below)
{
    static const struct test_list lists[] = {
        {"dating", LIST_DOMAINS, "events.example\nwww.events.example\nbad.events.example\n", false,
         "events.example\n"},
        {"games", LIST_DOMAINS, "events.example\n"},
        {"malware", LIST_URLS, "site.example/a\nsite.example/b\n", false, "site.example/a\n"},
    };
    static const struct expectation cases[] = {
        {"http://events.example/", "games"},
        {"http://www.events.example/", "games"},
        {"http://bad.events.example/", "dating,games"},
        {"http://site.example/a", "-"},
        {"http://site.example/b", "malware"},
    };
    EXPECT(lists, cases);
}

TEST(an_empty_catalog_knows_nothing)
{
    struct catalog *catalog = test_catalog(NULL, 0);
    assert_string_equal(test_lookup(catalog, "http://a.example/"), "-");
    assert_string_equal(test_lookup(catalog, "http://192.0.2.1/"), "-");
    assert_true(catalog_generation(catalog) != 0);
    catalog_free(catalog);
}

TEST(the_same_lists_give_the_same_image_and_other_lists_another_generation)
{
    static const struct test_list lists[] = {{"games", LIST_DOMAINS, "a.example\nb.example\n"},
                                             {"games", LIST_DOMAINS, "a.example\nc.example\n"}};
    struct str a = test_image(lists, 1);
    struct str b = test_image(lists, 1);
    assert_str_eq(a, b);
    struct catalog *first = test_catalog(lists, 1);
    struct catalog *second = test_catalog(lists + 1, 1);
    assert_true(catalog_generation(first) != catalog_generation(second));
    catalog_free(first);
    catalog_free(second);
    free((void *)(uintptr_t)a.p);
    free((void *)(uintptr_t)b.p);
}

TEST(a_host_without_a_path_gets_the_categories_of_the_host_alone)
{
    static const struct test_list lists[] = {{"games", LIST_DOMAINS, "a.example\n"},
                                             {"malware", LIST_URLS, "a.example/x\n"}};
    struct catalog *catalog = test_catalog(lists, 2);
    struct catalog_hit hit;
    struct host host;
    assert_ok(host_parse(STR("www.a.example"), &host));
    catalog_lookup_host(catalog, &host, &hit);
    assert_true(catset_has(&hit.categories, CATEGORY_GAMES));
    assert_false(catset_has(&hit.categories, CATEGORY_MALWARE));
    catalog_free(catalog);
}

TESTS_MAIN(unit(a_name_closes_itself_and_all_below_it_but_never_part_of_a_label),
           unit(categories_of_all_matches_come_together), unit(a_full_entry_is_the_host_alone),
           unit(I2_a_url_closes_its_path_on_segment_borders_and_not_its_host),
           unit(F18_a_url_with_a_query_closes_that_query_alone),
           unit(F18_a_listed_query_is_found_behind_any_number_of_parameters),
           unit(an_address_has_the_categories_of_every_prefix_that_covers_it),
           unit(a_name_that_resolves_to_a_listed_address_gets_its_categories_added),
           unit(F18_an_exception_takes_out_the_name_and_its_www_and_leaves_what_is_below),
           unit(an_empty_catalog_knows_nothing),
           unit(the_same_lists_give_the_same_image_and_other_lists_another_generation),
           unit(a_host_without_a_path_gets_the_categories_of_the_host_alone))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"
#include "crypto/hash.h"
#include "lib/catalog.h"

static const char plain[] = "http://bad.example/x/page\n"
                            "worse.example/p?id=7\n"
                            "whole.example/\n"
                            "http://192.0.2.9/y\n"
                            "dir.example/d/\n";

static const struct {
    const char *url;
    bool sealed;
} cases[] = {
    {"http://bad.example/", false},
    {"http://bad.example/x", false},
    {"http://bad.example/x/page", true},
    {"https://bad.example:444/x/page/", true},
    {"http://www.bad.example/x/page?a=b", true},
    {"http://bad.example/x/page/below", true},
    {"http://bad.example/x/pages", false},
    {"http://bad.example/x/../x//p%61ge", true},
    {"http://xbad.example/x/page", false},
    {"http://worse.example/p", false},
    {"http://worse.example/p?id=7", true},
    {"http://worse.example/p?id=8", false},
    {"http://worse.example/p/?id=7", true},
    {"http://worse.example/p/more/x?id=7", true},
    {"http://worse.example/q?id=7", false},
    {"http://whole.example/anything?at=all", true},
    {"http://sub.whole.example/", true},
    {"http://example/", false},
    {"http://192.0.2.9/y", true},
    {"http://192.0.2.9/z", false},
    {"http://dir.example/d", true},
    {"http://dir.example/d/", true},
    {"http://dir.example/d/e", true},
    {"http://dir.example/de", false},
};

static void expect_sealed(const struct catalog *catalog)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool sealed = strcmp(test_lookup(catalog, cases[i].url), "sealed") == 0;
        if (sealed != cases[i].sealed) {
            fail_msg("%s is %s", cases[i].url, sealed ? "sealed" : "not sealed");
        }
    }
}

TEST(I2_a_sealed_url_closes_its_path_and_what_is_below_it)
{
    struct test_list list = {"violence", LIST_URLS, plain, true, NULL};
    struct catalog *catalog = test_catalog(&list, 1);
    expect_sealed(catalog);
    catalog_free(catalog);
}

static void append_hash(struct buf *to, const char *text)
{
    uint8_t hash[SHA256_BYTES];
    char hex[SHA256_TEXT_MAX];
    sha256(str_from(text), hash);
    sha256_print(hash, hex);
    buf_append(to, str_from(hex));
}

TEST(I1_a_list_that_comes_hashed_closes_the_same_urls)
{
    static const char *const pairs[][2] = {
        {"bad.example", "bad.example/x/page"},
        {"worse.example", "worse.example/p?id=7"},
        {"whole.example", NULL},
        {"192.0.2.9", "192.0.2.9/y"},
        {"dir.example", "dir.example/d/"},
    };
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        append_hash(&text, pairs[i][0]);
        buf_append_byte(&text, '\t');
        if (pairs[i][1] != NULL) {
            append_hash(&text, pairs[i][1]);
        } else {
            buf_append_byte(&text, '-');
        }
        buf_append_byte(&text, '\n');
    }
    struct test_list list = {"child-sexual-abuse", LIST_HASHED, buf_cstr(&text), false, NULL};
    struct catalog *catalog = test_catalog(&list, 1);
    expect_sealed(catalog);
    catalog_free(catalog);
    buf_fini(&text);
}

TEST(I1_no_sealed_name_or_path_stands_in_the_image)
{
    struct test_list lists[] = {
        {"violence", LIST_URLS, "secretname.example/hiddenpath?query=veiled\n", true, NULL},
        {"terrorist-content", LIST_DOMAINS, "secretname2.example\n", false, NULL},
        {"games", LIST_DOMAINS, "open.example\n", false, NULL},
    };
    struct str image = test_image(lists, 3);
    static const struct str words[] = {STR_INIT("secretname"), STR_INIT("hiddenpath"),
                                       STR_INIT("veiled"), STR_INIT("secretname.example")};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_null(memmem(image.p, image.len, words[i].p, words[i].len));
    }
    assert_non_null(memmem(image.p, image.len, "open.example", 12));
    free((void *)(uintptr_t)image.p);
}

TEST(a_sealed_hit_has_its_category_and_those_of_the_open_lists)
{
    struct test_list lists[] = {{"terrorist-content", LIST_DOMAINS, "a.example\n", false, NULL},
                                {"news", LIST_DOMAINS, "a.example\n", false, NULL}};
    struct catalog *catalog = test_catalog(lists, 2);
    struct catalog_hit hit;
    struct host host;
    assert_ok(host_parse(STR("b.a.example"), &host));
    catalog_lookup_host(catalog, &host, &hit);
    assert_true(hit.sealed);
    assert_true(catset_has(&hit.categories, CATEGORY_TERRORIST_CONTENT));
    assert_true(catset_has(&hit.categories, CATEGORY_NEWS));
    assert_int_equal(catalog_sealed_count(catalog), 1);
    assert_int_equal(catalog_count(catalog, CATEGORY_TERRORIST_CONTENT).names, 0);
    catalog_free(catalog);
}

TEST(F3_no_exception_reaches_a_sealed_entry)
{
    struct test_list list = {"violence", LIST_DOMAINS, "a.example\n", true, "a.example\n"};
    struct catalog *catalog = test_catalog(&list, 1);
    assert_string_equal(test_lookup(catalog, "http://a.example/"), "sealed");
    catalog_free(catalog);
}

TEST(a_host_with_a_sealed_url_is_known_before_its_paths_are)
{
    static const struct {
        const char *host;
        bool has_url;
    } hosts[] = {{"bad.example", true},       {"www.bad.example", true}, {"xbad.example", false},
                 {"whole.example", false},    {"192.0.2.9", true},       {"192.0.2.8", false},
                 {"a.b.worse.example", true}, {"example", false}};
    struct test_list list = {"violence", LIST_URLS, plain, true, NULL};
    struct catalog *catalog = test_catalog(&list, 1);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct host host;
        assert_ok(host_parse(str_from(hosts[i].host), &host));
        assert_true(catalog_host_has_sealed_url(catalog, &host) == hosts[i].has_url);
    }
    catalog_free(catalog);
}

TEST(a_query_is_tried_at_the_first_prefixes_and_at_the_whole_path)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_append(&text, STR("long.example"));
    for (int i = 0; i < 100; i++) {
        buf_append(&text, STR("/x"));
    }
    buf_append(&text, STR("?id=7\nshort.example/x?id=7\n"));
    struct test_list list = {"violence", LIST_URLS, buf_cstr(&text), true, NULL};
    struct catalog *catalog = test_catalog(&list, 1);
    buf_consume(&text, STR("long.example").len);
    struct str path = str_sub(buf_str(&text), 0, 200);
    static const struct {
        const char *host;
        const char *query;
        const char *want;
    } asked[] = {{"long.example", "?id=7", "sealed"},
                 {"long.example", "?id=8", "-"},
                 {"short.example", "?id=7", "sealed"},
                 {"short.example", "?id=8", "-"}};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        char url[256];
        snprintf(url, sizeof(url), "%s%.*s%s", asked[i].host, STR_ARG(path), asked[i].query);
        assert_string_equal(test_lookup(catalog, url), asked[i].want);
    }
    catalog_free(catalog);
    buf_fini(&text);
}

TEST(each_of_many_sealed_urls_of_a_host_is_found)
{
    enum { HOSTS = 5, URLS = 300 };
    struct buf text;
    char url[64];
    buf_init(&text, 1 << 20);
    for (int i = 0; i < HOSTS * URLS; i++) {
        buf_printf(&text, "host%d.example/page/%d\n", i % HOSTS, i / HOSTS);
    }
    struct test_list list = {"violence", LIST_URLS, buf_cstr(&text), true, NULL};
    struct catalog *catalog = test_catalog(&list, 1);
    for (int i = 0; i < HOSTS * URLS; i++) {
        snprintf(url, sizeof(url), "http://host%d.example/page/%d", i % HOSTS, i / HOSTS);
        assert_string_equal(test_lookup(catalog, url), "sealed");
    }
    assert_string_equal(test_lookup(catalog, "http://host0.example/page/300"), "-");
    assert_string_equal(test_lookup(catalog, "http://host5.example/page/1"), "-");
    catalog_free(catalog);
    buf_fini(&text);
}

TEST(a_host_is_not_sealed_by_its_urls)
{
    struct test_list list = {"violence", LIST_URLS, plain, true, NULL};
    struct catalog *catalog = test_catalog(&list, 1);
    struct catalog_hit hit;
    struct host host;
    assert_ok(host_parse(STR("bad.example"), &host));
    catalog_lookup_host(catalog, &host, &hit);
    assert_false(hit.sealed);
    assert_ok(host_parse(STR("whole.example"), &host));
    catalog_lookup_host(catalog, &host, &hit);
    assert_true(hit.sealed);
    catalog_free(catalog);
}

TESTS_MAIN(unit(I2_a_sealed_url_closes_its_path_and_what_is_below_it),
           unit(I1_a_list_that_comes_hashed_closes_the_same_urls),
           unit(I1_no_sealed_name_or_path_stands_in_the_image),
           unit(a_sealed_hit_has_its_category_and_those_of_the_open_lists),
           unit(F3_no_exception_reaches_a_sealed_entry),
           unit(a_host_with_a_sealed_url_is_known_before_its_paths_are),
           unit(a_query_is_tried_at_the_first_prefixes_and_at_the_whole_path),
           unit(each_of_many_sealed_urls_of_a_host_is_found),
           unit(a_host_is_not_sealed_by_its_urls))

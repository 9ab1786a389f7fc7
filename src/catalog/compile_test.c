/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/compile.h"

#include "lib/catalog.h"
#include "lib/gen.h"

enum { NAMES = 40, LISTS = 4 };

/* A catalog of random names, and the same as a plain table. */
struct model {
    char name[LISTS][NAMES][GEN_HOST_MAX];
    bool exact[LISTS][NAMES];
};

static const char *const categories[LISTS] = {"gambling", "games", "news", "malware"};

static struct catalog *make(struct gen *gen, struct model *model)
{
    struct test_list lists[LISTS];
    static char text[LISTS][NAMES * (GEN_HOST_MAX + 8)];
    for (size_t l = 0; l < LISTS; l++) {
        size_t len = 0;
        for (size_t i = 0; i < NAMES; i++) {
            struct str name = gen_host(gen, model->name[l][i]);
            model->name[l][i][name.len] = '\0';
            model->exact[l][i] = gen_chance(gen, 20);
            len += (size_t)snprintf(text[l] + len, sizeof(text[l]) - len, "%s%s\n",
                                    model->exact[l][i] ? "full:" : "", model->name[l][i]);
        }
        lists[l] = (struct test_list){categories[l], LIST_V2FLY, text[l], false, NULL};
    }
    return test_catalog(lists, LISTS);
}

static struct catset expected(const struct model *model, struct str host)
{
    struct catset set = {{0, 0}};
    for (size_t l = 0; l < LISTS; l++) {
        unsigned category = 0;
        assert_ok(category_find(str_from(categories[l]), &category));
        for (size_t i = 0; i < NAMES; i++) {
            struct str name = str_from(model->name[l][i]);
            if (str_eq(host, name) || (!model->exact[l][i] && host_is_below(host, name))) {
                catset_add(&set, category);
            }
        }
    }
    return set;
}

TEST(a_lookup_finds_what_a_walk_over_all_lists_finds)
{
    GEN_RUNS(gen, 200)
    {
        static struct model model;
        struct catalog *catalog = make(&gen, &model);
        for (size_t i = 0; i < 200; i++) {
            char text[GEN_HOST_MAX];
            struct host host;
            struct catalog_hit hit;
            assert_ok(host_parse(gen_host(&gen, text), &host));
            struct catset want = expected(&model, host_str(&host));
            catalog_lookup_host(catalog, &host, &hit);
            assert_run(gen, memcmp(&want, &hit.categories, sizeof(want)) == 0 && !hit.sealed);
        }
        catalog_free(catalog);
    }
}

TEST(prefixes_add_up_as_a_walk_over_all_of_them_does)
{
    GEN_RUNS(gen, 200)
    {
        static char text[LISTS][64 * 24];
        struct addr first[LISTS][16];
        unsigned bits[LISTS][16];
        struct test_list lists[LISTS];
        for (size_t l = 0; l < LISTS; l++) {
            size_t len = 0;
            for (size_t i = 0; i < 16; i++) {
                len += (size_t)snprintf(text[l] + len, sizeof(text[l]) - len, "192.0.2.%u/%u\n",
                                        (unsigned)gen_below(&gen, 256),
                                        22 + (unsigned)gen_below(&gen, 11));
            }
            struct str rest = str_from(text[l]);
            for (size_t i = 0; i < 16; i++) {
                struct str line;
                (void)str_cut(rest, '\n', &line, &rest);
                assert_ok(addr_parse_cidr(line, &first[l][i], &bits[l][i]));
            }
            lists[l] = (struct test_list){categories[l], LIST_CIDR, text[l], false, NULL};
        }
        struct catalog *catalog = test_catalog(lists, LISTS);
        for (unsigned last = 0; last < 256; last++) {
            struct catalog_hit hit = {{{0, 0}}, false};
            struct catset want = {{0, 0}};
            struct addr addr = first[0][0];
            addr.bytes[14] = (uint8_t)(1 + gen_below(&gen, 3));
            addr.bytes[15] = (uint8_t)last;
            for (size_t l = 0; l < LISTS; l++) {
                unsigned category = 0;
                assert_ok(category_find(str_from(categories[l]), &category));
                for (size_t i = 0; i < 16; i++) {
                    uint32_t mask = bits[l][i] == 96 ? 0 : UINT32_MAX << (128 - bits[l][i]);
                    uint32_t a = 0;
                    uint32_t b = 0;
                    memcpy(&a, &addr.bytes[12], 4);
                    memcpy(&b, &first[l][i].bytes[12], 4);
                    if (((__builtin_bswap32(a) ^ __builtin_bswap32(b)) & mask) == 0) {
                        catset_add(&want, category);
                    }
                }
            }
            catalog_lookup_addr(catalog, &addr, &hit);
            assert_run(gen, memcmp(&want, &hit.categories, sizeof(want)) == 0);
        }
        catalog_free(catalog);
    }
}

TEST(many_entries_of_one_name_are_one_key)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 5000; i++) {
        buf_append(&text, STR("same.example\n"));
    }
    struct test_list lists[] = {{"games", LIST_DOMAINS, buf_cstr(&text), false, NULL},
                                {"news", LIST_DOMAINS, buf_cstr(&text), false, NULL}};
    struct catalog *catalog = test_catalog(lists, 2);
    assert_int_equal(catalog_key_count(catalog), 1);
    assert_int_equal(catalog_count(catalog, CATEGORY_GAMES).names, 1);
    assert_string_equal(test_lookup(catalog, "http://same.example/"), "games,news");
    catalog_free(catalog);
    buf_fini(&text);
}

struct told {
    struct buf text;
};

static void tell_hit(void *ctx, const struct compile_hit *hit)
{
    struct told *told = ctx;
    buf_printf(&told->text, "%s:%u %.*s>%.*s %.*s\n", hit->list, hit->line, STR_ARG(hit->entry),
               STR_ARG(hit->name), STR_ARG(category_row(hit->category)->name));
}

static void tell_idle(void *ctx, const char *file, uint32_t line, struct str entry)
{
    struct told *told = ctx;
    buf_printf(&told->text, "%s:%u %.*s\n", file, line, STR_ARG(entry));
}

static void read_into(struct compile *compile, unsigned category, bool sealed, const char *name,
                      enum list_format format, const char *text)
{
    struct test_reading reading = {.compile = compile, .category = category};
    struct list_sink sink = {.ctx = &reading, .entry = test_take, .fault = test_fault};
    assert_ok(compile_list(compile, category, sealed, name));
    assert_ok(list_read(format, str_from(text), &sink));
}

TEST(F18_popular_names_that_a_list_would_close_are_told_with_their_line)
{
    static const struct str names[] = {STR_INIT("name.example"), STR_INIT("www.shop.example"),
                                       STR_INIT("clean.example"), STR_INIT("sub.full.example"),
                                       STR_INIT("secret.example")};
    struct compile *compile = NULL;
    struct told told;
    buf_init(&told.text, 1 << 16);
    assert_ok(compile_new(&compile));
    read_into(compile, CATEGORY_VPN_PROXY, false, "proxies", LIST_DOMAINS,
              "x.example\nname.example\n");
    read_into(compile, CATEGORY_MALWARE, false, "bad", LIST_URLS,
              "shop.example/\nclean.example/page\n");
    read_into(compile, CATEGORY_GAMES, false, "games", LIST_DOMAINS, "clean.example\n");
    read_into(compile, CATEGORY_MALWARE, false, "full", LIST_V2FLY, "full:full.example\n");
    read_into(compile, CATEGORY_VIOLENCE, true, "sealed", LIST_DOMAINS, "secret.example\n");
    assert_ok(compile_popular(compile, names, 5, tell_hit, &told));
    assert_str_eq(buf_str(&told.text), STR("proxies:2 name.example>name.example vpn-proxy\n"
                                           "bad:1 shop.example>www.shop.example malware\n"
                                           "sealed:1 >secret.example violence\n"));
    buf_fini(&told.text);
    compile_free(compile);
}

TEST(an_exception_that_no_list_of_the_category_holds_is_told)
{
    struct compile *compile = NULL;
    struct told told;
    buf_init(&told.text, 1 << 16);
    assert_ok(compile_new(&compile));
    read_into(compile, CATEGORY_GAMES, false, "games", LIST_DOMAINS, "a.example\n");
    struct test_reading reading = {.compile = compile, .category = CATEGORY_NEWS};
    struct list_sink sink = {.ctx = &reading, .entry = test_except, .fault = test_fault};
    assert_ok(list_read(LIST_URLS, STR("\na.example\n"), &sink));
    reading.category = CATEGORY_GAMES;
    assert_ok(list_read(LIST_URLS, STR("a.example\n"), &sink));
    assert_ok(compile_settle(compile, tell_idle, &told));
    assert_str_eq(buf_str(&told.text), STR("exceptions:2 a.example\n"));
    buf_fini(&told.text);
    compile_free(compile);
}

TEST(addresses_cannot_be_sealed)
{
    struct compile *compile = NULL;
    struct list_entry entry = {.kind = LIST_ENTRY_CIDR, .bits = 128};
    assert_ok(compile_new(&compile));
    assert_ok(compile_list(compile, CATEGORY_TERRORIST_CONTENT, false, "list"));
    assert_err(compile_entry(compile, &entry), ERR_INVALID);
    compile_free(compile);
    compile_free(NULL);
}

TESTS_MAIN(unit(a_lookup_finds_what_a_walk_over_all_lists_finds),
           unit(prefixes_add_up_as_a_walk_over_all_of_them_does),
           unit(many_entries_of_one_name_are_one_key),
           unit(F18_popular_names_that_a_list_would_close_are_told_with_their_line),
           unit(an_exception_that_no_list_of_the_category_holds_is_told),
           unit(addresses_cannot_be_sealed))

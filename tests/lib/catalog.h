/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small catalogs for tests: lists as text in, an open image out.
 *
 *     static const struct test_list lists[] = {{"gambling", LIST_DOMAINS, "bets.example\n"}};
 *     struct catalog *catalog = test_catalog(lists, 1);
 */
#ifndef LODGE_TESTS_CATALOG_H
#define LODGE_TESTS_CATALOG_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalog/catalog.h"
#include "catalog/compile.h"
#include "lib/test.h"

struct test_list {
    const char *category;
    enum list_format format;
    const char *text;
    bool sealed;
    const char *except; /* URLs that are taken out of the category, one a line */
};

struct test_reading {
    struct compile *compile;
    unsigned category;
    unsigned faults;
};

static inline enum err test_take(void *ctx, const struct list_entry *entry)
{
    return compile_entry(((struct test_reading *)ctx)->compile, entry);
}

static inline enum err test_except(void *ctx, const struct list_entry *entry)
{
    struct test_reading *reading = ctx;
    return compile_except(reading->compile, reading->category, entry, "exceptions");
}

static inline void test_fault(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    (void)fault, (void)line, (void)text;
    ((struct test_reading *)ctx)->faults++;
}

static inline void test_idle(void *ctx, const char *file, uint32_t line, struct str entry)
{
    (void)ctx, (void)file, (void)line, (void)entry;
}

/* The image's bytes, to be given to free(). */
static inline struct str test_image(const struct test_list *lists, size_t n)
{
    struct test_reading reading = {0};
    struct compile_totals totals;
    struct str image;
    assert_ok(compile_new(&reading.compile));
    for (size_t i = 0; i < n; i++) {
        struct list_sink sink = {.ctx = &reading, .entry = test_take, .fault = test_fault};
        assert_ok(category_find(str_from(lists[i].category), &reading.category));
        assert_ok(compile_list(reading.compile, reading.category, lists[i].sealed, "list"));
        assert_ok(list_read(lists[i].format, str_from(lists[i].text), &sink));
        sink.entry = test_except;
        assert_ok(list_read(LIST_URLS, str_from(lists[i].except), &sink));
    }
    assert_ok(compile_settle(reading.compile, test_idle, NULL));
    assert_ok(compile_finish(reading.compile, &totals, &image));
    compile_free(reading.compile);
    return image;
}

static inline enum err test_open(struct str image, struct catalog **ret_catalog,
                                 const char **ret_why)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, image.p, image.len), image.len);
    enum err err = catalog_open(fd, ret_catalog, ret_why);
    (void)close(fd);
    return err;
}

static inline struct catalog *test_catalog(const struct test_list *lists, size_t n)
{
    struct str image = test_image(lists, n);
    struct catalog *catalog = NULL;
    const char *why = "";
    assert_ok(test_open(image, &catalog, &why));
    assert_ok(catalog_verify(catalog, &why));
    free((void *)(uintptr_t)image.p);
    return catalog;
}

/* What the catalog says of a URL, as `lodge catalog lookup` prints it; static memory. */
static inline const char *test_lookup(const struct catalog *catalog, const char *text)
{
    static char words[1024];
    struct arena arena;
    struct url url;
    struct catalog_hit hit;
    arena_init(&arena, 1 << 20);
    assert_ok(url_parse(str_from(text), STR("http"), &arena, &url));
    catalog_lookup(catalog, &url, &hit);
    arena_fini(&arena);
    words[0] = '\0';
    for (unsigned c = catset_next(&hit.categories, 0); c < 128 && !hit.sealed;
         c = catset_next(&hit.categories, c + 1)) {
        size_t len = strlen(words);
        snprintf(words + len, sizeof(words) - len, "%s%s", len != 0 ? "," : "",
                 category_row(c)->name.p);
    }
    return hit.sealed ? "sealed" : words[0] != '\0' ? words : "-";
}

#endif

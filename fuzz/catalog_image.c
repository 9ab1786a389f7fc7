/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images: the input is laid over a true one (a 16-bit place, then bytes for it) and its checksums
 * are made true again, so that what lies behind them is reached; or it is an image itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "catalog/catalog.h"
#include "catalog/compile.h"
#include "catalog/image.h"
#include "catalog/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err entry(void *ctx, const struct list_entry *entry)
{
    return compile_entry(ctx, entry);
}

static void fault(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    (void)ctx, (void)fault, (void)line, (void)text;
}

static struct str true_image(void)
{
    static const struct {
        unsigned category;
        enum list_format format;
        struct str text;
    } lists[] = {
        {CATEGORY_GAMES, LIST_DOMAINS, STR_INIT("a.example\nb.example\nwww.c.test\n")},
        {CATEGORY_MALWARE, LIST_URLS, STR_INIT("d.example/a/b\nd.example/c?x=1\n")},
        {CATEGORY_VPN_PROXY, LIST_CIDR, STR_INIT("192.0.2.0/24\n192.0.2.128/25\n")},
        {CATEGORY_TERRORIST_CONTENT, LIST_URLS, STR_INIT("e.example/x\nf.example\n")},
    };
    struct compile *compile = NULL;
    struct compile_totals totals;
    struct str image;
    CHECK(compile_new(&compile) == ERR_OK);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct list_sink sink = {.ctx = compile, .entry = entry, .fault = fault};
        CHECK(compile_list(compile, lists[i].category, false, "") == ERR_OK);
        CHECK(list_read(lists[i].format, lists[i].text, &sink) == ERR_OK);
    }
    CHECK(compile_finish(compile, &totals, &image) == ERR_OK);
    compile_free(compile);
    return image;
}

static void look_up(const struct catalog *catalog)
{
    static const char *const urls[] = {"http://x.a.example/a", "http://d.example/c/d?x=1&y",
                                       "http://192.0.2.200/",  "http://e.example/x/y?z",
                                       "http://f.example/",    "http://www.c.test/"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct arena arena;
        struct catalog_hit hit;
        struct url url;
        arena_init(&arena, 1 << 16);
        CHECK(url_parse(str_from(urls[i]), STR("http"), &arena, &url) == ERR_OK);
        catalog_lookup(catalog, &url, &hit);
        (void)catalog_host_has_sealed_url(catalog, &url.host);
        arena_fini(&arena);
    }
}

static void try_image(const char *bytes, size_t size)
{
    struct catalog *catalog = NULL;
    const char *why = NULL;
    int fd = memfd_create("image", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    if (catalog_open(fd, &catalog, &why) == ERR_OK) {
        look_up(catalog);
        enum err err = catalog_verify(catalog, &why);
        CHECK(err == ERR_OK || err == ERR_INVALID);
        catalog_free(catalog);
    }
    (void)close(fd);
}

static void mend(char *bytes, size_t size)
{
    struct image_header *header = (void *)bytes;
    for (size_t i = 0; i < IMAGE_PARTS; i++) {
        struct image_section *part = &header->sections[i];
        if (part->offset <= size && part->size <= size - part->offset) {
            part->checksum = fasthash64(str_make(bytes + part->offset, part->size), 0);
        }
    }
    header->checksum = fasthash64(str_make(bytes, offsetof(struct image_header, checksum)), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct str image;
    if (image.p == NULL) {
        image = true_image();
    }
    try_image((const char *)data, size);
    if (size < 3) {
        return 0;
    }
    size_t at = (size_t)(data[0] | data[1] << 8) % image.len;
    size_t n = size - 2 < image.len - at ? size - 2 : image.len - at;
    char *changed = malloc(image.len);
    CHECK(changed != NULL);
    memcpy(changed, image.p, image.len);
    memcpy(changed + at, data + 2, n);
    mend(changed, image.len);
    try_image(changed, image.len);
    free(changed);
    return 0;
}

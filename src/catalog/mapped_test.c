/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damaged images: refused with a sentence, and no lookup in one that was not checked leaves it. */
#include "catalog/image.h"
#include "catalog/key.h"
#include "lib/catalog.h"
#include "lib/gen.h"

static const struct test_list lists[] = {
    {"gambling", LIST_DOMAINS, "bets.example\nslots.example\nwww.casino.test\n1.2.3.4\n", false,
     NULL},
    {"malware", LIST_URLS, "files.example/a/b\nfiles.example/c?x=1\n", false, NULL},
    {"games", LIST_V2FLY, "full:play.example\n", false, NULL},
    {"vpn-proxy", LIST_CIDR, "192.0.2.0/24\n192.0.2.128/25\n2001:db8::/32\n", false, NULL},
    {"terrorist-content", LIST_URLS, "worst.example/x\nwhole.example\n", false, NULL},
};

static struct str make(void)
{
    return test_image(lists, sizeof(lists) / sizeof(lists[0]));
}

static void release(struct str image)
{
    free((void *)(uintptr_t)image.p);
}

static char *writable(struct str image)
{
    return (char *)(uintptr_t)image.p;
}

/* Whatever the image says, these stay inside it. */
static void look_everywhere(const struct catalog *catalog)
{
    static const char *const urls[] = {
        "http://www.bets.example/a",   "http://files.example/a/b/c?x=1&y=2",
        "http://play.example/",        "http://192.0.2.200/",
        "http://[2001:db8::1]/x",      "http://worst.example/x/y?z",
        "http://a.whole.example/",     "http://1.2.3.4/",
        "http://unlisted.example.org/"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct arena arena;
        struct catalog_hit hit;
        struct url url;
        arena_init(&arena, 1 << 16);
        assert_ok(url_parse(str_from(urls[i]), STR("http"), &arena, &url));
        catalog_lookup(catalog, &url, &hit);
        (void)catalog_host_has_sealed_url(catalog, &url.host);
        arena_fini(&arena);
    }
}

/* True where the image is refused, by opening it or by the check of every byte. */
static bool is_refused(struct str image)
{
    struct catalog *catalog = NULL;
    const char *why = NULL;
    enum err err = test_open(image, &catalog, &why);
    if (err == ERR_OK) {
        look_everywhere(catalog);
        err = catalog_verify(catalog, &why);
        catalog_free(catalog);
    }
    if (err != ERR_OK) {
        assert_int_equal(err, ERR_INVALID);
        assert_true(strlen(why) > 20);
    }
    return err != ERR_OK;
}

TEST(a_whole_image_is_taken)
{
    struct str image = make();
    assert_false(is_refused(image));
    release(image);
}

TEST(an_image_that_is_cut_short_is_refused_wherever_it_is_cut)
{
    struct str image = make();
    for (size_t part = 0; part < 64; part++) {
        assert_true(is_refused(str_sub(image, 0, image.len * part / 64)));
    }
    assert_true(is_refused(str_sub(image, 0, image.len - 1)));
    release(image);
}

TEST(an_image_with_bytes_behind_it_is_refused)
{
    struct str image = make();
    struct buf longer;
    buf_init(&longer, 1 << 24);
    buf_append(&longer, image);
    buf_append_byte(&longer, '\0');
    assert_true(is_refused(buf_str(&longer)));
    buf_fini(&longer);
    release(image);
}

TEST(a_flipped_bit_is_refused_wherever_it_is)
{
    struct str image = make();
    GEN_RUNS(gen, 3000)
    {
        size_t at = gen_below(&gen, image.len);
        char bit = (char)(1 << gen_below(&gen, 8));
        writable(image)[at] ^= bit;
        assert_run(gen, is_refused(image));
        writable(image)[at] ^= bit;
    }
    assert_false(is_refused(image));
    release(image);
}

TEST(every_byte_of_the_head_matters)
{
    struct str image = make();
    for (size_t at = 0; at < sizeof(struct image_header); at++) {
        writable(image)[at] ^= 0x10;
        assert_true(is_refused(image));
        writable(image)[at] ^= 0x10;
    }
    release(image);
}

/* Makes the checksums true again, as somebody would who means harm. */
static void mend(struct str image)
{
    struct image_header *header = (void *)writable(image);
    for (size_t i = 0; i < IMAGE_PARTS; i++) {
        struct image_section *section = &header->sections[i];
        if (section->offset <= image.len && section->size <= image.len - section->offset) {
            section->checksum = fasthash64(str_make(image.p + section->offset, section->size), 0);
        }
    }
    header->checksum = fasthash64(str_make(image.p, offsetof(struct image_header, checksum)), 0);
}

TEST(an_image_forged_with_true_checksums_never_leads_a_lookup_astray)
{
    struct str image = make();
    struct buf forged;
    buf_init(&forged, 1 << 24);
    GEN_RUNS(gen, 3000)
    {
        buf_clear(&forged);
        buf_append(&forged, image);
        for (size_t n = 1 + gen_below(&gen, 8); n != 0; n--) {
            size_t at = gen_chance(&gen, 30) ? gen_below(&gen, sizeof(struct image_header))
                                             : gen_below(&gen, image.len);
            forged.p[at] = (char)gen_u64(&gen);
        }
        mend(buf_str(&forged));
        (void)is_refused(buf_str(&forged));
    }
    buf_fini(&forged);
    release(image);
}

static struct image_section *section_of(struct str image, enum image_part part)
{
    return &((struct image_header *)(void *)writable(image))->sections[part];
}

TEST(an_image_that_contradicts_itself_is_refused)
{
    static const enum image_part parts[] = {IMAGE_DIR, IMAGE_KEYS, IMAGE_SPANS, IMAGE_SEALED};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct str image = make();
        struct image_section *section = section_of(image, parts[i]);
        memset(writable(image) + section->offset, 0xff, section->size);
        mend(image);
        assert_true(is_refused(image));
        release(image);
    }
}

TEST(an_image_of_another_version_or_with_other_categories_says_so)
{
    const char *why = NULL;
    struct catalog *catalog = NULL;
    struct str image = make();
    ((struct image_header *)(void *)writable(image))->version++;
    mend(image);
    assert_err(test_open(image, &catalog, &why), ERR_INVALID);
    assert_non_null(strstr(why, "version"));
    release(image);
    image = make();
    writable(image)[section_of(image, IMAGE_CATEGORIES)->offset + sizeof(uint32_t)] ^= 1;
    mend(image);
    assert_err(test_open(image, &catalog, &why), ERR_INVALID);
    assert_non_null(strstr(why, "categories"));
    release(image);
}

TEST(what_is_not_a_file_is_refused)
{
    int ends[2];
    struct catalog *catalog = NULL;
    const char *why = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_err(catalog_open(ends[0], &catalog, &why), ERR_INVALID);
    close(ends[0]);
    close(ends[1]);
    assert_err(catalog_open(ends[0], &catalog, &why), ERR_SYSTEM);
}

TESTS_MAIN(unit(a_whole_image_is_taken),
           unit(an_image_that_is_cut_short_is_refused_wherever_it_is_cut),
           unit(an_image_with_bytes_behind_it_is_refused),
           unit(a_flipped_bit_is_refused_wherever_it_is), unit(every_byte_of_the_head_matters),
           unit(an_image_forged_with_true_checksums_never_leads_a_lookup_astray),
           unit(an_image_that_contradicts_itself_is_refused),
           unit(an_image_of_another_version_or_with_other_categories_says_so),
           unit(what_is_not_a_file_is_refused))

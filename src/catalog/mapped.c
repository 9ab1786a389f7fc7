/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening an image, and the check of every byte. */
#include "catalog/mapped.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "catalog/key.h"

static enum err refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return ERR_INVALID;
}

/* Every section begins on a page, inside the file, and does not reach into the next. */
static bool sections_fit(const struct image_header *header)
{
    for (size_t i = 0; i < IMAGE_PARTS; i++) {
        const struct image_section *a = &header->sections[i];
        if (a->offset % IMAGE_PAGE != 0 || a->offset < sizeof(*header) ||
            a->offset > header->size || a->size > header->size - a->offset) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            const struct image_section *b = &header->sections[j];
            if (a->offset < b->offset + b->size && b->offset < a->offset + a->size) {
                return false;
            }
        }
    }
    return true;
}

/* Sizes that must agree with each other. */
static bool sizes_agree(const struct image_header *header)
{
    const struct image_section *of = header->sections;
    return header->n_buckets != 0 &&
           of[IMAGE_DIR].size == ((uint64_t)header->n_buckets + 1) * sizeof(uint32_t) &&
           of[IMAGE_FILTER].size != 0 && of[IMAGE_FILTER].size % sizeof(uint64_t) == 0 &&
           of[IMAGE_SETS].size % sizeof(struct image_set) == 0 &&
           of[IMAGE_STARTS].size % sizeof(struct addr) == 0 &&
           of[IMAGE_STARTS].size / sizeof(struct addr) == of[IMAGE_SPANS].size / sizeof(uint32_t) &&
           of[IMAGE_SPANS].size % sizeof(uint32_t) == 0 &&
           of[IMAGE_SEALED].size % sizeof(struct image_sealed) == 0 && of[IMAGE_SIEVE].size != 0 &&
           of[IMAGE_SIEVE].size % sizeof(uint64_t) == 0 &&
           of[IMAGE_CATEGORIES].size % sizeof(struct image_category) == 0 &&
           of[IMAGE_COUNTS].size == LIMIT_CATEGORIES * sizeof(struct image_count);
}

/* The categories that the image speaks of must mean the same here. */
static bool categories_known(const struct catalog *catalog)
{
    struct str bytes = catalog_section(catalog, IMAGE_CATEGORIES);
    for (size_t at = 0; at < bytes.len; at += sizeof(struct image_category)) {
        struct image_category item;
        memcpy(&item, bytes.p + at, sizeof(item));
        const struct category_row *row = category_row(item.number);
        if (row == NULL || row->name.len >= sizeof(item.name) ||
            memcmp(row->name.p, item.name, row->name.len) != 0 || item.name[row->name.len] != 0) {
            return false;
        }
    }
    return true;
}

static void find_sections(struct catalog *catalog)
{
    catalog->sets = (const void *)catalog_section(catalog, IMAGE_SETS).p;
    catalog->filter = (const void *)catalog_section(catalog, IMAGE_FILTER).p;
    catalog->dir = (const void *)catalog_section(catalog, IMAGE_DIR).p;
    catalog->keys = catalog_section(catalog, IMAGE_KEYS);
    catalog->starts = (const void *)catalog_section(catalog, IMAGE_STARTS).p;
    catalog->spans = (const void *)catalog_section(catalog, IMAGE_SPANS).p;
    catalog->sealed = (const void *)catalog_section(catalog, IMAGE_SEALED).p;
    catalog->sieve = (const void *)catalog_section(catalog, IMAGE_SIEVE).p;
    catalog->counts = (const void *)catalog_section(catalog, IMAGE_COUNTS).p;
    catalog->n_sets = catalog_section(catalog, IMAGE_SETS).len / sizeof(struct image_set);
    catalog->n_words = catalog_section(catalog, IMAGE_FILTER).len / sizeof(uint64_t);
    catalog->n_sieve = catalog_section(catalog, IMAGE_SIEVE).len / sizeof(uint64_t);
    catalog->n_starts = catalog_section(catalog, IMAGE_STARTS).len / sizeof(struct addr);
    catalog->n_sealed = catalog_section(catalog, IMAGE_SEALED).len / sizeof(struct image_sealed);
}

static enum err check_header(struct catalog *catalog, const char **ret_why)
{
    const struct image_header *header = catalog->header;
    struct str before = str_make((const char *)header, offsetof(struct image_header, checksum));
    if (memcmp(header->magic, IMAGE_MAGIC, sizeof(header->magic)) != 0) {
        return refuse(ret_why, "this is not a catalog image");
    }
    if (header->version != IMAGE_VERSION) {
        return refuse(ret_why, "the catalog image is of another version; build it again");
    }
    if (fasthash64(before, 0) != header->checksum) {
        return refuse(ret_why, "the head of the catalog image is damaged");
    }
    if (header->size != catalog->size) {
        return refuse(ret_why, "the catalog image is cut short or has something behind it");
    }
    if (header->generation == 0 || !sections_fit(header) || !sizes_agree(header)) {
        return refuse(ret_why, "the parts of the catalog image do not fit together");
    }
    if (!categories_known(catalog)) {
        return refuse(ret_why, "the catalog image has categories that this version of Lodge does "
                               "not know; build it again");
    }
    return ERR_OK;
}

enum err catalog_open(int fd, struct catalog **ret_catalog, const char **ret_why)
{
    struct stat info;
    *ret_why = "the catalog image cannot be read";
    if (fstat(fd, &info) != 0) {
        return ERR_SYSTEM;
    }
    if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size < sizeof(struct image_header)) {
        return refuse(ret_why, "this is not a catalog image: it is too short");
    }
    struct catalog *catalog = calloc(1, sizeof(*catalog));
    if (catalog == NULL) {
        return ERR_MEMORY;
    }
    catalog->size = (size_t)info.st_size;
    catalog->map = mmap(NULL, catalog->size, PROT_READ, MAP_SHARED, fd, 0);
    if (catalog->map == MAP_FAILED) {
        free(catalog);
        return ERR_SYSTEM;
    }
    catalog->header = catalog->map;
    enum err err = check_header(catalog, ret_why);
    if (err != ERR_OK) {
        catalog_free(catalog);
        return err;
    }
    find_sections(catalog);
    *ret_catalog = catalog;
    return ERR_OK;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog != NULL) {
        (void)munmap(catalog->map, catalog->size);
        free(catalog);
    }
}

struct catalog_count catalog_count(const struct catalog *catalog, unsigned category)
{
    struct catalog_count count = {0};
    if (category < LIMIT_CATEGORIES) {
        const struct image_count *row = &catalog->counts[category];
        count = (struct catalog_count){row->names, row->urls, row->prefixes};
    }
    return count;
}

uint64_t catalog_sealed_count(const struct catalog *catalog)
{
    return catalog->n_sealed;
}

uint64_t catalog_key_count(const struct catalog *catalog)
{
    return catalog->header->n_keys;
}

uint64_t catalog_size(const struct catalog *catalog)
{
    return catalog->size;
}

/* Buckets lie one behind the other, are whole, and name sets that exist. */
static bool buckets_hold(const struct catalog *catalog)
{
    uint32_t n_buckets = catalog->header->n_buckets;
    if (catalog->dir[0] != 0 || catalog->dir[n_buckets] != catalog->keys.len) {
        return false;
    }
    for (uint32_t b = 0; b < n_buckets; b++) {
        struct bucket_view view;
        struct str text;
        if (!bucket_view(catalog, b, &view)) {
            return false;
        }
        for (size_t i = 0; i < view.n; i++) {
            uint16_t set = 0;
            memcpy(&set, view.sets + i * sizeof(set), sizeof(set));
            if (set >= catalog->n_sets || !bucket_text(&view.texts, view.lengths[i], &text)) {
                return false;
            }
        }
        if (view.texts.len != 0) {
            return false;
        }
    }
    return true;
}

static bool spans_hold(const struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_starts; i++) {
        if (catalog->spans[i] >= catalog->n_sets ||
            (i != 0 &&
             memcmp(&catalog->starts[i - 1], &catalog->starts[i], sizeof(struct addr)) >= 0)) {
            return false;
        }
    }
    return true;
}

static bool sealed_hold(const struct catalog *catalog)
{
    enum { ORDERED = offsetof(struct image_sealed, url) };
    for (size_t i = 0; i < catalog->n_sealed; i++) {
        const struct image_sealed *a = &catalog->sealed[i];
        if (a->set >= catalog->n_sets || a->is_url > 1 || !sealed_may_have(catalog, a->host) ||
            (i != 0 && memcmp(catalog->sealed[i - 1].host, a->host, ORDERED) > 0)) {
            return false;
        }
    }
    return true;
}

static bool sets_hold(const struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_sets; i++) {
        struct catset all = catalog->sets[i].below;
        catset_join(&all, &catalog->sets[i].exact);
        for (unsigned c = catset_next(&all, 0); c < LIMIT_CATEGORIES;
             c = catset_next(&all, c + 1)) {
            if (category_row(c) == NULL) {
                return false;
            }
        }
    }
    return true;
}

/* No byte lies outside the header and the sections but zeros. */
static bool gaps_are_zero(const struct catalog *catalog)
{
    const char *bytes = catalog->map;
    size_t at = sizeof(*catalog->header);
    while (at < catalog->size) {
        size_t next = catalog->size;
        size_t end = next;
        for (size_t i = 0; i < IMAGE_PARTS; i++) {
            const struct image_section *section = &catalog->header->sections[i];
            if (section->offset >= at && section->size != 0 && section->offset < next) {
                next = section->offset;
                end = section->offset + section->size;
            }
        }
        for (; at < next; at++) {
            if (bytes[at] != 0) {
                return false;
            }
        }
        at = end;
    }
    return true;
}

enum err catalog_verify(const struct catalog *catalog, const char **ret_why)
{
    for (unsigned i = 0; i < IMAGE_PARTS; i++) {
        struct str bytes = catalog_section(catalog, (enum image_part)i);
        if (fasthash64(bytes, 0) != catalog->header->sections[i].checksum) {
            return refuse(ret_why, "the catalog image is damaged: a checksum does not hold");
        }
    }
    if (!gaps_are_zero(catalog)) {
        return refuse(ret_why, "the catalog image is damaged: something lies between its parts");
    }
    if (!buckets_hold(catalog) || !spans_hold(catalog) || !sealed_hold(catalog) ||
        !sets_hold(catalog)) {
        return refuse(ret_why, "the catalog image contradicts itself; build it again");
    }
    return ERR_OK;
}

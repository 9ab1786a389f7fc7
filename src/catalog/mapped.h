/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An open image, private to this folder. The sections' places and sizes are checked by
 * catalog_open, what they hold by catalog_verify; lookups stay inside the sections whatever they
 * hold. */
#ifndef LODGE_CATALOG_MAPPED_H
#define LODGE_CATALOG_MAPPED_H

#include "catalog/catalog.h"
#include "catalog/image.h"

struct catalog {
    void *map;
    size_t size;
    const struct image_header *header;
    const struct image_set *sets;
    const uint64_t *filter;
    const uint32_t *dir;
    struct str keys;
    const struct addr *starts;
    const uint32_t *spans;
    const struct image_sealed *sealed;
    const uint64_t *sieve;
    const struct image_count *counts;
    size_t n_sets;
    size_t n_words;
    size_t n_starts;
    size_t n_sealed;
    size_t n_sieve;
};

static inline struct str catalog_section(const struct catalog *catalog, enum image_part part)
{
    const struct image_section *section = &catalog->header->sections[part];
    return str_make((const char *)catalog->map + section->offset, section->size);
}

/* A bucket as it lies in KEYS. */
struct bucket_view {
    size_t n;
    const uint8_t *tags;
    const char *sets; /* u16 each, not aligned */
    const uint8_t *lengths;
    struct str texts;
};

/* False for a bucket that is not whole. */
bool bucket_view(const struct catalog *catalog, uint32_t number, struct bucket_view *ret_view);

/* The text of the bucket's next key, which has the length byte given, and moves *texts behind it.
 * False where the bucket ends before. */
bool bucket_text(struct str *texts, uint8_t length, struct str *ret_text);

/* False where no sealed entry has a host of this hash. */
bool sealed_may_have(const struct catalog *catalog, const uint8_t hash[SHA256_BYTES]);

/* What sealed entries say of a host (suffixes of a name, else itself) and, where url is not NULL,
 * of the URL. */
void sealed_lookup(const struct catalog *catalog, const struct host *host, const struct url *url,
                   struct catalog_hit *hit);

/* The categories of set `number`; nothing for a number that is none. */
void catalog_join(const struct catalog *catalog, uint32_t number, struct catset *to);

#endif

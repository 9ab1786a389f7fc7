/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image's form on disk, private to this folder. Little-endian, sections on page borders.
 *
 * names    A key is a canonical host ("a.example"), or a host and a path ("a.example/x", and
 *          "a.example/x?v=1") in lower case without a final slash. Its hash chooses a bucket.
 * FILTER holds four bits of each key's hash in one 64-bit word, so that most keys that are not in
 *          the image cost one read. DIR holds n_buckets + 1 offsets into KEYS, where a bucket is:
 *            u8 count; u8 tags[count]; u16 sets[count]; u8 lengths[count]; the keys' bytes
 *          A length of 255 says that the key's bytes begin with their true length as a u16.
 * SETS     Every different combination of categories once; names, prefixes and sealed entries
 *          refer to it by number.
 * STARTS,  The address space cut at each border of a prefix, in order; STARTS[i] up to STARTS[i +
 * 1] SPANS    has set SPANS[i], which holds the categories of all prefixes that cover it. SEALED
 * SHA-256 of host and URL, in order, and their set. Nothing in the clear. COUNTS   Entries by
 * category, for people.
 */
#ifndef LODGE_CATALOG_IMAGE_H
#define LODGE_CATALOG_IMAGE_H

#include <stdint.h>

#include "base/limits.h"
#include "base/str.h"
#include "catalog/catset.h"
#include "crypto/hash.h"
#include "wire/addr.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the image is little-endian");

#define IMAGE_MAGIC "LODGECAT"

enum {
    IMAGE_VERSION = 1,
    IMAGE_PAGE = 4096,
    IMAGE_BUCKET_KEYS = 6,  /* on average */
    IMAGE_BUCKET_MAX = 255, /* a count is a byte */
    IMAGE_LONG_KEY = 255,
    IMAGE_FILTER_BITS = 10, /* for each key */
    IMAGE_SETS_MAX = 65535,
};

enum image_part {
    IMAGE_CATEGORIES,
    IMAGE_SETS,
    IMAGE_FILTER,
    IMAGE_DIR,
    IMAGE_KEYS,
    IMAGE_STARTS,
    IMAGE_SPANS,
    IMAGE_SEALED,
    IMAGE_SIEVE,
    IMAGE_COUNTS,
    IMAGE_PARTS,
};

struct image_section {
    uint64_t offset;
    uint64_t size;
    uint64_t checksum; /* XXH3 of the section's bytes */
};

struct image_header {
    char magic[8];
    uint32_t version;
    uint32_t path_depth; /* most segments of a path in KEYS */
    uint64_t size;       /* of the file */
    uint64_t generation;
    uint64_t n_keys;
    uint32_t n_buckets;
    uint32_t n_sealed_urls;
    struct image_section sections[IMAGE_PARTS];
    uint64_t checksum; /* of all before this */
};

/* A row of CATEGORIES: the build that reads must mean the same. */
struct image_category {
    uint32_t number;
    char name[60]; /* NUL-padded */
};

enum image_flag {
    IMAGE_HAS_PATHS = 1, /* some key is this host and a path */
};

struct image_set {
    struct catset below; /* of the key and all below it */
    struct catset exact; /* of the key alone */
    uint64_t flags;
};

struct image_sealed {
    uint8_t host[SHA256_BYTES];
    uint8_t url[SHA256_BYTES]; /* all zero where is_url is 0: the whole host */
    uint32_t is_url;
    uint32_t set;
};

struct image_count {
    uint64_t names;
    uint64_t urls;
    uint64_t prefixes;
};

/* What is looked up: path and query are empty for a host. path has no final slash. */
struct key {
    struct str host;
    struct str path;
    struct str query;
};

#endif

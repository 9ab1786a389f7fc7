/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes of keys, private to this folder: made part by part, so that one pass over a host gives
 * those of all its suffixes, and one over a path those of all its prefixes. */
#ifndef LODGE_CATALOG_KEY_H
#define LODGE_CATALOG_KEY_H

#include <stdbool.h>

#include "base/str.h"
#include "catalog/image.h"
#include "catalog/list.h"
#include "crypto/fasthash.h"

enum { KEY_LABELS_MAX = LIMIT_HOST_LEN / 2 + 1 };

/* The suffixes of a host, the shortest first; an address has itself alone. */
struct suffixes {
    unsigned count;
    uint8_t at[KEY_LABELS_MAX]; /* where each begins */
    uint64_t hash[KEY_LABELS_MAX];
};

void key_suffixes(struct str host, bool is_name, struct suffixes *ret_suffixes);

/* The hash of a whole canonical host. */
uint64_t key_hash_host(struct str host, bool is_name);

static inline uint64_t key_hash_segment(uint64_t before, struct str segment)
{
    return fasthash64(segment, before ^ UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t key_hash_query(uint64_t before, struct str query)
{
    return fasthash64(query, before ^ UINT64_C(0xc2b2ae3d27d4eb4f));
}

static inline uint32_t key_bucket(uint64_t hash, uint32_t n_buckets)
{
    return (uint32_t)(((hash >> 32) * n_buckets) >> 32);
}

static inline uint8_t key_tag(uint64_t hash)
{
    return (uint8_t)hash;
}

/* The word of the filter and the bits in it. */
static inline uint64_t key_filter_word(uint64_t hash, uint64_t n_words)
{
    return (uint64_t)(((unsigned __int128)hash * n_words) >> 64);
}

static inline uint64_t key_filter_bits(uint64_t hash)
{
    return UINT64_C(1) << (hash >> 8 & 63) | UINT64_C(1) << (hash >> 14 & 63) |
           UINT64_C(1) << (hash >> 20 & 63) | UINT64_C(1) << (hash >> 26 & 63);
}

/* The hash of a sealed host as the filter takes it. */
static inline uint64_t key_of_sealed(const uint8_t hash[SHA256_BYTES])
{
    uint64_t key = 0;
    memcpy(&key, hash, sizeof(key));
    return key;
}

/* The form in which paths and queries are keys: lower case, without a final slash. Writes at most
 * max bytes; longer text is cut. */
struct str key_fold(struct str text, char *to, size_t max);
struct str key_trim_path(struct str path);

/* The end of the segment that begins with the slash at `from`: in "/a/b/c", 0 gives 2, 2 gives 4.
 */
size_t key_path_border(struct str path, size_t from);

static inline size_t key_len(const struct key *key)
{
    return key->host.len + key->path.len + (key->query.len != 0 ? 1 + key->query.len : 0);
}

/* True where text is the key's bytes. */
bool key_is(const struct key *key, struct str text);

#endif

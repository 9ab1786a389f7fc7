/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealed entries: SHA-256 of hosts and URLs, nothing in the clear (requirements F1-F3, I1, I2).
 *
 * Tried are each suffix of the host, and for each the URL's path cut at each segment border, with
 * and without the slash there, each with and without the query. Case counts, as in the hash.
 */
#include "catalog/key.h"
#include "catalog/mapped.h"

/* Prefixes that are tried with the query, the whole path apart: a request of 16 KiB of slashes and
 * query would else cost a hash of 64 MiB. */
enum { QUERY_DEPTH = 64 };

/* The records of one host: [from, to). */
struct range {
    size_t from;
    size_t to;
};

static int compare_host(const struct image_sealed *record, const uint8_t hash[SHA256_BYTES])
{
    return memcmp(record->host, hash, SHA256_BYTES);
}

bool sealed_may_have(const struct catalog *catalog, const uint8_t hash[SHA256_BYTES])
{
    uint64_t key = key_of_sealed(hash);
    uint64_t bits = key_filter_bits(key);
    return (catalog->sieve[key_filter_word(key, catalog->n_sieve)] & bits) == bits;
}

/* The first record from `low` on whose host is not before the hash, or, with `behind`, is behind
 * it.
 */
static size_t search(const struct catalog *catalog, size_t low, const uint8_t hash[SHA256_BYTES],
                     bool behind)
{
    size_t high = catalog->n_sealed;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare_host(&catalog->sealed[mid], hash);
        if (order < 0 || (behind && order == 0)) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static struct range find_host(const struct catalog *catalog, struct str host)
{
    uint8_t hash[SHA256_BYTES];
    struct range range = {0, 0};
    sha256(host, hash);
    if (sealed_may_have(catalog, hash)) {
        range.from = search(catalog, 0, hash, false);
        range.to = search(catalog, range.from, hash, true);
    }
    return range;
}

static void take(const struct catalog *catalog, size_t index, struct catalog_hit *hit)
{
    hit->sealed = true;
    catalog_join(catalog, catalog->sealed[index].set, &hit->categories);
}

/* Takes the record of this URL, whose hash so far is state. */
static void try_url(const struct catalog *catalog, struct range range, struct sha256 state,
                    struct str more, struct catalog_hit *hit)
{
    uint8_t hash[SHA256_BYTES];
    sha256_update(&state, more);
    sha256_final(&state, hash);
    while (range.from < range.to) {
        size_t mid = range.from + (range.to - range.from) / 2;
        const struct image_sealed *record = &catalog->sealed[mid];
        int order = record->is_url == 0 ? -1 : memcmp(record->url, hash, sizeof(hash));
        if (order == 0) {
            take(catalog, mid, hit);
            return;
        }
        if (order < 0) {
            range.from = mid + 1;
        } else {
            range.to = mid;
        }
    }
}

/* Tries what state has come to, and the same with the query. */
static void try_both(const struct catalog *catalog, struct range range, struct sha256 state,
                     const struct url *url, bool with_query, struct catalog_hit *hit)
{
    try_url(catalog, range, state, STR(""), hit);
    if (url->has_query && with_query) {
        sha256_update(&state, STR("?"));
        try_url(catalog, range, state, url->query, hit);
    }
}

static void take_urls(const struct catalog *catalog, struct range range, struct str host,
                      const struct url *url, struct catalog_hit *hit)
{
    struct str path = key_trim_path(url->path);
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, host);
    for (size_t at = 0, depth = 0;; depth++) {
        struct sha256 with_slash = state;
        bool with_query = depth < QUERY_DEPTH || at == path.len;
        sha256_update(&with_slash, STR("/"));
        try_both(catalog, range, state, url, with_query, hit);
        try_both(catalog, range, with_slash, url, with_query, hit);
        if (at == path.len) {
            break;
        }
        size_t end = key_path_border(path, at);
        sha256_update(&state, str_make(path.p + at, end - at));
        at = end;
    }
}

static size_t next_suffix(struct str text, size_t at, bool is_name)
{
    return is_name ? at + 1 + str_index(str_skip(text, at), '.') : text.len;
}

void sealed_lookup(const struct catalog *catalog, const struct host *host, const struct url *url,
                   struct catalog_hit *hit)
{
    struct str text = host_str(host);
    for (size_t at = 0; at < text.len; at = next_suffix(text, at, host->kind == HOST_NAME)) {
        struct range range = find_host(catalog, str_skip(text, at));
        if (range.from == range.to) {
            continue;
        }
        /* A record of the whole host comes before those of its URLs. */
        if (catalog->sealed[range.from].is_url == 0) {
            take(catalog, range.from, hit);
        }
        if (url != NULL) {
            take_urls(catalog, range, str_skip(text, at), url, hit);
        }
    }
}

bool catalog_host_has_sealed_url(const struct catalog *catalog, const struct host *host)
{
    struct str text = host_str(host);
    if (catalog->header->n_sealed_urls == 0) {
        return false;
    }
    for (size_t at = 0; at < text.len; at = next_suffix(text, at, host->kind == HOST_NAME)) {
        struct range range = find_host(catalog, str_skip(text, at));
        if (range.from != range.to && catalog->sealed[range.to - 1].is_url != 0) {
            return true;
        }
    }
    return false;
}

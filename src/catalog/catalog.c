/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lookups. A host costs one hash and, mostly, one word of the filter for each of its suffixes.
 *
 * A URL entry without a query holds for its path and all below it on segment borders, with any
 * query. One with a query holds for its very path, and for a query that has the entry's parameters
 * at its front (up to a '&'), or, where the entry has one parameter, anywhere: watch?v=X is found
 * in watch?v=X&t=10 and in watch?app=desktop&v=X, never in watch?v=Y. Both in any case of letters,
 * as public lists fold it.
 */
#include "catalog/catalog.h"

#include "catalog/key.h"
#include "catalog/mapped.h"

uint64_t catalog_generation(const struct catalog *catalog)
{
    return catalog->header->generation;
}

void catalog_join(const struct catalog *catalog, uint32_t number, struct catset *to)
{
    if (number < catalog->n_sets) {
        catset_join(to, &catalog->sets[number].below);
    }
}

bool bucket_view(const struct catalog *catalog, uint32_t number, struct bucket_view *ret_view)
{
    uint32_t from = catalog->dir[number];
    uint32_t to = catalog->dir[number + 1];
    if (from >= to || to > catalog->keys.len) {
        return false;
    }
    const char *p = catalog->keys.p + from;
    size_t n = (uint8_t)p[0];
    if (1 + n * 4 > to - from) {
        return false;
    }
    *ret_view = (struct bucket_view){
        .n = n,
        .tags = (const uint8_t *)p + 1,
        .sets = p + 1 + n,
        .lengths = (const uint8_t *)p + 1 + n * 3,
        .texts = str_make(p + 1 + n * 4, to - from - 1 - n * 4),
    };
    return true;
}

bool bucket_text(struct str *texts, uint8_t length, struct str *ret_text)
{
    size_t len = length;
    if (length == IMAGE_LONG_KEY) {
        uint16_t real = 0;
        if (texts->len < sizeof(real)) {
            return false;
        }
        memcpy(&real, texts->p, sizeof(real));
        *texts = str_skip(*texts, sizeof(real));
        len = real;
    }
    if (texts->len < len) {
        return false;
    }
    *ret_text = str_sub(*texts, 0, len);
    *texts = str_skip(*texts, len);
    return true;
}

static bool may_have(const struct catalog *catalog, uint64_t hash)
{
    uint64_t bits = key_filter_bits(hash);
    return (catalog->filter[key_filter_word(hash, catalog->n_words)] & bits) == bits;
}

/* The set of a key, or NULL where the image does not have it. */
static const struct image_set *find(const struct catalog *catalog, uint64_t hash,
                                    const struct key *key)
{
    struct bucket_view view;
    if (!may_have(catalog, hash) ||
        !bucket_view(catalog, key_bucket(hash, catalog->header->n_buckets), &view) ||
        memchr(view.tags, key_tag(hash), view.n) == NULL) {
        return NULL;
    }
    struct str texts = view.texts;
    for (size_t i = 0; i < view.n; i++) {
        struct str text;
        if (!bucket_text(&texts, view.lengths[i], &text)) {
            return NULL;
        }
        if (view.tags[i] == key_tag(hash) && key_is(key, text)) {
            uint16_t set = 0;
            memcpy(&set, view.sets + i * sizeof(set), sizeof(set));
            return set < catalog->n_sets ? &catalog->sets[set] : NULL;
        }
    }
    return NULL;
}

static void take_key(const struct catalog *catalog, uint64_t hash, const struct key *key,
                     struct catset *to)
{
    const struct image_set *set = find(catalog, hash, key);
    if (set != NULL) {
        catset_join(to, &set->below);
    }
}

/* Each parameter alone, however many a request has, and the first ones together. */
static void take_query(const struct catalog *catalog, uint64_t hash, struct key key,
                       struct str query, struct catset *to)
{
    char folded[2 * LIST_URL_MAX];
    struct str front = key_fold(query, folded, LIST_URL_MAX);
    size_t n = 0;
    for (size_t from = 0; from < query.len; n++) {
        size_t end = from + str_index(str_skip(query, from), '&');
        if (end - from <= LIST_URL_MAX) {
            key.query =
                key_fold(str_make(query.p + from, end - from), folded + LIST_URL_MAX, LIST_URL_MAX);
            take_key(catalog, key_hash_query(hash, key.query), &key, to);
        }
        if (n != 0 && n < LIST_PARAMS_MAX && end <= front.len) {
            key.query = str_sub(front, 0, end);
            take_key(catalog, key_hash_query(hash, key.query), &key, to);
        }
        from = end + 1;
    }
}

/* The paths below a host that is known to have some. */
static void take_paths(const struct catalog *catalog, uint64_t hash, struct str host,
                       const struct url *url, struct catset *to)
{
    char folded[LIST_URL_MAX];
    struct str whole = key_trim_path(url->path);
    struct str path = key_fold(whole, folded, LIST_URL_MAX);
    struct key key = {.host = host};
    size_t at = 0;
    for (uint32_t depth = 0; at < path.len && depth < catalog->header->path_depth; depth++) {
        size_t end = key_path_border(path, at);
        if (end == path.len && path.len < whole.len) {
            return; /* cut inside a segment */
        }
        hash = key_hash_segment(hash, str_make(path.p + at, end - at));
        key.path = str_sub(path, 0, end);
        take_key(catalog, hash, &key, to);
        at = end;
    }
    if (at == whole.len && url->has_query) {
        take_query(catalog, hash, key, url->query, to);
    }
}

static void take_names(const struct catalog *catalog, const struct host *host,
                       const struct url *url, struct catset *to)
{
    struct suffixes all;
    struct str text = host_str(host);
    key_suffixes(text, host->kind == HOST_NAME, &all);
    for (unsigned i = 0; i < all.count; i++) {
        __builtin_prefetch(&catalog->filter[key_filter_word(all.hash[i], catalog->n_words)]);
        __builtin_prefetch(&catalog->dir[key_bucket(all.hash[i], catalog->header->n_buckets)]);
    }
    for (unsigned i = 0; i < all.count; i++) {
        struct key key = {.host = str_skip(text, all.at[i])};
        const struct image_set *set = find(catalog, all.hash[i], &key);
        if (set == NULL) {
            continue;
        }
        catset_join(to, &set->below);
        if (all.at[i] == 0) {
            catset_join(to, &set->exact);
        }
        if (url != NULL && (set->flags & IMAGE_HAS_PATHS) != 0) {
            take_paths(catalog, all.hash[i], key.host, url, to);
        }
    }
}

void catalog_lookup_addr(const struct catalog *catalog, const struct addr *addr,
                         struct catalog_hit *hit)
{
    size_t low = 0;
    size_t high = catalog->n_starts;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (memcmp(&catalog->starts[mid], addr, sizeof(*addr)) <= 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low != 0) {
        catalog_join(catalog, catalog->spans[low - 1], &hit->categories);
    }
}

static void take_all(const struct catalog *catalog, const struct host *host, const struct url *url,
                     struct catalog_hit *ret_hit)
{
    *ret_hit = (struct catalog_hit){{{0, 0}}, false};
    take_names(catalog, host, url, &ret_hit->categories);
    if (host->kind != HOST_NAME) {
        catalog_lookup_addr(catalog, &host->addr, ret_hit);
    }
    if (catalog->n_sealed != 0) {
        sealed_lookup(catalog, host, url, ret_hit);
    }
}

void catalog_lookup(const struct catalog *catalog, const struct url *url,
                    struct catalog_hit *ret_hit)
{
    take_all(catalog, &url->host, url, ret_hit);
}

void catalog_lookup_host(const struct catalog *catalog, const struct host *host,
                         struct catalog_hit *ret_hit)
{
    take_all(catalog, host, NULL, ret_hit);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The school's lists as one table of hosts. */
#include "policy/match_impl.h"

#include <stdlib.h>

#include "base/check.h"

enum err pattern_parse(struct str text, struct arena *arena, struct pattern *ret_pattern)
{
    struct url url = {0};
    struct str clean = str_trim_space(text);
    if (clean.len == 0 || str_index(clean, '@') < str_index(clean, '/')) {
        return ERR_INVALID;
    }
    ERR_TRY(url_parse(clean, STR("http"), arena, &url));
    if (url.port != url_default_port(url.scheme)) {
        return ERR_INVALID;
    }
    struct str path = url.path;
    if (path.len != 0 && path.p[path.len - 1] == '/' && (!url.has_query || path.len == 1)) {
        path.len -= url.has_query ? 0 : 1;
    }
    struct pattern made = {
        .host = arena_dup(arena, host_str(&url.host)),
        .path = arena_dup(arena, path),
        .query = arena_dup(arena, url.query),
        .has_query = url.has_query,
    };
    if (arena->failed) {
        return ERR_MEMORY;
    }
    *ret_pattern = made;
    return ERR_OK;
}

static bool path_matches(const struct pattern *pattern, const struct url *url)
{
    if (pattern->path.len == 0) {
        return true;
    }
    if (url == NULL) {
        return false;
    }
    if (pattern->has_query) {
        return str_eq(url->path, pattern->path) && url->has_query &&
               str_eq(url->query, pattern->query);
    }
    return str_starts(url->path, pattern->path) &&
           (url->path.len == pattern->path.len || url->path.p[pattern->path.len] == '/');
}

bool pattern_matches(const struct pattern *pattern, const struct host *host, const struct url *url)
{
    struct str name = host_str(host);
    struct str suffix = pattern->host;
    bool same =
        str_ends(name, suffix) &&
        (name.len == suffix.len || (host->kind == HOST_NAME && host_is_below(name, suffix)));
    return same && path_matches(pattern, url);
}

/* One step of a hash that runs from the end of a name to its front, so that one walk gives the hash
 * of each suffix. */
static inline uint64_t hash_step(uint64_t hash, char c)
{
    return (hash ^ (uint8_t)c) * UINT64_C(0x100000001b3);
}

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

static inline size_t hash_slot(uint64_t hash, size_t mask)
{
    return (size_t)(hash ^ hash >> 29) & mask;
}

static uint64_t hash_all(struct str host)
{
    uint64_t hash = hash_start;
    for (size_t i = host.len; i > 0; i--) {
        hash = hash_step(hash, host.p[i - 1]);
    }
    return hash;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* By host; within it the most particular first, then by name, so that the order of the document
 * plays no part. */
static int compare_matches(const void *a_any, const void *b_any)
{
    const struct match *a = a_any;
    const struct match *b = b_any;
    int order = str_compare(a->pattern.host, b->pattern.host);
    if (order == 0) {
        order = (int)b->pattern.has_query - (int)a->pattern.has_query;
    }
    if (order == 0) {
        order = compare_u64(b->pattern.path.len, a->pattern.path.len);
    }
    if (order == 0) {
        order = str_compare(a->name, b->name);
    }
    return order != 0 ? order : compare_u64(a->groups, b->groups);
}

static void insert(struct matcher *matcher, size_t index)
{
    uint64_t hash = hash_all(matcher->matches[index].pattern.host);
    size_t slot = hash_slot(hash, matcher->mask);
    while (matcher->slots[slot] != 0) {
        slot = (slot + 1) & matcher->mask;
    }
    matcher->slots[slot] = (uint32_t)index + 1;
}

enum err matcher_init(struct matcher *matcher, struct match *matches, size_t n, struct arena *arena)
{
    size_t slots = 16;
    while (slots < n * 4) {
        slots *= 2;
    }
    struct matcher made = {.n = n, .matches = matches, .mask = slots - 1};
    made.slots = arena_array(arena, slots, sizeof(*made.slots));
    if (made.slots == NULL) {
        return ERR_MEMORY;
    }
    if (n != 0) {
        qsort(matches, n, sizeof(*matches), compare_matches);
    }
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !str_eq(matches[i].pattern.host, matches[i - 1].pattern.host)) {
            insert(&made, i);
        }
    }
    *matcher = made;
    return ERR_OK;
}

/* The first of the matches of exactly this host, or n. */
static size_t find_host(const struct matcher *matcher, struct str host, uint64_t hash)
{
    size_t slot = hash_slot(hash, matcher->mask);
    for (uint32_t at = matcher->slots[slot]; at != 0; at = matcher->slots[slot]) {
        if (str_eq(matcher->matches[at - 1].pattern.host, host)) {
            return at - 1;
        }
        slot = (slot + 1) & matcher->mask;
    }
    return matcher->n;
}

static void take_host(const struct matcher *matcher, struct str host, uint64_t hash,
                      const struct url *url, uint64_t groups,
                      const struct match *found[MATCH_KINDS])
{
    size_t from = find_host(matcher, host, hash);
    bool taken[MATCH_KINDS] = {false};
    for (size_t i = from; i < matcher->n; i++) {
        const struct match *match = &matcher->matches[i];
        if (i != from && !str_eq(match->pattern.host, host)) {
            break;
        }
        if (!taken[match->kind] && (match->groups & groups) != 0 &&
            path_matches(&match->pattern, url)) {
            found[match->kind] = match;
            taken[match->kind] = true;
        }
    }
}

void matcher_find(const struct matcher *matcher, const struct host *host, const struct url *url,
                  uint64_t groups, const struct match *ret_found[MATCH_KINDS])
{
    for (size_t i = 0; i < MATCH_KINDS; i++) {
        ret_found[i] = NULL;
    }
    if (matcher->n == 0) {
        return;
    }
    struct str text = host_str(host);
    uint64_t hash = hash_start;
    for (size_t i = text.len; i > 0; i--) {
        hash = hash_step(hash, text.p[i - 1]);
        bool border = i == 1 || (host->kind == HOST_NAME && text.p[i - 2] == '.');
        if (border) {
            take_host(matcher, str_skip(text, i - 1), hash, url, groups, ret_found);
        }
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The school's lists as one table of hosts. */
#include "policy/match_impl.h"

#include <stdlib.h>

#include "base/check.h"

/* "*.example.org" is what people write for example.org and all below it. */
static enum err pattern_host(const struct host *host, struct str *ret_host)
{
    struct str text = host_str(host);
    text = str_starts(text, STR("*.")) ? str_skip(text, 2) : text;
    if (str_index(text, '*') != text.len) {
        return ERR_INVALID; /* a name to the URL standard, and one that nothing has */
    }
    *ret_host = text;
    return ERR_OK;
}

/* url_parse leaves no two slashes side by side. */
static struct str without_slash(struct str path)
{
    return str_ends(path, STR("/")) ? str_sub(path, 0, path.len - 1) : path;
}

enum err pattern_parse(struct str text, struct arena *arena, struct pattern *ret_pattern)
{
    struct url url = {0};
    struct str host = {0};
    struct str clean = str_trim_space(text);
    if (clean.len == 0 || str_index(clean, '@') < str_index(clean, '/')) {
        return ERR_INVALID;
    }
    ERR_TRY(url_parse(clean, STR("http"), arena, &url));
    ERR_TRY(pattern_host(&url.host, &host));
    if (url.port != url_default_port(url.scheme)) {
        return ERR_INVALID;
    }
    struct pattern made = {
        .host = arena_dup(arena, host),
        .path = arena_dup(arena, without_slash(url.path)),
        .query = arena_dup(arena, url.query),
        .has_query = url.query.len != 0,
    };
    if (arena->failed) {
        return ERR_MEMORY;
    }
    *ret_pattern = made;
    return ERR_OK;
}

/* What closes does so in any case of letters; what opens, opens what was written. */
static bool is_same(struct str a, struct str b, bool closes)
{
    return closes ? str_eq_nocase(a, b) : str_eq(a, b);
}

/* Whether a query has this parameter ("v=1"). For what opens, none of the same name may have
 * another value: of two, the server chooses. */
static bool has_parameter(struct str query, struct str wanted, bool closes)
{
    bool found = false;
    size_t name = str_index(wanted, '=');
    while (query.len != 0) {
        struct str given = {0};
        str_cut(query, '&', &given, &query);
        if (is_same(given, wanted, closes)) {
            found = true;
        } else if (!closes && str_eq_nocase(str_sub(given, 0, str_index(given, '=')),
                                            str_sub(wanted, 0, name))) {
            return false;
        }
    }
    return found;
}

static bool query_matches(struct str pattern, struct str query, bool closes)
{
    while (pattern.len != 0) {
        struct str wanted = {0};
        str_cut(pattern, '&', &wanted, &pattern);
        if (wanted.len != 0 && !has_parameter(query, wanted, closes)) {
            return false;
        }
    }
    return true;
}

static bool path_matches(const struct pattern *pattern, const struct url *url, bool closes)
{
    struct str path = pattern->path;
    if (path.len == 0 && !pattern->has_query) {
        return true;
    }
    if (url == NULL) {
        return false;
    }
    if (pattern->has_query) {
        return is_same(without_slash(url->path), path, closes) &&
               query_matches(pattern->query, url->query, closes);
    }
    return is_same(str_sub(url->path, 0, path.len), path, closes) &&
           (url->path.len == path.len || url->path.p[path.len] == '/');
}

bool pattern_opens(const struct pattern *pattern, const struct host *host, const struct url *url)
{
    struct str name = host_str(host);
    struct str suffix = pattern->host;
    bool same =
        str_ends(name, suffix) &&
        (name.len == suffix.len || (host->kind == HOST_NAME && host_is_below(name, suffix)));
    return same && path_matches(pattern, url, false);
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
            path_matches(&match->pattern, url, match->kind == MATCH_DENY)) {
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

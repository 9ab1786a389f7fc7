/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resolver's memory. Buckets of chains, and one list of the remembered by last use; overrides
 * (until_ms is INT64_MAX) are in the buckets only. */
#include "os/dns_cache.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"

enum { FIRST_BUCKETS = 256 };

struct entry {
    struct entry *chain;
    struct entry *newer;
    struct entry *older;
    uint64_t hash;
    int64_t until_ms;
    enum err err;
    uint8_t n;
    uint8_t name_len;
    uint8_t bytes[]; /* n addresses, then the name */
};

struct dns_cache {
    uint64_t key[2];
    struct entry **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_entries;
    size_t n_remembered;
    size_t max_remembered;
    struct entry *newest;
    struct entry *oldest;
};

static uint64_t rotate(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012, with fewer rounds). */
static uint64_t hash_name(const struct dns_cache *cache, struct str name)
{
    uint64_t v[4] = {cache->key[0] ^ 0x736f6d6570736575U, cache->key[1] ^ 0x646f72616e646f6dU,
                     cache->key[0] ^ 0x6c7967656e657261U, cache->key[1] ^ 0x7465646279746573U};
    for (size_t at = 0; at <= name.len; at += 8) {
        size_t n = name.len - at < 8 ? name.len - at : 8;
        uint64_t word = 0;
        memcpy(&word, name.p + at, n);
        word = le64toh(word) | (n < 8 ? (uint64_t)name.len << 56 : 0);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

enum err dns_cache_new(size_t max_names, const uint8_t key[16], struct dns_cache **ret_cache)
{
    struct dns_cache *cache = calloc(1, sizeof(*cache));
    struct entry **buckets = calloc(FIRST_BUCKETS, sizeof(struct entry *));
    if (cache == NULL || buckets == NULL) {
        free(cache);
        free(buckets);
        return ERR_MEMORY;
    }
    memcpy(cache->key, key, sizeof(cache->key));
    cache->buckets = buckets;
    cache->n_buckets = FIRST_BUCKETS;
    cache->max_remembered = max_names;
    *ret_cache = cache;
    return ERR_OK;
}

void dns_cache_free(struct dns_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->n_buckets; i++) {
        struct entry *entry = cache->buckets[i];
        while (entry != NULL) {
            struct entry *next = entry->chain;
            free(entry);
            entry = next;
        }
    }
    free(cache->buckets);
    free(cache);
}

static bool is_override(const struct entry *entry)
{
    return entry->until_ms == INT64_MAX;
}

static struct str name_of(const struct entry *entry)
{
    return str_make((const char *)entry->bytes + (size_t)entry->n * 16, entry->name_len);
}

/* The link that points to the name's entry, or to the NULL at the end of its chain. */
static struct entry **find_link(struct dns_cache *cache, struct str name, uint64_t hash)
{
    struct entry **link = &cache->buckets[hash & (cache->n_buckets - 1)];
    while (*link != NULL && ((*link)->hash != hash || !str_eq(name_of(*link), name))) {
        link = &(*link)->chain;
    }
    return link;
}

static void list_remove(struct dns_cache *cache, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_add_newest(struct dns_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct dns_cache *cache, struct entry **link)
{
    struct entry *entry = *link;
    CHECK(entry != NULL);
    *link = entry->chain;
    cache->n_entries--;
    if (!is_override(entry)) {
        list_remove(cache, entry);
        cache->n_remembered--;
    }
    free(entry);
}

/* Twice as many buckets; where there is no memory, chains get longer. */
static void grow(struct dns_cache *cache)
{
    size_t n = 2 * cache->n_buckets;
    struct entry **buckets = calloc(n, sizeof(struct entry *));
    if (buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->n_buckets; i++) {
        struct entry *entry = cache->buckets[i];
        while (entry != NULL) {
            struct entry *next = entry->chain;
            entry->chain = buckets[entry->hash & (n - 1)];
            buckets[entry->hash & (n - 1)] = entry;
            entry = next;
        }
    }
    free(cache->buckets);
    cache->buckets = buckets;
    cache->n_buckets = n;
}

static struct entry *make_entry(struct str name, uint64_t hash, const struct dns_answer *answer,
                                int64_t until_ms)
{
    struct entry *entry = malloc(sizeof(*entry) + answer->n * 16 + name.len);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct entry){
        .hash = hash,
        .until_ms = until_ms,
        .err = answer->err,
        .n = (uint8_t)answer->n,
        .name_len = (uint8_t)name.len,
    };
    memcpy(entry->bytes, answer->ip, answer->n * 16);
    memcpy(entry->bytes + answer->n * 16, name.p, name.len);
    return entry;
}

static enum err insert(struct dns_cache *cache, struct str name, const struct dns_answer *answer,
                       int64_t until_ms)
{
    uint64_t hash = hash_name(cache, name);
    struct entry *entry = make_entry(name, hash, answer, until_ms);
    if (entry == NULL) {
        return ERR_MEMORY;
    }
    struct entry **link = find_link(cache, name, hash);
    if (*link != NULL) {
        drop(cache, link);
    }
    if (cache->n_entries >= cache->n_buckets) {
        grow(cache);
    }
    struct entry **bucket = &cache->buckets[hash & (cache->n_buckets - 1)];
    entry->chain = *bucket;
    *bucket = entry;
    cache->n_entries++;
    if (!is_override(entry)) {
        list_add_newest(cache, entry);
        cache->n_remembered++;
    }
    return ERR_OK;
}

static void read_entry(const struct entry *entry, struct dns_answer *ret_answer)
{
    ret_answer->err = entry->err;
    ret_answer->from_hosts = is_override(entry);
    ret_answer->n = entry->n;
    memcpy(ret_answer->ip, entry->bytes, (size_t)entry->n * 16);
}

bool dns_cache_find(struct dns_cache *cache, struct str name, int64_t now_ms,
                    struct dns_answer *ret_answer)
{
    struct entry **link = find_link(cache, name, hash_name(cache, name));
    struct entry *entry = *link;
    if (entry == NULL) {
        return false;
    }
    if (entry->until_ms <= now_ms) {
        drop(cache, link);
        return false;
    }
    if (!is_override(entry)) {
        list_remove(cache, entry);
        list_add_newest(cache, entry);
    }
    read_entry(entry, ret_answer);
    return true;
}

void dns_cache_put(struct dns_cache *cache, struct str name, const struct dns_answer *answer,
                   int64_t until_ms)
{
    CHECK(dns_name_is_askable(name) && answer->n <= DNS_ADDRESSES_MAX);
    struct entry *old = *find_link(cache, name, hash_name(cache, name));
    if (old != NULL && is_override(old)) {
        return;
    }
    if (old == NULL && cache->n_remembered >= cache->max_remembered && cache->oldest != NULL) {
        drop(cache, find_link(cache, name_of(cache->oldest), cache->oldest->hash));
    }
    (void)insert(cache, name, answer, until_ms < INT64_MAX ? until_ms : INT64_MAX - 1);
}

/* ---- answers and names ---- */

void dns_answer_add(struct dns_answer *answer, const uint8_t ip[16])
{
    if (answer->n < DNS_ADDRESSES_MAX) {
        memcpy(answer->ip[answer->n], ip, 16);
        answer->n++;
    }
}

static bool is_v4(const uint8_t ip[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

void dns_answer_order(struct dns_answer *answer)
{
    struct dns_answer all = *answer;
    size_t next[2] = {0, 0}; /* where to go on looking: IPv6, IPv4 */
    bool want_v4 = false;
    for (size_t n = 0; n < all.n; want_v4 = !want_v4) {
        size_t *at = &next[want_v4 ? 1 : 0];
        while (*at < all.n && is_v4(all.ip[*at]) != want_v4) {
            (*at)++;
        }
        if (*at < all.n) {
            memcpy(answer->ip[n], all.ip[*at], 16);
            (*at)++;
            n++;
        }
    }
}

bool dns_name_is_askable(struct str name)
{
    if (name.len == 0 || name.len > LIMIT_HOST_LEN) {
        return false;
    }
    size_t label = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
        } else if (c <= ' ' || c > '~' || c == '\\' || ++label > LIMIT_LABEL_LEN) {
            return false; /* c-ares reads a backslash as an escape */
        }
    }
    return label > 0;
}

/* ---- hosts files ---- */

static bool read_address(struct str text, uint8_t ret_ip[16])
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    memset(ret_ip, 0, 10);
    memset(ret_ip + 10, 0xff, 2);
    return inet_pton(AF_INET, copy, ret_ip + 12) == 1 || inet_pton(AF_INET6, copy, ret_ip) == 1;
}

static enum err add_override(struct dns_cache *cache, struct str word, const uint8_t ip[16])
{
    char lower[LIMIT_HOST_LEN + 1];
    if (str_ends(word, STR("."))) {
        word.len--;
    }
    if (!dns_name_is_askable(word)) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < word.len; i++) {
        lower[i] = ascii_lower(word.p[i]);
    }
    struct str name = str_make(lower, word.len);
    struct dns_answer answer = {.err = ERR_OK};
    const struct entry *old = *find_link(cache, name, hash_name(cache, name));
    if (old != NULL) {
        read_entry(old, &answer);
    }
    dns_answer_add(&answer, ip);
    dns_answer_order(&answer);
    return insert(cache, name, &answer, INT64_MAX);
}

static enum err add_line(struct dns_cache *cache, struct str line)
{
    uint8_t ip[16];
    (void)str_cut(line, '#', &line, &(struct str){0});
    struct str address = str_next_word(&line);
    if (address.len == 0) {
        return ERR_OK;
    }
    if (!read_address(address, ip)) {
        return ERR_INVALID;
    }
    struct str word = str_next_word(&line);
    if (word.len == 0) {
        return ERR_INVALID;
    }
    for (; word.len > 0; word = str_next_word(&line)) {
        ERR_TRY(add_override(cache, word, ip));
    }
    return ERR_OK;
}

enum err dns_cache_add_hosts(struct dns_cache *cache, struct str hosts, size_t *ret_line)
{
    for (size_t number = 1; hosts.len > 0; number++) {
        struct str line;
        (void)str_cut(hosts, '\n', &line, &hosts);
        enum err err = add_line(cache, line);
        if (err != ERR_OK) {
            *ret_line = number;
            return err;
        }
    }
    return ERR_OK;
}

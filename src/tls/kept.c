/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kept sessions: a hash table whose entries also stand in a list by use. */
#include "tls/kept_impl.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/fasthash.h"

struct kept_entry {
    struct kept_entry *next; /* of the bucket */
    struct kept_entry *newer;
    struct kept_entry *older;
    unsigned char *der; /* the session, with what opens its ticket: wiped */
    int der_len;
    int64_t verified_ms;
    uint64_t hash;
    uint16_t port;
    bool h2;
    uint8_t len;
    char name[];
};

static uint64_t hash_of(const struct kept_key *key)
{
    struct str name = host_str(key->host);
    return fasthash64(name, ((uint64_t)key->port << 1) | (key->h2 ? 1U : 0U));
}

static struct kept_entry **bucket_of(struct kept *kept, uint64_t hash)
{
    return &kept->buckets[hash % KEPT_BUCKETS];
}

static bool is_same(const struct kept_entry *entry, const struct kept_key *key, uint64_t hash)
{
    return entry->hash == hash && entry->port == key->port && entry->h2 == key->h2 &&
           str_eq(str_make(entry->name, entry->len), host_str(key->host));
}

static struct kept_entry *look_up(struct kept *kept, const struct kept_key *key)
{
    uint64_t hash = hash_of(key);
    struct kept_entry *entry = *bucket_of(kept, hash);
    while (entry != NULL && !is_same(entry, key, hash)) {
        entry = entry->next;
    }
    return entry;
}

static void unlink_use(struct kept *kept, struct kept_entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &kept->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &kept->oldest) = entry->newer;
}

static void link_use(struct kept *kept, struct kept_entry *entry)
{
    entry->newer = NULL;
    entry->older = kept->newest;
    *(kept->newest != NULL ? &kept->newest->newer : &kept->oldest) = entry;
    kept->newest = entry;
}

static void drop(struct kept *kept, struct kept_entry *entry)
{
    struct kept_entry **at = bucket_of(kept, entry->hash);
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    unlink_use(kept, entry);
    kept->count--;
    OPENSSL_clear_free(entry->der, (size_t)entry->der_len);
    free(entry);
}

void kept_fini(struct kept *kept)
{
    while (kept->oldest != NULL) {
        drop(kept, kept->oldest);
    }
}

static struct kept_entry *add(struct kept *kept, const struct kept_key *key)
{
    struct str name = host_str(key->host);
    struct kept_entry *entry = malloc(sizeof(*entry) + name.len);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct kept_entry){
        .hash = hash_of(key), .port = key->port, .h2 = key->h2, .len = (uint8_t)name.len};
    memcpy(entry->name, name.p, name.len);
    struct kept_entry **bucket = bucket_of(kept, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    link_use(kept, entry);
    kept->count++;
    return entry;
}

/* [3] of SSL_SESSION_ASN1. */
int kept_without_peer(unsigned char *der, int n)
{
    enum { CERTIFICATE = 3, HEAD_MAX = 8 };
    const unsigned char *at = der;
    unsigned char head[HEAD_MAX];
    unsigned char *head_end = head;
    long len = 0;
    int tag = 0;
    int class = 0;
    if ((ASN1_get_object(&at, &len, &tag, &class, n) & 0x80) != 0 || at + len != der + n) {
        return n;
    }
    const unsigned char *body = at;
    while (at < der + n) {
        const unsigned char *begin = at;
        if ((ASN1_get_object(&at, &len, &tag, &class, der + n - at) & 0x80) != 0) {
            return n;
        }
        at += len;
        if (class != V_ASN1_CONTEXT_SPECIFIC || tag != CERTIFICATE) {
            continue;
        }
        size_t before = (size_t)(begin - body);
        size_t behind = (size_t)(der + n - at);
        ASN1_put_object(&head_end, 1, (int)(before + behind), V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
        size_t head_len = (size_t)(head_end - head);
        memmove(der + head_len, body, before); /* the head is no longer than it was */
        memmove(der + head_len + before, at, behind);
        memcpy(der, head, head_len);
        return (int)(head_len + before + behind);
    }
    return n;
}

void kept_put(struct kept *kept, const struct kept_key *key, SSL_SESSION *session,
              int64_t verified_ms)
{
    unsigned char *der = NULL;
    int n = i2d_SSL_SESSION(session, &der);
    struct kept_entry *entry = n > 0 ? look_up(kept, key) : NULL;
    if (entry == NULL && n > 0) {
        if (kept->count == KEPT_MAX) {
            drop(kept, kept->oldest);
        }
        entry = add(kept, key);
    }
    if (entry == NULL) {
        OPENSSL_free(der);
        return; /* it is resumed another time, or not */
    }
    OPENSSL_clear_free(entry->der, (size_t)entry->der_len);
    entry->der_len = kept_without_peer(der, n);
    entry->der = OPENSSL_memdup(der, (size_t)entry->der_len);
    entry->der_len = entry->der != NULL ? entry->der_len : 0;
    OPENSSL_clear_free(der, (size_t)n);
    entry->verified_ms = verified_ms;
}

SSL_SESSION *kept_find(struct kept *kept, const struct kept_key *key, int64_t since_ms,
                       int64_t until_ms, int64_t *ret_verified_ms)
{
    struct kept_entry *entry = look_up(kept, key);
    if (entry == NULL) {
        return NULL;
    }
    const unsigned char *at = entry->der;
    bool good = entry->verified_ms >= since_ms && entry->verified_ms <= until_ms;
    SSL_SESSION *session = good ? d2i_SSL_SESSION(NULL, &at, entry->der_len) : NULL;
    if (session == NULL) {
        drop(kept, entry);
        return NULL;
    }
    unlink_use(kept, entry);
    link_use(kept, entry);
    *ret_verified_ms = entry->verified_ms;
    return session;
}

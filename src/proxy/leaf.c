/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Leaves by host: asked of the notary once however many connections wait, the least used dropped
 * where they are many. A new key makes all before it worthless; who waits is asked for again.
 */
#include <stdlib.h>

#include "base/check.h"
#include "crypto/fasthash.h"
#include "proxy/proxy_impl.h"

enum {
    /* Asked for at a time by one address while others wait too: the notary signs at a bounded rate,
     * in turn, and whoever makes up names without end must not be all that it does. */
    ASKED_SHARE = 32,
    /* ... while nobody else does: an address may be a whole school's. */
    ASKED_MAX = 384,
    /* A question that was not answered for so long is asked again. */
    ASK_AGAIN_MS = 10000,
    /* A leaf is not used so near its end that a handshake, or a session resumed, might outlive it.
     */
    LEFT_MIN_MS = 60 * 60 * 1000,
};

struct leaf_entry {
    struct leaf_entry *next; /* of the bucket */
    struct leaf_entry *older, *newer;
    struct tls_leaf *leaf;  /* NULL: asked for */
    struct client *waiting; /* by leaf_next */
    struct addr asker;
    int64_t asked_ms; /* monotonic */
    unsigned asked;   /* answers that are still to come */
    unsigned bucket;
    struct host host;
};

static unsigned bucket_of(const struct host *host)
{
    return (unsigned)(fasthash64(host_str(host), host->kind) % LEAF_BUCKETS);
}

static struct leaf_entry *entry_find(struct leaves *leaves, const struct host *host)
{
    struct leaf_entry *entry = leaves->buckets[bucket_of(host)];
    while (entry != NULL && !host_eq(&entry->host, host)) {
        entry = entry->next;
    }
    return entry;
}

static void age_remove(struct leaves *leaves, struct leaf_entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &leaves->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &leaves->newest) = entry->older;
}

static void age_add(struct leaves *leaves, struct leaf_entry *entry)
{
    entry->newer = NULL;
    entry->older = leaves->newest;
    *(leaves->newest != NULL ? &leaves->newest->newer : &leaves->oldest) = entry;
    leaves->newest = entry;
}

static void entry_free(struct leaves *leaves, struct leaf_entry *entry)
{
    struct leaf_entry **at = &leaves->buckets[entry->bucket];
    CHECK(entry->waiting == NULL);
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    age_remove(leaves, entry);
    leaves->n--;
    leaves->n_asked -= entry->leaf == NULL;
    tls_leaf_free(entry->leaf);
    free(entry);
}

/* Room for one more: the least used that nobody waits for goes. */
static bool make_room(struct leaves *leaves)
{
    struct leaf_entry *entry = leaves->n >= LEAVES_MAX ? leaves->oldest : NULL;
    while (entry != NULL && entry->waiting != NULL) {
        entry = entry->newer;
    }
    if (entry != NULL) {
        entry_free(leaves, entry);
    }
    return leaves->n < LEAVES_MAX;
}

static struct leaf_entry *entry_add(struct leaves *leaves, const struct host *host)
{
    struct leaf_entry *entry = make_room(leaves) ? calloc(1, sizeof(*entry)) : NULL;
    if (entry == NULL) {
        return NULL;
    }
    entry->host = *host;
    entry->bucket = bucket_of(host);
    entry->next = leaves->buckets[entry->bucket];
    leaves->buckets[entry->bucket] = entry;
    age_add(leaves, entry);
    leaves->n++;
    leaves->n_asked++;
    return entry;
}

/* --- asking
 * ------------------------------------------------------------------------------------------ */

static bool may_ask(const struct leaves *leaves, const struct addr *client)
{
    size_t asked = 0;
    const struct leaf_entry *entry = leaves->n_asked >= ASKED_SHARE ? leaves->oldest : NULL;
    for (; entry != NULL; entry = entry->newer) {
        asked += entry->leaf == NULL && addr_eq(&entry->asker, client);
    }
    return asked < ASKED_SHARE || (asked == leaves->n_asked && asked < ASKED_MAX);
}

static bool ask(struct proxy *proxy, struct leaf_entry *entry)
{
    if (!proxy->setup.leaf(proxy->setup.leaf_context, &entry->host)) {
        return false;
    }
    entry->asked++;
    entry->asked_ms = loop_mono_ms(proxy->loop);
    return true;
}

static void wait_for(struct client *client, struct leaf_entry *entry)
{
    client->leaf = entry;
    client->leaf_next = entry->waiting;
    entry->waiting = client;
}

static enum leaf_result ask_first(struct client *client, const struct host *host)
{
    struct proxy *proxy = client->proxy;
    struct leaves *leaves = &proxy->leaves;
    struct leaf_entry *entry = may_ask(leaves, &client->addr) ? entry_add(leaves, host) : NULL;
    if (entry == NULL) {
        return LEAF_NONE;
    }
    entry->asker = client->addr;
    if (!ask(proxy, entry)) {
        entry_free(leaves, entry);
        return LEAF_NONE;
    }
    wait_for(client, entry);
    return LEAF_WAIT;
}

static bool is_due(const struct proxy *proxy, const struct leaf_entry *entry)
{
    return entry->leaf == NULL
               ? loop_mono_ms(proxy->loop) - entry->asked_ms >= ASK_AGAIN_MS
               : tls_leaf_until_ms(entry->leaf) - loop_utc_ms(proxy->loop) < LEFT_MIN_MS;
}

enum leaf_result leaf_find(struct client *client, const struct host *host,
                           const struct tls_leaf **ret_leaf)
{
    struct proxy *proxy = client->proxy;
    struct leaves *leaves = &proxy->leaves;
    CHECK(client->leaf == NULL);
    if (leaves->key == NULL || proxy->setup.leaf == NULL) {
        return LEAF_NONE;
    }
    struct leaf_entry *entry = entry_find(leaves, host);
    if (entry != NULL && entry->leaf != NULL && is_due(proxy, entry)) {
        entry_free(leaves, entry);
        entry = NULL;
    }
    if (entry == NULL) {
        return ask_first(client, host);
    }
    if (entry->leaf == NULL) {
        if (is_due(proxy, entry) && !ask(proxy, entry)) {
            return LEAF_NONE;
        }
        wait_for(client, entry);
        return LEAF_WAIT;
    }
    age_remove(leaves, entry);
    age_add(leaves, entry);
    *ret_leaf = entry->leaf;
    return LEAF_READY;
}

void leaf_forget(struct client *client)
{
    struct leaf_entry *entry = client->leaf;
    if (entry == NULL) {
        return;
    }
    struct client **at = &entry->waiting;
    while (*at != client) {
        CHECK(*at != NULL);
        at = &(*at)->leaf_next;
    }
    *at = client->leaf_next;
    client->leaf_next = NULL;
    client->leaf = NULL;
}

/* --- answers
 * ----------------------------------------------------------------------------------------- */

/* Whoever waits goes on: with the leaf, or without. Each may be closed by that, never another. */
static void wake(struct leaf_entry *entry)
{
    struct client *client = NULL;
    while ((client = entry->waiting) != NULL) {
        leaf_forget(client);
        stages[client->stage].leaf(client, entry->leaf);
    }
}

void proxy_leaf_answer(struct proxy *proxy, const struct host *host, struct str der)
{
    struct leaves *leaves = &proxy->leaves;
    struct leaf_entry *entry = entry_find(leaves, host);
    if (entry == NULL || entry->leaf != NULL || leaves->key == NULL) {
        return; /* nobody asks any more */
    }
    entry->asked -= entry->asked != 0;
    struct tls_leaf *leaf = NULL;
    enum err err = der.len != 0 ? tls_leaf_new(der, buf_str(&leaves->chain), leaves->key, &leaf)
                                : ERR_NOT_FOUND;
    if (err == ERR_OK && tls_leaf_until_ms(leaf) - loop_utc_ms(proxy->loop) < LEFT_MIN_MS) {
        tls_leaf_free(leaf);
        err = ERR_INVALID;
    }
    if (err != ERR_OK && entry->asked != 0) {
        return; /* made under the key before this one; the other answer is on its way */
    }
    if (err == ERR_OK) {
        entry->leaf = leaf;
        leaves->n_asked--;
    }
    wake(entry);
    if (entry->leaf == NULL) {
        entry_free(leaves, entry);
    }
}

/* Leaves go; questions that somebody waits for are asked again. */
static void forget_all(struct proxy *proxy)
{
    struct leaves *leaves = &proxy->leaves;
    struct leaf_entry *next = NULL;
    for (struct leaf_entry *entry = leaves->oldest; entry != NULL; entry = next) {
        next = entry->newer;
        if (entry->waiting == NULL) {
            entry_free(leaves, entry);
        } else if (!ask(proxy, entry)) {
            wake(entry);
            entry_free(leaves, entry);
        }
    }
}

enum err proxy_set_leaf_key(struct proxy *proxy, struct str key_der, struct str chain_der,
                            const uint8_t ticket_secret[TLS_TICKET_SECRET_BYTES])
{
    enum { CHAIN_MAX = 64 * 1024 };
    struct leaves *leaves = &proxy->leaves;
    struct tls_key *key = NULL;
    struct buf chain;
    buf_init(&chain, CHAIN_MAX);
    buf_append(&chain, chain_der);
    enum err err = buf_err(&chain);
    if (err == ERR_OK) {
        err = tls_key_read(key_der, &key);
    }
    if (err == ERR_OK && leaves->server == NULL) {
        err = tls_server_new(&leaves->server);
    }
    if (err == ERR_OK) {
        err = gate_set_ca(proxy, chain_der);
    }
    if (err != ERR_OK) {
        tls_key_free(key);
        buf_fini(&chain);
        return err;
    }
    tls_server_set_tickets(leaves->server, ticket_secret);
    tls_key_free(leaves->key);
    buf_fini(&leaves->chain);
    leaves->key = key;
    leaves->chain = chain;
    forget_all(proxy);
    return ERR_OK;
}

void leaves_fini(struct proxy *proxy)
{
    struct leaves *leaves = &proxy->leaves;
    while (leaves->oldest != NULL) {
        entry_free(leaves, leaves->oldest);
    }
    tls_key_free(leaves->key);
    tls_server_free(leaves->server);
    buf_fini(&leaves->chain);
}

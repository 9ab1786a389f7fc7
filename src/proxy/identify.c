/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks, by Proxy-Authorization (RFC 9110 section 11.7, RFC 7617).
 *
 * A pair is asked of the auth process once; accepted, it is remembered under a hash with a key that
 * only this worker has, so that neither name nor password can be read back from memory. Connections
 * that bring the same pair meanwhile wait for the same answer.
 */
#include <stdlib.h>

#include "base/check.h"
#include "crypto/secret.h"
#include "policy/policy.h"
#include "proxy/proxy_impl.h"
#include "wire/base64.h"

enum {
    KEY_BYTES = 16,
    PAIR_MAX = LIMIT_ID_LEN + 1 + LIMIT_PASSWORD_LEN,
    AUTH_MAX = 4096, /* pairs, remembered or asked */
    ASKED_MAX = 16,  /* asked at a time for one address: auth has a queue, which is for all */
};

struct auth_entry {
    uint8_t key[KEY_BYTES];
    struct auth_entry *next;
    struct client *waiting; /* by auth_next */
    uint64_t ticket;        /* while it is asked; 0: accepted */
    int64_t until_ms;       /* monotonic */
    int64_t credential;     /* the state's when it was asked */
    struct addr client;     /* for whom it was asked */
    uint8_t person_len;
    uint8_t group_len;
    char person[LIMIT_ID_LEN];
    char group[LIMIT_ID_LEN]; /* the person's when it was accepted; empty: the state knew none */
};

static struct auth_entry **bucket_of(struct proxy *proxy, const uint8_t key[KEY_BYTES])
{
    return &proxy->auth[key[0] % AUTH_BUCKETS];
}

static struct auth_entry *entry_find(struct proxy *proxy, const uint8_t key[KEY_BYTES])
{
    struct auth_entry *entry = *bucket_of(proxy, key);
    while (entry != NULL && memcmp(entry->key, key, KEY_BYTES) != 0) {
        entry = entry->next;
    }
    return entry;
}

static void entry_unlink(struct proxy *proxy, struct auth_entry *entry)
{
    struct auth_entry **at = bucket_of(proxy, entry->key);
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    proxy->n_auth--;
}

static void entry_remove(struct proxy *proxy, struct auth_entry *entry)
{
    entry_unlink(proxy, entry);
    free(entry);
}

/* The group that the state gives to a person; empty where it knows none. */
static struct str group_of(const struct policy_images *images, struct str person, int64_t now_ms)
{
    struct policy_subject subject;
    if (images->policy == NULL || !policy_identify_person(images, person, now_ms, &subject)) {
        return str_make(NULL, 0);
    }
    return policy_group_id(images->policy, subject.group);
}

static void accept_person(struct exchange *exchange, const struct auth_entry *entry)
{
    exchange->credential = entry->credential;
    exchange->person_len = entry->person_len;
    memcpy(exchange->person, entry->person, entry->person_len);
}

/* The same IPv4 address, or the same IPv6 network of one household (proc/guesses.c). */
static bool is_neighbour(const struct addr *a, const struct addr *b)
{
    enum { NETWORK_BYTES = 8 };
    size_t len = addr_is_ipv4(a) ? sizeof(a->bytes) : NETWORK_BYTES;
    return memcmp(a->bytes, b->bytes, len) == 0;
}

/* Somebody who sends names and passwords without end keeps nobody else out. */
static bool may_ask(const struct proxy *proxy, const struct addr *client)
{
    size_t asked = 0;
    for (size_t i = 0; i < AUTH_BUCKETS; i++) {
        for (const struct auth_entry *entry = proxy->auth[i]; entry != NULL; entry = entry->next) {
            asked += entry->ticket != 0 && is_neighbour(client, &entry->client);
        }
    }
    return asked < ASKED_MAX;
}

static enum identify ask_auth(struct exchange *exchange, const uint8_t key[KEY_BYTES],
                              struct str person, struct str password)
{
    struct client *client = exchange->client;
    struct proxy *proxy = client->proxy;
    bool may = proxy->n_auth < AUTH_MAX && may_ask(proxy, &client->addr);
    struct auth_entry *entry = may ? calloc(1, sizeof(*entry)) : NULL;
    if (entry == NULL) {
        return IDENTIFY_BUSY;
    }
    memcpy(entry->key, key, KEY_BYTES);
    entry->client = client->addr;
    entry->credential = policy_credential(&proxy->images, person);
    entry->ticket = ++proxy->last_ticket;
    entry->until_ms = loop_mono_ms(proxy->loop) + proxy->options.connect_timeout_ms;
    entry->person_len = (uint8_t)person.len;
    memcpy(entry->person, person.p, person.len);
    if (proxy->setup.auth == NULL || !proxy->setup.auth(proxy->setup.auth_context, entry->ticket,
                                                        person, password, &client->addr)) {
        free(entry);
        return IDENTIFY_BUSY;
    }
    struct auth_entry **bucket = bucket_of(proxy, key);
    entry->next = *bucket;
    *bucket = entry;
    proxy->n_auth++;
    return IDENTIFY_WAIT;
}

static enum identify identify_pair(struct exchange *exchange, struct str pair)
{
    struct client *client = exchange->client;
    struct proxy *proxy = client->proxy;
    struct str person;
    struct str password;
    if (!str_cut(pair, ':', &person, &password) || person.len == 0 || person.len > LIMIT_ID_LEN ||
        password.len == 0) {
        return IDENTIFY_REFUSED;
    }
    uint8_t key[KEY_BYTES];
    hash_keyed(proxy->auth_key, pair, key, KEY_BYTES);
    struct auth_entry *entry = entry_find(proxy, key);
    if (entry != NULL && entry->until_ms <= loop_mono_ms(proxy->loop)) {
        if (entry->waiting != NULL) {
            return IDENTIFY_BUSY; /* auth has not answered for too long */
        }
        entry_remove(proxy, entry);
        entry = NULL;
    }
    if (entry != NULL && entry->ticket == 0) {
        accept_person(exchange, entry);
        return IDENTIFY_DONE;
    }
    if (entry == NULL) {
        enum identify asked = ask_auth(exchange, key, person, password);
        if (asked != IDENTIFY_WAIT) {
            return asked;
        }
        entry = entry_find(proxy, key);
    }
    exchange->auth = entry;
    client->auth_next = entry->waiting;
    entry->waiting = client;
    return IDENTIFY_WAIT;
}

enum identify identify_credentials(struct exchange *exchange)
{
    const struct http1_head *head = &exchange->client->proxy->head;
    const struct http1_header *header = http1_find(head, HTTP1_NAME_PROXY_AUTHORIZATION);
    if (header == NULL) {
        return IDENTIFY_DONE;
    }
    const struct client *client = exchange->client;
    if (client->proxy->options.passwords_over_tls && !client->over_tls) {
        return IDENTIFY_PLAIN;
    }
    struct str scheme;
    struct str token;
    str_cut(header->value, ' ', &scheme, &token);
    if (!str_eq_nocase(scheme, STR("Basic"))) {
        return IDENTIFY_REFUSED;
    }
    struct buf pair;
    buf_init(&pair, PAIR_MAX);
    enum identify result = IDENTIFY_REFUSED;
    if (base64_decode(str_trim(token), &pair) == ERR_OK) {
        result = identify_pair(exchange, buf_str(&pair));
    }
    if (pair.p != NULL) {
        secret_wipe(pair.p, pair.cap);
    }
    buf_fini(&pair);
    return result;
}

void identify_late(struct client *client)
{
    answer_trouble(client, 503, "Names and passwords cannot be checked just now");
}

void identify_forget(struct exchange *exchange)
{
    struct client *client = exchange->client;
    struct auth_entry *entry = exchange->auth;
    if (entry == NULL) {
        return;
    }
    struct client **at = &entry->waiting;
    while (*at != client) {
        CHECK(*at != NULL);
        at = &(*at)->auth_next;
    }
    *at = client->auth_next;
    client->auth_next = NULL;
    exchange->auth = NULL;
}

static struct auth_entry *entry_of_ticket(struct proxy *proxy, uint64_t ticket)
{
    for (size_t i = 0; i < AUTH_BUCKETS; i++) {
        for (struct auth_entry *entry = proxy->auth[i]; entry != NULL; entry = entry->next) {
            if (entry->ticket == ticket) {
                return entry;
            }
        }
    }
    return NULL;
}

/* From now on the pair is accepted: beyond this turn, so that nobody drops the entry while those
 * who wait for it are answered. The state's group is kept so that a change of it is seen. */
static void remember(struct proxy *proxy, struct auth_entry *entry)
{
    struct str person = str_make(entry->person, entry->person_len);
    struct str group = group_of(&proxy->images, person, proxy_now_ms(proxy));
    bool stands = group.len != 0 && policy_credential(&proxy->images, person) == entry->credential;
    entry->ticket = 0;
    /* Somebody whom the state does not know may have been taken out of it while auth was asked, and
     * so out of auth, and a password may have changed meanwhile: the next request asks again. */
    entry->until_ms = loop_mono_ms(proxy->loop) + 1 + (stands ? proxy->options.auth_cache_ms : 0);
    entry->group_len = (uint8_t)(group.len < LIMIT_ID_LEN ? group.len : LIMIT_ID_LEN);
    if (entry->group_len != 0) {
        memcpy(entry->group, group.p, entry->group_len);
    }
}

/* Who waits for this entry, and does no longer; NULL: nobody. */
static struct client *next_waiting(struct auth_entry *entry)
{
    struct client *client = entry->waiting;
    if (client != NULL) {
        identify_forget(client->exchange);
    }
    return client;
}

void proxy_auth_answer(struct proxy *proxy, uint64_t ticket, bool accepted)
{
    struct auth_entry *entry = ticket != 0 ? entry_of_ticket(proxy, ticket) : NULL;
    struct client *client = NULL;
    if (entry == NULL) {
        return;
    }
    if (accepted) {
        remember(proxy, entry);
        while ((client = next_waiting(entry)) != NULL) {
            accept_person(client->exchange, entry);
            request_go(client);
        }
        return;
    }
    /* Whoever is refused may bring the same pair again in the same breath: it must not be found. */
    entry_unlink(proxy, entry);
    while ((client = next_waiting(entry)) != NULL) {
        answer_sign_in(client);
    }
    free(entry);
}

void proxy_auth_lost(struct proxy *proxy, uint64_t ticket)
{
    struct auth_entry *entry = ticket != 0 ? entry_of_ticket(proxy, ticket) : NULL;
    struct client *client = NULL;
    if (entry == NULL) {
        return;
    }
    entry_unlink(proxy, entry);
    while ((client = next_waiting(entry)) != NULL) {
        answer_trouble(client, 503, "Names and passwords cannot be checked just now");
    }
    free(entry);
}

/* Calls keep for each remembered pair, and drops those it does not want. */
static void each_entry(struct proxy *proxy, const struct policy_images *images,
                       bool (*keep)(struct proxy *, const struct policy_images *,
                                    const struct auth_entry *))
{
    for (size_t i = 0; i < AUTH_BUCKETS; i++) {
        struct auth_entry *next = NULL;
        for (struct auth_entry *entry = proxy->auth[i]; entry != NULL; entry = next) {
            next = entry->next;
            if (entry->waiting == NULL && !keep(proxy, images, entry)) {
                entry_remove(proxy, entry);
            }
        }
    }
}

static bool stands_as_before(struct proxy *proxy, const struct policy_images *images,
                             const struct auth_entry *entry)
{
    struct str person = str_make(entry->person, entry->person_len);
    struct str group = group_of(images, person, proxy_now_ms(proxy));
    if (entry->ticket != 0) {
        return true; /* not accepted yet */
    }
    return group.len != 0 && str_eq(group, str_make(entry->group, entry->group_len)) &&
           policy_credential(images, person) == entry->credential;
}

static bool is_young(struct proxy *proxy, const struct policy_images *images,
                     const struct auth_entry *entry)
{
    (void)images;
    return entry->until_ms > loop_mono_ms(proxy->loop);
}

static bool never(struct proxy *proxy, const struct policy_images *images,
                  const struct auth_entry *entry)
{
    (void)proxy;
    (void)images;
    (void)entry;
    return false;
}

void identify_new_images(struct proxy *proxy, const struct policy_images *images)
{
    each_entry(proxy, images, stands_as_before);
}

void identify_sweep(struct proxy *proxy)
{
    if (proxy->n_auth != 0) {
        each_entry(proxy, NULL, is_young);
    }
}

void identify_fini(struct proxy *proxy)
{
    each_entry(proxy, NULL, never);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed leaves: a table of chains, and a ring of all in the order of their last use. */
#include "proc/leaves.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/fasthash.h"
#include "crypto/random.h"

enum { LEAVES_MAX = 65536 };

struct entry {
    struct entry *next; /* in the chain of its slot */
    struct entry *newer;
    struct entry *older;
    struct host host;
    size_t len;
    char *der; /* behind the struct, in one piece with it */
};

struct leaves {
    uint64_t seed;
    size_t max;
    size_t n;
    struct entry ring; /* newer: the oldest; older: the newest */
    size_t n_slots;
    struct entry *slots[];
};

enum err leaves_new(size_t max, struct leaves **ret_leaves)
{
    CHECK(max > 0 && max <= LEAVES_MAX);
    struct leaves *leaves = calloc(1, sizeof(*leaves) + max * sizeof(leaves->slots[0]));
    if (leaves == NULL) {
        return ERR_MEMORY;
    }
    leaves->seed = random_u64();
    leaves->max = max;
    leaves->n_slots = max;
    leaves->ring.newer = leaves->ring.older = &leaves->ring;
    *ret_leaves = leaves;
    return ERR_OK;
}

static struct entry **find_place(struct leaves *leaves, const struct host *host)
{
    uint64_t hash = fasthash64(host_str(host), leaves->seed);
    struct entry **place = &leaves->slots[hash % leaves->n_slots];
    while (*place != NULL && !host_eq(&(*place)->host, host)) {
        place = &(*place)->next;
    }
    return place;
}

static void ring_remove(struct entry *entry)
{
    entry->older->newer = entry->newer;
    entry->newer->older = entry->older;
}

static void ring_add(struct leaves *leaves, struct entry *entry)
{
    entry->newer = &leaves->ring;
    entry->older = leaves->ring.older;
    entry->older->newer = entry;
    leaves->ring.older = entry;
}

static void forget(struct leaves *leaves, struct entry **place)
{
    struct entry *entry = *place;
    *place = entry->next;
    ring_remove(entry);
    free(entry);
    leaves->n--;
}

bool leaves_find(struct leaves *leaves, const struct host *host, struct str *ret_der)
{
    struct entry *entry = *find_place(leaves, host);
    if (entry == NULL) {
        return false;
    }
    ring_remove(entry);
    ring_add(leaves, entry);
    *ret_der = str_make(entry->der, entry->len);
    return true;
}

enum err leaves_put(struct leaves *leaves, const struct host *host, struct str der)
{
    struct entry *entry = malloc(sizeof(*entry) + der.len);
    if (entry == NULL) {
        return ERR_MEMORY;
    }
    struct entry **place = find_place(leaves, host);
    if (*place != NULL) {
        forget(leaves, place);
    } else if (leaves->n == leaves->max) {
        forget(leaves, find_place(leaves, &leaves->ring.newer->host));
    }
    place = find_place(leaves, host);
    *entry =
        (struct entry){.next = *place, .host = *host, .len = der.len, .der = (char *)(entry + 1)};
    memcpy(entry->der, der.p, der.len);
    *place = entry;
    ring_add(leaves, entry);
    leaves->n++;
    return ERR_OK;
}

void leaves_clear(struct leaves *leaves)
{
    while (leaves->n > 0) {
        forget(leaves, find_place(leaves, &leaves->ring.newer->host));
    }
}

void leaves_free(struct leaves *leaves)
{
    if (leaves != NULL) {
        leaves_clear(leaves);
        free(leaves);
    }
}

bool leaves_may_hold(const struct host *host)
{
    if (host->kind == HOST_IPV4 || host->kind == HOST_IPV6) {
        return true;
    }
    for (size_t i = 0; i < host->len; i++) {
        char c = host->text[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!plain && (c != '.' || i == 0 || host->text[i - 1] == '.')) {
            return false;
        }
    }
    return host->kind == HOST_NAME && host->len > 0 && host->text[host->len - 1] != '.';
}

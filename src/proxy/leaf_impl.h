/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The leaves under which clients are answered: one for each host, asked of the notary once and
 * remembered. */
#ifndef LODGE_PROXY_LEAF_IMPL_H
#define LODGE_PROXY_LEAF_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tls/authority.h"
#include "tls/server.h"
#include "wire/host.h"

struct client;
struct leaf_entry;
struct proxy;

enum {
    LEAF_BUCKETS = 1024,
    LEAVES_MAX = 4096, /* remembered or asked for */
};

struct leaves {
    struct tls_server *server;
    struct tls_key *key; /* NULL: nothing is inspected yet */
    struct buf chain;    /* DER, behind every leaf */
    struct leaf_entry *buckets[LEAF_BUCKETS];
    struct leaf_entry *oldest, *newest; /* by their last use */
    size_t n, n_asked;
};

enum leaf_result {
    LEAF_READY,
    LEAF_WAIT, /* the stage's leaf follows (stages.c), unless leaf_forget */
    LEAF_NONE, /* cannot be asked for now */
};
/* *ret_leaf holds until the loop's next turn. */
MUST_USE enum leaf_result leaf_find(struct client *client, const struct host *host,
                                    const struct tls_leaf **ret_leaf);
/* The client waits no longer. */
void leaf_forget(struct client *client);
void leaves_fini(struct proxy *proxy);

#endif

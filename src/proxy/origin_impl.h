/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection to an origin: being dialled, in use by one client, or unused in the pool. */
#ifndef LODGE_PROXY_ORIGIN_IMPL_H
#define LODGE_PROXY_ORIGIN_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "http/conn.h"
#include "os/loop.h"
#include "os/sock.h"

struct client;
struct h2;
struct proxy;

enum {
    POOL_BUCKETS = 256,
    POOL_MAX = 512, /* unused connections, of all hosts */
    POOL_IDLE_MS = 50 * 1000,
};

struct origin {
    struct http_conn conn;
    struct loop_defer defer;
    struct proxy *proxy;
    struct client *client;                /* whose it is; NULL in the pool */
    struct origin *next_try;              /* of a dial */
    struct origin *pool_prev, *pool_next; /* of a bucket */
    struct origin *age_prev, *age_next;   /* of the pool, unused for longest first */
    struct h2 *h2;                        /* a trunk: not NULL */
    struct origin *trunk_prev, *trunk_next;
    int64_t idle_since_ms;
    struct sock_addr addr;
    unsigned bucket;
    bool connected;
    bool secure; /* over TLS; part of the pool's key */
    bool pooled;
    bool stream;  /* of a trunk */
    bool doubted; /* a trunk that takes no more streams */
    bool reused;  /* had an exchange before */
    uint8_t host_len;
    char host[]; /* canonical; part of the pool's key */
};

struct pool {
    struct origin *buckets[POOL_BUCKETS];
    struct origin *oldest, *newest;
    size_t n;
};

/* Begins to connect for a client; secure: TLS is to follow (secure.c). ERR_SYSTEM, ERR_MEMORY. */
MUST_USE enum err origin_connect(struct client *client, const struct sock_addr *addr,
                                 struct str host, bool secure, struct origin **ret_origin);
void origin_close(struct origin *origin);
/* One that is not open, for the client. NULL: no memory. */
struct origin *origin_new(struct client *client, const struct sock_addr *addr, struct str host,
                          bool secure);
/* For the loop: the origin has news. */
void origin_on_io(struct loop_io *io, uint32_t events);
/* True where it has said nothing that the loop told of, and not ended. TLS may say things to us
 * that are no answer (tickets, RFC 8446 section 4.6.1): these are read and count as nothing. */
bool origin_is_quiet(struct origin *origin);

/* An unused connection to this host and port, over TLS or not, or NULL; it is the client's from now
 * on. */
struct origin *pool_take(struct client *client, struct str host, uint16_t port, bool secure);
/* The exchange is over and the connection may serve another. */
void pool_put(struct origin *origin);
/* Takes it out without closing it. */
void pool_remove(struct origin *origin);
/* Closes those unused for too long; all: every one. */
void pool_sweep(struct proxy *proxy, bool all);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection to an origin that speaks HTTP/2, and serves the exchanges of all clients with this
 * host and port: each has a stream of it for its origin. Never two hosts on one, whatever its
 * certificate says. */
#ifndef LODGE_PROXY_TRUNK_IMPL_H
#define LODGE_PROXY_TRUNK_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct client;
struct origin;
struct proxy;

enum { TRUNK_BUCKETS = 256, TRUNKS_MAX = 256 /* found by others; more serve one exchange each */ };

struct trunks {
    struct origin *buckets[TRUNK_BUCKETS];
    size_t n;
};

/* True where this exchange may go over HTTP/2: no Upgrade, nothing that signs in the connection. */
bool trunk_takes(const struct client *client);

/* A connection of the client's exchange whose handshake chose h2 (exchange->origin, which it is no
 * more): dial_done follows with a stream of it. */
void trunk_begin(struct client *client);

/* A connection to the exchange's host on which another stream may be opened, or NULL. */
struct origin *trunk_find(const struct client *client);
/* A stream for the client's exchange, or NULL. */
struct origin *trunk_open(struct client *client, struct origin *trunk);

/* News of the connection. */
void trunk_on_io(struct origin *trunk);
/* This exchange's origin, a stream, did not answer in time: no more is asked on its connection. */
void trunk_doubt(struct client *client);
/* It is being closed: its streams break. */
void trunk_leave(struct origin *trunk);
/* Closes those unused for too long; all: every one without a stream. */
void trunk_sweep(struct proxy *proxy, bool all);
/* At the proxy's end. */
void trunk_fini(struct proxy *proxy);

#endif

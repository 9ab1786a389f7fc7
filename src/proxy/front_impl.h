/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client that speaks HTTP/2 (STAGE_FRONT, inside TLS of ours): each of its streams is a client of
 * its own, inside the same tunnel, with one request. It counts among the clients as they do; while
 * it has streams it is neither idle nor late. */
#ifndef LODGE_PROXY_FRONT_IMPL_H
#define LODGE_PROXY_FRONT_IMPL_H

#include <stdbool.h>

struct client;
struct h2;

struct front {
    struct h2 *h2;
    struct client *streams; /* by stream_next */
    bool drained;           /* GOAWAY was said */
    bool over;              /* the connection has ended */
};

/* The handshake is over and chose h2. */
void front_begin(struct client *client);
/* No new streams; those open go on. */
void front_drain(struct client *client);
/* The client closes: its streams first. */
void front_leave(struct client *client);
/* A stream was closed. */
void front_left(struct client *parent);

/* Rows of the table. */
void front_on_client(struct client *client);
void front_late(struct client *client);

#endif

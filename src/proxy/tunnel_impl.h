/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tunnels: CONNECT, and what an Upgrade leads to. The first bytes are examined, then bytes go both
 * ways unread, by splice(2) once there are many. */
#ifndef LODGE_PROXY_TUNNEL_IMPL_H
#define LODGE_PROXY_TUNNEL_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "event/event.h"
#include "http/conn.h"
#include "proxy/verdict_impl.h"
#include "wire/hello.h"
#include "wire/host.h"

struct client;
struct origin;
struct pipe;
struct proxy;

/* Pipes that hold nothing, shared by all tunnels of a worker. */
struct pipes {
    struct pipe *unused;
    size_t n_unused;
    size_t n_big; /* grown ones, in use or not */
};

/* One direction. */
struct way {
    struct http_conn *from, *to;
    const struct way *other;
    struct pipe *pipe; /* with bytes on their way; NULL: none are */
    uint64_t bytes;
    bool bulk;  /* the last turn moved enough for splice to pay */
    bool ended; /* `from` has said all */
    bool done;  /* and `to` was told */
};

enum way_result {
    WAY_WAIT,   /* an end blocks */
    WAY_MORE,   /* there may be more, but others first */
    WAY_BROKEN, /* `to` is gone, or `from` failed */
};

struct tunnel {
    struct origin *origin;
    struct way up, down;
    struct hello *hello; /* NULL: the first bytes were none, or have not come */
    char *path;          /* of an Upgrade: path, then query */
    char *person;        /* of credentials; NULL: none */
    int64_t credential;  /* policy_credential when they were accepted */
    int64_t began_ms, active_ms;
    struct who who;
    struct verdict verdict;
    struct event_id id;
    uint16_t port;
    uint16_t status;
    uint16_t path_len, query_len;
    bool has_query;
    bool raw;         /* the first bytes were no ClientHello */
    bool examined;    /* and were decided on */
    bool upgraded;    /* came from an Upgrade, not from CONNECT */
    bool secure;      /* ... inside TLS of ours */
    bool raw_refused; /* only a ClientHello will do */
    bool patient;     /* it may be silent at first */
    uint8_t method_len;
    char method[16];
    struct host host;
};

/* The exchange becomes a tunnel: a CONNECT whose origin is there, or an Upgrade whose 101 is in
 * proxy->line; rest is what came from the origin behind it. */
void tunnel_begin(struct client *client, struct str rest);
void tunnel_on_hello(struct client *client);
void tunnel_on_hello_origin(struct client *client, struct origin *origin);
void tunnel_hello_late(struct client *client);
void tunnel_on_client(struct client *client);
void tunnel_on_origin(struct client *client, struct origin *origin);
void tunnel_late(struct client *client);
/* Records the end and closes both sides. */
void tunnel_end(struct client *client, enum event_end end);
/* Closes the origin and frees. */
void tunnel_free(struct proxy *proxy, struct tunnel *tunnel);

/* pipe.c: moves bytes until an end blocks, or for long enough. *ret_moved: how many. */
MUST_USE enum way_result way_run(struct proxy *proxy, struct way *way,
                                 const struct http_scratch *scratch, size_t *ret_moved);
void way_fini(struct proxy *proxy, struct way *way);
void pipes_fini(struct pipes *pipes);

#endif

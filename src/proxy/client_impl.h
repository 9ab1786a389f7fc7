/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's connection, and the stages it goes through.
 *
 * A connection has at most one exchange or tunnel, so answers are in order. Every callback ends
 * with the connection in a stage that waits for the loop, or closed. A closed client's memory goes
 * at the end of the turn, so callers up the stack may still look at its stage.
 */
#ifndef LODGE_PROXY_CLIENT_IMPL_H
#define LODGE_PROXY_CLIENT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/conn.h"
#include "os/loop.h"
#include "wire/addr.h"

struct exchange;
struct front;
struct inside;
struct leaf_entry;
struct listener;
struct origin;
struct proxy;
struct outer;
struct tls_leaf;
struct tunnel;

enum stage {
    STAGE_HEAD,        /* waiting for a request, or for the rest of its head */
    STAGE_AUTH,        /* its credentials are being checked */
    STAGE_DIAL,        /* its origin is looked up and dialled */
    STAGE_RELAY,       /* the request goes up, the answer comes down */
    STAGE_PAGE,        /* a page of ours goes out */
    STAGE_LINGER,      /* all is said; what the client still sends is thrown away until it ends */
    STAGE_HELLO,       /* a tunnel is open, its first bytes are awaited */
    STAGE_TUNNEL,      /* bytes go both ways */
    STAGE_FIRST,       /* a CONNECT is answered, nothing is dialled: its first bytes are awaited */
    STAGE_LEAF,        /* its ClientHello is there, a leaf is awaited */
    STAGE_TLS,         /* the handshake */
    STAGE_FRONT,       /* it speaks HTTP/2: its streams are clients, and have stages */
    STAGE_OUTER_HELLO, /* TLS of our own port: its ClientHello is awaited, */
    STAGE_OUTER_LEAF,  /* a leaf, */
    STAGE_OUTER_TLS,   /* the end of the handshake */
    STAGE_CLOSED,
    STAGE_COUNT_,
};

struct client {
    struct http_conn conn;
    struct loop_timer timer;
    struct loop_defer defer; /* goes on with work put off, or frees */
    struct proxy *proxy;
    struct client *prev, *next;           /* of the proxy's clients */
    struct client *idle_prev, *idle_next; /* of those without a request in hand */
    struct client *auth_next;             /* waiting for the same answer of auth */
    struct exchange *exchange;
    struct tunnel *tunnel;
    struct inside *inside;   /* what its TLS is the inside of; NULL: plain */
    struct outer *outer;     /* in the stages of our own port's TLS */
    struct leaf_entry *leaf; /* STAGE_LEAF: waited for, by leaf_next */
    struct client *leaf_next;
    struct front *front;                      /* STAGE_FRONT */
    struct client *parent;                    /* a stream: whose; else NULL */
    struct client *stream_prev, *stream_next; /* of the parent's */
    struct origin *bound; /* an origin that knows this client by the connection; NULL: none */
    struct addr addr;
    enum stage stage;
    bool idle;     /* in the idle list */
    bool running;  /* client_run is on the stack */
    bool last;     /* to be closed after this answer */
    bool begun;    /* STAGE_HEAD: part of a head is there */
    bool met;      /* its first bytes were looked at */
    bool over_tls; /* it reached our port by TLS */
    bool unread;   /* it may still be sending what we refused to read */
};

/* Who is called when: one row for each stage (stages.c). */
struct stage_row {
    const char *name;
    void (*client)(struct client *client);                        /* the client's socket has news */
    void (*origin)(struct client *client, struct origin *origin); /* the origin's */
    void (*late)(struct client *client);                          /* the timer */
    /* The leaf that it waits for; NULL: there will be none. */
    void (*leaf)(struct client *client, const struct tls_leaf *leaf);
};
extern const struct stage_row stages[STAGE_COUNT_];

void client_accept(struct listener *listener);

/* A client for a stream of one that speaks HTTP/2: inside what that is inside of. NULL: no memory.
 */
struct client *client_new_stream(struct client *parent, int32_t id);

/* STAGE_HEAD: takes requests for as long as there are whole ones. */
void client_run(struct client *client);

/* The exchange is over (recorded, its origin given back): the next request, or the end. */
void client_next(struct client *client);

/* Closes at once; whatever the client had is given back, an open event is closed as an error. */
void client_close(struct client *client);

/* All is said: closes, where the client may still be sending by a FIN first, and then throwing away
 * what comes, so that no reset overtakes the answer (RFC 9112 section 9.6). */
void client_linger(struct client *client);

/* Calls the stage's late after so long, unless set again. */
void client_timer_set(struct client *client, int64_t ms);

/* Calls the stage's client at the end of this turn: more to do, but others first. */
void client_again(struct client *client);

/* Rows of the table. */
void client_watch(struct client *client); /* waiting for others: is it still there? */
void client_on_page(struct client *client);
void client_on_linger(struct client *client);
void client_late(struct client *client);

/* Puts it among those that may be closed to make room, as the last, or takes it out. */
void client_idle(struct client *client, bool idle);

/* Closes the connection that has been without a request for longest; false where there is none. */
bool client_evict(struct proxy *proxy);

#endif

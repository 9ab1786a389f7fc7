/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What front is made of; private to front.c, front_accept.c, front_visit.c and front_reply.c.
 *
 * A peer is a TCP connection under TLS. A visit is whoever sends requests one behind the other: the
 * peer itself (HTTP/1.1), or each of its streams (HTTP/2). */
#ifndef LODGE_PROC_FRONT_IMPL_H
#define LODGE_PROC_FRONT_IMPL_H

#include "http/body.h"
#include "http/conn.h"
#include "http/h2.h"
#include "os/loop.h"
#include "os/sock.h"
#include "proc/child.h"
#include "proc/desk_line.h"
#include "proc/front_certificate.h"
#include "proc/front_names.h"
#include "proc/front_rates.h"
#include "tls/server.h"
#include "wire/http1.h"

enum {
    FRONT_PEERS_MAX = 2048,
    FRONT_PEERS_OF_ONE = 256, /* of one address: a school behind one router */
    FRONT_SCRATCH = 65536,
    FRONT_WAITING_MAX = 512,             /* requests that the desk has */
    FRONT_HELD_MAX = 192 * 1024 * 1024,  /* bodies of all visits, and frames, together */
    FRONT_HANDSHAKE_MS = 10 * 1000,      /* from the connection to the end of the handshake */
    FRONT_BODY_WHOLE_MS = 5 * 60 * 1000, /* for all of a body */
    FRONT_DESK_MS = 2 * 60 * 1000,       /* for the desk's answer: a big import */
    FRONT_WRITE_MS = 30 * 1000,          /* for the next piece of an answer to be taken */
    FRONT_LINGER_MS = 2000,
};

enum visit_stage {
    VISIT_HEAD,
    VISIT_BODY,
    VISIT_DESK,  /* waits for the desk */
    VISIT_WRITE, /* an answer goes out */
    VISIT_LINGER,
    VISIT_OVER,
};

struct front;
struct peer;

struct visit {
    struct peer *peer;
    struct http_conn *conn; /* the peer's, or `own` */
    struct http_conn own;   /* of a stream */
    struct loop_timer timer;
    struct loop_defer defer;
    struct visit *prev, *next;           /* of the peer's streams */
    struct visit *wait_prev, *wait_next; /* of those that wait for the desk */
    enum visit_stage stage;
    bool running;
    bool begun;                 /* bytes of a head have come */
    bool is_head;               /* HEAD: the answer has no body */
    bool wants_json;            /* how a trouble is told */
    bool last;                  /* the connection ends behind this answer */
    bool unread;                /* of a body, when it is answered */
    struct web_request request; /* slices into `head` */
    struct buf head;
    struct http_body body;
    struct buf data; /* the body */
    size_t body_max;
    int64_t body_until_ms;
    uint64_t ticket;
    struct file_map answer; /* the frame whose body goes out */
    struct buf made;        /* ... or a page of our own */
    struct str rest;        /* of either: what was not written yet */
};

struct peer {
    struct front *front;
    struct http_conn conn;
    struct loop_timer timer; /* of the handshake, and of HTTP/2 at rest */
    struct loop_defer defer;
    struct peer *prev, *next;
    struct sock_addr addr;
    struct sock_addr dialled;
    bool met;  /* its first byte was seen */
    bool over; /* closed; freed at the end of the turn */
    bool established;
    bool drained;
    struct h2 *h2;         /* HTTP/2 */
    struct visit *streams; /* of HTTP/2 */
    struct visit *visit;   /* of HTTP/1.1 */
};

/* A request that the desk has; it lies in memory until it is answered, whoever waits for it. */
struct flight {
    uint64_t ticket;
    size_t bytes;
};

struct front {
    struct loop_io listener; /* fd -1: not handed over, or draining */
    struct loop_io line;     /* to the desk; fd -1: none now */
    struct loop_timer renew;
    struct loop_timer give_up;
    struct child *child;
    struct loop *loop;
    struct tls_server *tls;
    struct front_certificate certificate;
    struct front_names names;
    struct front_rates rates;
    struct http_scratch scratch;
    struct peer *peers;
    size_t n_peers;
    struct visit *waiting;
    size_t n_waiting;
    size_t held; /* bytes of bodies, and of frames that the desk has not answered */
    uint64_t last_ticket;
    struct flight flights[FRONT_WAITING_MAX]; /* also of those who have left */
    size_t n_flights;
    bool accepting;
    bool draining;
    struct http1_head parsed; /* of the visit at hand */
};

/* front_accept.c */
void front_accept_all(struct front *front);
void peer_close(struct peer *peer);
/* A stream has gone; an idle connection is closed after a while. */
void peer_left(struct peer *peer);
/* No new requests; those in hand go on. */
void peer_drain(struct peer *peer);

/* front_visit.c */
struct visit *visit_new(struct peer *peer, struct http_conn *conn);
/* A stream's; NULL: refused. */
struct visit *visit_new_stream(struct peer *peer, int32_t id);
void visit_run(struct visit *visit);
void visit_close(struct visit *visit);
/* The desk's answer; frame is taken over. */
void visit_answered(struct visit *visit, struct file_map *frame);
/* The desk is gone, or its answer is none. */
void visit_lost(struct visit *visit);

/* front_reply.c: each begins VISIT_WRITE. */
void reply_trouble(struct visit *visit, unsigned status, const char *sentence);
void reply_trouble_after(struct visit *visit, unsigned status, const char *sentence,
                         int64_t after_s);
void reply_asset(struct visit *visit, struct str path, struct str if_none_match);
void reply_from_desk(struct visit *visit, const struct desk_answer *answer);

/* front.c: hands the request to the desk; false: it cannot be. */
bool front_ask(struct front *front, struct visit *visit);
void front_forget(struct front *front, struct visit *visit);
/* Something has ended: goes on with accepting or draining. */
void front_settle(struct front *front);

#endif

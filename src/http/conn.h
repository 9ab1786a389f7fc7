/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One end of a connection: what the loop said of it, what was read and not used, what must still be
 * written.
 *
 * Reading goes into a scratch buffer that all connections of a process share; only what a caller
 * could not use is copied into memory of the connection's own, so that a quiet connection holds
 * none. Writing goes straight to the socket; only what it did not take is kept. Whoever relays
 * reads from one end only while the other has nothing pending, and so is bounded by one scratch
 * buffer.
 *
 * The descriptor is watched once, edge-triggered; `ready` remembers the edges. Whether it can be
 * written is watched only from the first time that it could not: most connections never get there.
 */
#ifndef LODGE_HTTP_CONN_H
#define LODGE_HTTP_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "os/loop.h"

/* What all connections of a process read into, one for each direction of a relay. */
struct http_scratch {
    char *p;
    size_t size;
};

struct http_conn;

enum http_read {
    HTTP_READ_SOME,   /* there is more than before */
    HTTP_READ_NONE,   /* nothing now; the loop will call */
    HTTP_READ_END,    /* the peer says that it will send no more */
    HTTP_READ_BROKEN, /* the connection failed, or ended where TLS should have said so first: what
                         only an end delimits is then incomplete (RFC 9112 section 9.8) */
};

/* What a connection's bytes go through where it is not a bare socket: TLS (conn_tls.h), a stream of
 * HTTP/2 (h2.h). `ready` is kept as over a socket: receive clears EPOLLIN when there is nothing
 * left, transmit that took less than all is followed by a call of the owner's fn with EPOLLOUT. */
struct http_transport {
    /* At most room bytes; *ret_n is written on HTTP_READ_SOME. */
    enum http_read (*receive)(struct http_conn *conn, char *to, size_t room, size_t *ret_n);
    /* a, then b, as far as they are taken now; *ret_n in all. ERR_SYSTEM: the peer is gone. */
    enum err (*transmit)(struct http_conn *conn, struct str a, struct str b, size_t *ret_n);
    bool (*is_quiet)(const struct http_conn *conn);
    /* Sets shut_due where the peer cannot be told yet: it is then called again after EPOLLOUT. */
    void (*shut)(struct http_conn *conn);
    /* Frees the layer; the socket below, where there is one, is closed by the caller. */
    void (*close)(struct http_conn *conn);
};

struct http_conn {
    struct loop_io io; /* fd -1: not open, or a stream */
    uint32_t ready; /* EPOLLIN: may have bytes; EPOLLOUT: may take some; RDHUP, HUP, ERR: as said */
    bool shut;      /* nothing more will be written */
    bool shut_due;  /* ... and the peer is to be told when it takes more */
    bool watches_out;                       /* the loop tells of EPOLLOUT */
    const struct http_transport *transport; /* NULL: the socket itself */
    void *layer;                            /* the transport's own */
    struct buf in;                          /* read and not used */
    struct buf out;                         /* to be written, from out_at on */
    size_t out_at;
};

/* A connection that is not open, which keeps at most max_in unused bytes. */
void http_conn_init(struct http_conn *conn, size_t max_in);

/* Watches fd (non-blocking; owned from now on, also on failure). connected: false where a connect
 * is under way, so that nothing is written before EPOLLOUT. */
MUST_USE enum err http_conn_open(struct http_conn *conn, struct loop *loop, int fd, loop_io_fn *fn,
                                 bool connected);

/* Closes and frees; fine on one that is not open. */
void http_conn_close(struct http_conn *conn);

/* Private to http_conn_note: goes on with what http_conn_shut began. */
void http_conn_shut_again(struct http_conn *conn);

/* To be called first in the loop's callback. */
static inline void http_conn_note(struct http_conn *conn, uint32_t events)
{
    conn->ready |= events;
    if (conn->shut_due && (events & EPOLLOUT) != 0) {
        http_conn_shut_again(conn);
    }
}

/* Reads once. On HTTP_READ_SOME *ret_view is everything unused, older bytes first; it points into
 * scratch or the connection's own memory, and holds until the next read of either; the caller gives
 * back what it did not use by http_conn_keep. Else *ret_view is not written. */
MUST_USE enum http_read http_conn_read(struct http_conn *conn, const struct http_scratch *scratch,
                                       struct str *ret_view);

/* What is unused now, without reading. */
static inline struct str http_conn_unused(const struct http_conn *conn)
{
    return buf_str(&conn->in);
}

/* Ends the use of a view: rest is its unused tail (maybe all or none of it). ERR_LIMIT, ERR_MEMORY:
 * it could not be kept, and the connection must be closed. */
MUST_USE enum err http_conn_keep(struct http_conn *conn, struct str rest);

/* Writes a and b, or keeps what the socket does not take now. ERR_SYSTEM: the peer is gone;
 * ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err http_conn_write(struct http_conn *conn, struct str a, struct str b);

/* To be called by whoever writes to the descriptor by other means and finds it full: EPOLLOUT is
 * then off until the loop tells of it. ERR_SYSTEM. */
MUST_USE enum err http_conn_full(struct http_conn *conn);

/* Writes what is pending, as far as the socket takes it. ERR_SYSTEM: the peer is gone. */
MUST_USE enum err http_conn_flush(struct http_conn *conn);

static inline bool http_conn_pending(const struct http_conn *conn)
{
    return conn->out.len > conn->out_at;
}

/* True while it can be used: a socket or a stream is there. */
static inline bool http_conn_is_open(const struct http_conn *conn)
{
    return conn->io.fd >= 0 || conn->transport != NULL;
}

/* True where the peer has sent nothing that was not read, and has not ended: asks the socket, which
 * may know more than the loop has said. */
bool http_conn_is_quiet(const struct http_conn *conn);

/* Tells the peer that no more will come (a FIN, over TLS after close_notify); nothing may be
 * pending. Once. */
void http_conn_shut(struct http_conn *conn);

#endif

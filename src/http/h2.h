/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/2 (RFC 9113, by nghttp2), so that the rest of Lodge need not know it: each stream is a
 * struct http_conn that speaks HTTP/1.1.
 *
 * On the side of a client (h2_front), a new stream is a connection from which one request can be
 * read and to which one answer is written. On the side of an origin (h2_origin), it is a connection
 * to which one request is written and from which one answer can be read. Heads are made from what
 * HTTP/2 says and read back by our own strict parser, so nothing gets through that could not have
 * come over HTTP/1.1: RFC 9113 section 8 is enforced before (pseudo-headers, lower case, no
 * connection fields, no CR, LF or NUL, content-length equal to the data, :authority against Host),
 * and bodies are chunks where there is no content-length; trailers are the chunks' trailers. An
 * extended CONNECT (RFC 8441) is an Upgrade and back. RST_STREAM is a broken connection.
 *
 * What a stream may hold is bounded by its window; what a peer may ask for by struct h2_limits:
 * streams at once, resets in a while (CVE-2023-44487), CONTINUATION frames (CVE-2024-27316), header
 * list and table size, PING, SETTINGS and empty frames. A connection that passes one is ended by
 * GOAWAY ENHANCE_YOUR_CALM.
 */
#ifndef LODGE_HTTP_H2_H
#define LODGE_HTTP_H2_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "http/conn.h"
#include "os/loop.h"

struct h2_limits {
    uint32_t streams;           /* at once (100) */
    uint32_t header_list_bytes; /* decoded (65536, no more than LIMIT_HTTP_HEAD_LEN) */
    uint32_t stream_window;     /* bytes of a body that wait for their reader (262144) */
    uint32_t connection_window; /* h2_front: the same of all streams; h2_origin: opens by itself */
    uint32_t resets_burst, resets_rate; /* RST_STREAM by the peer: at once, and a second */
    uint32_t frames_burst, frames_rate; /* frames that move nothing, beyond what others earn */
    uint32_t continuations;             /* of one header block */
};
extern const struct h2_limits H2_LIMITS;

struct h2; /* one connection with its streams */

/* What the owner of the connection is told. Called from h2_run, or at the end of the loop's turn;
 * the owner may close streams inside, and h2_free only later (loop_defer). */
struct h2_owner {
    /* h2_front: a stream has a whole request head. The owner opens a connection for it by
     * h2_stream_open inside this call, or refuses by not doing so (RST_STREAM REFUSED_STREAM). */
    void (*stream)(struct h2 *h2, int32_t id, void *context);
    /* h2_front: what a stream asks is not valid (RFC 9113 section 8), or came to no whole head, and
     * the stream is over. May be NULL. */
    void (*malformed)(struct h2 *h2, void *context);
    /* The connection is over: an end, an error, a limit, or after a GOAWAY (of either) its last
     * stream. Streams that are open are told by EPOLLHUP. Once. */
    void (*ended)(struct h2 *h2, void *context);
    void *context;
};

/* conn (TLS with ALPN h2, or bare in tests) stays the caller's, who closes it after h2_free. The
 * preface and SETTINGS are written at once. ERR_MEMORY, ERR_SYSTEM. */
MUST_USE enum err h2_front_new(struct http_conn *conn, struct loop *loop,
                               const struct http_scratch *scratch, const struct h2_limits *limits,
                               const struct h2_owner *owner, struct h2 **ret_h2);
MUST_USE enum err h2_origin_new(struct http_conn *conn, struct loop *loop,
                                const struct http_scratch *scratch, const struct h2_limits *limits,
                                const struct h2_owner *owner, struct h2 **ret_h2);
/* Ends all streams (their connections break) and frees. */
void h2_free(struct h2 *h2);

/* Reads, works and writes as far as the connection goes; for the callback of conn (after
 * http_conn_note), and once behind h2_front_new where conn has been read already. False: the
 * connection has ended, and `ended` was called. Beside this, it runs at the end of turns in which
 * streams had something to say. */
MUST_USE bool h2_run(struct h2 *h2);

/* GOAWAY: no new streams, those open go on. */
void h2_drain(struct h2 *h2);

size_t h2_open_streams(const struct h2 *h2);
/* h2_origin: true where another stream may be opened now: never after a GOAWAY. */
bool h2_may_open(const struct h2 *h2);
/* h2_origin: the peer takes extended CONNECT (RFC 8441). */
bool h2_takes_websocket(const struct h2 *h2);

/* Why a stream of h2_origin ended without an answer, as far as that says what to do next. */
enum h2_refusal {
    H2_REFUSAL_NONE,
    H2_REFUSAL_AGAIN, /* it was not looked at: ask again elsewhere (RFC 9113 section 8.7) */
    H2_REFUSAL_HTTP1, /* HTTP_1_1_REQUIRED */
};
enum h2_refusal h2_stream_refusal(const struct http_conn *conn);

/* A stream of h2_front on which nothing was written: its client is told to ask by HTTP/1.1, since
 * the answer signs in the connection (RFC 9113 section 9.2.2 shows the same way for TLS). */
void h2_stream_want_http1(struct http_conn *conn);

/* conn (after http_conn_init, not open) becomes a connection over a stream: of the id that the
 * owner was told of (h2_front), or a new one (h2_origin, id 0). fn is called, from the loop's turn
 * and never from inside conn's own functions, when there is news, as for a socket (conn->io is
 * given to it; conn->io.fd stays -1). Closing conn resets the stream where it is not over.
 * ERR_LIMIT (h2_origin: no more streams now), ERR_MEMORY. */
MUST_USE enum err h2_stream_open(struct h2 *h2, int32_t id, struct http_conn *conn, loop_io_fn *fn);

#endif

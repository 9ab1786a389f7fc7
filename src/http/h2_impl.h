/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection of HTTP/2 and its streams: what h2.c (bytes of the connection), h2_session.c (what
 * frames mean, and limits), h2_stream.c (a stream's life), h2_in.c and h2_out.c (its two
 * directions) share.
 *
 * nghttp2 calls back only while `inside` is set, and nothing there calls out but owner.stream. What
 * a stream's connection is to be told waits for the end of the loop's turn.
 */
#ifndef LODGE_HTTP_H2_IMPL_H
#define LODGE_HTTP_H2_IMPL_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http/body.h"
#include "http/h2.h"
#include "http/h2_head_impl.h"

enum {
    /* Of a stream's answer (or request) that the peer has not taken: as much as one scratch. */
    H2_OUT_MAX = 65536,
    /* A head as text: names and values of a whole list, and what we add. */
    H2_TEXT_MAX = 2 * LIMIT_HTTP_HEAD_LEN,
    /* Interim answers that wait for their reader are bounded by H2_TEXT_MAX in all. */
};

/* So many at once, so many a second. */
struct h2_bucket {
    int64_t left, burst, rate; /* thousandths; thousandths; a second */
    int64_t at_ms;
};
void h2_bucket_init(struct h2_bucket *bucket, uint32_t burst, uint32_t rate, int64_t now_ms);
/* False: it is empty. */
bool h2_bucket_take(struct h2_bucket *bucket, int64_t now_ms);
void h2_bucket_credit(struct h2_bucket *bucket, uint32_t n);

struct h2 {
    struct http_conn *conn;
    struct loop *loop;
    struct http_scratch scratch;
    struct h2_limits limits;
    struct h2_owner owner;
    nghttp2_session *session;
    struct loop_defer defer; /* works at the end of the turn, or frees */
    struct h2_stream *streams;
    size_t n_streams;
    struct buf fields; /* of the header block that is being read */
    size_t list_bytes; /* of it, as RFC 9113 section 10.5.1 counts */
    struct h2_bucket resets, frames;
    uint32_t code; /* with which it is to end; 0: as nghttp2 says */
    bool server;
    bool inside;   /* nghttp2 is on the stack */
    bool draining; /* no new streams */
    bool over;     /* the connection has ended, and the owner was told */
};

enum h2_out_state { H2_OUT_HEAD, H2_OUT_BODY, H2_OUT_RAW, H2_OUT_DONE };

struct h2_in {
    struct buf text; /* heads and the framing of chunks, not yet read, from text_at on */
    struct buf data; /* the body, from data_at on */
    struct buf trailers;
    size_t text_at, data_at;
    size_t chunk;  /* data bytes left of the chunk whose size was said */
    uint64_t left; /* of a body with a length, not yet come */
    enum h2_body body;
    bool final;    /* the head that body belongs to has come */
    bool ended;    /* END_STREAM */
    bool finished; /* the end is in text, too */
};

struct h2_out {
    enum h2_out_state state;
    struct buf head; /* a part of one */
    struct buf data; /* not yet taken by nghttp2, from data_at on */
    struct buf trailers;
    size_t data_at;
    struct http_body body;
    bool whole;    /* nothing more will come */
    bool ended;    /* END_STREAM went out */
    bool deferred; /* nghttp2 waits for data */
    bool full;     /* the writer waits for room */
};

struct h2_stream {
    struct h2 *h2; /* NULL: it has ended before the stream's connection was closed */
    struct loop *loop;
    struct h2_stream *prev, *next;
    struct http_conn *conn; /* NULL: not yet, or closed */
    struct loop_defer defer;
    uint32_t news; /* to be told to conn */
    int32_t id;    /* 0: of an origin, its request is not there yet */
    bool server;   /* as h2->server */
    bool asked;    /* the owner was told of its request */
    bool opened;   /* has had a conn */
    bool gone;     /* nghttp2 knows it no more */
    uint32_t code; /* of its end */
    bool broken;   /* reset, by either side, or the connection ended */
    struct h2_message request, answer;
    struct h2_in in;
    struct h2_out out;
};

/* h2.c: what there is to write goes out at the end of the turn. */
void h2_later(struct h2 *h2);

/* h2_session.c */
MUST_USE enum err h2_session_new(struct h2 *h2);

/* h2_stream.c */
struct h2_stream *h2_stream_new(struct h2 *h2, int32_t id);
struct h2_stream *h2_stream_find(struct h2 *h2, int32_t id);
/* Tells its connection of news at the end of the turn. */
void h2_stream_tell(struct h2_stream *stream, uint32_t events);
/* RST_STREAM; it is broken from now on. */
void h2_stream_reset(struct h2_stream *stream, uint32_t code);
/* nghttp2 has closed it. */
void h2_stream_gone(struct h2_stream *stream, uint32_t code);
/* The connection has ended. */
void h2_stream_orphan(struct h2_stream *stream);
/* END_STREAM went out. */
void h2_stream_sent(struct h2_stream *stream);

/* h2_in.c: from nghttp2 to the reader of conn. */
void h2_in_init(struct h2_stream *stream);
void h2_in_fini(struct h2_stream *stream);
/* A header block is whole, in h2->fields. ERR_INVALID: malformed. */
MUST_USE enum err h2_in_head(struct h2_stream *stream, bool ended);
/* ERR_INVALID: more than was announced. */
MUST_USE enum err h2_in_data(struct h2_stream *stream, struct str data);
MUST_USE enum err h2_in_end(struct h2_stream *stream);
enum http_read h2_in_receive(struct h2_stream *stream, char *to, size_t room, size_t *ret_n);
bool h2_in_is_quiet(const struct h2_stream *stream);

/* h2_out.c: from the writer of conn to nghttp2. */
void h2_out_init(struct h2_stream *stream);
void h2_out_fini(struct h2_stream *stream);
/* Takes text of HTTP/1.1; *ret_n is less than its length where there is no room. ERR_INVALID. */
MUST_USE enum err h2_out_feed(struct h2_stream *stream, struct str text, size_t *ret_n);
/* The writer has said all that it will say. */
void h2_out_close(struct h2_stream *stream);

#endif

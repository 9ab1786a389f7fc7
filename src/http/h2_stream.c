/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream's life: a transport of struct http_conn on one side, nghttp2's stream on the other, each
 * of which may go first. It is freed when both have gone. */
#include <stdlib.h>

#include "base/check.h"
#include "http/h2_impl.h"

static const uint32_t LOST = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

static struct h2_stream *of_defer(struct loop_defer *defer)
{
    return (struct h2_stream *)(void *)((char *)defer - offsetof(struct h2_stream, defer));
}

static void tell_now(struct loop_defer *defer)
{
    struct h2_stream *stream = of_defer(defer);
    uint32_t news = stream->news;
    stream->news = 0;
    if (stream->conn != NULL && news != 0) {
        stream->conn->io.fn(&stream->conn->io, news);
    }
}

void h2_stream_tell(struct h2_stream *stream, uint32_t events)
{
    if (stream->conn != NULL) {
        stream->news |= events;
        loop_defer_add(stream->loop, &stream->defer);
    }
}

/* --- birth and end
 * ------------------------------------------------------------------------------------- */

struct h2_stream *h2_stream_new(struct h2 *h2, int32_t id)
{
    struct h2_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return NULL;
    }
    stream->h2 = h2;
    stream->loop = h2->loop;
    stream->server = h2->server;
    stream->id = id;
    stream->defer.fn = tell_now;
    h2_in_init(stream);
    h2_out_init(stream);
    stream->next = h2->streams;
    if (h2->streams != NULL) {
        h2->streams->prev = stream;
    }
    h2->streams = stream;
    h2->n_streams++;
    return stream;
}

struct h2_stream *h2_stream_find(struct h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

static void free_now(struct loop_defer *defer)
{
    free(of_defer(defer));
}

static void unlink_stream(struct h2_stream *stream)
{
    struct h2 *h2 = stream->h2;
    if (h2 == NULL) {
        return;
    }
    *(stream->prev != NULL ? &stream->prev->next : &h2->streams) = stream->next;
    if (stream->next != NULL) {
        stream->next->prev = stream->prev;
    }
    h2->n_streams--;
    stream->h2 = NULL;
}

/* Whoever runs now may still look at it, so its memory goes at the end of the turn. */
static void free_if_done(struct h2_stream *stream)
{
    if (stream->conn == NULL && (stream->gone || stream->h2 == NULL)) {
        h2_in_fini(stream);
        h2_out_fini(stream);
        unlink_stream(stream);
        stream->defer.fn = free_now;
        loop_defer_add(stream->loop, &stream->defer);
    }
}

void h2_stream_gone(struct h2_stream *stream, uint32_t code)
{
    struct h2 *h2 = stream->h2;
    stream->gone = true;
    stream->code = code;
    if (stream->server && !stream->asked && h2 != NULL && h2->owner.malformed != NULL) {
        h2->owner.malformed(h2, h2->owner.context);
    }
    if (!(stream->in.ended && stream->out.ended)) {
        stream->broken = true;
        h2_stream_tell(stream, LOST);
    }
    free_if_done(stream);
}

void h2_stream_orphan(struct h2_stream *stream)
{
    stream->gone = true;
    stream->broken = true;
    h2_stream_tell(stream, LOST);
    unlink_stream(stream);
    free_if_done(stream);
}

void h2_stream_reset(struct h2_stream *stream, uint32_t code)
{
    struct h2 *h2 = stream->h2;
    if (h2 == NULL || stream->gone || stream->broken) {
        return;
    }
    stream->broken = true;
    h2_stream_tell(stream, LOST);
    if (stream->id != 0 && !h2->over) {
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id, code);
        h2_later(h2);
    }
}

/* RFC 9113 section 8.1: an answer that was whole before its request was is followed by NO_ERROR,
 * once nobody reads the request any more. Not before: curl throws an answer away that is followed
 * by a reset while it still sends. */
static void stop_request(struct h2_stream *stream)
{
    if (stream->server && stream->out.ended && !stream->in.ended && stream->conn == NULL) {
        h2_stream_reset(stream, NGHTTP2_NO_ERROR);
    }
}

void h2_stream_sent(struct h2_stream *stream)
{
    stream->out.ended = true;
    stop_request(stream);
}

/* --- the transport
 * ------------------------------------------------------------------------------------- */

static struct h2_stream *of_conn(const struct http_conn *conn)
{
    return conn->layer;
}

static enum http_read receive(struct http_conn *conn, char *to, size_t room, size_t *ret_n)
{
    return h2_in_receive(of_conn(conn), to, room, ret_n);
}

static enum err transmit(struct http_conn *conn, struct str a, struct str b, size_t *ret_n)
{
    struct h2_stream *stream = of_conn(conn);
    size_t n = 0;
    size_t more = 0;
    if (stream->h2 == NULL || stream->h2->over || stream->gone || stream->broken) {
        return ERR_SYSTEM;
    }
    enum err err = h2_out_feed(stream, a, &n);
    if (err == ERR_OK && n == a.len) {
        err = h2_out_feed(stream, b, &more);
    }
    if (err != ERR_OK) {
        h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        return ERR_SYSTEM;
    }
    *ret_n = n + more;
    return ERR_OK;
}

static bool is_quiet(const struct http_conn *conn)
{
    return h2_in_is_quiet(of_conn(conn));
}

static void shut(struct http_conn *conn)
{
    struct h2_stream *stream = of_conn(conn);
    if (stream->h2 != NULL && !stream->h2->over && !stream->gone && !stream->broken) {
        h2_out_close(stream);
    }
}

/* What is whole goes out; anything else is a reset. */
static void let_go(struct h2_stream *stream)
{
    bool switched = stream->out.state == H2_OUT_RAW && stream->in.ended;
    if (switched) {
        h2_out_close(stream);
    }
    if (stream->server) {
        if (stream->out.whole) {
            stop_request(stream);
        } else {
            h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
        }
    } else if (!stream->in.ended || !stream->out.whole) {
        h2_stream_reset(stream, NGHTTP2_CANCEL);
    }
    stream->gone |= stream->id == 0; /* nghttp2 never knew it */
}

static void close_stream(struct http_conn *conn)
{
    struct h2_stream *stream = of_conn(conn);
    stream->conn = NULL;
    if (stream->h2 != NULL && !stream->h2->over && !stream->gone) {
        h2_in_fini(stream);
        let_go(stream);
    }
    free_if_done(stream);
}

enum h2_refusal h2_stream_refusal(const struct http_conn *conn)
{
    const struct h2_stream *stream = of_conn(conn);
    if (stream->code == NGHTTP2_HTTP_1_1_REQUIRED) {
        return H2_REFUSAL_HTTP1;
    }
    return stream->code == NGHTTP2_REFUSED_STREAM ? H2_REFUSAL_AGAIN : H2_REFUSAL_NONE;
}

void h2_stream_want_http1(struct http_conn *conn)
{
    struct h2_stream *stream = of_conn(conn);
    CHECK(stream->server);
    h2_stream_reset(stream, NGHTTP2_HTTP_1_1_REQUIRED);
}

static const struct http_transport STREAM = {
    .receive = receive,
    .transmit = transmit,
    .is_quiet = is_quiet,
    .shut = shut,
    .close = close_stream,
};

enum err h2_stream_open(struct h2 *h2, int32_t id, struct http_conn *conn, loop_io_fn *fn)
{
    CHECK(conn->transport == NULL && conn->io.fd == -1);
    CHECK(h2->server == (id != 0));
    if (h2->over || (!h2->server && !h2_may_open(h2))) {
        return ERR_LIMIT;
    }
    struct h2_stream *stream = h2->server ? h2_stream_find(h2, id) : h2_stream_new(h2, 0);
    if (stream == NULL) {
        return ERR_MEMORY;
    }
    CHECK(!stream->opened);
    stream->opened = true;
    stream->conn = conn;
    conn->io.fn = fn;
    conn->ready = EPOLLOUT;
    conn->transport = &STREAM;
    conn->layer = stream;
    h2_stream_tell(stream, EPOLLOUT | (h2->server ? EPOLLIN : 0));
    if (stream->in.ended) {
        h2_stream_tell(stream, EPOLLRDHUP);
    }
    return ERR_OK;
}

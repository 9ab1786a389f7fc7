/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a stream's peer said, as text of HTTP/1.1.
 *
 * Data waits without framing, so that it is never more than the window, however small its frames;
 * sizes of chunks are said as they are read. A stream's window opens by what was read and by
 * nothing else.
 */
#include "base/check.h"
#include "crypto/random.h"
#include "http/h2_impl.h"

enum { TEXT_KEPT = 1024 };

void h2_in_init(struct h2_stream *stream)
{
    buf_init(&stream->in.text, H2_TEXT_MAX);
    buf_init(&stream->in.trailers, LIMIT_HTTP_TRAILER_LEN);
    buf_init(&stream->in.data, stream->h2->limits.stream_window);
}

/* Data that nobody will read opens the connection's window for others, too; that of a connection to
 * an origin was opened when it came. */
static void consume(struct h2_stream *stream, size_t n)
{
    struct h2 *h2 = stream->h2;
    if (h2 != NULL && !h2->over && n != 0) {
        (void)(h2->server ? nghttp2_session_consume(h2->session, stream->id, n)
                          : nghttp2_session_consume_stream(h2->session, stream->id, n));
        h2_later(h2);
    }
}

void h2_in_fini(struct h2_stream *stream)
{
    struct h2_in *in = &stream->in;
    consume(stream, in->data.len - in->data_at);
    buf_fini(&in->text);
    buf_fini(&in->data);
    buf_fini(&in->trailers);
    in->text_at = 0;
    in->data_at = 0;
}

/* --- from nghttp2
 * -------------------------------------------------------------------------------------- */

static enum err take_trailers(struct h2_stream *stream, bool ended)
{
    struct h2_in *in = &stream->in;
    if (!ended || in->body == H2_BODY_NONE || in->body == H2_BODY_RAW) {
        return ERR_INVALID;
    }
    ERR_TRY(h2_trailer_text(buf_str(&stream->h2->fields), &in->trailers));
    return h2_in_end(stream);
}

enum err h2_in_head(struct h2_stream *stream, bool ended)
{
    struct h2 *h2 = stream->h2;
    struct h2_in *in = &stream->in;
    struct h2_message message;
    if (in->final) {
        return take_trailers(stream, ended);
    }
    if (h2->server) {
        uint8_t nonce[H2_NONCE_BYTES];
        random_bytes(nonce, sizeof(nonce));
        ERR_TRY(h2_request_text(buf_str(&h2->fields), ended, nonce, &in->text, &message));
        stream->request = message;
    } else {
        ERR_TRY(
            h2_response_text(buf_str(&h2->fields), ended, &stream->request, &in->text, &message));
        stream->answer = message;
    }
    in->final = h2->server || message.status >= 200 || message.websocket;
    if (in->final) {
        in->body = message.body;
        in->left = message.length;
    }
    h2_stream_tell(stream, EPOLLIN);
    return ended ? h2_in_end(stream) : ERR_OK;
}

enum err h2_in_data(struct h2_stream *stream, struct str data)
{
    struct h2_in *in = &stream->in;
    if (in->ended || in->body == H2_BODY_UNSET || in->body == H2_BODY_NONE ||
        (in->body == H2_BODY_LENGTH && data.len > in->left)) {
        return ERR_INVALID;
    }
    if (in->body == H2_BODY_LENGTH) {
        in->left -= data.len;
    }
    if (in->data_at != 0 && in->data.len + data.len > in->data.cap) {
        buf_consume(&in->data, in->data_at);
        in->data_at = 0;
    }
    buf_append(&in->data, data);
    h2_stream_tell(stream, EPOLLIN);
    return buf_err(&in->data);
}

enum err h2_in_end(struct h2_stream *stream)
{
    struct h2_in *in = &stream->in;
    if (in->body == H2_BODY_LENGTH && in->left != 0) {
        return ERR_INVALID;
    }
    in->ended = true;
    h2_stream_tell(stream, EPOLLIN | EPOLLRDHUP);
    return ERR_OK;
}

/* --- to the reader
 * ------------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t take_text(struct h2_in *in, char *to, size_t room)
{
    size_t n = least(room, in->text.len - in->text_at);
    memcpy(to, in->text.p + in->text_at, n);
    in->text_at += n;
    if (in->text_at == in->text.len) {
        in->text_at = 0;
        if (in->text.cap > TEXT_KEPT) {
            buf_fini(&in->text);
        } else {
            buf_clear(&in->text);
        }
    }
    return n;
}

/* Data as it is, or the rest of a chunk. */
static size_t take_data(struct h2_stream *stream, char *to, size_t room)
{
    struct h2_in *in = &stream->in;
    size_t n = least(room, in->data.len - in->data_at);
    if (in->body == H2_BODY_CHUNKED) {
        n = least(n, in->chunk);
        in->chunk -= n;
        if (in->chunk == 0) {
            buf_append(&in->text, STR("\r\n"));
        }
    }
    memcpy(to, in->data.p + in->data_at, n);
    in->data_at += n;
    if (in->data_at == in->data.len) {
        in->data_at = 0;
        buf_fini(&in->data);
    }
    consume(stream, n);
    return n;
}

static void say_chunk(struct h2_in *in)
{
    in->chunk = in->data.len - in->data_at;
    buf_printf(&in->text, "%zx\r\n", in->chunk);
}

static void say_end(struct h2_in *in)
{
    in->finished = true;
    if (in->body == H2_BODY_CHUNKED) {
        buf_append(&in->text, STR("0\r\n"));
        buf_append(&in->text, buf_str(&in->trailers));
        buf_append(&in->text, STR("\r\n"));
        buf_fini(&in->trailers);
    }
}

/* One piece; 0: there is none, but perhaps more text now. */
static size_t take_piece(struct h2_stream *stream, char *to, size_t room)
{
    struct h2_in *in = &stream->in;
    if (in->text.len != 0) {
        return take_text(in, to, room);
    }
    if (in->data.len != 0) {
        if (in->body == H2_BODY_CHUNKED && in->chunk == 0) {
            say_chunk(in);
            return 0;
        }
        return take_data(stream, to, room);
    }
    if (in->ended && !in->finished) {
        say_end(in);
    }
    return 0;
}

static bool has_more(const struct h2_in *in)
{
    return in->text.len != 0 || in->data.len != 0 || (in->ended && !in->finished);
}

/* A client that has gone is gone. What an origin said before it went is still heard. */
enum http_read h2_in_receive(struct h2_stream *stream, char *to, size_t room, size_t *ret_n)
{
    struct h2_in *in = &stream->in;
    size_t n = 0;
    if (stream->broken && stream->server) {
        return HTTP_READ_BROKEN;
    }
    while (n < room && has_more(in) && buf_err(&in->text) == ERR_OK) {
        n += take_piece(stream, to + n, room - n);
    }
    if (buf_err(&in->text) != ERR_OK) {
        return HTTP_READ_BROKEN;
    }
    if (n == 0 && in->finished) {
        return HTTP_READ_END;
    }
    if (n == 0 && stream->broken) {
        return HTTP_READ_BROKEN;
    }
    if (!has_more(in) && !in->finished && !stream->broken) {
        stream->conn->ready &= ~(uint32_t)EPOLLIN;
    }
    *ret_n = n;
    return n != 0 ? HTTP_READ_SOME : HTTP_READ_NONE;
}

bool h2_in_is_quiet(const struct h2_stream *stream)
{
    return !has_more(&stream->in) && !stream->in.ended && !stream->broken;
}

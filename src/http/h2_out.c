/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a stream's writer said, text of HTTP/1.1, as HEADERS, DATA and trailers.
 *
 * The text is read as a peer would: a head by wire/http1, a body by its own framing. What is no
 * whole message when its writer closes is no whole message for the peer either (RST_STREAM).
 */
#include "http/h2_impl.h"

void h2_out_init(struct h2_stream *stream)
{
    buf_init(&stream->out.head, 2 * LIMIT_HTTP_HEAD_LEN);
    buf_init(&stream->out.data, H2_OUT_MAX);
    buf_init(&stream->out.trailers, LIMIT_HTTP_TRAILER_LEN);
}

void h2_out_fini(struct h2_stream *stream)
{
    buf_fini(&stream->out.head);
    buf_fini(&stream->out.data);
    buf_fini(&stream->out.trailers);
    stream->out.data_at = 0;
}

/* --- to nghttp2
 * ---------------------------------------------------------------------------------------- */

/* The fields of a list for nghttp2, which copies them. */
static enum err to_nv(struct str list, nghttp2_nv nv[H2_FIELDS_MAX], size_t *ret_n)
{
    struct h2_field field;
    size_t n = 0;
    while (h2_fields_next(&list, &field)) {
        if (n == H2_FIELDS_MAX) {
            return ERR_LIMIT;
        }
        /* Neither is written through; the fields have no const to say so. */
        nv[n++] = (nghttp2_nv){
            .name = (uint8_t *)(uintptr_t)field.name.p,
            .namelen = field.name.len,
            .value = (uint8_t *)(uintptr_t)field.value.p,
            .valuelen = field.value.len,
        };
    }
    *ret_n = n;
    return ERR_OK;
}

/* RFC 9113 section 8.1: trailers end the stream in place of DATA. */
static void submit_trailers(struct h2_stream *stream)
{
    struct h2_out *out = &stream->out;
    nghttp2_nv nv[H2_FIELDS_MAX];
    size_t n = 0;
    struct buf list;
    buf_init(&list, 2 * LIMIT_HTTP_HEAD_LEN);
    h2_trailer_fields(buf_str(&out->trailers), &list);
    if (buf_err(&list) != ERR_OK || to_nv(buf_str(&list), nv, &n) != ERR_OK ||
        nghttp2_submit_trailer(stream->h2->session, stream->id, nv, n) != 0) {
        h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    }
    buf_fini(&list);
}

static void end_of_data(struct h2_stream *stream, uint32_t *flags)
{
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream->out.trailers.len != 0) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_trailers(stream);
    }
}

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                    nghttp2_data_source *source, void *context)
{
    (void)session;
    (void)id;
    (void)context;
    struct h2_stream *stream = source->ptr;
    struct h2_out *out = &stream->out;
    size_t n = out->data.len - out->data_at;
    n = n < room ? n : room;
    if (n != 0) {
        memcpy(to, out->data.p + out->data_at, n);
        out->data_at += n;
    }
    if (out->data_at == out->data.len) {
        out->data_at = 0;
        buf_clear(&out->data);
    }
    if (out->full && out->data.len - out->data_at <= H2_OUT_MAX / 2) {
        out->full = false;
        h2_stream_tell(stream, EPOLLOUT);
    }
    if (out->data.len == 0 && out->whole) {
        end_of_data(stream, flags);
    } else if (n == 0) {
        out->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)n;
}

static void resume(struct h2_stream *stream)
{
    if (stream->out.deferred) {
        stream->out.deferred = false;
        (void)nghttp2_session_resume_data(stream->h2->session, stream->id);
    }
    h2_later(stream->h2);
}

/* Sends a head; body: DATA follows it. */
static enum err submit(struct h2_stream *stream, struct str list, const struct h2_message *message)
{
    nghttp2_session *session = stream->h2->session;
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = give};
    nghttp2_data_provider *body = message->body != H2_BODY_NONE ? &provider : NULL;
    nghttp2_nv nv[H2_FIELDS_MAX];
    size_t n = 0;
    int32_t result = 0;
    ERR_TRY(to_nv(list, nv, &n));
    if (!stream->h2->server) {
        result = nghttp2_submit_request(session, NULL, nv, n, body, stream);
        stream->id = result > 0 ? result : 0;
    } else if (message->status < 200) {
        result = nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, stream->id, NULL, nv, n, NULL);
    } else {
        result = nghttp2_submit_response(session, stream->id, nv, n, body);
    }
    h2_later(stream->h2);
    return result < 0 ? ERR_SYSTEM : ERR_OK;
}

/* --- from the writer
 * ----------------------------------------------------------------------------------- */

static enum err parse(struct h2_stream *stream, struct str text, struct buf *list,
                      struct h2_message *message, struct http_body *body, size_t *ret_len)
{
    struct http1_head head;
    enum http1_fault fault;
    if (stream->h2->server) {
        ERR_TRY(http1_parse_response(text, stream->request.method, &head, ret_len, &fault));
        http_body_init(body, &head);
        return h2_response_fields(&head, &stream->request, list, message);
    }
    ERR_TRY(http1_parse_request(text, &head, ret_len, &fault));
    http_body_init(body, &head);
    return h2_request_fields(&head, list, message);
}

/* A whole head at the front of text. */
static enum err take_head(struct h2_stream *stream, struct str text, size_t *ret_len)
{
    struct h2_out *out = &stream->out;
    struct h2_message message;
    struct buf list;
    buf_init(&list, 2 * LIMIT_HTTP_HEAD_LEN);
    enum err err = parse(stream, text, &list, &message, &out->body, ret_len);
    bool interim = stream->h2->server && message.status < 200;
    if (err == ERR_OK && interim && message.body != H2_BODY_RAW) {
        err = submit(stream, buf_str(&list), &message);
    } else if (err == ERR_OK) {
        *(stream->h2->server ? &stream->answer : &stream->request) = message;
        out->state = message.body == H2_BODY_NONE ? H2_OUT_DONE : H2_OUT_BODY;
        if (message.body == H2_BODY_RAW) {
            out->state = H2_OUT_RAW;
            message.status = 200;
        }
        out->whole = out->state == H2_OUT_DONE;
        err = submit(stream, buf_str(&list), &message);
    }
    buf_fini(&list);
    return err;
}

static enum err feed_head(struct h2_stream *stream, struct str text, size_t *ret_n)
{
    struct buf *head = &stream->out.head;
    size_t before = head->len;
    size_t len = 0;
    if (before == 0) {
        enum err err = take_head(stream, text, &len);
        if (err != ERR_AGAIN) {
            *ret_n = len;
            return err;
        }
    }
    buf_append(head, text);
    ERR_TRY(buf_err(head));
    *ret_n = text.len;
    if (before != 0) {
        enum err err = take_head(stream, buf_str(head), &len);
        if (err == ERR_OK) {
            *ret_n = len - before;
            buf_fini(head);
        } else if (err != ERR_AGAIN) {
            return err;
        }
    }
    return ERR_OK;
}

static enum err feed_chunks(struct h2_out *out, struct str text, size_t *ret_n)
{
    size_t used = 0;
    while (used < text.len && !out->body.chunk.done) {
        bool last = out->body.chunk.last;
        struct str rest = str_skip(text, used);
        struct str data;
        size_t n = 0;
        ERR_TRY(chunk_feed(&out->body.chunk, rest, &n, &data));
        buf_append(&out->data, data);
        if (last) {
            buf_append(&out->trailers, str_sub(rest, 0, n));
        }
        used += n;
    }
    if (out->body.chunk.done) {
        /* The empty line, of which only the last part may have come now. */
        out->trailers.len -= 2;
        out->body.done = true;
    }
    *ret_n = used;
    ERR_TRY(buf_err(&out->trailers));
    return buf_err(&out->data);
}

static enum err feed_body(struct h2_stream *stream, struct str text, size_t *ret_n)
{
    struct h2_out *out = &stream->out;
    if (out->data_at != 0 && out->data.len + text.len > out->data.cap) {
        buf_consume(&out->data, out->data_at);
        out->data_at = 0;
    }
    struct str some = str_sub(text, 0, H2_OUT_MAX - out->data.len);
    if (out->state == H2_OUT_RAW) {
        buf_append(&out->data, some);
        *ret_n = some.len;
    } else if (out->body.kind == HTTP1_BODY_CHUNKED) {
        ERR_TRY(feed_chunks(out, some, ret_n));
    } else {
        ERR_TRY(http_body_feed(&out->body, some, ret_n, &out->data));
    }
    if (out->state == H2_OUT_BODY && out->body.done) {
        out->state = H2_OUT_DONE;
        out->whole = true;
    }
    resume(stream);
    return buf_err(&out->data);
}

enum err h2_out_feed(struct h2_stream *stream, struct str text, size_t *ret_n)
{
    struct h2_out *out = &stream->out;
    size_t used = 0;
    while (used < text.len) {
        size_t n = 0;
        if (out->state == H2_OUT_DONE) {
            return ERR_INVALID; /* a second message on one stream */
        }
        if (out->state == H2_OUT_HEAD) {
            ERR_TRY(feed_head(stream, str_skip(text, used), &n));
        } else if (out->data.len - out->data_at < H2_OUT_MAX) {
            ERR_TRY(feed_body(stream, str_skip(text, used), &n));
        } else {
            out->full = true;
            break;
        }
        used += n;
    }
    *ret_n = used;
    return ERR_OK;
}

void h2_out_close(struct h2_stream *stream)
{
    struct h2_out *out = &stream->out;
    bool open_ended = out->state == H2_OUT_RAW ||
                      (out->state == H2_OUT_BODY && out->body.kind == HTTP1_BODY_CLOSE);
    if (open_ended && !out->whole) {
        out->whole = true;
        out->state = H2_OUT_DONE;
        resume(stream);
    }
}

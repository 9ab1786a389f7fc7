/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the body of a message ends. */
#include "http/body.h"

#include "base/check.h"

void http_body_init(struct http_body *body, const struct http1_head *head)
{
    *body = (struct http_body){.kind = head->body};
    chunk_init(&body->chunk);
    if (head->body == HTTP1_BODY_LENGTH) {
        body->left = head->length;
    }
    body->done =
        head->body == HTTP1_BODY_NONE || (head->body == HTTP1_BODY_LENGTH && head->length == 0);
}

static enum err feed_chunks(struct http_body *body, struct str bytes, size_t *ret_used,
                            struct buf *data)
{
    size_t used = 0;
    while (!body->chunk.done && used < bytes.len) {
        size_t n = 0;
        struct str run = {NULL, 0};
        ERR_TRY(chunk_feed(&body->chunk, str_skip(bytes, used), &n, &run));
        body->bytes += run.len;
        if (data != NULL) {
            buf_append(data, run);
        }
        used += n;
    }
    body->done = body->chunk.done;
    *ret_used = used;
    return ERR_OK;
}

enum err http_body_feed(struct http_body *body, struct str bytes, size_t *ret_used,
                        struct buf *data)
{
    CHECK(body->kind != HTTP1_BODY_UNSET);
    if (body->done) {
        *ret_used = 0;
        return ERR_OK;
    }
    if (body->kind == HTTP1_BODY_CHUNKED) {
        ERR_TRY(feed_chunks(body, bytes, ret_used, data));
        return data != NULL ? buf_err(data) : ERR_OK;
    }
    size_t used = bytes.len;
    if (body->kind == HTTP1_BODY_LENGTH) {
        used = used < body->left ? used : (size_t)body->left;
        body->left -= used;
        body->done = body->left == 0;
    }
    body->bytes += used;
    *ret_used = used;
    if (data != NULL) {
        buf_append(data, str_sub(bytes, 0, used));
        return buf_err(data);
    }
    return ERR_OK;
}

enum err http_body_end(struct http_body *body)
{
    if (body->kind == HTTP1_BODY_CLOSE) {
        body->done = true;
    }
    return body->done ? ERR_OK : ERR_TRUNCATED;
}

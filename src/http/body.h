/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the body of a message ends (RFC 9112 section 6): pure, over any split of the bytes.
 *
 * A relay passes a body on as it came. For a peer that knows no chunks the data can be had alone.
 */
#ifndef LODGE_HTTP_BODY_H
#define LODGE_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/chunk.h"
#include "wire/http1.h"

struct http_body {
    enum http1_body kind;
    bool done;      /* the whole body has been seen */
    uint64_t left;  /* of HTTP1_BODY_LENGTH */
    uint64_t bytes; /* of data so far, framing not counted */
    struct chunk chunk;
};

/* The body that this head announces. */
void http_body_init(struct http_body *body, const struct http1_head *head);

/* Takes what belongs to the body from the front of bytes; *ret_used says how much. Where data is
 * not NULL, the data without framing is appended to it. ERR_INVALID and ERR_LIMIT for broken
 * chunks, and what data's bound says. */
MUST_USE enum err http_body_feed(struct http_body *body, struct str bytes, size_t *ret_used,
                                 struct buf *data);

/* The connection has ended. ERR_OK where that is how this body ends (done is then set), or it had
 * ended before; else ERR_TRUNCATED. */
MUST_USE enum err http_body_end(struct http_body *body);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads of HTTP/2 (RFC 9113 section 8) to heads of HTTP/1.1 and back: pure, values in and out.
 *
 * Nothing is made here that our own parser (wire/http1.h) would read as another message: what a
 * name, a value, a method or a path may hold is checked byte by byte before it is printed, and how
 * the body ends is said once, by us.
 */
#ifndef LODGE_HTTP_H2_HEAD_IMPL_H
#define LODGE_HTTP_H2_HEAD_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "wire/http1.h"

enum {
    H2_NONCE_BYTES = 16,
    H2_KEY_TEXT = 24, /* a nonce in base64 (RFC 6455 section 4.1) */
    H2_PSEUDO_MAX = 5,
    H2_FIELDS_MAX = LIMIT_HTTP_HEADERS + H2_PSEUDO_MAX,
    H2_FIELD_COST = 32, /* counted for each field (RFC 9113 section 10.5.1) */
};

/* A list of fields is a buffer: lengths, name, value, one behind the other. */
struct h2_field {
    struct str name, value;
};
void h2_fields_add(struct buf *list, struct str name, struct str value);
/* The next of the rest of a list; false: there is none. */
bool h2_fields_next(struct str *rest, struct h2_field *ret_field);

/* How the body of a made head lies in the stream of HTTP/1.1. */
enum h2_body {
    H2_BODY_UNSET,
    H2_BODY_NONE,
    H2_BODY_LENGTH,
    H2_BODY_CHUNKED,
    H2_BODY_RAW, /* what follows is no HTTP any more */
};

struct h2_message {
    enum http1_method method; /* of the request, in its answer too */
    unsigned status;          /* of an answer; as said in HTTP/1.1 */
    enum h2_body body;
    uint64_t length;       /* of H2_BODY_LENGTH */
    bool websocket;        /* an extended CONNECT (RFC 8441), an Upgrade in HTTP/1.1 */
    char key[H2_KEY_TEXT]; /* the Sec-WebSocket-Key */
};

/* A request's fields as a head of HTTP/1.1, appended. ended: the stream ended with them. nonce
 * makes the key of a WebSocket. ERR_INVALID: malformed (RFC 9113 section 8.1.1), or a CONNECT of
 * another kind; ERR_LIMIT, ERR_MEMORY of `to`. */
MUST_USE enum err h2_request_text(struct str fields, bool ended,
                                  const uint8_t nonce[H2_NONCE_BYTES], struct buf *to,
                                  struct h2_message *ret_message);
/* The same for an answer to that request; one that is interim has a status below 200. */
MUST_USE enum err h2_response_text(struct str fields, bool ended, const struct h2_message *request,
                                   struct buf *to, struct h2_message *ret_message);
/* Trailers as lines, without the empty one. A field that our chunk parser would refuse is left out
 * where it is harmless, and malformed where it is not allowed in HTTP/2. */
MUST_USE enum err h2_trailer_text(struct str fields, struct buf *to);

/* A request's head as a list, to an origin by https. ERR_INVALID where the target is not in origin
 * form or "*". */
MUST_USE enum err h2_request_fields(const struct http1_head *head, struct buf *list,
                                    struct h2_message *ret_message);
/* An answer's head as a list. ERR_INVALID where it cannot be said in HTTP/2: a 101 that nobody
 * asked for, or with the wrong key, or a 2xx instead of it. */
MUST_USE enum err h2_response_fields(const struct http1_head *head,
                                     const struct h2_message *request, struct buf *list,
                                     struct h2_message *ret_message);
/* Lines that our chunk parser has accepted. */
void h2_trailer_fields(struct str lines, struct buf *list);

#endif

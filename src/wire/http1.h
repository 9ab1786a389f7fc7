/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 heads, strictly (RFC 9112): bytes to struct, and struct to bytes.
 *
 * Strict means: no obs-fold, no space before a colon, no bare CR or LF anywhere, no NUL or control
 * byte, exactly one Host in a 1.1 request, at most one Content-Length (a list of equal values is
 * refused too), no Content-Length beside Transfer-Encoding, Transfer-Encoding only in 1.1 and only
 * as exactly "chunked" (in responses too), HTTP/1.0 and 1.1 only, limits on each part
 * (base/limits.h). In a request, one empty line (CRLF) before the request line is skipped (section
 * 2.2). The one leniency: a status line may end behind the status, without the space of section 4.
 *
 * This file knows heads only: chunks are wire/chunk.h, connections are http/.
 */
#ifndef LODGE_WIRE_HTTP1_H
#define LODGE_WIRE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

enum http1_method {
    HTTP1_METHOD_UNSET,
    HTTP1_GET,
    HTTP1_HEAD,
    HTTP1_POST,
    HTTP1_PUT,
    HTTP1_DELETE,
    HTTP1_OPTIONS,
    HTTP1_PATCH,
    HTTP1_TRACE,
    HTTP1_CONNECT,
    HTTP1_OTHER, /* a valid token that is none of these */
};

/* RFC 9112 section 3.2. */
enum http1_form {
    HTTP1_FORM_UNSET,
    HTTP1_ORIGIN,    /* "/path?query" */
    HTTP1_ABSOLUTE,  /* "http://host/path" */
    HTTP1_AUTHORITY, /* "host:port", CONNECT only */
    HTTP1_ASTERISK,  /* "*", OPTIONS only */
};

/* How the body of a message ends (RFC 9112 section 6.3). */
enum http1_body {
    HTTP1_BODY_UNSET,
    HTTP1_BODY_NONE,
    HTTP1_BODY_LENGTH,
    HTTP1_BODY_CHUNKED,
    HTTP1_BODY_CLOSE, /* responses only: until the connection closes */
};

/* Headers that Lodge itself looks at: one row, HTTP1_NAME(ID, "Name", 'n', hop_by_hop). */
enum http1_name {
    HTTP1_NAME_OTHER,
#define HTTP1_NAME(id, text, first, hop) HTTP1_NAME_##id,
#include "wire/http1_name.def"
#undef HTTP1_NAME
    HTTP1_NAME_COUNT_
};

struct http1_header {
    struct str name;  /* as sent */
    struct str value; /* without white space at the ends */
    enum http1_name id;
    bool hop; /* hop-by-hop: by its name, or named in Connection (RFC 9110 section 7.6.1) */
};

/* A parsed head; all slices point into the bytes parsed. */
struct http1_head {
    /* requests */
    enum http1_method method;
    struct str method_text;
    enum http1_form form;
    struct str target;
    bool expect_continue;
    /* responses */
    unsigned status; /* 100..999 */
    struct str reason;
    /* both */
    unsigned minor;       /* HTTP/1.minor: 0 or 1 */
    enum http1_body body; /* "Content-Length: 0" is HTTP1_BODY_LENGTH, but in a CONNECT */
    uint64_t length;      /* of HTTP1_BODY_LENGTH; below 2^63 */
    bool keep_alive;      /* what version and Connection say (RFC 9112 section 9.3); false with
                             HTTP1_BODY_CLOSE. A proxy keeps no HTTP/1.0 client whatever it says. */
    bool upgrade;         /* Connection names upgrade and there is an Upgrade header */
    size_t n_headers;
    struct http1_header headers[LIMIT_HTTP_HEADERS];
};

/* What broke, for the 400 page, the log and tests: one row of wire/http1_fault.def, each citing the
 * rule: HTTP1_FAULT(ID, "sentence", "RFC 9112 section x"). */
enum http1_fault {
    HTTP1_FAULT_NONE,
#define HTTP1_FAULT(id, text, rule) HTTP1_FAULT_##id,
#include "wire/http1_fault.def"
#undef HTTP1_FAULT
    HTTP1_FAULT_COUNT_
};

const char *http1_fault_text(enum http1_fault fault);
const char *http1_fault_rule(enum http1_fault fault);

/* Parses the head at the start of bytes. ERR_AGAIN while it is not complete and nothing is wrong
 * yet; ERR_LIMIT for one over a limit; ERR_INVALID for a broken one, *ret_fault then says which
 * rule (it is always written). On success *ret_len is the length of the head, its final empty line
 * included. Only the used part of *ret_head is written (not headers beyond n_headers); it is parsed
 * into in place, and without success means nothing. A broken line is refused as soon as its broken
 * byte is there. Each call starts anew: call again when a line end has come, rather than at every
 * byte. */
MUST_USE enum err http1_parse_request(struct str bytes, struct http1_head *ret_head,
                                      size_t *ret_len, enum http1_fault *ret_fault);

/* The same for a response; `method` is that of the request it answers, which decides on its body
 * (HEAD, CONNECT; 1xx, 204, 304). Where a status that has no body announces one, keep_alive is
 * false and the Content-Length is marked as hop. */
MUST_USE enum err http1_parse_response(struct str bytes, enum http1_method method,
                                       struct http1_head *ret_head, size_t *ret_len,
                                       enum http1_fault *ret_fault);

/* The row of a header's name in any case, or HTTP1_NAME_OTHER. */
enum http1_name http1_name_find(struct str name);

/* Hop-by-hop whatever Connection says. */
bool http1_name_is_hop(enum http1_name id);

/* The first header with this id, or NULL. */
const struct http1_header *http1_find(const struct http1_head *head, enum http1_name id);

/* Writers. Each refuses (the buffer fails with ERR_INVALID) what would split a head: CR, LF or NUL.
 */
void http1_print_request_line(struct buf *to, struct str method, struct str target);
void http1_print_status_line(struct buf *to, unsigned status, struct str reason);
void http1_print_header(struct buf *to, struct str name, struct str value);
/* Every header of head that is end-to-end (not hop), but for the ids in skip (n_skip of them). */
void http1_print_end_to_end(struct buf *to, const struct http1_head *head,
                            const enum http1_name *skip, size_t n_skip);
/* The usual words of a status code ("Forbidden"), or "Status". */
struct str http1_reason(unsigned status);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What holds for every head that parsed, for the targets http1_request and http1_response. */
#ifndef LODGE_FUZZ_HTTP1_CHECK_H
#define LODGE_FUZZ_HTTP1_CHECK_H

#include "base/check.h"
#include "wire/http1.h"

static inline void check_inside(struct str s, struct str bytes)
{
    CHECK(s.len == 0 || (s.p >= bytes.p && s.p + s.len <= bytes.p + bytes.len));
}

static inline void check_head(const struct http1_head *head, struct str bytes)
{
    CHECK(head->n_headers <= LIMIT_HTTP_HEADERS);
    CHECK(head->body != HTTP1_BODY_UNSET);
    CHECK(head->length <= INT64_MAX);
    check_inside(head->method_text, bytes);
    check_inside(head->target, bytes);
    check_inside(head->reason, bytes);
    for (size_t i = 0; i < head->n_headers; i++) {
        check_inside(head->headers[i].name, bytes);
        check_inside(head->headers[i].value, bytes);
    }
}

/* All headers but the end: hop-by-hop ones too, so that the framing stays. */
static inline void print_headers(struct buf *to, const struct http1_head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        http1_print_header(to, head->headers[i].name, head->headers[i].value);
    }
    buf_append(to, STR("\r\n"));
    CHECK(buf_err(to) == ERR_OK);
}

static inline void check_same(const struct http1_head *a, const struct http1_head *b)
{
    CHECK(a->method == b->method && str_eq(a->method_text, b->method_text));
    CHECK(a->form == b->form && str_eq(a->target, b->target));
    CHECK(a->status == b->status && str_eq(a->reason, b->reason));
    CHECK(a->body == b->body && a->length == b->length && a->upgrade == b->upgrade);
    CHECK(a->n_headers == b->n_headers);
    for (size_t i = 0; i < a->n_headers; i++) {
        CHECK(a->headers[i].id == b->headers[i].id && a->headers[i].hop == b->headers[i].hop);
        CHECK(str_eq(a->headers[i].name, b->headers[i].name));
        CHECK(str_eq(a->headers[i].value, b->headers[i].value));
    }
}

/* What every outcome must be. */
static inline void check_outcome(enum err err, enum http1_fault fault, size_t len, struct str bytes)
{
    CHECK(err == ERR_OK || err == ERR_AGAIN || err == ERR_INVALID || err == ERR_LIMIT);
    CHECK((err == ERR_INVALID || err == ERR_LIMIT) == (fault != HTTP1_FAULT_NONE));
    CHECK(err != ERR_OK || (len <= bytes.len && len <= LIMIT_HTTP_HEAD_LEN));
}

#endif

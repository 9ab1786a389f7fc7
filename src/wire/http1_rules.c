/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 heads: what a message must obey as a whole (target, Host, framing, Connection).
 *
 * The framing rules leave nothing to choose: a message whose end two readers could see at different
 * places is refused (RFC 9112 section 11.2).
 */
#include "wire/http1_rules.h"

#include "base/num.h"
#include "wire/http1_class.h"

/* One bit for each row of http1_name.def. */
#define BIT(id) ((uint32_t)1 << (id))
_Static_assert(HTTP1_NAME_COUNT_ <= 32, "struct seen keeps a bit for each name");

enum {
    STATUS_INTERIM_LAST = 199,
    STATUS_NO_CONTENT = 204,
    STATUS_NOT_MODIFIED = 304,
};

struct seen {
    uint32_t once;
    uint32_t again;
};

static struct seen look(const struct http1_head *head)
{
    struct seen seen = {0};
    for (size_t i = 0; i < head->n_headers; i++) {
        uint32_t bit = BIT(head->headers[i].id);
        seen.again |= seen.once & bit;
        seen.once |= bit;
    }
    return seen;
}

static bool has(struct seen seen, enum http1_name id)
{
    return (seen.once & BIT(id)) != 0;
}

static bool many(struct seen seen, enum http1_name id)
{
    return (seen.again & BIT(id)) != 0;
}

static bool all(struct str s, enum http1_class_bit bit)
{
    return s.len == 0 || http1_span(s.p, s.p + s.len, bit) == s.p + s.len;
}

/* A Connection option that is no row of http1_name.def: marks the headers of that name. */
static void mark_hops(struct http1_head *head, struct str option)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        struct http1_header *header = &head->headers[i];
        header->hop = header->hop || str_eq_nocase(header->name, option);
    }
}

struct options {
    size_t count;
    bool close;
    bool keep_alive;
    bool upgrade;
};

static enum http1_fault option(struct http1_head *head, struct str text, struct options *options)
{
    enum http1_name id = http1_name_find(text);
    if (id == HTTP1_NAME_HOST || id == HTTP1_NAME_CONTENT_LENGTH) {
        return HTTP1_FAULT_CONNECTION;
    }
    if (++options->count > LIMIT_HTTP_CONNECTION_OPTIONS) {
        return HTTP1_FAULT_OPTIONS_MANY;
    }
    options->upgrade |= id == HTTP1_NAME_UPGRADE;
    options->keep_alive |= id == HTTP1_NAME_KEEP_ALIVE;
    if (str_eq_nocase(text, STR("close"))) {
        options->close = true;
    } else if (text.len != 0 && !http1_name_is_hop(id)) {
        mark_hops(head, text);
    }
    return HTTP1_FAULT_NONE;
}

static enum http1_fault connection(struct http1_head *head, struct seen seen)
{
    struct options options = {0};
    for (size_t i = 0; has(seen, HTTP1_NAME_CONNECTION) && i < head->n_headers; i++) {
        struct str rest = head->headers[i].value;
        bool more = head->headers[i].id == HTTP1_NAME_CONNECTION;
        while (more) {
            struct str text;
            more = str_cut(rest, ',', &text, &rest);
            enum http1_fault fault = option(head, str_trim(text), &options);
            if (fault != HTTP1_FAULT_NONE) {
                return fault;
            }
        }
    }
    head->keep_alive = !options.close && (head->minor == 1 || options.keep_alive);
    /* RFC 9110 section 7.8: an Upgrade in HTTP/1.0 is ignored. */
    head->upgrade = head->minor == 1 && options.upgrade && has(seen, HTTP1_NAME_UPGRADE);
    return HTTP1_FAULT_NONE;
}

/* The headers that frame the message, whatever its first line says. */
static enum http1_fault framing(struct http1_head *head, struct seen seen)
{
    const struct http1_header *length = NULL;
    const struct http1_header *coding = NULL;
    head->body = HTTP1_BODY_NONE;
    if (has(seen, HTTP1_NAME_CONTENT_LENGTH)) {
        length = http1_find(head, HTTP1_NAME_CONTENT_LENGTH);
        if (many(seen, HTTP1_NAME_CONTENT_LENGTH)) {
            return HTTP1_FAULT_MANY_LENGTHS;
        }
        if (parse_u64(length->value, 0, INT64_MAX, &head->length) != ERR_OK) {
            return HTTP1_FAULT_LENGTH;
        }
        head->body = HTTP1_BODY_LENGTH;
    }
    if (has(seen, HTTP1_NAME_TRANSFER_ENCODING)) {
        coding = http1_find(head, HTTP1_NAME_TRANSFER_ENCODING);
        if (length != NULL) {
            return HTTP1_FAULT_LENGTH_AND_CODING;
        }
        if (many(seen, HTTP1_NAME_TRANSFER_ENCODING)) {
            return HTTP1_FAULT_MANY_CODINGS;
        }
        if (head->minor == 0) {
            return HTTP1_FAULT_CODING_IN_10;
        }
        if (!str_eq_nocase(coding->value, STR("chunked"))) {
            return HTTP1_FAULT_CODING;
        }
        head->body = HTTP1_BODY_CHUNKED;
    }
    return HTTP1_FAULT_NONE;
}

static bool has_body(const struct http1_head *head)
{
    return head->body == HTTP1_BODY_CHUNKED || head->length != 0;
}

static void drop_body(struct http1_head *head)
{
    head->body = HTTP1_BODY_NONE;
    head->length = 0;
}

/* "HOST:PORT" as far as bytes tell; wire/host.h reads it. */
static bool is_authority(struct str target)
{
    size_t colon = target.len;
    while (colon > 0 && ascii_is_digit(target.p[colon - 1])) {
        colon--;
    }
    return colon > 1 && colon < target.len && target.p[colon - 1] == ':' && all(target, HTTP1_HOST);
}

/* "SCHEME://AUTHORITY…", the authority not empty. */
static enum http1_fault absolute(struct str target)
{
    struct str scheme;
    struct str rest;
    bool colon = str_cut(target, ':', &scheme, &rest);
    if (!colon || scheme.len == 0 || !ascii_is_alpha(scheme.p[0]) || !str_starts(rest, STR("//"))) {
        return HTTP1_FAULT_FORM;
    }
    for (size_t i = 0; i < scheme.len; i++) {
        char c = scheme.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '+' && c != '-' && c != '.') {
            return HTTP1_FAULT_FORM;
        }
    }
    struct str authority = str_skip(rest, 2);
    const char *end = authority.p + authority.len;
    const char *p = http1_span(authority.p, end, HTTP1_HOST);
    if (p < end && *p == '@') {
        return HTTP1_FAULT_USERINFO;
    }
    if (p == authority.p || (p < end && *p != '/' && *p != '?')) {
        return HTTP1_FAULT_FORM;
    }
    return HTTP1_FAULT_NONE;
}

static enum http1_fault form(struct http1_head *head)
{
    struct str target = head->target;
    if (head->method == HTTP1_CONNECT) {
        head->form = HTTP1_AUTHORITY;
        return is_authority(target) ? HTTP1_FAULT_NONE : HTTP1_FAULT_FORM;
    }
    if (target.p[0] == '/') {
        head->form = HTTP1_ORIGIN;
        return HTTP1_FAULT_NONE;
    }
    if (head->method == HTTP1_OPTIONS && str_eq(target, STR("*"))) {
        head->form = HTTP1_ASTERISK;
        return HTTP1_FAULT_NONE;
    }
    head->form = HTTP1_ABSOLUTE;
    return absolute(target);
}

static enum http1_fault host(const struct http1_head *head, struct seen seen)
{
    if (many(seen, HTTP1_NAME_HOST)) {
        return HTTP1_FAULT_MANY_HOSTS;
    }
    if (!has(seen, HTTP1_NAME_HOST)) {
        return head->minor == 1 ? HTTP1_FAULT_NO_HOST : HTTP1_FAULT_NONE;
    }
    /* An empty one is right where the target has no authority (RFC 9112 section 3.2). */
    bool fine = all(http1_find(head, HTTP1_NAME_HOST)->value, HTTP1_HOST);
    return fine ? HTTP1_FAULT_NONE : HTTP1_FAULT_HOST;
}

static enum http1_fault request_framing(struct http1_head *head, struct seen seen)
{
    enum http1_fault fault = framing(head, seen);
    if (fault != HTTP1_FAULT_NONE || head->method != HTTP1_CONNECT) {
        return fault;
    }
    /* The bytes behind it are the tunnel's: who reads them as a body sees another request. */
    if (has_body(head)) {
        return HTTP1_FAULT_CONNECT_BODY;
    }
    drop_body(head);
    return HTTP1_FAULT_NONE;
}

static void expect(struct http1_head *head, struct seen seen)
{
    /* RFC 9110 section 10.1.1: in HTTP/1.0 it is ignored. */
    head->expect_continue =
        head->minor == 1 && has(seen, HTTP1_NAME_EXPECT) &&
        str_eq_nocase(http1_find(head, HTTP1_NAME_EXPECT)->value, STR("100-continue"));
}

static enum err outcome(enum http1_fault fault, enum http1_fault *ret_fault)
{
    *ret_fault = fault;
    if (fault == HTTP1_FAULT_NONE) {
        return ERR_OK;
    }
    return fault == HTTP1_FAULT_OPTIONS_MANY ? ERR_LIMIT : ERR_INVALID;
}

enum err http1_rules_request(struct http1_head *head, enum http1_fault *ret_fault)
{
    struct seen seen = look(head);
    enum http1_fault fault = form(head);
    fault = fault == HTTP1_FAULT_NONE ? host(head, seen) : fault;
    fault = fault == HTTP1_FAULT_NONE ? request_framing(head, seen) : fault;
    fault = fault == HTTP1_FAULT_NONE ? connection(head, seen) : fault;
    expect(head, seen);
    return outcome(fault, ret_fault);
}

/* A body is announced where there can be none (RFC 9112 section 6.3): whoever believed it would
 * wait for other bytes or take them, so nobody behind us is told, and the connection is used no
 * more. */
static void drop_lie(struct http1_head *head)
{
    if (!has_body(head)) {
        return;
    }
    for (size_t i = 0; i < head->n_headers; i++) {
        struct http1_header *header = &head->headers[i];
        header->hop = header->hop || header->id == HTTP1_NAME_CONTENT_LENGTH;
    }
    head->keep_alive = false;
}

static enum http1_fault response_framing(struct http1_head *head, enum http1_method method,
                                         struct seen seen)
{
    enum http1_fault fault = framing(head, seen);
    if (fault != HTTP1_FAULT_NONE) {
        return fault;
    }
    bool never = head->status <= STATUS_INTERIM_LAST || head->status == STATUS_NO_CONTENT;
    bool tunnel = method == HTTP1_CONNECT && head->status / 100 == 2;
    if (never || tunnel) {
        drop_lie(head);
    }
    if (never || tunnel || method == HTTP1_HEAD || head->status == STATUS_NOT_MODIFIED) {
        drop_body(head);
    } else if (head->body == HTTP1_BODY_NONE) {
        head->body = HTTP1_BODY_CLOSE;
    }
    return HTTP1_FAULT_NONE;
}

enum err http1_rules_response(struct http1_head *head, enum http1_method method,
                              enum http1_fault *ret_fault)
{
    struct seen seen = look(head);
    enum http1_fault fault = connection(head, seen);
    fault = fault == HTTP1_FAULT_NONE ? response_framing(head, method, seen) : fault;
    head->keep_alive = head->keep_alive && head->body != HTTP1_BODY_CLOSE;
    return outcome(fault, ret_fault);
}

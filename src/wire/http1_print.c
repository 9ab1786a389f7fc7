/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 heads, written. Nothing that is written here can end a line early. */
#include "wire/http1.h"

#include "base/check.h"
#include "wire/http1_class.h"

static bool refuse(struct buf *to)
{
    to->err = to->err == ERR_OK ? ERR_INVALID : to->err;
    return false;
}

static bool is_all(struct str s, enum http1_class_bit bit)
{
    return s.len == 0 || http1_span(s.p, s.p + s.len, bit) == s.p + s.len;
}

static bool is_field(struct str s)
{
    return s.len == 0 || http1_span_field(s.p, s.p + s.len) == s.p + s.len;
}

static char *put(char *at, struct str s)
{
    if (s.len != 0) {
        memcpy(at, s.p, s.len);
    }
    return at + s.len;
}

void http1_print_request_line(struct buf *to, struct str method, struct str target)
{
    if (method.len == 0 || target.len == 0 || !is_all(method, HTTP1_TOKEN) ||
        !is_all(target, HTTP1_TARGET)) {
        (void)refuse(to);
        return;
    }
    buf_append(to, method);
    buf_append_byte(to, ' ');
    buf_append(to, target);
    buf_append(to, STR(" HTTP/1.1\r\n"));
}

void http1_print_status_line(struct buf *to, unsigned status, struct str reason)
{
    CHECK(status >= 100 && status <= 999);
    if (!is_field(reason)) {
        (void)refuse(to);
        return;
    }
    buf_append(to, STR("HTTP/1.1 "));
    buf_append_u64(to, status);
    buf_append_byte(to, ' ');
    buf_append(to, reason);
    buf_append(to, STR("\r\n"));
}

static size_t line_len(struct str name, struct str value)
{
    return name.len + 2 + value.len + 2;
}

static char *put_line(char *at, struct str name, struct str value)
{
    at = put(at, name);
    at = put(at, STR(": "));
    at = put(at, value);
    return put(at, STR("\r\n"));
}

void http1_print_header(struct buf *to, struct str name, struct str value)
{
    if (name.len == 0 || !is_all(name, HTTP1_TOKEN) || !is_field(value)) {
        (void)refuse(to);
        return;
    }
    size_t len = line_len(name, value);
    char *at = buf_reserve(to, len);
    if (at != NULL) {
        (void)put_line(at, name, value);
        buf_commit(to, len);
    }
}

static bool is_printed(const struct http1_header *header, const enum http1_name *skip,
                       size_t n_skip)
{
    bool printed = !header->hop;
    for (size_t i = 0; printed && header->id != HTTP1_NAME_OTHER && i < n_skip; i++) {
        printed = header->id != skip[i];
    }
    return printed;
}

void http1_print_end_to_end(struct buf *to, const struct http1_head *head,
                            const enum http1_name *skip, size_t n_skip)
{
    size_t len = 0;
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http1_header *header = &head->headers[i];
        len += is_printed(header, skip, n_skip) ? line_len(header->name, header->value) : 0;
    }
    /* Parsed names and values hold nothing that could end a line. */
    char *at = buf_reserve(to, len);
    if (at == NULL) {
        return;
    }
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http1_header *header = &head->headers[i];
        if (is_printed(header, skip, n_skip)) {
            at = put_line(at, header->name, header->value);
        }
    }
    buf_commit(to, len);
}

/* RFC 9110 section 15; RFC 6585. */
static const char *const reasons[] = {
    [100] = "Continue",
    [101] = "Switching Protocols",
    [103] = "Early Hints",
    [200] = "OK",
    [201] = "Created",
    [202] = "Accepted",
    [203] = "Non-Authoritative Information",
    [204] = "No Content",
    [205] = "Reset Content",
    [206] = "Partial Content",
    [300] = "Multiple Choices",
    [301] = "Moved Permanently",
    [302] = "Found",
    [303] = "See Other",
    [304] = "Not Modified",
    [307] = "Temporary Redirect",
    [308] = "Permanent Redirect",
    [400] = "Bad Request",
    [401] = "Unauthorized",
    [402] = "Payment Required",
    [403] = "Forbidden",
    [404] = "Not Found",
    [405] = "Method Not Allowed",
    [406] = "Not Acceptable",
    [407] = "Proxy Authentication Required",
    [408] = "Request Timeout",
    [409] = "Conflict",
    [410] = "Gone",
    [411] = "Length Required",
    [412] = "Precondition Failed",
    [413] = "Content Too Large",
    [414] = "URI Too Long",
    [415] = "Unsupported Media Type",
    [416] = "Range Not Satisfiable",
    [417] = "Expectation Failed",
    [421] = "Misdirected Request",
    [422] = "Unprocessable Content",
    [426] = "Upgrade Required",
    [428] = "Precondition Required",
    [429] = "Too Many Requests",
    [431] = "Request Header Fields Too Large",
    [451] = "Unavailable For Legal Reasons",
    [500] = "Internal Server Error",
    [501] = "Not Implemented",
    [502] = "Bad Gateway",
    [503] = "Service Unavailable",
    [504] = "Gateway Timeout",
    [505] = "HTTP Version Not Supported",
    [511] = "Network Authentication Required",
};

struct str http1_reason(unsigned status)
{
    bool known = status < sizeof(reasons) / sizeof(reasons[0]) && reasons[status] != NULL;
    return known ? str_from(reasons[status]) : STR("Status");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 heads: the lines. What the message as a whole must obey is http1_rules.c.
 *
 * One pass from left to right; a step that meets the end of the bytes answers ERR_AGAIN, so every
 * prefix of a valid head does, and a wrong byte is refused without waiting for what follows.
 */
#include "wire/http1.h"

#include "base/check.h"
#include "wire/http1_class.h"
#include "wire/http1_rules.h"

struct scan {
    const char *p;              /* the next byte */
    const char *end;            /* behind the last byte that may be looked at */
    const char *line;           /* where the line in hand starts */
    enum http1_fault long_line; /* what a line over the limit is called */
    enum http1_fault fault;
};

static const struct {
    const char *text;
    const char *rule;
} faults[HTTP1_FAULT_COUNT_] = {
    {"nothing is wrong", ""},
#define HTTP1_FAULT(id, text, rule) {text, rule},
#include "wire/http1_fault.def"
#undef HTTP1_FAULT
};

const char *http1_fault_text(enum http1_fault fault)
{
    return faults[fault].text;
}

const char *http1_fault_rule(enum http1_fault fault)
{
    return faults[fault].rule;
}

static const struct {
    struct str text;
    enum http1_method method;
} methods[] = {
    {STR_INIT("GET"), HTTP1_GET},         {STR_INIT("POST"), HTTP1_POST},
    {STR_INIT("CONNECT"), HTTP1_CONNECT}, {STR_INIT("HEAD"), HTTP1_HEAD},
    {STR_INIT("PUT"), HTTP1_PUT},         {STR_INIT("DELETE"), HTTP1_DELETE},
    {STR_INIT("OPTIONS"), HTTP1_OPTIONS}, {STR_INIT("PATCH"), HTTP1_PATCH},
    {STR_INIT("TRACE"), HTTP1_TRACE},
};

static enum http1_method method_of(struct str text)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (str_eq(text, methods[i].text)) {
            return methods[i].method;
        }
    }
    return HTTP1_OTHER;
}

static enum err invalid(struct scan *scan, enum http1_fault fault)
{
    scan->fault = fault;
    return ERR_INVALID;
}

static enum err limit(struct scan *scan, enum http1_fault fault)
{
    scan->fault = fault;
    return ERR_LIMIT;
}

/* At scan->p: CRLF. `other` is the fault where there is neither CR nor LF. */
static inline enum err line_end(struct scan *scan, enum http1_fault other)
{
    const char *p = scan->p;
    if (p == scan->end) {
        return ERR_AGAIN;
    }
    if (*p != '\r') {
        return invalid(scan, *p == '\n' ? HTTP1_FAULT_LINE_END : other);
    }
    if (p + 1 == scan->end) {
        return ERR_AGAIN;
    }
    if (p[1] != '\n') {
        return invalid(scan, HTTP1_FAULT_LINE_END);
    }
    if (p - scan->line > LIMIT_HTTP_LINE_LEN) {
        return limit(scan, scan->long_line);
    }
    scan->p = p + 2;
    return ERR_OK;
}

/* At scan->p: "HTTP/1.0" or "HTTP/1.1". */
static enum err version(struct scan *scan, unsigned *ret_minor)
{
    static const struct str prefix = STR_INIT("HTTP/1.");
    size_t have = (size_t)(scan->end - scan->p);
    if (memcmp(scan->p, prefix.p, have < prefix.len ? have : prefix.len) != 0) {
        return invalid(scan, HTTP1_FAULT_VERSION);
    }
    if (have <= prefix.len) {
        return ERR_AGAIN;
    }
    char minor = scan->p[prefix.len];
    if (minor != '0' && minor != '1') {
        return invalid(scan, HTTP1_FAULT_VERSION);
    }
    *ret_minor = (unsigned)(minor - '0');
    scan->p += prefix.len + 1;
    return ERR_OK;
}

/* The token before the first space of a request. */
static enum err method(struct scan *scan, struct http1_head *head)
{
    const char *start = scan->p;
    const char *p = http1_span(start, scan->end, HTTP1_TOKEN);
    size_t len = (size_t)(p - start);
    if (len > LIMIT_HTTP_METHOD_LEN) {
        return limit(scan, HTTP1_FAULT_METHOD_LONG);
    }
    if (p == scan->end) {
        return ERR_AGAIN;
    }
    if (len == 0 || *p != ' ') {
        bool line = *p == '\r' || *p == '\n';
        return invalid(scan, line ? HTTP1_FAULT_REQUEST_LINE : HTTP1_FAULT_METHOD);
    }
    head->method_text = str_make(start, len);
    head->method = method_of(head->method_text);
    scan->p = p + 1;
    return ERR_OK;
}

static enum err target(struct scan *scan, struct http1_head *head)
{
    const char *start = scan->p;
    const char *p = http1_span(start, scan->end, HTTP1_TARGET);
    if (p == scan->end) {
        return ERR_AGAIN;
    }
    if (*p == '\r' || *p == '\n') {
        return invalid(scan, HTTP1_FAULT_REQUEST_LINE);
    }
    if (*p != ' ') {
        return invalid(scan, HTTP1_FAULT_TARGET);
    }
    if (p == start) {
        return invalid(scan, HTTP1_FAULT_REQUEST_LINE);
    }
    head->target = str_make(start, (size_t)(p - start));
    scan->p = p + 1;
    return ERR_OK;
}

static enum err request_line(struct scan *scan, struct http1_head *head)
{
    if (scan->p < scan->end && *scan->p == '\r') {
        ERR_TRY(line_end(scan, HTTP1_FAULT_METHOD));
        scan->line = scan->p;
    }
    ERR_TRY(method(scan, head));
    ERR_TRY(target(scan, head));
    ERR_TRY(version(scan, &head->minor));
    return line_end(scan, HTTP1_FAULT_VERSION);
}

/* Three digits that are no less than 100. */
static enum err status(struct scan *scan, unsigned *ret_status)
{
    unsigned value = 0;
    for (int i = 0; i < 3; i++) {
        if (scan->p == scan->end) {
            return ERR_AGAIN;
        }
        char c = *scan->p;
        if (!ascii_is_digit(c) || (i == 0 && c == '0')) {
            return invalid(scan, HTTP1_FAULT_STATUS);
        }
        value = value * 10 + (unsigned)(c - '0');
        scan->p++;
    }
    *ret_status = value;
    return ERR_OK;
}

static enum err status_line(struct scan *scan, struct http1_head *head)
{
    ERR_TRY(version(scan, &head->minor));
    if (scan->p == scan->end) {
        return ERR_AGAIN;
    }
    if (*scan->p != ' ') {
        return invalid(scan, HTTP1_FAULT_STATUS_LINE);
    }
    scan->p++;
    ERR_TRY(status(scan, &head->status));
    head->reason = str_make(scan->p, 0);
    /* Many an origin leaves out the space where there is no reason; nobody can read it otherwise.
     */
    if (scan->p < scan->end && *scan->p == ' ') {
        const char *start = scan->p + 1;
        scan->p = http1_span_field(start, scan->end);
        head->reason = str_make(start, (size_t)(scan->p - start));
        return line_end(scan, HTTP1_FAULT_REASON);
    }
    return line_end(scan, HTTP1_FAULT_STATUS);
}

/* Why the byte behind `len` bytes of a name is no colon. */
static enum http1_fault name_fault(char c, size_t len, size_t n_headers)
{
    bool space = c == ' ' || c == '\t';
    if (space && len == 0) {
        return n_headers == 0 ? HTTP1_FAULT_SPACE_FIRST : HTTP1_FAULT_FOLD;
    }
    if (space) {
        return HTTP1_FAULT_SPACE_BEFORE_COLON;
    }
    if (len == 0 && c == '\n') {
        return HTTP1_FAULT_LINE_END;
    }
    return c == '\r' || c == '\n' ? HTTP1_FAULT_NO_COLON : HTTP1_FAULT_NAME;
}

static inline const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    return p;
}

static inline struct str without_space_behind(const char *start, const char *end)
{
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return str_make(start, (size_t)(end - start));
}

static enum err header(struct scan *scan, struct http1_head *head)
{
    const char *start = scan->p;
    const char *p = http1_span(start, scan->end, HTTP1_TOKEN);
    struct str name = str_make(start, (size_t)(p - start));
    if (p == scan->end) {
        return ERR_AGAIN;
    }
    if (*p != ':' || name.len == 0) {
        return invalid(scan, name_fault(*p, name.len, head->n_headers));
    }
    if (head->n_headers == LIMIT_HTTP_HEADERS) {
        return limit(scan, HTTP1_FAULT_HEADERS_MANY);
    }
    const char *value = skip_space(p + 1, scan->end);
    const char *behind = http1_span_field(value, scan->end);
    scan->p = behind;
    ERR_TRY(line_end(scan, HTTP1_FAULT_VALUE));
    enum http1_name id = http1_name_find(name);
    head->headers[head->n_headers++] = (struct http1_header){
        .name = name,
        .value = without_space_behind(value, behind),
        .id = id,
        .hop = http1_name_is_hop(id),
    };
    return ERR_OK;
}

/* The headers and the empty line. */
static enum err headers(struct scan *scan, struct http1_head *head)
{
    scan->long_line = HTTP1_FAULT_HEADER_LONG;
    for (;;) {
        scan->line = scan->p;
        if (scan->p < scan->end && *scan->p == '\r') {
            return line_end(scan, HTTP1_FAULT_LINE_END);
        }
        ERR_TRY(header(scan, head));
    }
}

/* What ERR_AGAIN means once a limit is reached. */
static enum err again(struct scan *scan, size_t seen)
{
    if (seen >= LIMIT_HTTP_HEAD_LEN) {
        return limit(scan, HTTP1_FAULT_HEAD_LONG);
    }
    /* The CR of a line of just the limit may be there. */
    if (scan->end - scan->line > LIMIT_HTTP_LINE_LEN + 1) {
        return limit(scan, scan->long_line);
    }
    return ERR_AGAIN;
}

typedef enum err first_line_fn(struct scan *scan, struct http1_head *head);

/* First line, headers, empty line; *ret_len and *ret_fault as in the public functions. */
static enum err lines(struct str bytes, first_line_fn *first_line, struct http1_head *head,
                      size_t *ret_len, enum http1_fault *ret_fault)
{
    bytes = str_sub(bytes, 0, LIMIT_HTTP_HEAD_LEN);
    struct scan scan = {
        .p = bytes.p,
        .end = bytes.len != 0 ? bytes.p + bytes.len : bytes.p,
        .line = bytes.p,
        .long_line = HTTP1_FAULT_LINE_LONG,
    };
    enum err err = first_line(&scan, head);
    err = err == ERR_OK ? headers(&scan, head) : err;
    err = err == ERR_AGAIN ? again(&scan, bytes.len) : err;
    *ret_fault = scan.fault;
    if (err == ERR_OK) {
        *ret_len = (size_t)(scan.p - bytes.p);
    }
    return err;
}

/* Everything of *head but the headers and the lengths of slices nobody has set. */
static void clear(struct http1_head *head)
{
    head->method = HTTP1_METHOD_UNSET;
    head->method_text = str_make(NULL, 0);
    head->form = HTTP1_FORM_UNSET;
    head->target = str_make(NULL, 0);
    head->expect_continue = false;
    head->status = 0;
    head->reason = str_make(NULL, 0);
    head->minor = 0;
    head->body = HTTP1_BODY_UNSET;
    head->length = 0;
    head->keep_alive = false;
    head->upgrade = false;
    head->n_headers = 0;
}

enum err http1_parse_request(struct str bytes, struct http1_head *ret_head, size_t *ret_len,
                             enum http1_fault *ret_fault)
{
    size_t len = 0;
    clear(ret_head);
    ERR_TRY(lines(bytes, request_line, ret_head, &len, ret_fault));
    ERR_TRY(http1_rules_request(ret_head, ret_fault));
    *ret_len = len;
    return ERR_OK;
}

enum err http1_parse_response(struct str bytes, enum http1_method method,
                              struct http1_head *ret_head, size_t *ret_len,
                              enum http1_fault *ret_fault)
{
    size_t len = 0;
    CHECK(method != HTTP1_METHOD_UNSET);
    clear(ret_head);
    ERR_TRY(lines(bytes, status_line, ret_head, &len, ret_fault));
    ERR_TRY(http1_rules_response(ret_head, method, ret_fault));
    *ret_len = len;
    return ERR_OK;
}

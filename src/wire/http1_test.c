/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 heads: one table for each rule. */
#include "lib/test.h"

#include "base/buf.h"
#include "wire/http1.h"
#include "wire/http1_class.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct got {
    enum err err;
    enum http1_fault fault;
    size_t len;
};

/* The bytes stand in memory of their own length, so that AddressSanitizer sees a read too far. */
static struct got parse(struct str bytes, enum http1_method method, struct http1_head *head)
{
    struct got got = {.fault = HTTP1_FAULT_COUNT_};
    got.err = method == HTTP1_METHOD_UNSET
                  ? http1_parse_request(bytes, head, &got.len, &got.fault)
                  : http1_parse_response(bytes, method, head, &got.len, &got.fault);
    assert_int_not_equal(got.fault, HTTP1_FAULT_COUNT_);
    assert_int_equal(got.err == ERR_INVALID || got.err == ERR_LIMIT, got.fault != HTTP1_FAULT_NONE);
    return got;
}

static struct got request(struct str bytes, struct http1_head *head)
{
    return parse(bytes, HTTP1_METHOD_UNSET, head);
}

static struct got response(struct str bytes, struct http1_head *head)
{
    return parse(bytes, HTTP1_GET, head);
}

static void expect_fault(struct got got, enum http1_fault fault, struct str bytes)
{
    if (got.fault != fault) {
        fail_msg("%.*s: got \"%s\", want \"%s\"", STR_ARG(bytes), http1_fault_text(got.fault),
                 http1_fault_text(fault));
    }
}

struct broken {
    struct str bytes;
    enum http1_fault fault;
};

#define BROKEN(text, fault)                 \
    {                                       \
        STR_INIT(text), HTTP1_FAULT_##fault \
    }

static void refuse_requests(const struct broken *cases, size_t n)
{
    struct http1_head head;
    for (size_t i = 0; i < n; i++) {
        expect_fault(request(cases[i].bytes, &head), cases[i].fault, cases[i].bytes);
    }
}

static void refuse_responses(const struct broken *cases, size_t n)
{
    struct http1_head head;
    for (size_t i = 0; i < n; i++) {
        expect_fault(response(cases[i].bytes, &head), cases[i].fault, cases[i].bytes);
    }
}

/* Each parses as "GET / HTTP/1.1", "Host: a.example" and these lines. */
static void refuse_lines(const struct broken *cases, size_t n)
{
    struct buf buf;
    struct http1_head head;
    buf_init(&buf, LIMIT_HTTP_HEAD_LEN);
    for (size_t i = 0; i < n; i++) {
        buf_clear(&buf);
        buf_append(&buf, STR("POST / HTTP/1.1\r\nHost: a.example\r\n"));
        buf_append(&buf, cases[i].bytes);
        buf_append(&buf, STR("\r\n\r\n"));
        expect_fault(request(buf_str(&buf), &head), cases[i].fault, cases[i].bytes);
    }
    buf_fini(&buf);
}

#define GOOD_REQUEST                                                                     \
    "GET http://a.example/b?c HTTP/1.1\r\nHost: a.example\r\nAccept:*/*\r\nX-Empty:\r\n" \
    "X-Spaces: \t two  words \t\r\nx-bytes: \xc3\xa9\t\x80\r\n\r\n"

TEST(a_request_is_cut_into_its_parts)
{
    struct http1_head head;
    struct str bytes = STR(GOOD_REQUEST "body");
    struct got got = request(bytes, &head);
    assert_ok(got.err);
    assert_int_equal(got.len, bytes.len - 4);
    assert_int_equal(head.method, HTTP1_GET);
    assert_str_eq(head.method_text, STR("GET"));
    assert_str_eq(head.target, STR("http://a.example/b?c"));
    assert_int_equal(head.form, HTTP1_ABSOLUTE);
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.body, HTTP1_BODY_NONE);
    assert_int_equal(head.n_headers, 5);
    assert_int_equal(head.headers[0].id, HTTP1_NAME_HOST);
    assert_str_eq(head.headers[0].name, STR("Host"));
    assert_str_eq(head.headers[0].value, STR("a.example"));
    assert_str_eq(head.headers[1].value, STR("*/*"));
    assert_int_equal(head.headers[1].id, HTTP1_NAME_OTHER);
    assert_str_eq(head.headers[2].value, STR(""));
    assert_str_eq(head.headers[3].value, STR("two  words"));
    assert_str_eq(head.headers[4].value, STR("\xc3\xa9\t\x80"));
}

TEST(a_response_is_cut_into_its_parts)
{
    struct http1_head head;
    struct str bytes = STR("HTTP/1.0 404 Not  Here\r\nContent-Length: 12\r\n\r\n");
    struct got got = response(bytes, &head);
    assert_ok(got.err);
    assert_int_equal(got.len, bytes.len);
    assert_int_equal(head.status, 404);
    assert_str_eq(head.reason, STR("Not  Here"));
    assert_int_equal(head.minor, 0);
    assert_int_equal(head.body, HTTP1_BODY_LENGTH);
    assert_int_equal(head.length, 12);
}

TEST(a_response_may_lack_the_reason_and_its_space)
{
    struct http1_head head;
    assert_ok(response(STR("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), &head).err);
    assert_str_eq(head.reason, STR(""));
    assert_ok(response(STR("HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n"), &head).err);
    assert_int_equal(head.status, 299);
    assert_str_eq(head.reason, STR(""));
}

static void every_prefix_waits(struct str bytes, enum http1_method method)
{
    struct http1_head head;
    for (size_t n = 0; n < bytes.len; n++) {
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, bytes.p, n);
        struct got got = parse(str_make(copy, n), method, &head);
        free(copy);
        if (got.err != ERR_AGAIN) {
            fail_msg("%zu bytes of %.*s: ERR_%s", n, STR_ARG(bytes), err_name(got.err));
        }
    }
    assert_ok(parse(bytes, method, &head).err);
}

TEST(every_prefix_of_a_valid_head_asks_for_more)
{
    every_prefix_waits(STR(GOOD_REQUEST), HTTP1_METHOD_UNSET);
    every_prefix_waits(STR("\r\nOPTIONS * HTTP/1.1\r\nHost:\r\n\r\n"), HTTP1_METHOD_UNSET);
    every_prefix_waits(STR("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"),
                       HTTP1_METHOD_UNSET);
    every_prefix_waits(STR("HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
                       HTTP1_GET);
    every_prefix_waits(STR("HTTP/1.0 200\r\n\r\n"), HTTP1_GET);
}

TEST(one_empty_line_before_a_request_is_skipped)
{
    static const struct broken cases[] = {
        BROKEN("\r\n\r\nGET / HTTP/1.0\r\n\r\n", REQUEST_LINE),
        BROKEN("\nGET / HTTP/1.0\r\n\r\n", REQUEST_LINE),
        BROKEN("\rGET / HTTP/1.0\r\n\r\n", LINE_END),
        BROKEN(" GET / HTTP/1.0\r\n\r\n", METHOD),
    };
    struct http1_head head;
    struct str bytes = STR("\r\nGET / HTTP/1.0\r\n\r\n");
    struct got got = request(bytes, &head);
    assert_ok(got.err);
    assert_int_equal(got.len, bytes.len);
    assert_str_eq(head.method_text, STR("GET"));
    refuse_requests(cases, COUNT(cases));
}

TEST(no_empty_line_before_a_response_is_skipped)
{
    static const struct broken cases[] = {BROKEN("\r\nHTTP/1.1 200 OK\r\n\r\n", VERSION)};
    refuse_responses(cases, COUNT(cases));
}

/* Nothing here is a whole head: the fault is there before the line ends. */
TEST(a_broken_first_line_is_refused_at_once)
{
    static const struct broken requests[] = {
        BROKEN("\x16\x03\x01", METHOD),
        BROKEN("\0", METHOD),
        BROKEN("SSH-2.0-x\r", REQUEST_LINE),
        BROKEN("GET\t", METHOD),
        BROKEN("GET:", METHOD),
        BROKEN("GET  ", REQUEST_LINE),
        BROKEN("GET /\r", REQUEST_LINE),
        BROKEN("GET /\n", REQUEST_LINE),
        BROKEN("GET /a\x7f", TARGET),
        BROKEN("GET /a\t", TARGET),
        BROKEN("GET /a\0", TARGET),
        BROKEN("GET /a#b", TARGET),
        BROKEN("GET /\xc3\xa9", TARGET),
        BROKEN("GET / h", VERSION),
        BROKEN("GET / HTTP/2", VERSION),
        BROKEN("GET / HTTP/1.2", VERSION),
        BROKEN("GET /  ", VERSION),
        BROKEN("GET / HTTP/1.1 ", VERSION),
        BROKEN("GET / HTTP/1.10", VERSION),
        BROKEN("GET / HTTP/1.1\n", LINE_END),
        BROKEN("GET / HTTP/1.1\rH", LINE_END),
        BROKEN("GET /a b HTTP/1.1", VERSION),
        BROKEN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
    };
    static const struct broken responses[] = {
        BROKEN("h", VERSION),
        BROKEN("ICY 200 OK\r\n", VERSION),
        BROKEN("<html>", VERSION),
        BROKEN("HTTP/2 200\r\n", VERSION),
        BROKEN("HTTP/1.1200", STATUS_LINE),
        BROKEN("HTTP/1.1\t", STATUS_LINE),
        BROKEN("HTTP/1.1\r\n", STATUS_LINE),
        BROKEN("HTTP/1.1  2", STATUS),
        BROKEN("HTTP/1.1 0", STATUS),
        BROKEN("HTTP/1.1 2x", STATUS),
        BROKEN("HTTP/1.1 20\r", STATUS),
        BROKEN("HTTP/1.1 2000", STATUS),
        BROKEN("HTTP/1.1 200\tOK", STATUS),
        BROKEN("HTTP/1.1 200 O\0", REASON),
        BROKEN("HTTP/1.1 200 OK\n", LINE_END),
        BROKEN("HTTP/1.1 200\n", LINE_END),
        BROKEN("HTTP/1.1 200 OK\rX", LINE_END),
    };
    refuse_requests(requests, COUNT(requests));
    refuse_responses(responses, COUNT(responses));
}

TEST(a_broken_header_line_is_refused)
{
    static const struct broken cases[] = {
        BROKEN("A: b\r\n c: d", FOLD),
        BROKEN("A: b\r\n\tc: d", FOLD),
        BROKEN("A: b\r\n ", FOLD),
        BROKEN("A : b", SPACE_BEFORE_COLON),
        BROKEN("A\t: b", SPACE_BEFORE_COLON),
        BROKEN("A b: c", SPACE_BEFORE_COLON),
        BROKEN(": b", NAME),
        BROKEN("A(b): c", NAME),
        BROKEN("A\0: b", NAME),
        BROKEN("\xc3\xa9: b", NAME),
        BROKEN("A", NO_COLON),
        BROKEN("A\nB: c", NO_COLON),
        BROKEN("\nB: c", LINE_END),
        BROKEN("A: b\nC: d", LINE_END),
        BROKEN("A: b\rC: d", LINE_END),
        BROKEN("A: b\r\rC: d", LINE_END),
        BROKEN("A: b\r\n\rC: d", LINE_END),
        BROKEN("A: b\0c", VALUE),
        BROKEN("A: b\vc", VALUE),
        BROKEN("A: b\x7f", VALUE),
        BROKEN("A: 0123456789abcdef\x1f", VALUE),
    };
    refuse_lines(cases, COUNT(cases));
    static const struct broken first[] = {
        BROKEN("GET / HTTP/1.1\r\n Host: a\r\n\r\n", SPACE_FIRST),
        BROKEN("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", SPACE_FIRST),
    };
    refuse_requests(first, COUNT(first));
}

TEST(a_request_names_exactly_one_host)
{
    static const struct broken cases[] = {
        BROKEN("GET / HTTP/1.1\r\n\r\n", NO_HOST),
        BROKEN("GET http://a.example/ HTTP/1.1\r\n\r\n", NO_HOST),
        BROKEN("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", MANY_HOSTS),
        BROKEN("GET / HTTP/1.0\r\nHost: a\r\nhOST: b\r\n\r\n", MANY_HOSTS),
        BROKEN("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HOST),
        BROKEN("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", HOST),
        BROKEN("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HOST),
        BROKEN("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HOST),
        BROKEN("GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", HOST),
    };
    struct http1_head head;
    refuse_requests(cases, COUNT(cases));
    assert_ok(request(STR("GET / HTTP/1.0\r\n\r\n"), &head).err);
    assert_ok(request(STR("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), &head).err);
    assert_ok(request(STR("GET / HTTP/1.1\r\nHost: xn--a.example:80\r\n\r\n"), &head).err);
}

TEST(a_target_has_the_form_of_its_method)
{
    static const struct {
        struct str line;
        enum http1_form form;
        enum http1_fault fault;
    } cases[] = {
        {STR_INIT("GET /"), HTTP1_ORIGIN, HTTP1_FAULT_NONE},
        {STR_INIT("GET /a?b=c|d{}\"<>\\^`[]"), HTTP1_ORIGIN, HTTP1_FAULT_NONE},
        {STR_INIT("GET //a.example/b"), HTTP1_ORIGIN, HTTP1_FAULT_NONE},
        {STR_INIT("OPTIONS *"), HTTP1_ASTERISK, HTTP1_FAULT_NONE},
        {STR_INIT("OPTIONS /"), HTTP1_ORIGIN, HTTP1_FAULT_NONE},
        {STR_INIT("GET http://a.example"), HTTP1_ABSOLUTE, HTTP1_FAULT_NONE},
        {STR_INIT("GET HTTP://a.example:80?q"), HTTP1_ABSOLUTE, HTTP1_FAULT_NONE},
        {STR_INIT("GET svn+ssh://[::1]/"), HTTP1_ABSOLUTE, HTTP1_FAULT_NONE},
        {STR_INIT("CONNECT a.example:443"), HTTP1_AUTHORITY, HTTP1_FAULT_NONE},
        {STR_INIT("CONNECT [2001:db8::1]:443"), HTTP1_AUTHORITY, HTTP1_FAULT_NONE},
        {STR_INIT("GET *"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("OPTIONS **"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET a.example:80"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET a.example/"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET http:/a.example/"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET http:///a"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET http://"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET http://a\\b/"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET 1http://a/"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET ht_tp://a/"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET ://a/"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("GET http://u@a/"), HTTP1_FORM_UNSET, HTTP1_FAULT_USERINFO},
        {STR_INIT("GET http://u:p@a/"), HTTP1_FORM_UNSET, HTTP1_FAULT_USERINFO},
        {STR_INIT("CONNECT /"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("CONNECT a.example"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("CONNECT a.example:"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("CONNECT :443"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("CONNECT 443"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("CONNECT http://a.example:443"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
        {STR_INIT("CONNECT u@a.example:443"), HTTP1_FORM_UNSET, HTTP1_FAULT_FORM},
    };
    struct http1_head head;
    char text[256];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text), "%.*s HTTP/1.1\r\nHost: a\r\n\r\n", STR_ARG(cases[i].line));
        struct got got = request(str_from(text), &head);
        expect_fault(got, cases[i].fault, cases[i].line);
        if (got.err == ERR_OK) {
            assert_int_equal(head.form, cases[i].form);
        }
    }
}

TEST(methods_are_known_by_their_exact_name)
{
    static const struct {
        const char *text;
        enum http1_method method;
    } cases[] = {
        {"GET", HTTP1_GET},        {"HEAD", HTTP1_HEAD},     {"POST", HTTP1_POST},
        {"PUT", HTTP1_PUT},        {"DELETE", HTTP1_DELETE}, {"OPTIONS", HTTP1_OPTIONS},
        {"PATCH", HTTP1_PATCH},    {"TRACE", HTTP1_TRACE},   {"get", HTTP1_OTHER},
        {"M-SEARCH", HTTP1_OTHER}, {"GETT", HTTP1_OTHER},    {"!#$%&'*+-.^_`|~1", HTTP1_OTHER},
    };
    struct http1_head head;
    char text[128];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text), "%s / HTTP/1.0\r\n\r\n", cases[i].text);
        assert_ok(request(str_from(text), &head).err);
        assert_int_equal(head.method, cases[i].method);
        assert_str_eq(head.method_text, str_from(cases[i].text));
    }
}

TEST(a_body_ends_in_one_way_only)
{
    static const struct broken cases[] = {
        BROKEN("Content-Length: 5\r\nTransfer-Encoding: chunked", LENGTH_AND_CODING),
        BROKEN("Transfer-Encoding: chunked\r\nContent-Length: 0", LENGTH_AND_CODING),
        BROKEN("Content-Length: 5\r\nContent-Length: 5", MANY_LENGTHS),
        BROKEN("Content-Length: 5\r\ncontent-length: 6", MANY_LENGTHS),
        BROKEN("Content-Length: 5, 5", LENGTH),
        BROKEN("Content-Length: 5,", LENGTH),
        BROKEN("Content-Length: +5", LENGTH),
        BROKEN("Content-Length: -5", LENGTH),
        BROKEN("Content-Length: 5 5", LENGTH),
        BROKEN("Content-Length: 0x5", LENGTH),
        BROKEN("Content-Length: 5.0", LENGTH),
        BROKEN("Content-Length: 1e3", LENGTH),
        BROKEN("Content-Length: \"5\"", LENGTH),
        BROKEN("Content-Length:", LENGTH),
        BROKEN("Content-Length: 9223372036854775808", LENGTH),
        BROKEN("Content-Length: 18446744073709551616", LENGTH),
        BROKEN("Content-Length: 18446744073709551621", LENGTH),
        BROKEN("Transfer-Encoding: chunked, chunked", CODING),
        BROKEN("Transfer-Encoding: gzip, chunked", CODING),
        BROKEN("Transfer-Encoding: chunked, gzip", CODING),
        BROKEN("Transfer-Encoding: identity", CODING),
        BROKEN("Transfer-Encoding: chunked;q=1", CODING),
        BROKEN("Transfer-Encoding: chunked,", CODING),
        BROKEN("Transfer-Encoding: ,chunked", CODING),
        BROKEN("Transfer-Encoding: xchunked", CODING),
        BROKEN("Transfer-Encoding: \"chunked\"", CODING),
        BROKEN("Transfer-Encoding: chunked\xa0", CODING),
        BROKEN("Transfer-Encoding:", CODING),
        BROKEN("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", MANY_CODINGS),
        BROKEN("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", MANY_CODINGS),
        BROKEN("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", MANY_CODINGS),
    };
    static const struct broken whole[] = {
        BROKEN("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", CODING_IN_10),
        BROKEN("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n", CONNECT_BODY),
        BROKEN("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n",
               CONNECT_BODY),
    };
    refuse_lines(cases, COUNT(cases));
    refuse_requests(whole, COUNT(whole));
    static const struct broken responses[] = {
        BROKEN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CODING_IN_10),
        BROKEN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", CODING),
        BROKEN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", CODING),
        BROKEN("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", MANY_LENGTHS),
        BROKEN("HTTP/1.1 304 x\r\nContent-Length: a\r\n\r\n", LENGTH),
    };
    refuse_responses(responses, COUNT(responses));
}

TEST(the_body_of_a_request_follows_from_its_headers)
{
    static const struct {
        const char *text;
        enum http1_body body;
        uint64_t length;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", HTTP1_BODY_NONE, 0},
        {"POST / HTTP/1.0\r\n\r\n", HTTP1_BODY_NONE, 0},
        {"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", HTTP1_BODY_LENGTH, 0},
        {"GET / HTTP/1.0\r\nContent-Length: 0010\r\n\r\n", HTTP1_BODY_LENGTH, 10},
        {"PUT / HTTP/1.0\r\nContent-Length: \t9223372036854775807 \r\n\r\n", HTTP1_BODY_LENGTH,
         INT64_MAX},
        {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED \r\n\r\n", HTTP1_BODY_CHUNKED, 0},
        {"CONNECT a:1 HTTP/1.0\r\nContent-Length: 0\r\n\r\n", HTTP1_BODY_NONE, 0},
    };
    struct http1_head head;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_ok(request(str_from(cases[i].text), &head).err);
        assert_int_equal(head.body, cases[i].body);
        assert_int_equal(head.length, cases[i].length);
    }
}

TEST(the_body_of_a_response_follows_from_request_status_and_headers)
{
    static const struct {
        enum http1_method method;
        const char *text;
        enum http1_body body;
        uint64_t length;
    } cases[] = {
        {HTTP1_GET, "HTTP/1.1 200 OK\r\n\r\n", HTTP1_BODY_CLOSE, 0},
        {HTTP1_GET, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", HTTP1_BODY_LENGTH, 7},
        {HTTP1_GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_BODY_CHUNKED, 0},
        {HTTP1_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_HEAD, "HTTP/1.1 200 OK\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_CONNECT, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_CONNECT, "HTTP/1.1 299 OK\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_CONNECT, "HTTP/1.1 403 No\r\nContent-Length: 7\r\n\r\n", HTTP1_BODY_LENGTH, 7},
        {HTTP1_CONNECT, "HTTP/1.1 300 No\r\n\r\n", HTTP1_BODY_CLOSE, 0},
        {HTTP1_GET, "HTTP/1.1 100 Continue\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_GET, "HTTP/1.1 199 x\r\nContent-Length: 0\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_GET, "HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_GET, "HTTP/1.1 204 x\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_GET, "HTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n", HTTP1_BODY_LENGTH, 0},
        {HTTP1_GET, "HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_GET, "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_BODY_NONE, 0},
        {HTTP1_GET, "HTTP/1.1 999 x\r\nContent-Length: 1\r\n\r\n", HTTP1_BODY_LENGTH, 1},
    };
    struct http1_head head;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_ok(parse(str_from(cases[i].text), cases[i].method, &head).err);
        assert_int_equal(head.body, cases[i].body);
        assert_int_equal(head.length, cases[i].length);
    }
}

TEST(a_body_that_cannot_be_is_not_announced_further)
{
    static const struct {
        enum http1_method method;
        const char *text;
        bool lie;
    } cases[] = {
        {HTTP1_GET, "HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n", true},
        {HTTP1_GET, "HTTP/1.1 101 x\r\nTransfer-Encoding: chunked\r\n\r\n", true},
        {HTTP1_GET, "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", true},
        {HTTP1_GET, "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", true},
        {HTTP1_CONNECT, "HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\n", true},
        {HTTP1_GET, "HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", false},
        {HTTP1_GET, "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", false},
        {HTTP1_HEAD, "HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\n", false},
    };
    struct http1_head head;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_ok(parse(str_from(cases[i].text), cases[i].method, &head).err);
        assert_int_equal(head.body, HTTP1_BODY_NONE);
        assert_int_equal(head.length, 0);
        assert_int_equal(head.keep_alive, !cases[i].lie);
        assert_int_equal(head.headers[0].hop, cases[i].lie);
    }
}

TEST(interim_responses_are_read_one_by_one)
{
    struct http1_head head;
    struct str bytes =
        STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    static const unsigned statuses[] = {100, 103, 200};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct got got = response(bytes, &head);
        assert_ok(got.err);
        assert_int_equal(head.status, statuses[i]);
        bytes = str_skip(bytes, got.len);
    }
    assert_int_equal(head.body, HTTP1_BODY_LENGTH);
    assert_str_eq(bytes, STR("hi"));
}

TEST(connection_and_version_say_whether_to_keep_alive)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection:\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: ,,\tKeep-Alive ,,\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nKeep-Alive: 5\r\n\r\n", false},
    };
    struct http1_head head;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_ok(request(str_from(cases[i].text), &head).err);
        assert_int_equal(head.keep_alive, cases[i].keep_alive);
    }
    assert_ok(response(STR("HTTP/1.1 200 OK\r\n\r\n"), &head).err);
    assert_false(head.keep_alive);
    assert_ok(response(STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), &head).err);
    assert_true(head.keep_alive);
}

static bool is_hop(const struct http1_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (str_eq(head->headers[i].name, str_from(name))) {
            return head->headers[i].hop;
        }
    }
    fail_msg("no header %s", name);
    return false;
}

TEST(what_connection_names_is_hop_by_hop)
{
    struct http1_head head;
    struct str bytes = STR("GET / HTTP/1.1\r\nX-One: 1\r\nHost: a\r\nConnection: x-one , TE\r\n"
                           "TE: trailers\r\nX-Two: 2\r\nKeep-Alive: 3\r\nProxy-Connection: x\r\n"
                           "connection: close,X-THREE\r\nx-three: 3\r\nX-On: 4\r\nVia: 1.1 b\r\n"
                           "Proxy-Authorization: x\r\n\r\n");
    assert_ok(request(bytes, &head).err);
    static const char *const hops[] = {"X-One",      "Connection",         "TE",
                                       "Keep-Alive", "connection",         "Proxy-Connection",
                                       "x-three",    "Proxy-Authorization"};
    static const char *const others[] = {"Host", "X-Two", "X-On", "Via"};
    for (size_t i = 0; i < COUNT(hops); i++) {
        assert_true(is_hop(&head, hops[i]));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_false(is_hop(&head, others[i]));
    }
}

TEST(connection_may_not_take_away_what_frames_or_routes)
{
    static const struct broken cases[] = {
        BROKEN("Connection: Host", CONNECTION),
        BROKEN("Connection: close, content-LENGTH\r\nContent-Length: 5", CONNECTION),
        BROKEN("Connection: content-length", CONNECTION),
    };
    refuse_lines(cases, COUNT(cases));
}

TEST(expect_and_upgrade_are_told)
{
    static const struct {
        const char *lines;
        bool expect;
        bool upgrade;
    } cases[] = {
        {"HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue", true, false},
        {"HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x", false, false},
        {"HTTP/1.1\r\nHost: a\r\nExpect: else", false, false},
        {"HTTP/1.0\r\nHost: a\r\nExpect: 100-continue", false, false},
        {"HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade", false, true},
        {"HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, upgrade", false,
         true},
        {"HTTP/1.1\r\nHost: a\r\nUpgrade: websocket", false, false},
        {"HTTP/1.1\r\nHost: a\r\nConnection: Upgrade", false, false},
        {"HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade", false, false},
    };
    struct http1_head head;
    char text[256];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(text, sizeof(text), "POST / %s\r\n\r\n", cases[i].lines);
        assert_ok(request(str_from(text), &head).err);
        assert_int_equal(head.expect_continue, cases[i].expect);
        assert_int_equal(head.upgrade, cases[i].upgrade);
    }
    assert_ok(
        response(STR("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), &head)
            .err);
    assert_true(head.upgrade);
}

/* before, n times 'a', behind. */
static void fill(struct buf *buf, const char *before, size_t n, const char *behind)
{
    buf_clear(buf);
    buf_append(buf, str_from(before));
    for (size_t i = 0; i < n; i++) {
        buf_append_byte(buf, 'a');
    }
    buf_append(buf, str_from(behind));
}

TEST(each_part_may_be_just_as_long_as_its_limit)
{
    static const struct {
        const char *before;
        const char *behind;
        size_t most;
        enum http1_fault fault;
    } cases[] = {
        {"", " / HTTP/1.0\r\n\r\n", LIMIT_HTTP_METHOD_LEN, HTTP1_FAULT_METHOD_LONG},
        {"GET /", " HTTP/1.0\r\n\r\n", LIMIT_HTTP_LINE_LEN - 14, HTTP1_FAULT_LINE_LONG},
        {"\r\nGET /", " HTTP/1.0\r\n\r\n", LIMIT_HTTP_LINE_LEN - 14, HTTP1_FAULT_LINE_LONG},
        {"GET / HTTP/1.0\r\nA:", "\r\n\r\n", LIMIT_HTTP_LINE_LEN - 2, HTTP1_FAULT_HEADER_LONG},
        {"GET / HTTP/1.0\r\n", ":\r\n\r\n", LIMIT_HTTP_LINE_LEN - 1, HTTP1_FAULT_HEADER_LONG},
    };
    struct buf buf;
    struct http1_head head;
    buf_init(&buf, 2 * LIMIT_HTTP_HEAD_LEN);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fill(&buf, cases[i].before, cases[i].most, cases[i].behind);
        assert_ok(request(buf_str(&buf), &head).err);
        fill(&buf, cases[i].before, cases[i].most + 1, cases[i].behind);
        struct got got = request(buf_str(&buf), &head);
        assert_err(got.err, ERR_LIMIT);
        assert_int_equal(got.fault, cases[i].fault);
        /* Over the limit is told without the end of the line. */
        fill(&buf, cases[i].before, cases[i].most + 20, "");
        got = request(buf_str(&buf), &head);
        assert_err(got.err, ERR_LIMIT);
        assert_int_equal(got.fault, cases[i].fault);
    }
    fill(&buf, "HTTP/1.1 200 ", LIMIT_HTTP_LINE_LEN - 12, "\r\n\r\n");
    assert_int_equal(response(buf_str(&buf), &head).fault, HTTP1_FAULT_LINE_LONG);
    buf_fini(&buf);
}

TEST(a_head_has_a_most_of_headers)
{
    struct buf buf;
    struct http1_head head;
    buf_init(&buf, LIMIT_HTTP_HEAD_LEN);
    for (size_t n = LIMIT_HTTP_HEADERS; n <= LIMIT_HTTP_HEADERS + 1; n++) {
        buf_clear(&buf);
        buf_append(&buf, STR("GET / HTTP/1.0\r\n"));
        for (size_t i = 0; i < n; i++) {
            buf_append(&buf, STR("A: b\r\n"));
        }
        buf_append(&buf, STR("\r\n"));
        struct got got = request(buf_str(&buf), &head);
        assert_err(got.err, n == LIMIT_HTTP_HEADERS ? ERR_OK : ERR_LIMIT);
        assert_int_equal(got.fault,
                         n == LIMIT_HTTP_HEADERS ? HTTP1_FAULT_NONE : HTTP1_FAULT_HEADERS_MANY);
    }
    buf_fini(&buf);
}

TEST(a_head_may_be_just_as_long_as_its_limit)
{
    struct buf buf;
    struct http1_head head;
    buf_init(&buf, 2 * LIMIT_HTTP_HEAD_LEN);
    for (size_t extra = 0; extra <= 1; extra++) {
        buf_clear(&buf);
        buf_append(&buf, STR("GET / HTTP/1.0\r\n"));
        while (buf.len < LIMIT_HTTP_HEAD_LEN - 1100) {
            buf_append(&buf, STR("A: "));
            for (size_t i = 0; i < 1000; i++) {
                buf_append_byte(&buf, 'a');
            }
            buf_append(&buf, STR("\r\n"));
        }
        buf_append(&buf, STR("A:"));
        while (buf.len < LIMIT_HTTP_HEAD_LEN - 4 + extra) {
            buf_append_byte(&buf, 'b');
        }
        assert_err(request(buf_str(&buf), &head).err, ERR_AGAIN);
        buf_append(&buf, STR("\r\n\r\n"));
        struct got got = request(buf_str(&buf), &head);
        assert_err(got.err, extra == 0 ? ERR_OK : ERR_LIMIT);
        assert_int_equal(got.fault, extra == 0 ? HTTP1_FAULT_NONE : HTTP1_FAULT_HEAD_LONG);
    }
    buf_fini(&buf);
}

TEST(connection_has_a_most_of_options)
{
    struct buf buf;
    struct http1_head head;
    buf_init(&buf, LIMIT_HTTP_HEAD_LEN);
    for (size_t n = LIMIT_HTTP_CONNECTION_OPTIONS; n <= LIMIT_HTTP_CONNECTION_OPTIONS + 1; n++) {
        buf_clear(&buf);
        buf_append(&buf, STR("GET / HTTP/1.0\r\nConnection: a"));
        for (size_t i = 1; i < n; i++) {
            buf_append(&buf, STR(",b"));
        }
        buf_append(&buf, STR("\r\n\r\n"));
        bool fits = n == LIMIT_HTTP_CONNECTION_OPTIONS;
        struct got got = request(buf_str(&buf), &head);
        assert_err(got.err, fits ? ERR_OK : ERR_LIMIT);
        assert_int_equal(got.fault, fits ? HTTP1_FAULT_NONE : HTTP1_FAULT_OPTIONS_MANY);
    }
    buf_fini(&buf);
}

TEST(every_name_is_found_in_any_case)
{
    static const struct {
        const char *text;
        bool hop;
        char first;
    } rows[] = {
#define HTTP1_NAME(id, text, first, hop) {text, hop, first},
#include "wire/http1_name.def"
#undef HTTP1_NAME
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[64];
        size_t len = strlen(rows[i].text);
        snprintf(text, sizeof(text), "%s", rows[i].text);
        assert_int_equal(ascii_lower(text[0]), rows[i].first);
        assert_int_equal(http1_name_find(str_make(text, len)), i + 1);
        assert_int_equal(http1_name_is_hop((enum http1_name)(i + 1)), rows[i].hop);
        for (size_t j = 0; j < len; j++) {
            text[j] = ascii_lower(text[j]);
        }
        assert_int_equal(http1_name_find(str_make(text, len)), i + 1);
        text[len - 1] = '_';
        assert_int_equal(http1_name_find(str_make(text, len)), HTTP1_NAME_OTHER);
        assert_int_equal(http1_name_find(str_make(text, len - 1)), HTTP1_NAME_OTHER);
    }
    assert_int_equal(http1_name_find(STR("")), HTTP1_NAME_OTHER);
    assert_int_equal(http1_name_find(STR("Access-Control-Allow-Credentials-And-More")),
                     HTTP1_NAME_OTHER);
}

/* The table against the grammar, byte for byte. */
TEST(bytes_have_the_classes_of_the_grammar)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool alnum = ascii_is_alpha(c) || ascii_is_digit(c);
        bool token = alnum || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        bool host = alnum || (c != 0 && strchr("-._~%!$&'()*+;=:[]", c) != NULL);
        assert_int_equal(http1_is(c, HTTP1_TOKEN), token);
        assert_int_equal(http1_is(c, HTTP1_HOST), host);
        assert_int_equal(http1_is(c, HTTP1_TARGET), i > 0x20 && i < 0x7f && c != '#');
        assert_int_equal(http1_is(c, HTTP1_FIELD), c == '\t' || (i >= 0x20 && i != 0x7f));
    }
}

TEST(runs_of_eight_bytes_are_judged_like_single_ones)
{
    char text[24];
    for (int i = 0; i < 256; i++) {
        for (size_t at = 0; at < sizeof(text); at++) {
            memset(text, i % 2 == 0 ? 'a' : 0xff, sizeof(text));
            text[at] = (char)i;
            const char *end = text + sizeof(text);
            assert_ptr_equal(http1_span_field(text, end), http1_span(text, end, HTTP1_FIELD));
            assert_ptr_equal(http1_span_field(text, text + at), text + at);
        }
    }
}

TEST(every_fault_has_words_and_a_rule)
{
    for (int i = 1; i < HTTP1_FAULT_COUNT_; i++) {
        assert_true(strlen(http1_fault_text((enum http1_fault)i)) > 10);
        assert_int_equal(strncmp(http1_fault_rule((enum http1_fault)i), "RFC 9", 5), 0);
    }
}

TESTS_MAIN(unit(a_request_is_cut_into_its_parts), unit(a_response_is_cut_into_its_parts),
           unit(a_response_may_lack_the_reason_and_its_space),
           unit(every_prefix_of_a_valid_head_asks_for_more),
           unit(one_empty_line_before_a_request_is_skipped),
           unit(no_empty_line_before_a_response_is_skipped),
           unit(a_broken_first_line_is_refused_at_once), unit(a_broken_header_line_is_refused),
           unit(a_request_names_exactly_one_host), unit(a_target_has_the_form_of_its_method),
           unit(methods_are_known_by_their_exact_name), unit(a_body_ends_in_one_way_only),
           unit(the_body_of_a_request_follows_from_its_headers),
           unit(the_body_of_a_response_follows_from_request_status_and_headers),
           unit(a_body_that_cannot_be_is_not_announced_further),
           unit(interim_responses_are_read_one_by_one),
           unit(connection_and_version_say_whether_to_keep_alive),
           unit(what_connection_names_is_hop_by_hop),
           unit(connection_may_not_take_away_what_frames_or_routes),
           unit(expect_and_upgrade_are_told), unit(each_part_may_be_just_as_long_as_its_limit),
           unit(a_head_has_a_most_of_headers), unit(a_head_may_be_just_as_long_as_its_limit),
           unit(connection_has_a_most_of_options), unit(every_name_is_found_in_any_case),
           unit(bytes_have_the_classes_of_the_grammar),
           unit(runs_of_eight_bytes_are_judged_like_single_ones),
           unit(every_fault_has_words_and_a_rule))

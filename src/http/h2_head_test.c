/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/h2_websocket_impl.h"

#include "lib/test.h"

/* A list from "name=value;name=value"; the first '=' behind the first byte ends a name. */
static void make_list(struct buf *list, const char *text)
{
    struct str rest = str_from(text);
    struct str item;
    buf_init(list, 1 << 20);
    while (rest.len != 0) {
        str_cut(rest, ';', &item, &rest);
        struct str name;
        struct str value;
        str_cut(item, '=', &name, &value);
        h2_fields_add(list, name, value);
    }
    assert_ok(buf_err(list));
}

#define BASE ":method=GET;:scheme=https;:authority=a.example;:path=/"
#define HEAD "GET / HTTP/1.1\r\nHost: a.example\r\n"
#define POSTED ":method=POST;:scheme=https;:authority=a.example;:path=/"
#define SOCKET ":method=CONNECT;:protocol=websocket;:scheme=https;:authority=a.example;:path=/w"

static const uint8_t NONCE[H2_NONCE_BYTES] = "the sample nonce";
#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 section 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static enum err request(const char *fields, bool ended, struct buf *text,
                        struct h2_message *message)
{
    struct buf list;
    make_list(&list, fields);
    buf_init(text, 1 << 20);
    enum err err = h2_request_text(buf_str(&list), ended, NONCE, text, message);
    buf_fini(&list);
    return err;
}

TEST(a_request_becomes_a_head)
{
    static const struct {
        const char *fields;
        bool ended;
        const char *text;
        enum h2_body body;
    } cases[] = {
        {BASE, true, HEAD "\r\n", H2_BODY_NONE},
        {BASE, false, HEAD "Transfer-Encoding: chunked\r\n\r\n", H2_BODY_CHUNKED},
        {BASE ";content-length=5", false, HEAD "content-length: 5\r\n\r\n", H2_BODY_LENGTH},
        {BASE ";content-length=0", true, HEAD "content-length: 0\r\n\r\n", H2_BODY_NONE},
        {POSTED, true, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n",
         H2_BODY_NONE},
        {":path=/;:scheme=https;:method=GET;host=a.example:8443", true,
         "GET / HTTP/1.1\r\nHost: a.example:8443\r\n\r\n", H2_BODY_NONE},
        {BASE ";host=A.example:443", true, HEAD "\r\n", H2_BODY_NONE},
        {BASE ";te=trailers;x=y", true, HEAD "x: y\r\n\r\n", H2_BODY_NONE},
        {BASE ";cookie=a=1;x=y;cookie=b=2;cookie=c=3", true,
         HEAD "x: y\r\ncookie: a=1; b=2; c=3\r\n\r\n", H2_BODY_NONE},
        {":method=OPTIONS;:scheme=https;:authority=a.example;:path=*", true,
         "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", H2_BODY_NONE},
        {BASE ";x=", true, HEAD "x: \r\n\r\n", H2_BODY_NONE},
        {SOCKET ";sec-websocket-version=13;sec-websocket-key=mine", false,
         "GET /w HTTP/1.1\r\nHost: a.example\r\nsec-websocket-version: 13\r\n"
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n\r\n",
         H2_BODY_RAW},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf text;
        struct h2_message message;
        struct http1_head head;
        size_t len = 0;
        enum http1_fault fault;
        assert_ok(request(cases[i].fields, cases[i].ended, &text, &message));
        assert_str_eq(buf_str(&text), str_from(cases[i].text));
        assert_int_equal(message.body, cases[i].body);
        assert_ok(http1_parse_request(buf_str(&text), &head, &len, &fault));
        assert_int_equal(len, text.len);
        buf_fini(&text);
    }
}

static const struct {
    const char *fields;
    bool ended;
} malformed[] = {
    {"", true},
    /* pseudo-headers: missing, twice, unknown, of an answer, behind others, in capitals */
    {":scheme=https;:authority=a.example;:path=/", true},
    {":method=GET;:authority=a.example;:path=/", true},
    {":method=GET;:scheme=https;:authority=a.example", true},
    {":method=GET;:scheme=https;:path=/", true},
    {BASE ";:method=GET", true},
    {BASE ";:path=/x", true},
    {BASE ";:authority=a.example", true},
    {BASE ";:other=x", true},
    {BASE ";:status=200", true},
    {BASE ";x=y;:path=/", true},
    {":method=GET;x=y;:scheme=https;:authority=a.example;:path=/", true},
    {":Method=GET;:scheme=https;:authority=a.example;:path=/", true},
    /* what they may hold */
    {":method=;:scheme=https;:authority=a.example;:path=/", true},
    {":method=G T;:scheme=https;:authority=a.example;:path=/", true},
    {":method=GET\r\n;:scheme=https;:authority=a.example;:path=/", true},
    {":method=GET;:scheme=http;:authority=a.example;:path=/", true},
    {":method=GET;:scheme=ftp;:authority=a.example;:path=/", true},
    {":method=GET;:scheme=https;:authority=;:path=/", true},
    {":method=GET;:scheme=https;:authority=user@a.example;:path=/", true},
    {":method=GET;:scheme=https;:authority=a.example/x;:path=/", true},
    {":method=GET;:scheme=https;:authority=a.example,b.example;:path=/", true},
    {":method=GET;:scheme=https;:authority=a.example\r\nX: y;:path=/", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=x", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=*", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=https://b.example/", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=/ HTTP/1.1", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=/\r\nX: y", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=/\tx", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=/#x", true},
    {":method=GET;:scheme=https;:authority=a.example;:path=/\xc3\xa9", true},
    /* Host says another thing, or twice */
    {BASE ";host=b.example", true},
    {BASE ";host=a.example:444", true},
    {BASE ";host=a.example;host=a.example", true},
    {BASE ";host=", true},
    /* names and values */
    {BASE ";X=y", true},
    {BASE ";a b=y", true},
    {BASE ";a\r\nb=y", true},
    {BASE ";a:b=y", true},
    {BASE ";=y", true},
    {BASE ";x=a\rb", true},
    {BASE ";x=a\nb", true},
    {BASE ";x= a", true},
    {BASE ";x=a ", true},
    {BASE ";x=a\t", true},
    {BASE ";x=a\x7f", true},
    {BASE ";cookie=a\r\nx: y", true},
    /* fields of the connection */
    {BASE ";connection=close", true},
    {BASE ";keep-alive=timeout=1", true},
    {BASE ";proxy-connection=close", true},
    {BASE ";transfer-encoding=chunked", false},
    {BASE ";upgrade=h2c", true},
    {BASE ";te=gzip", true},
    {BASE ";te=trailers, gzip", true},
    /* lengths */
    {BASE ";content-length=1", true},
    {BASE ";content-length=x", false},
    {BASE ";content-length=+1", false},
    {BASE ";content-length=", false},
    {BASE ";content-length=1;content-length=1", false},
    {BASE ";content-length=1, 1", false},
    {BASE ";content-length=9223372036854775808", false},
    /* CONNECT */
    {":method=CONNECT;:authority=a.example:443", false},
    {":method=CONNECT;:scheme=https;:authority=a.example;:path=/", false},
    {BASE ";:protocol=websocket", false},
    {":method=CONNECT;:protocol=connect-udp;:scheme=https;:authority=a.example;:path=/", false},
    {SOCKET, true},
    {SOCKET ";content-length=5", false},
};

/* RFC 9113 section 8. */
TEST(a_malformed_request_is_none)
{
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct buf text;
        struct h2_message message;
        if (request(malformed[i].fields, malformed[i].ended, &text, &message) != ERR_INVALID) {
            fail_msg("taken: %s", malformed[i].fields);
        }
        buf_fini(&text);
    }
}

TEST(a_nul_in_any_place_is_malformed)
{
    static const struct str good[] = {
        STR_INIT(":method"),    STR_INIT("GET"),       STR_INIT(":scheme"), STR_INIT("https"),
        STR_INIT(":authority"), STR_INIT("a.example"), STR_INIT(":path"),   STR_INIT("/xyz"),
        STR_INIT("xyz"),        STR_INIT("abc")};
    enum { N = sizeof(good) / sizeof(good[0]) };
    for (size_t i = 0; i < N; i++) {
        struct buf list;
        struct buf text;
        struct h2_message message;
        char bad[16];
        struct str fields[N];
        memcpy(fields, good, sizeof(fields));
        memcpy(bad, good[i].p, good[i].len);
        bad[good[i].len / 2] = '\0';
        fields[i] = str_make(bad, good[i].len);
        buf_init(&list, 4096);
        buf_init(&text, 4096);
        for (size_t k = 0; k < N; k += 2) {
            h2_fields_add(&list, fields[k], fields[k + 1]);
        }
        assert_err(h2_request_text(buf_str(&list), true, NONCE, &text, &message), ERR_INVALID);
        buf_fini(&list);
        buf_fini(&text);
    }
}

TEST(an_answer_becomes_a_head)
{
    static const struct {
        const char *fields;
        bool ended;
        enum http1_method method;
        const char *text;
        enum h2_body body;
    } cases[] = {
        {":status=200;x=y", false, HTTP1_GET,
         "HTTP/1.1 200 OK\r\nx: y\r\nTransfer-Encoding: chunked\r\n\r\n", H2_BODY_CHUNKED},
        {":status=200", true, HTTP1_GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
         H2_BODY_NONE},
        {":status=200;content-length=3", false, HTTP1_GET,
         "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", H2_BODY_LENGTH},
        {":status=200;content-length=3", true, HTTP1_HEAD,
         "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", H2_BODY_NONE},
        {":status=304;content-length=3", true, HTTP1_GET,
         "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", H2_BODY_NONE},
        {":status=204", true, HTTP1_GET, "HTTP/1.1 204 No Content\r\n\r\n", H2_BODY_NONE},
        {":status=103;link=x", false, HTTP1_GET, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n",
         H2_BODY_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf list;
        struct buf text;
        struct h2_message request = {.method = cases[i].method};
        struct h2_message message;
        struct http1_head head;
        size_t len = 0;
        enum http1_fault fault;
        make_list(&list, cases[i].fields);
        buf_init(&text, 4096);
        assert_ok(h2_response_text(buf_str(&list), cases[i].ended, &request, &text, &message));
        assert_str_eq(buf_str(&text), str_from(cases[i].text));
        assert_int_equal(message.body, cases[i].body);
        assert_ok(http1_parse_response(buf_str(&text), cases[i].method, &head, &len, &fault));
        assert_int_equal(len, text.len);
        buf_fini(&list);
        buf_fini(&text);
    }
}

TEST(a_malformed_answer_is_none)
{
    static const struct {
        const char *fields;
        bool ended;
    } cases[] = {
        {"", true},
        {"x=y", true},
        {":status=20", true},
        {":status=0200", true},
        {":status=099", true},
        {":status=2x0", true},
        {":status=101", false},
        {":status=100", true},
        {":status=200;:status=200", true},
        {":status=200;:path=/", true},
        {"x=y;:status=200", true},
        {":status=200;content-length=1", true},
        {":status=200;connection=close", true},
        {":status=200;transfer-encoding=chunked", false},
        {":status=200;x=a\r\nb", true},
        {":status=200;Set-cookie=a", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf list;
        struct buf text;
        struct h2_message request = {.method = HTTP1_GET};
        struct h2_message message;
        make_list(&list, cases[i].fields);
        buf_init(&text, 4096);
        if (h2_response_text(buf_str(&list), cases[i].ended, &request, &text, &message) !=
            ERR_INVALID) {
            fail_msg("taken: %s", cases[i].fields);
        }
        buf_fini(&list);
        buf_fini(&text);
    }
}

/* What h2_request_fields or h2_response_fields makes of a head, "name=value;" each. */
static enum err fields_of(const char *text, const struct h2_message *request, struct buf *to,
                          struct h2_message *message)
{
    struct http1_head head;
    struct buf list;
    size_t len = 0;
    enum http1_fault fault;
    buf_init(&list, 1 << 20);
    buf_init(to, 1 << 20);
    enum err err = ERR_OK;
    if (request != NULL) {
        assert_ok(http1_parse_response(str_from(text), request->method, &head, &len, &fault));
        err = h2_response_fields(&head, request, &list, message);
    } else {
        assert_ok(http1_parse_request(str_from(text), &head, &len, &fault));
        err = h2_request_fields(&head, &list, message);
    }
    struct str rest = buf_str(&list);
    struct h2_field field;
    while (h2_fields_next(&rest, &field)) {
        buf_printf(to, "%.*s=%.*s;", STR_ARG(field.name), STR_ARG(field.value));
    }
    buf_fini(&list);
    return err;
}

TEST(a_head_becomes_fields)
{
    static const struct {
        const char *text;
        const char *fields;
        enum h2_body body;
    } cases[] = {
        {"GET /x HTTP/1.1\r\nHost: a.example\r\nAccept: b\r\nConnection: close, X-Hop\r\n"
         "X-Hop: c\r\nTE: trailers\r\n\r\n",
         ":method=GET;:scheme=https;:authority=a.example;:path=/x;accept=b;", H2_BODY_NONE},
        {"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n",
         ":method=POST;:scheme=https;:authority=a.example;:path=/;content-length=5;",
         H2_BODY_LENGTH},
        {"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n",
         ":method=POST;:scheme=https;:authority=a.example;:path=/;", H2_BODY_CHUNKED},
        {"GET /w HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n",
         ":method=CONNECT;:protocol=websocket;:scheme=https;:authority=a.example;:path=/w;"
         "sec-websocket-version=13;",
         H2_BODY_RAW},
        {"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n",
         ":method=GET;:scheme=https;:authority=a.example;:path=/;", H2_BODY_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf fields;
        struct h2_message message;
        assert_ok(fields_of(cases[i].text, NULL, &fields, &message));
        assert_str_eq(buf_str(&fields), str_from(cases[i].fields));
        assert_int_equal(message.body, cases[i].body);
        buf_fini(&fields);
    }
    struct buf fields;
    struct h2_message message;
    assert_err(fields_of("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", NULL, &fields,
                         &message),
               ERR_INVALID);
    buf_fini(&fields);
}

TEST(a_websocket_is_taken_only_with_the_right_key)
{
    static const struct {
        const char *text;
        bool socket;
        enum err err;
        const char *fields;
    } cases[] = {
        {"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: p\r\n\r\n",
         true, ERR_OK, ":status=200;sec-websocket-protocol=p;"},
        {"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n\r\n",
         true, ERR_INVALID, ""},
        {"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", true, ERR_INVALID,
         ""},
        {"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
         false, ERR_INVALID, ""},
        /* in HTTP/2 a 200 would mean that it is a WebSocket now */
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, ERR_INVALID, ""},
        {"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", true, ERR_OK,
         ":status=403;content-length=5;"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct h2_message request = {.method = HTTP1_GET, .websocket = cases[i].socket};
        struct h2_message message;
        struct buf fields;
        memcpy(request.key, KEY, H2_KEY_TEXT);
        assert_err(fields_of(cases[i].text, &request, &fields, &message), cases[i].err);
        assert_str_eq(buf_str(&fields), str_from(cases[i].fields));
        buf_fini(&fields);
    }
}

TEST(a_200_to_an_extended_connect_is_a_101_with_the_accept_of_the_key)
{
    struct h2_message request = {.method = HTTP1_GET, .websocket = true};
    struct h2_message message;
    struct buf list;
    struct buf text;
    memcpy(request.key, KEY, H2_KEY_TEXT);
    make_list(&list, ":status=200;x=y");
    buf_init(&text, 4096);
    assert_ok(h2_response_text(buf_str(&list), false, &request, &text, &message));
    assert_str_eq(buf_str(&text),
                  STR("HTTP/1.1 101 Switching Protocols\r\nx: y\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n"));
    assert_int_equal(message.body, H2_BODY_RAW);
    buf_fini(&list);
    buf_fini(&text);
}

TEST(trailers_become_lines_and_lines_trailers)
{
    static const struct {
        const char *fields;
        enum err err;
        const char *text;
    } cases[] = {
        {"a=b;c=d e", ERR_OK, "a: b\r\nc: d e\r\n"},
        {"", ERR_OK, ""},
        {"via=x;a=b", ERR_OK, "a: b\r\n"}, /* our chunks would not take it */
        {":path=/", ERR_INVALID, ""},
        {"A=b", ERR_INVALID, ""},
        {"a=b\r\nc", ERR_INVALID, ""},
        {"transfer-encoding=chunked", ERR_INVALID, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf list;
        struct buf text;
        make_list(&list, cases[i].fields);
        buf_init(&text, 4096);
        assert_err(h2_trailer_text(buf_str(&list), &text), cases[i].err);
        assert_str_eq(buf_str(&text), str_from(cases[i].text));
        buf_fini(&list);
        buf_fini(&text);
    }
    struct buf list;
    struct h2_field field;
    buf_init(&list, 4096);
    h2_trailer_fields(STR("Grpc-Status: 0\r\nX:\r\n"), &list);
    struct str rest = buf_str(&list);
    assert_true(h2_fields_next(&rest, &field));
    assert_str_eq(field.name, STR("grpc-status"));
    assert_str_eq(field.value, STR("0"));
    assert_true(h2_fields_next(&rest, &field));
    assert_str_eq(field.name, STR("x"));
    assert_str_eq(field.value, STR(""));
    assert_false(h2_fields_next(&rest, &field));
    buf_fini(&list);
}

TESTS_MAIN(unit(a_request_becomes_a_head), unit(a_malformed_request_is_none),
           unit(a_nul_in_any_place_is_malformed), unit(an_answer_becomes_a_head),
           unit(a_malformed_answer_is_none), unit(a_head_becomes_fields),
           unit(a_websocket_is_taken_only_with_the_right_key),
           unit(a_200_to_an_extended_connect_is_a_101_with_the_accept_of_the_key),
           unit(trailers_become_lines_and_lines_trailers))

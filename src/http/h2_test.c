/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages over HTTP/2, both ways, as their users see them: text of HTTP/1.1. */
#include "http/h2.h"

#include <unistd.h>

#include "lib/h2_rig.h"

static const char *const GET[] = {":method",   "GET",   ":scheme", "https",  ":authority",
                                  "a.example", ":path", "/x?y=1",  "accept", "*/*",
                                  "cookie",    "a=1",   "cookie",  "b=2",    NULL};
static const char *const POST[] = {":method",   "POST",  ":scheme", "https", ":authority",
                                   "a.example", ":path", "/form",   NULL};

static const struct str GET_TEXT =
    STR_INIT("GET /x?y=1 HTTP/1.1\r\nHost: a.example\r\naccept: */*\r\ncookie: a=1; b=2\r\n\r\n");

/* A big body that is not all alike. */
static char *big_body(size_t len)
{
    char *body = malloc(len + 1);
    assert_non_null(body);
    for (size_t i = 0; i < len; i++) {
        body[i] = (char)('a' + (i * 7 + i / 251) % 26);
    }
    body[len] = '\0';
    return body;
}

TEST(a_request_is_text_of_http1_and_its_answer_too)
{
    static const size_t steps[] = {0, 1, 7, 1000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct rig rig;
        rig_front(&rig, NULL);
        rig_peer(&rig);
        rig.step = steps[i];
        int32_t id = rig_ask(&rig, GET, NULL, NULL);
        rig_settle(&rig);
        assert_int_equal(rig.n_streams, 1);
        assert_str_eq(buf_str(&rig.streams[0].text), GET_TEXT);
        assert_int_equal(rig.streams[0].last, HTTP_READ_END);
        rig_say(&rig.streams[0], STR("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: now\r\n"
                                     "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhel"));
        rig_say(&rig.streams[0], STR("lo"));
        rig_settle(&rig);
        struct rig_answer *answer = rig_heard(&rig, id);
        assert_str_eq(buf_str(&answer->fields),
                      STR(":status: 200\ncontent-length: 5\ndate: now\n"));
        assert_str_eq(buf_str(&answer->body), STR("hello"));
        assert_true(answer->ended && answer->closed && answer->code == 0);
        http_conn_close(&rig.streams[0].conn);
        rig_settle(&rig);
        assert_int_equal(h2_open_streams(rig.h2), 0);
        assert_int_equal(rig.ended, 0);
        rig_free(&rig);
    }
}

TEST(bodies_and_trailers_arrive_whole_whatever_their_size)
{
    static const size_t sizes[] = {0, 1, 100, 65536, 1000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct rig front;
        struct buf want;
        char *body = big_body(sizes[i]);
        rig_front(&front, NULL);
        rig_peer(&front);
        int32_t id = rig_ask(&front, POST, body, "done");
        rig_settle(&front);
        struct rig_stream *stream = &front.streams[0];
        assert_int_equal(stream->last, HTTP_READ_END);
        assert_true(
            str_starts(buf_str(&stream->text), STR("POST /form HTTP/1.1\r\nHost: a.example\r\n"
                                                   "Transfer-Encoding: chunked\r\n\r\n")));
        assert_true(str_ends(buf_str(&stream->text), STR("0\r\nx-trailer: done\r\n\r\n")));
        buf_init(&want, 2000000);
        buf_append(&want, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
        struct str text = buf_str(&stream->text);
        buf_append(&want, str_skip(text, str_find(text, STR("\r\n\r\n")) + 4));
        assert_ok(http_conn_write(&stream->conn, buf_str(&want), str_make(NULL, 0)));
        rig_settle(&front);
        struct rig_answer *answer = rig_heard(&front, id);
        assert_str_eq(buf_str(&answer->fields), STR(":status: 200\nx-trailer: done\n"));
        assert_true(str_eq(buf_str(&answer->body), str_make(body, sizes[i])));
        assert_true(answer->ended);
        buf_fini(&want);
        free(body);
        rig_free(&front);
    }
}

/* --- answers
 * ------------------------------------------------------------------------------------------- */

#define OK_200 "HTTP/1.1 200 OK\r\n"
#define HEADERS_OK ":status: 200\n"

struct answer_row {
    const char *method;
    const char *text;
    bool shut;          /* the writer says that this was all */
    const char *fields; /* NULL: a reset, with this code */
    const char *body;
    uint32_t code;
};

static const struct answer_row answer_rows[] = {
    {"GET", OK_200 "Content-Length: 0\r\n\r\n", false, HEADERS_OK "content-length: 0\n", "", 0},
    {"GET", OK_200 "Content-Length: 2\r\n\r\nab", false, HEADERS_OK "content-length: 2\n", "ab", 0},
    {"GET", OK_200 "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1;x=y\r\nb\r\n0\r\n\r\n", false,
     HEADERS_OK, "ab", 0},
    {"GET", OK_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n",
     false, HEADERS_OK "x-t: 1\ny: 2\n", "ab", 0},
    {"GET", OK_200 "Transfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n\r\n", false,
     HEADERS_OK "x-t: 1\n", "", 0},
    {"GET", OK_200 "Connection: close, X-Hop\r\nX-Hop: y\r\nX: z\r\n\r\nab", true,
     HEADERS_OK "x: z\n", "ab", 0},
    {"HEAD", OK_200 "Content-Length: 5\r\n\r\n", false, HEADERS_OK "content-length: 5\n", "", 0},
    {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false,
     ":status: 304\ncontent-length: 5\n", "", 0},
    {"GET", "HTTP/1.1 204 No Content\r\n\r\n", false, ":status: 204\n", "", 0},
    {"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_200 "Content-Length: 1\r\n\r\na",
     false, ":status: 103\nlink: x\n" HEADERS_OK "content-length: 1\n", "a", 0},
    /* what is not whole is no answer */
    {"GET", "", false, NULL, "", NGHTTP2_INTERNAL_ERROR},
    {"GET", OK_200 "Content-Le", false, NULL, "", NGHTTP2_INTERNAL_ERROR},
    {"GET", OK_200 "Content-Length: 5\r\n\r\nab", false, NULL, "ab", NGHTTP2_INTERNAL_ERROR},
    {"GET", OK_200 "Content-Length: 5\r\n\r\nab", true, NULL, "ab", NGHTTP2_INTERNAL_ERROR},
    {"GET", OK_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", false, NULL, "ab",
     NGHTTP2_INTERNAL_ERROR},
    {"GET", OK_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n", false, NULL, "ab",
     NGHTTP2_INTERNAL_ERROR},
    {"GET", OK_200 "\r\nab", false, NULL, "ab", NGHTTP2_INTERNAL_ERROR},
};

static void run_answer(const struct answer_row *row, size_t step)
{
    struct rig rig;
    const char *const request[] = {":method",   row->method, ":scheme", "https", ":authority",
                                   "a.example", ":path",     "/",       NULL};
    rig_front(&rig, NULL);
    rig_peer(&rig);
    int32_t id = rig_ask(&rig, request, NULL, NULL);
    rig_settle(&rig);
    struct str rest = str_from(row->text);
    while (rest.len != 0) {
        struct str piece = str_sub(rest, 0, step);
        rig_say(&rig.streams[0], piece);
        rest = str_skip(rest, piece.len);
        if (step < 100) {
            rig_turn(&rig);
        }
    }
    rig_settle(&rig);
    if (row->shut) {
        http_conn_shut(&rig.streams[0].conn);
    }
    http_conn_close(&rig.streams[0].conn);
    rig_settle(&rig);
    struct rig_answer *answer = rig_heard(&rig, id);
    if (row->fields != NULL) {
        assert_str_eq(buf_str(&answer->fields), str_from(row->fields));
    }
    assert_str_eq(buf_str(&answer->body), str_from(row->body));
    assert_int_equal(answer->ended, row->fields != NULL);
    assert_true(answer->closed);
    assert_int_equal(answer->code, row->code);
    assert_int_equal(h2_open_streams(rig.h2), 0);
    rig_free(&rig);
}

TEST(an_answer_is_whole_or_a_reset_however_it_is_written)
{
    for (size_t i = 0; i < sizeof(answer_rows) / sizeof(answer_rows[0]); i++) {
        run_answer(&answer_rows[i], SIZE_MAX);
        run_answer(&answer_rows[i], 1);
        run_answer(&answer_rows[i], 13);
    }
}

TEST(an_answer_that_is_no_http_is_a_reset)
{
    static const char *const bad[] = {
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rig rig;
        rig_front(&rig, NULL);
        rig_peer(&rig);
        int32_t id = rig_ask(&rig, GET, NULL, NULL);
        rig_settle(&rig);
        struct http_conn *conn = &rig.streams[0].conn;
        assert_err(http_conn_write(conn, str_from(bad[i]), str_make(NULL, 0)), ERR_SYSTEM);
        rig_settle(&rig);
        assert_int_equal(rig_heard(&rig, id)->code, NGHTTP2_INTERNAL_ERROR);
        assert_err(http_conn_write(conn, STR("x"), str_make(NULL, 0)), ERR_SYSTEM);
        rig_free(&rig);
    }
}

/* RFC 9113 section 8.1: who is answered before all is said is told to stop, kindly. */
TEST(an_answer_before_the_request_was_whole_is_followed_by_no_error)
{
    struct rig rig;
    char *body = big_body(1000000);
    rig_front(&rig, NULL);
    rig_peer(&rig);
    rig.paused = true;
    int32_t id = rig_ask(&rig, POST, body, NULL);
    rig_settle(&rig);
    rig_say(&rig.streams[0], STR("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"));
    http_conn_shut(&rig.streams[0].conn);
    http_conn_close(&rig.streams[0].conn);
    rig_settle(&rig);
    struct rig_answer *answer = rig_heard(&rig, id);
    assert_str_eq(buf_str(&answer->fields), STR(":status: 413\ncontent-length: 2\n"));
    assert_str_eq(buf_str(&answer->body), STR("no"));
    assert_true(answer->ended && answer->closed && answer->code == NGHTTP2_NO_ERROR);
    free(body);
    rig_free(&rig);
}

/* The unread rest of many requests must not close the connection's window for others. */
TEST(a_request_left_unread_gives_its_window_back)
{
    struct rig rig;
    char *body = big_body(200000);
    rig_front(&rig, NULL);
    rig_peer(&rig);
    for (size_t i = 0; i < 20; i++) {
        rig.paused = true;
        rig_ask(&rig, POST, body, NULL);
        rig_settle(&rig);
        http_conn_close(&rig.streams[i].conn);
        rig_settle(&rig);
    }
    rig.paused = false;
    rig_ask(&rig, POST, body, NULL);
    rig_settle(&rig);
    assert_int_equal(rig.streams[20].last, HTTP_READ_END);
    free(body);
    rig_free(&rig);
}

TEST(a_client_that_resets_is_gone_for_the_stream)
{
    struct rig rig;
    rig_front(&rig, NULL);
    rig_peer(&rig);
    int32_t id = rig_ask(&rig, GET, NULL, NULL);
    rig_settle(&rig);
    assert_int_equal(rig.streams[0].events & EPOLLHUP, 0);
    nghttp2_submit_rst_stream(rig.peer, 0, id, NGHTTP2_CANCEL);
    rig_settle(&rig);
    assert_int_not_equal(rig.streams[0].events & EPOLLHUP, 0);
    assert_err(http_conn_write(&rig.streams[0].conn, STR("x"), str_make(NULL, 0)), ERR_SYSTEM);
    http_conn_close(&rig.streams[0].conn);
    rig_settle(&rig);
    assert_int_equal(h2_open_streams(rig.h2), 0);
    rig_free(&rig);
}

TEST(a_stream_that_its_owner_does_not_open_is_refused)
{
    struct rig rig;
    rig_front(&rig, NULL);
    rig_peer(&rig);
    rig.refuse = true;
    int32_t id = rig_ask(&rig, GET, NULL, NULL);
    rig_settle(&rig);
    assert_int_equal(rig_heard(&rig, id)->code, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(h2_open_streams(rig.h2), 0);
    rig_free(&rig);
}

TEST(an_end_of_the_connection_breaks_its_streams_and_is_told_once)
{
    struct rig rig;
    rig_front(&rig, NULL);
    rig_peer(&rig);
    rig_ask(&rig, GET, NULL, NULL);
    rig_ask(&rig, GET, NULL, NULL);
    rig_settle(&rig);
    close(rig.fd);
    rig.fd = -1;
    rig_settle(&rig);
    assert_int_equal(rig.ended, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_not_equal(rig.streams[i].events & EPOLLHUP, 0);
    }
    assert_false(h2_run(rig.h2));
    assert_int_equal(rig.ended, 1);
    rig_free(&rig);
}

TEST(streams_outlive_their_connection_until_they_are_closed)
{
    struct rig rig;
    struct str view;
    rig_front(&rig, NULL);
    rig_peer(&rig);
    rig.paused = true;
    rig_ask(&rig, GET, NULL, NULL);
    rig_settle(&rig);
    h2_free(rig.h2);
    rig.h2 = NULL;
    rig_turn(&rig);
    struct http_scratch scratch = {rig.scratch, RIG_SCRATCH};
    assert_int_equal(http_conn_read(&rig.streams[0].conn, &scratch, &view), HTTP_READ_BROKEN);
    assert_int_equal(rig.ended, 0);
    rig_free(&rig);
}

TEST(a_drained_connection_takes_no_stream_and_ends_with_its_last)
{
    struct rig rig;
    rig_front(&rig, NULL);
    rig_peer(&rig);
    int32_t id = rig_ask(&rig, GET, NULL, NULL);
    rig_settle(&rig);
    h2_drain(rig.h2);
    rig_settle(&rig);
    assert_int_equal(rig.goaway, NGHTTP2_NO_ERROR);
    assert_int_equal(rig.ended, 0);
    rig_say(&rig.streams[0], STR("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    rig_settle(&rig);
    assert_str_eq(buf_str(&rig_heard(&rig, id)->body), STR("ok"));
    assert_int_equal(rig.ended, 1);
    rig_free(&rig);
}

/* --- to an origin
 * -------------------------------------------------------------------------------------- */

static const char *const OK[] = {":status", "200", "x", "y", NULL};

static void check_request(struct rig *rig, int32_t id, const char *fields, const char *body)
{
    assert_str_eq(buf_str(&rig_heard(rig, id)->fields), str_from(fields));
    assert_str_eq(buf_str(&rig_heard(rig, id)->body), str_from(body));
    assert_true(rig_heard(rig, id)->ended);
}

TEST(an_origin_hears_requests_and_is_heard)
{
    static const size_t steps[] = {0, 1, 9};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct rig rig;
        rig_origin(&rig, NULL);
        rig_peer(&rig);
        rig.step = steps[i];
        struct rig_stream *get = rig_open(&rig);
        struct rig_stream *post = rig_open(&rig);
        rig_say(post, STR("POST /p HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
        rig_say(get, STR("GET /g HTTP/1.1\r\nHost: a.example\r\nAccept: b\r\n\r\n"));
        rig_settle(&rig);
        rig_say(post, STR("2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"));
        rig_settle(&rig);
        check_request(&rig, 1,
                      ":method: POST\n:scheme: https\n:authority: a.example\n:path: /p\nx-t: 1\n",
                      "abcde");
        check_request(&rig, 3,
                      ":method: GET\n:scheme: https\n:authority: a.example\n:path: /g\naccept: b\n",
                      "");
        get->paused = true; /* or each DATA is a chunk of its own */
        rig_answer(&rig, 3, OK, "hello", "end");
        rig_settle(&rig);
        get->paused = false;
        get->conn.io.fn(&get->conn.io, EPOLLIN);
        rig_answer(&rig, 1, (const char *const[]){":status", "100", NULL}, NULL, NULL);
        rig_answer(&rig, 1, (const char *const[]){":status", "200", "content-length", "2", NULL},
                   "ok", NULL);
        rig_settle(&rig);
        assert_str_eq(buf_str(&get->text),
                      STR("HTTP/1.1 200 OK\r\nx: y\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5\r\nhello\r\n0\r\nx-trailer: end\r\n\r\n"));
        assert_str_eq(buf_str(&post->text), STR("HTTP/1.1 100 Continue\r\n\r\n"
                                                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
        assert_int_equal(get->last, HTTP_READ_END);
        assert_int_equal(post->last, HTTP_READ_END);
        http_conn_close(&get->conn);
        http_conn_close(&post->conn);
        rig_settle(&rig);
        assert_int_equal(h2_open_streams(rig.h2), 0);
        assert_true(h2_may_open(rig.h2));
        rig_free(&rig);
    }
}

TEST(a_stream_that_is_left_is_cancelled)
{
    struct rig rig;
    rig_origin(&rig, NULL);
    rig_peer(&rig);
    struct rig_stream *stream = rig_open(&rig);
    rig_say(stream, STR("GET /g HTTP/1.1\r\nHost: a.example\r\n\r\n"));
    rig_settle(&rig);
    http_conn_close(&stream->conn);
    struct rig_stream *silent = rig_open(&rig);
    http_conn_close(&silent->conn);
    rig_settle(&rig);
    assert_true(rig_heard(&rig, 1)->closed);
    assert_int_equal(rig_heard(&rig, 1)->code, NGHTTP2_CANCEL);
    assert_int_equal(h2_open_streams(rig.h2), 0);
    rig_free(&rig);
}

TEST(an_origin_that_answers_lies_is_broken)
{
    static const struct {
        const char *fields[7];
        const char *body;
    } cases[] = {
        {{":status", "200", "content-length", "5", NULL}, "abc"},
        {{":status", "200", "content-length", "2", NULL}, "abc"},
        {{":status", "200", "connection", "close", NULL}, NULL},
        {{":status", "200", "transfer-encoding", "chunked", NULL}, "x"},
        {{":status", "200", ":path", "/", NULL}, NULL},
        {{"x", "y", NULL}, NULL},
        {{":status", "2000", NULL}, NULL},
        {{":status", "204", NULL}, "abc"},
        {{":status", "200", "x", "a\r\nb", NULL}, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        rig_origin(&rig, NULL);
        rig_peer(&rig);
        struct rig_stream *stream = rig_open(&rig);
        rig_say(stream, STR("GET /g HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        rig_settle(&rig);
        rig_answer(&rig, 1, cases[i].fields, cases[i].body, NULL);
        rig_settle(&rig);
        if (stream->last != HTTP_READ_BROKEN) {
            fail_msg("case %zu: %.*s", i, STR_ARG(buf_str(&stream->text)));
        }
        assert_int_equal(rig.ended, 0);
        rig_free(&rig);
    }
}

TEST(what_an_origin_said_before_it_went_is_still_heard)
{
    struct rig rig;
    rig_origin(&rig, NULL);
    rig_peer(&rig);
    rig.paused = true;
    struct rig_stream *stream = rig_open(&rig);
    rig_say(stream, STR("GET /g HTTP/1.1\r\nHost: a.example\r\n\r\n"));
    rig_settle(&rig);
    rig_answer(&rig, 1, OK, "hello", NULL);
    rig_settle(&rig);
    close(rig.fd);
    rig.fd = -1;
    rig_settle(&rig);
    assert_int_equal(rig.ended, 1);
    stream->paused = false;
    stream->conn.io.fn(&stream->conn.io, EPOLLIN);
    assert_true(str_ends(buf_str(&stream->text), STR("5\r\nhello\r\n0\r\n\r\n")));
    assert_int_equal(stream->last, HTTP_READ_END);
    rig_free(&rig);
}

TEST(no_stream_is_opened_behind_a_goaway)
{
    struct rig rig;
    rig_origin(&rig, NULL);
    rig_peer(&rig);
    struct rig_stream *stream = rig_open(&rig);
    rig_say(stream, STR("GET /g HTTP/1.1\r\nHost: a.example\r\n\r\n"));
    rig_settle(&rig);
    nghttp2_submit_goaway(rig.peer, 0, 1, NGHTTP2_NO_ERROR, NULL, 0);
    rig_settle(&rig);
    assert_false(h2_may_open(rig.h2));
    struct http_conn other;
    http_conn_init(&other, 1000);
    assert_err(h2_stream_open(rig.h2, 0, &other, stream->conn.io.fn), ERR_LIMIT);
    rig_answer(&rig, 1, OK, NULL, NULL);
    rig_settle(&rig);
    assert_int_equal(stream->last, HTTP_READ_END);
    assert_int_equal(rig.ended, 1);
    rig_free(&rig);
}

/* --- WebSockets
 * ---------------------------------------------------------------------------------------- */

#define KEY "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455 section 1.3 */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

TEST(a_websocket_to_an_origin_is_an_extended_connect)
{
    struct rig rig;
    rig_origin(&rig, NULL);
    assert_false(h2_takes_websocket(rig.h2));
    rig_peer(&rig);
    assert_true(h2_takes_websocket(rig.h2));
    struct rig_stream *stream = rig_open(&rig);
    rig_say(stream, STR("GET /w HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n\r\n"));
    rig_settle(&rig);
    assert_str_eq(buf_str(&rig_heard(&rig, 1)->fields),
                  STR(":method: CONNECT\n:protocol: websocket\n:scheme: https\n"
                      ":authority: a.example\n:path: /w\n"));
    assert_false(rig_heard(&rig, 1)->ended);
    rig_answer(&rig, 1, OK, "from the origin", NULL);
    rig_say(stream, STR("to the origin"));
    rig_settle(&rig);
    assert_str_eq(buf_str(&rig_heard(&rig, 1)->body), STR("to the origin"));
    assert_str_eq(buf_str(&stream->text),
                  STR("HTTP/1.1 101 Switching Protocols\r\nx: y\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n"
                      "from the origin"));
    assert_int_equal(stream->last, HTTP_READ_END);
    http_conn_shut(&stream->conn);
    rig_settle(&rig);
    assert_true(rig_heard(&rig, 1)->ended && rig_heard(&rig, 1)->closed);
    assert_int_equal(rig_heard(&rig, 1)->code, NGHTTP2_NO_ERROR);
    rig_free(&rig);
}

/* Both ends of ours, one behind the other: the key that is made on the one side is answered on the
 * other, and the client's own check passes (HTTP/1.1 to HTTP/2 to HTTP/1.1). */
TEST(a_websocket_goes_through_both_ways)
{
    struct rig origin;
    struct rig front;
    rig_front(&front, NULL);
    rig_peer(&front);
    const char *const ask[] = {":method",
                               "CONNECT",
                               ":protocol",
                               "websocket",
                               ":scheme",
                               "https",
                               ":path",
                               "/w",
                               ":authority",
                               "a.example",
                               "sec-websocket-version",
                               "13",
                               NULL};
    int32_t id = rig_ask(&front, ask, "ping", NULL);
    rig_settle(&front);
    rig_origin(&origin, NULL);
    rig_peer(&origin);
    struct rig_stream *up = rig_open(&origin);
    rig_say(up, buf_str(&front.streams[0].text));
    rig_settle(&origin);
    assert_str_eq(buf_str(&rig_heard(&origin, 1)->body), STR("ping"));
    rig_answer(&origin, 1, OK, "pong", NULL);
    rig_settle(&origin);
    rig_say(&front.streams[0], buf_str(&up->text));
    http_conn_shut(&front.streams[0].conn);
    rig_settle(&front);
    assert_str_eq(buf_str(&rig_heard(&front, id)->fields), STR(":status: 200\nx: y\n"));
    assert_str_eq(buf_str(&rig_heard(&front, id)->body), STR("pong"));
    assert_true(rig_heard(&front, id)->ended);
    assert_int_equal(rig_heard(&front, id)->code, NGHTTP2_NO_ERROR);
    rig_free(&front);
    rig_free(&origin);
}

TEST(many_streams_at_once_are_each_their_own)
{
    enum { N = 90, SIZE = 30000 };
    struct rig rig;
    int32_t ids[N];
    rig_front(&rig, NULL);
    rig_peer(&rig);
    for (size_t i = 0; i < N; i++) {
        ids[i] = rig_ask(&rig, GET, NULL, NULL);
    }
    rig_settle(&rig);
    assert_int_equal(rig.n_streams, N);
    for (size_t i = 0; i < N; i++) {
        struct buf text;
        buf_init(&text, 2 * SIZE);
        buf_printf(&text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
        for (size_t k = 0; k < SIZE; k++) {
            buf_append_byte(&text, (char)('!' + i));
        }
        rig_say(&rig.streams[i], buf_str(&text));
        buf_fini(&text);
    }
    rig_settle(&rig);
    for (size_t i = 0; i < N; i++) {
        struct rig_answer *answer = rig_heard(&rig, ids[i]);
        assert_int_equal(answer->body.len, SIZE);
        assert_int_equal(answer->body.p[0], '!' + (int)i);
        assert_int_equal(answer->body.p[SIZE - 1], '!' + (int)i);
        assert_true(answer->ended);
    }
    rig_free(&rig);
}

TESTS_MAIN(unit(a_request_is_text_of_http1_and_its_answer_too),
           unit(bodies_and_trailers_arrive_whole_whatever_their_size),
           unit(an_answer_is_whole_or_a_reset_however_it_is_written),
           unit(an_answer_that_is_no_http_is_a_reset),
           unit(an_answer_before_the_request_was_whole_is_followed_by_no_error),
           unit(a_request_left_unread_gives_its_window_back),
           unit(a_client_that_resets_is_gone_for_the_stream),
           unit(a_stream_that_its_owner_does_not_open_is_refused),
           unit(an_end_of_the_connection_breaks_its_streams_and_is_told_once),
           unit(streams_outlive_their_connection_until_they_are_closed),
           unit(a_drained_connection_takes_no_stream_and_ends_with_its_last),
           unit(an_origin_hears_requests_and_is_heard), unit(a_stream_that_is_left_is_cancelled),
           unit(an_origin_that_answers_lies_is_broken),
           unit(what_an_origin_said_before_it_went_is_still_heard),
           unit(no_stream_is_opened_behind_a_goaway),
           unit(a_websocket_to_an_origin_is_an_extended_connect),
           unit(a_websocket_goes_through_both_ways), unit(many_streams_at_once_are_each_their_own))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages over HTTP/2, both ways, as their users see them: text of HTTP/1.1. */
#include "http/h2.h"

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

TESTS_MAIN(unit(a_request_is_text_of_http1_and_its_answer_too),
           unit(bodies_and_trailers_arrive_whole_whatever_their_size))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/body.h"

#include "lib/gen.h"
#include "lib/test.h"

static struct http_body body_of(enum http1_body kind, uint64_t length)
{
    struct http_body body;
    struct http1_head head = {.body = kind, .length = length};
    http_body_init(&body, &head);
    return body;
}

TEST(a_counted_body_ends_where_it_says)
{
    struct http_body body = body_of(HTTP1_BODY_LENGTH, 5);
    size_t used = 0;
    assert_ok(http_body_feed(&body, STR("hel"), &used, NULL));
    assert_int_equal(used, 3);
    assert_false(body.done);
    assert_err(http_body_end(&body), ERR_TRUNCATED);
    assert_ok(http_body_feed(&body, STR("loGET"), &used, NULL));
    assert_int_equal(used, 2);
    assert_true(body.done);
    assert_int_equal(body.bytes, 5);
    assert_ok(http_body_end(&body));
}

TEST(no_body_takes_no_byte)
{
    const enum http1_body kinds[] = {HTTP1_BODY_NONE, HTTP1_BODY_LENGTH};
    for (size_t i = 0; i < 2; i++) {
        struct http_body body = body_of(kinds[i], 0);
        size_t used = 9;
        assert_true(body.done);
        assert_ok(http_body_feed(&body, STR("GET"), &used, NULL));
        assert_int_equal(used, 0);
    }
}

TEST(a_body_until_the_close_ends_there_alone)
{
    struct http_body body = body_of(HTTP1_BODY_CLOSE, 0);
    size_t used = 0;
    assert_ok(http_body_feed(&body, STR("abc"), &used, NULL));
    assert_int_equal(used, 3);
    assert_false(body.done);
    assert_ok(http_body_end(&body));
    assert_true(body.done);
}

TEST(chunks_are_counted_and_can_be_taken_off)
{
    struct http_body body = body_of(HTTP1_BODY_CHUNKED, 0);
    struct buf data;
    size_t used = 0;
    buf_init(&data, 100);
    struct str bytes = STR("5\r\nhello\r\n3;x=y\r\n, w\r\n0\r\nT: 1\r\n\r\nHTTP/1.1");
    assert_ok(http_body_feed(&body, bytes, &used, &data));
    assert_int_equal(used, bytes.len - 8);
    assert_str_eq(buf_str(&data), STR("hello, w"));
    assert_int_equal(body.bytes, 8);
    assert_true(body.done);
    buf_fini(&data);
}

TEST(broken_chunks_are_an_error)
{
    static const struct str broken[] = {STR_INIT("x\r\n"), STR_INIT("5\nhello"),
                                        STR_INIT("5\r\nhelloX\r\n"), STR_INIT("-1\r\n")};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct http_body body = body_of(HTTP1_BODY_CHUNKED, 0);
        size_t used = 0;
        assert_err(http_body_feed(&body, broken[i], &used, NULL), ERR_INVALID);
    }
}

/* A chunked message, split anywhere, gives the same data and the same end. */
TEST(any_split_gives_the_same_body)
{
    static const struct str whole =
        STR_INIT("4\r\nWiki\r\n5;a=b\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\nX: y\r\n\r\nnext");
    GEN_RUNS(gen, 500)
    {
        struct http_body body = body_of(HTTP1_BODY_CHUNKED, 0);
        struct buf data;
        buf_init(&data, 1000);
        size_t at = 0;
        while (!body.done) {
            size_t used = 0;
            struct str piece = str_sub(whole, at, 1 + gen_below(&gen, 9));
            assert_ok(http_body_feed(&body, piece, &used, &data));
            assert_run(gen, used <= piece.len && (used == piece.len || body.done));
            at += used;
        }
        assert_run(gen, at == whole.len - 4);
        assert_str_eq(buf_str(&data), STR("Wikipedia in\r\n\r\nchunks."));
        buf_fini(&data);
    }
}

TESTS_MAIN(unit(a_counted_body_ends_where_it_says), unit(no_body_takes_no_byte),
           unit(a_body_until_the_close_ends_there_alone),
           unit(chunks_are_counted_and_can_be_taken_off), unit(broken_chunks_are_an_error),
           unit(any_split_gives_the_same_body))

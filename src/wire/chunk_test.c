/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chunked coding: good bodies under every split, and one table of bad ones. */
#include "lib/test.h"

#include "base/buf.h"
#include "base/limits.h"
#include "wire/chunk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Feeds bytes until done, an error or their end; appends the data. */
static enum err feed(struct chunk *chunk, struct str bytes, struct buf *data, size_t *ret_used)
{
    size_t total = 0;
    while (total < bytes.len && !chunk->done) {
        size_t used = 0;
        struct str run = {0};
        enum err err = chunk_feed(chunk, str_skip(bytes, total), &used, &run);
        if (err != ERR_OK) {
            return err;
        }
        assert_true(used > 0);
        assert_true(run.len <= used);
        total += used;
        buf_append(data, run);
    }
    *ret_used = total;
    return ERR_OK;
}

struct good {
    struct str bytes;
    struct str data;
};

static const struct good goods[] = {
    {STR_INIT("0\r\n\r\n"), STR_INIT("")},
    {STR_INIT("5\r\nhello\r\n0\r\n\r\n"), STR_INIT("hello")},
    {STR_INIT("0005\r\nhello\r\n000\r\n\r\n"), STR_INIT("hello")},
    {STR_INIT("A\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\n\r\n"),
     STR_INIT("0123456789abcdefghijk")},
    {STR_INIT("3;a=b;c=\"d;e\\\"\t\\\\\";f\r\n\r\n\n\r\n0;x\r\n\r\n"), STR_INIT("\r\n\n")},
    {STR_INIT("1\r\n\0\r\n0\r\nX-Sum: 1\r\nEmpty:\r\nContent-MD5-of-Something-Long: 2\r\n\r\n"),
     STR_INIT("\0")},
};

TEST(every_split_of_a_body_gives_the_same_data)
{
    for (size_t i = 0; i < COUNT(goods); i++) {
        struct str bytes = goods[i].bytes;
        for (size_t cut = 0; cut <= bytes.len; cut++) {
            struct chunk chunk;
            struct buf data;
            size_t first = 0;
            size_t second = 0;
            chunk_init(&chunk);
            buf_init(&data, 1000);
            assert_ok(feed(&chunk, str_sub(bytes, 0, cut), &data, &first));
            assert_int_equal(first, cut);
            assert_int_equal(chunk.done, cut == bytes.len);
            assert_ok(feed(&chunk, str_skip(bytes, cut), &data, &second));
            assert_int_equal(second, bytes.len - cut);
            assert_true(chunk.done);
            assert_str_eq(buf_str(&data), goods[i].data);
            buf_fini(&data);
        }
    }
}

TEST(a_body_may_come_byte_by_byte)
{
    for (size_t i = 0; i < COUNT(goods); i++) {
        struct chunk chunk;
        struct buf data;
        chunk_init(&chunk);
        buf_init(&data, 1000);
        for (size_t j = 0; j < goods[i].bytes.len; j++) {
            size_t used = 0;
            assert_false(chunk.done);
            assert_ok(feed(&chunk, str_sub(goods[i].bytes, j, 1), &data, &used));
            assert_int_equal(used, 1);
        }
        assert_true(chunk.done);
        assert_str_eq(buf_str(&data), goods[i].data);
        buf_fini(&data);
    }
}

TEST(the_bytes_behind_a_body_are_left)
{
    struct chunk chunk;
    struct buf data;
    size_t used = 0;
    struct str run = {0};
    chunk_init(&chunk);
    buf_init(&data, 1000);
    assert_ok(feed(&chunk, STR("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), &data, &used));
    assert_int_equal(used, 11);
    assert_ok(chunk_feed(&chunk, STR("more"), &used, &run));
    assert_int_equal(used, 0);
    assert_int_equal(run.len, 0);
    buf_fini(&data);
}

TEST(a_broken_body_is_refused_and_stays_refused)
{
    static const struct str cases[] = {
        STR_INIT("\r\n"),
        STR_INIT("g\r\n"),
        STR_INIT("-1\r\n"),
        STR_INIT("+1\r\n"),
        STR_INIT("0x1\r\n"),
        STR_INIT(" 1\r\n"),
        STR_INIT("1 \r\n"),
        STR_INIT("1\t;a\r\n"),
        STR_INIT("1\n"),
        STR_INIT("1\ra"),
        STR_INIT("1\r\r\n"),
        STR_INIT("1;\r\n"),
        STR_INIT("1;;a\r\n"),
        STR_INIT("1; a\r\n"),
        STR_INIT("1;a \r\n"),
        STR_INIT("1;=b\r\n"),
        STR_INIT("1;a=\r\n"),
        STR_INIT("1;a==b\r\n"),
        STR_INIT("1;a=b=c\r\n"),
        STR_INIT("1;a=\"b\r\n"),
        STR_INIT("1;a=\"b\"c\r\n"),
        STR_INIT("1;a=\"b\\\r\n"),
        STR_INIT("1;a\nb"),
        STR_INIT("1;a\rb"),
        STR_INIT("1;\0\r\n"),
        STR_INIT("1;\x7f\r\n"),
        STR_INIT("1,1\r\n"),
        STR_INIT("\n"),
        STR_INIT("1\r\nab"),
        STR_INIT("1\r\na\n"),
        STR_INIT("1\r\na\r0"),
        STR_INIT("1\r\na\r\r"),
        STR_INIT("1\r\na\r\n\r\n"),
        STR_INIT("0\r\n\n"),
        STR_INIT("0\r\n\ra"),
        STR_INIT("0\r\n\r\r"),
        STR_INIT("0\r\n a: b\r\n"),
        STR_INIT("0\r\n\ta: b\r\n"),
        STR_INIT("0\r\na : b\r\n"),
        STR_INIT("0\r\na\r\n"),
        STR_INIT("0\r\n: b\r\n"),
        STR_INIT("0\r\na: b\n"),
        STR_INIT("0\r\na: b\rc"),
        STR_INIT("0\r\na: b\0"),
        STR_INIT("0\r\na: b\r\n c\r\n"),
        STR_INIT("0\r\nContent-Length: 5\r\n"),
        STR_INIT("0\r\na: b\r\ntransfer-encoding: chunked\r\n"),
        STR_INIT("0\r\nHOST: a\r\n"),
        STR_INIT("0\r\nProxy-Authorization: a\r\n"),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct chunk chunk;
        struct buf data;
        struct str run = {0};
        size_t used = 0;
        chunk_init(&chunk);
        buf_init(&data, 1000);
        enum err err = feed(&chunk, cases[i], &data, &used);
        if (err != ERR_INVALID) {
            fail_msg("%.*s: ERR_%s", STR_ARG(cases[i]), err_name(err));
        }
        assert_false(chunk.done);
        assert_err(chunk_feed(&chunk, STR("0\r\n\r\n"), &used, &run), ERR_INVALID);
        buf_fini(&data);
    }
}

TEST(a_size_has_at_most_sixteen_digits_and_63_bits)
{
    static const struct {
        struct str bytes;
        enum err err;
    } cases[] = {
        {STR_INIT("7fffffffffffffff\r\n"), ERR_OK},
        {STR_INIT("0000000000000001\r\n"), ERR_OK},
        {STR_INIT("8000000000000000\r\n"), ERR_LIMIT},
        {STR_INIT("ffffffffffffffff\r\n"), ERR_LIMIT},
        {STR_INIT("00000000000000001\r\n"), ERR_LIMIT},
        {STR_INIT("10000000000000000\r\n"), ERR_LIMIT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct chunk chunk;
        struct buf data;
        size_t used = 0;
        chunk_init(&chunk);
        buf_init(&data, 10);
        assert_err(feed(&chunk, cases[i].bytes, &data, &used), cases[i].err);
        buf_fini(&data);
    }
}

/* before, n times 'a', behind. */
static enum err feed_long(const char *before, size_t n, const char *behind)
{
    struct chunk chunk;
    struct buf bytes;
    struct buf data;
    size_t used = 0;
    chunk_init(&chunk);
    buf_init(&bytes, 100000);
    buf_init(&data, 100000);
    buf_append(&bytes, str_from(before));
    for (size_t i = 0; i < n; i++) {
        buf_append_byte(&bytes, 'a');
    }
    buf_append(&bytes, str_from(behind));
    enum err err = feed(&chunk, buf_str(&bytes), &data, &used);
    assert_int_equal(chunk.done, err == ERR_OK);
    buf_fini(&data);
    buf_fini(&bytes);
    return err;
}

TEST(size_lines_and_trailers_have_limits)
{
    /* "0;" and the CR count. */
    assert_ok(feed_long("0;", LIMIT_CHUNK_LINE_LEN - 3, "\r\n\r\n"));
    assert_err(feed_long("0;", LIMIT_CHUNK_LINE_LEN - 2, "\r\n\r\n"), ERR_LIMIT);
    /* "b:", two CRLF. */
    assert_ok(feed_long("0\r\nb:", LIMIT_HTTP_TRAILER_LEN - 6, "\r\n\r\n"));
    assert_err(feed_long("0\r\nb:", LIMIT_HTTP_TRAILER_LEN - 5, "\r\n\r\n"), ERR_LIMIT);
    assert_err(feed_long("0\r\n", LIMIT_HTTP_TRAILER_LEN + 1, ""), ERR_LIMIT);
}

TEST(the_name_of_a_trailer_fits_where_it_is_kept)
{
    static const size_t lens[] = {
#define HTTP1_NAME(id, text, first, hop) sizeof(text) - 1,
#include "wire/http1_name.def"
#undef HTTP1_NAME
    };
    for (size_t i = 0; i < COUNT(lens); i++) {
        assert_true(lens[i] < CHUNK_NAME_MAX);
    }
}

TEST(trailers_are_taken_by_calls_of_their_own)
{
    struct str text = STR("2\r\nab\r\n0;x\r\nA: b\r\n\r\nrest");
    struct str wanted[] = {STR("2\r\nab"), STR("\r\n0;x\r\n"), STR("A: b\r\n\r\n")};
    struct chunk chunk;
    chunk_init(&chunk);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct str data;
        size_t used = 0;
        assert_false(chunk.done);
        assert_int_equal(chunk.last, i == 2);
        assert_ok(chunk_feed(&chunk, text, &used, &data));
        assert_str_eq(str_sub(text, 0, used), wanted[i]);
        text = str_skip(text, used);
    }
    assert_true(chunk.done);
}

TESTS_MAIN(unit(every_split_of_a_body_gives_the_same_data), unit(a_body_may_come_byte_by_byte),
           unit(the_bytes_behind_a_body_are_left), unit(a_broken_body_is_refused_and_stays_refused),
           unit(a_size_has_at_most_sixteen_digits_and_63_bits),
           unit(size_lines_and_trailers_have_limits),
           unit(the_name_of_a_trailer_fits_where_it_is_kept),
           unit(trailers_are_taken_by_calls_of_their_own))

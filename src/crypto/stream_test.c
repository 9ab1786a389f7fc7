/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/stream.h"

#include "base/buf.h"
#include "lib/test.h"

enum { HEAD_BYTES = 80 + 24 };

struct pair {
    uint8_t public[STREAM_KEY_BYTES];
    uint8_t secret[STREAM_KEY_BYTES];
};

static enum err put(void *to, struct str bytes)
{
    buf_append(to, bytes);
    return buf_err(to);
}

/* Gives seven bytes at most at a time, so that every seam is met. */
static enum err get(void *from, void *bytes, size_t n, size_t *ret_n)
{
    struct str *rest = from;
    n = n < 7 ? n : 7;
    n = n < rest->len ? n : rest->len;
    memcpy(bytes, rest->p, n);
    *rest = str_skip(*rest, n);
    *ret_n = n;
    return ERR_OK;
}

/* n bytes that follow a rule, sealed to the pair. */
static void write_stream(const struct pair *pair, size_t n, struct buf *sealed)
{
    struct stream_writer *writer;
    buf_init(sealed, 1 << 20);
    assert_ok(stream_writer_new(pair->public, put, sealed, &writer));
    for (size_t i = 0; i < n;) {
        char bytes[1000];
        size_t part = n - i < sizeof(bytes) ? n - i : sizeof(bytes);
        for (size_t j = 0; j < part; j++) {
            bytes[j] = (char)((i + j) * 31);
        }
        assert_ok(stream_write(writer, str_make(bytes, part)));
        i += part;
    }
    assert_ok(stream_end(writer));
    stream_writer_free(writer);
}

static enum err read_stream(const uint8_t secret[STREAM_KEY_BYTES], struct str sealed, size_t n)
{
    struct stream_reader *reader;
    enum err err = ERR_OK;
    ERR_TRY(stream_reader_new(secret, get, &sealed, &reader));
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        char byte = 0;
        err = stream_read(reader, &byte, 1);
        assert_true(err != ERR_OK || byte == (char)(i * 31));
    }
    if (err == ERR_OK) {
        err = stream_read_end(reader);
    }
    stream_reader_free(reader);
    return err;
}

TEST(what_is_written_is_read_with_the_secret_half)
{
    static const size_t sizes[] = {0,
                                   1,
                                   STREAM_PIECE_BYTES - 1,
                                   STREAM_PIECE_BYTES,
                                   STREAM_PIECE_BYTES + 1,
                                   3 * STREAM_PIECE_BYTES};
    struct pair pair;
    stream_key_make(pair.public, pair.secret);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf sealed;
        write_stream(&pair, sizes[i], &sealed);
        assert_ok(read_stream(pair.secret, buf_str(&sealed), sizes[i]));
        assert_err(read_stream(pair.secret, buf_str(&sealed), sizes[i] + 1), ERR_TRUNCATED);
        buf_fini(&sealed);
    }
}

TEST(another_key_opens_nothing_nor_does_the_public_half)
{
    struct pair pair;
    struct pair other;
    struct buf sealed;
    stream_key_make(pair.public, pair.secret);
    stream_key_make(other.public, other.secret);
    write_stream(&pair, 100, &sealed);
    assert_err(read_stream(other.secret, buf_str(&sealed), 100), ERR_DENIED);
    assert_err(read_stream(pair.public, buf_str(&sealed), 100), ERR_DENIED);
    buf_fini(&sealed);
}

TEST(a_stream_that_is_cut_anywhere_is_noticed)
{
    struct pair pair;
    struct buf sealed;
    stream_key_make(pair.public, pair.secret);
    write_stream(&pair, 200, &sealed);
    for (size_t n = 0; n < sealed.len; n++) {
        assert_err(read_stream(pair.secret, str_sub(buf_str(&sealed), 0, n), 200), ERR_TRUNCATED);
    }
    buf_append_byte(&sealed, 'x');
    assert_err(read_stream(pair.secret, buf_str(&sealed), 200), ERR_INVALID);
    buf_fini(&sealed);
}

TEST(a_stream_cut_between_two_pieces_is_noticed)
{
    struct pair pair;
    struct buf sealed;
    size_t piece = 4 + STREAM_PIECE_BYTES + 17;
    stream_key_make(pair.public, pair.secret);
    write_stream(&pair, 2 * STREAM_PIECE_BYTES + 5, &sealed);
    struct str cut = str_sub(buf_str(&sealed), 0, HEAD_BYTES + piece);
    assert_err(read_stream(pair.secret, cut, STREAM_PIECE_BYTES), ERR_TRUNCATED);
    /* The second piece in the place of the first. */
    memmove(sealed.p + HEAD_BYTES, sealed.p + HEAD_BYTES + piece, piece);
    assert_err(read_stream(pair.secret, buf_str(&sealed), 1), ERR_INVALID);
    buf_fini(&sealed);
}

TEST(a_byte_that_differs_anywhere_is_noticed)
{
    struct pair pair;
    struct buf sealed;
    stream_key_make(pair.public, pair.secret);
    write_stream(&pair, 100, &sealed);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.p[i] = (char)(sealed.p[i] ^ 0x40);
        assert_true(read_stream(pair.secret, buf_str(&sealed), 100) != ERR_OK);
        sealed.p[i] = (char)(sealed.p[i] ^ 0x40);
    }
    buf_fini(&sealed);
}

TEST(the_public_half_follows_from_the_secret_one)
{
    struct pair pair;
    uint8_t public[STREAM_KEY_BYTES];
    stream_key_make(pair.public, pair.secret);
    stream_key_public(pair.secret, public);
    assert_memory_equal(public, pair.public, sizeof(public));
}

TESTS_MAIN(unit(what_is_written_is_read_with_the_secret_half),
           unit(another_key_opens_nothing_nor_does_the_public_half),
           unit(a_stream_that_is_cut_anywhere_is_noticed),
           unit(a_stream_cut_between_two_pieces_is_noticed),
           unit(a_byte_that_differs_anywhere_is_noticed),
           unit(the_public_half_follows_from_the_secret_one))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealed streams, by libsodium. */
#include "crypto/stream.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/check.h"
#include "crypto/secret.h"

enum {
    SEALED_KEY_BYTES = crypto_secretstream_xchacha20poly1305_KEYBYTES + crypto_box_SEALBYTES,
    HEADER_BYTES = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    MORE_BYTES = crypto_secretstream_xchacha20poly1305_ABYTES,
    LENGTH_BYTES = 4,
};

_Static_assert(STREAM_KEY_BYTES == crypto_box_PUBLICKEYBYTES, "the public key's length");
_Static_assert(STREAM_KEY_BYTES == crypto_box_SECRETKEYBYTES, "the secret key's length");

void stream_key_make(uint8_t ret_public[STREAM_KEY_BYTES], uint8_t ret_secret[STREAM_KEY_BYTES])
{
    CHECK(crypto_box_keypair(ret_public, ret_secret) == 0);
}

void stream_key_public(const uint8_t secret[STREAM_KEY_BYTES], uint8_t ret_public[STREAM_KEY_BYTES])
{
    CHECK(crypto_scalarmult_base(ret_public, secret) == 0);
}

static struct str bytes_of(const unsigned char *p, size_t n)
{
    return str_make((const char *)p, n);
}

/* ---- writing ---- */

struct stream_writer {
    crypto_secretstream_xchacha20poly1305_state state;
    enum err (*put)(void *to, struct str bytes);
    void *to;
    size_t len; /* of plain */
    unsigned char plain[STREAM_PIECE_BYTES];
    unsigned char sealed[LENGTH_BYTES + STREAM_PIECE_BYTES + MORE_BYTES];
};

static enum err write_head(struct stream_writer *writer, const uint8_t public[STREAM_KEY_BYTES])
{
    unsigned char key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    unsigned char head[SEALED_KEY_BYTES + HEADER_BYTES];
    crypto_secretstream_xchacha20poly1305_keygen(key);
    /* A public key of low order, which no pair has, is what fails here. */
    enum err err = crypto_box_seal(head, key, sizeof(key), public) == 0 ? ERR_OK : ERR_INVALID;
    CHECK(crypto_secretstream_xchacha20poly1305_init_push(&writer->state, head + SEALED_KEY_BYTES,
                                                          key) == 0);
    secret_wipe(key, sizeof(key));
    return err == ERR_OK ? writer->put(writer->to, bytes_of(head, sizeof(head))) : err;
}

enum err stream_writer_new(const uint8_t public[STREAM_KEY_BYTES],
                           enum err (*put)(void *to, struct str bytes), void *to,
                           struct stream_writer **ret_writer)
{
    struct stream_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return ERR_MEMORY;
    }
    writer->put = put;
    writer->to = to;
    enum err err = write_head(writer, public);
    if (err != ERR_OK) {
        stream_writer_free(writer);
        return err;
    }
    *ret_writer = writer;
    return ERR_OK;
}

static enum err write_piece(struct stream_writer *writer, unsigned char tag)
{
    size_t n = writer->len + MORE_BYTES;
    for (size_t i = 0; i < LENGTH_BYTES; i++) {
        writer->sealed[i] = (unsigned char)(n >> (8 * i));
    }
    CHECK(crypto_secretstream_xchacha20poly1305_push(&writer->state, writer->sealed + LENGTH_BYTES,
                                                     NULL, writer->plain, writer->len, NULL, 0,
                                                     tag) == 0);
    writer->len = 0;
    return writer->put(writer->to, bytes_of(writer->sealed, LENGTH_BYTES + n));
}

enum err stream_write(struct stream_writer *writer, struct str bytes)
{
    while (bytes.len != 0) {
        size_t n = sizeof(writer->plain) - writer->len;
        n = n < bytes.len ? n : bytes.len;
        memcpy(writer->plain + writer->len, bytes.p, n);
        writer->len += n;
        bytes = str_skip(bytes, n);
        if (writer->len == sizeof(writer->plain)) {
            ERR_TRY(write_piece(writer, 0));
        }
    }
    return ERR_OK;
}

enum err stream_end(struct stream_writer *writer)
{
    return write_piece(writer, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

void stream_writer_free(struct stream_writer *writer)
{
    if (writer != NULL) {
        secret_wipe(writer, sizeof(*writer));
        free(writer);
    }
}

/* ---- reading ---- */

struct stream_reader {
    crypto_secretstream_xchacha20poly1305_state state;
    enum err (*get)(void *from, void *bytes, size_t n, size_t *ret_n);
    void *from;
    size_t at, len; /* in plain */
    bool ended;     /* the last piece was read */
    unsigned char plain[STREAM_PIECE_BYTES];
    unsigned char sealed[STREAM_PIECE_BYTES + MORE_BYTES];
};

static enum err get_all(struct stream_reader *reader, unsigned char *to, size_t n)
{
    while (n != 0) {
        size_t got = 0;
        ERR_TRY(reader->get(reader->from, to, n, &got));
        if (got == 0) {
            return ERR_TRUNCATED;
        }
        CHECK(got <= n);
        to += got;
        n -= got;
    }
    return ERR_OK;
}

static enum err read_head(struct stream_reader *reader, const uint8_t secret[STREAM_KEY_BYTES])
{
    unsigned char public[STREAM_KEY_BYTES];
    unsigned char key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    unsigned char head[SEALED_KEY_BYTES + HEADER_BYTES];
    ERR_TRY(get_all(reader, head, sizeof(head)));
    stream_key_public(secret, public);
    bool opened = crypto_box_seal_open(key, head, SEALED_KEY_BYTES, public, secret) == 0 &&
                  crypto_secretstream_xchacha20poly1305_init_pull(
                      &reader->state, head + SEALED_KEY_BYTES, key) == 0;
    secret_wipe(key, sizeof(key));
    return opened ? ERR_OK : ERR_DENIED;
}

enum err stream_reader_new(const uint8_t secret[STREAM_KEY_BYTES],
                           enum err (*get)(void *from, void *bytes, size_t n, size_t *ret_n),
                           void *from, struct stream_reader **ret_reader)
{
    struct stream_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return ERR_MEMORY;
    }
    reader->get = get;
    reader->from = from;
    enum err err = read_head(reader, secret);
    if (err != ERR_OK) {
        stream_reader_free(reader);
        return err;
    }
    *ret_reader = reader;
    return ERR_OK;
}

static enum err read_piece(struct stream_reader *reader)
{
    unsigned char length[LENGTH_BYTES];
    unsigned char tag = 0;
    unsigned long long len = 0;
    size_t n = 0;
    if (reader->ended) {
        return ERR_TRUNCATED;
    }
    ERR_TRY(get_all(reader, length, sizeof(length)));
    for (size_t i = LENGTH_BYTES; i-- > 0;) {
        n = n << 8 | length[i];
    }
    if (n < MORE_BYTES || n > sizeof(reader->sealed)) {
        return ERR_INVALID;
    }
    ERR_TRY(get_all(reader, reader->sealed, n));
    if (crypto_secretstream_xchacha20poly1305_pull(&reader->state, reader->plain, &len, &tag,
                                                   reader->sealed, n, NULL, 0) != 0) {
        return ERR_INVALID;
    }
    reader->at = 0;
    reader->len = (size_t)len;
    reader->ended = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return ERR_OK;
}

enum err stream_read(struct stream_reader *reader, void *ret_bytes, size_t n)
{
    unsigned char *to = ret_bytes;
    while (n != 0) {
        if (reader->at == reader->len) {
            ERR_TRY(read_piece(reader));
            continue;
        }
        size_t part = reader->len - reader->at;
        part = part < n ? part : n;
        memcpy(to, reader->plain + reader->at, part);
        reader->at += part;
        to += part;
        n -= part;
    }
    return ERR_OK;
}

enum err stream_read_end(struct stream_reader *reader)
{
    unsigned char more;
    size_t n = 0;
    while (!reader->ended) {
        if (reader->at != reader->len) {
            return ERR_INVALID;
        }
        ERR_TRY(read_piece(reader));
    }
    ERR_TRY(reader->get(reader->from, &more, 1, &n));
    return n == 0 && reader->at == reader->len ? ERR_OK : ERR_INVALID;
}

void stream_reader_free(struct stream_reader *reader)
{
    if (reader != NULL) {
        secret_wipe(reader, sizeof(*reader));
        free(reader);
    }
}

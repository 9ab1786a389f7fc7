/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Long texts sealed to a public key, in pieces: who writes cannot read them again. A key of its own
 * for each stream, sealed to the public key (libsodium's crypto_box_seal), and pieces of
 * STREAM_PIECE_BYTES at most under that key (crypto_secretstream, XChaCha20-Poly1305), the last of
 * which says that it is the last: a piece that is missing, moved, changed or cut off is noticed.
 *
 * On the disk: the sealed key (80 bytes), the stream's header (24), then for each piece its length
 * (4 bytes, the lowest first) and what it became.
 */
#ifndef LODGE_CRYPTO_STREAM_H
#define LODGE_CRYPTO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { STREAM_KEY_BYTES = 32, STREAM_PIECE_BYTES = 64 * 1024 };

/* A pair; the secret half is the caller's to wipe. */
void stream_key_make(uint8_t ret_public[STREAM_KEY_BYTES], uint8_t ret_secret[STREAM_KEY_BYTES]);
/* The public half of a secret one. */
void stream_key_public(const uint8_t secret[STREAM_KEY_BYTES],
                       uint8_t ret_public[STREAM_KEY_BYTES]);

struct stream_writer;

/* put takes sealed bytes, all of them or an error, which the functions below then answer. */
MUST_USE enum err stream_writer_new(const uint8_t public[STREAM_KEY_BYTES],
                                    enum err (*put)(void *to, struct str bytes), void *to,
                                    struct stream_writer **ret_writer);
MUST_USE enum err stream_write(struct stream_writer *writer, struct str bytes);
/* The last piece; without it the stream reads as cut off. */
MUST_USE enum err stream_end(struct stream_writer *writer);
void stream_writer_free(struct stream_writer *writer); /* fine on NULL */

struct stream_reader;

/* get fills n bytes at most, at least one, or 0 at the end of what there is. ERR_DENIED: the stream
 * was sealed to another key, or its head is damaged. */
MUST_USE enum err stream_reader_new(const uint8_t secret[STREAM_KEY_BYTES],
                                    enum err (*get)(void *from, void *bytes, size_t n,
                                                    size_t *ret_n),
                                    void *from, struct stream_reader **ret_reader);
/* Exactly n bytes. ERR_TRUNCATED: cut off, or it ends before; ERR_INVALID: a byte differs. */
MUST_USE enum err stream_read(struct stream_reader *reader, void *ret_bytes, size_t n);
/* Nothing is left, and nothing stands behind the last piece. ERR_INVALID, ERR_TRUNCATED. */
MUST_USE enum err stream_read_end(struct stream_reader *reader);
void stream_reader_free(struct stream_reader *reader); /* fine on NULL */

#endif

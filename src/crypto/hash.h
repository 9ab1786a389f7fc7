/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hashes that an attacker may try to break: SHA-256 for what is exchanged (sealed lists, chains)
 * and a keyed hash for what stays inside. For tables and checksums see crypto/fasthash.h. */
#ifndef LODGE_CRYPTO_HASH_H
#define LODGE_CRYPTO_HASH_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    SHA1_BYTES = 20,
    SHA256_BYTES = 32,
    SHA256_TEXT_MAX = 2 * SHA256_BYTES + 1,
    HASH_KEY_BYTES = 32,
    BLAKE2B_BYTES = 32,
};

/* SHA-1 (FIPS 180-4) of bytes: where a protocol names it and nothing rests on it (RFC 6455 section
 * 4.2.2), nowhere else. */
void sha1(struct str bytes, uint8_t ret_hash[SHA1_BYTES]);

/* SHA-256 (FIPS 180-4) of bytes. */
void sha256(struct str bytes, uint8_t ret_hash[SHA256_BYTES]);

/* SHA-256 in pieces. A copy of the struct is a second, independent state, so that all prefixes of a
 * text are hashed in one pass. */
struct sha256 {
    uint64_t opaque[14];
};
void sha256_init(struct sha256 *state);
void sha256_update(struct sha256 *state, struct str bytes);
/* Leaves the state unusable until sha256_init. */
void sha256_final(struct sha256 *state, uint8_t ret_hash[SHA256_BYTES]);

/* 64 lower-case hexadecimal digits and a NUL. */
void sha256_print(const uint8_t hash[SHA256_BYTES], char to[SHA256_TEXT_MAX]);

/* 64 hexadecimal digits in either case, nothing else. ERR_INVALID. */
MUST_USE enum err sha256_parse(struct str text, uint8_t ret_hash[SHA256_BYTES]);

/* BLAKE2b (RFC 7693) of 32 bytes, without a key. */
void blake2b(struct str bytes, uint8_t ret_hash[BLAKE2B_BYTES]);

/* BLAKE2b (RFC 7693) under a secret key, cut to n bytes, 16 <= n <= 64: what nobody without the key
 * can compute, compare or invert (remembered credentials and the like). */
void hash_keyed(const uint8_t key[HASH_KEY_BYTES], struct str bytes, uint8_t *ret_hash, size_t n);

#endif

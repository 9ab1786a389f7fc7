/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 by libcrypto, BLAKE2b by libsodium. */

/* OpenSSL 3's EVP calls cost 2.5 times as much as these for a name's few bytes (142 ns against 56),
 * and a decision hashes every suffix of its host where a sealed list is hashed. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "crypto/hash.h"

#include <openssl/sha.h>
#include <sodium.h>

#include "base/check.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "libcrypto's state fits into ours");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256), "and is aligned as ours");

static SHA256_CTX *context(struct sha256 *state)
{
    return (SHA256_CTX *)state->opaque;
}

void sha256_init(struct sha256 *state)
{
    CHECK(SHA256_Init(context(state)) == 1);
}

void sha256_update(struct sha256 *state, struct str bytes)
{
    CHECK(SHA256_Update(context(state), bytes.p, bytes.len) == 1);
}

void sha256_final(struct sha256 *state, uint8_t ret_hash[SHA256_BYTES])
{
    CHECK(SHA256_Final(ret_hash, context(state)) == 1);
}

void sha1(struct str bytes, uint8_t ret_hash[SHA1_BYTES])
{
    CHECK(SHA1((const unsigned char *)bytes.p, bytes.len, ret_hash) == ret_hash);
}

void sha256(struct str bytes, uint8_t ret_hash[SHA256_BYTES])
{
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, bytes);
    sha256_final(&state, ret_hash);
}

void sha256_print(const uint8_t hash[SHA256_BYTES], char to[SHA256_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        to[2 * i] = digits[hash[i] >> 4];
        to[2 * i + 1] = digits[hash[i] & 15];
    }
    to[2 * SHA256_BYTES] = '\0';
}

enum err sha256_parse(struct str text, uint8_t ret_hash[SHA256_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    if (text.len != sizeof(hash) * 2) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < sizeof(hash); i++) {
        int high = ascii_hex(text.p[2 * i]);
        int low = ascii_hex(text.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return ERR_INVALID;
        }
        hash[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret_hash, hash, sizeof(hash));
    return ERR_OK;
}

void blake2b(struct str bytes, uint8_t ret_hash[BLAKE2B_BYTES])
{
    CHECK(crypto_generichash(ret_hash, BLAKE2B_BYTES, (const unsigned char *)bytes.p, bytes.len,
                             NULL, 0) == 0);
}

void hash_keyed(const uint8_t key[HASH_KEY_BYTES], struct str bytes, uint8_t *ret_hash, size_t n)
{
    CHECK(n >= crypto_generichash_BYTES_MIN && n <= crypto_generichash_BYTES_MAX);
    CHECK(crypto_generichash(ret_hash, n, (const unsigned char *)bytes.p, bytes.len, key,
                             HASH_KEY_BYTES) == 0);
}

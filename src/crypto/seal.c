/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing, by libsodium. */
#include "crypto/seal.h"

#include <sodium.h>

#include "base/check.h"
#include "crypto/random.h"

enum {
    VERSION = 1,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

_Static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key's length");
_Static_assert(SEAL_EXTRA_BYTES == 1 + NONCE_BYTES + TAG_BYTES, "what sealing adds");

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)(s.p != NULL ? s.p : "");
}

void seal(const uint8_t key[SEAL_KEY_BYTES], struct str context, struct str plain, struct buf *to)
{
    char *place = buf_reserve(to, plain.len + SEAL_EXTRA_BYTES);
    if (place == NULL) {
        return;
    }
    unsigned char *nonce = (unsigned char *)place + 1;
    place[0] = VERSION;
    random_bytes(nonce, NONCE_BYTES);
    CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES, NULL, bytes_of(plain),
                                                     plain.len, bytes_of(context), context.len,
                                                     NULL, nonce, key) == 0);
    buf_commit(to, plain.len + SEAL_EXTRA_BYTES);
}

enum err seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str context, struct str sealed,
                   struct buf *to)
{
    if (sealed.len < SEAL_EXTRA_BYTES || sealed.p[0] != VERSION) {
        return ERR_INVALID;
    }
    size_t n = sealed.len - SEAL_EXTRA_BYTES;
    unsigned char *place = (unsigned char *)buf_reserve(to, n != 0 ? n : 1);
    if (place == NULL) {
        return buf_err(to);
    }
    const unsigned char *nonce = bytes_of(sealed) + 1;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(place, NULL, NULL, nonce + NONCE_BYTES,
                                                   n + TAG_BYTES, bytes_of(context), context.len,
                                                   nonce, key) != 0) {
        return ERR_INVALID;
    }
    buf_commit(to, n);
    return ERR_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing under a secret key: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce,
 * which is long enough never to come twice. */
#ifndef LODGE_CRYPTO_SEAL_H
#define LODGE_CRYPTO_SEAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    SEAL_KEY_BYTES = 32,
    SEAL_EXTRA_BYTES = 1 + 24 + 16, /* sealed text is longer by this: version, nonce, tag */
};

/* Appends plain, sealed, to *to. context is authenticated and not kept: opening takes the same.
 * Look at buf_err. */
void seal(const uint8_t key[SEAL_KEY_BYTES], struct str context, struct str plain, struct buf *to);

/* Appends what was sealed to *to. ERR_INVALID for another key or context, or a byte that differs;
 * else buf_err's. Nothing is appended then. */
MUST_USE enum err seal_open(const uint8_t key[SEAL_KEY_BYTES], struct str context,
                            struct str sealed, struct buf *to);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures of others' keys, given by their numbers: for passkeys. False for everything that is
 * not a good signature of exactly these bytes, broken keys included. */
#ifndef LODGE_CRYPTO_SIGNATURE_H
#define LODGE_CRYPTO_SIGNATURE_H

#include <stdbool.h>

#include "base/str.h"

/* ECDSA with P-256 and SHA-256; x and y of 32 bytes, the signature in DER. */
bool signature_is_es256(struct str x, struct str y, struct str message, struct str signature);
/* RSASSA-PKCS1-v1_5 with SHA-256; n of 2048 to 4096 bits, both big-endian. */
bool signature_is_rs256(struct str n, struct str e, struct str message, struct str signature);
/* Ed25519 (RFC 8032); x of 32 bytes. */
bool signature_is_ed25519(struct str x, struct str message, struct str signature);

#endif

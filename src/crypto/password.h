/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passwords, kept as argon2id (RFC 9106) in the usual text form "$argon2id$v=19$m=...".
 *
 * Both calls take tens of milliseconds and about 19 MiB; only the auth process and tools make them.
 * The password stays the caller's, who wipes it (crypto/secret.h). */
#ifndef LODGE_CRYPTO_PASSWORD_H
#define LODGE_CRYPTO_PASSWORD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

enum { PASSWORD_TEXT_MAX = 128 };

/* A salted hash with a NUL behind it. ERR_LIMIT for a password over LIMIT_PASSWORD_LEN bytes,
 * ERR_INVALID for an empty one, ERR_MEMORY. */
MUST_USE enum err password_hash(struct str password, char ret_text[PASSWORD_TEXT_MAX]);

/* True where the password is the one that was hashed to text; false for everything else, also for a
 * text that is no hash of this kind, for one that would cost more than 64 MiB or 16 passes, and for
 * lack of memory. */
bool password_verify(struct str password, struct str text);

#endif

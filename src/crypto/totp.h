/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time-based one-time passwords (RFC 6238) as every authenticator application makes them:
 * HMAC-SHA-1, 30 seconds, 6 digits. A code is good in its own step and in the one before and behind
 * it (section 5.2), and counts once: whoever keeps the account keeps the last step that counted. */
#ifndef LODGE_CRYPTO_TOTP_H
#define LODGE_CRYPTO_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum {
    TOTP_SECRET_BYTES = 20, /* RFC 4226 section 4, R6 */
    TOTP_SECRET_CHARS = 32, /* in base 32 */
    TOTP_DIGITS = 6,
    TOTP_STEP_MS = 30000,
    TOTP_WINDOW = 1, /* steps before and behind now */
};

/* RFC 4226 section 5.3 for a secret of any length and a counter: 6 decimal digits. */
void hotp_print(struct str secret, uint64_t counter, char ret_code[TOTP_DIGITS + 1]);

/* Whether code (six digits; spaces between them are fine) is good at this time and later than the
 * step that counted last; *ret_step is then the step that counts now. Every step of the window is
 * computed, whichever it is. */
bool totp_verify(struct str secret, struct str code, int64_t now_ms, int64_t last_step,
                 int64_t *ret_step);

/* The secret in base 32 (RFC 4648 section 6), for typing in. */
void totp_print_secret(const uint8_t secret[TOTP_SECRET_BYTES],
                       char ret_text[TOTP_SECRET_CHARS + 1]);

/* What a QR code holds: otpauth://totp/ISSUER:LABEL?secret=...&issuer=ISSUER. Appends; texts are
 * escaped. */
void totp_print_uri(const uint8_t secret[TOTP_SECRET_BYTES], struct str issuer, struct str label,
                    struct buf *to);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 4226 and RFC 6238 by libcrypto's HMAC. */
#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

void hotp_print(struct str secret, uint64_t counter, char ret_code[TOTP_DIGITS + 1])
{
    uint8_t bytes[8];
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(counter >> (56 - 8 * i));
    }
    CHECK(HMAC(EVP_sha1(), secret.p, (int)secret.len, bytes, sizeof(bytes), mac, &len) != NULL);
    CHECK(len == SHA1_BYTES);
    size_t at = mac[len - 1] & 15;
    uint32_t number = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
                      (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    for (size_t i = TOTP_DIGITS; i-- > 0;) {
        ret_code[i] = (char)('0' + number % 10);
        number /= 10;
    }
    ret_code[TOTP_DIGITS] = '\0';
    secret_wipe(mac, sizeof(mac));
}

/* Six digits, without the spaces that people type. */
static bool digits_of(struct str code, char ret_digits[TOTP_DIGITS])
{
    size_t n = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (code.p[i] == ' ') {
            continue;
        }
        if (!ascii_is_digit(code.p[i]) || n == TOTP_DIGITS) {
            return false;
        }
        ret_digits[n++] = code.p[i];
    }
    return n == TOTP_DIGITS;
}

bool totp_verify(struct str secret, struct str code, int64_t now_ms, int64_t last_step,
                 int64_t *ret_step)
{
    char digits[TOTP_DIGITS] = {0};
    bool good = digits_of(code, digits);
    bool right = false;
    int64_t step = now_ms / TOTP_STEP_MS;
    for (int64_t i = step - TOTP_WINDOW; i <= step + TOTP_WINDOW; i++) {
        char want[TOTP_DIGITS + 1];
        hotp_print(secret, (uint64_t)(i > 0 ? i : 0), want);
        bool same = secret_eq(str_make(digits, TOTP_DIGITS), str_make(want, TOTP_DIGITS));
        if (same && good && i > last_step && !right) {
            right = true;
            *ret_step = i;
        }
        secret_wipe(want, sizeof(want));
    }
    return right;
}

void totp_print_secret(const uint8_t secret[TOTP_SECRET_BYTES],
                       char ret_text[TOTP_SECRET_CHARS + 1])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for (size_t i = 0; i < TOTP_SECRET_CHARS; i++) {
        size_t bit = 5 * i;
        unsigned two = (unsigned)secret[bit / 8] << 8;
        two |= bit / 8 + 1 < TOTP_SECRET_BYTES ? secret[bit / 8 + 1] : 0;
        ret_text[i] = letters[two >> (11 - bit % 8) & 31];
    }
    ret_text[TOTP_SECRET_CHARS] = '\0';
}

/* RFC 3986 section 2.3: all but unreserved characters is escaped. */
static void escape(struct str text, struct buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_') {
            buf_append_byte(to, c);
        } else {
            buf_printf(to, "%%%02X", (unsigned)(unsigned char)c);
        }
    }
}

void totp_print_uri(const uint8_t secret[TOTP_SECRET_BYTES], struct str issuer, struct str label,
                    struct buf *to)
{
    char text[TOTP_SECRET_CHARS + 1];
    totp_print_secret(secret, text);
    buf_append(to, STR("otpauth://totp/"));
    escape(issuer, to);
    buf_append_byte(to, ':');
    escape(label, to);
    buf_append(to, STR("?secret="));
    buf_append(to, str_from(text));
    buf_append(to, STR("&issuer="));
    escape(issuer, to);
    secret_wipe(text, sizeof(text));
}

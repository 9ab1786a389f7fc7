/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passwords by libsodium's argon2id. */
#include "crypto/password.h"

#include <sodium.h>

#include "base/check.h"

/* OWASP's password storage sheet asks for at least 19 MiB with two passes; a third costs a sign-in
 * a few milliseconds, once in ten minutes. */
enum {
    ARGON2_MEMORY_BYTES = 19 * 1024 * 1024,
    ARGON2_PASSES = 3,
};

_Static_assert(PASSWORD_TEXT_MAX >= crypto_pwhash_STRBYTES, "a hash fits");

enum err password_hash(struct str password, char ret_text[PASSWORD_TEXT_MAX])
{
    char text[crypto_pwhash_STRBYTES];
    if (password.len == 0) {
        return ERR_INVALID;
    }
    if (password.len > LIMIT_PASSWORD_LEN) {
        return ERR_LIMIT;
    }
    /* Chooses the fastest code for this processor; harmless when called again. */
    CHECK(sodium_init() >= 0);
    if (crypto_pwhash_str(text, password.p, password.len, ARGON2_PASSES, ARGON2_MEMORY_BYTES) !=
        0) {
        return ERR_MEMORY;
    }
    memcpy(ret_text, text, sizeof(text));
    return ERR_OK;
}

bool password_verify(struct str password, struct str text)
{
    char terminated[crypto_pwhash_STRBYTES] = {0};
    if (password.len == 0 || password.len > LIMIT_PASSWORD_LEN || text.len >= sizeof(terminated) ||
        !str_starts(text, STR("$argon2id$"))) {
        return false;
    }
    memcpy(terminated, text.p, text.len);
    CHECK(sodium_init() >= 0);
    return crypto_pwhash_str_verify(terminated, password.p, password.len) == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passwords by libsodium's argon2id. */
#include "crypto/password.h"

#include <sodium.h>

#include "base/check.h"
#include "base/num.h"

/* OWASP's password storage sheet asks for at least 19 MiB with two passes; a third costs a sign-in
 * a few milliseconds, once in ten minutes. */
enum {
    ARGON2_MEMORY_BYTES = 19 * 1024 * 1024,
    ARGON2_PASSES = 3,
    /* The most that a hash may cost whoever verifies it; ours may grow that far. */
    COST_MEMORY_KIB = 64 * 1024,
    COST_PASSES = 16,
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

/* "$argon2id$v=19$m=19456,t=3,p=1$salt$hash": one that asks for gigabytes or for hours is nobody's.
 * It may have been brought by a desk that was taken over, or by a backup. */
static bool is_bearable(struct str text)
{
    struct str part, memory, passes;
    uint64_t number;
    for (size_t i = 0; i < 4; i++) {
        (void)str_cut(text, '$', &part, &text);
    }
    (void)str_cut(part, ',', &memory, &part);
    (void)str_cut(part, ',', &passes, &part);
    return str_starts(memory, STR("m=")) && str_starts(passes, STR("t=")) &&
           parse_u64(str_skip(memory, 2), 1, COST_MEMORY_KIB, &number) == ERR_OK &&
           parse_u64(str_skip(passes, 2), 1, COST_PASSES, &number) == ERR_OK &&
           str_eq(part, STR("p=1"));
}

bool password_verify(struct str password, struct str text)
{
    char terminated[crypto_pwhash_STRBYTES] = {0};
    if (password.len == 0 || password.len > LIMIT_PASSWORD_LEN || text.len >= sizeof(terminated) ||
        !str_starts(text, STR("$argon2id$")) || !is_bearable(text)) {
        return false;
    }
    memcpy(terminated, text.p, text.len);
    CHECK(sodium_init() >= 0);
    return crypto_pwhash_str_verify(terminated, password.p, password.len) == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets in memory, by libsodium and libcrypto. */
#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { KEYS_BYTES = 128 * 1024, KEYS_PART_BYTES = 32 };

bool secret_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.p, b.p, a.len) == 0);
}

void secret_wipe(void *p, size_t n)
{
    if (n != 0) {
        sodium_memzero(p, n);
    }
}

bool secret_lock_memory(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    bool locked = CRYPTO_secure_malloc_init(KEYS_BYTES, KEYS_PART_BYTES) == 1;
    /* Under a limit, what is mapped later would fail. */
    if (setrlimit(RLIMIT_MEMLOCK, &all) == 0 && mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
        return true;
    }
    return locked;
}

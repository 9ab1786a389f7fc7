/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets in memory, by libsodium and libcrypto. */
#include "crypto/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/check.h"

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

/* ---- memory of OpenSSL's that is wiped whenever it is given back ---- */

static void *take(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(n);
}

static void give_back(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p != NULL) {
        secret_wipe(p, malloc_usable_size(p));
        free(p);
    }
}

static void *resize(void *p, size_t n, const char *file, int line)
{
    void *new = n != 0 ? malloc(n) : NULL;
    size_t had = p != NULL ? malloc_usable_size(p) : 0;
    if (new != NULL && had != 0) {
        memcpy(new, p, had < n ? had : n);
    }
    if (new != NULL || n == 0) {
        give_back(p, file, line);
    }
    return new;
}

static bool may_lock_all(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_MEMLOCK, &all) == 0;
}

bool secret_stay_in_memory(void)
{
    return may_lock_all() && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

bool secret_lock_memory(void)
{
    CHECK(CRYPTO_set_mem_functions(take, resize, give_back) == 1);
    bool locked = CRYPTO_secure_malloc_init(KEYS_BYTES, KEYS_PART_BYTES) == 1;
    /* Under a limit, what is mapped later would fail. */
    if (may_lock_all() && mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
        return true;
    }
    return locked;
}

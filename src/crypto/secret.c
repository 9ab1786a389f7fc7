/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets in memory, by libsodium. */
#include "crypto/secret.h"

#include <sodium.h>

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

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets in memory: compared in constant time, wiped when done with. */
#ifndef LODGE_CRYPTO_SECRET_H
#define LODGE_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Equal or not, in a time that depends on the lengths alone. */
bool secret_eq(struct str a, struct str b);

/* Zeroes n bytes; never optimised away. */
void secret_wipe(void *p, size_t n);

#endif

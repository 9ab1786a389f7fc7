/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets in memory: compared in constant time, wiped when done with. */
#ifndef LODGE_CRYPTO_SECRET_H
#define LODGE_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Equal or not, in a time that depends on the lengths alone. */
bool secret_eq(struct str a, struct str b);

/* Zeroes n bytes; never optimised away. */
void secret_wipe(void *p, size_t n);

/* Keeps the memory of this process off the disk: all of it where the process may lock as much as it
 * likes (root), else private keys, for which OpenSSL then has a place of its own that is locked and
 * kept out of dumps. Whatever OpenSSL gives back is wiped. Once, before OpenSSL is used for
 * anything. False where not even the place for keys could be locked. */
MUST_USE bool secret_lock_memory(void);

/* The same for a process whose keys are not OpenSSL's: all of its memory, as it comes to be used.
 * False where it may not (a plain user under a limit). */
bool secret_stay_in_memory(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random bytes from the kernel, fit for keys and ids. */
#ifndef LODGE_CRYPTO_RANDOM_H
#define LODGE_CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills n bytes by getrandom(2), the only system call it makes. A kernel that refuses ends the
 * process: there is nothing safe to go on with. */
void random_bytes(void *ret_bytes, size_t n);

uint64_t random_u64(void);

#endif

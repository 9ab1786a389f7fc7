/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XXH3 (xxhash 0.8, seed 0 gives the published values): fast, for tables, fingerprints and
 * checksums against accidents. Whoever chooses the input can make collisions, so a table that
 * hashes what comes from outside compares the key as well. */
#ifndef LODGE_CRYPTO_FASTHASH_H
#define LODGE_CRYPTO_FASTHASH_H

#include <stdint.h>

#include "base/str.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t fasthash64(struct str bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.p, bytes.len, seed);
}

#endif

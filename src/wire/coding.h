/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Content codings (RFC 9110 section 8.4) taken off as a body streams: gzip (RFC 1952, of any number
 * of members), deflate (RFC 1950, and bare RFC 1951 as browsers take it), br (RFC 7932, no large
 * windows), zstd (RFC 8878, windows up to 8 MiB as RFC 9659 asks), and several of them, one over
 * the other.
 *
 * Memory is bounded by the codings, never by the body: about 64 KiB for gzip and deflate, up to
 * 16 MiB for br and 8 MiB for zstd, as far as the body's own window fills it.
 */
#ifndef LODGE_WIRE_CODING_H
#define LODGE_WIRE_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    CODING_STACK_MAX = 4,   /* codings over each other; sites use one */
    CODING_RUN_MAX = 16384, /* bytes given out at once */
};

/* What a body may become. A body that is more is a bomb. */
struct coding_caps {
    uint64_t total;      /* bytes decoded in all, by all codings together */
    uint64_t ratio;      /* decoded bytes for each byte of the body ... */
    uint64_t ratio_from; /* ... once so many have been decoded */
    uint64_t per_call;   /* bytes decoded by one coding_feed */
};

struct coding;

/* Takes decoded bytes, at most CODING_RUN_MAX at once, which hold until it returns. False: enough,
 * nothing more is wanted. */
typedef bool coding_fn(void *context, struct str bytes);

/* True where this value of Content-Encoding means that nothing is encoded: it is empty, "identity",
 * or one of the words that sites write there without meaning any and browsers pass over. */
bool coding_is_identity(struct str names);

/* A decoder for a value of Content-Encoding (several fields joined by commas). ERR_NOT_FOUND where
 * it names a coding that is none of these; ERR_LIMIT for more than CODING_STACK_MAX; ERR_MEMORY. */
MUST_USE enum err coding_new(struct str names, const struct coding_caps *caps,
                             struct coding **ret_coding);
void coding_free(struct coding *coding);

/* Decodes these bytes of the body. After fn has said false, or an error, nothing more is decoded,
 * and every call gives the same answer. ERR_INVALID: broken; ERR_LIMIT: a bomb, by caps or by the
 * window it asks for; ERR_MEMORY. Bytes behind the end of a coding are passed over, as browsers do.
 */
MUST_USE enum err coding_feed(struct coding *coding, struct str bytes, coding_fn *fn,
                              void *context);

/* The body has ended. ERR_TRUNCATED where a coding has not; earlier errors again. A body without
 * any bytes is whole. */
MUST_USE enum err coding_end(const struct coding *coding);

#endif

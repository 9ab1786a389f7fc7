/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CBOR (RFC 8949), as much of it as passkeys use: numbers, bytes, texts, arrays and maps of
 * definite length, true, false and null. No floats, tags or indefinite lengths. Nothing is copied.
 */
#ifndef LODGE_WIRE_CBOR_H
#define LODGE_WIRE_CBOR_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum cbor_kind {
    CBOR_UNSET,
    CBOR_NUMBER,   /* number */
    CBOR_NEGATIVE, /* -1 - number */
    CBOR_BYTES,    /* bytes */
    CBOR_TEXT,     /* bytes; not checked as UTF-8 */
    CBOR_ARRAY,    /* number items follow */
    CBOR_MAP,      /* number pairs follow */
    CBOR_SIMPLE,   /* number: 20 false, 21 true, 22 null */
};

struct cbor_item {
    enum cbor_kind kind;
    uint64_t number;
    struct str bytes;
};

/* Takes the next item's head off *rest, and what bytes and texts hold. ERR_TRUNCATED, ERR_INVALID.
 */
MUST_USE enum err cbor_next(struct str *rest, struct cbor_item *ret_item);

/* Takes one whole item off, with all that is in it. */
MUST_USE enum err cbor_skip(struct str *rest);

#endif

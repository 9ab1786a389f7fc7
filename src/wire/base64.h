/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64 (RFC 4648 section 4), for Basic credentials and the like. */
#ifndef LODGE_WIRE_BASE64_H
#define LODGE_WIRE_BASE64_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Strict: padding where due, no white space, zero bits behind the end. ERR_INVALID; ERR_LIMIT where
 * `to` would pass its maximum. Appends. */
MUST_USE enum err base64_decode(struct str text, struct buf *to);
void base64_encode(struct str bytes, struct buf *to);

/* The same with the alphabet for URLs and names, without padding (section 5; RFC 7515 section 2).
 */
MUST_USE enum err base64url_decode(struct str text, struct buf *to);
void base64url_encode(struct str bytes, struct buf *to);

#endif

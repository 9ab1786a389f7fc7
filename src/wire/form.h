/* SPDX-License-Identifier: GPL-3.0-or-later */
/* application/x-www-form-urlencoded (WHATWG URL standard, section 5): forms, queries and the
 * segments of paths, strictly: what decodes to anything but text is refused. */
#ifndef LODGE_WIRE_FORM_H
#define LODGE_WIRE_FORM_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct form_pair {
    struct str name;
    struct str value;
};

/* Takes the next pair off *rest, decoded ('+' is a space); slices point into rest where nothing had
 * to change, else into arena. Empty pairs ("&&") are passed over. ERR_NOT_FOUND at the end;
 * ERR_INVALID for a broken escape, NUL or what is not UTF-8; ERR_MEMORY for a full arena. */
MUST_USE enum err form_next(struct str *rest, struct arena *arena, struct form_pair *ret_pair);

/* Takes the escapes off; plus: '+' is a space. Errors and memory as above. */
MUST_USE enum err form_decode(struct str text, bool plus, struct arena *arena,
                              struct str *ret_text);

/* Appends text as one part of a path or a query (RFC 3986): all but unreserved bytes are escaped.
 */
void form_encode(struct buf *to, struct str text);

#endif

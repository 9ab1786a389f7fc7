/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 (RFC 3629), for the writers that must never pass on anything else. */
#ifndef LODGE_WIRE_UTF8_H
#define LODGE_WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* U+FFFD, what stands for a byte that is not UTF-8. */
#define UTF8_REPLACEMENT STR("\xef\xbf\xbd")

/* Bytes of the well-formed character at the start of s, 1 to 4; 0 where there is none (a stray or
 * missing continuation, an overlong form, a surrogate, more than U+10FFFF, an empty slice). */
size_t utf8_length(struct str s);

/* All of s is UTF-8, and no byte of it is NUL: what a store takes as text. */
bool utf8_is_text(struct str s);

/* The beginning of s, at most max bytes, that ends no character of UTF-8 in its middle; a slice of
 * s.
 */
struct str utf8_head(struct str s, size_t max);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text in any encoding that browsers know, to UTF-8, as it streams (WHATWG Encoding standard).
 *
 * Which bytes are one character, and what a broken one leaves, is decided here as in the standard:
 * an encoding that swallows a '<' for us but not for a browser would hide text. What a character is
 * is ICU's to say. Broken bytes become U+FFFD.
 */
#ifndef LODGE_WIRE_CHARSET_H
#define LODGE_WIRE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum charset {
    CHARSET_UNSET,
#define CHARSET(id, way, converter, labels) CHARSET_##id,
#include "wire/charset.def"
#undef CHARSET
    CHARSET_COUNT_
};

/* By a label, in any case, with white space around it; CHARSET_UNSET: none. */
enum charset charset_find(struct str label);
/* "windows-1252"; static. */
struct str charset_name(enum charset charset);

/* The charset parameter of a media type ("text/html; charset=utf-8"), or CHARSET_UNSET. */
enum charset charset_of_type(struct str type);

enum { CHARSET_HEAD = 1024 }; /* bytes of a body that may say its encoding */

/* What a body may say of its own encoding besides a byte order mark. */
enum charset_hint {
    CHARSET_HINT_NONE, /* plain text; JSON, whose default is UTF-8, is told by `otherwise` */
    CHARSET_HINT_HTML, /* <meta charset>, <meta http-equiv content> */
    CHARSET_HINT_XML,  /* <?xml encoding="..."?> */
};

/* The encoding of a body, from its first bytes (CHARSET_HEAD, or all): a byte order mark, else what
 * its media type says, else what it says itself, else `otherwise`. *ret_skip: the mark's length. */
enum charset charset_of_body(struct str head, enum charset by_type, enum charset_hint hint,
                             enum charset otherwise, size_t *ret_skip);

/* Takes UTF-8, always well-formed and cut between characters; the bytes hold until it returns. */
typedef void charset_fn(void *context, struct str utf8);

struct charset_decoder;

/* ERR_MEMORY; ERR_SYSTEM where ICU lacks a converter. */
MUST_USE enum err charset_open(enum charset charset, charset_fn *fn, void *context,
                               struct charset_decoder **ret_decoder);
void charset_close(struct charset_decoder *decoder);

/* What is decoded is given out before this returns, but for a character that is not whole yet. */
void charset_feed(struct charset_decoder *decoder, struct str bytes);
/* There are no more bytes: one U+FFFD for a character that never became whole. */
void charset_end(struct charset_decoder *decoder);

#endif

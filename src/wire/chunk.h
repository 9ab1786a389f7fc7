/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chunked coding (RFC 9112 section 7.1), as a state machine over any split of the bytes.
 *
 * A relay passes the bytes on as they came; the machine tells how many belong to the body, where
 * data lies, and when the body ends. Strict: no bare LF, no space around the size, at most 16
 * digits, bounded extension lines and trailers, trailer fields checked as headers are. A trailer
 * that is a row of wire/http1_name.def is refused: what Lodge looks at would come too late to be
 * looked at (RFC 9110 section 6.5.1).
 */
#ifndef LODGE_WIRE_CHUNK_H
#define LODGE_WIRE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* No name in wire/http1_name.def is longer (chunk_test.c looks). */
enum { CHUNK_NAME_MAX = 24 };

struct chunk {
    unsigned state;            /* private; 0 is the start */
    uint64_t left;             /* private: data bytes left in this chunk, or the size so far */
    uint32_t line;             /* private: bytes of this line */
    uint32_t trailers;         /* private: bytes of trailers */
    bool last;                 /* the last chunk's line has been seen: trailers follow */
    bool done;                 /* the last CRLF has been seen */
    uint8_t name_len;          /* private: of the trailer in hand, as far as it fits */
    char name[CHUNK_NAME_MAX]; /* private */
};

void chunk_init(struct chunk *chunk);

/* Takes bytes from the front of `bytes`: up to and including one run of data or the last chunk's
 * line, or to the end of the body or of the bytes (so all of the trailers, and nothing else, is
 * taken by calls that begin with `last`). *ret_used is how many bytes were taken (all framing
 * included); *ret_data is the run of data among them (maybe empty). Call again with the rest until
 * done or nothing is left; once done it takes nothing. ERR_INVALID; ERR_LIMIT for a size of 2^63 or
 * more, or with more than 16 digits, and for a line or trailers over base/limits.h. After an error
 * every call gives ERR_INVALID.
 */
MUST_USE enum err chunk_feed(struct chunk *chunk, struct str bytes, size_t *ret_used,
                             struct str *ret_data);

#endif

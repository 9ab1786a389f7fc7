/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chunked coding (RFC 9112 section 7.1), as a state machine over any split of the bytes.
 *
 * A relay passes the bytes on as they came; the machine tells how many belong to the body, where data
 * lies, and when the body ends. Strict: no bare LF, no space around the size, at most 16 digits,
 * bounded extension lines and trailers, trailer fields checked as headers are.
 */
#ifndef LODGE_WIRE_CHUNK_H
#define LODGE_WIRE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct chunk {
    unsigned state;    /* private; 0 is the start */
    uint64_t left;     /* private: data bytes left in this chunk, or the size so far */
    uint32_t line;     /* private: bytes of this line */
    uint32_t trailers; /* private: bytes of trailers */
    bool done;         /* the last CRLF has been seen */
};

void chunk_init(struct chunk *chunk);

/* Takes bytes from the front of `bytes`: up to and including one run of data, or to the end of the
 * body or of the bytes. *ret_used is how many bytes were taken (all framing included); *ret_data is
 * the run of data among them (maybe empty). Call again with the rest until done or nothing is left.
 * ERR_INVALID, ERR_LIMIT. */
MUST_USE enum err chunk_feed(struct chunk *chunk, struct str bytes, size_t *ret_used,
                             struct str *ret_data);

#endif

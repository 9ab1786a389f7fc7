/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of bodies: what an answer holds, looked at as it streams. Knows no exchange.
 *
 * A reader is told the facts of a head, then the body's bytes with their content codings off, or
 * the text in them, or both. It says what it finds as a category; what that means for this person
 * is the policy's to say. A body that nobody reads any longer is not decoded any further. Memory is
 * bounded by the readers' own, and by the codings' (wire/coding.h) and the text's.
 */
#ifndef LODGE_PROXY_READING_IMPL_H
#define LODGE_PROXY_READING_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "wire/coding.h"
#include "wire/markup.h"

/* Which part of the thing a body is (RFC 9110 section 14). */
enum reading_part {
    PART_START,  /* all of it, or a range that begins with it */
    PART_INNER,  /* a range that begins so far in that what comes is no use without the start */
    PART_UNSEEN, /* several ranges, or one that lacks only the first bytes: nobody can tell */
};

/* What a reader is told before the body; slices hold during begin only. */
struct reading_facts {
    unsigned status;
    struct str path;        /* of the URL, in its matching form */
    struct str type;        /* Content-Type; empty: none */
    struct str disposition; /* Content-Disposition; empty: none */
    struct str codings;     /* Content-Encoding, joined by commas */
    enum reading_part part;
};

enum reader_says {
    READER_MORE,  /* it wants the rest */
    READER_PASS,  /* nothing of what it looks for; it wants no more */
    READER_FOUND, /* it is of the reader's category */
    READER_DOUBT, /* it may be, and cannot be seen */
};

struct reader_kind {
    unsigned category; /* what it looks for */
    size_t size;       /* of its state, which begin makes */
    enum reader_says (*begin)(void *state, const struct reading_facts *facts);
    enum reader_says (*bytes)(void *state, struct str bytes); /* NULL: it reads text only */
    /* NULL: it reads bytes only. A reader of nothing but text passes bodies that have none. */
    enum reader_says (*text)(void *state, enum markup_kind kind, struct str utf8);
    /* The body has ended: ERR_OK, or ERR_TRUNCATED; or cannot be decoded: ERR_INVALID, ERR_LIMIT (a
     * bomb), ERR_NOT_FOUND (a coding that nobody knows), ERR_MEMORY. Never READER_MORE. */
    enum reader_says (*end)(void *state, enum err how);
};

/* Programs and installers (R129). */
extern const struct reader_kind reader_programs;

enum { READERS_MAX = 8 };

struct reading;

/* *ret_reading is NULL where nobody wants to read this one. What is found at once is told by
 * reading_says. ERR_MEMORY: nothing is read, which is doubt. */
MUST_USE enum err reading_new(const struct reader_kind *const *kinds, size_t n,
                              const struct reading_facts *facts, struct reading **ret_reading);
void reading_free(struct reading *reading);

/* The next bytes of the body, as they came but for transfer codings. */
void reading_feed(struct reading *reading, struct str bytes);
void reading_end(struct reading *reading, enum err how);

/* What all readers together say: READER_MORE while one wants more; else found before doubt before
 * pass. *ret_category is whose it is, for found and doubt. */
enum reader_says reading_says(const struct reading *reading, unsigned *ret_category);

/* Decoded bytes that were read so far. */
uint64_t reading_bytes(const struct reading *reading);

#endif

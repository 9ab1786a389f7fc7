/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded buffers: bytes that grow up to a maximum given at birth.
 *
 * Running over the maximum, or out of memory, makes the buffer *failed*: it keeps what it had,
 * takes nothing more, and buf_err tells. So a writer may append many parts and look once at the
 * end.
 */
#ifndef LODGE_BASE_BUF_H
#define LODGE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* never allocated beyond */
    enum err err;
};

/* An empty buffer of at most max bytes; allocates nothing yet. */
void buf_init(struct buf *buf, size_t max);

/* Frees the memory; the buffer is then as after buf_init. Safe on a zeroed struct. */
void buf_fini(struct buf *buf);

/* Forgets the contents and a failure, keeps the memory. */
void buf_clear(struct buf *buf);

/* ERR_OK, or ERR_LIMIT or ERR_MEMORY since the last buf_clear. */
MUST_USE enum err buf_err(const struct buf *buf);

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->p, buf->len};
}

void buf_append(struct buf *buf, struct str bytes);
void buf_append_byte(struct buf *buf, char c);
/* Decimal digits. */
void buf_append_u64(struct buf *buf, uint64_t value);
void buf_append_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for at least n more bytes behind buf->len; the caller writes there and then calls
 * buf_commit. NULL when that would pass the maximum (the buffer is then failed). */
char *buf_reserve(struct buf *buf, size_t n);

/* Takes n bytes that were written into the place that buf_reserve gave. */
void buf_commit(struct buf *buf, size_t n);

/* Drops the first n bytes (n <= len) and moves the rest to the front. */
void buf_consume(struct buf *buf, size_t n);

/* The contents as a NUL-terminated string for a libc door; the NUL is not counted in len. NULL on
 * failure or where the contents hold a NUL. Valid until the next change. */
const char *buf_cstr(struct buf *buf);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded buffers. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/num.h"

enum { FIRST_CAPACITY = 64 };

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    free(buf->p);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->err = ERR_OK;
}

enum err buf_err(const struct buf *buf)
{
    return buf->err;
}

/* Makes room for `want` bytes in all. */
static bool grow(struct buf *buf, size_t want)
{
    if (want > buf->max) {
        buf->err = ERR_LIMIT;
        return false;
    }
    size_t cap = buf->cap != 0 ? buf->cap : FIRST_CAPACITY;
    while (cap < want) {
        cap = cap > buf->max / 2 ? buf->max : cap * 2;
    }
    cap = cap < buf->max ? cap : buf->max;
    char *p = realloc(buf->p, cap);
    if (p == NULL) {
        buf->err = ERR_MEMORY;
        return false;
    }
    buf->p = p;
    buf->cap = cap;
    return true;
}

char *buf_reserve(struct buf *buf, size_t n)
{
    size_t want = 0;
    if (buf->err != ERR_OK) {
        return NULL;
    }
    if (!size_add(buf->len, n, &want)) {
        buf->err = ERR_LIMIT;
        return NULL;
    }
    if ((buf->p == NULL || want > buf->cap) && !grow(buf, want)) {
        return NULL;
    }
    return buf->p + buf->len;
}

void buf_commit(struct buf *buf, size_t n)
{
    CHECK(n <= buf->cap - buf->len);
    buf->len += n;
}

void buf_append(struct buf *buf, struct str bytes)
{
    char *to = buf_reserve(buf, bytes.len);
    if (to != NULL && bytes.len != 0) {
        memcpy(to, bytes.p, bytes.len);
        buf->len += bytes.len;
    }
}

void buf_append_byte(struct buf *buf, char c)
{
    buf_append(buf, str_make(&c, 1));
}

void buf_append_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf_append(buf, str_make(digits + at, sizeof(digits) - at));
}

void buf_append_i64(struct buf *buf, int64_t value)
{
    if (value < 0) {
        buf_append_byte(buf, '-');
    }
    buf_append_u64(buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0) {
        buf->err = ERR_MEMORY;
        return;
    }
    buf_append(buf, str_make(text, (size_t)n));
    free(text);
}

void buf_consume(struct buf *buf, size_t n)
{
    CHECK(n <= buf->len);
    if (n != 0 && n < buf->len) {
        memmove(buf->p, buf->p + n, buf->len - n);
    }
    buf->len -= n;
}

const char *buf_cstr(struct buf *buf)
{
    char *end = buf_reserve(buf, 1);
    if (end == NULL || (buf->len != 0 && memchr(buf->p, '\0', buf->len) != NULL)) {
        return NULL;
    }
    *end = '\0';
    return buf->p;
}

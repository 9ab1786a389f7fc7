/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of HTTP/1 by class, and runs of them; for http1.c, http1_print.c and chunk.c. */
#ifndef LODGE_WIRE_HTTP1_CLASS_H
#define LODGE_WIRE_HTTP1_CLASS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum http1_class_bit {
    HTTP1_TOKEN = 1,  /* tchar, RFC 9110 section 5.6.2 */
    HTTP1_TARGET = 2, /* visible ASCII but '#': what browsers send goes beyond RFC 3986 */
    HTTP1_FIELD = 4,  /* field-vchar, SP and HTAB, RFC 9110 section 5.5 */
    HTTP1_HOST = 8,   /* uri-host and port, RFC 3986 section 3.2, without the comma of a list */
};

extern const uint8_t http1_class[256];

static inline bool http1_is(char c, enum http1_class_bit bit)
{
    return (http1_class[(uint8_t)c] & (unsigned)bit) != 0;
}

/* The first byte of [p, end) that is not of the class, or end. */
static inline const char *http1_span(const char *p, const char *end, enum http1_class_bit bit)
{
    while (p < end && http1_is(*p, bit)) {
        p++;
    }
    return p;
}

/* True where each of the 8 bytes at p is 0x20..0x7e or 0x80..0xff. */
static inline bool http1_plain8(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t word = 0;
    memcpy(&word, p, sizeof(word));
    uint64_t del = word ^ (ones * 0x7f);
    uint64_t low = (word - ones * 0x20) & ~word;
    uint64_t zero = (del - ones) & ~del;
    return ((low | zero) & (ones * 0x80)) == 0;
}

/* http1_span for HTTP1_FIELD, eight bytes at a time: values are most of a head. */
static inline const char *http1_span_field(const char *p, const char *end)
{
    for (;;) {
        while (end - p >= 8 && http1_plain8(p)) {
            p += 8;
        }
        const char *stop = end - p > 8 ? p + 8 : end;
        p = http1_span(p, stop, HTTP1_FIELD);
        if (p < stop || p == end) {
            return p;
        }
    }
}

#endif

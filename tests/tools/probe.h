/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What http1probe.c and llhttpprobe.c share, so that their answers can be compared.
 *
 * Standard input holds cases: a line "KIND LENGTH", then LENGTH bytes. KIND is 'q' for requests,
 * 's' for responses to GET, 'h' to HEAD, 'c' to CONNECT. For each case a line is printed: events,
 * then "end=WHY". An event is 'H' (a head is whole) or 'B' (a message is whole) and the hexadecimal
 * of its text: the first line and each "name:value", or the data of the body.
 */
#ifndef LODGE_TESTS_PROBE_H
#define LODGE_TESTS_PROBE_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_MAX = 1 << 18 };

struct probe_text {
    size_t len;
    char p[PROBE_MAX];
};

static inline void probe_add(struct probe_text *to, const char *p, size_t len)
{
    if (len > sizeof(to->p) - to->len) {
        fprintf(stderr, "a case is longer than a probe takes\n");
        _Exit(2);
    }
    memcpy(to->p + to->len, p, len);
    to->len += len;
}

static inline void probe_event(char kind, const struct probe_text *text)
{
    putchar(kind);
    for (size_t i = 0; i < text->len; i++) {
        printf("%02x", (unsigned)(unsigned char)text->p[i]);
    }
    putchar(' ');
}

/* The next case; 0 at the end of the input. */
static inline int probe_next(char *ret_kind, struct probe_text *ret_bytes)
{
    unsigned char front[5];
    if (fread(front, 1, sizeof(front), stdin) != sizeof(front)) {
        return 0;
    }
    size_t len = (size_t)front[1] << 24 | (size_t)front[2] << 16 | (size_t)front[3] << 8 | front[4];
    if (len > PROBE_MAX || fread(ret_bytes->p, 1, len, stdin) != len) {
        fprintf(stderr, "a case is cut short or longer than a probe takes\n");
        _Exit(2);
    }
    *ret_kind = (char)front[0];
    ret_bytes->len = len;
    return 1;
}

#endif

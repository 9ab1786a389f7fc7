/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads of answers that we give ourselves (pages, files), for the proxy and the console alike. */
#ifndef LODGE_HTTP_ANSWER_H
#define LODGE_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct http_answer {
    unsigned status;
    struct str type;   /* Content-Type */
    struct str policy; /* Content-Security-Policy, or empty */
    struct str extra;  /* whole header lines, each with CRLF, or empty; ours, never from outside */
    size_t length;     /* of the body */
    bool keep_alive;   /* else Connection: close */
    bool cacheable;    /* else Cache-Control: no-store */
};

/* Appends a whole head, the final empty line included. */
void http_answer_print(struct buf *to, const struct http_answer *answer);

#endif

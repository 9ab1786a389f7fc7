/* SPDX-License-Identifier: GPL-3.0-or-later */
/* multipart/form-data (RFC 7578), as browsers write it and strictly: no preamble, no nesting, no
 * transfer encodings, no filename*, and the closing boundary must be there. */
#ifndef LODGE_WIRE_MULTIPART_H
#define LODGE_WIRE_MULTIPART_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    MULTIPART_PARTS_MAX = 512,
    MULTIPART_HEAD_MAX = 4096,   /* of one part */
    MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 section 5.1.1 */
};

struct multipart {
    char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CRLF "--" boundary */
    size_t delimiter_len;
    struct str rest;
    unsigned parts;
    bool ended;
};

struct multipart_part {
    struct str name;
    bool is_file; /* it has a file name, maybe an empty one */
    struct str file_name;
    struct str type; /* Content-Type as sent; empty where there is none */
    struct str bytes;
};

/* The boundary of a Content-Type "multipart/form-data; boundary=..."; body is borrowed.
 * ERR_INVALID.
 */
MUST_USE enum err multipart_open(struct str content_type, struct str body,
                                 struct multipart *ret_multipart);

/* The next part. Names are decoded (%22, %0D and %0A are what browsers escape) into arena where
 * they must be; other slices point into the body. ERR_NOT_FOUND behind the last; ERR_INVALID for a
 * broken part, a name that is no text or a missing end; ERR_LIMIT; ERR_MEMORY. */
MUST_USE enum err multipart_next(struct multipart *multipart, struct arena *arena,
                                 struct multipart_part *ret_part);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sources file: where a school's lists come from (docs/catalog.md).
 *
 * A line is `category format address licence [sealed]`; the address is http, https or the path of a
 * file, and may end in `#folder` to name one folder of an archive. `except category FILE` lines and
 * comments are as in a manifest. Pure: text in, rows out.
 */
#ifndef LODGE_OUTBOUND_SOURCES_H
#define LODGE_OUTBOUND_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "catalog/list.h"

struct source {
    size_t line;
    bool is_except;      /* then only category and address (a path) are set */
    struct str category; /* as written; whether it exists is the compiler's question */
    enum list_format format;
    struct str address; /* without the fragment */
    struct str member;  /* the fragment: a folder or file inside an archive; empty: none */
    struct str licence;
    bool sealed;
    bool remote; /* http or https */
};

struct sources {
    size_t n;
    struct source *rows; /* in the arena */
};

/* Reads a whole file. Slices point into text. ERR_INVALID with lines "line N: what; what to do" in
 * why; ERR_LIMIT for more than 1,000 rows; ERR_MEMORY. */
MUST_USE enum err sources_parse(struct str text, struct arena *arena, struct sources *ret_sources,
                                struct buf *why);

#endif

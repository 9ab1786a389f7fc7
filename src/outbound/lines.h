/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed between two versions of a list: lines counted and compared by what they mean.
 *
 * Only lines that give an entry count: not comments, nor the error page that a server sends in
 * place of a list. Works on hashes, so that a list of five million lines costs 40 MB for a moment.
 */
#ifndef LODGE_OUTBOUND_LINES_H
#define LODGE_OUTBOUND_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "catalog/list.h"

/* Hashes of lines; zero it before the first use. */
struct lines {
    uint64_t *hashes;
    size_t n;
    size_t cap;
};

/* Adds the lines of a text in a format that list_read takes; sealed as in struct list_sink. An
 * `include` of v2fly is a line. ERR_MEMORY; ERR_LIMIT beyond 100 million lines. */
MUST_USE enum err lines_add(struct lines *lines, enum list_format format, bool sealed,
                            struct str text);
void lines_fini(struct lines *lines);

struct lines_change {
    size_t before;
    size_t after;
    size_t added;
    size_t removed;
};

/* Compares, each line once. Sorts both. */
void lines_compare(struct lines *before, struct lines *after, struct lines_change *ret_change);

/* Why a new version should wait for a person, or NULL: it is empty, has half or less of the lines
 * that the old one had, or twice or more. A first version (before is 0) waits only when it is
 * empty. */
const char *lines_hold(const struct lines_change *change);

#endif

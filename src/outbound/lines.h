/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed between two versions of a list: lines counted and compared, whatever the format.
 *
 * Comments and empty lines do not count, nor does the order. Works on hashes, so that a list of
 * five million lines costs 40 MB for a moment.
 */
#ifndef LODGE_OUTBOUND_LINES_H
#define LODGE_OUTBOUND_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Hashes of lines; zero it before the first use. */
struct lines {
    uint64_t *hashes;
    size_t n;
    size_t cap;
};

/* Adds the lines of a text. ERR_MEMORY; ERR_LIMIT beyond 100 million lines. */
MUST_USE enum err lines_add(struct lines *lines, struct str text);
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

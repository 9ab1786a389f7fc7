/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A manifest: which list gives which category. Text in, rows out; no file is opened here.
 *
 *     CATEGORY FORMAT PATH [sealed]     a list; FORMAT as in catalog/list.h, or ut1 (a folder)
 *     except CATEGORY FILE              names and URLs that CATEGORY does not have after all, one a
 *                                       line, each with its reason behind a '#'
 *     unused PATH REASON                a file beside the lists that gives no category, and why; a
 *                                       final '*' stands for all names that begin so
 *
 * '#' begins a comment. Paths are relative to the manifest and hold no white space.
 */
#ifndef LODGE_CATALOG_MANIFEST_H
#define LODGE_CATALOG_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "catalog/list.h"

enum manifest_kind { MANIFEST_UNSET, MANIFEST_LIST, MANIFEST_EXCEPT, MANIFEST_UNUSED };

struct manifest_row {
    enum manifest_kind kind;
    uint32_t line;
    unsigned category; /* of a list or an exception */
    enum list_format format;
    bool sealed;
    struct str path; /* in the manifest's text */
};

enum { MANIFEST_ROWS_MAX = 65535 };

/* All rows, in an array that the caller frees with free(). ERR_INVALID: *why (cleared first) has
 * "line N: what is wrong" for every line that is, one a line. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err manifest_parse(struct str text, struct buf *why, struct manifest_row **ret_rows,
                                 size_t *ret_n);

/* Appends up to three names of categories that look like `name`: "a, b or c". */
void manifest_near(struct str name, struct buf *to);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a manifest and the files that it names to the bytes of an image. The one place of this
 * folder that reads files; what it finds is told to the caller line by line. */
#ifndef LODGE_CATALOG_BUILD_H
#define LODGE_CATALOG_BUILD_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "catalog/compile.h"

enum build_note {
    BUILD_NOTE_UNSET,
    BUILD_ERROR,   /* nothing is built */
    BUILD_WARNING, /* something a person should look at */
    BUILD_INFO,
};

struct build_watch {
    void *ctx;
    /* One line without its end: "FILE:LINE: words". */
    void (*note)(void *ctx, enum build_note note, const char *line);
    /* Now and then: rows of the manifest done, of how many. May be NULL. */
    void (*progress)(void *ctx, size_t done, size_t of, uint64_t entries);
};

struct build_totals {
    struct compile_totals compiled;
    uint64_t bad;     /* lines that are mistakes */
    uint64_t skipped; /* lines of a kind that is not taken (expressions, keywords ...) */
};

/* Reads all and makes the image, which the caller frees with free(). popular is NULL or a file of
 * host names, one a line: each that gets a category of tier harmful or sealed is told of, with the
 * list and the line it comes from. ERR_INVALID: told why, as every other error of a file is. */
MUST_USE enum err catalog_build(const char *manifest, const char *popular,
                                const struct build_watch *watch, struct build_totals *ret_totals,
                                struct str *ret_image);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The compiler: entries of lists in, the bytes of an image out. Pure; catalog/build.h reads the
 * files.
 *
 *     compile_new; compile_list, compile_entry ...; compile_except ..., compile_settle;
 *     compile_popular; compile_finish, compile_free
 */
#ifndef LODGE_CATALOG_COMPILE_H
#define LODGE_CATALOG_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "catalog/list.h"

struct compile;

/* ERR_MEMORY. */
MUST_USE enum err compile_new(struct compile **ret_compile);
void compile_free(struct compile *compile);

/* Begins a list: the entries that follow are of this category, which has a row in category.def. All
 * of a list that is sealed, or whose category's tier is, are kept as hashes alone. name is for
 * compile_popular; it must live as long as the compiler. ERR_LIMIT beyond 65,535 lists. */
MUST_USE enum err compile_list(struct compile *compile, unsigned category, bool sealed,
                               const char *name);

/* Takes an entry of the list begun last. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err compile_entry(struct compile *compile, const struct list_entry *entry);

/* Takes the very host or URL of an entry, and the same with "www." before it, out of a category
 * again, whichever unsealed lists name them; what lists name below it stays. Holds for
 * compile_settle. file must live as long as the compiler. */
MUST_USE enum err compile_except(struct compile *compile, unsigned category,
                                 const struct list_entry *entry, const char *file);

/* Takes all exceptions out of what was given so far, and tells of each that no list names. */
MUST_USE enum err compile_settle(struct compile *compile,
                                 void (*idle)(void *ctx, const char *file, uint32_t line,
                                              struct str entry),
                                 void *ctx);

/* An entry that would give a popular name a category of tier harmful or sealed. entry is empty for
 * a sealed list. */
struct compile_hit {
    struct str name;
    struct str entry;
    const char *list;
    uint32_t line;
    unsigned category;
};

/* Tells of every entry that reaches one of the names (canonical hosts), after compile_settle. */
MUST_USE enum err compile_popular(struct compile *compile, const struct str *names, size_t n,
                                  void (*tell)(void *ctx, const struct compile_hit *hit),
                                  void *ctx);

struct compile_totals {
    uint64_t entries; /* given */
    uint64_t keys;    /* different names and URLs in the image */
    uint64_t prefixes;
    uint64_t sealed;
};

/* Makes the image in memory that the caller frees with free(). The same entries in the same order
 * give the same bytes. ERR_MEMORY, ERR_LIMIT. */
MUST_USE enum err compile_finish(struct compile *compile, struct compile_totals *ret_totals,
                                 struct str *ret_image);

#endif

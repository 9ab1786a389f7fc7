/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arenas: memory that is given back all at once, with a maximum.
 *
 * For what lives as long as a request, a connection or an image. A full arena answers NULL and
 * stays failed until arena_reset, so that a caller may look once (and, in doubt, refuse). Built
 * with the option arena_malloc, each piece is a malloc of its own, for AddressSanitizer.
 */
#ifndef LODGE_BASE_ARENA_H
#define LODGE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    size_t used; /* bytes handed out */
    size_t max;  /* most bytes that may be handed out */
    bool failed;
};

/* An empty arena of at most max bytes; allocates nothing yet. */
void arena_init(struct arena *arena, size_t max);

/* Frees everything; safe on a zeroed struct. */
void arena_fini(struct arena *arena);

/* Forgets every piece and a failure; may keep one chunk for the next use. */
void arena_reset(struct arena *arena);

/* n zeroed bytes, aligned for any type; NULL when the maximum or memory is exhausted. */
void *arena_alloc(struct arena *arena, size_t n);

/* An array of count zeroed items of size bytes each. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of s in the arena, NUL-terminated behind its length; {NULL, 0} on failure. */
struct str arena_dup(struct arena *arena, struct str s);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arenas. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/num.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t cap;
    size_t used;
    alignas(max_align_t) char bytes[];
};

#ifdef LODGE_ARENA_MALLOC
enum { CHUNK_BYTES = 0 };
#else
enum { CHUNK_BYTES = 4096 };
#endif

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

void arena_fini(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    arena_init(arena, arena->max);
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = CHUNK_BYTES != 0 ? arena->chunks : NULL;
    if (kept != NULL) {
        arena->chunks = kept->next;
        kept->next = NULL;
        kept->used = 0;
    }
    arena_fini(arena);
    arena->chunks = kept;
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t n)
{
    size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + cap);
    if (chunk != NULL) {
        *chunk = (struct arena_chunk){.next = arena->chunks, .cap = cap};
        arena->chunks = chunk;
    }
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t n)
{
    size_t rounded = 0;
    if (arena->failed || !size_add(n, alignof(max_align_t) - 1, &rounded)) {
        arena->failed = true;
        return NULL;
    }
    rounded &= ~(alignof(max_align_t) - 1);
    if (rounded > arena->max - arena->used) {
        arena->failed = true;
        return NULL;
    }
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->cap - chunk->used < rounded) {
        chunk = add_chunk(arena, rounded);
    }
    if (chunk == NULL) {
        arena->failed = true;
        return NULL;
    }
    void *piece = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memset(piece, 0, rounded);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total = 0;
    if (!size_mul(count, size, &total)) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, total);
}

struct str arena_dup(struct arena *arena, struct str s)
{
    size_t total = 0;
    if (!size_add(s.len, 1, &total)) {
        arena->failed = true;
        return (struct str){NULL, 0};
    }
    char *copy = arena_alloc(arena, total);
    if (copy == NULL) {
        return (struct str){NULL, 0};
    }
    if (s.len != 0) {
        memcpy(copy, s.p, s.len);
    }
    return (struct str){copy, s.len};
}

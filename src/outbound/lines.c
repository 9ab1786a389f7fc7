/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed between two versions of a list. */
#include "outbound/lines.h"

#include <stdlib.h>

#include "crypto/fasthash.h"

enum { LINES_MAX = 100000000, FIRST_LINES = 1024 };

static enum err add_hash(struct lines *lines, uint64_t hash)
{
    if (lines->n == lines->cap) {
        size_t cap = lines->cap != 0 ? lines->cap * 2 : FIRST_LINES;
        if (cap > LINES_MAX) {
            return ERR_LIMIT;
        }
        uint64_t *hashes = realloc(lines->hashes, cap * sizeof(*hashes));
        if (hashes == NULL) {
            return ERR_MEMORY;
        }
        lines->hashes = hashes;
        lines->cap = cap;
    }
    lines->hashes[lines->n++] = hash;
    return ERR_OK;
}

enum err lines_add(struct lines *lines, struct str text)
{
    while (text.len != 0) {
        struct str line;
        (void)str_cut(text, '\n', &line, &text);
        line = str_trim_space(line);
        if (line.len != 0 && line.p[0] != '#') {
            ERR_TRY(add_hash(lines, fasthash64(line, 0)));
        }
    }
    return ERR_OK;
}

void lines_fini(struct lines *lines)
{
    free(lines->hashes);
    *lines = (struct lines){0};
}

static int order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Sorts, and keeps one of each. */
static void settle(struct lines *lines)
{
    size_t kept = 0;
    if (lines->n != 0) {
        qsort(lines->hashes, lines->n, sizeof(*lines->hashes), order);
    }
    for (size_t i = 0; i < lines->n; i++) {
        if (i == 0 || lines->hashes[i] != lines->hashes[i - 1]) {
            lines->hashes[kept++] = lines->hashes[i];
        }
    }
    lines->n = kept;
}

void lines_compare(struct lines *before, struct lines *after, struct lines_change *ret_change)
{
    size_t common = 0;
    settle(before);
    settle(after);
    for (size_t i = 0, j = 0; i < before->n && j < after->n;) {
        if (before->hashes[i] == after->hashes[j]) {
            common++;
            i++;
            j++;
        } else if (before->hashes[i] < after->hashes[j]) {
            i++;
        } else {
            j++;
        }
    }
    *ret_change = (struct lines_change){
        .before = before->n,
        .after = after->n,
        .added = after->n - common,
        .removed = before->n - common,
    };
}

const char *lines_hold(const struct lines_change *change)
{
    if (change->after == 0) {
        return "it is empty";
    }
    if (change->before == 0) {
        return NULL;
    }
    if (change->after <= change->before / 2) {
        return "it shrank by half or more";
    }
    return change->after / 2 >= change->before ? "it doubled or more" : NULL;
}

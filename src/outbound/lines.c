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

static uint64_t hash_of(const struct list_entry *entry)
{
    uint64_t hash = entry->kind;
    switch (entry->kind) {
    case LIST_ENTRY_HOST:
    case LIST_ENTRY_EXACT:
        return fasthash64(host_str(entry->host), hash);
    case LIST_ENTRY_URL:
        hash = fasthash64(host_str(entry->host), hash);
        hash = fasthash64(entry->path, hash);
        return entry->has_query ? fasthash64(entry->query, hash) : hash;
    case LIST_ENTRY_CIDR:
        return fasthash64(str_make((const char *)entry->addr.bytes, sizeof(entry->addr.bytes)),
                          hash + entry->bits);
    case LIST_ENTRY_HASH:
        hash = fasthash64(str_make((const char *)entry->host_hash, LIST_HASH_BYTES), hash);
        return entry->has_url_hash
                   ? fasthash64(str_make((const char *)entry->url_hash, LIST_HASH_BYTES), hash)
                   : hash;
    case LIST_ENTRY_UNSET:
        break;
    }
    return hash;
}

static enum err take_entry(void *ctx, const struct list_entry *entry)
{
    return add_hash(ctx, hash_of(entry));
}

static enum err take_include(void *ctx, struct str name, struct str attributes)
{
    return add_hash(ctx, fasthash64(attributes, fasthash64(name, 0)));
}

static void pass_over(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    (void)ctx, (void)fault, (void)line, (void)text;
}

enum err lines_add(struct lines *lines, enum list_format format, bool sealed, struct str text)
{
    const struct list_sink sink = {
        .ctx = lines,
        .entry = take_entry,
        .fault = pass_over,
        .include = take_include,
        .sealed = sealed,
    };
    return list_read(format, text, &sink);
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

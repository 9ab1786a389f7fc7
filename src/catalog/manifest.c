/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/manifest.h"

#include <stdlib.h>

#include "base/limits.h"
#include "catalog/category.h"

enum { NEAR_MAX = 3, NAME_MAX_LEN = 48 };

struct rows {
    struct manifest_row *p;
    size_t n;
    size_t cap;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, added or dropped to make b of a (Levenshtein). */
static size_t distance(struct str a, struct str b)
{
    size_t row[NAME_MAX_LEN + 1];
    a = str_sub(a, 0, NAME_MAX_LEN);
    b = str_sub(b, 0, NAME_MAX_LEN);
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = corner + (a.p[i - 1] != b.p[j - 1]);
            corner = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

/* A name of which the word is the beginning, or a part, is nearer than any other. */
static size_t nearness(struct str word, struct str known)
{
    if (word.len >= 3 && str_starts(known, word)) {
        return 0;
    }
    return word.len >= 3 && str_find(known, word) < known.len ? 1 : distance(word, known) + 1;
}

void manifest_near(struct str name, struct buf *to)
{
    bool used[LIMIT_CATEGORIES] = {false};
    for (size_t n = 0; n < NEAR_MAX; n++) {
        unsigned best = 0;
        size_t best_distance = SIZE_MAX;
        for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
            const struct category_row *row = category_row(i);
            size_t d = row != NULL && !used[i] ? nearness(name, row->name) : SIZE_MAX;
            if (d < best_distance) {
                best = i;
                best_distance = d;
            }
        }
        if (best == 0) {
            return;
        }
        used[best] = true;
        buf_append(to, n == 0 ? STR("") : n + 1 < NEAR_MAX ? STR(", ") : STR(" or "));
        buf_append(to, category_row(best)->name);
    }
}

static enum err say(struct buf *why, uint32_t line, const char *what, struct str word)
{
    buf_printf(why, "line %u: %s \"%.*s\"\n", line, what, STR_ARG(word));
    return ERR_INVALID;
}

static enum err read_category(struct str word, uint32_t line, struct buf *why,
                              unsigned *ret_category)
{
    if (category_find(word, ret_category) == ERR_OK) {
        return ERR_OK;
    }
    buf_printf(why, "line %u: there is no category \"%.*s\"; near it are ", line, STR_ARG(word));
    manifest_near(word, why);
    buf_append_byte(why, '\n');
    return ERR_INVALID;
}

static enum err read_list(struct str first, struct str rest, struct buf *why,
                          struct manifest_row *row)
{
    row->kind = MANIFEST_LIST;
    ERR_TRY(read_category(first, row->line, why, &row->category));
    struct str format = str_next_word(&rest);
    if (list_format_find(format, &row->format) != ERR_OK) {
        return say(why, row->line,
                   "the format is one of domains, hosts, urls, ut1, v2fly, cidr and "
                   "hashed, not",
                   format);
    }
    row->path = str_next_word(&rest);
    struct str flag = str_next_word(&rest);
    row->sealed = str_eq(flag, STR("sealed")) || row->format == LIST_HASHED ||
                  category_row(row->category)->tier == TIER_SEALED;
    if (row->path.len == 0) {
        return say(why, row->line, "the path is missing behind", format);
    }
    if ((flag.len != 0 && !str_eq(flag, STR("sealed"))) || rest.len != 0) {
        return say(why, row->line, "only \"sealed\" may follow the path, not",
                   flag.len != 0 && !str_eq(flag, STR("sealed")) ? flag : rest);
    }
    if (row->sealed && row->format == LIST_CIDR) {
        return say(why, row->line, "addresses cannot be sealed:", row->path);
    }
    return ERR_OK;
}

static enum err read_except(struct str rest, struct buf *why, struct manifest_row *row)
{
    row->kind = MANIFEST_EXCEPT;
    ERR_TRY(read_category(str_next_word(&rest), row->line, why, &row->category));
    row->path = str_next_word(&rest);
    if (row->path.len == 0 || rest.len != 0) {
        return say(why, row->line, "a line of exceptions is \"except CATEGORY FILE\", not",
                   row->path);
    }
    if (category_row(row->category)->tier == TIER_SEALED) {
        return say(why, row->line, "nothing is taken out of a sealed category (F3):", row->path);
    }
    return ERR_OK;
}

static enum err read_unused(struct str rest, struct buf *why, struct manifest_row *row)
{
    row->kind = MANIFEST_UNUSED;
    row->path = str_next_word(&rest);
    return row->path.len != 0 && rest.len != 0
               ? ERR_OK
               : say(why, row->line, "a line of an unused list is \"unused PATH REASON\", not",
                     row->path);
}

static enum err read_row(struct str line, struct buf *why, struct manifest_row *row)
{
    struct str rest = line;
    struct str first = str_next_word(&rest);
    if (str_eq(first, STR("except"))) {
        return read_except(rest, why, row);
    }
    if (str_eq(first, STR("unused"))) {
        return read_unused(rest, why, row);
    }
    return read_list(first, rest, why, row);
}

static enum err rows_add(struct rows *rows, const struct manifest_row *row)
{
    if (rows->n == MANIFEST_ROWS_MAX) {
        return ERR_LIMIT;
    }
    if (rows->n == rows->cap) {
        size_t cap = rows->cap != 0 ? rows->cap * 2 : 64;
        struct manifest_row *p = reallocarray(rows->p, cap, sizeof(*p));
        if (p == NULL) {
            return ERR_MEMORY;
        }
        rows->p = p;
        rows->cap = cap;
    }
    rows->p[rows->n++] = *row;
    return ERR_OK;
}

enum err manifest_parse(struct str text, struct buf *why, struct manifest_row **ret_rows,
                        size_t *ret_n)
{
    struct rows rows = {NULL, 0, 0};
    struct str rest = text;
    enum err err = ERR_OK;
    buf_clear(why);
    for (uint32_t number = 1; rest.len != 0 && err == ERR_OK; number++) {
        struct manifest_row row = {.line = number};
        struct str line;
        (void)str_cut(rest, '\n', &line, &rest);
        (void)str_cut(line, '#', &line, &(struct str){NULL, 0});
        line = str_trim_space(line);
        if (line.len != 0 && read_row(line, why, &row) == ERR_OK) {
            err = rows_add(&rows, &row);
        }
    }
    if (err == ERR_OK && why->len != 0) {
        err = ERR_INVALID;
    }
    if (err != ERR_OK) {
        free(rows.p);
        return err;
    }
    *ret_rows = rows.p;
    *ret_n = rows.n;
    return ERR_OK;
}

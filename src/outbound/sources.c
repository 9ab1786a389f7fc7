/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sources file. */
#include "outbound/sources.h"

enum { SOURCES_MAX = 1000, WORDS_MAX = 6 };

/* Cuts a line at spaces and tabs; the number of words, WORDS_MAX + 1 for too many. */
static size_t split_words(struct str line, struct str words[WORDS_MAX])
{
    size_t n = 0;
    for (struct str word = str_next_word(&line); word.len != 0; word = str_next_word(&line)) {
        if (n == WORDS_MAX) {
            return WORDS_MAX + 1;
        }
        words[n++] = word;
    }
    return n;
}

static void complain(struct buf *why, size_t line, const char *what)
{
    buf_printf(why, "line %zu: %s\n", line, what);
}

static bool fill(struct source *row, const struct str *words, size_t n, struct buf *why)
{
    if (str_eq(words[0], STR("except"))) {
        row->is_except = true;
        if (n != 3) {
            complain(why, row->line, "an except line is: except CATEGORY FILE");
            return false;
        }
        row->category = words[1];
        row->address = words[2];
        return true;
    }
    if (n < 4 || n > 5 || (n == 5 && !str_eq(words[4], STR("sealed")))) {
        complain(why, row->line, "a line is: CATEGORY FORMAT ADDRESS LICENCE [sealed]");
        return false;
    }
    row->category = words[0];
    if (list_format_find(words[1], &row->format) != ERR_OK) {
        complain(why, row->line,
                 "the format is one of domains, hosts, urls, ut1, v2fly, cidr and hashed");
        return false;
    }
    (void)str_cut(words[2], '#', &row->address, &row->member);
    row->licence = words[3];
    row->sealed = n == 5;
    row->remote =
        str_starts(row->address, STR("https://")) || str_starts(row->address, STR("http://"));
    if (!row->remote && str_find(row->address, STR("://")) < row->address.len) {
        complain(why, row->line, "the address must be http, https or the path of a file");
        return false;
    }
    return true;
}

static size_t count_lines(struct str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++) {
        n += text.p[i] == '\n';
    }
    return n;
}

enum err sources_parse(struct str text, struct arena *arena, struct sources *ret_sources,
                       struct buf *why)
{
    size_t lines = count_lines(text);
    struct source *rows =
        arena_array(arena, lines < SOURCES_MAX ? lines : SOURCES_MAX, sizeof(*rows));
    if (rows == NULL) {
        return ERR_MEMORY;
    }
    size_t n = 0;
    bool good = true;
    for (size_t line = 1; text.len != 0; line++) {
        struct str words[WORDS_MAX];
        struct str head;
        struct str note;
        (void)str_cut(text, '\n', &head, &text);
        if (str_starts(str_trim_space(head), STR("#"))) {
            continue;
        }
        /* A comment starts with " #": an address may hold '#'. */
        size_t at = str_find(head, STR(" #"));
        note = str_sub(head, 0, at);
        size_t n_words = split_words(note, words);
        if (n_words == 0) {
            continue;
        }
        if (n == SOURCES_MAX) {
            complain(why, line, "too many lines");
            return ERR_LIMIT;
        }
        rows[n] = (struct source){.line = line};
        if (fill(&rows[n], words, n_words, why)) {
            n++;
        } else {
            good = false;
        }
    }
    if (!good) {
        return ERR_INVALID;
    }
    *ret_sources = (struct sources){.n = n, .rows = rows};
    return ERR_OK;
}

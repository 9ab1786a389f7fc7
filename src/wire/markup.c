/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text given out in runs. */
#include "wire/markup.h"

#include <stdlib.h>

#include "wire/markup_impl.h"

bool markup_form_of_type(struct str type, enum markup_form *ret_form)
{
    static const struct {
        struct str name;
        enum markup_form form;
    } types[] = {
        {STR_INIT("text/html"), MARKUP_HTML},
        {STR_INIT("application/xhtml+xml"), MARKUP_HTML},
        {STR_INIT("image/svg+xml"), MARKUP_HTML},
        {STR_INIT("application/xml"), MARKUP_HTML},
        {STR_INIT("text/xml"), MARKUP_HTML},
        {STR_INIT("application/rss+xml"), MARKUP_HTML},
        {STR_INIT("application/atom+xml"), MARKUP_HTML},
        {STR_INIT("application/json"), MARKUP_JSON},
        {STR_INIT("text/json"), MARKUP_JSON},
        {STR_INIT("text/plain"), MARKUP_PLAIN},
        {STR_INIT("text/markdown"), MARKUP_PLAIN},
        {STR_INIT("text/csv"), MARKUP_PLAIN},
        {STR_INIT("text/event-stream"), MARKUP_PLAIN},
    };
    struct str rest;
    str_cut(type, ';', &type, &rest);
    type = str_trim(type);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq_nocase(type, types[i].name)) {
            *ret_form = types[i].form;
            return true;
        }
    }
    if (type.len > 5 && str_eq_nocase(str_skip(type, type.len - 5), STR("+json"))) {
        *ret_form = MARKUP_JSON;
        return true;
    }
    return false;
}

enum err markup_new(enum markup_form form, markup_fn *fn, void *context, struct markup **ret_markup)
{
    struct markup *markup = calloc(1, sizeof(*markup));
    if (markup == NULL) {
        return ERR_MEMORY;
    }
    markup->form = form;
    markup->fn = fn;
    markup->context = context;
    markup->kind = MARKUP_TEXT;
    markup->text_kind = MARKUP_TEXT;
    markup->spaced = true;
    markup->lined = true;
    *ret_markup = markup;
    return ERR_OK;
}

void markup_free(struct markup *markup)
{
    free(markup);
}

static void flush(struct markup *markup)
{
    if (markup->n_out != 0) {
        markup->fn(markup->context, markup->kind, str_make(markup->out, markup->n_out));
        markup->n_out = 0;
    }
}

static void put(struct markup *markup, enum markup_kind kind, char c)
{
    bool starts = ((unsigned char)c & 0xc0) != 0x80;
    if (kind != markup->kind || markup->n_out == MARKUP_OUT ||
        (starts && markup->n_out > MARKUP_OUT - 4)) {
        flush(markup);
        markup->kind = kind;
    }
    markup->out[markup->n_out++] = c;
}

void markup_break(struct markup *markup, enum markup_kind kind)
{
    if (!markup->lined) {
        put(markup, kind, '\n');
        markup->spaced = true;
        markup->lined = true;
    }
}

void markup_put(struct markup *markup, enum markup_kind kind, char c)
{
    if (kind != markup->kind) {
        markup_break(markup, markup->kind);
    }
    bool space = markup_is_space(c);
    if (!space || !markup->spaced) {
        put(markup, kind, space ? ' ' : c);
        markup->lined = false;
    }
    markup->spaced = space;
}

void markup_put_run(struct markup *markup, enum markup_kind kind, struct str bytes)
{
    while (bytes.len != 0) {
        markup_put(markup, kind, bytes.p[0]);
        bytes = str_skip(bytes, 1);
        size_t room =
            MARKUP_OUT - 4 - (markup->n_out < MARKUP_OUT - 4 ? markup->n_out : MARKUP_OUT - 4);
        size_t n = 0;
        /* A space that is swallowed leaves the kind as it was. */
        while (markup->kind == kind && n < bytes.len && n < room && !markup_is_space(bytes.p[n])) {
            n++;
        }
        if (n != 0) {
            memcpy(markup->out + markup->n_out, bytes.p, n);
            markup->n_out += n;
            markup->spaced = false;
            markup->lined = false;
            bytes = str_skip(bytes, n);
        }
    }
}

size_t markup_utf8(uint32_t c, char to[4])
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (c & 63));
        c >>= 6;
    }
    to[0] = (char)(firsts[n] | c);
    return n;
}

void markup_feed(struct markup *markup, struct str utf8)
{
    if (markup->form == MARKUP_HTML) {
        markup_html(markup, utf8);
    }
    for (size_t i = 0; i < utf8.len && markup->form == MARKUP_JSON; i++) {
        markup_json(markup, utf8.p[i]);
    }
    if (markup->form == MARKUP_PLAIN && utf8.len != 0) {
        markup->fn(markup->context, MARKUP_TEXT, utf8);
    }
    flush(markup);
}

void markup_end(struct markup *markup)
{
    if (markup->form == MARKUP_HTML) {
        markup_html_end(markup);
    }
    flush(markup);
}

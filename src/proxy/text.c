/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A body to its text: the first bytes are gathered, then it streams. */
#include "proxy/text_impl.h"

#include <stdlib.h>

#include "wire/charset.h"

struct text {
    markup_fn *fn;
    void *context;
    bool typed; /* form is by the type */
    enum markup_form form;
    enum charset_hint hint;
    enum charset by_type, otherwise;
    struct charset_decoder *decoder; /* NULL while the head is gathered */
    struct markup *markup;
    bool unread; /* it turned out to be none */
    size_t n_head;
    char head[CHARSET_HEAD];
};

static bool has(struct str type, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= type.len; i++) {
        if (str_eq_nocase(str_sub(type, i, n), str_make(word, n))) {
            return true;
        }
    }
    return false;
}

enum err text_new(struct str type, markup_fn *fn, void *context, struct text **ret_text)
{
    enum markup_form form = MARKUP_PLAIN;
    bool known = markup_form_of_type(type, &form);
    bool typed = str_trim(type).len != 0;
    if (typed && !known) {
        *ret_text = NULL;
        return ERR_OK;
    }
    struct text *text = calloc(1, sizeof(*text));
    if (text == NULL) {
        return ERR_MEMORY;
    }
    bool xml = has(type, "xml") && !has(type, "xhtml");
    text->fn = fn;
    text->context = context;
    text->typed = typed;
    text->form = form;
    text->hint = form != MARKUP_HTML ? CHARSET_HINT_NONE
                 : xml               ? CHARSET_HINT_XML
                                     : CHARSET_HINT_HTML;
    text->by_type = charset_of_type(type);
    text->otherwise = xml || form == MARKUP_JSON ? CHARSET_UTF_8 : CHARSET_WINDOWS_1252;
    *ret_text = text;
    return ERR_OK;
}

void text_free(struct text *text)
{
    if (text == NULL) {
        return;
    }
    charset_close(text->decoder);
    markup_free(text->markup);
    free(text);
}

static void take(void *context, struct str utf8)
{
    struct text *text = context;
    markup_feed(text->markup, utf8);
}

/* What has no type is told by its first byte that is no space. */
static void guess(struct text *text, struct str head)
{
    struct str start = str_trim_space(head);
    char first = start.len != 0 ? start.p[0] : 0;
    bool json = first == '{' || first == '[';
    bool binary = head.len != 0 && memchr(head.p, 0, head.len) != NULL;
    text->form = first == '<' ? MARKUP_HTML : json ? MARKUP_JSON : MARKUP_PLAIN;
    text->hint = first == '<' ? CHARSET_HINT_HTML : CHARSET_HINT_NONE;
    text->otherwise = json ? CHARSET_UTF_8 : CHARSET_WINDOWS_1252;
    text->unread = binary;
}

static enum err begin(struct text *text)
{
    struct str head = str_make(text->head, text->n_head);
    size_t skip = 0;
    enum charset charset = charset_of_body(head, text->by_type, text->hint, text->otherwise, &skip);
    if (!text->typed) {
        guess(text, str_skip(head, skip));
        charset = charset_of_body(head, text->by_type, text->hint, text->otherwise, &skip);
        text->unread = text->unread && skip == 0; /* UTF-16 has zeros, and says so */
    }
    ERR_TRY(markup_new(text->form, text->fn, text->context, &text->markup));
    ERR_TRY(charset_open(charset, take, text, &text->decoder));
    if (!text->unread) {
        charset_feed(text->decoder, str_skip(head, skip));
    }
    return ERR_OK;
}

enum err text_feed(struct text *text, struct str bytes)
{
    if (text->decoder == NULL) {
        struct str some = str_sub(bytes, 0, CHARSET_HEAD - text->n_head);
        if (some.len != 0) {
            memcpy(text->head + text->n_head, some.p, some.len);
        }
        text->n_head += some.len;
        bytes = str_skip(bytes, some.len);
        if (text->n_head < CHARSET_HEAD) {
            return ERR_OK;
        }
        ERR_TRY(begin(text));
    }
    if (!text->unread) {
        charset_feed(text->decoder, bytes);
    }
    return ERR_OK;
}

enum err text_end(struct text *text)
{
    if (text->decoder == NULL) {
        ERR_TRY(begin(text));
    }
    if (!text->unread) {
        charset_end(text->decoder);
        markup_end(text->markup);
    }
    return ERR_OK;
}

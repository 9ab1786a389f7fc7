/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a body as a person gets to read it, out of HTML, JSON or plain text, as it streams.
 *
 * HTML is read by the tokenizer of the WHATWG standard, without its tree: text, the attributes that
 * people see or that carry text, what pages say of themselves in <meta>, strings of JSON in
 * scripts. Scripts, styles, comments and what browsers with scripts never show (noscript, noframes)
 * are left out; templates are not, since scripts show them later. References are decoded. What is
 * read as markup never depends on how the bytes come in pieces. Memory is constant.
 */
#ifndef LODGE_WIRE_MARKUP_H
#define LODGE_WIRE_MARKUP_H

#include "base/err.h"
#include "base/str.h"

enum markup_form {
    MARKUP_PLAIN,
    MARKUP_HTML, /* XHTML and SVG too */
    MARKUP_JSON, /* names and strings, a line each */
};

/* The form of a media type; false for types that have no text. */
bool markup_form_of_type(struct str type, enum markup_form *ret_form);

enum markup_kind {
    MARKUP_UNSET,
    MARKUP_TEXT,      /* of the page, a block a line; white space is one space */
    MARKUP_TITLE,     /* of <title> */
    MARKUP_ATTRIBUTE, /* alt, title, placeholder, value, labels; a line each */
    MARKUP_META,      /* description, keywords, titles for others (og:, twitter:); a line each */
    MARKUP_DATA,      /* strings of JSON */
};

/* A run of one kind; the next run of that kind goes on where it ended. Whole characters, as far as
 * what was fed is UTF-8. */
typedef void markup_fn(void *context, enum markup_kind kind, struct str utf8);

struct markup;

MUST_USE enum err markup_new(enum markup_form form, markup_fn *fn, void *context,
                             struct markup **ret_markup);
void markup_free(struct markup *markup);

/* UTF-8, cut between characters. What it gives is given out before this returns, but for what is
 * not known yet to be text. */
void markup_feed(struct markup *markup, struct str utf8);
void markup_end(struct markup *markup);

#endif

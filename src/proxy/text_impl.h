/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A decoded body to the text in it: its form by its type, its encoding by its first bytes
 * (wire/charset.h), its text by wire/markup.h. Constant memory. */
#ifndef LODGE_PROXY_TEXT_IMPL_H
#define LODGE_PROXY_TEXT_IMPL_H

#include "base/err.h"
#include "base/str.h"
#include "wire/markup.h"

struct text;

/* *ret_text is NULL where bodies of this media type have none; without a type a body's first bytes
 * say what it is, as they do to browsers. ERR_MEMORY. */
MUST_USE enum err text_new(struct str type, markup_fn *fn, void *context, struct text **ret_text);
void text_free(struct text *text);

/* ERR_MEMORY, ERR_SYSTEM: the text cannot be had; do not call again. */
MUST_USE enum err text_feed(struct text *text, struct str bytes);
MUST_USE enum err text_end(struct text *text);

#endif

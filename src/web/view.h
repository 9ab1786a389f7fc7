/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What compiled views are made of (tools/templates.py, docs/views.md): writers of one value of the
 * document, chosen by where it stands. A value that is missing, null, or neither text nor number
 * nor truth is written as nothing; fractions are not written (a document brings them as text). */
#ifndef LODGE_WEB_VIEW_H
#define LODGE_WEB_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* An element's content or a double-quoted attribute: html_text, without carriage returns, which the
 * forms of browsers bring. */
void view_text(struct buf *to, const json_t *value);
/* A part of a URL behind its first literal characters: html_url_part. */
void view_url_part(struct buf *to, const json_t *value);
/* All of a URL, or its beginning: html_url_whole. */
void view_url_whole(struct buf *to, const json_t *value);

/* False for what is missing, null, false, 0, and empty texts, lists and objects. */
bool view_is_true(const json_t *value);
/* Whether a text, or a number or truth as it would be written, is this one. */
bool view_equals(const json_t *value, struct str text);
/* Whether both are there and would be written alike. */
bool view_same(const json_t *one, const json_t *other);

#endif

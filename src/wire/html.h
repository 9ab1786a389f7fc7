/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text into HTML: the only door. */
#ifndef LODGE_WIRE_HTML_H
#define LODGE_WIRE_HTML_H

#include "base/buf.h"
#include "base/str.h"

/* Appends text for an element's content or a double-quoted attribute: & < > " ' are escaped;
 * control characters but tab and line feed, and bytes that are not UTF-8, become U+FFFD. */
void html_text(struct buf *to, struct str text);

/* Appends text as a part of a URL in an attribute, behind its first literal characters: letters,
 * digits and - . _ ~ : as they are, all other bytes escaped (RFC 3986 section 2.1). */
void html_url_part(struct buf *to, struct str text);

/* Appends text as all of a URL in an attribute, where it is one that a page may lead to: a path of
 * the same host ("/" without a second "/" or "\\"), "#...", "?...", http, https, mailto or tel.
 * Anything else, javascript: above all, becomes "#". */
void html_url_whole(struct buf *to, struct str text);

#endif

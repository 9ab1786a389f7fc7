/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text into HTML: the only door. */
#ifndef LODGE_WIRE_HTML_H
#define LODGE_WIRE_HTML_H

#include "base/buf.h"
#include "base/str.h"

/* Appends text for an element's content or a double-quoted attribute: & < > " ' are escaped;
 * control characters but tab and line feed, and bytes that are not UTF-8, become U+FFFD. */
void html_text(struct buf *to, struct str text);

#endif

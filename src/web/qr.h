/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QR codes (ISO/IEC 18004) as SVG. */
#ifndef LODGE_WEB_QR_H
#define LODGE_WEB_QR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends an SVG image that scales, with the quiet zone of four modules. ERR_LIMIT for a text that
 * no code holds (over about 2,900 bytes) or that `to` does not; ERR_INVALID for an empty one or a
 * NUL in it. */
MUST_USE enum err qr_print_svg(struct str text, struct buf *to);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text as people compare it: one form for one text, and one key for texts that differ in nothing
 * but case, marks and blanks. */
#ifndef LODGE_WIRE_FOLD_H
#define LODGE_WIRE_FOLD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* What text may hold. */
enum fold_fault {
    FOLD_FINE,
    FOLD_NOT_UTF8,
    FOLD_CONTROL,   /* C0 and C1 but tab, CR and LF; U+2028, U+2029 */
    FOLD_DIRECTION, /* marks that turn the direction of text and so hide what it says (Unicode
                       TR 36 section 2.5): U+202A to U+202E, U+2066 to U+2069 */
    FOLD_UNSEEN,    /* U+00AD, U+200B, U+2060, U+FEFF, tags, and what is no character */
};

/* Looks through text; the first fault, and the number of its characters where there is none. */
enum fold_fault fold_check(struct str text, size_t *ret_characters);

/* Appends text, which fold_check found fine, in Unicode's composed form (NFC). ERR_MEMORY, or what
 * the buffer says. */
MUST_USE enum err fold_compose(struct str text, struct buf *to);

/* Appends the key of text: case folded, compatibility forms and marks taken off ("Zoë" is "zoe",
 * "Łukasz" is "lukasz", "Straße" is "strasse"), typographic apostrophes and hyphens as on a
 * keyboard, runs of white space one space, none at the ends. Same errors. */
MUST_USE enum err fold_key(struct str text, struct buf *to);

#endif

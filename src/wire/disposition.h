/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file names in a Content-Disposition (RFC 6266). */
#ifndef LODGE_WIRE_DISPOSITION_H
#define LODGE_WIRE_DISPOSITION_H

#include <stdbool.h>

#include "base/str.h"

enum { DISPOSITION_NAMES_MAX = 4, DISPOSITION_NAME_MAX = 512 };

struct disposition {
    unsigned n; /* names given: as filename, filename*, or both, once or more often */
    struct {
        unsigned short len;
        char text[DISPOSITION_NAME_MAX]; /* escapes taken off; the last bytes of a longer one */
    } names[DISPOSITION_NAMES_MAX];
};

static inline struct str disposition_name(const struct disposition *disposition, unsigned i)
{
    return str_make(disposition->names[i].text, disposition->names[i].len);
}

/* Reads a value as browsers do: a broken one gives what it gives. Which of several names a browser
 * takes differs, so all are given; the last ones where there are more than the maximum. */
void disposition_parse(struct str value, struct disposition *ret_disposition);

#endif

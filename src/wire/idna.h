/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Domain to ASCII (UTS 46, as the WHATWG URL standard calls it), for wire/host.c alone. */
#ifndef LODGE_WIRE_IDNA_H
#define LODGE_WIRE_IDNA_H

#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

/* Longest domain taken, in bytes of UTF-8: 253 of ASCII never come from more but by characters that
 * UTS 46 leaves out. */
enum { IDNA_INPUT_MAX = 1024 };

/* The ASCII form of a domain in UTF-8, without a NUL. Lower case, but labels' lengths, empty labels
 * and forbidden code points are left for the caller to check. ERR_INVALID for what UTS 46 refuses
 * (non-transitional, CheckBidi, CheckJoiners) or what libidn2 cannot judge, and for a result that
 * is longer than a host. */
MUST_USE enum err idna_to_ascii(struct str domain, char to[LIMIT_HOST_LEN + 1], size_t *ret_len);

/* True where a label starts with "xn--" in any case. */
static inline bool idna_is_encoded(struct str label)
{
    return label.len >= 4 && label.p[2] == '-' && label.p[3] == '-' &&
           ascii_lower(label.p[0]) == 'x' && ascii_lower(label.p[1]) == 'n';
}

#endif

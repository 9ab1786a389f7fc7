/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Domain to ASCII (UTS 46, as the WHATWG URL standard calls it), for wire/host.c alone. */
#ifndef LODGE_WIRE_IDNA_H
#define LODGE_WIRE_IDNA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

/* Longest domain taken, in bytes of UTF-8: 253 of ASCII never come from more but by characters that
 * UTS 46 leaves out. */
enum { IDNA_INPUT_MAX = 1024 };

/* A host, and a dot behind it. */
enum { IDNA_OUTPUT_MAX = LIMIT_HOST_LEN + 1 };

/* The ASCII form of a domain in UTF-8 that is not ASCII (which needs none), without a NUL. Labels'
 * lengths, empty labels and forbidden code points are left for the caller to check. ERR_INVALID for
 * what UTS 46 refuses (non-transitional, CheckBidi, CheckJoiners), what libidn2 refuses beyond it,
 * and for a result over IDNA_OUTPUT_MAX. */
MUST_USE enum err idna_to_ascii(struct str domain, char to[IDNA_OUTPUT_MAX], size_t *ret_len);

bool idna_is_ascii(struct str text);

#endif

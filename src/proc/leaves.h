/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed leaves, remembered by host; and which hosts may have one.
 *
 * All workers and their successors share them, since the notary keeps them. When there is no room
 * the one that was longest not asked for goes.
 */
#ifndef LODGE_PROC_LEAVES_H
#define LODGE_PROC_LEAVES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "wire/host.h"

struct leaves;

/* Room for max leaves (1 to 65536). ERR_MEMORY. */
MUST_USE enum err leaves_new(size_t max, struct leaves **ret_leaves);
void leaves_free(struct leaves *leaves);

/* The leaf (DER) of a host; holds until the next put or clear. */
bool leaves_find(struct leaves *leaves, const struct host *host, struct str *ret_der);

/* Remembers a copy, instead of an older one of the same host. ERR_MEMORY: it is not remembered. */
MUST_USE enum err leaves_put(struct leaves *leaves, const struct host *host, struct str der);

/* Forgets all: the key under them has changed. */
void leaves_clear(struct leaves *leaves);

/* True where a leaf may be signed for this canonical host: an address, or a name of letters,
 * digits, hyphens and underscores, so that no leaf holds for more than one name (RFC 6125 section
 * 6.4.3 gives '*' a meaning, which a URL's host does not). */
bool leaves_may_hold(const struct host *host);

#endif

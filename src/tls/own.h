/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate of a server of our own, the console's: signed by itself, or the school's. */
#ifndef LODGE_TLS_OWN_H
#define LODGE_TLS_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "tls/server.h"
#include "wire/host.h"

enum { OWN_DAYS = 398, OWN_NAMES_MAX = 32 };

/* A new ECDSA P-256 key (PKCS #8, PEM) and a certificate (PEM) that it signs itself, for these
 * names and addresses (at least one), for OWN_DAYS days from now (CA/Browser Forum BR 6.3.2), fit
 * for a server and nothing else. The caller wipes the key. ERR_INVALID, ERR_MEMORY. */
MUST_USE enum err own_make(const struct host *names, size_t n_names, int64_t now_ms,
                           struct buf *ret_key, struct buf *ret_certificate);

/* Whether the first certificate of a PEM text is for all of these. */
bool own_is_for(struct str certificate, const struct host *names, size_t n_names);

/* Reads a key and a chain in PEM (the server's certificate first; the key EC of 256 bits or RSA of
 * 2048 and more, not encrypted) as what a server shows. They must belong together and hold now.
 * ERR_INVALID with *ret_why, a static sentence; ERR_MEMORY. */
MUST_USE enum err own_open(struct str key, struct str certificate, int64_t now_ms,
                           struct tls_leaf **ret_leaf, const char **ret_why);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate of a server of our own, the console's: the gate's CA's, signed by itself, or the
 * school's. */
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

enum { OWN_DAYS = AUTHORITY_SERVER_DAYS, OWN_NAMES_MAX = AUTHORITY_SERVER_HOSTS };

/* A new ECDSA P-256 key (PKCS #8, PEM) and a certificate (PEM) that it signs itself, for these
 * names and addresses (at least one), for OWN_DAYS days from now (CA/Browser Forum BR 6.3.2), fit
 * for a server and nothing else. The caller wipes the key. ERR_INVALID, ERR_MEMORY. */
MUST_USE enum err own_make(const struct host *names, size_t n_names, int64_t now_ms,
                           struct buf *ret_key, struct buf *ret_certificate);

/* Whether the first certificate of a PEM text is for all of these. */
bool own_is_for(struct str certificate, const struct host *names, size_t n_names);

/* Whether the first certificate of a PEM text was signed by the first of these DERs. */
bool own_is_from(struct str certificate, struct str chain);

/* A key as PEM (PKCS #8; the caller wipes it), and a certificate with those behind it, as own_open
 * reads them. ERR_INVALID for what is no certificate, ERR_MEMORY. */
MUST_USE enum err own_print_key(const struct tls_key *key, struct buf *ret_pem);
MUST_USE enum err own_print_chain(struct str der, struct str chain, struct buf *ret_pem);

/* Reads a key and a chain in PEM (the server's certificate first; the key EC of 256 bits or RSA of
 * 2048 and more, not encrypted) as what a server shows. They must belong together and hold now.
 * ERR_INVALID with *ret_why, a static sentence; ERR_MEMORY. */
MUST_USE enum err own_open(struct str key, struct str certificate, int64_t now_ms,
                           struct tls_leaf **ret_leaf, const char **ret_why);

#endif

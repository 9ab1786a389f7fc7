/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The school's certificate authority: made once, then signs leaves. Held by the notary alone.
 *
 * A leaf is for one host, under a key that all leaves of a day share: ECDSA P-256, SAN only,
 * serverAuth, a random serial of 64 bits or more, valid from a day ago for 90 days (of 398 that are
 * allowed) and never beyond the CA (CA/Browser Forum BR 6.3.2, RFC 5280).
 */
#ifndef LODGE_TLS_AUTHORITY_H
#define LODGE_TLS_AUTHORITY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/host.h"

struct authority;

/* A new CA: an ECDSA P-256 key (PKCS #8, PEM) and its self-signed certificate (PEM) for ten years,
 * pathlen 0, with this common name ("Lodge at oak-primary"; at most 64 bytes of printable text).
 * ERR_INVALID, ERR_MEMORY. key is wiped by the caller (buf_wipe or its own means). */
MUST_USE enum err authority_make(struct str name, int64_t now_ms, struct buf *ret_key,
                                 struct buf *ret_certificate);

/* Reads a key and certificate in PEM (the certificate first, intermediates may follow; the key
 * EC or RSA of 2048 bits and more, not encrypted). They must belong together, and the certificate
 * be a CA that holds now. ERR_INVALID with *ret_why, a static sentence that says what to do. */
MUST_USE enum err authority_open(struct str key, struct str certificate, int64_t now_ms,
                                 struct authority **ret_authority, const char **ret_why);
void authority_free(struct authority *authority);

/* The certificates behind a leaf, as DER one behind the other: the CA's and its intermediates. */
MUST_USE enum err authority_chain(const struct authority *authority, struct buf *ret_der);
/* The CA's certificate as PEM, and as DER (for devices). */
MUST_USE enum err authority_pem(const struct authority *authority, struct buf *ret_pem);

/* A leaf for host (a name, or an address as an IP SAN) and the public key of leaf_key (below), as
 * DER. ERR_INVALID for a host that is none, ERR_MEMORY. */
struct tls_key;
MUST_USE enum err authority_sign(const struct authority *authority, const struct host *host,
                                 const struct tls_key *leaf_key, int64_t now_ms,
                                 struct buf *ret_der);

/* A certificate for a server of our own, for all of these hosts (1 to AUTHORITY_SERVER_HOSTS),
 * under the public half of its key: as a leaf, but for AUTHORITY_SERVER_DAYS. ERR_INVALID,
 * ERR_MEMORY. */
enum { AUTHORITY_SERVER_DAYS = 398, AUTHORITY_SERVER_HOSTS = 32 };
MUST_USE enum err authority_sign_server(const struct authority *authority, const struct host *hosts,
                                        size_t n_hosts, const struct tls_key *public_key,
                                        int64_t now_ms, struct buf *ret_der);

/* --- the key under the leaves -------------------------------------------------------------------
 */

/* A new ECDSA P-256 key. */
MUST_USE enum err tls_key_make(struct tls_key **ret_key);
/* As DER (PKCS #8) and back; for the line between the notary and a worker. */
MUST_USE enum err tls_key_print(const struct tls_key *key, struct buf *ret_der);
MUST_USE enum err tls_key_read(struct str der, struct tls_key **ret_key);
/* Its public half as DER (SubjectPublicKeyInfo) and back: a key that signs nothing. */
MUST_USE enum err tls_key_print_public(const struct tls_key *key, struct buf *ret_der);
MUST_USE enum err tls_key_read_public(struct str der, struct tls_key **ret_key);
void tls_key_free(struct tls_key *key);

#endif

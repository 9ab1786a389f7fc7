/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: the authority's insides, and what certificates it makes have in common. */
#ifndef LODGE_TLS_AUTHORITY_IMPL_H
#define LODGE_TLS_AUTHORITY_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "wire/host.h"

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * behind; /* intermediates, each the issuer of the one before */
    int64_t from_s;          /* the certificate's own life, UTC seconds */
    int64_t until_s;
};

enum { AUTHORITY_DAY_S = 24 * 3600 };

/* Version 3, a serial of 128 random bits, a life (UTC seconds) and a public key. */
bool x509_begin(X509 *certificate, EVP_PKEY *key, int64_t from_s, int64_t until_s);
/* keyUsage (critical) of these KU_ bits of X509v3. */
bool x509_add_usage(X509 *certificate, uint32_t bits);
bool x509_add_basic(X509 *certificate, bool is_ca);
/* subjectKeyIdentifier: the first 160 bits of SHA-256 of the key (RFC 7093 section 2, method 1). */
bool x509_add_subject_key_id(X509 *certificate);

/* subjectAltName: names and addresses. extendedKeyUsage: a server's. */
bool x509_add_names(X509 *certificate, const struct host *hosts, size_t n_hosts);
bool x509_add_server_purpose(X509 *certificate);

/* UTC seconds; false for what is no time. */
bool x509_seconds(const ASN1_TIME *time, int64_t *ret_s);

#endif

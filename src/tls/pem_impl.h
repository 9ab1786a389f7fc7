/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: certificates and OpenSSL's objects from text and to buffers. */
#ifndef LODGE_TLS_PEM_IMPL_H
#define LODGE_TLS_PEM_IMPL_H

#include <stdbool.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* All certificates of a PEM text, in their order. strict: a block that cannot be read is
 * ERR_INVALID; else it is passed over. */
MUST_USE enum err pem_certificates(struct str pem, bool strict, STACK_OF(X509) * *ret_list);

/* All certificates of DERs that stand one behind the other. */
MUST_USE enum err der_certificates(struct str der, STACK_OF(X509) * *ret_list);
MUST_USE enum err der_append(X509 *certificate, struct buf *to);

MUST_USE enum err pem_print_certificate(X509 *certificate, struct buf *to);
/* PKCS #8, not encrypted; by memory that OpenSSL wipes. */
MUST_USE enum err pem_print_key(EVP_PKEY *key, struct buf *to);
/* NULL where there is none, or it is encrypted. The caller frees it. */
EVP_PKEY *pem_read_key(struct str pem);

/* The contents of a memory BIO, appended. */
MUST_USE enum err bio_append(BIO *bio, struct buf *to);

#endif

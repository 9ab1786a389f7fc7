/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: what a stapled OCSP answer says of a certificate. */
#ifndef LODGE_TLS_STAPLE_IMPL_H
#define LODGE_TLS_STAPLE_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/str.h"

enum staple {
    STAPLE_UNSET,
    STAPLE_NONE, /* none that holds: absent, broken, of another, not signed as it must be, stale */
    STAPLE_GOOD,
    STAPLE_REVOKED, /* however old: what was taken back stays so */
};

/* der: an OCSPResponse (RFC 6960 section 4.2), or empty. The signer is the issuer, or a delegate
 * that it made for this (section 4.2.2.2), current at now_ms; dates may be off by some minutes. */
enum staple staple_judge(struct str der, X509 *certificate, X509 *issuer, int64_t now_ms);

/* Whether the certificate demands a staple (RFC 7633: the feature status_request). */
bool staple_is_due(const X509 *certificate);

#endif

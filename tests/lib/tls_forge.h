/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates and stapled answers for tests: good ones, and ones with each fault. */
#ifndef LODGE_TESTS_TLS_FORGE_H
#define LODGE_TESTS_TLS_FORGE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"

enum forge_key { FORGE_P256, FORGE_RSA_2048, FORGE_RSA_1024, FORGE_P384 };

/* How a certificate is to be; what is not said is as it should be. Times in days from
 * TLS_RIG_NOW_MS; 0 and 0: from 10 days ago for 90. */
struct forge {
    enum forge_key key;
    const char *common_name;
    const char *san; /* as for openssl(1): "DNS:a.example,IP:192.0.2.1" */
    bool ca;
    bool sha1;
    bool must_staple;
    int purpose; /* NID of an extended key usage; 0: none */
    int from_day, until_day;
};

struct forged {
    X509 *certificate;
    EVP_PKEY *key;
};

/* issuer NULL: signs itself. */
struct forged forge(const struct forge *how, const struct forged *issuer);
void forged_free(struct forged *forged);
void forged_pem(const struct forged *forged, struct buf *certificate);
void forged_key_pem(const struct forged *forged, const char *password, struct buf *key);
void forged_der(const struct forged *forged, struct buf *certificate);

/* An OCSP answer about a certificate of issuer's. */
struct forge_staple {
    const struct forged *signer; /* shown along where it is not the issuer */
    const struct forged *about;
    bool revoked;
    bool unknown;
    bool sha1;
    bool no_next;
    int from_day, next_day; /* 0 and 0: from yesterday until in a week */
};
void forge_staple(const struct forge_staple *how, const struct forged *issuer, struct buf *der);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: a leaf, and what of it its sessions hold too. */
#ifndef LODGE_TLS_LEAF_IMPL_H
#define LODGE_TLS_LEAF_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

/* What a server shows; freed with its last holder. */
struct credential {
    size_t holders;
    X509 *certificate;
    EVP_PKEY *key;
    STACK_OF(X509) * behind; /* what is sent behind it */
};

struct tls_leaf {
    int64_t until_ms;
    struct credential *credential;
};

/* The same one, held once more. */
struct credential *credential_hold(struct credential *credential);
void credential_free(struct credential *credential);

#endif

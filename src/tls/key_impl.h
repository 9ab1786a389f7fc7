/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: keys as OpenSSL has them. */
#ifndef LODGE_TLS_KEY_IMPL_H
#define LODGE_TLS_KEY_IMPL_H

#include <openssl/evp.h>

struct tls_key {
    EVP_PKEY *pkey;
};

#endif

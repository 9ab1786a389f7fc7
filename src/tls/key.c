/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key under the leaves. */
#include <stdlib.h>
#include <limits.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "tls/authority.h"
#include "tls/key_impl.h"
#include "tls/library_impl.h"

static enum err key_of(EVP_PKEY *pkey, struct tls_key **ret_key)
{
    struct tls_key *key = pkey != NULL ? malloc(sizeof(*key)) : NULL;
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return ERR_MEMORY;
    }
    key->pkey = pkey;
    *ret_key = key;
    return ERR_OK;
}

enum err tls_key_make(struct tls_key **ret_key)
{
    ERR_TRY(library_start());
    return key_of(EVP_EC_gen("P-256"), ret_key);
}

enum err tls_key_print(const struct tls_key *key, struct buf *ret_der)
{
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    if (n < 0) {
        return ERR_MEMORY;
    }
    buf_append(ret_der, str_make((const char *)der, (size_t)n));
    OPENSSL_clear_free(der, (size_t)n);
    return buf_err(ret_der);
}

/* The two groups that name a curve alike. */
static bool is_p256(const EVP_PKEY *pkey)
{
    char name[32];
    size_t n = 0;
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, name, sizeof(name), &n) == 1 &&
           (str_eq(str_make(name, n), STR("prime256v1")) ||
            str_eq(str_make(name, n), STR("P-256")));
}

enum err tls_key_read(struct str der, struct tls_key **ret_key)
{
    if (der.len == 0 || der.len > INT_MAX) {
        return ERR_INVALID;
    }
    ERR_TRY(library_start());
    const unsigned char *at = (const unsigned char *)der.p;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    bool whole = info != NULL && at == (const unsigned char *)der.p + der.len;
    EVP_PKEY *pkey = whole ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    if (pkey == NULL || !is_p256(pkey)) {
        EVP_PKEY_free(pkey);
        return ERR_INVALID;
    }
    return key_of(pkey, ret_key);
}

enum err tls_key_print_public(const struct tls_key *key, struct buf *ret_der)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key->pkey, &der);
    ERR_clear_error();
    if (n < 0) {
        return ERR_MEMORY;
    }
    buf_append(ret_der, str_make((const char *)der, (size_t)n));
    OPENSSL_free(der);
    return buf_err(ret_der);
}

enum err tls_key_read_public(struct str der, struct tls_key **ret_key)
{
    if (der.len == 0 || der.len > INT_MAX) {
        return ERR_INVALID;
    }
    ERR_TRY(library_start());
    const unsigned char *at = (const unsigned char *)der.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)der.len);
    bool whole = pkey != NULL && at == (const unsigned char *)der.p + der.len;
    ERR_clear_error();
    if (!whole || !is_p256(pkey)) {
        EVP_PKEY_free(pkey);
        return ERR_INVALID;
    }
    return key_of(pkey, ret_key);
}

void tls_key_free(struct tls_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

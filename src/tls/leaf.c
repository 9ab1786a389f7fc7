/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Leaves as sessions use them. */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/authority_impl.h"
#include "tls/key_impl.h"
#include "tls/leaf_impl.h"
#include "tls/pem_impl.h"
#include "tls/server.h"

/* A root is enrolled on the device or the chain is worth nothing: it is not sent. */
static void drop_roots(STACK_OF(X509) * list)
{
    for (int i = sk_X509_num(list) - 1; i >= 0; i--) {
        if ((X509_get_extension_flags(sk_X509_value(list, i)) & EXFLAG_SS) != 0) {
            X509_free(sk_X509_delete(list, i));
        }
    }
}

static enum err fill(struct credential *credential, struct str der, struct str chain)
{
    const unsigned char *at = (const unsigned char *)der.p;
    const unsigned char *end = at + der.len;
    credential->certificate = der.len != 0 ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    if (credential->certificate == NULL || at != end ||
        X509_check_private_key(credential->certificate, credential->key) != 1) {
        return ERR_INVALID;
    }
    ERR_TRY(der_certificates(chain, &credential->behind));
    X509 *issuer = sk_X509_value(credential->behind, 0); /* NULL where there is none */
    if (issuer != NULL && X509_check_issued(issuer, credential->certificate) != X509_V_OK) {
        return ERR_INVALID;
    }
    drop_roots(credential->behind);
    return ERR_OK;
}

static enum err make(struct str der, struct str chain, EVP_PKEY *key, struct tls_leaf *leaf)
{
    int64_t until_s = 0;
    struct credential *credential = calloc(1, sizeof(*credential));
    if (credential == NULL) {
        return ERR_MEMORY;
    }
    *credential = (struct credential){.holders = 1, .key = key};
    EVP_PKEY_up_ref(key);
    leaf->credential = credential;
    ERR_TRY(fill(credential, der, chain));
    if (!x509_seconds(X509_get0_notAfter(credential->certificate), &until_s)) {
        return ERR_INVALID;
    }
    leaf->until_ms = until_s * 1000;
    return ERR_OK;
}

enum err tls_leaf_new(struct str der, struct str chain, const struct tls_key *key,
                      struct tls_leaf **ret_leaf)
{
    struct tls_leaf *leaf = calloc(1, sizeof(*leaf));
    if (leaf == NULL) {
        return ERR_MEMORY;
    }
    enum err err = make(der, chain, key->pkey, leaf);
    ERR_clear_error();
    if (err != ERR_OK) {
        tls_leaf_free(leaf);
        return err;
    }
    *ret_leaf = leaf;
    return ERR_OK;
}

void tls_leaf_free(struct tls_leaf *leaf)
{
    if (leaf != NULL) {
        credential_free(leaf->credential);
        free(leaf);
    }
}

int64_t tls_leaf_until_ms(const struct tls_leaf *leaf)
{
    return leaf->until_ms;
}

struct credential *credential_hold(struct credential *credential)
{
    credential->holders++;
    return credential;
}

void credential_free(struct credential *credential)
{
    if (credential != NULL && --credential->holders == 0) {
        X509_free(credential->certificate);
        EVP_PKEY_free(credential->key);
        sk_X509_pop_free(credential->behind, X509_free);
        free(credential);
    }
}

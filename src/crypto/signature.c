/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signatures by libcrypto. */
#include "crypto/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum { POINT_BYTES = 32, RSA_BYTES_MIN = 256, RSA_BYTES_MAX = 512 };

static bool verify(EVP_PKEY *key, const EVP_MD *digest, struct str message, struct str signature)
{
    EVP_MD_CTX *context = key != NULL ? EVP_MD_CTX_new() : NULL;
    bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.len,
                                 (const unsigned char *)message.p, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return good;
}

/* NULL for numbers that are no key. */
static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

bool signature_is_es256(struct str x, struct str y, struct str message, struct str signature)
{
    unsigned char point[1 + 2 * POINT_BYTES] = {4}; /* uncompressed */
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder;
    if (x.len != POINT_BYTES || y.len != POINT_BYTES) {
        return false;
    }
    memcpy(point + 1, x.p, POINT_BYTES);
    memcpy(point + 1 + POINT_BYTES, y.p, POINT_BYTES);
    builder = OSSL_PARAM_BLD_new();
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
            1) {
        key = key_of("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return verify(key, EVP_sha256(), message, signature);
}

bool signature_is_rs256(struct str n, struct str e, struct str message, struct str signature)
{
    EVP_PKEY *key = NULL;
    if (n.len < RSA_BYTES_MIN || n.len > RSA_BYTES_MAX || e.len == 0 || e.len > 8) {
        return false;
    }
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.p, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.p, (int)e.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (modulus != NULL && exponent != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        key = key_of("RSA", builder);
    }
    bool good = verify(key, EVP_sha256(), message, signature);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return good;
}

bool signature_is_ed25519(struct str x, struct str message, struct str signature)
{
    if (x.len != POINT_BYTES) {
        return false;
    }
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.p, x.len);
    return verify(key, NULL, message, signature);
}

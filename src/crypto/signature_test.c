/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/num.h"
#include "lib/test.h"

static struct str hex(const char *text, char *to)
{
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        to[i] = (char)(ascii_hex(text[2 * i]) << 4 | ascii_hex(text[2 * i + 1]));
    }
    return str_make(to, n);
}

TEST(the_first_vectors_of_RFC_8032_hold)
{
    char key[32];
    char signature[64];
    struct str x = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", key);
    struct str good = hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
                          signature);
    assert_true(signature_is_ed25519(x, STR(""), good));
    assert_false(signature_is_ed25519(x, STR("a"), good));
    signature[3] = (char)(signature[3] ^ 1);
    assert_false(signature_is_ed25519(x, STR(""), good));
    assert_false(signature_is_ed25519(str_sub(x, 0, 31), STR(""), good));
}

static struct str sign(EVP_PKEY *key, struct str message, unsigned char *to, size_t max)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = max;
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, to, &len, (const unsigned char *)message.p, message.len), 1);
    EVP_MD_CTX_free(context);
    return str_make((const char *)to, len);
}

static struct str number_of(EVP_PKEY *key, const char *name, unsigned char *to, size_t len)
{
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    assert_int_equal(BN_bn2binpad(number, to, (int)len), (int)len);
    BN_free(number);
    return str_make((const char *)to, len);
}

TEST(a_signature_with_p256_is_for_its_key_and_message)
{
    unsigned char x[32];
    unsigned char y[32];
    unsigned char bytes[128];
    EVP_PKEY *key = EVP_EC_gen("prime256v1");
    struct str px = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, x, sizeof(x));
    struct str py = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, y, sizeof(y));
    struct str good = sign(key, STR("message"), bytes, sizeof(bytes));
    assert_true(signature_is_es256(px, py, STR("message"), good));
    assert_false(signature_is_es256(px, py, STR("massage"), good));
    assert_false(signature_is_es256(py, px, STR("message"), good)); /* on no curve */
    assert_false(signature_is_es256(px, py, STR("message"), str_sub(good, 0, good.len - 1)));
    assert_false(signature_is_es256(px, py, STR("message"), STR("")));
    EVP_PKEY_free(key);
}

TEST(a_signature_with_rsa_is_for_its_key_and_message)
{
    unsigned char n[256];
    unsigned char e[3];
    unsigned char bytes[256];
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct str pn = number_of(key, OSSL_PKEY_PARAM_RSA_N, n, sizeof(n));
    struct str pe = number_of(key, OSSL_PKEY_PARAM_RSA_E, e, sizeof(e));
    struct str good = sign(key, STR("message"), bytes, sizeof(bytes));
    assert_true(signature_is_rs256(pn, pe, STR("message"), good));
    assert_false(signature_is_rs256(pn, pe, STR("massage"), good));
    assert_false(signature_is_rs256(str_sub(pn, 0, 128), pe, STR("message"), good));
    EVP_PKEY_free(key);
}

TESTS_MAIN(unit(the_first_vectors_of_RFC_8032_hold),
           unit(a_signature_with_p256_is_for_its_key_and_message),
           unit(a_signature_with_rsa_is_for_its_key_and_message))

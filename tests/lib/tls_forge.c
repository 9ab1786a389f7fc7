/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/tls_forge.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "lib/test.h"
#include "lib/tls_rig.h"

enum { DAY_S = 24 * 3600 };

static time_t in_days(int days)
{
    return (time_t)(TLS_RIG_NOW_MS / 1000) + days * DAY_S;
}

static EVP_PKEY *make_key(enum forge_key kind)
{
    switch (kind) {
    case FORGE_P256:
        return EVP_EC_gen("P-256");
    case FORGE_P384:
        return EVP_EC_gen("P-384");
    case FORGE_RSA_2048:
        return EVP_RSA_gen(2048);
    case FORGE_RSA_1024:
        return EVP_RSA_gen(1024);
    }
    return NULL;
}

static void add(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, NULL, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_all(X509 *certificate, const struct forge *how)
{
    if (how->ca) {
        add(certificate, NID_basic_constraints, "critical,CA:TRUE");
        add(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (how->san != NULL) {
        add(certificate, NID_subject_alt_name, how->san);
    }
    if (how->purpose != 0) {
        add(certificate, NID_ext_key_usage, OBJ_nid2sn(how->purpose));
    }
    if (how->must_staple) {
        add(certificate, NID_tlsfeature, "status_request");
    }
    add(certificate, NID_subject_key_identifier, "hash");
}

struct forged forge(const struct forge *how, const struct forged *issuer)
{
    static int serial;
    struct forged made = {X509_new(), make_key(how->key)};
    const char *name = how->common_name != NULL ? how->common_name : "somebody";
    bool usual = how->from_day == 0 && how->until_day == 0;
    assert_non_null(made.certificate);
    assert_non_null(made.key);
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(made.certificate), in_days(usual ? -10 : how->from_day));
    ASN1_TIME_set(X509_getm_notAfter(made.certificate), in_days(usual ? 80 : how->until_day));
    X509_NAME *subject = X509_get_subject_name(made.certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_issuer_name(made.certificate,
                         issuer != NULL ? X509_get_subject_name(issuer->certificate) : subject);
    X509_set_pubkey(made.certificate, made.key);
    add_all(made.certificate, how);
    assert_true(X509_sign(made.certificate, issuer != NULL ? issuer->key : made.key,
                          how->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    return made;
}

void forged_free(struct forged *forged)
{
    X509_free(forged->certificate);
    EVP_PKEY_free(forged->key);
    *forged = (struct forged){NULL, NULL};
}

static void take(BIO *bio, struct buf *to)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    assert_true(n > 0);
    buf_append(to, str_make(bytes, (size_t)n));
    assert_ok(buf_err(to));
    BIO_free(bio);
}

void forged_pem(const struct forged *forged, struct buf *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, forged->certificate), 1);
    take(bio, certificate);
}

void forged_key_pem(const struct forged *forged, const char *password, struct buf *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = password != NULL ? EVP_aes_128_cbc() : NULL;
    int n = password != NULL ? (int)strlen(password) : 0;
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, forged->key, cipher, password, n, NULL, NULL), 1);
    take(bio, key);
}

void forged_der(const struct forged *forged, struct buf *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_X509_bio(bio, forged->certificate), 1);
    take(bio, certificate);
}

void forge_staple(const struct forge_staple *how, const struct forged *issuer, struct buf *der)
{
    bool usual = how->from_day == 0 && how->next_day == 0;
    ASN1_TIME *from = ASN1_TIME_set(NULL, in_days(usual ? -1 : how->from_day));
    ASN1_TIME *next = how->no_next ? NULL : ASN1_TIME_set(NULL, in_days(usual ? 7 : how->next_day));
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, how->about->certificate, issuer->certificate);
    int status = how->revoked   ? V_OCSP_CERTSTATUS_REVOKED
                 : how->unknown ? V_OCSP_CERTSTATUS_UNKNOWN
                                : V_OCSP_CERTSTATUS_GOOD;
    assert_non_null(
        OCSP_basic_add1_status(basic, id, status, 0, how->revoked ? from : NULL, from, next));
    assert_int_equal(OCSP_basic_sign(basic, how->signer->certificate, how->signer->key,
                                     how->sha1 ? EVP_sha1() : EVP_sha256(), NULL, 0),
                     1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *bytes = NULL;
    int n = i2d_OCSP_RESPONSE(response, &bytes);
    assert_true(n > 0);
    buf_append(der, str_make((const char *)bytes, (size_t)n));
    assert_ok(buf_err(der));
    OPENSSL_free(bytes);
    OCSP_RESPONSE_free(response);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(from);
    ASN1_TIME_free(next);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The school's CA: made, or the school's own opened. */
#include "tls/authority.h"

#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/err.h>

#include "base/check.h"
#include "tls/authority_impl.h"
#include "tls/library_impl.h"
#include "tls/pem_impl.h"

enum { LIFE_DAYS = 3652, NAME_MAX_BYTES = 64, RSA_MIN_BITS = 2048, EC_MIN_BITS = 256 };

/* --- making
 * -------------------------------------------------------------------------------------- */

static bool is_printable(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return name.len != 0 && name.len <= NAME_MAX_BYTES;
}

static bool set_name(X509 *certificate, struct str name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)name.p, (int)name.len, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

static bool build(X509 *certificate, EVP_PKEY *key, int64_t now_s)
{
    int64_t from_s = now_s - AUTHORITY_DAY_S; /* as long before as its leaves */
    int64_t until_s = now_s + (int64_t)LIFE_DAYS * AUTHORITY_DAY_S;
    return x509_begin(certificate, key, from_s, until_s) && x509_add_basic(certificate, true) &&
           x509_add_usage(certificate, KU_KEY_CERT_SIGN | KU_CRL_SIGN) &&
           x509_add_subject_key_id(certificate) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

enum err authority_make(struct str name, int64_t now_ms, struct buf *ret_key,
                        struct buf *ret_certificate)
{
    if (!is_printable(name)) {
        return ERR_INVALID;
    }
    ERR_TRY(library_start());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    enum err err = ERR_MEMORY;
    if (certificate != NULL && !set_name(certificate, name)) {
        err = ERR_INVALID; /* not UTF-8 */
    } else if (certificate != NULL && key != NULL && build(certificate, key, now_ms / 1000)) {
        err = pem_print_key(key, ret_key);
    }
    if (err == ERR_OK) {
        err = pem_print_certificate(certificate, ret_certificate);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

/* --- opening
 * ------------------------------------------------------------------------------------- */

static const char *read_key(struct str pem, EVP_PKEY **ret_key)
{
    if (str_find(pem, STR("ENCRYPTED")) != pem.len) {
        return "The CA's key is encrypted: give it without a password, in a file that only root "
               "can read";
    }
    *ret_key = pem_read_key(pem);
    return *ret_key != NULL ? NULL : "The file of the CA's key holds no private key in PEM";
}

static const char *judge_key(const EVP_PKEY *key)
{
    bool rsa = EVP_PKEY_is_a(key, "RSA") == 1;
    if (!rsa && EVP_PKEY_is_a(key, "EC") != 1) {
        return "The CA's key must be an RSA or an elliptic-curve (EC) key";
    }
    if (EVP_PKEY_get_bits(key) < (rsa ? RSA_MIN_BITS : EC_MIN_BITS)) {
        return "The CA's key is too short: RSA needs 2048 bits, an elliptic curve 256";
    }
    return NULL;
}

static const char *judge_certificate(const struct authority *authority, int64_t now_s)
{
    X509 *certificate = authority->certificate;
    if (X509_check_private_key(certificate, authority->key) != 1) {
        return "The CA's key and certificate do not belong together: the CA's own certificate must "
               "come first in its file";
    }
    /* 1: a CA by its basic constraints, and its key usage allows signing where it has one. */
    if (X509_check_ca(certificate) != 1) {
        return "The certificate is not one of a CA that may sign certificates";
    }
    if (now_s < authority->from_s) {
        return "The CA's certificate does not hold yet: is this machine's clock right?";
    }
    if (now_s >= authority->until_s) {
        return "The CA's certificate has run out: make or get a new one";
    }
    if (X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 1) != 1) {
        return "The CA may not sign certificates of web servers";
    }
    return NULL;
}

static const char *judge_behind(const struct authority *authority)
{
    X509 *below = authority->certificate;
    for (int i = 0; i < sk_X509_num(authority->behind); i++) {
        X509 *issuer = sk_X509_value(authority->behind, i);
        if (X509_check_ca(issuer) != 1 || X509_check_issued(issuer, below) != X509_V_OK ||
            X509_verify(below, X509_get0_pubkey(issuer)) != 1) {
            return "The certificates behind the CA's must each be the issuer of the one before";
        }
        below = issuer;
    }
    return NULL;
}

/* NULL, or what is wrong. */
static const char *fill(struct authority *authority, struct str key, struct str certificate,
                        int64_t now_s)
{
    const char *why = read_key(key, &authority->key);
    why = why == NULL ? judge_key(authority->key) : why;
    if (why != NULL) {
        return why;
    }
    if (pem_certificates(certificate, true, &authority->behind) != ERR_OK ||
        sk_X509_num(authority->behind) == 0) {
        return "The file of the CA's certificate holds none in PEM, or a broken one";
    }
    authority->certificate = sk_X509_shift(authority->behind);
    if (!x509_seconds(X509_get0_notBefore(authority->certificate), &authority->from_s) ||
        !x509_seconds(X509_get0_notAfter(authority->certificate), &authority->until_s)) {
        return "The CA's certificate has no valid dates";
    }
    why = judge_certificate(authority, now_s);
    return why == NULL ? judge_behind(authority) : why;
}

enum err authority_open(struct str key, struct str certificate, int64_t now_ms,
                        struct authority **ret_authority, const char **ret_why)
{
    struct authority *authority = library_start() == ERR_OK ? calloc(1, sizeof(*authority)) : NULL;
    if (authority == NULL) {
        *ret_why = "There is not enough memory";
        return ERR_MEMORY;
    }
    const char *why = fill(authority, key, certificate, now_ms / 1000);
    ERR_clear_error();
    if (why != NULL) {
        *ret_why = why;
        authority_free(authority);
        return ERR_INVALID;
    }
    *ret_authority = authority;
    return ERR_OK;
}

void authority_free(struct authority *authority)
{
    if (authority != NULL) {
        EVP_PKEY_free(authority->key);
        X509_free(authority->certificate);
        sk_X509_pop_free(authority->behind, X509_free);
        free(authority);
    }
}

/* --- giving
 * -------------------------------------------------------------------------------------- */

enum err authority_chain(const struct authority *authority, struct buf *ret_der)
{
    ERR_TRY(der_append(authority->certificate, ret_der));
    for (int i = 0; i < sk_X509_num(authority->behind); i++) {
        ERR_TRY(der_append(sk_X509_value(authority->behind, i), ret_der));
    }
    return ERR_OK;
}

enum err authority_pem(const struct authority *authority, struct buf *ret_pem)
{
    return pem_print_certificate(authority->certificate, ret_pem);
}

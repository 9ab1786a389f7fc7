/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate of a server of our own. */
#include "tls/own.h"

#include <openssl/ec.h>
#include <openssl/err.h>

#include "tls/authority_impl.h"
#include "tls/key_impl.h"
#include "tls/library_impl.h"
#include "tls/pem_impl.h"

enum { RSA_MIN_BITS = 2048, EC_MIN_BITS = 256, PEM_DER_MAX = 256 * 1024 };

#define OWN_SUBJECT "Lodge console"

/* --- making
 * -------------------------------------------------------------------------------------- */

static bool set_subject(X509 *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)OWN_SUBJECT, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

static bool build(X509 *certificate, EVP_PKEY *key, const struct host *names, size_t n_names,
                  int64_t now_s)
{
    /* A device's clock may be slow; the last second is the one named. */
    int64_t from_s = now_s - AUTHORITY_DAY_S;
    int64_t until_s = from_s + (int64_t)OWN_DAYS * AUTHORITY_DAY_S - 1;
    return x509_begin(certificate, key, from_s, until_s) && set_subject(certificate) &&
           x509_add_basic(certificate, false) &&
           x509_add_usage(certificate, KU_DIGITAL_SIGNATURE) &&
           x509_add_server_purpose(certificate) && x509_add_names(certificate, names, n_names) &&
           x509_add_subject_key_id(certificate) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

enum err own_make(const struct host *names, size_t n_names, int64_t now_ms, struct buf *ret_key,
                  struct buf *ret_certificate)
{
    if (n_names == 0 || n_names > OWN_NAMES_MAX) {
        return ERR_INVALID;
    }
    ERR_TRY(library_start());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    enum err err = ERR_MEMORY;
    if (certificate != NULL && key != NULL &&
        build(certificate, key, names, n_names, now_ms / 1000)) {
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

/* --- reading
 * ------------------------------------------------------------------------------------- */

static bool is_for(X509 *certificate, const struct host *name)
{
    return name->kind == HOST_NAME
               ? X509_check_host(certificate, name->text, name->len, 0, NULL) == 1
               : X509_check_ip_asc(certificate, name->text, 0) == 1;
}

bool own_is_for(struct str certificate, const struct host *names, size_t n_names)
{
    STACK_OF(X509) *list = NULL;
    if (pem_certificates(certificate, false, &list) != ERR_OK) {
        return false;
    }
    X509 *first = sk_X509_value(list, 0); /* NULL where there is none */
    bool all = first != NULL;
    for (size_t i = 0; i < n_names && all; i++) {
        all = is_for(first, &names[i]);
    }
    sk_X509_pop_free(list, X509_free);
    ERR_clear_error();
    return all;
}

bool own_is_from(struct str certificate, struct str chain)
{
    STACK_OF(X509) *list = NULL;
    STACK_OF(X509) *issuers = NULL;
    bool from = pem_certificates(certificate, false, &list) == ERR_OK &&
                der_certificates(chain, &issuers) == ERR_OK && sk_X509_num(list) > 0 &&
                sk_X509_num(issuers) > 0;
    if (from) {
        X509 *issuer = sk_X509_value(issuers, 0);
        X509 *first = sk_X509_value(list, 0);
        from = X509_check_issued(issuer, first) == X509_V_OK &&
               X509_verify(first, X509_get0_pubkey(issuer)) == 1;
    }
    sk_X509_pop_free(list, X509_free);
    sk_X509_pop_free(issuers, X509_free);
    ERR_clear_error();
    return from;
}

enum err own_print_key(const struct tls_key *key, struct buf *ret_pem)
{
    return pem_print_key(key->pkey, ret_pem);
}

static enum err print_all(struct str ders, struct buf *ret_pem)
{
    STACK_OF(X509) *list = NULL;
    ERR_TRY(der_certificates(ders, &list));
    enum err err = sk_X509_num(list) > 0 ? ERR_OK : ERR_INVALID;
    for (int i = 0; i < sk_X509_num(list) && err == ERR_OK; i++) {
        err = pem_print_certificate(sk_X509_value(list, i), ret_pem);
    }
    sk_X509_pop_free(list, X509_free);
    return err;
}

enum err own_print_chain(struct str der, struct str chain, struct buf *ret_pem)
{
    ERR_TRY(print_all(der, ret_pem));
    return print_all(chain, ret_pem);
}

/* NULL, or what is wrong. */
static const char *judge(X509 *certificate, EVP_PKEY *key, int64_t now_s)
{
    int64_t from_s = 0;
    int64_t until_s = 0;
    bool rsa = key != NULL && EVP_PKEY_is_a(key, "RSA") == 1;
    if (key == NULL) {
        return "The key's file holds no private key in PEM, or an encrypted one: give it without a "
               "password, in a file that only root can read";
    }
    if (!rsa && EVP_PKEY_is_a(key, "EC") != 1) {
        return "The key must be an RSA or an elliptic-curve (EC) key";
    }
    if (EVP_PKEY_get_bits(key) < (rsa ? RSA_MIN_BITS : EC_MIN_BITS)) {
        return "The key is too short: RSA needs 2048 bits, an elliptic curve 256";
    }
    if (X509_check_private_key(certificate, key) != 1) {
        return "Key and certificate do not belong together: the server's own certificate must come "
               "first in its file";
    }
    if (!x509_seconds(X509_get0_notBefore(certificate), &from_s) ||
        !x509_seconds(X509_get0_notAfter(certificate), &until_s)) {
        return "The certificate has no valid dates";
    }
    if (now_s < from_s) {
        return "The certificate does not hold yet: is this machine's clock right?";
    }
    return now_s < until_s ? NULL : "The certificate has run out: get a new one";
}

static enum err make_leaf(STACK_OF(X509) * list, EVP_PKEY *pkey, struct tls_leaf **ret_leaf)
{
    struct buf der;
    struct buf chain;
    struct tls_key key = {.pkey = pkey};
    buf_init(&der, PEM_DER_MAX);
    buf_init(&chain, PEM_DER_MAX);
    enum err err = der_append(sk_X509_value(list, 0), &der);
    for (int i = 1; i < sk_X509_num(list) && err == ERR_OK; i++) {
        err = der_append(sk_X509_value(list, i), &chain);
    }
    if (err == ERR_OK) {
        err = tls_leaf_new(buf_str(&der), buf_str(&chain), &key, ret_leaf);
    }
    buf_fini(&der);
    buf_fini(&chain);
    return err;
}

enum err own_open(struct str key, struct str certificate, int64_t now_ms,
                  struct tls_leaf **ret_leaf, const char **ret_why)
{
    STACK_OF(X509) *list = NULL;
    const char *why = NULL;
    ERR_TRY(library_start());
    EVP_PKEY *pkey = pem_read_key(key);
    enum err err = pem_certificates(certificate, true, &list);
    if (err != ERR_OK || sk_X509_num(list) == 0) {
        why = "The certificate's file holds none in PEM, or a broken one";
    } else {
        why = judge(sk_X509_value(list, 0), pkey, now_ms / 1000);
    }
    if (why == NULL) {
        err = make_leaf(list, pkey, ret_leaf);
        why = err == ERR_OK ? NULL
                            : "The certificates behind the server's must be those of its issuers";
    }
    sk_X509_pop_free(list, X509_free);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    if (why != NULL) {
        *ret_why = why;
        return ERR_INVALID;
    }
    return ERR_OK;
}

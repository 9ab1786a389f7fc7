/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates from PEM and DER. */
#include "tls/pem_impl.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/pem.h>

static bool is_end(void)
{
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static enum err push(STACK_OF(X509) * list, X509 *certificate)
{
    if (sk_X509_push(list, certificate) <= 0) {
        X509_free(certificate);
        return ERR_MEMORY;
    }
    return ERR_OK;
}

static enum err read_all(BIO *bio, bool strict, STACK_OF(X509) * list)
{
    for (;;) {
        ERR_clear_error();
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (certificate != NULL) {
            ERR_TRY(push(list, certificate));
        } else if (is_end()) {
            return ERR_OK;
        } else if (strict) {
            return ERR_INVALID;
        }
    }
}

enum err pem_certificates(struct str pem, bool strict, STACK_OF(X509) * *ret_list)
{
    if (pem.len > INT_MAX) {
        return ERR_LIMIT;
    }
    BIO *bio = BIO_new_mem_buf(pem.len != 0 ? pem.p : "", (int)pem.len);
    STACK_OF(X509) *list = sk_X509_new_null();
    enum err err = bio != NULL && list != NULL ? read_all(bio, strict, list) : ERR_MEMORY;
    BIO_free(bio);
    ERR_clear_error();
    if (err != ERR_OK) {
        sk_X509_pop_free(list, X509_free);
        return err;
    }
    *ret_list = list;
    return ERR_OK;
}

enum err der_certificates(struct str der, STACK_OF(X509) * *ret_list)
{
    const unsigned char *at = (const unsigned char *)der.p;
    const unsigned char *end = at + der.len;
    if (der.len > INT_MAX) {
        return ERR_LIMIT;
    }
    STACK_OF(X509) *list = sk_X509_new_null();
    enum err err = list != NULL ? ERR_OK : ERR_MEMORY;
    while (err == ERR_OK && at != end) {
        X509 *certificate = d2i_X509(NULL, &at, end - at);
        err = certificate != NULL ? push(list, certificate) : ERR_INVALID;
    }
    ERR_clear_error();
    if (err != ERR_OK) {
        sk_X509_pop_free(list, X509_free);
        return err;
    }
    *ret_list = list;
    return ERR_OK;
}

enum err der_append(X509 *certificate, struct buf *to)
{
    unsigned char *der = NULL;
    int n = i2d_X509(certificate, &der);
    if (n < 0) {
        ERR_clear_error();
        return ERR_MEMORY;
    }
    buf_append(to, str_make((const char *)der, (size_t)n));
    OPENSSL_free(der);
    return buf_err(to);
}

enum err bio_append(BIO *bio, struct buf *to)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    if (n <= 0) {
        return ERR_MEMORY;
    }
    buf_append(to, str_make(bytes, (size_t)n));
    return buf_err(to);
}

enum err pem_print_certificate(X509 *certificate, struct buf *to)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool ok = bio != NULL && PEM_write_bio_X509(bio, certificate) == 1;
    enum err err = ok ? bio_append(bio, to) : ERR_MEMORY;
    BIO_free(bio);
    return err;
}

enum err pem_print_key(EVP_PKEY *key, struct buf *to)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool ok =
        bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    enum err err = ok ? bio_append(bio, to) : ERR_MEMORY;
    BIO_free(bio);
    return err;
}

/* No password is known, and none is asked for. */
static int no_password(char *to, int size, int writing, void *context)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

EVP_PKEY *pem_read_key(struct str pem)
{
    if (pem.len > INT_MAX) {
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(pem.len != 0 ? pem.p : "", (int)pem.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    return key;
}

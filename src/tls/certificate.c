/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a certificate says of itself. */
#include "tls/certificate.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"

enum { TM_YEAR_ZERO = 1900 };

static enum err read_time(const ASN1_TIME *time, int64_t *ret_ms)
{
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
        return ERR_INVALID;
    }
    struct civil civil = {
        .year = tm.tm_year + TM_YEAR_ZERO,
        .month = tm.tm_mon + 1,
        .day = tm.tm_mday,
        .hour = tm.tm_hour,
        .minute = tm.tm_min,
        .second = tm.tm_sec,
    };
    if (civil.year < 1970 || civil.year > 9999) {
        return ERR_INVALID;
    }
    *ret_ms = civil_to_ms(&civil);
    return ERR_OK;
}

static enum err read_name(const X509 *certificate, char *to, int size)
{
    BIO *text = BIO_new(BIO_s_mem());
    if (text == NULL) {
        return ERR_MEMORY;
    }
    /* One line; what is not printable is escaped. */
    unsigned long flags = XN_FLAG_ONELINE & ~(unsigned long)XN_FLAG_SPC_EQ;
    int n = X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, flags) >= 0
                ? BIO_read(text, to, size - 1)
                : 0;
    to[n > 0 ? n : 0] = '\0';
    BIO_free(text);
    return ERR_OK;
}

static enum err describe(X509 *certificate, struct certificate *to)
{
    unsigned n = 0;
    ERR_TRY(read_time(X509_get0_notBefore(certificate), &to->from_ms));
    ERR_TRY(read_time(X509_get0_notAfter(certificate), &to->until_ms));
    if (X509_digest(certificate, EVP_sha256(), to->sha256, &n) != 1 ||
        n != CERTIFICATE_HASH_BYTES) {
        return ERR_MEMORY;
    }
    return read_name(certificate, to->name, sizeof(to->name));
}

static BIO *open_text(struct str pem)
{
    return pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.len) : NULL;
}

enum err certificate_read(struct str pem, struct certificate *ret_certificate)
{
    struct certificate found = {0};
    enum err err = ERR_INVALID;
    BIO *text = open_text(pem);
    X509 *certificate = text != NULL ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
    if (certificate != NULL) {
        err = describe(certificate, &found);
    }
    if (err == ERR_OK) {
        *ret_certificate = found;
    }
    X509_free(certificate);
    BIO_free(text);
    ERR_clear_error();
    return err;
}

size_t certificate_count(struct str pem)
{
    size_t n = 0;
    BIO *text = open_text(pem);
    X509 *certificate;
    while (text != NULL && (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL) {
        X509_free(certificate);
        n++;
    }
    BIO_free(text);
    ERR_clear_error();
    return n;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the CA's certificate and its leaves are built of. */
#include <string.h>
#include <time.h>

#include <openssl/bn.h>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "tls/authority_impl.h"

enum { SERIAL_BYTES = 16, KEY_ID_BYTES = 20 };

/* Positive, and of 128 bits whatever the chance (BR 7.1 asks for 64 random ones). */
static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    random_bytes(bytes, sizeof(bytes));
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = number != NULL && BN_set_bit(number, 8 * SERIAL_BYTES - 2) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return ok;
}

bool x509_begin(X509 *certificate, EVP_PKEY *key, int64_t from_s, int64_t until_s)
{
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from_s) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)until_s) != NULL &&
           X509_set_pubkey(certificate, key) == 1;
}

bool x509_add_usage(X509 *certificate, uint32_t bits)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool ok = usage != NULL;
    for (int i = 0; ok && i < 8; i++) {
        ok = (bits & (0x80U >> i)) == 0 || ASN1_BIT_STRING_set_bit(usage, i, 1) == 1;
    }
    ok = ok && X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
    ASN1_BIT_STRING_free(usage);
    return ok;
}

bool x509_add_basic(X509 *certificate, bool is_ca)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    bool ok = basic != NULL;
    if (ok && is_ca) {
        basic->ca = 0xff; /* it is written as it stands, and DER's TRUE is 0xff (X.690 11.1) */
        basic->pathlen = ASN1_INTEGER_new();
        ok = basic->pathlen != NULL && ASN1_INTEGER_set(basic->pathlen, 0) == 1;
    }
    ok = ok &&
         X509_add1_ext_i2d(certificate, NID_basic_constraints, basic, 1, X509V3_ADD_DEFAULT) == 1;
    BASIC_CONSTRAINTS_free(basic);
    return ok;
}

bool x509_add_subject_key_id(X509 *certificate)
{
    uint8_t hash[SHA256_BYTES];
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(certificate);
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    sha256(str_make((const char *)ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key)),
           hash);
    bool ok =
        id != NULL && ASN1_OCTET_STRING_set(id, hash, KEY_ID_BYTES) == 1 &&
        X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, X509V3_ADD_DEFAULT) == 1;
    ASN1_OCTET_STRING_free(id);
    return ok;
}

bool x509_seconds(const ASN1_TIME *time, int64_t *ret_s)
{
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
        return false;
    }
    *ret_s = (int64_t)timegm(&tm);
    return true;
}

static GENERAL_NAME *general_name(const struct host *host)
{
    bool name = host->kind == HOST_NAME;
    int n = name ? host->len : host->kind == HOST_IPV4 ? 4 : 16;
    const void *bytes = name ? (const void *)host->text
                             : (const void *)(host->addr.bytes + sizeof(host->addr) - (size_t)n);
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_STRING *value = name ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    if (general == NULL || value == NULL || ASN1_STRING_set(value, bytes, n) != 1) {
        GENERAL_NAME_free(general);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, name ? GEN_DNS : GEN_IPADD, value);
    return general;
}

/* Critical, since a leaf's subject is empty (RFC 5280 section 4.1.2.6). */
bool x509_add_names(X509 *certificate, const struct host *hosts, size_t n_hosts)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool ok = names != NULL;
    for (size_t i = 0; i < n_hosts && ok; i++) {
        GENERAL_NAME *name = general_name(&hosts[i]);
        ok = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
        if (!ok) {
            GENERAL_NAME_free(name);
        }
    }
    ok = ok &&
         X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 1, X509V3_ADD_DEFAULT) == 1;
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return ok;
}

bool x509_add_server_purpose(X509 *certificate)
{
    EXTENDED_KEY_USAGE *purposes = sk_ASN1_OBJECT_new_null();
    bool ok =
        purposes != NULL && sk_ASN1_OBJECT_push(purposes, OBJ_nid2obj(NID_server_auth)) > 0 &&
        X509_add1_ext_i2d(certificate, NID_ext_key_usage, purposes, 0, X509V3_ADD_DEFAULT) == 1;
    sk_ASN1_OBJECT_free(purposes); /* the objects are static */
    return ok;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Leaves. */
#include <openssl/err.h>

#include "base/check.h"
#include "tls/authority.h"
#include "tls/authority_impl.h"
#include "tls/key_impl.h"
#include "tls/pem_impl.h"

/* BR 6.3.2 allows 398 days. A leaf is used for a day, and what a thief of its key could do with it
 * ends the sooner; a device's clock may still be weeks wrong. The last second is the one named. */
enum { LEAF_LIFE_S = 90 * AUTHORITY_DAY_S - 1 };

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

/* Critical, since the subject is empty (RFC 5280 section 4.1.2.6). */
static bool add_name(X509 *leaf, const struct host *host)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = general_name(host);
    bool pushed = names != NULL && name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
    if (!pushed) {
        GENERAL_NAME_free(name);
    }
    bool ok =
        pushed && X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 1, X509V3_ADD_DEFAULT) == 1;
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return ok;
}

static bool add_purpose(X509 *leaf)
{
    EXTENDED_KEY_USAGE *purposes = sk_ASN1_OBJECT_new_null();
    bool ok = purposes != NULL && sk_ASN1_OBJECT_push(purposes, OBJ_nid2obj(NID_server_auth)) > 0 &&
              X509_add1_ext_i2d(leaf, NID_ext_key_usage, purposes, 0, X509V3_ADD_DEFAULT) == 1;
    sk_ASN1_OBJECT_free(purposes); /* the objects are static */
    return ok;
}

/* A school's own CA may have no key id: then the leaf names none. */
static bool add_issuer_key_id(X509 *leaf, X509 *issuer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
    if (id == NULL) {
        return true;
    }
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    bool ok = authority != NULL && (authority->keyid = ASN1_OCTET_STRING_dup(id)) != NULL &&
              X509_add1_ext_i2d(leaf, NID_authority_key_identifier, authority, 0,
                                X509V3_ADD_DEFAULT) == 1;
    AUTHORITY_KEYID_free(authority);
    return ok;
}

static bool build(X509 *leaf, const struct authority *authority, const struct host *host,
                  EVP_PKEY *key, int64_t from_s, int64_t until_s)
{
    return x509_begin(leaf, key, from_s, until_s) &&
           X509_set_issuer_name(leaf, X509_get_subject_name(authority->certificate)) == 1 &&
           x509_add_basic(leaf, false) && x509_add_usage(leaf, KU_DIGITAL_SIGNATURE) &&
           add_purpose(leaf) && add_name(leaf, host) && x509_add_subject_key_id(leaf) &&
           add_issuer_key_id(leaf, authority->certificate) &&
           X509_sign(leaf, authority->key, EVP_sha256()) > 0;
}

enum err authority_sign(const struct authority *authority, const struct host *host,
                        const struct tls_key *leaf_key, int64_t now_ms, struct buf *ret_der)
{
    int64_t now_s = now_ms / 1000;
    if (host->kind == HOST_UNSET || host->len == 0 || now_s >= authority->until_s) {
        return ERR_INVALID;
    }
    int64_t from_s = now_s - AUTHORITY_DAY_S;
    from_s = from_s > authority->from_s ? from_s : authority->from_s;
    int64_t until_s = from_s + LEAF_LIFE_S;
    until_s = until_s < authority->until_s ? until_s : authority->until_s;
    X509 *leaf = X509_new();
    enum err err = ERR_MEMORY;
    if (leaf != NULL && build(leaf, authority, host, leaf_key->pkey, from_s, until_s)) {
        err = der_append(leaf, ret_der);
    }
    X509_free(leaf);
    ERR_clear_error();
    return err;
}

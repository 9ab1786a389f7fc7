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
enum { SERVER_LIFE_S = AUTHORITY_SERVER_DAYS * AUTHORITY_DAY_S - 1 };

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

static bool build(X509 *leaf, const struct authority *authority, const struct host *hosts,
                  size_t n_hosts, EVP_PKEY *key, int64_t from_s, int64_t until_s)
{
    return x509_begin(leaf, key, from_s, until_s) &&
           X509_set_issuer_name(leaf, X509_get_subject_name(authority->certificate)) == 1 &&
           x509_add_basic(leaf, false) && x509_add_usage(leaf, KU_DIGITAL_SIGNATURE) &&
           x509_add_server_purpose(leaf) && x509_add_names(leaf, hosts, n_hosts) &&
           x509_add_subject_key_id(leaf) && add_issuer_key_id(leaf, authority->certificate) &&
           X509_sign(leaf, authority->key, EVP_sha256()) > 0;
}

static enum err sign(const struct authority *authority, const struct host *hosts, size_t n_hosts,
                     const struct tls_key *key, int64_t now_s, int64_t life_s, struct buf *ret_der)
{
    for (size_t i = 0; i < n_hosts; i++) {
        if (hosts[i].kind == HOST_UNSET || hosts[i].len == 0) {
            return ERR_INVALID;
        }
    }
    if (now_s >= authority->until_s) {
        return ERR_INVALID;
    }
    int64_t from_s = now_s - AUTHORITY_DAY_S;
    from_s = from_s > authority->from_s ? from_s : authority->from_s;
    int64_t until_s = from_s + life_s;
    until_s = until_s < authority->until_s ? until_s : authority->until_s;
    X509 *leaf = X509_new();
    enum err err = ERR_MEMORY;
    if (leaf != NULL && build(leaf, authority, hosts, n_hosts, key->pkey, from_s, until_s)) {
        err = der_append(leaf, ret_der);
    }
    X509_free(leaf);
    ERR_clear_error();
    return err;
}

enum err authority_sign(const struct authority *authority, const struct host *host,
                        const struct tls_key *leaf_key, int64_t now_ms, struct buf *ret_der)
{
    return sign(authority, host, 1, leaf_key, now_ms / 1000, LEAF_LIFE_S, ret_der);
}

enum err authority_sign_server(const struct authority *authority, const struct host *hosts,
                               size_t n_hosts, const struct tls_key *public_key, int64_t now_ms,
                               struct buf *ret_der)
{
    if (n_hosts == 0 || n_hosts > AUTHORITY_SERVER_HOSTS) {
        return ERR_INVALID;
    }
    return sign(authority, hosts, n_hosts, public_key, now_ms / 1000, SERVER_LIFE_S, ret_der);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stapled OCSP answers. */
#include "tls/staple_impl.h"

#include <limits.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

enum {
    SKEW_S = 5 * 60,
    /* Of an answer that does not say when the next one comes. */
    LIFE_S = 7 * 24 * 3600,
    STATUS_REQUEST = 5, /* RFC 6066 section 1.1 */
};

/* --- who signed
 * ---------------------------------------------------------------------------------- */

static bool holds(const X509 *certificate, time_t now_s)
{
    return ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate), now_s + SKEW_S) <= 0 &&
           ASN1_TIME_cmp_time_t(X509_get0_notAfter(certificate), now_s - SKEW_S) >= 0;
}

static bool is_delegate(X509 *signer, X509 *issuer, time_t now_s)
{
    return X509_check_issued(issuer, signer) == X509_V_OK &&
           (X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN) != 0 && holds(signer, now_s) &&
           X509_verify(signer, X509_get0_pubkey(issuer)) == 1;
}

static bool is_strong(const OCSP_BASICRESP *answer)
{
    const ASN1_OBJECT *object = NULL;
    int digest = NID_undef;
    X509_ALGOR_get0(&object, NULL, NULL, OCSP_resp_get0_tbs_sigalg(answer));
    /* What names no digest apart (RSA-PSS, EdDSA) has no weak one. */
    return OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest, NULL) == 1 && digest != NID_sha1 &&
           digest != NID_md5 && digest != NID_md4;
}

static bool is_signed(OCSP_BASICRESP *answer, X509 *issuer, time_t now_s)
{
    X509 *signer = NULL;
    STACK_OF(X509) *others = sk_X509_new_null();
    /* The chain is judged here: OpenSSL would look at the clock. */
    bool ok = others != NULL && sk_X509_push(others, issuer) > 0 && is_strong(answer) &&
              OCSP_basic_verify(answer, others, NULL, OCSP_NOVERIFY) == 1 &&
              OCSP_resp_get0_signer(answer, &signer, others) == 1 &&
              (X509_cmp(signer, issuer) == 0 || is_delegate(signer, issuer, now_s));
    sk_X509_free(others);
    return ok;
}

/* --- what it says
 * -------------------------------------------------------------------------------- */

static bool is_about(const OCSP_SINGLERESP *single, X509 *certificate, X509 *issuer)
{
    ASN1_OBJECT *digest = NULL;
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    if (OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id) != 1) {
        return false;
    }
    const EVP_MD *md = EVP_get_digestbyobj(digest);
    OCSP_CERTID *ours = md != NULL ? OCSP_cert_to_id(md, certificate, issuer) : NULL;
    bool same = ours != NULL && OCSP_id_cmp(ours, id) == 0;
    OCSP_CERTID_free(ours);
    return same;
}

static enum staple judge_single(OCSP_SINGLERESP *single, time_t now_s)
{
    ASN1_GENERALIZEDTIME *from = NULL;
    ASN1_GENERALIZEDTIME *next = NULL;
    int status = OCSP_single_get0_status(single, NULL, NULL, &from, &next);
    if (status == V_OCSP_CERTSTATUS_REVOKED) {
        return STAPLE_REVOKED;
    }
    if (status != V_OCSP_CERTSTATUS_GOOD || from == NULL ||
        ASN1_TIME_cmp_time_t(from, now_s + SKEW_S) > 0) {
        return STAPLE_NONE;
    }
    bool current = next != NULL ? ASN1_TIME_cmp_time_t(next, now_s - SKEW_S) >= 0
                                : ASN1_TIME_cmp_time_t(from, now_s - LIFE_S) >= 0;
    return current ? STAPLE_GOOD : STAPLE_NONE;
}

static enum staple judge(OCSP_BASICRESP *answer, X509 *certificate, X509 *issuer, time_t now_s)
{
    enum staple verdict = STAPLE_NONE;
    for (int i = 0; i < OCSP_resp_count(answer); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(answer, i);
        enum staple said =
            is_about(single, certificate, issuer) ? judge_single(single, now_s) : STAPLE_NONE;
        verdict = said > verdict ? said : verdict;
    }
    return verdict != STAPLE_NONE && is_signed(answer, issuer, now_s) ? verdict : STAPLE_NONE;
}

enum staple staple_judge(struct str der, X509 *certificate, X509 *issuer, int64_t now_ms)
{
    const unsigned char *at = (const unsigned char *)der.p;
    if (der.len == 0 || der.len > INT_MAX) {
        return STAPLE_NONE;
    }
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
    OCSP_BASICRESP *answer =
        response != NULL && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL
            ? OCSP_response_get1_basic(response)
            : NULL;
    enum staple verdict =
        answer != NULL ? judge(answer, certificate, issuer, (time_t)(now_ms / 1000)) : STAPLE_NONE;
    OCSP_BASICRESP_free(answer);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return verdict;
}

bool staple_is_due(const X509 *certificate)
{
    bool due = false;
    TLS_FEATURE *features = X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL);
    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        due |= ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    }
    TLS_FEATURE_free(features);
    return due;
}

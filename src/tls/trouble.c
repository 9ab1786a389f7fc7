/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a session failed, from what OpenSSL says. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/check.h"
#include "tls/session_impl.h"

static const struct {
    struct str code;
    const char *text;
} TROUBLES[TLS_TROUBLE_COUNT_] = {
    [TLS_TROUBLE_NONE] = {STR_INIT("none"), "There is no trouble"},
#define TROUBLE(id, code, text) [TLS_TROUBLE_##id] = {STR_INIT(code), text},
#include "tls/trouble.def"
#undef TROUBLE
};

struct str tls_trouble_code(enum tls_trouble trouble)
{
    CHECK((size_t)trouble < TLS_TROUBLE_COUNT_);
    return TROUBLES[trouble].code;
}

const char *tls_trouble_text(enum tls_trouble trouble)
{
    CHECK((size_t)trouble < TLS_TROUBLE_COUNT_);
    return TROUBLES[trouble].text;
}

struct row {
    long code;
    enum tls_trouble trouble;
};

static enum tls_trouble find(const struct row *rows, size_t n, long code, enum tls_trouble other)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].code == code) {
            return rows[i].trouble;
        }
    }
    return other;
}

enum tls_trouble trouble_of_verify(long result)
{
    static const struct row ROWS[] = {
        {X509_V_OK, TLS_TROUBLE_NONE},
        {X509_V_ERR_CERT_HAS_EXPIRED, TLS_TROUBLE_EXPIRED},
        {X509_V_ERR_CERT_NOT_YET_VALID, TLS_TROUBLE_NOT_YET},
        {X509_V_ERR_HOSTNAME_MISMATCH, TLS_TROUBLE_NAME},
        {X509_V_ERR_IP_ADDRESS_MISMATCH, TLS_TROUBLE_NAME},
        {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TLS_TROUBLE_SELF_SIGNED},
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_TROUBLE_UNTRUSTED},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TLS_TROUBLE_UNTRUSTED},
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TLS_TROUBLE_UNTRUSTED},
        {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TLS_TROUBLE_UNTRUSTED},
        {X509_V_ERR_CERT_UNTRUSTED, TLS_TROUBLE_UNTRUSTED},
        {X509_V_ERR_CERT_REVOKED, TLS_TROUBLE_REVOKED},
        {X509_V_ERR_EE_KEY_TOO_SMALL, TLS_TROUBLE_WEAK},
        {X509_V_ERR_CA_KEY_TOO_SMALL, TLS_TROUBLE_WEAK},
        {X509_V_ERR_CA_MD_TOO_WEAK, TLS_TROUBLE_WEAK},
    };
    return find(ROWS, sizeof(ROWS) / sizeof(ROWS[0]), result, TLS_TROUBLE_CERTIFICATE);
}

/* What a client says that does not accept a certificate (RFC 8446 section 6.2). */
static bool is_refusal(long alert)
{
    return alert == SSL_AD_BAD_CERTIFICATE || alert == SSL_AD_UNSUPPORTED_CERTIFICATE ||
           alert == SSL_AD_CERTIFICATE_REVOKED || alert == SSL_AD_CERTIFICATE_EXPIRED ||
           alert == SSL_AD_CERTIFICATE_UNKNOWN || alert == SSL_AD_UNKNOWN_CA ||
           alert == SSL_AD_ACCESS_DENIED;
}

static enum tls_trouble of_alert(long alert, bool server)
{
    if (server && is_refusal(alert)) {
        return TLS_TROUBLE_REFUSED;
    }
    bool weak = alert == SSL_AD_PROTOCOL_VERSION || alert == SSL_AD_INSUFFICIENT_SECURITY;
    return weak ? TLS_TROUBLE_WEAK : TLS_TROUBLE_ALERT;
}

enum tls_trouble trouble_of_error(unsigned long error, bool server)
{
    static const struct row ROWS[] = {
        {SSL_R_UNSUPPORTED_PROTOCOL, TLS_TROUBLE_WEAK},
        {SSL_R_VERSION_TOO_LOW, TLS_TROUBLE_WEAK},
        {SSL_R_WRONG_SSL_VERSION, TLS_TROUBLE_WEAK},
        {SSL_R_DH_KEY_TOO_SMALL, TLS_TROUBLE_WEAK},
        {SSL_R_EE_KEY_TOO_SMALL, TLS_TROUBLE_WEAK},
        {SSL_R_CA_KEY_TOO_SMALL, TLS_TROUBLE_WEAK},
        {SSL_R_CA_MD_TOO_WEAK, TLS_TROUBLE_WEAK},
        {SSL_R_WRONG_SIGNATURE_TYPE, TLS_TROUBLE_WEAK},
        {SSL_R_WRONG_CURVE, TLS_TROUBLE_WEAK},
    };
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) {
        return TLS_TROUBLE_PROTOCOL;
    }
    long reason = ERR_GET_REASON(error);
    if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
        return of_alert(reason - SSL_AD_REASON_OFFSET, server);
    }
    return find(ROWS, sizeof(ROWS) / sizeof(ROWS[0]), reason, TLS_TROUBLE_PROTOCOL);
}

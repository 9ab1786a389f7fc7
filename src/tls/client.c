/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The side that an origin sees. */
#include "tls/client.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "tls/kept_impl.h"
#include "tls/pem_impl.h"
#include "tls/session_impl.h"
#include "tls/staple_impl.h"

struct tls_client {
    struct tls_shared shared;
    struct kept kept;
};

/* How long a certificate that was verified is believed without being shown again. */
enum { BELIEVED_MS = 24 * 3600 * 1000 };

/* --- what OpenSSL tells
 * -------------------------------------------------------------------------- */

static struct kept_key key_of(const struct tls_session *session)
{
    return (struct kept_key){&session->host, session->port, session->offer_h2};
}

/* A session that could be resumed: after a handshake (TLS 1.2), or with each ticket (1.3). */
static int on_session(SSL *ssl, SSL_SESSION *kept)
{
    struct tls_session *session = session_of(ssl);
    struct kept_key key = key_of(session);
    int64_t verified_ms = SSL_session_reused(ssl) == 1 ? session->resume_ms : session->now_ms;
    kept_put(&session->client->kept, &key, kept, verified_ms);
    return 0; /* it stays OpenSSL's */
}

/* Behind the verified chain: 1 goes on, 0 ends with an alert (bad_certificate_status_response). */
static int on_staple(SSL *ssl, void *context)
{
    (void)context;
    struct tls_session *session = session_of(ssl);
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    if (SSL_session_reused(ssl) == 1 || sk_X509_num(chain) < 1) {
        return 1; /* looked at when the session was new */
    }
    X509 *certificate = sk_X509_value(chain, 0);
    X509 *issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);
    const unsigned char *der = NULL;
    long n = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    struct str staple = str_make((const char *)der, n > 0 ? (size_t)n : 0);
    enum staple said = staple_judge(staple, certificate, issuer, session->now_ms);
    if (said == STAPLE_REVOKED) {
        session->trouble = TLS_TROUBLE_REVOKED;
    } else if (said != STAPLE_GOOD && staple_is_due(certificate)) {
        session->trouble = TLS_TROUBLE_STAPLE;
    }
    return session->trouble == TLS_TROUBLE_NONE ? 1 : 0;
}

/* --- the client
 * ---------------------------------------------------------------------------------- */

static enum err add_all(X509_STORE *store, struct str pem, bool strict)
{
    STACK_OF(X509) *list = NULL;
    ERR_TRY(pem_certificates(pem, strict, &list));
    enum err err = strict && pem.len != 0 && sk_X509_num(list) == 0 ? ERR_INVALID : ERR_OK;
    for (int i = 0; err == ERR_OK && i < sk_X509_num(list); i++) {
        err = X509_STORE_add_cert(store, sk_X509_value(list, i)) == 1 ? ERR_OK : ERR_MEMORY;
    }
    sk_X509_pop_free(list, X509_free);
    return err;
}

static void set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_tlsext_status_cb(ctx, on_staple);
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    /* A certificate of --origin-ca counts though it is no root. */
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
}

enum err tls_client_new(struct str roots, struct str extra, struct tls_client **ret_client,
                        const char **ret_why)
{
    struct tls_client *client = calloc(1, sizeof(*client));
    enum err err = client != NULL ? shared_init(&client->shared, TLS_client_method()) : ERR_MEMORY;
    *ret_why = "There is not enough memory";
    if (err == ERR_OK) {
        set_up(client->shared.ctx);
        err = add_all(SSL_CTX_get_cert_store(client->shared.ctx), roots, false);
    }
    if (err == ERR_OK) {
        err = add_all(SSL_CTX_get_cert_store(client->shared.ctx), extra, true);
        *ret_why = err == ERR_INVALID ? "The file of certificates that are trusted besides the "
                                        "system's holds none in PEM, or a broken one"
                                      : *ret_why;
    }
    ERR_clear_error();
    if (err != ERR_OK) {
        tls_client_free(client);
        return err;
    }
    *ret_client = client;
    return ERR_OK;
}

void tls_client_forget(struct tls_client *client)
{
    kept_fini(&client->kept);
}

void tls_client_free(struct tls_client *client)
{
    if (client != NULL) {
        tls_client_forget(client);
        shared_fini(&client->shared);
        free(client);
    }
}

/* --- a session
 * ----------------------------------------------------------------------------------- */

/* Whom it must prove to be (RFC 9525), and as of when. */
static bool demand(struct tls_session *session)
{
    SSL *ssl = session->ssl;
    const struct host *host = &session->host;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_time(param, (time_t)(session->now_ms / 1000));
    if (host->kind == HOST_NAME) {
        return X509_VERIFY_PARAM_set1_host(param, host->text, host->len) == 1 &&
               SSL_set_tlsext_host_name(ssl, session->host.text) == 1;
    }
    size_t n = host->kind == HOST_IPV4 ? 4 : sizeof(host->addr);
    return X509_VERIFY_PARAM_set1_ip(param, host->addr.bytes + sizeof(host->addr) - n, n) == 1;
}

static bool offer(struct tls_session *session)
{
    static const unsigned char BOTH[] = "\x02h2\x08http/1.1";
    const unsigned char *ours = session->offer_h2 ? BOTH : BOTH + 3;
    unsigned n = (unsigned)(BOTH + sizeof(BOTH) - 1 - ours);
    return SSL_set_alpn_protos(session->ssl, ours, n) == 0;
}

/* Has it go on from one before, where one is kept that still counts. */
static void resume(struct tls_session *session)
{
    struct kept_key key = key_of(session);
    int64_t verified_ms = 0;
    SSL_SESSION *kept = kept_find(&session->client->kept, &key, session->now_ms - BELIEVED_MS,
                                  session->now_ms, &verified_ms);
    if (kept != NULL && SSL_set_session(session->ssl, kept) == 1) {
        session->resume_ms = verified_ms;
    }
    SSL_SESSION_free(kept);
}

enum err tls_connect(struct tls_client *client, const struct host *host, uint16_t port,
                     bool offer_h2, int64_t now_ms, const struct tls_lower *lower,
                     struct tls_session **ret_session)
{
    struct tls_session *session = NULL;
    CHECK(host->kind != HOST_UNSET);
    ERR_TRY(session_new(&client->shared, lower, &session));
    session->client = client;
    session->host = *host;
    session->port = port;
    session->offer_h2 = offer_h2;
    session->now_ms = now_ms;
    SSL_set_connect_state(session->ssl);
    if (!demand(session) || !offer(session)) {
        tls_session_free(session);
        ERR_clear_error();
        return ERR_MEMORY;
    }
    resume(session);
    *ret_session = session;
    return ERR_OK;
}

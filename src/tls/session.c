/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TLS session over any transport. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base/check.h"
#include "tls/library_impl.h"
#include "tls/session_impl.h"

/* --- what it stands on
 * --------------------------------------------------------------------------- */

static int note(BIO *bio, struct tls_session *session, int n, int retry_flag)
{
    if (n == TLS_LOWER_AGAIN) {
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    } else if (n <= 0) {
        session->lower_ended = true;
    }
    return n > 0 ? n : -1;
}

static int bio_read(BIO *bio, char *to, int room)
{
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (room <= 0) {
        return 0;
    }
    int n = session->lower.receive(session->lower.context, to, (size_t)room);
    return note(bio, session, n, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *bytes, int n)
{
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (n <= 0) {
        return 0;
    }
    /* What is sent may be the alert about an error, which a session below would clear away. */
    session->error = session->error == 0 ? ERR_peek_error() : session->error;
    int taken = session->lower.transmit(session->lower.context, bytes, (size_t)n);
    return note(bio, session, taken, BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* --- what all sessions share
 * --------------------------------------------------------------------- */

static bool set_up(SSL_CTX *ctx)
{
    /* Of TLS 1.2 what has forward secrecy and AEAD; 1.3 has nothing else. */
    static const char CIPHERS[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    /* As browsers have them; OpenSSL would put the dearer one first. */
    static const char SUITES[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                 "TLS_CHACHA20_POLY1305_SHA256";
    /* OpenSSL's macros take these without const. */
    char groups[] = "X25519:P-256:P-384";
    char signatures[] = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:"
                        "RSA-PSS+SHA384:RSA+SHA384:RSA-PSS+SHA512:RSA+SHA512";
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_security_level(ctx, 2);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
           SSL_CTX_set_ciphersuites(ctx, SUITES) == 1 &&
           SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
           SSL_CTX_set1_sigalgs_list(ctx, signatures) == 1;
}

static BIO_METHOD *method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "lodge");
    if (method != NULL &&
        (BIO_meth_set_read(method, bio_read) != 1 || BIO_meth_set_write(method, bio_write) != 1 ||
         BIO_meth_set_ctrl(method, bio_ctrl) != 1)) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

enum err shared_init(struct tls_shared *shared, const SSL_METHOD *method)
{
    *shared = (struct tls_shared){0};
    ERR_TRY(library_start());
    shared->ctx = SSL_CTX_new(method);
    shared->method = method_new();
    bool ok = shared->ctx != NULL && shared->method != NULL && set_up(shared->ctx);
    ERR_clear_error();
    if (!ok) {
        shared_fini(shared);
        return ERR_MEMORY;
    }
    return ERR_OK;
}

void shared_fini(struct tls_shared *shared)
{
    SSL_CTX_free(shared->ctx);
    BIO_meth_free(shared->method);
    *shared = (struct tls_shared){0};
}

/* --- from birth to end
 * --------------------------------------------------------------------------- */

enum err session_new(const struct tls_shared *shared, const struct tls_lower *lower,
                     struct tls_session **ret_session)
{
    struct tls_session *session = calloc(1, sizeof(*session));
    BIO *bio = BIO_new(shared->method);
    SSL *ssl = SSL_new(shared->ctx);
    if (session == NULL || bio == NULL || ssl == NULL || SSL_set_app_data(ssl, session) != 1) {
        free(session);
        BIO_free(bio);
        SSL_free(ssl);
        ERR_clear_error();
        return ERR_MEMORY;
    }
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    session->ssl = ssl;
    session->lower = *lower;
    *ret_session = session;
    return ERR_OK;
}

struct tls_session *session_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

void tls_session_free(struct tls_session *session)
{
    if (session == NULL) {
        return;
    }
    /* Else OpenSSL makes the kept session of a connection that was not shut unusable. */
    SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(session->ssl);
    credential_free(session->credential);
    free(session);
}

void tls_set_lower(struct tls_session *session, const struct tls_lower *lower)
{
    session->lower = *lower;
}

/* --- work
 * ---------------------------------------------------------------------------------------- */

/* The transport ended or broke. A device that goes once it has seen the leaf, and before its own
 * Finished, may not accept it, or may have thought better of it. */
static enum tls_trouble of_end(const struct tls_session *session)
{
    return session->certified && !session->established ? TLS_TROUBLE_LEFT : TLS_TROUBLE_TRUNCATED;
}

static enum tls_result fail(struct tls_session *session)
{
    unsigned long error = session->error != 0 ? session->error : ERR_peek_error();
    if (session->trouble == TLS_TROUBLE_NONE && !session->server) {
        session->trouble = trouble_of_verify(SSL_get_verify_result(session->ssl));
    }
    if (session->trouble == TLS_TROUBLE_NONE) {
        session->trouble = ERR_GET_LIB(error) != 0 ? trouble_of_error(error, session->server)
                           : session->lower_ended  ? of_end(session)
                                                   : TLS_TROUBLE_SYSTEM;
    }
    ERR_clear_error();
    return TLS_BROKEN;
}

static enum tls_result result_of(struct tls_session *session, int code)
{
    switch (SSL_get_error(session->ssl, code)) {
    case SSL_ERROR_NONE:
        return TLS_DONE;
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_END;
    default:
        return fail(session);
    }
}

enum tls_result tls_handshake(struct tls_session *session)
{
    if (session->trouble != TLS_TROUBLE_NONE) {
        return TLS_BROKEN;
    }
    if (session->established) {
        return TLS_DONE;
    }
    ERR_clear_error();
    enum tls_result result = result_of(session, SSL_do_handshake(session->ssl));
    session->established = result == TLS_DONE;
    if (result == TLS_END) { /* close_notify in the middle of it */
        session->trouble = of_end(session);
        return TLS_BROKEN;
    }
    return result;
}

enum tls_result tls_read(struct tls_session *session, char *to, size_t room, size_t *ret_n)
{
    size_t n = 0;
    CHECK(session->established && room != 0);
    if (session->trouble != TLS_TROUBLE_NONE) {
        return TLS_BROKEN;
    }
    ERR_clear_error();
    enum tls_result result = result_of(session, SSL_read_ex(session->ssl, to, room, &n));
    if (result == TLS_DONE) {
        session->heard = true;
        *ret_n = n;
    }
    return result;
}

enum tls_result tls_peek(struct tls_session *session)
{
    char byte;
    size_t n = 0;
    CHECK(session->established);
    if (session->trouble != TLS_TROUBLE_NONE) {
        return TLS_BROKEN;
    }
    ERR_clear_error();
    return result_of(session, SSL_peek_ex(session->ssl, &byte, 1, &n));
}

enum tls_result tls_write(struct tls_session *session, struct str bytes, size_t *ret_n)
{
    size_t n = 0;
    CHECK(session->established && bytes.len != 0);
    if (session->trouble != TLS_TROUBLE_NONE || session->shut) {
        return TLS_BROKEN;
    }
    ERR_clear_error();
    enum tls_result result = result_of(session, SSL_write_ex(session->ssl, bytes.p, bytes.len, &n));
    if (result == TLS_DONE) {
        *ret_n = n;
    }
    return result;
}

bool tls_has_pending(const struct tls_session *session)
{
    return SSL_pending(session->ssl) > 0;
}

enum tls_result tls_shut(struct tls_session *session)
{
    if (!session->established || session->trouble != TLS_TROUBLE_NONE || session->told) {
        return TLS_DONE;
    }
    session->shut = true;
    ERR_clear_error();
    int code = SSL_shutdown(session->ssl);
    /* Once it was sent, another call would read, and take the peer's data for a fault. */
    session->told = code >= 0 || SSL_get_error(session->ssl, code) != SSL_ERROR_WANT_WRITE;
    ERR_clear_error();
    return session->told ? TLS_DONE : TLS_WANT_WRITE;
}

/* --- what it is
 * ---------------------------------------------------------------------------------- */

bool tls_is_established(const struct tls_session *session)
{
    return session->established;
}

bool tls_has_heard(const struct tls_session *session)
{
    return session->heard;
}

enum tls_trouble tls_trouble(const struct tls_session *session)
{
    return session->trouble;
}

enum tls_alpn tls_alpn(const struct tls_session *session)
{
    const unsigned char *name = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(session->ssl, &name, &n);
    struct str chosen = str_make((const char *)name, n);
    return str_eq(chosen, STR("h2"))         ? TLS_ALPN_H2
           : str_eq(chosen, STR("http/1.1")) ? TLS_ALPN_HTTP_1_1
                                             : TLS_ALPN_NONE;
}

bool tls_is_resumed(const struct tls_session *session)
{
    return SSL_session_reused(session->ssl) == 1;
}

const char *tls_describe(const struct tls_session *session, char *to, size_t size)
{
    const char *version = SSL_version(session->ssl) == TLS1_3_VERSION ? "TLS 1.3" : "TLS 1.2";
    const char *cipher = SSL_get_cipher_name(session->ssl);
    snprintf(to, size, "%s, %s", version, cipher);
    return to;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: a session of either side, and what the shared contexts have in common.
 *
 * OpenSSL reaches what a session stands on by a BIO of our own. Its BIO never says "end of file":
 * OpenSSL would take that for a fatal error, and forget the kept session too; session.c tells an
 * end from its own notes.
 */
#ifndef LODGE_TLS_SESSION_IMPL_H
#define LODGE_TLS_SESSION_IMPL_H

#include <stdint.h>

#include <openssl/ssl.h>

#include "tls/leaf_impl.h"
#include "tls/session.h"
#include "wire/host.h"

struct tls_client;

struct tls_session {
    SSL *ssl;
    struct tls_lower lower;
    enum tls_trouble trouble;
    unsigned long error; /* OpenSSL's, noted when its alert was sent; 0: none */
    bool server;
    bool established;
    bool heard;       /* application data came */
    bool lower_ended; /* END or BROKEN */
    bool shut;        /* nothing more is written */
    bool told;        /* ... and the peer knows, as far as it can */
    bool offer_h2;
    bool certified; /* server: the leaf was shown, so a full handshake is under way */
    struct credential *credential; /* server: held */
    struct tls_client *client;
    struct host host; /* client: whom it must prove to be */
    uint16_t port;
    int64_t now_ms;    /* client: when it began */
    int64_t resume_ms; /* client: when the session that it would resume was verified, or 0 */
};

/* One for each side. */
struct tls_shared {
    SSL_CTX *ctx;
    BIO_METHOD *method;
};

/* OpenSSL without its configuration file, TLS 1.2 and 1.3, nothing that a browser would not take.
 * ERR_MEMORY. */
MUST_USE enum err shared_init(struct tls_shared *shared, const SSL_METHOD *method);
void shared_fini(struct tls_shared *shared);

/* A session with its SSL and BIO, of neither side yet. ERR_MEMORY. */
MUST_USE enum err session_new(const struct tls_shared *shared, const struct tls_lower *lower,
                              struct tls_session **ret_session);
struct tls_session *session_of(const SSL *ssl);

/* What a verification's result is for people. */
enum tls_trouble trouble_of_verify(long result);
/* ... and an error of OpenSSL's queue. */
enum tls_trouble trouble_of_error(unsigned long error, bool server);

#endif

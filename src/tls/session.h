/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TLS session, either side, over any transport: OpenSSL reads and writes through the two
 * functions of struct tls_lower, so a session may run over a socket or over another session.
 *
 * Non-blocking. Renegotiation, compression and early data are off; TLS 1.2 and 1.3 only. All memory
 * of a quiet session is as small as OpenSSL allows (SSL_MODE_RELEASE_BUFFERS).
 */
#ifndef LODGE_TLS_SESSION_H
#define LODGE_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* What a session stands on. n > 0: as many bytes; or one of these. */
enum { TLS_LOWER_AGAIN = -1, TLS_LOWER_BROKEN = -2, TLS_LOWER_END = 0 };
struct tls_lower {
    void *context;
    int (*receive)(void *context, char *to, size_t room);
    int (*transmit)(void *context, const char *bytes, size_t n);
};

enum tls_result {
    TLS_DONE,       /* handshake over; bytes read or written */
    TLS_WANT_READ,  /* call again when the transport has bytes */
    TLS_WANT_WRITE, /* ... takes some */
    TLS_END,        /* the peer's close_notify; a bare end of the transport is TLS_BROKEN with
                       TLS_TROUBLE_TRUNCATED */
    TLS_BROKEN,     /* see tls_trouble */
};

/* Why a session failed: TROUBLE rows in trouble.def, each with words for a page or the log. */
enum tls_trouble {
    TLS_TROUBLE_NONE,
#define TROUBLE(id, code, text) TLS_TROUBLE_##id,
#include "tls/trouble.def"
#undef TROUBLE
    TLS_TROUBLE_COUNT_
};
/* A short code ("expired") and a sentence for people; static. */
struct str tls_trouble_code(enum tls_trouble trouble);
const char *tls_trouble_text(enum tls_trouble trouble);

struct tls_session;

enum tls_alpn { TLS_ALPN_NONE, TLS_ALPN_HTTP_1_1, TLS_ALPN_H2 };

/* Drives the handshake. */
MUST_USE enum tls_result tls_handshake(struct tls_session *session);
MUST_USE enum tls_result tls_read(struct tls_session *session, char *to, size_t room,
                                  size_t *ret_n);
/* Partial writes happen; after TLS_WANT_* the same bytes, or more behind them, must come again
 * (SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER: their address may change). */
MUST_USE enum tls_result tls_write(struct tls_session *session, struct str bytes, size_t *ret_n);
/* True where tls_read would give bytes without asking the transport. */
bool tls_has_pending(const struct tls_session *session);
/* Takes in what is no application data (tickets) without taking any of that. TLS_DONE: there is
 * some to read; else as tls_read. */
MUST_USE enum tls_result tls_peek(struct tls_session *session);
/* Sends close_notify. TLS_WANT_WRITE: to be called again when the transport takes some. TLS_DONE:
 * it was sent, or can be no more. */
enum tls_result tls_shut(struct tls_session *session);
void tls_session_free(struct tls_session *session);

/* Where the session stands on from now on (a struct that holds it has moved). */
void tls_set_lower(struct tls_session *session, const struct tls_lower *lower);

bool tls_is_established(const struct tls_session *session);
enum tls_trouble tls_trouble(const struct tls_session *session);
enum tls_alpn tls_alpn(const struct tls_session *session);
/* True once application data came. A device that does not accept the gate's certificate may finish
 * the handshake (TLS 1.3) and close at once, without a word; so may one that connects ahead of
 * need, so that this alone is no refusal. */
bool tls_has_heard(const struct tls_session *session);
bool tls_is_resumed(const struct tls_session *session);
/* "TLS 1.3, TLS_AES_128_GCM_SHA256"; static or the session's. */
const char *tls_describe(const struct tls_session *session, char *to, size_t size);

#endif

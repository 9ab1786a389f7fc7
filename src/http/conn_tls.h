/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS as a transport of struct http_conn. It stands on what the connection stood on before: the
 * socket, or TLS again (a CONNECT through a proxy that is itself reached by TLS). */
#ifndef LODGE_HTTP_CONN_TLS_H
#define LODGE_HTTP_CONN_TLS_H

#include "http/conn.h"
#include "tls/session.h"

/* What TLS reads from first: bytes of the peer that were read already, such as its ClientHello
 * (conn->in, which is empty afterwards), then the transport. Takes the session over, on failure
 * too. Nothing may be pending to be written. make gives the session for a lower transport:
 *
 *     static enum err make(void *context, const struct tls_lower *lower, struct tls_session **ret);
 */
typedef enum err http_conn_tls_make(void *context, const struct tls_lower *lower,
                                    struct tls_session **ret_session);
MUST_USE enum err http_conn_tls_open(struct http_conn *conn, http_conn_tls_make *make,
                                     void *context);

enum http_handshake { HTTP_HANDSHAKE_WAIT, HTTP_HANDSHAKE_DONE, HTTP_HANDSHAKE_FAILED };
/* To be called after opening and whenever the loop tells of the descriptor, until it does not say
 * WAIT. The descriptor is watched for what TLS waits for. */
MUST_USE enum http_handshake http_conn_handshake(struct http_conn *conn);

/* The topmost session, or NULL. */
struct tls_session *http_conn_tls(const struct http_conn *conn);

#endif

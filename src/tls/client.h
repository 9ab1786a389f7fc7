/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The side that an origin sees: one shared SSL_CTX and store, certificates verified strictly.
 *
 * Chain, host name (RFC 9525: SAN only; addresses against IP SANs), dates, purpose, key and
 * signature strength (security level 2), a stapled OCSP answer (RFC 6066 section 8, RFC 6960: good,
 * current, by the issuer or its delegate; "revoked" and a missing one under must-staple, RFC 7633,
 * are refused). TLS 1.2 with forward secrecy and AEAD, and 1.3: nothing weaker than a browser
 * would offer. Sessions are kept by host and port and resumed; a resumed one was verified when it
 * was new, and is not used for longer than a day.
 */
#ifndef LODGE_TLS_CLIENT_H
#define LODGE_TLS_CLIENT_H

#include "base/buf.h"
#include "tls/session.h"
#include "wire/host.h"

struct tls_client;

/* roots: PEM of the system's trusted certificates; extra: PEM of --origin-ca, which may hold a
 * self-signed certificate of an origin itself (X509_V_FLAG_PARTIAL_CHAIN), or empty. What cannot be
 * read in roots is passed over, in extra it is ERR_INVALID with *ret_why. */
MUST_USE enum err tls_client_new(struct str roots, struct str extra, struct tls_client **ret_client,
                                 const char **ret_why);
void tls_client_free(struct tls_client *client);

/* A session that connects to host: SNI for a name, none for an address. offer_h2: ALPN h2 before
 * http/1.1; else http/1.1 alone. Kept sessions are found by host, port and offer_h2. ERR_MEMORY. */
MUST_USE enum err tls_connect(struct tls_client *client, const struct host *host, uint16_t port,
                              bool offer_h2, int64_t now_ms, const struct tls_lower *lower,
                              struct tls_session **ret_session);

/* Forgets all kept sessions (new roots, a clock that was set). */
void tls_client_forget(struct tls_client *client);

#endif

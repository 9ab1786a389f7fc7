/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The side that a client sees: one shared SSL_CTX, and for each session the leaf of its host.
 *
 * TLS 1.2 and 1.3; ciphers and groups as in Mozilla's "intermediate" recommendation; no early data;
 * stateless tickets under keys that all workers of a node share and that are rotated with the leaf
 * key, so that a resumed session never outlives two of them; a ticket made for one host resumes
 * no other (session id context).
 */
#ifndef LODGE_TLS_SERVER_H
#define LODGE_TLS_SERVER_H

#include "tls/authority.h"
#include "tls/session.h"

struct tls_server;
struct tls_leaf;

enum { TLS_TICKET_SECRET_BYTES = 80 };

MUST_USE enum err tls_server_new(struct tls_server **ret_server);
void tls_server_free(struct tls_server *server);

/* New tickets are made under this secret from now on; those under the one before still hold. */
void tls_server_set_tickets(struct tls_server *server,
                            const uint8_t secret[TLS_TICKET_SECRET_BYTES]);

/* A leaf (DER) with the chain behind it (DERs, one behind the other) and its key, ready for use.
 * Shared: sessions keep what they need. ERR_INVALID where they do not belong together. */
MUST_USE enum err tls_leaf_new(struct str der, struct str chain, const struct tls_key *key,
                               struct tls_leaf **ret_leaf);
void tls_leaf_free(struct tls_leaf *leaf);
/* UTC ms from which it must not be used any more. */
int64_t tls_leaf_until_ms(const struct tls_leaf *leaf);

/* A session that accepts. offer_h2: ALPN h2 before http/1.1; else http/1.1 alone. host (canonical
 * text) keeps tickets apart. ERR_MEMORY. */
MUST_USE enum err tls_accept(struct tls_server *server, const struct tls_leaf *leaf,
                             struct str host, bool offer_h2, const struct tls_lower *lower,
                             struct tls_session **ret_session);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS of the proxy's own port (PAC "HTTPS host:port"): a client whose first byte begins a TLS
 * record is answered under a leaf for the proxy's name; what it says inside is read as on the plain
 * port, CONNECT and TLS in TLS included.
 *
 *   STAGE_OUTER_HELLO  the rest of the ClientHello is awaited
 *   STAGE_OUTER_LEAF   a leaf is on its way
 *   STAGE_OUTER_TLS    the handshake
 */
#ifndef LODGE_PROXY_OUTER_IMPL_H
#define LODGE_PROXY_OUTER_IMPL_H

#include <stdbool.h>

#include "base/str.h"
#include "wire/host.h"

struct client;
struct outer;
struct tls_leaf;

/* The first bytes of a connection: true where they are TLS and it goes on from here. */
bool outer_takes(struct client *client, struct str view);

/* Rows of the table. */
void outer_on_hello(struct client *client);
void outer_on_leaf(struct client *client);
void outer_on_tls(struct client *client);
void outer_late(struct client *client);

/* The leaf that the client waits for; NULL: there will be none. */
void outer_leaf_came(struct client *client, const struct tls_leaf *leaf);

/* The client's connection ends, or its handshake is over. */
void outer_leave(struct client *client);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS of the proxy's own port. */
#include "proxy/outer_impl.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/conn_tls.h"
#include "proxy/proxy_impl.h"
#include "wire/hello.h"

enum { HANDSHAKE_RECORD = 0x16, PORT_UNNAMED = 1 };

/* What is known of a connection until its handshake is over. */
struct outer {
    struct host host; /* what the leaf is for */
};

/* --- whose name
 * --------------------------------------------------------------------------------- */

/* The proxy as PAC files name it, without its port. */
static bool proxy_host(const struct proxy *proxy, struct host *ret_host)
{
    uint16_t port;
    return host_parse_authority(proxy->options.proxy_name, PORT_UNNAMED, ret_host, &port) == ERR_OK;
}

/* Whoever sends no name asked for an address: the one that PAC files name, or the one dialled. */
static bool host_of_address(const struct client *client, struct host *ret_host)
{
    struct sock_addr local;
    if (proxy_host(client->proxy, ret_host) && ret_host->kind != HOST_NAME) {
        return true;
    }
    if (sock_local(client->conn.io.fd, &local) != ERR_OK) {
        return false;
    }
    struct addr addr;
    memcpy(addr.bytes, local.ip, sizeof(addr.bytes));
    host_from_addr(&addr, ret_host);
    return true;
}

/* Which of our names is asked for. Another is answered as the proxy, and the client will refuse it:
 * the gate vouches here for itself only. */
static bool choose_host(const struct client *client, const struct hello *hello,
                        struct host *ret_host)
{
    if (!hello->has_sni) {
        return host_of_address(client, ret_host);
    }
    if (gate_is_host(client->proxy, &hello->sni)) {
        *ret_host = hello->sni;
        return true;
    }
    return proxy_host(client->proxy, ret_host);
}

/* --- the ClientHello
 * ---------------------------------------------------------------------------- */

static void find_leaf(struct client *client)
{
    const struct tls_leaf *leaf = NULL;
    switch (leaf_find(client, &client->outer->host, &leaf)) {
    case LEAF_READY:
        outer_leaf_came(client, leaf);
        break;
    case LEAF_WAIT:
        client->stage = STAGE_OUTER_LEAF;
        break;
    case LEAF_NONE:
        client_close(client);
        break;
    }
}

static void take_hello(struct client *client, struct str view)
{
    struct hello hello;
    enum err err = hello_parse(view, &hello);
    if (http_conn_keep(&client->conn, view) != ERR_OK) {
        client_close(client);
    } else if (err == ERR_OK) {
        client->outer = calloc(1, sizeof(*client->outer));
        if (client->outer == NULL || !choose_host(client, &hello, &client->outer->host)) {
            client_close(client);
        } else {
            find_leaf(client);
        }
    } else if (err != ERR_AGAIN) {
        client->stage = STAGE_HEAD; /* no TLS after all: an HTTP request that is not valid */
        client_again(client);
    }
}

bool outer_takes(struct client *client, struct str view)
{
    if ((uint8_t)view.p[0] != HANDSHAKE_RECORD || !inspect_is_possible(client->proxy)) {
        return false;
    }
    client->stage = STAGE_OUTER_HELLO;
    take_hello(client, view);
    outer_on_hello(client);
    return true;
}

void outer_on_hello(struct client *client)
{
    struct str view;
    while (client->stage == STAGE_OUTER_HELLO) {
        switch (http_conn_read(&client->conn, &client->proxy->scratch_up, &view)) {
        case HTTP_READ_NONE:
            return;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            client_close(client);
            return;
        case HTTP_READ_SOME:
            take_hello(client, view);
            break;
        }
    }
}

/* --- the leaf and the handshake
 * ------------------------------------------------------------------------- */

void outer_on_leaf(struct client *client)
{
    if ((client->conn.ready & (EPOLLHUP | EPOLLERR)) != 0) {
        client_close(client);
    }
}

struct make_context {
    struct client *client;
    const struct tls_leaf *leaf;
};

static enum err make_session(void *context, const struct tls_lower *lower,
                             struct tls_session **ret_session)
{
    const struct make_context *make = context;
    const struct client *client = make->client;
    return tls_accept(client->proxy->leaves.server, make->leaf, host_str(&client->outer->host),
                      false, lower, ret_session);
}

void outer_leaf_came(struct client *client, const struct tls_leaf *leaf)
{
    struct make_context make = {client, leaf};
    if (leaf == NULL || http_conn_tls_open(&client->conn, make_session, &make) != ERR_OK) {
        client_close(client);
        return;
    }
    client->stage = STAGE_OUTER_TLS;
    outer_on_tls(client);
}

static void established(struct client *client)
{
    outer_leave(client);
    client->over_tls = true;
    client->begun = false;
    client->stage = STAGE_HEAD;
    client_timer_set(client, client->proxy->options.head_timeout_ms);
    client->conn.ready |= EPOLLIN; /* a request may have come with the end of the handshake */
    client_again(client);
}

/* Whichever of our names it was: told as the gate's, which no application pins. */
static void failed(struct client *client)
{
    struct host gate;
    if (host_parse(client->proxy->options.gate_name, &gate) == ERR_OK) {
        (void)trust_failed(client->proxy, &client->addr, &gate, http_conn_tls(&client->conn));
    }
    client_close(client);
}

void outer_on_tls(struct client *client)
{
    switch (http_conn_handshake(&client->conn)) {
    case HTTP_HANDSHAKE_WAIT:
        break;
    case HTTP_HANDSHAKE_DONE:
        established(client);
        break;
    case HTTP_HANDSHAKE_FAILED:
        failed(client);
        break;
    }
}

void outer_late(struct client *client)
{
    client_close(client);
}

void outer_leave(struct client *client)
{
    if (client->outer != NULL) {
        leaf_forget(client);
        free(client->outer);
        client->outer = NULL;
    }
}

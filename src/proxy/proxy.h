/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxy: connections of clients, decided and relayed. What a worker process runs.
 *
 * This header is the door to proc/, which owns the process, its descriptors and its messages;
 * proxy/ opens no file and knows no other process. One struct proxy lives in one loop.
 */
#ifndef LODGE_PROXY_PROXY_H
#define LODGE_PROXY_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "event/spool.h"
#include "os/loop.h"
#include "policy/decide.h"
#include "tls/server.h"
#include "wire/addr.h"
#include "wire/host.h"

struct proxy;

/* Options of the operator (conf/schema.def); times in ms. */
struct proxy_options {
    struct str node;
    struct str school;
    struct str gate_name;     /* the gate's own host name, canonical */
    struct str proxy_name;    /* HOST:PORT for PAC files and pages */
    uint16_t console_port;    /* of the console; 0: there is none */
    struct str console_host;  /* as browsers reach it; empty: by the address that they dialled */
    struct str console_names; /* all its names, separated by commas */
    struct str dns_servers;   /* as struct dns_options; empty: those of /etc/resolv.conf */
    bool allow_private;
    bool passwords_over_tls;    /* credentials in plain text are refused, unread */
    int64_t head_timeout_ms;    /* a request's head, from its first byte */
    int64_t idle_timeout_ms;    /* keep-alive, without a request */
    int64_t body_timeout_ms;    /* no byte of a body or answer either way */
    int64_t tunnel_timeout_ms;  /* no byte in a tunnel either way */
    int64_t hello_timeout_ms;   /* a tunnel's first bytes */
    int64_t connect_timeout_ms; /* to an origin, all addresses together */
    int64_t drain_timeout_ms;   /* at SIGTERM */
    int64_t auth_cache_ms;      /* an accepted pair is remembered (10 minutes) */
    size_t max_connections;     /* of clients, in this worker */
};

/* Asks whether a password is this person's (client: who tries; failures are counted for both
 * together, so that nobody locks another out); proc/ sends it to the auth process and calls
 * proxy_auth_answer with the ticket later, never from inside. False: it cannot be asked now. */
typedef bool proxy_auth_fn(void *context, uint64_t ticket, struct str person, struct str password,
                           const struct addr *client);

/* Asks the notary for a leaf of this host; proxy/ asks once however many wait, and remembers the
 * answer. proc/ calls proxy_leaf_answer later, never from inside. False: it cannot be asked now. */
typedef bool proxy_leaf_fn(void *context, const struct host *host);

/* What a device's TLS said of the gate's certificate, for the register of enrolled devices. */
enum proxy_trust {
    PROXY_TRUST_UNSET,
    PROXY_TRUST_ACCEPTED, /* a request came under a leaf of ours */
    PROXY_TRUST_REFUSED,  /* an alert about the certificate, or closes right after it */
    PROXY_TRUST_CHECKED,  /* the page "is this device set up?" was loaded over HTTPS */
};
typedef void proxy_trust_fn(void *context, const struct addr *client, const struct host *host,
                            enum proxy_trust trust);

struct proxy_setup {
    struct loop *loop;
    struct proxy_options options;
    struct spool_writer *spool;
    struct str hosts; /* contents of --hosts, or empty; must outlive the proxy */
    proxy_auth_fn *auth;
    void *auth_context;
    struct str roots;       /* PEM of the system's trusted certificates; read by proxy_new */
    struct str extra_roots; /* PEM of --origin-ca, or empty */
    proxy_leaf_fn *leaf;    /* NULL: nothing is inspected */
    void *leaf_context;
    proxy_trust_fn *trust; /* may be NULL; told of changes only, not of every handshake */
    void *trust_context;
    /* Rung after an event of the sealed tier was appended, for a sync at once. */
    void (*sealed)(void *context);
    void *sealed_context;
};

MUST_USE enum err proxy_new(const struct proxy_setup *setup, struct proxy **ret_proxy);
void proxy_free(struct proxy *proxy);

/* Takes clients from a listening socket (non-blocking; stays the caller's). */
MUST_USE enum err proxy_listen(struct proxy *proxy, int listen_fd);

/* From now on these images decide; open requests and tunnels are decided again, and what is no
 * longer allowed is closed. When it returns, nothing in the proxy refers to the images before
 * these. */
void proxy_set_images(struct proxy *proxy, const struct policy_images *images);

void proxy_auth_answer(struct proxy *proxy, uint64_t ticket, bool accepted);

/* There will be no answer: whoever waits for it is told to try again, not that the password was
 * wrong. */
void proxy_auth_lost(struct proxy *proxy, uint64_t ticket);

/* Leaves are made under this key from now on, with this chain behind them (DER); leaves that were
 * remembered are forgotten. Before the first call nothing is inspected. ERR_MEMORY, ERR_INVALID. */
MUST_USE enum err proxy_set_leaf_key(struct proxy *proxy, struct str key_der, struct str chain_der,
                                     const uint8_t ticket_secret[TLS_TICKET_SECRET_BYTES]);

/* der empty: the notary refused, or is gone. */
void proxy_leaf_answer(struct proxy *proxy, const struct host *host, struct str der);

/* Whether the device at this address is taken to know the gate's CA: true until it is told
 * otherwise. */
void proxy_set_enrolled(struct proxy *proxy, const struct addr *client, bool enrolled);

/* Stops listening, lets requests in hand finish (at most drain_timeout_ms), then stops the loop. */
void proxy_drain(struct proxy *proxy);

/* For boards and tests. */
struct proxy_counts {
    uint64_t clients, tunnels, requests, blocked, failed;
};
void proxy_get_counts(const struct proxy *proxy, struct proxy_counts *ret_counts);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two sessions of TLS in a test, with a CA of their own, over pipes in memory that give and take as
 * little at once as the test says. */
#ifndef LODGE_TESTS_TLS_RIG_H
#define LODGE_TESTS_TLS_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/authority.h"
#include "tls/client.h"
#include "tls/server.h"

/* 2026-11-22, noon. */
enum { TLS_RIG_PIPE = 1 << 18 };
#define TLS_RIG_NOW_MS ((int64_t)1795348800 * 1000)

struct tls_rig {
    struct authority *authority;
    struct tls_key *key;
    struct tls_server *server;
    struct tls_client *client; /* trusts the authority */
    struct buf ca_key;         /* PEM */
    struct buf ca;             /* PEM */
    struct buf chain;          /* DER */
    int64_t now_ms;            /* as clients see it */
};
void tls_rig_init(struct tls_rig *rig);
void tls_rig_fini(struct tls_rig *rig);
/* "a.example" or an address. */
struct host tls_rig_host(const char *text);
struct tls_leaf *tls_rig_leaf(const struct tls_rig *rig, const char *host);

struct tls_pipe {
    size_t from, to;
    bool ended;   /* by its writer */
    size_t chunk; /* given at once; 0: all */
    size_t room;  /* takes no more than this; 0: as much as it can hold */
    size_t moves; /* calls that moved a byte */
    char bytes[TLS_RIG_PIPE];
};

/* One end of two pipes. */
struct tls_end {
    struct tls_pipe *in, *out;
    struct tls_lower lower;
};

struct tls_pair {
    struct tls_pipe *up, *down; /* to the server; to the client */
    struct tls_end server_end, client_end;
    struct tls_session *server, *client;
};
/* leaf: shown by the server, for the host whose tickets it makes; the client wants `wanted`. */
void tls_pair_init(struct tls_pair *pair, const struct tls_rig *rig, const struct tls_leaf *leaf,
                   const char *host, const char *wanted, bool h2);
void tls_pair_fini(struct tls_pair *pair);
/* Turns both until neither waits for the other any more; what they said last. */
void tls_pair_shake(struct tls_pair *pair, enum tls_result *ret_server,
                    enum tls_result *ret_client);
/* The same, where both must be done. */
void tls_pair_join(struct tls_pair *pair);

#endif

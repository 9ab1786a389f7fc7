/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rig needs for TLS between client and gate: a notary that answers when a test says so,
 * and clients that trust its CA, or do not. */
#ifndef LODGE_TESTS_PROXY_TLS_H
#define LODGE_TESTS_PROXY_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/proxy_rig.h"
#include "tls/authority.h"
#include "tls/client.h"

enum { RIG_LEAVES_MAX = 512 };

struct rig_tls {
    struct rig rig;
    struct authority *authority;
    struct tls_key *key;
    struct buf ca;                     /* PEM */
    struct tls_client *trusting;       /* knows the CA */
    struct tls_client *strange;        /* does not */
    struct host asked[RIG_LEAVES_MAX]; /* of the notary, not answered */
    size_t n_asked;
    size_t n_questions;     /* ever */
    bool busy;              /* the notary cannot be asked */
    enum proxy_trust trust; /* told last */
    size_t n_trusts;
};

/* Prepared, started, with a leaf key; `unknown` is the group of those nobody knows. */
void rig_tls_new(struct rig_tls *tls, const char *unknown);
/* The same, without the start: options can be changed before rig_tls_start. */
void rig_tls_prepare(struct rig_tls *tls);
void rig_tls_start(struct rig_tls *tls, const char *unknown);
void rig_tls_free(struct rig_tls *tls);

/* A new day: another key under the leaves. */
void rig_tls_new_key(struct rig_tls *tls);
/* The notary signs whatever it was asked for; refuse: it does not. */
void rig_tls_sign(struct rig_tls *tls);
void rig_tls_refuse(struct rig_tls *tls);

/* A client's end. */
struct tls_end {
    int fd;
    struct tls_session *session;
    enum tls_trouble trouble;
    size_t step; /* bytes sent at once; 0: all */
};
/* CONNECT target (%O: the origin's port), "200" read, a session for `name` begun. */
void end_open(struct rig_tls *tls, struct tls_end *end, const char *target, const char *name,
              bool trusts);
/* The session alone: end->fd is open. */
void end_begin(struct rig_tls *tls, struct tls_end *end, const struct host *host, bool trusts);
/* Drives the handshake, the notary signing; true: it is over and fine. */
bool end_handshake(struct rig_tls *tls, struct tls_end *end);
/* Both; fails where it does not succeed. */
void end_connect(struct rig_tls *tls, struct tls_end *end, const char *target, const char *name);
void end_say(struct rig_tls *tls, struct tls_end *end, const char *text);
/* As rig_read; empty `until`: up to the end. */
struct str end_read(struct rig_tls *tls, struct tls_end *end, const char *until);
void end_close(struct rig_tls *tls, struct tls_end *end);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker's line to the notary: asks for leaves, takes them and the key under them.
 *
 * A notary that dies is started again within moments, and a new line handed over: who waits for a
 * leaf is asked for again then, and told that there is none only when that takes too long.
 */
#ifndef LODGE_PROC_NOTARY_LINE_H
#define LODGE_PROC_NOTARY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "os/loop.h"
#include "tls/server.h"
#include "wire/host.h"

enum { NOTARY_LINE_WAITING_MAX = 1024, NOTARY_LINE_PATIENCE_MS = 3000 };

struct notary_line {
    struct loop_io io; /* fd -1: no line now */
    struct loop_timer patience;
    struct loop *loop;
    bool has_key; /* over this line; before it nothing is asked */
    struct host *waiting;
    size_t n_waiting;
    size_t n_asked; /* of these, over this line; the others once it takes more */

    void *context;
    /* Never called from inside notary_line_ask. The slices hold during the call. False: the key
     * cannot be used, and the line is given up. */
    bool (*key)(void *context, struct str key, struct str chain,
                const uint8_t secret[TLS_TICKET_SECRET_BYTES]);
    /* der empty: refused, or nobody answers. */
    void (*leaf)(void *context, const struct host *host, struct str der);
};

/* context, key and leaf are set by the owner. ERR_MEMORY. */
MUST_USE enum err notary_line_init(struct notary_line *line, struct loop *loop);

/* Nobody is told. Safe on a zeroed struct whose io.fd is -1. */
void notary_line_fini(struct notary_line *line);

/* Takes over a descriptor from the supervisor; the last one counts. */
void notary_line_take(struct notary_line *line, int fd);

/* True where `leaf` will be called for this host, once. */
bool notary_line_ask(struct notary_line *line, const struct host *host);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A question to a server's API over HTTPS: a GET, or a POST of a form, and an answer in memory.
 *
 * https only, no redirects, no proxy, certificates verified against what the caller gives; size and
 * time are bounded. Connections are kept for the next question (one caller has one thread).
 */
#ifndef LODGE_OUTBOUND_CALL_H
#define LODGE_OUTBOUND_CALL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct caller;

/* roots: trusted certificates (PEM), copied. Once per process before confinement; loads libraries.
 * ERR_MEMORY, ERR_SYSTEM. */
MUST_USE enum err caller_new(struct str roots, struct caller **ret_caller);
void caller_free(struct caller *caller);

struct call {
    const char *address;
    const char *header; /* one whole line, or NULL; wiped by the caller's owner */
    struct str form;    /* POST as application/x-www-form-urlencoded; p NULL: GET */
    int64_t timeout_ms;
};

/* Appends a body of status 200 to `to` (bounded by it). ERR_SYSTEM: no connection, TLS, time;
 * ERR_INVALID: another status (*ret_status, else 0); ERR_LIMIT: too large. *why is static. */
MUST_USE enum err caller_run(struct caller *caller, const struct call *call, struct buf *to,
                             long *ret_status, const char **why);

#endif

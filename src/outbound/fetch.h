/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching a file over HTTP(S) from a server we did not write.
 *
 * The bytes go to a descriptor and are looked at by nobody here. http and https only; an https
 * address is never redirected to http; a redirect never leads from a public to an inside address;
 * size, time and redirects are bounded; certificates are verified against the system's store.
 */
#ifndef LODGE_OUTBOUND_FETCH_H
#define LODGE_OUTBOUND_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { FETCH_TEXT_MAX = 256, FETCH_ADDRESS_MAX = 1024 };

struct fetch_job {
    const char *address;
    const char *etag;     /* of what we have, or "" (RFC 9110 section 13.1.2) */
    const char *modified; /* its Last-Modified, or "" (section 13.1.3) */
    int out_fd;           /* gets the body; not closed */
    uint64_t max_bytes;
    int64_t timeout_ms; /* the whole fetch */
    /* Called now and then with what has come and what will (0: unknown); may be NULL. */
    void (*progress)(void *context, uint64_t now, uint64_t total);
    void *context;
};

struct fetch_result {
    bool unchanged; /* 304: nothing was written */
    uint64_t bytes;
    char etag[FETCH_TEXT_MAX];
    char modified[FETCH_TEXT_MAX];
    char why[FETCH_TEXT_MAX]; /* on failure: what happened, for a person */
};

/* Once per process, before the first fetch and before confinement: loads the trust store's place
 * and libraries. */
MUST_USE enum err fetch_init(void);
void fetch_fini(void);

/* ERR_OK (look at unchanged). Failures, all with why: ERR_SYSTEM (no connection, TLS, time),
 * ERR_LIMIT (too large, too many redirects), ERR_INVALID (a status other than 200 or 304, a refused
 * redirect). *ret_result is always written. */
MUST_USE enum err fetch_run(const struct fetch_job *job, struct fetch_result *ret_result);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: sessions to origins that are kept to be resumed, the least used of which go
 * first. */
#ifndef LODGE_TLS_KEPT_IMPL_H
#define LODGE_TLS_KEPT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "wire/host.h"

enum { KEPT_MAX = 4096, KEPT_BUCKETS = 8192 };

/* What a session may be resumed for. */
struct kept_key {
    const struct host *host;
    uint16_t port;
    bool h2;
};

struct kept_entry;
struct kept {
    size_t count;
    struct kept_entry *newest;
    struct kept_entry *oldest;
    struct kept_entry *buckets[KEPT_BUCKETS];
};

void kept_fini(struct kept *kept);
/* Takes the session over, in the place of one kept before. */
void kept_put(struct kept *kept, const struct kept_key *key, SSL_SESSION *session,
              int64_t verified_ms);
/* The session, still the cache's, or NULL; one whose certificate was verified before since_ms or
 * behind until_ms (a clock that was set back) is dropped. */
SSL_SESSION *kept_find(struct kept *kept, const struct kept_key *key, int64_t since_ms,
                       int64_t until_ms, int64_t *ret_verified_ms);

#endif

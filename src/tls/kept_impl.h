/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: sessions to origins that are kept to be resumed, the least used of which go
 * first.
 *
 * They are kept in OpenSSL's own encoding: its objects hold the origin's certificates too, and are
 * marked as spent once they were used (RFC 8446 appendix C.4 advises against using a ticket twice,
 * since whoever listens could tell that it is the same client; every origin sees one gate for all
 * the school anyway, and connections that are opened at once all gain). */
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
/* Takes the peer's certificate out of OpenSSL's encoding of a session, in its place: it was judged
 * when it was new, and reading it again is half of what resuming costs. The new length; the old one
 * where there is no certificate, or the encoding is not as expected (it is then kept whole). */
int kept_without_peer(unsigned char *der, int len);

/* In the place of one kept before for the same. */
void kept_put(struct kept *kept, const struct kept_key *key, SSL_SESSION *session,
              int64_t verified_ms);
/* A session of the caller's, or NULL; one whose certificate was verified before since_ms or behind
 * until_ms (a clock that was set back) is dropped. */
SSL_SESSION *kept_find(struct kept *kept, const struct kept_key *key, int64_t since_ms,
                       int64_t until_ms, int64_t *ret_verified_ms);

#endif

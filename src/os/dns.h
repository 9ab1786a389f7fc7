/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Name look-ups: c-ares in our loop, behind a bounded cache that keeps to TTLs.
 *
 * Names must be canonical (wire/host.h: lower case, A-labels, no trailing dot) and no address
 * literals. A and AAAA are asked together. Several questions for one name share one look-up. Search
 * domains and the machine's own hosts file play no part; --hosts overrides are looked at first and
 * hold for ever. An address is 16 bytes, IPv4 mapped, as in struct addr of wire/.
 */
#ifndef LODGE_OS_DNS_H
#define LODGE_OS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/loop.h"

struct dns;
struct dns_query;

enum { DNS_ADDRESSES_MAX = 16 };

struct dns_answer {
    /* ERR_OK: n > 0 addresses. ERR_NOT_FOUND: the name, or an address of it, does not exist.
     * ERR_TIMEOUT: no answer within the limit. ERR_SYSTEM: servers unreachable or failing.
     * ERR_INVALID: not a name that can be asked. ERR_LIMIT: too many look-ups in hand. */
    enum err err;
    bool from_hosts; /* an override of --hosts, not the DNS */
    size_t n;
    /* IPv6 and IPv4 take turns, IPv6 first (RFC 8305 section 4), each in the server's order. */
    uint8_t ip[DNS_ADDRESSES_MAX][16];
};

/* Comes once per query that was started and not cancelled, never from inside dns_start. The answer
 * holds during the call. The callback may start and cancel other queries, and restart this one. */
typedef void dns_fn(struct dns_query *query, const struct dns_answer *answer);

/* Embedded in its owner; zeroed before the first use, fn set by the owner. */
struct dns_query {
    dns_fn *fn;
    struct dns_flight *flight; /* private; NULL: not waiting */
    struct dns_query *next;    /* private */
    struct dns_query *prev;    /* private */
};

struct dns_options {
    struct str servers;  /* "127.0.0.1:53,[::1]:5353"; empty: those of /etc/resolv.conf */
    int64_t timeout_ms;  /* of a whole look-up, all tries; 0: 5 s */
    int64_t ttl_min_ms;  /* answers are kept at least so long; 0: 1 s (rebinding, and load) */
    int64_t ttl_max_ms;  /* and at most so long; 0: 1 hour */
    int64_t negative_ms; /* how long "does not exist" is kept; 0: 10 s (failures: 1 s) */
    size_t max_names;    /* in the cache, least recently used goes first; 0: 16384 */
    size_t max_in_hand;  /* look-ups under way; 0: 1024 */
};

/* hosts is the text of a hosts file ("address name name... # comment"), or empty; it is copied.
 * ERR_INVALID for a bad line (dns_hosts_check names it) or bad servers. Reads /etc/resolv.conf now
 * and never again, so that the process may be confined afterwards. NULL options are the defaults.
 */
MUST_USE enum err dns_new(struct loop *loop, struct str hosts, const struct dns_options *options,
                          struct dns **ret_dns);
/* No query may be waiting. */
void dns_free(struct dns *dns);

/* True: the answer is known now (override, cache, or a name that cannot be asked), no query is
 * needed. Allocates nothing. */
bool dns_find(struct dns *dns, struct str name, struct dns_answer *ret_answer);

/* Asks; fn is called in a later turn, also where the answer was known. name is not kept. The query
 * must not be waiting. */
void dns_start(struct dns *dns, struct dns_query *query, struct str name);

/* The callback will not come. Fine when not waiting. */
void dns_cancel(struct dns_query *query);

/* Whether a hosts text can be read; else ERR_INVALID and the number of the line, from 1. */
MUST_USE enum err dns_hosts_check(struct str hosts, size_t *ret_line);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the resolver remembers: a bounded table of names, and the overrides of a hosts file.
 *
 * Private to os/dns.c. Pure but for memory: the time is an argument (ms of any one clock). The
 * table is keyed (SipHash), so that nobody who chooses names chooses collisions.
 */
#ifndef LODGE_OS_DNS_CACHE_H
#define LODGE_OS_DNS_CACHE_H

#include "os/dns.h"

struct dns_cache;

/* max_names bounds remembered answers; overrides come on top. key: random bytes. */
MUST_USE enum err dns_cache_new(size_t max_names, const uint8_t key[16],
                                struct dns_cache **ret_cache);
void dns_cache_free(struct dns_cache *cache);

/* True where an override or an answer that still holds at now_ms is known. */
bool dns_cache_find(struct dns_cache *cache, struct str name, int64_t now_ms,
                    struct dns_answer *ret_answer);

/* Remembers an answer until until_ms, in place of an earlier one; overrides stay. The least
 * recently used name goes when the table is full. Without memory it is not remembered, that is all.
 */
void dns_cache_put(struct dns_cache *cache, struct str name, const struct dns_answer *answer,
                   int64_t until_ms);

/* Adds the overrides of a hosts text. ERR_INVALID and the number of a bad line, ERR_MEMORY. */
MUST_USE enum err dns_cache_add_hosts(struct dns_cache *cache, struct str hosts, size_t *ret_line);

/* Adds an address where there is room, and puts the families in turn, IPv6 first. */
void dns_answer_add(struct dns_answer *answer, const uint8_t ip[16]);
void dns_answer_order(struct dns_answer *answer);

/* Whether a canonical name can be asked: 1 to 253 bytes, labels of 1 to 63, nothing that the wire
 * format or c-ares reads specially. */
bool dns_name_is_askable(struct str name);

#endif

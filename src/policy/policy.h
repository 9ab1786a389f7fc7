/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy image: what the school decided (docs/policy.md describes the document).
 *
 * Read once from canonical JSON into a compiled, immutable form; deciding from it allocates nothing
 * and asks no clock and no libc zone.
 */
#ifndef LODGE_POLICY_POLICY_H
#define LODGE_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct policy;
struct search_rules;

/* The five classes of R162, and NONE for what no row or default names. */
enum level {
    LEVEL_UNSET,
    LEVEL_NONE,
    LEVEL_ACCEPTABLE,
    LEVEL_CERTAIN_TIMES,
    LEVEL_NOMINATED,
    LEVEL_UNACCEPTABLE,
    LEVEL_ILLEGAL,
};

/* "acceptable", "certain-times", "nominated", "unacceptable", "illegal", "none"; static. */
struct str level_name(enum level level);

/* How Lodge speaks to a group on its pages. */
enum voice { VOICE_UNSET, VOICE_KS1, VOICE_KS2, VOICE_STAFF };

/* Reads a document. Errors (one line each: where, what, what to do) go to *why, which must be an
 * open buffer; ERR_INVALID for a document that must not be used, ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum err policy_parse(struct str json, struct policy **ret_policy, struct buf *why);
void policy_free(struct policy *policy);

/* The document with its members sorted and indented by two, for version control; it is not checked
 * beyond being JSON. Errors as for policy_parse. */
MUST_USE enum err policy_canonical(struct str json, struct buf *to, struct buf *why);

/* Identifies the document's contents; 0 never occurs. */
uint64_t policy_generation(const struct policy *policy);

/* Groups are small numbers below policy_group_count. */
size_t policy_group_count(const struct policy *policy);
MUST_USE enum err policy_group_find(const struct policy *policy, struct str id,
                                    unsigned *ret_group);
struct str policy_group_id(const struct policy *policy, unsigned group);
enum voice policy_group_voice(const struct policy *policy, unsigned group);
/* The tables of searching (search.h). */
const struct search_rules *policy_search(const struct policy *policy);
/* False where every cell of this category lets the group through at any time: nothing need be
 * looked at to find out whether an answer is of it. */
bool policy_weighs(const struct policy *policy, unsigned group, unsigned category);
/* The group of traffic without a person. */
unsigned policy_unknown_group(const struct policy *policy);

/* Local civil time of the policy's zone to UTC, for `check --at`. At the repeated hour in October
 * the first; a time that does not exist in March moves on by the gap. ERR_INVALID; ERR_RANGE
 * outside the years for which the document has offsets. */
MUST_USE enum err policy_local_to_utc(const struct policy *policy, struct str local,
                                      int64_t *ret_utc_ms);

/* The period of the timetable that holds at a time: exactly one does ("outside" has a name too). */
MUST_USE enum err policy_period(const struct policy *policy, int64_t utc_ms, struct str *ret_id,
                                int64_t *ret_until_ms);
/* What people call a period of the timetable: its label, or its id where it has none. Empty for
 * what is no period of it, such as a weekend. */
struct str policy_period_label(const struct policy *policy, struct str id);

/* A group of the school's own adults: who may sit beside a class. The unknown group speaks like
 * staff and may be anybody. */
bool policy_group_is_adult(const struct policy *policy, unsigned group);

/* True where a CONNECT may lead to this port: one of "connect_ports", where TLS is spoken. */
bool policy_has_connect_port(const struct policy *policy, uint16_t port);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of the school's own lists name a host or an address of it.
 *
 * A match is a host (it and everything below it), or a host with a path prefix on segment borders,
 * or with a whole path and parameters of the query, whatever others stand beside them. What closes
 * takes letters in any case; what opens is exact, and opens no request that gives such a parameter
 * a second value. All lists are in one table, so that a decision walks the labels of a host once.
 * Private to policy/.
 */
#ifndef LODGE_POLICY_MATCH_IMPL_H
#define LODGE_POLICY_MATCH_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/host.h"
#include "wire/url.h"

enum match_kind {
    MATCH_LIFELINE,
    MATCH_LEARNING,
    MATCH_DENY,
    MATCH_ALLOW,
    MATCH_PRIVATE,
    MATCH_NEVER, /* never inspected */
    MATCH_KINDS,
};

struct pattern {
    struct str host;  /* canonical */
    struct str path;  /* matching form without a final '/'; empty for the whole host */
    struct str query; /* parameters, where has_query */
    bool has_query;
};

struct match {
    struct pattern pattern;
    enum match_kind kind;
    uint64_t groups; /* those for which it holds */
    struct str name; /* of the rule: "list/deny/example.org" */
};

struct matcher {
    size_t n;
    struct match *matches; /* by host, then the others */
    size_t mask;           /* slots - 1 */
    uint32_t *slots;       /* index of a host's first match, plus one; 0: empty */
};

/* "example.org", "*.example.org" (the same), "example.org/path", "example.org/watch?v=1", with or
 * without "https://", in any spelling that url_parse takes. The slices lie in arena. ERR_INVALID,
 * ERR_LIMIT, ERR_MEMORY. */
MUST_USE enum err pattern_parse(struct str text, struct arena *arena, struct pattern *ret_pattern);

/* Whether something that opens this pattern (a grant) opens the site. url: where the path is known,
 * else NULL: then only patterns of whole hosts match. */
bool pattern_opens(const struct pattern *pattern, const struct host *host, const struct url *url);

/* Takes over matches (in arena), sorts them and makes the table. ERR_MEMORY. */
MUST_USE enum err matcher_init(struct matcher *matcher, struct match *matches, size_t n,
                               struct arena *arena);

/* The most particular match of each kind that holds for one of the groups, or NULL. */
void matcher_find(const struct matcher *matcher, const struct host *host, const struct url *url,
                  uint64_t groups, const struct match *ret_found[MATCH_KINDS]);

#endif

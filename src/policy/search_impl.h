/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of searching share. Private to policy/. */
#ifndef LODGE_POLICY_SEARCH_IMPL_H
#define LODGE_POLICY_SEARCH_IMPL_H

#include <stdint.h>

#include "policy/search.h"

/* Which table a host was found in. */
enum site_kind { SITE_UNSET, SITE_SAFE, SITE_UNSAFE, SITE_TERMS, SITE_PATH };

struct site_row {
    enum site_kind kind;
    struct str id; /* of the rule, where kind is SITE_UNSAFE */
    struct str hosts;
    unsigned index; /* in the table of its kind */
};

enum { SITE_HITS_MAX = 16 };

/* The rows of a host, at most SITE_HITS_MAX; answers how many. */
size_t sites_find(const struct search_rules *rules, const struct host *host,
                  const struct site_row *hits[SITE_HITS_MAX]);

/* The next word of a list with spaces between; empty at the end. */
struct str next_word(struct str *rest);
/* Whether a list has this word. */
bool has_word(struct str list, struct str word);

/* A name or value of a query, its escapes taken off and '+' as a space; cut at max bytes. */
size_t query_decode(struct str text, char *to, size_t max);

/* The parameters of a query, by '&' and by ';', as some servers part them. */
bool query_next(struct str *rest, struct str *ret_name, struct str *ret_value);

#endif

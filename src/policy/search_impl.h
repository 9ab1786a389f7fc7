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

/* What a word says as the name of a parameter or as a segment of a path (search_terms.c has the
 * lists). */
enum word_bit {
    WORD_SURE = 1,     /* a parameter of this name is searched for */
    WORD_PERHAPS = 2,  /* one might be, where host or path say so */
    WORD_SAYS = 4,     /* a segment behind which stands what is searched for */
    WORD_NOT_TERM = 8, /* one that is not what is searched for */
};

/* The lists, words parted by spaces. */
extern const struct str search_word_lists[4];

/* The bits of a word in lower case. */
unsigned word_bits(const struct search_rules *rules, struct str word);

/* The next word of a list with spaces between; empty at the end. */
struct str next_word(struct str *rest);
/* Whether a list has this word. */
bool has_word(struct str list, struct str word);

/* A name or value of a query, its escapes taken off and '+' as a space; cut at max bytes. */
size_t query_decode(struct str text, char *to, size_t max);

/* The parameters of a query, by '&' and by ';', as some servers part them. */
bool query_next(struct str *rest, struct str *ret_name, struct str *ret_value);

#endif

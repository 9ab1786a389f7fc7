/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searching: what is searched for (D13), and holding it to a safe mode (F33, D14).
 *
 * The tables search_engine.def and search_terms.def say which site does what; these functions are
 * pure. What is rewritten is a request's own target, in the client's bytes but for the parameters
 * that the table names; which row it falls under is decided on the matching form (wire/url.h), so
 * that no spelling of host or path gets round it.
 */
#ifndef LODGE_POLICY_SEARCH_H
#define LODGE_POLICY_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/charset.h"
#include "wire/url.h"

/* What a group's searches are held to. */
enum safe_search { SAFE_SEARCH_UNSET, SAFE_SEARCH_OFF, SAFE_SEARCH_MODERATE, SAFE_SEARCH_STRICT };

/* "off", "moderate", "strict"; static. */
struct str safe_search_name(enum safe_search level);

enum {
    SEARCH_TERMS_MAX = 512,      /* bytes of what was searched for */
    SEARCH_FORM_MAX = 16 * 1024, /* of a form's body: what lies behind is not looked at */
};

/* The tables, ready to be asked. */
struct search_rules;

/* Lives in arena. ERR_MEMORY. */
MUST_USE enum err search_rules_make(struct arena *arena, const struct search_rules **ret_rules);

/* The name of the rule ("safe-search/startpage") by which a site is closed to a group with safe
 * search: it has no safe mode that can be held, or a form that is sent to it could say otherwise.
 * path: in matching form, or empty before it is known; form: the request carries a form. Empty
 * where none. */
struct str search_unsafe(const struct search_rules *rules, const struct host *host, struct str path,
                         bool form);

/* How a request is changed. Slices are static but for target, which lies in the arena. */
struct search_edit {
    bool rewritten;    /* target is another than it was */
    struct str target; /* to be forwarded */
    struct str header; /* to be set, in place of any the client sent; empty: none */
    struct str value;
    struct str cookies; /* names to be taken out of Cookie, with spaces between */
    struct str cookie;  /* to be put in: "name=value"; empty: none */
};

/* The request for `target` (origin-form) as it is to be forwarded at this level; url is the same in
 * matching form. Of a target that has been through here, the result is that target. ERR_MEMORY, and
 * ERR_LIMIT beyond LIMIT_URL_LEN: then the request must not go on. */
MUST_USE enum err search_safe(const struct search_rules *rules, const struct url *url,
                              struct str target, enum safe_search level, struct arena *arena,
                              struct search_edit *ret_edit);

/* Appends the value of a Cookie field as edit asks; nothing where none is left. value may be empty:
 * the request had no such field. */
void search_cookie(const struct search_edit *edit, struct str value, struct buf *to);

/* What is searched for, in UTF-8, words parted by single spaces, values of several parameters by
 * " | ", at most SEARCH_TERMS_MAX bytes; empty where nothing is. url in matching form; form: the
 * first bytes of a body of application/x-www-form-urlencoded, or empty; charset: what its media
 * type says, or CHARSET_UNSET. Lies in arena; a full one gives the empty slice. */
struct str search_terms(const struct search_rules *rules, const struct url *url, struct str form,
                        enum charset charset, struct arena *arena);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URLs in the one form in which they are matched and recorded.
 *
 * url_parse reads as a browser does (WHATWG URL standard, special schemes with an authority) and
 * gives the *matching form*: what two spellings share if an origin would most likely serve the same
 * thing. What is forwarded to an origin is the request's own target, checked but unchanged; only
 * matching, events and lists use this form. Lists are put through the same function when they are
 * compiled.
 */
#ifndef LODGE_WIRE_URL_H
#define LODGE_WIRE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/host.h"

struct url {
    struct str scheme; /* lower case: "http", "https", "ws", "wss", "ftp" */
    struct host host;
    uint16_t port; /* given, or the scheme's default */
    /* Starts with '/'. Dot segments are gone ("%2e" too), backslashes and escaped slashes are
     * slashes, as servers read them, runs of slashes are one, and there is no fragment. Escapes of
     * unreserved characters are decoded, others have upper-case digits; what may not stand in a
     * path (RFC 3986's pchar and '/') is escaped, and so is a '%' that starts no escape. Case is
     * kept. */
    struct str path;
    /* Without the '?'; escapes as in path, and of "'"; empty where there is none. */
    struct str query;
    bool has_query;
};

/* Slices of *ret_url point into text where nothing had to change, else into arena. text may lack
 * the scheme ("example.org/a"): then default_scheme holds, and an empty default_scheme makes it
 * ERR_INVALID. Userinfo is dropped. Longer than LIMIT_URL_LEN, before or after: ERR_LIMIT. Full
 * arena: ERR_MEMORY. Anything else that a browser refuses: ERR_INVALID; and so is what only the
 * server could tell, a ".." behind an empty segment ("/a//../b"), and port 0. */
MUST_USE enum err url_parse(struct str text, struct str default_scheme, struct arena *arena,
                            struct url *ret_url);

/* The matching form of an origin-form request target ("/a?b", RFC 9112 section 3.2.1): path, query
 * and has_query are set, the rest of *ret_url is not touched. Same errors; white space, controls
 * and '#', which a URL as typed may hold, are ERR_INVALID in a target. */
MUST_USE enum err url_parse_target(struct str target, struct arena *arena, struct url *ret_url);

/* The address of a page that a browser may be sent to: absolute, http or https, at most
 * LIMIT_PAGE_LEN, and written so that no two readers can differ about where it leads: printable
 * ASCII without a backslash, no user. Fit for a header as it stands. ERR_INVALID for all else;
 * ERR_LIMIT; ERR_MEMORY. */
MUST_USE enum err url_parse_page(struct str text, struct arena *arena, struct url *ret_url);

/* 80, 443, 21 or 0. */
uint16_t url_default_port(struct str scheme);

#endif

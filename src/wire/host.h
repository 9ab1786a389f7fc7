/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host names, canonical the moment they enter.
 *
 * A struct host is always canonical: a name is lower-case ASCII (IDNA, UTS 46 non-transitional as
 * the WHATWG URL standard asks), without a trailing dot; an address in any spelling that a browser
 * takes (octal, hexadecimal, integer, short forms of IPv4; IPv6 in brackets) is an address. Two
 * hosts are the same exactly if kind and text are.
 */
#ifndef LODGE_WIRE_HOST_H
#define LODGE_WIRE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "wire/addr.h"

enum host_kind { HOST_UNSET, HOST_NAME, HOST_IPV4, HOST_IPV6 };

struct host {
    enum host_kind kind;
    struct addr addr; /* for HOST_IPV4 and HOST_IPV6 */
    uint8_t len;
    char text[LIMIT_HOST_LEN + 1]; /* NUL-terminated; IPv6 without brackets */
};

static inline struct str host_str(const struct host *host)
{
    return (struct str){host->text, host->len};
}

/* The host of a URL, of a Host header, of an SNI or of a list line: `text` without port and user.
 * Takes what the WHATWG host parser takes for special schemes (percent-encoding, full-width dots,
 * upper case, one trailing dot, IPv4 numbers, IPv6 only in brackets). ERR_INVALID for an empty
 * host, an empty label, a label over 63 or a name over 253 bytes, forbidden code points, a name
 * that is not ASCII and fails IDNA ("xn--" labels in ASCII are taken as they are, as by browsers),
 * and a name whose last label is a number but which is no IPv4 address. Allocates nothing for
 * ASCII. An IPv4-mapped IPv6 address becomes HOST_IPV4. */
MUST_USE enum err host_parse(struct str text, struct host *ret_host);

/* What host_str gave: the canonical text and no other spelling, IPv6 without brackets. ERR_INVALID.
 */
MUST_USE enum err host_parse_canonical(struct str text, struct host *ret_host);

/* The host of an address. */
void host_from_addr(const struct addr *addr, struct host *ret_host);

static inline bool host_eq(const struct host *a, const struct host *b)
{
    return a->kind == b->kind && str_eq(host_str(a), host_str(b));
}

/* True where name is suffix or ends in "." suffix; both canonical. Never matches inside a label. */
bool host_is_below(struct str name, struct str suffix);

/* "HOST:PORT", "[V6]:PORT" (RFC 9112 section 3.2.3; RFC 3986 section 3.2.2). Without a port,
 * *ret_port is default_port; 0 as default_port makes the port mandatory. Userinfo is ERR_INVALID.
 */
MUST_USE enum err host_parse_authority(struct str text, uint16_t default_port,
                                       struct host *ret_host, uint16_t *ret_port);

#endif

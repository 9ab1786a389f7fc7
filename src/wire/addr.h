/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network addresses as values: 16 bytes, IPv4 in its IPv4-mapped form (RFC 4291 section 2.5.5.2),
 * so that 192.0.2.1 and ::ffff:192.0.2.1 are one address everywhere. */
#ifndef LODGE_WIRE_ADDR_H
#define LODGE_WIRE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct addr {
    uint8_t bytes[16];
};

enum { ADDR_TEXT_MAX = 46 };

/* True where the address is IPv4 (mapped). */
bool addr_is_ipv4(const struct addr *addr);

bool addr_eq(const struct addr *a, const struct addr *b);

/* Dotted quad (four decimal parts without leading zeros, nothing else) or RFC 4291 IPv6 text
 * without brackets or zone. ERR_INVALID. Other IPv4 spellings are host_parse's business. */
MUST_USE enum err addr_parse(struct str text, struct addr *ret_addr);

/* Dotted quad for IPv4, RFC 5952 for IPv6; the length without the NUL. */
size_t addr_print(const struct addr *addr, char to[ADDR_TEXT_MAX]);

/* "ADDRESS/BITS" or a bare address; bits count in the 128-bit form (an IPv4 /8 gives 104). Bits
 * behind the prefix must be zero or are cleared. ERR_INVALID. */
MUST_USE enum err addr_parse_cidr(struct str text, struct addr *ret_addr, unsigned *ret_bits);

/* What is not a public unicast address: loopback, link-local, private (RFC 1918, RFC 4193), shared
 * (RFC 6598), unspecified, multicast, broadcast, documentation, benchmarking, and IPv6 forms that
 * carry such an IPv4 address (mapped, 6to4, NAT64 64:ff9b::/96, Teredo, IPv4-compatible). */
bool addr_is_special(const struct addr *addr);

#endif

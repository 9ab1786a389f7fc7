/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalog image: what a host, URL or address is.
 *
 * One file, compiled from lists (catalog/compile.h), mapped read-only by every process, never
 * written in place. Lookups are pure and allocate nothing. Keys are verified: a hash that collides
 * never gives a wrong category.
 */
#ifndef LODGE_CATALOG_CATALOG_H
#define LODGE_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "catalog/category.h"
#include "catalog/catset.h"
#include "wire/addr.h"
#include "wire/host.h"
#include "wire/url.h"

struct catalog;

/* Maps an image from an open descriptor (not taken over; it may be closed after). Checks the
 * header, sizes and the table of categories, not all bytes (that is catalog_verify, done once by
 * whoever takes an image in). ERR_INVALID with a sentence in *ret_why (static) for a file that is
 * not a whole image of this version; ERR_SYSTEM. */
MUST_USE enum err catalog_open(int fd, struct catalog **ret_catalog, const char **ret_why);
void catalog_free(struct catalog *catalog);

/* Checks every byte against the image's checksums, and the structure that lookups rely on. After
 * ERR_OK no lookup can read outside the image. ERR_INVALID with a sentence. */
MUST_USE enum err catalog_verify(const struct catalog *catalog, const char **ret_why);

/* Identifies the image's contents; 0 never occurs. */
uint64_t catalog_generation(const struct catalog *catalog);

struct catalog_hit {
    struct catset categories; /* those of all matches together, sealed ones included */
    bool sealed;              /* one of them is sealed */
};

/* The categories of a URL: of every suffix of the host, every path prefix on segment borders, and,
 * where the host is an address, of its prefixes. url->scheme and port play no part. */
void catalog_lookup(const struct catalog *catalog, const struct url *url,
                    struct catalog_hit *ret_hit);

/* The same for a host of which no path is known (CONNECT, DNS). */
void catalog_lookup_host(const struct catalog *catalog, const struct host *host,
                         struct catalog_hit *ret_hit);

/* Adds the categories of an address (CIDR lists), as of the address that a name resolved to. */
void catalog_lookup_addr(const struct catalog *catalog, const struct addr *addr,
                         struct catalog_hit *hit);

/* True where a sealed URL (not a whole host) lies on this host, or on one that it is below: then it
 * has to be inspected, or refused where it cannot be (design section 3, rule 1). */
bool catalog_host_has_sealed_url(const struct catalog *catalog, const struct host *host);

/* What an image holds, for people. */
struct catalog_count {
    uint64_t names;
    uint64_t urls;
    uint64_t prefixes;
};

/* Of a category, without sealed entries; zeros for a number that is none. */
struct catalog_count catalog_count(const struct catalog *catalog, unsigned category);
/* All sealed entries together: never by list or category (F3, I1). */
uint64_t catalog_sealed_count(const struct catalog *catalog);
/* Different names and URLs, and the bytes of the file. */
uint64_t catalog_key_count(const struct catalog *catalog);
uint64_t catalog_size(const struct catalog *catalog);

#endif

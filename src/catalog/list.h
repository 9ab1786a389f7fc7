/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers for lists of sites: bytes in, entries out through a callback. No file is opened here.
 *
 * Every name goes through host_parse and every URL through url_parse, so that a list and a request
 * cannot spell one thing in two ways. What a list's lines mean:
 *
 *   domains  one name a line; the name and all below it. "*.x" and ".x" are x. '#', ';' and '!'
 * begin a comment line, '#' after white space a comment. An address means itself. hosts    "ADDRESS
 * NAME ..." (hosts(5)); each name and all below it, as lists in this form mean it urls     one URL
 * a line, with or without scheme: the host and those below it, and the path and those below it on
 * segment borders. With a query: that path alone, and only with these parameters (see catalog.c).
 * Without a path: as a name of `domains`. v2fly    domain-list-community: "domain:", "full:" (the
 * host alone), "include:", "@attributes" cidr     "ADDRESS[/BITS]" a line hashed   hex SHA-256 of
 * the canonical host, tab, hex SHA-256 of the canonical URL without scheme (host, path, and "?"
 * query where there is one), or "-" for the whole host and all below
 */
#ifndef LODGE_CATALOG_LIST_H
#define LODGE_CATALOG_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "wire/addr.h"
#include "wire/host.h"

enum list_format {
    LIST_UNSET,
    LIST_DOMAINS,
    LIST_HOSTS,
    LIST_URLS,
    LIST_V2FLY,
    LIST_CIDR,
    LIST_HASHED,
    LIST_UT1, /* a folder of files in the forms above; for manifests, not for list_read */
};

enum list_fault {
#define LIST_FAULT(name, bad, text) LIST_FAULT_##name,
#include "catalog/list_fault.def"
#undef LIST_FAULT
    LIST_FAULT_COUNT
};

enum list_kind {
    LIST_ENTRY_UNSET,
    LIST_ENTRY_HOST,  /* host and all below it (an address: itself) */
    LIST_ENTRY_EXACT, /* the host alone */
    LIST_ENTRY_URL,   /* host, path, query */
    LIST_ENTRY_CIDR,  /* addr, bits */
    LIST_ENTRY_HASH,  /* host_hash, url_hash */
};

enum { LIST_HASH_BYTES = 32, LIST_URL_MAX = 2048, LIST_PARAMS_MAX = 16 };

/* Borrowed for the length of the callback. */
struct list_entry {
    enum list_kind kind;
    uint32_t line; /* from 1 */
    const struct host *host;
    struct str path; /* as in struct url; LIST_URL_MAX bytes at most with the query */
    struct str query;
    bool has_query;
    struct addr addr;
    unsigned bits; /* of 128 */
    uint8_t host_hash[LIST_HASH_BYTES];
    uint8_t url_hash[LIST_HASH_BYTES];
    bool has_url_hash;
};

/* Where entries go. */
struct list_sink {
    void *ctx;
    /* An error ends the reading and is its result. */
    enum err (*entry)(void *ctx, const struct list_entry *entry);
    /* A line without an entry, and why. */
    void (*fault)(void *ctx, enum list_fault fault, uint32_t line, struct str text);
    /* v2fly: another list whose entries belong here, and the attributes they must have ("@a") or
     * must not have ("@-a"), as written. NULL: includes are ignored. */
    enum err (*include)(void *ctx, struct str name, struct str attributes);
    /* v2fly: only entries with these attributes, as above; empty for all. */
    struct str attributes;
    /* domains, hosts and urls: the list is a sealed one, and may hold lines of `hashed` too. (No
     * name is mistaken for one: a label has at most 63 bytes, a hash has 64.) */
    bool sealed;
};

/* Reads all of bytes. ERR_OK whatever the lines hold, or the error of a callback. */
MUST_USE enum err list_read(enum list_format format, struct str bytes,
                            const struct list_sink *sink);

/* How a file of a UT1 folder is read: long lists are cut into domains.0, domains.1 ...; LIST_UNSET
 * for one that gives no entries. */
enum list_format list_ut1_part(struct str name);

/* "domains", "hosts", "urls", "ut1", "v2fly", "cidr", "hashed", or another word that people use for
 * one of them ("plain", "url", "sha256"); ERR_NOT_FOUND. */
MUST_USE enum err list_format_find(struct str name, enum list_format *ret_format);
const char *list_format_name(enum list_format format);

const char *list_fault_text(enum list_fault fault);
bool list_fault_is_bad(enum list_fault fault);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the halves of the compiler share: compile.c collects, compile_image.c lays out. */
#ifndef LODGE_CATALOG_COMPILE_PARTS_H
#define LODGE_CATALOG_COMPILE_PARTS_H

#include "base/buf.h"
#include "catalog/compile.h"
#include "catalog/image.h"

enum compile_kind {
    COMPILE_GONE,  /* taken out by an exception */
    COMPILE_BELOW, /* a name and all below it, or a URL and all below it */
    COMPILE_EXACT,
    COMPILE_PLACE, /* a host that has paths */
};

struct compile_key {
    uint64_t hash;
    uint32_t text; /* offset in texts */
    uint32_t line;
    uint16_t len;
    uint16_t list;
    uint8_t kind;
};

struct compile_prefix {
    struct addr first;
    uint8_t bits;
    uint8_t category;
};

/* A key that compile_settle takes out. */
struct compile_exception {
    uint64_t hash[2]; /* of the text, and with "www." before it */
    uint32_t text;    /* offset in texts; begins with "www." where `www` */
    uint32_t line;
    const char *file;
    uint64_t count; /* entries that went */
    uint16_t len;
    uint8_t category;
    bool www;
};

struct compile_sealed {
    struct image_sealed record; /* set is 0 */
    uint16_t list;
    uint32_t line;
};

struct compile_source {
    const char *name;
    uint8_t category;
    bool sealed;
};

/* A growing array. */
struct compile_items {
    void *p;
    size_t n;
    size_t cap;
};

struct compile {
    struct buf texts;
    struct compile_items keys;     /* struct compile_key */
    struct compile_items prefixes; /* struct compile_prefix */
    struct compile_items sealed;   /* struct compile_sealed */
    struct compile_items lists;    /* struct compile_source */
    struct compile_items excepts;  /* struct compile_exception */
    uint64_t entries;
    uint32_t path_depth;
};

/* Room for one more zeroed item; NULL without memory. */
void *compile_items_add(struct compile_items *items, size_t size);

static inline struct str compile_text(const struct compile *compile, uint32_t offset, uint16_t len)
{
    return str_make(compile->texts.p + offset, len);
}

/* The key of a URL entry, folded; its path and query are built in `text`. */
enum { COMPILE_TEXT_MAX = LIST_URL_MAX + 1 };
struct key compile_url_key(const struct list_entry *entry, char text[COMPILE_TEXT_MAX]);
uint64_t compile_key_hash(const struct key *key, bool is_name, uint32_t *ret_depth);

#endif

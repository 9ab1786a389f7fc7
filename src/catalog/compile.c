/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Collects entries. Keys are kept as one text after the other with their hashes, 24 bytes for each.
 */
#include "catalog/compile.h"

#include <stdlib.h>

#include "base/check.h"
#include "catalog/category.h"
#include "catalog/compile_parts.h"
#include "catalog/key.h"

void *compile_items_add(struct compile_items *items, size_t size)
{
    if (items->n == items->cap) {
        size_t cap = items->cap != 0 ? items->cap * 2 : 1024;
        void *p = reallocarray(items->p, cap, size);
        if (p == NULL) {
            return NULL;
        }
        items->p = p;
        items->cap = cap;
    }
    void *item = (char *)items->p + items->n++ * size;
    memset(item, 0, size);
    return item;
}

enum err compile_new(struct compile **ret_compile)
{
    struct compile *compile = calloc(1, sizeof(*compile));
    if (compile == NULL) {
        return ERR_MEMORY;
    }
    buf_init(&compile->texts, UINT32_MAX);
    *ret_compile = compile;
    return ERR_OK;
}

void compile_free(struct compile *compile)
{
    if (compile == NULL) {
        return;
    }
    buf_fini(&compile->texts);
    free(compile->keys.p);
    free(compile->prefixes.p);
    free(compile->sealed.p);
    free(compile->lists.p);
    free(compile->excepts.p);
    free(compile);
}

enum err compile_list(struct compile *compile, unsigned category, bool sealed, const char *name)
{
    const struct category_row *row = category_row(category);
    CHECK(row != NULL);
    if (compile->lists.n == UINT16_MAX) {
        return ERR_LIMIT;
    }
    struct compile_source *list = compile_items_add(&compile->lists, sizeof(*list));
    if (list == NULL) {
        return ERR_MEMORY;
    }
    *list = (struct compile_source){
        .name = name,
        .category = (uint8_t)category,
        .sealed = sealed || row->tier == TIER_SEALED,
    };
    return ERR_OK;
}

static const struct compile_source *current(const struct compile *compile)
{
    CHECK(compile->lists.n != 0);
    return (const struct compile_source *)compile->lists.p + (compile->lists.n - 1);
}

struct key compile_url_key(const struct list_entry *entry, char text[COMPILE_TEXT_MAX])
{
    struct str path = key_fold(key_trim_path(entry->path), text, LIST_URL_MAX);
    struct str query = {NULL, 0};
    if (entry->has_query) {
        query = key_fold(entry->query, text + path.len, LIST_URL_MAX - path.len);
    }
    return (struct key){host_str(entry->host), path, query};
}

uint64_t compile_key_hash(const struct key *key, bool is_name, uint32_t *ret_depth)
{
    uint64_t hash = key_hash_host(key->host, is_name);
    uint32_t depth = 0;
    for (size_t at = 0; at < key->path.len; depth++) {
        size_t end = key_path_border(key->path, at);
        hash = key_hash_segment(hash, str_make(key->path.p + at, end - at));
        at = end;
    }
    *ret_depth = depth;
    return key->query.len != 0 ? key_hash_query(hash, key->query) : hash;
}

static enum err add_key(struct compile *compile, enum compile_kind kind, const struct key *key,
                        uint64_t hash, uint32_t line)
{
    struct compile_key *item = compile_items_add(&compile->keys, sizeof(*item));
    if (item == NULL) {
        return ERR_MEMORY;
    }
    *item = (struct compile_key){
        .hash = hash,
        .text = (uint32_t)compile->texts.len,
        .line = line,
        .len = (uint16_t)key_len(key),
        .list = (uint16_t)(compile->lists.n - 1),
        .kind = (uint8_t)kind,
    };
    buf_append(&compile->texts, key->host);
    buf_append(&compile->texts, key->path);
    if (key->query.len != 0) {
        buf_append_byte(&compile->texts, '?');
        buf_append(&compile->texts, key->query);
    }
    return buf_err(&compile->texts);
}

static enum err add_host(struct compile *compile, const struct list_entry *entry,
                         enum compile_kind kind)
{
    struct key key = {.host = host_str(entry->host)};
    uint64_t hash = key_hash_host(key.host, entry->host->kind == HOST_NAME);
    return add_key(compile, kind, &key, hash, entry->line);
}

static enum err add_url(struct compile *compile, const struct list_entry *entry)
{
    char text[COMPILE_TEXT_MAX];
    uint32_t depth = 0;
    struct key key = compile_url_key(entry, text);
    uint64_t hash = compile_key_hash(&key, entry->host->kind == HOST_NAME, &depth);
    ERR_TRY(add_host(compile, entry, COMPILE_PLACE));
    compile->path_depth = depth > compile->path_depth ? depth : compile->path_depth;
    return add_key(compile, COMPILE_BELOW, &key, hash, entry->line);
}

static enum err add_prefix(struct compile *compile, const struct list_entry *entry)
{
    struct compile_prefix *item = compile_items_add(&compile->prefixes, sizeof(*item));
    if (item == NULL) {
        return ERR_MEMORY;
    }
    item->first = entry->addr;
    item->bits = (uint8_t)entry->bits;
    item->category = current(compile)->category;
    return ERR_OK;
}

static enum err add_sealed(struct compile *compile, const struct list_entry *entry)
{
    if (entry->kind == LIST_ENTRY_CIDR) {
        return ERR_INVALID; /* an address cannot be hidden by a hash */
    }
    struct compile_sealed *item = compile_items_add(&compile->sealed, sizeof(*item));
    if (item == NULL) {
        return ERR_MEMORY;
    }
    struct image_sealed *record = &item->record;
    item->list = (uint16_t)(compile->lists.n - 1);
    item->line = entry->line;
    if (entry->kind == LIST_ENTRY_HASH) {
        memcpy(record->host, entry->host_hash, sizeof(record->host));
        record->is_url = entry->has_url_hash;
        if (entry->has_url_hash) {
            memcpy(record->url, entry->url_hash, sizeof(record->url));
        }
        return ERR_OK;
    }
    sha256(host_str(entry->host), record->host);
    if (entry->kind == LIST_ENTRY_URL) {
        struct sha256 state;
        record->is_url = 1;
        sha256_init(&state);
        sha256_update(&state, host_str(entry->host));
        sha256_update(&state, entry->path);
        if (entry->has_query) {
            sha256_update(&state, STR("?"));
            sha256_update(&state, entry->query);
        }
        sha256_final(&state, record->url);
    }
    return ERR_OK;
}

enum err compile_entry(struct compile *compile, const struct list_entry *entry)
{
    compile->entries++;
    if (current(compile)->sealed || entry->kind == LIST_ENTRY_HASH) {
        return add_sealed(compile, entry);
    }
    switch (entry->kind) {
    case LIST_ENTRY_HOST:
        return add_host(compile, entry, COMPILE_BELOW);
    case LIST_ENTRY_EXACT:
        return add_host(compile, entry, COMPILE_EXACT);
    case LIST_ENTRY_URL:
        return add_url(compile, entry);
    case LIST_ENTRY_CIDR:
        return add_prefix(compile, entry);
    case LIST_ENTRY_HASH:
    case LIST_ENTRY_UNSET:
        break;
    }
    return ERR_INVALID;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done to single entries among millions: exceptions taken out, popular names found. The few
 * that matter are sorted by hash behind a small filter, and each entry is looked at once. */
#include <stdlib.h>

#include "base/check.h"
#include "catalog/category.h"
#include "catalog/compile_parts.h"
#include "catalog/key.h"

enum { WATCH_FILTER = 1 << 16 };

struct watched {
    uint64_t hash;
    uint32_t what; /* the caller's number */
    uint16_t at;   /* the caller's second number */
};

struct watch {
    struct compile_items items; /* struct watched */
    uint64_t filter[WATCH_FILTER / 64];
};

static enum err watch_add(struct watch *watch, uint64_t hash, size_t what, size_t at)
{
    struct watched *item = compile_items_add(&watch->items, sizeof(*item));
    if (item == NULL) {
        return ERR_MEMORY;
    }
    *item = (struct watched){.hash = hash, .what = (uint32_t)what, .at = (uint16_t)at};
    watch->filter[hash % WATCH_FILTER / 64] |= UINT64_C(1) << (hash % 64);
    return ERR_OK;
}

static int compare_watched(const void *a, const void *b)
{
    const struct watched *x = a;
    const struct watched *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void watch_sort(struct watch *watch)
{
    if (watch->items.n != 0) {
        qsort(watch->items.p, watch->items.n, sizeof(struct watched), compare_watched);
    }
}

/* The first watched item of this hash, or the end. */
static const struct watched *watch_find(const struct watch *watch, uint64_t hash)
{
    const struct watched *items = watch->items.p;
    size_t low = 0;
    size_t high = watch->items.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (items[mid].hash < hash) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return items + low;
}

static bool watch_may_have(const struct watch *watch, uint64_t hash)
{
    return (watch->filter[hash % WATCH_FILTER / 64] >> (hash % 64) & 1) != 0;
}

/* Calls look for each entry and each watched item of its hash. */
static void watch_run(struct compile *compile, const struct watch *watch,
                      void (*look)(void *ctx, struct compile *compile, struct compile_key *key,
                                   const struct watched *item),
                      void *ctx)
{
    struct compile_key *keys = compile->keys.p;
    const struct watched *end = (const struct watched *)watch->items.p + watch->items.n;
    for (size_t i = 0; i < compile->keys.n; i++) {
        if (!watch_may_have(watch, keys[i].hash)) {
            continue;
        }
        const struct watched *item = watch_find(watch, keys[i].hash);
        for (; item != end && item->hash == keys[i].hash; item++) {
            look(ctx, compile, &keys[i], item);
        }
    }
}

enum err compile_except(struct compile *compile, unsigned category, const struct list_entry *entry,
                        const char *file)
{
    char text[COMPILE_TEXT_MAX];
    char www[LIMIT_HOST_LEN + 1] = "www.";
    uint32_t depth = 0;
    struct key key = {.host = host_str(entry->host)};
    struct compile_exception *item = compile_items_add(&compile->excepts, sizeof(*item));
    CHECK(category_row(category) != NULL);
    if (item == NULL) {
        return ERR_MEMORY;
    }
    if (entry->kind == LIST_ENTRY_URL) {
        key = compile_url_key(entry, text);
    }
    bool is_name = entry->host->kind == HOST_NAME;
    item->category = (uint8_t)category;
    item->line = entry->line;
    item->file = file;
    item->hash[0] = compile_key_hash(&key, is_name, &depth);
    item->hash[1] = item->hash[0];
    if (is_name && key.host.len + 4 <= LIMIT_HOST_LEN) {
        memcpy(www + 4, key.host.p, key.host.len);
        key.host = str_make(www, key.host.len + 4);
        item->www = true;
        item->hash[1] = compile_key_hash(&key, is_name, &depth);
    }
    item->text = (uint32_t)compile->texts.len;
    item->len = (uint16_t)key_len(&key);
    buf_append(&compile->texts, key.host);
    buf_append(&compile->texts, key.path);
    buf_append(&compile->texts, key.query.len != 0 ? STR("?") : STR(""));
    buf_append(&compile->texts, key.query);
    return buf_err(&compile->texts);
}

/* The text of an exception, with "www." before it for which = 1. */
static struct str exception_text(const struct compile *compile,
                                 const struct compile_exception *item, unsigned which)
{
    struct str text = compile_text(compile, item->text, item->len);
    return item->www && which == 0 ? str_skip(text, 4) : text;
}

static void take_out(void *ctx, struct compile *compile, struct compile_key *key,
                     const struct watched *found)
{
    const struct compile_source *list = (const struct compile_source *)compile->lists.p + key->list;
    struct compile_exception *item = (struct compile_exception *)compile->excepts.p + found->what;
    (void)ctx;
    if (key->kind != COMPILE_GONE && key->kind != COMPILE_PLACE &&
        list->category == item->category &&
        str_eq(compile_text(compile, key->text, key->len),
               exception_text(compile, item, found->at))) {
        key->kind = COMPILE_GONE;
        item->count++;
    }
}

enum err compile_settle(struct compile *compile,
                        void (*idle)(void *ctx, const char *file, uint32_t line, struct str entry),
                        void *ctx)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    struct compile_exception *items = compile->excepts.p;
    enum err err = watch != NULL ? ERR_OK : ERR_MEMORY;
    for (size_t i = 0; err == ERR_OK && i < compile->excepts.n; i++) {
        items[i].count = 0;
        for (unsigned which = 0; which < (items[i].www ? 2 : 1) && err == ERR_OK; which++) {
            err = watch_add(watch, items[i].hash[which], i, which);
        }
    }
    if (err == ERR_OK) {
        watch_sort(watch);
        watch_run(compile, watch, take_out, NULL);
        for (size_t i = 0; i < compile->excepts.n; i++) {
            if (items[i].count == 0) {
                idle(ctx, items[i].file, items[i].line, exception_text(compile, &items[i], 0));
            }
        }
    }
    if (watch != NULL) {
        free(watch->items.p);
    }
    free(watch);
    return err;
}

struct popular {
    const struct str *names;
    void (*tell)(void *ctx, const struct compile_hit *hit);
    void *ctx;
};

static bool is_blocking(unsigned category)
{
    enum tier tier = category_row(category)->tier;
    return tier == TIER_HARMFUL || tier == TIER_SEALED;
}

static void look_popular(void *ctx, struct compile *compile, struct compile_key *key,
                         const struct watched *found)
{
    const struct popular *popular = ctx;
    const struct compile_source *list = (const struct compile_source *)compile->lists.p + key->list;
    struct str name = popular->names[found->what];
    struct str text = compile_text(compile, key->text, key->len);
    bool reaches = key->kind == COMPILE_BELOW || (key->kind == COMPILE_EXACT && found->at == 0);
    if (!reaches || !is_blocking(list->category) || !str_eq(text, str_skip(name, found->at))) {
        return;
    }
    struct compile_hit hit = {name, text, list->name, key->line, list->category};
    popular->tell(popular->ctx, &hit);
}

static int compare_names(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_BYTES);
}

/* One of the sealed whole hosts that is the name or above it. */
static void look_sealed(const struct compile *compile, const struct popular *popular,
                        const uint8_t (*sorted)[SHA256_BYTES + sizeof(uint32_t)], size_t n,
                        size_t which)
{
    struct str name = popular->names[which];
    for (size_t at = 0; at < name.len; at += 1 + str_index(str_skip(name, at), '.')) {
        uint8_t hash[SHA256_BYTES];
        sha256(str_skip(name, at), hash);
        const uint8_t *found = bsearch(hash, sorted, n, sizeof(sorted[0]), compare_names);
        if (found != NULL) {
            uint32_t index = 0;
            memcpy(&index, found + SHA256_BYTES, sizeof(index));
            const struct compile_sealed *item =
                (const struct compile_sealed *)compile->sealed.p + index;
            const struct compile_source *list =
                (const struct compile_source *)compile->lists.p + item->list;
            struct compile_hit hit = {name, {NULL, 0}, list->name, item->line, list->category};
            popular->tell(popular->ctx, &hit);
        }
    }
}

static enum err popular_sealed(const struct compile *compile, const struct popular *popular,
                               size_t n_names)
{
    const struct compile_sealed *items = compile->sealed.p;
    uint8_t(*sorted)[SHA256_BYTES + sizeof(uint32_t)] = NULL;
    size_t n = 0;
    if (compile->sealed.n == 0) {
        return ERR_OK;
    }
    sorted = reallocarray(NULL, compile->sealed.n, sizeof(*sorted));
    if (sorted == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < compile->sealed.n; i++) {
        if (items[i].record.is_url == 0) {
            memcpy(sorted[n], items[i].record.host, SHA256_BYTES);
            memcpy(sorted[n++] + SHA256_BYTES, &i, sizeof(i));
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare_names);
    for (size_t i = 0; i < n_names; i++) {
        look_sealed(compile, popular, sorted, n, i);
    }
    free(sorted);
    return ERR_OK;
}

enum err compile_popular(struct compile *compile, const struct str *names, size_t n,
                         void (*tell)(void *ctx, const struct compile_hit *hit), void *ctx)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    struct popular popular = {names, tell, ctx};
    enum err err = watch != NULL ? ERR_OK : ERR_MEMORY;
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        struct suffixes all;
        key_suffixes(names[i], true, &all);
        for (unsigned s = 0; err == ERR_OK && s < all.count; s++) {
            err = watch_add(watch, all.hash[s], i, all.at[s]);
        }
    }
    if (err == ERR_OK) {
        watch_sort(watch);
        watch_run(compile, watch, look_popular, &popular);
        err = popular_sealed(compile, &popular, n);
    }
    if (watch != NULL) {
        free(watch->items.p);
    }
    free(watch);
    return err;
}

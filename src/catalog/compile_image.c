/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lays out the image: entries in the order of their buckets, equal keys joined. */
#include <stdlib.h>

#include "base/check.h"
#include "base/num.h"
#include "catalog/category.h"
#include "catalog/compile_parts.h"
#include "catalog/key.h"

enum {
    SET_TABLE = 1 << 17,
    AHEAD_KEY = 32, /* how far to fetch entries and texts before they are needed */
    AHEAD_TEXT = 16,
    SMALL_SORT = 32,
};

/* The image while it is made. p has room for all. */
struct layout {
    struct compile *compile;
    char *p;
    size_t len;
    size_t cap;
    struct image_header *header;
    struct image_count counts[LIMIT_CATEGORIES];
    struct compile_items sets; /* struct image_set */
    uint16_t *set_table;       /* number + 1 of a set at its hash's place */
    uint32_t *order;           /* keys' indexes by bucket */
    uint32_t *starts;          /* where each bucket begins in order */
};

static const struct compile_key *keys_of(const struct layout *layout)
{
    return layout->compile->keys.p;
}

static unsigned category_of(const struct layout *layout, uint16_t list)
{
    return ((const struct compile_source *)layout->compile->lists.p + list)->category;
}

static void section_begin(struct layout *layout, enum image_part part)
{
    layout->len = (layout->len + IMAGE_PAGE - 1) / IMAGE_PAGE * IMAGE_PAGE;
    CHECK(layout->len <= layout->cap);
    layout->header->sections[part].offset = layout->len;
}

static void put(struct layout *layout, const void *bytes, size_t n)
{
    CHECK(n <= layout->cap - layout->len);
    if (n != 0) {
        memcpy(layout->p + layout->len, bytes, n);
    }
    layout->len += n;
}

static void section_end(struct layout *layout, enum image_part part)
{
    struct image_section *section = &layout->header->sections[part];
    section->size = layout->len - section->offset;
    section->checksum = fasthash64(str_make(layout->p + section->offset, section->size), 0);
}

static void put_section(struct layout *layout, enum image_part part, const void *bytes, size_t n)
{
    section_begin(layout, part);
    put(layout, bytes, n);
    section_end(layout, part);
}

/* The number of a set, which is added where it is new. */
static enum err set_number(struct layout *layout, const struct image_set *set, uint16_t *ret_number)
{
    uint64_t hash = fasthash64(str_make((const char *)set, sizeof(*set)), 0);
    for (size_t at = hash % SET_TABLE;; at = (at + 1) % SET_TABLE) {
        uint16_t number = layout->set_table[at];
        if (number == 0) {
            struct image_set *item = layout->sets.n < IMAGE_SETS_MAX - 1
                                         ? compile_items_add(&layout->sets, sizeof(*item))
                                         : NULL;
            if (item == NULL) {
                return layout->sets.n < IMAGE_SETS_MAX - 1 ? ERR_MEMORY : ERR_LIMIT;
            }
            *item = *set;
            layout->set_table[at] = (uint16_t)layout->sets.n;
            *ret_number = (uint16_t)(layout->sets.n - 1);
            return ERR_OK;
        }
        const struct image_set *known = (const struct image_set *)layout->sets.p + (number - 1);
        if (memcmp(known, set, sizeof(*set)) == 0) {
            *ret_number = (uint16_t)(number - 1);
            return ERR_OK;
        }
    }
}

/* Sorts the keys' indexes by bucket: a count, a sum, a deal. */
static enum err sort_into_buckets(struct layout *layout)
{
    const struct compile_key *keys = keys_of(layout);
    size_t n = layout->compile->keys.n;
    uint32_t n_buckets = layout->header->n_buckets;
    layout->order = reallocarray(NULL, n + 1, sizeof(uint32_t));
    layout->starts = calloc((size_t)n_buckets + 2, sizeof(uint32_t));
    if (layout->order == NULL || layout->starts == NULL) {
        return ERR_MEMORY;
    }
    /* starts[b + 1] first counts bucket b - 1, then is where bucket b goes on, and so at last ends.
     */
    uint32_t *next = layout->starts + 1;
    for (size_t i = 0; i < n; i++) {
        next[key_bucket(keys[i].hash, n_buckets) + 1] += keys[i].kind != COMPILE_GONE;
    }
    for (uint32_t b = 0; b < n_buckets; b++) {
        next[b + 1] += next[b];
    }
    for (size_t i = 0; i < n; i++) {
        if (keys[i].kind != COMPILE_GONE) {
            layout->order[next[key_bucket(keys[i].hash, n_buckets)]++] = (uint32_t)i;
        }
    }
    return ERR_OK;
}

static int compare_keys(const void *a, const void *b, void *ctx)
{
    const struct layout *layout = ctx;
    const struct compile_key *x = keys_of(layout) + *(const uint32_t *)a;
    const struct compile_key *y = keys_of(layout) + *(const uint32_t *)b;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return str_compare(compile_text(layout->compile, x->text, x->len),
                       compile_text(layout->compile, y->text, y->len));
}

static void sort_bucket(struct layout *layout, uint32_t *order, size_t n)
{
    if (n > SMALL_SORT) {
        qsort_r(order, n, sizeof(*order), compare_keys, layout);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        uint32_t item = order[i];
        size_t at = i;
        while (at > 0 && compare_keys(&order[at - 1], &item, layout) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = item;
    }
}

static void fetch_ahead(const struct layout *layout, size_t at)
{
    const struct compile_key *keys = keys_of(layout);
    size_t n = layout->starts[layout->header->n_buckets];
    if (at + AHEAD_KEY < n) {
        __builtin_prefetch(&keys[layout->order[at + AHEAD_KEY]]);
    }
    if (at + AHEAD_TEXT < n) {
        __builtin_prefetch(layout->compile->texts.p + keys[layout->order[at + AHEAD_TEXT]].text);
    }
}

static bool same_key(const struct layout *layout, uint32_t a, uint32_t b)
{
    return compare_keys(&a, &b, (void *)(uintptr_t)layout) == 0;
}

static void count_key(struct layout *layout, const struct image_set *set, struct str text)
{
    struct catset all = set->below;
    bool is_url = memchr(text.p, '/', text.len) != NULL || memchr(text.p, '?', text.len) != NULL;
    catset_join(&all, &set->exact);
    for (unsigned c = catset_next(&all, 0); c < LIMIT_CATEGORIES; c = catset_next(&all, c + 1)) {
        if (is_url) {
            layout->counts[c].urls++;
        } else {
            layout->counts[c].names++;
        }
    }
}

/* What all entries of one key say together. */
static struct image_set join_keys(const struct layout *layout, const uint32_t *order, size_t n)
{
    struct image_set set = {0};
    for (size_t i = 0; i < n; i++) {
        const struct compile_key *key = keys_of(layout) + order[i];
        if (key->kind == COMPILE_PLACE) {
            set.flags |= IMAGE_HAS_PATHS;
        } else {
            catset_add(key->kind == COMPILE_BELOW ? &set.below : &set.exact,
                       category_of(layout, key->list));
        }
    }
    return set;
}

/* One bucket's keys, each once. */
struct bucket {
    size_t n;
    uint32_t key[IMAGE_BUCKET_MAX];
    uint16_t set[IMAGE_BUCKET_MAX];
};

static enum err gather_bucket(struct layout *layout, uint32_t *order, size_t n,
                              struct bucket *ret_bucket)
{
    ret_bucket->n = 0;
    sort_bucket(layout, order, n);
    for (size_t i = 0, next = 0; i < n; i = next) {
        for (next = i + 1; next < n && same_key(layout, order[i], order[next]); next++) {
        }
        const struct compile_key *key = keys_of(layout) + order[i];
        struct image_set set = join_keys(layout, order + i, next - i);
        if (ret_bucket->n == IMAGE_BUCKET_MAX) {
            return ERR_LIMIT;
        }
        ERR_TRY(set_number(layout, &set, &ret_bucket->set[ret_bucket->n]));
        ret_bucket->key[ret_bucket->n++] = order[i];
        count_key(layout, &set, compile_text(layout->compile, key->text, key->len));
    }
    return ERR_OK;
}

static void put_bucket(struct layout *layout, const struct bucket *bucket)
{
    const struct compile_key *keys = keys_of(layout);
    uint8_t tags[IMAGE_BUCKET_MAX];
    uint8_t lengths[IMAGE_BUCKET_MAX];
    uint8_t count = (uint8_t)bucket->n;
    for (size_t i = 0; i < bucket->n; i++) {
        const struct compile_key *key = &keys[bucket->key[i]];
        tags[i] = key_tag(key->hash);
        lengths[i] = key->len < IMAGE_LONG_KEY ? (uint8_t)key->len : IMAGE_LONG_KEY;
    }
    put(layout, &count, 1);
    put(layout, tags, bucket->n);
    put(layout, bucket->set, bucket->n * sizeof(bucket->set[0]));
    put(layout, lengths, bucket->n);
    for (size_t i = 0; i < bucket->n; i++) {
        const struct compile_key *key = &keys[bucket->key[i]];
        if (lengths[i] == IMAGE_LONG_KEY) {
            put(layout, &key->len, sizeof(key->len));
        }
        put(layout, layout->compile->texts.p + key->text, key->len);
    }
}

static enum err put_keys(struct layout *layout)
{
    const struct compile_key *keys = keys_of(layout);
    struct image_header *header = layout->header;
    size_t n_words = layout->compile->keys.n * IMAGE_FILTER_BITS / 64 + 1;
    struct bucket bucket;
    section_begin(layout, IMAGE_FILTER);
    uint64_t *filter = (void *)(layout->p + layout->len);
    layout->len += n_words * sizeof(*filter);
    section_begin(layout, IMAGE_DIR);
    uint32_t *dir = (void *)(layout->p + layout->len);
    layout->len += ((size_t)header->n_buckets + 1) * sizeof(*dir);
    section_begin(layout, IMAGE_KEYS);
    size_t base = layout->len;
    for (uint32_t b = 0; b < header->n_buckets; b++) {
        uint32_t from = b != 0 ? layout->starts[b] : 0;
        dir[b] = (uint32_t)(layout->len - base);
        for (uint32_t i = from; i < layout->starts[b + 1]; i++) {
            fetch_ahead(layout, i);
        }
        ERR_TRY(gather_bucket(layout, layout->order + from, layout->starts[b + 1] - from, &bucket));
        put_bucket(layout, &bucket);
        header->n_keys += bucket.n;
        for (size_t i = 0; i < bucket.n; i++) {
            uint64_t hash = keys[bucket.key[i]].hash;
            filter[key_filter_word(hash, n_words)] |= key_filter_bits(hash);
        }
    }
    if (layout->len - base > UINT32_MAX) {
        return ERR_LIMIT;
    }
    dir[header->n_buckets] = (uint32_t)(layout->len - base);
    section_end(layout, IMAGE_KEYS);
    layout->len = header->sections[IMAGE_FILTER].offset + n_words * sizeof(*filter);
    section_end(layout, IMAGE_FILTER);
    layout->len =
        header->sections[IMAGE_DIR].offset + ((size_t)header->n_buckets + 1) * sizeof(*dir);
    section_end(layout, IMAGE_DIR);
    layout->len = header->sections[IMAGE_KEYS].offset + header->sections[IMAGE_KEYS].size;
    return ERR_OK;
}

static int compare_prefixes(const void *a, const void *b)
{
    const struct compile_prefix *x = a;
    const struct compile_prefix *y = b;
    int order = memcmp(&x->first, &y->first, sizeof(x->first));
    return order != 0 ? order : (int)x->bits - (int)y->bits;
}

/* The first address behind a prefix; false where there is none. */
static bool prefix_end(const struct compile_prefix *prefix, struct addr *ret_end)
{
    struct addr end = prefix->first;
    if (prefix->bits == 0) {
        return false;
    }
    unsigned step = 1U << (7 - (prefix->bits - 1U) % 8);
    for (size_t i = (prefix->bits - 1U) / 8 + 1; i-- > 0; step = 1) {
        unsigned sum = end.bytes[i] + step;
        end.bytes[i] = (uint8_t)sum;
        if (sum < 256) {
            *ret_end = end;
            return true;
        }
    }
    return false;
}

/* The sweep over sorted prefixes: those open at a place, each inside the one before. */
struct sweep {
    struct layout *layout;
    size_t depth;
    struct {
        struct addr end;
        bool endless;
        struct catset all; /* with those outside it */
    } open[LIMIT_CATEGORIES + 2];
    struct compile_items starts; /* struct addr */
    struct compile_items spans;  /* uint32_t */
};

static enum err sweep_cut(struct sweep *sweep, const struct addr *at)
{
    struct image_set set = {0};
    uint16_t number = 0;
    if (sweep->depth != 0) {
        set.below = sweep->open[sweep->depth - 1].all;
    }
    ERR_TRY(set_number(sweep->layout, &set, &number));
    struct addr *starts = sweep->starts.p;
    uint32_t *spans = sweep->spans.p;
    size_t n = sweep->starts.n;
    if (n != 0 && memcmp(&starts[n - 1], at, sizeof(*at)) == 0) {
        spans[n - 1] = number;
        return ERR_OK;
    }
    if (n != 0 && spans[n - 1] == number) {
        return ERR_OK;
    }
    struct addr *start = compile_items_add(&sweep->starts, sizeof(*start));
    uint32_t *span = compile_items_add(&sweep->spans, sizeof(*span));
    if (start == NULL || span == NULL) {
        return ERR_MEMORY;
    }
    *start = *at;
    *span = number;
    return ERR_OK;
}

/* Closes those that end at or before `at` (NULL: all). */
static enum err sweep_close(struct sweep *sweep, const struct addr *at)
{
    while (sweep->depth != 0) {
        size_t top = sweep->depth - 1;
        struct addr end = sweep->open[top].end;
        bool over = !sweep->open[top].endless && (at == NULL || memcmp(&end, at, sizeof(end)) <= 0);
        if (!over && at != NULL) {
            break;
        }
        sweep->depth--;
        if (over) {
            ERR_TRY(sweep_cut(sweep, &end));
        }
    }
    return ERR_OK;
}

static enum err sweep_open(struct sweep *sweep, const struct compile_prefix *prefix)
{
    struct catset all = {{0, 0}};
    ERR_TRY(sweep_close(sweep, &prefix->first));
    if (sweep->depth != 0) {
        all = sweep->open[sweep->depth - 1].all;
    }
    bool news = !catset_has(&all, prefix->category);
    if (!news) {
        return ERR_OK; /* what is open says so already; this keeps the depth below 128 */
    }
    catset_add(&all, prefix->category);
    CHECK(sweep->depth < sizeof(sweep->open) / sizeof(sweep->open[0]));
    sweep->open[sweep->depth].all = all;
    sweep->open[sweep->depth].endless = !prefix_end(prefix, &sweep->open[sweep->depth].end);
    sweep->depth++;
    return sweep_cut(sweep, &prefix->first);
}

static enum err put_prefixes(struct layout *layout)
{
    struct compile_items *prefixes = &layout->compile->prefixes;
    struct compile_prefix *items = prefixes->p;
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    enum err err = sweep != NULL ? ERR_OK : ERR_MEMORY;
    if (sweep == NULL) {
        return err;
    }
    sweep->layout = layout;
    if (prefixes->n != 0) {
        qsort(items, prefixes->n, sizeof(*items), compare_prefixes);
    }
    for (size_t i = 0; i < prefixes->n && err == ERR_OK; i++) {
        layout->counts[items[i].category].prefixes++;
        err = sweep_open(sweep, &items[i]);
    }
    err = err == ERR_OK ? sweep_close(sweep, NULL) : err;
    if (err == ERR_OK) {
        put_section(layout, IMAGE_STARTS, sweep->starts.p, sweep->starts.n * sizeof(struct addr));
        put_section(layout, IMAGE_SPANS, sweep->spans.p, sweep->spans.n * sizeof(uint32_t));
    }
    free(sweep->starts.p);
    free(sweep->spans.p);
    free(sweep);
    return err;
}

static int compare_records(const struct image_sealed *x, const struct image_sealed *y)
{
    int order = memcmp(x->host, y->host, sizeof(x->host));
    if (order == 0 && x->is_url != y->is_url) {
        order = x->is_url < y->is_url ? -1 : 1;
    }
    return order != 0 ? order : memcmp(x->url, y->url, sizeof(x->url));
}

static int compare_sealed(const void *a, const void *b)
{
    return compare_records(&((const struct compile_sealed *)a)->record,
                           &((const struct compile_sealed *)b)->record);
}

static void put_sieve(struct layout *layout)
{
    const struct image_section *sealed = &layout->header->sections[IMAGE_SEALED];
    const struct image_sealed *records = (const void *)(layout->p + sealed->offset);
    size_t n = sealed->size / sizeof(*records);
    size_t n_words = n * IMAGE_FILTER_BITS / 64 + 1;
    section_begin(layout, IMAGE_SIEVE);
    uint64_t *words = (void *)(layout->p + layout->len);
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = key_of_sealed(records[i].host);
        words[key_filter_word(hash, n_words)] |= key_filter_bits(hash);
    }
    layout->len += n_words * sizeof(*words);
    section_end(layout, IMAGE_SIEVE);
}

static enum err put_sealed(struct layout *layout)
{
    struct compile_items *sealed = &layout->compile->sealed;
    struct compile_sealed *items = sealed->p;
    if (sealed->n != 0) {
        qsort(items, sealed->n, sizeof(*items), compare_sealed);
    }
    section_begin(layout, IMAGE_SEALED);
    for (size_t i = 0, next = 0; i < sealed->n; i = next) {
        struct image_sealed record = items[i].record;
        struct image_set set = {0};
        uint16_t number = 0;
        for (next = i; next < sealed->n && compare_sealed(&items[i], &items[next]) == 0; next++) {
            catset_add(&set.below, category_of(layout, items[next].list));
        }
        ERR_TRY(set_number(layout, &set, &number));
        record.set = number;
        layout->header->n_sealed_urls += record.is_url;
        put(layout, &record, sizeof(record));
    }
    section_end(layout, IMAGE_SEALED);
    put_sieve(layout);
    return ERR_OK;
}

static void put_categories(struct layout *layout)
{
    section_begin(layout, IMAGE_CATEGORIES);
    for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
        const struct category_row *row = category_row(i);
        if (row != NULL) {
            struct image_category item = {.number = i};
            CHECK(row->name.len < sizeof(item.name));
            memcpy(item.name, row->name.p, row->name.len);
            put(layout, &item, sizeof(item));
        }
    }
    section_end(layout, IMAGE_CATEGORIES);
}

/* More than the image can need. */
static enum err room(const struct compile *compile, uint32_t n_buckets, size_t *ret_room)
{
    size_t fixed =
        IMAGE_PAGE * (IMAGE_PARTS + 1) + LIMIT_CATEGORIES * sizeof(struct image_category) +
        LIMIT_CATEGORIES * sizeof(struct image_count) + IMAGE_SETS_MAX * sizeof(struct image_set);
    size_t keys = compile->keys.n * (8 + IMAGE_FILTER_BITS / 8) + compile->texts.len;
    size_t prefixes = compile->prefixes.n * 2 * (sizeof(struct addr) + sizeof(uint32_t));
    size_t sealed = compile->sealed.n * (sizeof(struct image_sealed) + 8);
    *ret_room = fixed + keys + prefixes + sealed + (size_t)n_buckets * 5 + 64;
    return compile->keys.n < UINT32_MAX ? ERR_OK : ERR_LIMIT;
}

static enum err lay_out(struct layout *layout)
{
    struct image_header *header = layout->header;
    memcpy(header->magic, IMAGE_MAGIC, sizeof(header->magic));
    header->version = IMAGE_VERSION;
    header->path_depth = layout->compile->path_depth;
    header->n_buckets = (uint32_t)(layout->compile->keys.n / IMAGE_BUCKET_KEYS + 1);
    layout->len = sizeof(*header);
    put_categories(layout);
    ERR_TRY(sort_into_buckets(layout));
    ERR_TRY(put_keys(layout));
    ERR_TRY(put_prefixes(layout));
    ERR_TRY(put_sealed(layout));
    put_section(layout, IMAGE_SETS, layout->sets.p, layout->sets.n * sizeof(struct image_set));
    put_section(layout, IMAGE_COUNTS, layout->counts, sizeof(layout->counts));
    header->size = layout->len;
    struct str sections = str_make((const char *)header->sections, sizeof(header->sections));
    header->generation = fasthash64(sections, IMAGE_VERSION) | 1;
    header->checksum =
        fasthash64(str_make((const char *)header, offsetof(struct image_header, checksum)), 0);
    return ERR_OK;
}

enum err compile_finish(struct compile *compile, struct compile_totals *ret_totals,
                        struct str *ret_image)
{
    struct layout layout = {.compile = compile};
    uint32_t n_buckets = (uint32_t)(compile->keys.n / IMAGE_BUCKET_KEYS + 1);
    ERR_TRY(room(compile, n_buckets, &layout.cap));
    layout.p = calloc(1, layout.cap);
    layout.set_table = calloc(SET_TABLE, sizeof(uint16_t));
    layout.header = (void *)layout.p;
    enum err err = layout.p != NULL && layout.set_table != NULL ? lay_out(&layout) : ERR_MEMORY;
    if (err == ERR_OK) {
        *ret_totals = (struct compile_totals){
            .entries = compile->entries,
            .keys = layout.header->n_keys,
            .prefixes = compile->prefixes.n,
            .sealed = layout.header->sections[IMAGE_SEALED].size / sizeof(struct image_sealed),
        };
        *ret_image = str_make(layout.p, layout.len);
        layout.p = NULL;
    }
    free(layout.p);
    free(layout.set_table);
    free(layout.sets.p);
    free(layout.order);
    free(layout.starts);
    return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sites of the search tables by host.
 *
 * One table of keys: "example.org" (that name), ".example.org" (and all below it), "example.*"
 * (with the ending of a country in place of the star). A host is asked for under each form that it
 * can have, by a hash that runs from its end to its front.
 */
#include <string.h>

#include "policy/search_impl.h"

static const struct site_row rows[] = {
#define SAFE_ENGINE(id, hosts, ...) {SITE_SAFE, STR_INIT(id), STR_INIT(hosts), 0},
#define UNSAFE_ENGINE(id, hosts) {SITE_UNSAFE, STR_INIT("safe-search/" id), STR_INIT(hosts), 0},
#define UNSAFE_LABEL(id, label)
#include "policy/search_engine.def"
#undef SAFE_ENGINE
#undef UNSAFE_ENGINE
#undef UNSAFE_LABEL
#define SEARCH_TERMS(hosts, path, names) {SITE_TERMS, {0}, STR_INIT(hosts), 0},
#define SEARCH_PATH(hosts, path) {SITE_PATH, {0}, STR_INIT(hosts), 0},
#include "policy/search_terms.def"
#undef SEARCH_TERMS
#undef SEARCH_PATH
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* One key of one row. */
struct site {
    struct str key;
    uint64_t hash;
    const struct site_row *row;
};

struct word {
    struct str text;
    unsigned bits;
};

struct search_rules {
    size_t word_mask; /* words - 1 */
    struct word *words;
    size_t mask; /* slots - 1 */
    struct site *slots;
    struct site_row *rows; /* numbered within their kind */
};

struct str next_word(struct str *rest)
{
    struct str word = {0};
    while (rest->len != 0 && word.len == 0) {
        str_cut(*rest, ' ', &word, rest);
    }
    return word;
}

bool has_word(struct str list, struct str word)
{
    while (list.len != 0) {
        if (str_eq_nocase(next_word(&list), word)) {
            return true;
        }
    }
    return false;
}

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

static inline uint64_t hash_step(uint64_t hash, char c)
{
    return (hash ^ (uint8_t)c) * UINT64_C(0x100000001b3);
}

static uint64_t hash_of(struct str key)
{
    uint64_t hash = hash_start;
    for (size_t i = key.len; i > 0; i--) {
        hash = hash_step(hash, key.p[i - 1]);
    }
    return hash;
}

static inline size_t slot_of(uint64_t hash, size_t mask)
{
    return (size_t)(hash ^ hash >> 29) & mask;
}

static void insert(struct search_rules *rules, struct str key, const struct site_row *row)
{
    uint64_t hash = hash_of(key);
    size_t slot = slot_of(hash, rules->mask);
    while (rules->slots[slot].row != NULL) {
        slot = (slot + 1) & rules->mask;
    }
    rules->slots[slot] = (struct site){key, hash, row};
}

static size_t count_words(struct str list)
{
    size_t n = 0;
    while (next_word(&list).len != 0) {
        n++;
    }
    return n;
}

/* A table that stays three quarters empty. */
static size_t slots_for(size_t n)
{
    size_t slots = 16;
    while (slots < n * 4) {
        slots *= 2;
    }
    return slots;
}

static size_t count_keys(void)
{
    size_t n = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        n += count_words(rows[i].hosts);
    }
    return n;
}

static struct word *word_slot(const struct search_rules *rules, struct str text)
{
    size_t slot = slot_of(hash_of(text), rules->word_mask);
    while (rules->words[slot].bits != 0 && !str_eq(rules->words[slot].text, text)) {
        slot = (slot + 1) & rules->word_mask;
    }
    return &rules->words[slot];
}

unsigned word_bits(const struct search_rules *rules, struct str word)
{
    return word_slot(rules, word)->bits;
}

enum { LISTS = sizeof(search_word_lists) / sizeof(search_word_lists[0]) };

static enum err make_words(struct search_rules *rules, struct arena *arena)
{
    size_t n = 0;
    for (size_t i = 0; i < LISTS; i++) {
        n += count_words(search_word_lists[i]);
    }
    rules->word_mask = slots_for(n) - 1;
    rules->words = arena_array(arena, rules->word_mask + 1, sizeof(*rules->words));
    if (rules->words == NULL) {
        return ERR_MEMORY;
    }
    for (unsigned i = 0; i < LISTS; i++) {
        struct str rest = search_word_lists[i];
        for (struct str text = next_word(&rest); text.len != 0; text = next_word(&rest)) {
            struct word *word = word_slot(rules, text);
            *word = (struct word){text, word->bits | 1u << i};
        }
    }
    return ERR_OK;
}

enum err search_rules_make(struct arena *arena, const struct search_rules **ret_rules)
{
    size_t slots = slots_for(count_keys());
    struct search_rules *made = arena_array(arena, 1, sizeof(*made));
    struct site *places = arena_array(arena, slots, sizeof(*places));
    struct site_row *own = arena_array(arena, N_ROWS, sizeof(*own));
    if (made == NULL || places == NULL || own == NULL) {
        return ERR_MEMORY;
    }
    *made = (struct search_rules){.mask = slots - 1, .slots = places, .rows = own};
    ERR_TRY(make_words(made, arena));
    unsigned counts[SITE_PATH + 1] = {0};
    for (size_t i = 0; i < N_ROWS; i++) {
        own[i] = rows[i];
        own[i].index = counts[rows[i].kind]++;
        struct str rest = rows[i].hosts;
        for (struct str key = next_word(&rest); key.len != 0; key = next_word(&rest)) {
            insert(made, key, &own[i]);
        }
    }
    *ret_rules = made;
    return ERR_OK;
}

/* What is asked for: the pieces of a key, which need not lie side by side. */
struct ask {
    const struct search_rules *rules;
    const struct site_row **hits;
    size_t n;
};

static void take(struct ask *ask, uint64_t hash, struct str front, struct str back)
{
    size_t slot = slot_of(hash, ask->rules->mask);
    for (const struct site *site = &ask->rules->slots[slot]; site->row != NULL;
         site = &ask->rules->slots[slot]) {
        if (site->hash == hash && site->key.len == front.len + back.len &&
            str_starts(site->key, front) && str_ends(site->key, back) && ask->n < SITE_HITS_MAX) {
            ask->hits[ask->n++] = site->row;
        }
        slot = (slot + 1) & ask->rules->mask;
    }
}

static bool is_country(struct str label)
{
    return label.len == 2 && ascii_is_alpha(label.p[0]) && ascii_is_alpha(label.p[1]);
}

/* The length of the ending that a '*' stands for, with its dot: ".com", ".de", ".co.uk", ".com.au",
 * and the few names that engines have besides; 0 for any other. */
static size_t country_len(struct str host)
{
    static const struct str alone[] = {STR_INIT("com"), STR_INIT("cat"), STR_INIT("net"),
                                       STR_INIT("org"), STR_INIT("info")};
    static const struct str first[] = {STR_INIT("com"), STR_INIT("co")};
    size_t last = host.len;
    while (last > 0 && host.p[last - 1] != '.') {
        last--;
    }
    struct str label = str_skip(host, last);
    if (last == 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
        if (str_eq(label, alone[i])) {
            return label.len + 1;
        }
    }
    if (!is_country(label)) {
        return 0;
    }
    struct str before = str_sub(host, 0, last - 1);
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        struct str end = first[i];
        if (before.len > end.len && str_ends(before, end) &&
            before.p[before.len - end.len - 1] == '.') {
            return end.len + label.len + 2;
        }
    }
    return label.len + 1;
}

static void take_stem(struct ask *ask, struct str name)
{
    size_t ending = country_len(name);
    if (ending == 0) {
        return;
    }
    struct str stem = str_sub(name, 0, name.len - ending + 1); /* with its dot */
    uint64_t hash = hash_step(hash_start, '*');
    for (size_t i = stem.len; i > 0; i--) {
        hash = hash_step(hash, stem.p[i - 1]);
    }
    take(ask, hash, stem, STR("*"));
}

size_t sites_find(const struct search_rules *rules, const struct host *host,
                  const struct site_row *hits[SITE_HITS_MAX])
{
    struct ask ask = {rules, hits, 0};
    struct str name = host_str(host);
    uint64_t hash = hash_start;
    if (host->kind != HOST_NAME) {
        return 0;
    }
    take_stem(&ask, name);
    for (size_t i = name.len; i > 0; i--) {
        hash = hash_step(hash, name.p[i - 1]);
        if (i == 1) {
            take(&ask, hash, STR(""), name);
        }
        if (i == 1 || name.p[i - 2] == '.') {
            take(&ask, hash_step(hash, '.'), STR("."), str_skip(name, i - 1));
        }
    }
    return ask.n;
}

size_t query_decode(struct str text, char *to, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < max; i++) {
        char c = text.p[i];
        if (c == '%' && text.len - i > 2 && ascii_hex(text.p[i + 1]) >= 0 &&
            ascii_hex(text.p[i + 2]) >= 0) {
            to[n++] = (char)(ascii_hex(text.p[i + 1]) << 4 | ascii_hex(text.p[i + 2]));
            i += 2;
        } else {
            to[n++] = c == '+' ? ' ' : c;
        }
    }
    return n;
}

bool query_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    if (rest->len == 0) {
        return false;
    }
    size_t end = 0;
    while (end < rest->len && rest->p[end] != '&' && rest->p[end] != ';') {
        end++;
    }
    struct str pair = str_sub(*rest, 0, end);
    *rest = str_skip(*rest, end + 1);
    str_cut(pair, '=', ret_name, ret_value);
    return true;
}

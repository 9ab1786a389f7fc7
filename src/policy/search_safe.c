/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Safe search, forced: what is taken out of a request, and what is put in.
 *
 * A parameter is taken out in every spelling that a server might read as it: escaped, even twice,
 * in any case, as an array's, with white space about it, behind '&' or ';'. What is put in stands
 * last and alone, so that neither the first nor the last of two can say otherwise.
 */
#include <string.h>

#include "base/limits.h"
#include "policy/search_impl.h"

struct engine {
    struct str paths;
    struct str drop;
    struct str cookies;
    struct str header;
    struct {
        struct str query, cookie, value;
    } level[SAFE_SEARCH_STRICT + 1];
};

static const struct engine engines[] = {
#define SAFE_ENGINE(id, hosts, where, out, strict, moderate, cookie_out, cookie_strict, \
                    cookie_moderate, name, value_strict, value_moderate)                \
    {.paths = STR_INIT(where),                                                          \
     .drop = STR_INIT(out),                                                             \
     .cookies = STR_INIT(cookie_out),                                                   \
     .header = STR_INIT(name),                                                          \
     .level = {[SAFE_SEARCH_STRICT] = {STR_INIT(strict), STR_INIT(cookie_strict),       \
                                       STR_INIT(value_strict)},                         \
               [SAFE_SEARCH_MODERATE] = {STR_INIT(moderate), STR_INIT(cookie_moderate), \
                                         STR_INIT(value_moderate)}}},
#define UNSAFE_ENGINE(id, hosts)
#define UNSAFE_LABEL(id, label)
#include "policy/search_engine.def"
#undef SAFE_ENGINE
#undef UNSAFE_ENGINE
#undef UNSAFE_LABEL
};

static const struct {
    struct str rule;
    struct str label;
} labels[] = {
#define SAFE_ENGINE(...)
#define UNSAFE_ENGINE(id, hosts)
#define UNSAFE_LABEL(id, label) {STR_INIT("safe-search/" id), STR_INIT(label)},
#include "policy/search_engine.def"
#undef SAFE_ENGINE
#undef UNSAFE_ENGINE
#undef UNSAFE_LABEL
};

struct str safe_search_name(enum safe_search level)
{
    static const struct str names[] = {[SAFE_SEARCH_OFF] = STR_INIT("off"),
                                       [SAFE_SEARCH_MODERATE] = STR_INIT("moderate"),
                                       [SAFE_SEARCH_STRICT] = STR_INIT("strict")};
    return names[level];
}

/* A segment as far as its matrix parameters (RFC 3986 section 3.3), lower or upper case alike. */
static struct str next_segment(struct str *path)
{
    struct str segment = {0};
    while (path->len != 0 && segment.len == 0) {
        str_cut(*path, '/', &segment, path);
    }
    return str_sub(segment, 0, str_index(segment, ';'));
}

static bool begins_nocase(struct str text, struct str prefix)
{
    return text.len >= prefix.len && str_eq_nocase(str_sub(text, 0, prefix.len), prefix);
}

/* Whether this path is one of those that a row names. */
static bool is_path(struct str paths, struct str path)
{
    if (str_eq(paths, STR("*"))) {
        return true;
    }
    struct str rest = path;
    struct str first = next_segment(&rest);
    if (first.len == 0) {
        return has_word(paths, STR("/"));
    }
    struct str list = paths;
    for (struct str word = next_word(&list); word.len != 0; word = next_word(&list)) {
        if (word.p[0] != '~') {
            if (str_eq_nocase(word, first)) {
                return true;
            }
            continue;
        }
        rest = path;
        for (struct str segment = next_segment(&rest); segment.len != 0;
             segment = next_segment(&rest)) {
            if (begins_nocase(segment, str_skip(word, 1))) {
                return true;
            }
        }
    }
    return false;
}

static const struct engine *find_engine(const struct search_rules *rules, const struct host *host,
                                        struct str path)
{
    const struct site_row *hits[SITE_HITS_MAX];
    size_t n = sites_find(rules, host, hits);
    for (size_t i = 0; i < n; i++) {
        if (hits[i]->kind == SITE_SAFE && is_path(engines[hits[i]->index].paths, path)) {
            return &engines[hits[i]->index];
        }
    }
    return NULL;
}

static struct str find_label(const struct host *host)
{
    struct str label = str_sub(host_str(host), 0, str_index(host_str(host), '.'));
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (label.len < host->len && str_eq(label, labels[i].label)) {
            return labels[i].rule;
        }
    }
    return (struct str){0};
}

struct str search_unsafe(const struct search_rules *rules, const struct host *host, struct str path,
                         bool form)
{
    const struct site_row *hits[SITE_HITS_MAX];
    size_t n = sites_find(rules, host, hits);
    for (size_t i = 0; i < n; i++) {
        if (hits[i]->kind == SITE_UNSAFE) {
            return hits[i]->id;
        }
        /* What a form says in its body is read after, and instead of, what its URL does. */
        if (form && hits[i]->kind == SITE_SAFE && engines[hits[i]->index].drop.len != 0 &&
            is_path(engines[hits[i]->index].paths, path)) {
            return STR("safe-search/form");
        }
    }
    return host->kind == HOST_NAME ? find_label(host) : (struct str){0};
}

/* --- parameters ------------------------------------------------------------------------------- */

enum { NAME_BYTES = 1024, WORD_MAX = 64, ROUNDS = 3 };

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

/* Whether a name, as it is or decoded up to ROUNDS times, is one of the words. One that is too long
 * to tell might be. */
static bool names_one(struct str name, struct str words)
{
    char bytes[2][NAME_BYTES];
    if (name.len > NAME_BYTES) {
        return true;
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        char *to = bytes[round % 2];
        name = str_make(to, query_decode(name, to, sizeof(bytes[0])));
        struct str bare = str_sub(name, 0, str_index(name, '['));
        while (bare.len != 0 && is_blank(bare.p[0])) {
            bare = str_skip(bare, 1);
        }
        while (bare.len != 0 && is_blank(bare.p[bare.len - 1])) {
            bare.len--;
        }
        if (bare.len != 0 && bare.len < WORD_MAX && has_word(words, bare)) {
            return true;
        }
    }
    return false;
}

/* The length of a '!' as it is or escaped; 0 for anything else. */
static size_t mark_len(struct str text)
{
    return text.len != 0 && text.p[0] == '!' ? 1 : str_starts(text, STR("%21")) ? 3 : 0;
}

/* DuckDuckGo's command in the words themselves: the length of the marks before it, without which it
 * is a word like others; 0 where it is not there. */
static size_t bang_len(struct str text)
{
    static const struct str word = STR_INIT("safeoff");
    char decoded[8];
    size_t marks = 0;
    for (size_t n = mark_len(text); n != 0; n = mark_len(str_skip(text, marks))) {
        marks += n;
    }
    struct str behind = str_sub(text, marks, 3 * sizeof(decoded));
    size_t n = query_decode(behind, decoded, word.len);
    return str_eq_nocase(str_make(decoded, n), word) ? marks : 0;
}

static void put_without_bang(struct buf *to, struct str value)
{
    for (size_t i = 0; i < value.len;) {
        size_t marks = bang_len(str_skip(value, i));
        if (marks != 0) {
            i += marks;
        } else {
            buf_append_byte(to, value.p[i++]);
        }
    }
}

static bool is_separator(char c)
{
    return c == '&' || c == ';';
}

/* The query without what the engine's row takes out, and with what it puts in. */
static void put_query(const struct engine *engine, struct str query, struct str added,
                      struct buf *to)
{
    bool any = false;
    bool more = query.len != 0;
    char separator = '&';
    while (more) {
        size_t end = 0;
        while (end < query.len && !is_separator(query.p[end])) {
            end++;
        }
        struct str pair = str_sub(query, 0, end);
        if (!names_one(str_sub(pair, 0, str_index(pair, '=')), engine->drop)) {
            if (any) {
                buf_append_byte(to, separator);
            }
            put_without_bang(to, pair);
            any = true;
        }
        more = end < query.len;
        separator = more ? query.p[end] : '&';
        query = str_skip(query, end + 1);
    }
    if (any) {
        buf_append_byte(to, '&');
    }
    buf_append(to, added);
}

enum err search_safe(const struct search_rules *rules, const struct url *url, struct str target,
                     enum safe_search level, struct arena *arena, struct search_edit *ret_edit)
{
    struct search_edit edit = {.target = target};
    const struct engine *engine =
        level >= SAFE_SEARCH_MODERATE ? find_engine(rules, &url->host, url->path) : NULL;
    if (engine == NULL) {
        *ret_edit = edit;
        return ERR_OK;
    }
    edit.header = engine->header;
    edit.value = engine->level[level].value;
    edit.cookies = engine->cookies;
    edit.cookie = engine->level[level].cookie;
    if (engine->drop.len != 0) {
        struct buf made;
        size_t path = str_index(target, '?');
        buf_init(&made, LIMIT_URL_LEN);
        buf_append(&made, str_sub(target, 0, path));
        buf_append_byte(&made, '?');
        put_query(engine, str_skip(target, path + 1), engine->level[level].query, &made);
        enum err err = buf_err(&made);
        edit.rewritten = !str_eq(buf_str(&made), target);
        edit.target = edit.rewritten ? arena_dup(arena, buf_str(&made)) : target;
        buf_fini(&made);
        if (err == ERR_OK && arena->failed) {
            err = ERR_MEMORY;
        }
        ERR_TRY(err);
    }
    *ret_edit = edit;
    return ERR_OK;
}

/* RFC 6265 section 4.2.1: "a=1; b=2". */
void search_cookie(const struct search_edit *edit, struct str value, struct buf *to)
{
    bool any = false;
    while (value.len != 0) {
        struct str pair = {0};
        str_cut(value, ';', &pair, &value);
        pair = str_trim_space(pair);
        struct str name = str_trim_space(str_sub(pair, 0, str_index(pair, '=')));
        if (pair.len != 0 && !has_word(edit->cookies, name)) {
            buf_append(to, any ? STR("; ") : STR(""));
            buf_append(to, pair);
            any = true;
        }
    }
    if (edit->cookie.len != 0) {
        buf_append(to, any ? STR("; ") : STR(""));
        buf_append(to, edit->cookie);
    }
}

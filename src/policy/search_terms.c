/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is searched for: by the table for the sites in it, by a general rule for all others.
 *
 * The rule takes a parameter whose name says that it is searched for (q, query, keywords, anything
 * with "search" in it) anywhere, one whose name might (s, text, word) where host or path say so,
 * and the segment behind a path's "search". What is no words for people (numbers, programs, long
 * keys) is left out. A fragment is never sent, so it is never seen.
 */
#include <string.h>

#include "base/num.h"
#include "policy/search_impl.h"
#include "wire/utf8.h"

enum { VALUE_MAX = 2048, GENERAL_MAX = 300 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    struct str path;
    struct str names;
} parameters[] = {
#define SEARCH_TERMS(hosts, path, names) {STR_INIT(path), STR_INIT(names)},
#define SEARCH_PATH(hosts, path)
#include "policy/search_terms.def"
#undef SEARCH_TERMS
#undef SEARCH_PATH
};

static const struct str templates[] = {
#define SEARCH_TERMS(hosts, path, names)
#define SEARCH_PATH(hosts, path) STR_INIT(path),
#include "policy/search_terms.def"
#undef SEARCH_TERMS
#undef SEARCH_PATH
};

/* What is put together. */
struct words {
    char text[SEARCH_TERMS_MAX];
    size_t len;
    bool full;
    bool broken;          /* some of it was no character of its encoding */
    enum charset charset; /* what the request says its bytes are; CHARSET_UNSET: nothing */
};

/* --- text ------------------------------------------------------------------------------------- */

static bool is_utf8(struct str text)
{
    while (text.len != 0) {
        size_t n = utf8_length(text);
        if (n == 0) {
            return false;
        }
        text = str_skip(text, n);
    }
    return true;
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* A character, or one space for any run of blanks. */
static void put_character(struct words *words, struct str c)
{
    bool blank = c.len == 1 && ((unsigned char)c.p[0] <= ' ' || c.p[0] == 0x7f);
    if (blank && (words->len == 0 || words->text[words->len - 1] == ' ')) {
        return;
    }
    words->full = words->full || words->len + c.len > sizeof(words->text);
    if (!words->full) {
        memcpy(words->text + words->len, blank ? " " : c.p, blank ? 1 : c.len);
        words->len += blank ? 1 : c.len;
    }
}

/* The length of "&#8364;", by which browsers write what a form's encoding has no character for, and
 * the character; 0 where there is none. */
static size_t reference(struct str text, uint64_t *ret_point)
{
    size_t end = str_index(text, ';');
    if (!str_starts(text, STR("&#")) || end == text.len ||
        parse_u64(str_sub(text, 2, end - 2), 1, 0x10ffff, ret_point) != ERR_OK ||
        (*ret_point >= 0xd800 && *ret_point <= 0xdfff)) {
        return 0;
    }
    return end + 1;
}

static void put_point(struct words *words, uint64_t point)
{
    char c[4];
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        c[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    c[0] = (char)(marks[n] | point);
    put_character(words, str_make(c, n));
}

/* Well-formed UTF-8. */
static void put_text(void *context, struct str text)
{
    struct words *words = context;
    while (text.len != 0) {
        uint64_t point = 0;
        size_t n = reference(text, &point);
        if (n != 0) {
            put_point(words, point);
        } else {
            n = utf8_length(text);
            struct str c = str_sub(text, 0, n);
            words->broken = words->broken || str_eq(c, UTF8_REPLACEMENT);
            put_character(words, c);
        }
        text = str_skip(text, n);
    }
}

static void put_decoded(struct words *words, struct str bytes, enum charset charset)
{
    struct charset_decoder *decoder = NULL;
    if (charset_open(charset, put_text, words, &decoder) != ERR_OK) {
        words->broken = true;
        return;
    }
    charset_feed(decoder, bytes);
    charset_end(decoder);
    charset_close(decoder);
}

static void trim(struct words *words, size_t from)
{
    while (words->len > from && words->text[words->len - 1] == ' ') {
        words->len--;
    }
}

static bool is_there(const struct words *words, struct str value)
{
    struct str all = str_make(words->text, words->len);
    return str_find(all, value) != all.len || (value.len == 0);
}

/* One reading of a value, behind those before it unless it is one of them. */
static void put_reading(struct words *words, struct words *one)
{
    trim(one, 0);
    struct str value = str_make(one->text, one->len);
    if (one->len == 0 || is_there(words, value)) {
        return;
    }
    size_t before = words->len;
    if (before != 0) {
        put_text(words, STR(" | "));
    }
    for (size_t n = 0; value.len != 0; value = str_skip(value, n)) {
        n = utf8_length(value);
        put_character(words, str_sub(value, 0, n));
    }
    trim(words, before);
}

static void put_as(struct words *words, struct str bytes, enum charset charset)
{
    struct words one = {0};
    put_decoded(&one, bytes, charset);
    put_reading(words, &one);
}

/* A value in each encoding that it may well be in: what the request says of itself, and UTF-8. What
 * is neither is windows-1252, where almost any byte is a letter. */
static void put_value(struct words *words, struct str raw)
{
    char memory[VALUE_MAX];
    struct str bytes = str_make(memory, query_decode(raw, memory, sizeof(memory)));
    bool utf8 = is_utf8(bytes);
    bool says = words->charset != CHARSET_UNSET && words->charset != CHARSET_UTF_8;
    if (says && (!is_ascii(bytes) || words->charset == CHARSET_ISO_2022_JP)) {
        struct words one = {0};
        put_decoded(&one, bytes, words->charset);
        if (!one.broken || !utf8) {
            put_reading(words, &one);
        }
        if (!utf8) {
            return;
        }
    }
    put_as(words, bytes, utf8 ? CHARSET_UTF_8 : CHARSET_WINDOWS_1252);
}

/* What a query or form says of its own encoding: Google's ie, the forms' _charset_ (HTML standard,
 * section 4.10.18.5). */
static enum charset said_charset(struct str query)
{
    struct str name = {0};
    struct str value = {0};
    while (query_next(&query, &name, &value)) {
        char bytes[32];
        if (has_word(STR("ie _charset_ charset inputencoding enc encoding"), name)) {
            enum charset charset =
                charset_find(str_make(bytes, query_decode(value, bytes, sizeof(bytes))));
            if (charset != CHARSET_UNSET) {
                return charset;
            }
        }
    }
    return CHARSET_UNSET;
}

/* --- the table -------------------------------------------------------------------------------- */

/* Names as the table has them, "work_search[query]", may be escaped in a query. */
static struct str decoded_name(struct str name, char *bytes, size_t max)
{
    return str_make(bytes, query_decode(name, bytes, max));
}

static void take_named(struct words *words, struct str query, struct str names)
{
    struct str name = {0};
    struct str value = {0};
    while (query_next(&query, &name, &value)) {
        char bytes[64];
        if (has_word(names, decoded_name(name, bytes, sizeof(bytes)))) {
            put_value(words, value);
        }
    }
}

/* The segment that stands for {s}: templates end with it. */
static void take_template(struct words *words, struct str template, struct str path)
{
    struct str before = str_sub(template, 0, str_index(template, '{'));
    if (path.len > before.len && str_eq_nocase(str_sub(path, 0, before.len), before)) {
        struct str segment = str_skip(path, before.len);
        put_value(words, str_sub(segment, 0, str_index(segment, '/')));
    }
}

/* True where the table finds something: in a parameter, else in the path. */
static bool take_by_table(struct words *words, const struct search_rules *rules,
                          const struct url *url, struct str form)
{
    const struct site_row *hits[SITE_HITS_MAX];
    size_t n = sites_find(rules, &url->host, hits);
    for (size_t i = 0; i < n; i++) {
        unsigned index = hits[i]->index;
        if (hits[i]->kind == SITE_TERMS && str_starts(url->path, parameters[index].path)) {
            take_named(words, url->query, parameters[index].names);
            take_named(words, form, parameters[index].names);
        }
    }
    for (size_t i = 0; i < n && words->len == 0; i++) {
        if (hits[i]->kind == SITE_PATH) {
            take_template(words, templates[hits[i]->index], url->path);
        }
    }
    return words->len != 0;
}

/* --- the general rule ------------------------------------------------------------------------- */

const struct str search_word_lists[4] = {
    /* Names that say it. */
    STR_INIT("q query search searchterm searchterms searchtext searchword search_query search_term "
             "keyword keywords term terms phrase kw suche suchbegriff recherche buscar busca "
             "busqueda termo cerca ricerca zoek zoekterm sok szukaj haku hledat _nkw lookfor sword "
             "ntt qs qt soeg fs_q searchstring such"),
    /* Names that might say it. */
    STR_INIT(
        "s k w st sq ss text word words w find key keys name title what string value tag tags "
        "all mot qu fs wd i.q s.q criteria filter texto nom titel titre ord ordet wort begriff "
        "nombre trm sw kn pattern artist"),
    /* Segments behind which it stands. */
    STR_INIT("search suche recherche buscar busca busqueda zoeken haku cerca ricerca szukaj hledat "
             "sok find query pesquisa tag keyword lookup poisk"),
    /* Segments that are not what is searched for. */
    STR_INIT("all web images image videos video news results result advanced index index.php "
             "index.html posts users people top query q text fulltext everything site products "
             "name term title words keyword keywords searches search.php api v1 v2 v3 json suggest "
             "autocomplete assets static css js"),
};

/* Parts of names that say it. */
static const struct str parts[] = {
    STR_INIT("search"),   STR_INIT("query"),    STR_INIT("keyword"),  STR_INIT("suchbegr"),
    STR_INIT("suchwort"), STR_INIT("suchtext"), STR_INIT("recherch"), STR_INIT("busque"),
    STR_INIT("busca"),    STR_INIT("pesquis"),  STR_INIT("ricerca"),  STR_INIT("zoek"),
    STR_INIT("szuk"),     STR_INIT("hleda"),    STR_INIT("sokord"),   STR_INIT("fulltext"),
    STR_INIT("freetext"), STR_INIT("phrase"),   STR_INIT("stext")};
/* Ends of such names that say of it how, not what. */
static const struct str not_ends[] = {
    STR_INIT("type"),     STR_INIT("id"),     STR_INIT("mode"),   STR_INIT("sort"),
    STR_INIT("by"),       STR_INIT("field"),  STR_INIT("fields"), STR_INIT("page"),
    STR_INIT("engine"),   STR_INIT("scope"),  STR_INIT("order"),  STR_INIT("cat"),
    STR_INIT("category"), STR_INIT("lang"),   STR_INIT("source"), STR_INIT("option"),
    STR_INIT("limit"),    STR_INIT("size"),   STR_INIT("count"),  STR_INIT("version"),
    STR_INIT("in"),       STR_INIT("method"), STR_INIT("submit"), STR_INIT("button")};
/* Parts of a host or path where they do. */
static const struct str places[] = {
    STR_INIT("search"),      STR_INIT("find"),      STR_INIT("such"),    STR_INIT("recherch"),
    STR_INIT("busc"),        STR_INIT("busq"),      STR_INIT("zoek"),    STR_INIT("haku"),
    STR_INIT("cerca"),       STR_INIT("ricerca"),   STR_INIT("hled"),    STR_INIT("szuk"),
    STR_INIT("poisk"),       STR_INIT("keres"),     STR_INIT("pesquis"), STR_INIT("lookup"),
    STR_INIT("results"),     STR_INIT("query"),     STR_INIT("/sok"),    STR_INIT("/sog"),
    STR_INIT("catalog"),     STR_INIT("dict"),      STR_INIT("lexi"),    STR_INIT("translat"),
    STR_INIT("woerterbuch"), STR_INIT("definition")};
/* Files that no person looks at by itself. */
static const struct str static_ends[] = {
    STR_INIT(".js"),  STR_INIT(".css"),   STR_INIT(".png"),  STR_INIT(".jpg"),  STR_INIT(".jpeg"),
    STR_INIT(".gif"), STR_INIT(".svg"),   STR_INIT(".webp"), STR_INIT(".ico"),  STR_INIT(".woff"),
    STR_INIT(".ttf"), STR_INIT(".mp4"),   STR_INIT(".m4s"),  STR_INIT(".ts"),   STR_INIT(".webm"),
    STR_INIT(".mp3"), STR_INIT(".woff2"), STR_INIT(".avif"), STR_INIT(".wasm"), STR_INIT(".map")};

static bool has_part(struct str text, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_find(text, list[i]) != text.len) {
            return true;
        }
    }
    return false;
}

static bool has_end(struct str text, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text.len > list[i].len && str_ends(text, list[i])) {
            return true;
        }
    }
    return false;
}

static struct str lower(struct str text, char *bytes, size_t max)
{
    size_t n = text.len < max ? text.len : max;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = ascii_lower(text.p[i]);
    }
    return str_make(bytes, n);
}

/* The name as the rule looks at it: of "filter[text]" the innermost, of "tx_search[sword]" too. */
static struct str inner_name(struct str name)
{
    size_t open = name.len;
    for (size_t i = 0; i < name.len; i++) {
        open = name.p[i] == '[' && i + 1 < name.len && name.p[i + 1] != ']' ? i : open;
    }
    struct str inner = str_skip(name, open + 1);
    struct str bare = str_sub(name, 0, str_index(name, '['));
    return inner.len > 1 ? str_sub(inner, 0, str_index(inner, ']')) : bare;
}

enum surety { NOT_AT_ALL, PERHAPS, SURE };

/* Whether one of the parts is in a name: few letters begin one, so few places are looked at. */
static bool says_it(struct str name)
{
    for (size_t at = 0; at + 4 <= name.len; at++) {
        for (size_t i = 0; i < COUNT(parts); i++) {
            if (name.p[at] == parts[i].p[0] && str_starts(str_skip(name, at), parts[i])) {
                return true;
            }
        }
    }
    return false;
}

static enum surety name_surety(const struct search_rules *rules, struct str raw, bool whole_site)
{
    char decoded[64];
    char bytes[64];
    struct str name = lower(decoded_name(raw, decoded, sizeof(decoded)), bytes, sizeof(bytes));
    struct str inner = inner_name(name);
    unsigned bits = word_bits(rules, inner);
    if ((bits & WORD_SURE) != 0 || (whole_site && str_eq(inner, STR("s")))) {
        return SURE;
    }
    if (says_it(inner) && !has_end(inner, not_ends, COUNT(not_ends))) {
        return SURE;
    }
    if ((bits & WORD_PERHAPS) == 0) {
        return NOT_AT_ALL;
    }
    bool below = inner.p != name.p && says_it(name);
    return below ? SURE : PERHAPS;
}

/* Words for people: not a number alone, no program, no address, no key. */
static bool is_words(struct str raw, bool sure_name)
{
    bool digits = true;
    for (size_t i = 0; i < raw.len; i++) {
        digits = digits && (ascii_is_digit(raw.p[i]) || raw.p[i] == '.' || raw.p[i] == '-');
    }
    bool number = digits && (!sure_name || raw.len <= 2);
    bool program = str_starts(raw, STR("%7B")) || str_starts(raw, STR("{")) ||
                   str_find(raw, STR("%7B")) != raw.len || str_starts(raw, STR("%5B"));
    bool address = str_starts(raw, STR("http:")) || str_starts(raw, STR("https:")) ||
                   str_starts(raw, STR("http%3A")) || str_starts(raw, STR("https%3A"));
    return raw.len != 0 && raw.len <= GENERAL_MAX && !number && !program && (sure_name || !address);
}

/* Takes those of this surety; answers the highest that there is. */
static enum surety take_general(struct words *words, const struct search_rules *rules,
                                struct str query, enum surety wanted, bool whole_site)
{
    struct str name = {0};
    struct str value = {0};
    enum surety highest = NOT_AT_ALL;
    while (query_next(&query, &name, &value)) {
        enum surety surety = name_surety(rules, name, whole_site);
        highest = surety > highest ? surety : highest;
        if (surety == wanted && is_words(value, wanted == SURE)) {
            put_value(words, value);
            if (wanted == PERHAPS && words->len != 0) {
                break;
            }
        }
    }
    return highest;
}

static struct str without_end(struct str segment)
{
    static const struct str ends[] = {STR_INIT(".html"), STR_INIT(".htm"), STR_INIT(".php"),
                                      STR_INIT(".aspx")};
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (str_ends(segment, ends[i])) {
            return str_sub(segment, 0, segment.len - ends[i].len);
        }
    }
    return segment;
}

/* The segment behind one that says "search". */
static void take_segment(struct words *words, const struct search_rules *rules, struct str path)
{
    bool behind = false;
    while (path.len != 0) {
        struct str segment = {0};
        char bytes[16];
        str_cut(path, '/', &segment, &path);
        bool known = segment.len != 0 && segment.len <= sizeof(bytes);
        unsigned bits = known ? word_bits(rules, lower(segment, bytes, sizeof(bytes))) : 0;
        if (behind && segment.len != 0 && (bits & WORD_NOT_TERM) == 0 &&
            is_words(without_end(segment), false)) {
            put_value(words, without_end(segment));
            return;
        }
        behind = behind || (bits & WORD_SAYS) != 0;
    }
}

/* WordPress and others have no page for searching: any page is one. */
static bool is_page(struct str path)
{
    return str_ends(path, STR("/")) || str_ends(path, STR(".php")) || str_ends(path, STR(".html"));
}

static bool is_file(struct str path)
{
    char bytes[8];
    size_t tail = path.len > sizeof(bytes) ? path.len - sizeof(bytes) : 0;
    return has_end(lower(str_skip(path, tail), bytes, sizeof(bytes)), static_ends,
                   COUNT(static_ends));
}

/* Whether host or path say that there is searching here. */
static bool is_place(const struct url *url)
{
    char bytes[256];
    struct str path = lower(url->path, bytes, sizeof(bytes));
    return str_find(path, STR("research")) == path.len &&
           (has_part(path, places, COUNT(places)) ||
            has_part(host_str(&url->host), places, COUNT(places)));
}

static void take_by_rule(struct words *words, const struct search_rules *rules,
                         const struct url *url, struct str form)
{
    if (is_file(url->path)) {
        return;
    }
    bool whole_site = is_page(url->path);
    enum surety highest = take_general(words, rules, url->query, SURE, whole_site);
    take_general(words, rules, form, SURE, whole_site);
    if (words->len == 0 && highest != NOT_AT_ALL && is_place(url)) {
        take_general(words, rules, url->query, PERHAPS, whole_site);
    }
    if (words->len == 0) {
        take_segment(words, rules, url->path);
    }
}

struct str search_terms(const struct search_rules *rules, const struct url *url, struct str form,
                        enum charset charset, struct arena *arena)
{
    struct words words = {0};
    form = str_sub(form, 0, SEARCH_FORM_MAX);
    if (url->query.len == 0 && form.len == 0) {
        words.charset = CHARSET_UNSET;
    } else {
        enum charset said = said_charset(url->query);
        said = said == CHARSET_UNSET ? said_charset(form) : said;
        words.charset = said == CHARSET_UNSET ? charset : said;
    }
    if (!take_by_table(&words, rules, url, form)) {
        take_by_rule(&words, rules, url, form);
    }
    return words.len != 0 ? arena_dup(arena, str_make(words.text, words.len)) : (struct str){0};
}

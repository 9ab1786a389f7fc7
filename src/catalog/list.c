/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/list.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "wire/url.h"

enum {
    /* Wider prefixes are mistakes or attacks: no list of servers needs an IPv4 /7 or an IPv6 /15.
     */
    CIDR_MIN_V4 = 96 + 8,
    CIDR_MIN_V6 = 16,
    URL_ARENA = 4 * LIMIT_URL_LEN,
};

struct reading {
    const struct list_sink *sink;
    struct arena *arena;
    struct list_entry entry;
    struct host host;
    bool top_level; /* a name of one label means the whole top-level domain */
};

static const struct {
    bool bad;
    const char *text;
} faults[] = {
#define LIST_FAULT(name, bad, text) [LIST_FAULT_##name] = {bad, text},
#include "catalog/list_fault.def"
#undef LIST_FAULT
};

const char *list_fault_text(enum list_fault fault)
{
    CHECK(fault < LIST_FAULT_COUNT);
    return faults[fault].text;
}

bool list_fault_is_bad(enum list_fault fault)
{
    CHECK(fault < LIST_FAULT_COUNT);
    return faults[fault].bad;
}

static enum err refuse(struct reading *in, enum list_fault fault, struct str text)
{
    in->sink->fault(in->sink->ctx, fault, in->entry.line, text);
    return ERR_OK;
}

static enum err give(struct reading *in, enum list_kind kind)
{
    in->entry.kind = kind;
    in->entry.host = &in->host;
    return in->sink->entry(in->sink->ctx, &in->entry);
}

/* Drops a comment: a '#' at the beginning or behind white space. */
static struct str without_comment(struct str line)
{
    for (size_t at = str_index(line, '#'); at < line.len;) {
        if (at == 0 || line.p[at - 1] == ' ' || line.p[at - 1] == '\t') {
            return str_trim_space(str_sub(line, 0, at));
        }
        at += 1 + str_index(str_skip(line, at + 1), '#');
    }
    return str_trim_space(line);
}

static bool is_pattern(struct str line)
{
    return str_starts(line, STR("||")) || str_starts(line, STR("@@")) ||
           str_find(line, STR("##")) < line.len;
}

/* Gives in->host, which was read from text. */
static enum err give_host(struct reading *in, enum list_kind kind, struct str text)
{
    if (!in->top_level && in->host.kind == HOST_NAME &&
        memchr(in->host.text, '.', in->host.len) == NULL) {
        return refuse(in, LIST_FAULT_TOP_LEVEL, text);
    }
    return give(in, kind);
}

static enum err take_name(struct reading *in, enum list_kind kind, struct str text)
{
    struct str name = text;
    struct addr addr;
    if (str_starts(name, STR("*."))) {
        name = str_skip(name, 2);
    } else if (str_starts(name, STR("."))) {
        name = str_skip(name, 1);
    }
    if (str_index(name, '*') < name.len) {
        return refuse(in, LIST_FAULT_NAME, text); /* a name to the URL standard, but never meant */
    }
    if (str_index(name, ':') < name.len && addr_parse(name, &addr) == ERR_OK) {
        host_from_addr(&addr, &in->host); /* lists write IPv6 without brackets */
    } else if (host_parse(name, &in->host) != ERR_OK) {
        return refuse(in, LIST_FAULT_NAME, text);
    }
    return give_host(in, kind, text);
}

/* True for lower-case letters, digits, dots, hyphens and underscores alone: most lines of most
 * lists, which need no second look. */
static bool is_simple(struct str line)
{
    for (size_t i = 0; i < line.len; i++) {
        char c = line.p[i];
        bool simple = (c >= 'a' && c <= 'z') || (c >= '-' && c <= '9' && c != '/') || c == '_';
        if (!simple) {
            return false;
        }
    }
    return line.len != 0 && line.p[0] != '.';
}

static enum err read_domain(struct reading *in, struct str line)
{
    if (is_simple(line) && host_parse(line, &in->host) == ERR_OK) {
        return give_host(in, LIST_ENTRY_HOST, line);
    }
    struct str text = without_comment(line);
    if (text.len == 0 || text.p[0] == ';' || text.p[0] == '!') {
        return ERR_OK;
    }
    if (is_pattern(text)) {
        return refuse(in, LIST_FAULT_PATTERN, text);
    }
    return take_name(in, LIST_ENTRY_HOST, text);
}

static enum err read_hosts(struct reading *in, struct str line)
{
    struct str rest = without_comment(line);
    struct str first = str_next_word(&rest);
    struct addr addr;
    if (first.len == 0) {
        return ERR_OK;
    }
    /* fe80::1%lo0 is in the head of many lists. */
    struct str zone;
    struct str address;
    (void)str_cut(first, '%', &address, &zone);
    if (addr_parse(address, &addr) != ERR_OK) {
        return refuse(in, LIST_FAULT_ADDRESS, first);
    }
    for (struct str name = str_next_word(&rest); name.len != 0; name = str_next_word(&rest)) {
        bool local = str_index(name, '.') == name.len || str_eq(name, STR("0.0.0.0")) ||
                     str_ends(name, STR(".localdomain"));
        ERR_TRY(local ? refuse(in, LIST_FAULT_LOCAL, name) : take_name(in, LIST_ENTRY_HOST, name));
    }
    return ERR_OK;
}

static size_t params(struct str query)
{
    size_t n = 1;
    for (size_t i = 0; i < query.len; i++) {
        n += query.p[i] == '&';
    }
    return n;
}

static enum err read_url(struct reading *in, struct str line)
{
    struct str text = str_trim_space(line);
    struct url url;
    if (text.len == 0 || text.p[0] == '#') {
        return ERR_OK;
    }
    arena_reset(in->arena);
    if (url_parse(text, STR("http"), in->arena, &url) != ERR_OK) {
        return refuse(in, LIST_FAULT_URL, text);
    }
    if (url.host.kind == HOST_NAME && memchr(url.host.text, '.', url.host.len) == NULL) {
        return refuse(in, LIST_FAULT_TOP_LEVEL, text);
    }
    if (url.path.len + url.query.len > LIST_URL_MAX || params(url.query) > LIST_PARAMS_MAX) {
        return refuse(in, LIST_FAULT_LONG_URL, text);
    }
    in->host = url.host;
    in->entry.path = url.path;
    in->entry.query = url.query;
    in->entry.has_query = url.has_query && url.query.len != 0;
    return give(in, url.path.len <= 1 && !in->entry.has_query ? LIST_ENTRY_HOST : LIST_ENTRY_URL);
}

/* IPv4 lies behind ten bytes of zeros, so a prefix that is no longer there may hold all of it. */
static unsigned least_bits(const struct addr *addr)
{
    static const struct addr zeros;
    return memcmp(addr->bytes, zeros.bytes, 10) == 0 ? CIDR_MIN_V4 : CIDR_MIN_V6;
}

static enum err read_cidr(struct reading *in, struct str line)
{
    struct str text = without_comment(line);
    if (text.len == 0) {
        return ERR_OK;
    }
    if (addr_parse_cidr(text, &in->entry.addr, &in->entry.bits) != ERR_OK) {
        return refuse(in, LIST_FAULT_ADDRESS, text);
    }
    if (in->entry.bits < least_bits(&in->entry.addr)) {
        return refuse(in, LIST_FAULT_WIDE, text);
    }
    return give(in, LIST_ENTRY_CIDR);
}

/* The hashes of a line, where it is a pair of them. */
static bool parse_hashes(struct str text, struct list_entry *entry)
{
    struct str host;
    struct str url;
    if (!str_cut(text, '\t', &host, &url) || sha256_parse(host, entry->host_hash) != ERR_OK) {
        return false;
    }
    entry->has_url_hash = !str_eq(url, STR("-"));
    return !entry->has_url_hash || sha256_parse(url, entry->url_hash) == ERR_OK;
}

static enum err read_hashed(struct reading *in, struct str line)
{
    struct str text = str_trim_space(line);
    if (text.len == 0 || text.p[0] == '#') {
        return ERR_OK;
    }
    /* A line that is wrong may be a name in the clear, and is never repeated. */
    return parse_hashes(text, &in->entry) ? give(in, LIST_ENTRY_HASH)
                                          : refuse(in, LIST_FAULT_HASH, STR(""));
}

/* True where the entry's attributes ("@ads @cn") are as the filter ("@ads", "@-cn") wants them. */
static bool attributes_fit(struct str filter, struct str attributes)
{
    for (struct str want = str_next_word(&filter); want.len != 0; want = str_next_word(&filter)) {
        bool without = str_starts(want, STR("@-"));
        struct str name = str_skip(want, without ? 2 : 1);
        bool has = false;
        struct str rest = attributes;
        for (struct str word = str_next_word(&rest); word.len != 0; word = str_next_word(&rest)) {
            has = has || (word.p[0] == '@' && str_eq(str_skip(word, 1), name));
        }
        if (has == without) {
            return false;
        }
    }
    return true;
}

static enum err take_rule(struct reading *in, struct str kind, struct str value)
{
    static const struct {
        struct str name;
        enum list_kind kind;
        enum list_fault fault;
    } rules[] = {
        {STR_INIT("domain"), LIST_ENTRY_HOST, LIST_FAULT_COUNT},
        {STR_INIT("full"), LIST_ENTRY_EXACT, LIST_FAULT_COUNT},
        {STR_INIT("regexp"), LIST_ENTRY_UNSET, LIST_FAULT_REGEXP},
        {STR_INIT("keyword"), LIST_ENTRY_UNSET, LIST_FAULT_KEYWORD},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (str_eq(kind, rules[i].name)) {
            return rules[i].kind == LIST_ENTRY_UNSET ? refuse(in, rules[i].fault, value)
                                                     : take_name(in, rules[i].kind, value);
        }
    }
    return refuse(in, LIST_FAULT_RULE, kind);
}

static enum err read_v2fly(struct reading *in, struct str line)
{
    struct str rest = without_comment(line);
    struct str rule = str_next_word(&rest);
    struct str kind;
    struct str value;
    if (rule.len == 0) {
        return ERR_OK;
    }
    bool has_kind = str_cut(rule, ':', &kind, &value);
    if (has_kind && str_eq(kind, STR("include"))) {
        return in->sink->include != NULL ? in->sink->include(in->sink->ctx, value, rest) : ERR_OK;
    }
    if (!attributes_fit(in->sink->attributes, rest)) {
        return ERR_OK;
    }
    return has_kind ? take_rule(in, kind, value) : take_name(in, LIST_ENTRY_HOST, rule);
}

static const struct {
    struct str name;
    enum err (*read)(struct reading *in, struct str line);
} formats[] = {
    [LIST_DOMAINS] = {STR_INIT("domains"), read_domain},
    [LIST_HOSTS] = {STR_INIT("hosts"), read_hosts},
    [LIST_URLS] = {STR_INIT("urls"), read_url},
    [LIST_V2FLY] = {STR_INIT("v2fly"), read_v2fly},
    [LIST_CIDR] = {STR_INIT("cidr"), read_cidr},
    [LIST_HASHED] = {STR_INIT("hashed"), read_hashed},
    [LIST_UT1] = {STR_INIT("ut1"), NULL},
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

enum err list_read(enum list_format format, struct str bytes, const struct list_sink *sink)
{
    struct arena arena;
    struct reading in = {.sink = sink, .arena = &arena, .top_level = format == LIST_V2FLY};
    struct str rest = str_starts(bytes, STR("\xef\xbb\xbf")) ? str_skip(bytes, 3) : bytes;
    enum err err = ERR_OK;
    CHECK(format > LIST_UNSET && (size_t)format < N_FORMATS && formats[format].read != NULL);
    arena_init(&arena, URL_ARENA);
    while (rest.len != 0 && err == ERR_OK) {
        struct str line;
        (void)str_cut(rest, '\n', &line, &rest);
        in.entry.line++;
        err = sink->sealed && parse_hashes(str_trim_space(line), &in.entry)
                  ? give(&in, LIST_ENTRY_HASH)
                  : formats[format].read(&in, line);
    }
    arena_fini(&arena);
    return err;
}

enum list_format list_ut1_part(struct str name)
{
    if (str_eq(name, STR("domains")) || str_starts(name, STR("domains.")) ||
        str_eq(name, STR("ips"))) {
        return LIST_DOMAINS;
    }
    return str_eq(name, STR("urls")) ? LIST_URLS : LIST_UNSET;
}

enum err list_format_find(struct str name, enum list_format *ret_format)
{
    static const struct {
        struct str name;
        enum list_format format;
    } others[] = {
        {STR_INIT("plain"), LIST_DOMAINS}, {STR_INIT("domain"), LIST_DOMAINS},
        {STR_INIT("host"), LIST_HOSTS},    {STR_INIT("url"), LIST_URLS},
        {STR_INIT("hash"), LIST_HASHED},   {STR_INIT("sha256"), LIST_HASHED},
    };
    for (size_t i = 1; i < N_FORMATS; i++) {
        if (str_eq(formats[i].name, name)) {
            *ret_format = (enum list_format)i;
            return ERR_OK;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (str_eq(others[i].name, name)) {
            *ret_format = others[i].format;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

const char *list_format_name(enum list_format format)
{
    CHECK(format > LIST_UNSET && (size_t)format < N_FORMATS);
    return formats[format].name.p;
}

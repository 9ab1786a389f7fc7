/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URLs: the WHATWG parser for special schemes with an authority, and the matching form. A URL that
 * is in that form already costs one look at each byte and no memory. */
#include "wire/url.h"

static const struct scheme {
    struct str name;
    uint16_t port;
} schemes[] = {
    {STR_INIT("https"), 443}, {STR_INIT("http"), 80}, {STR_INIT("wss"), 443},
    {STR_INIT("ws"), 80},     {STR_INIT("ftp"), 21},
};

/* What a byte may be as it stands. */
enum {
    UNRESERVED = 1, /* RFC 3986 section 2.3: its escape is decoded */
    IN_PATH = 2,    /* pchar and '/' */
    IN_QUERY = 4,   /* the same and '?', without the "'" that browsers escape there */
    ENDS_AUTHORITY = 8,
    FREE = UNRESERVED | IN_PATH | IN_QUERY,
    BOTH = IN_PATH | IN_QUERY,
};

static const uint8_t classes[256] = {
    ['a' ... 'z'] = FREE,
    ['A' ... 'Z'] = FREE,
    ['0' ... '9'] = FREE,
    ['-'] = FREE,
    ['.'] = FREE,
    ['_'] = FREE,
    ['~'] = FREE,
    ['!'] = BOTH,
    ['$'] = BOTH,
    ['&'] = BOTH,
    ['\''] = IN_PATH,
    ['('] = BOTH,
    [')'] = BOTH,
    ['*'] = BOTH,
    ['+'] = BOTH,
    [','] = BOTH,
    [';'] = BOTH,
    ['='] = BOTH,
    [':'] = BOTH,
    ['@'] = BOTH,
    ['/'] = BOTH | ENDS_AUTHORITY,
    ['?'] = IN_QUERY | ENDS_AUTHORITY,
    ['\\'] = ENDS_AUTHORITY,
    ['#'] = ENDS_AUTHORITY,
};

static unsigned class_of(char c)
{
    return classes[(unsigned char)c];
}

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* The byte that the escape at s stands for, or -1. */
static int escaped_byte(struct str s)
{
    int high = s.len >= 3 ? ascii_hex(s.p[1]) : -1;
    int low = s.len >= 3 ? ascii_hex(s.p[2]) : -1;
    return high >= 0 && low >= 0 ? high << 4 | low : -1;
}

/* How long the end of a segment is that stands at the front of s; 0: none does. Escaped slashes end
 * one too: nginx and IIS decode them before they look for a file (RFC 3986 section 7.3). */
static size_t slash_len(struct str s)
{
    if (s.len != 0 && is_slash(s.p[0])) {
        return 1;
    }
    int byte = s.len != 0 && s.p[0] == '%' ? escaped_byte(s) : -1;
    return byte >= 0 && is_slash((char)byte) ? 3 : 0;
}

/* True for an escape that the matching form leaves as it is: reserved, with upper-case digits. */
static bool is_canonical_escape(struct str s, unsigned class)
{
    int byte = escaped_byte(s);
    return byte >= 0 && (classes[byte] & UNRESERVED) == 0 && s.p[1] < 'a' && s.p[2] < 'a' &&
           !(class == IN_PATH && is_slash((char)byte));
}

/* True where every byte may stand as it is. */
static bool is_canonical(struct str s, unsigned class)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((class_of(s.p[i]) & class) == 0 &&
            (s.p[i] != '%' || !is_canonical_escape(str_skip(s, i), class))) {
            return false;
        }
    }
    return true;
}

/* True for "", "." and "..": what is empty or a dot segment between slashes. */
static bool is_odd_segment(struct str segment)
{
    return segment.len == 0 ||
           (segment.len <= 2 && segment.p[0] == '.' && segment.p[segment.len - 1] == '.');
}

/* True for a path that stands as it is: no odd byte, dot segment or run of slashes. */
static bool is_canonical_path(struct str path)
{
    if (!is_canonical(path, IN_PATH)) {
        return false;
    }
    for (size_t i = 0; i + 1 < path.len; i++) {
        if (path.p[i] == '/' && (path.p[i + 1] == '/' || path.p[i + 1] == '.')) {
            struct str rest = str_skip(path, i + 1);
            if (is_odd_segment(str_make(rest.p, str_index(rest, '/')))) {
                return false;
            }
        }
    }
    return true;
}

static size_t escape(unsigned char byte, char *to)
{
    static const char digits[] = "0123456789ABCDEF";
    to[0] = '%';
    to[1] = digits[byte >> 4];
    to[2] = digits[byte & 15];
    return 3;
}

/* Writes s with its escapes put right; at most three bytes for each of s. A '%' that starts no
 * escape becomes "%25", so that no second reading finds an escape that the first did not. */
static size_t print_escaped(struct str s, unsigned class, char *to)
{
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        int byte = c == '%' ? escaped_byte(str_skip(s, i)) : -1;
        if (byte >= 0) {
            i += 2;
            c = (char)byte;
        }
        if ((class_of(c) & (byte >= 0 ? (unsigned)UNRESERVED : class)) != 0) {
            to[len++] = c;
        } else {
            len += escape((unsigned char)c, to + len);
        }
    }
    return len;
}

/* Room for s with every odd byte escaped. */
static enum err escaped_room(struct str s, unsigned class, struct arena *arena, char **ret_room)
{
    size_t room = s.len;
    for (size_t i = 0; i < s.len; i++) {
        room += (class_of(s.p[i]) & class) == 0 ? 2 : 0;
    }
    *ret_room = arena_alloc(arena, room + 1);
    return *ret_room != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err parse_query(struct str query, struct arena *arena, struct str *ret_query)
{
    char *room;
    if (is_canonical(query, IN_QUERY)) {
        *ret_query = query;
        return ERR_OK;
    }
    ERR_TRY(escaped_room(query, IN_QUERY, arena, &room));
    *ret_query = str_make(room, print_escaped(query, IN_QUERY, room));
    return ERR_OK;
}

/* Takes the last segment off path. ERR_INVALID where it is an empty one: a browser takes away the
 * empty segment and many servers the one before, so nobody can say what "a//.." will serve. */
static enum err drop_segment(struct str *path)
{
    if (path->len != 0 && path->p[path->len - 1] == '/') {
        return ERR_INVALID;
    }
    while (path->len != 0 && path->p[--path->len] != '/') {
    }
    return ERR_OK;
}

/* Writes path, which starts with a slash, segment by segment, dot segments resolved. */
static enum err print_segments(struct str path, char *to, size_t *ret_len)
{
    struct str done = {to, 0};
    size_t slash = 1; /* the length of what ends the segment */
    for (size_t at = 1, end = 1; at <= path.len; at = end + slash) {
        end = at;
        while (end < path.len && slash_len(str_skip(path, end)) == 0) {
            end++;
        }
        slash = end < path.len ? slash_len(str_skip(path, end)) : 1;
        char *segment = to + done.len + 1;
        size_t len = print_escaped(str_sub(path, at, end - at), IN_PATH, segment);
        bool up = len == 2 && segment[0] == '.' && segment[1] == '.';
        bool dots = up || (len == 1 && segment[0] == '.');
        if (up) {
            ERR_TRY(drop_segment(&done));
        }
        if (!dots || end == path.len) {
            to[done.len] = '/';
            done.len += dots ? 1 : len + 1;
        }
    }
    *ret_len = done.len;
    return ERR_OK;
}

static size_t merge_slashes(char *path, size_t len)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        if (to == 0 || path[i] != '/' || path[to - 1] != '/') {
            path[to++] = path[i];
        }
    }
    return to;
}

static enum err parse_path(struct str path, struct arena *arena, struct str *ret_path)
{
    char *room;
    size_t len = 0;
    if (path.len == 0) {
        *ret_path = STR("/");
        return ERR_OK;
    }
    if (is_canonical_path(path)) {
        *ret_path = path;
        return ERR_OK;
    }
    ERR_TRY(escaped_room(path, IN_PATH, arena, &room));
    ERR_TRY(print_segments(path, room, &len));
    *ret_path = str_make(room, merge_slashes(room, len));
    return ERR_OK;
}

struct rest {
    struct str path;
    struct str query;
    bool has_query;
};

/* Path and query of what stands behind an authority; no fragment. */
static enum err parse_rest(struct str text, struct arena *arena, struct rest *ret_rest)
{
    struct str path, query;
    bool has_query = str_cut(text, '?', &path, &query);
    ERR_TRY(parse_path(path, arena, &path));
    ERR_TRY(parse_query(query, arena, &query));
    if (path.len + query.len > LIMIT_URL_LEN) {
        return ERR_LIMIT;
    }
    *ret_rest = (struct rest){path, query, has_query};
    return ERR_OK;
}

static void put_rest(const struct rest *rest, struct url *ret_url)
{
    ret_url->path = rest->path;
    ret_url->query = rest->query;
    ret_url->has_query = rest->has_query;
}

enum err url_parse_target(struct str target, struct arena *arena, struct url *ret_url)
{
    if (target.len > LIMIT_URL_LEN) {
        return ERR_LIMIT;
    }
    if (target.len == 0 || target.p[0] != '/') {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < target.len; i++) {
        if ((unsigned char)target.p[i] <= ' ' || target.p[i] == '\x7f' || target.p[i] == '#') {
            return ERR_INVALID;
        }
    }
    struct rest rest;
    ERR_TRY(parse_rest(target, arena, &rest));
    put_rest(&rest, ret_url);
    return ERR_OK;
}

static bool is_dropped(char c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

/* True where s has a byte below a space. Eight bytes at a time: a byte below 0x20 borrows into its
 * top bit, and those that had it set are masked out. */
static bool has_control(struct str s)
{
    static const uint64_t ones = UINT64_MAX / 255;
    uint64_t found = 0;
    size_t i = 0;
    for (uint64_t word; i + sizeof(word) <= s.len; i += sizeof(word)) {
        memcpy(&word, s.p + i, sizeof(word));
        found |= (word - ones * ' ') & ~word & ones * 0x80;
    }
    for (; i < s.len; i++) {
        found |= (unsigned char)s.p[i] < ' ';
    }
    return found != 0;
}

/* As browsers do: without controls and spaces at the ends, and without tabs and line ends. */
static enum err clean(struct str text, struct arena *arena, struct str *ret_text)
{
    while (text.len != 0 && (unsigned char)text.p[0] <= ' ') {
        text = str_skip(text, 1);
    }
    while (text.len != 0 && (unsigned char)text.p[text.len - 1] <= ' ') {
        text.len--;
    }
    if (has_control(text)) {
        char *to = arena_alloc(arena, text.len);
        if (to == NULL) {
            return ERR_MEMORY;
        }
        size_t len = 0;
        for (size_t i = 0; i < text.len; i++) {
            to[len] = text.p[i];
            len += is_dropped(text.p[i]) ? 0 : 1;
        }
        text = str_make(to, len);
    }
    *ret_text = text;
    return ERR_OK;
}

static const struct scheme *find_scheme(struct str name)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (name.len == schemes[i].name.len && str_eq_nocase(name, schemes[i].name)) {
            return &schemes[i];
        }
    }
    return NULL;
}

uint16_t url_default_port(struct str name)
{
    const struct scheme *scheme = find_scheme(name);
    return scheme != NULL ? scheme->port : 0;
}

/* The length of the name before a ':', 0 where text starts with no "name:". */
static size_t scheme_length(struct str text)
{
    size_t len = 0;
    while (len < text.len && (ascii_is_alpha(text.p[len]) || ascii_is_digit(text.p[len]) ||
                              text.p[len] == '+' || text.p[len] == '-' || text.p[len] == '.')) {
        len++;
    }
    return len < text.len && text.p[len] == ':' && ascii_is_alpha(text.p[0]) ? len : 0;
}

/* Cuts the scheme and the slashes behind it off text. Without a known scheme, "name:" is a host and
 * its port, or nothing that is taken here. */
static enum err cut_scheme(struct str *text, struct str default_scheme,
                           const struct scheme **ret_scheme)
{
    size_t len = scheme_length(*text);
    const struct scheme *scheme = find_scheme(str_sub(*text, 0, len));
    if (scheme != NULL) {
        *text = str_skip(*text, len + 1);
        while (text->len != 0 && is_slash(text->p[0])) {
            *text = str_skip(*text, 1);
        }
    } else {
        scheme = find_scheme(default_scheme);
        if (scheme == NULL ||
            (len != 0 && (len + 1 == text->len || !ascii_is_digit(text->p[len + 1])))) {
            return ERR_INVALID;
        }
        *text = str_starts(*text, STR("//")) ? str_skip(*text, 2) : *text;
    }
    *ret_scheme = scheme;
    return ERR_OK;
}

/* Cuts the authority off text; *ret_authority has no userinfo. */
static void cut_authority(struct str *text, struct str *ret_authority)
{
    size_t end = 0, start = 0;
    for (; end < text->len && (class_of(text->p[end]) & ENDS_AUTHORITY) == 0; end++) {
        start = text->p[end] == '@' ? end + 1 : start;
    }
    *ret_authority = str_sub(*text, start, end - start);
    *text = str_skip(*text, end);
}

enum err url_parse(struct str text, struct str default_scheme, struct arena *arena,
                   struct url *ret_url)
{
    const struct scheme *scheme;
    struct str authority;
    struct rest rest;
    if (text.len > LIMIT_URL_LEN) {
        return ERR_LIMIT;
    }
    ERR_TRY(clean(text, arena, &text));
    ERR_TRY(cut_scheme(&text, default_scheme, &scheme));
    cut_authority(&text, &authority);
    text.len = str_index(text, '#');
    ERR_TRY(parse_rest(text, arena, &rest));
    /* Last, because it writes into the caller's struct. */
    ERR_TRY(host_parse_authority(authority, scheme->port, &ret_url->host, &ret_url->port));
    put_rest(&rest, ret_url);
    ret_url->scheme = scheme->name;
    return ERR_OK;
}

enum err url_parse_page(struct str text, struct arena *arena, struct url *ret_url)
{
    struct str rest = str_skip(text, sizeof("http://") - 1 + str_starts(text, STR("https:")));
    if (text.len > LIMIT_PAGE_LEN) {
        return ERR_LIMIT;
    }
    if (!str_starts(text, STR("http://")) && !str_starts(text, STR("https://"))) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f || text.p[i] == '\\') {
            return ERR_INVALID;
        }
    }
    size_t end = 0;
    while (end < rest.len && (class_of(rest.p[end]) & ENDS_AUTHORITY) == 0) {
        if (rest.p[end++] == '@') {
            return ERR_INVALID;
        }
    }
    return end != 0 ? url_parse(text, STR(""), arena, ret_url) : ERR_INVALID;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a body, or its head, says of its encoding (WHATWG HTML, "determining the character
 * encoding" and "prescan a byte stream"). */
#include "wire/charset.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static struct str skip_space(struct str s)
{
    while (s.len != 0 && is_space(s.p[0])) {
        s = str_skip(s, 1);
    }
    return s;
}

static bool starts_nocase(struct str s, struct str prefix)
{
    return str_eq_nocase(str_sub(s, 0, prefix.len), prefix);
}

/* A value after '=': quoted, or up to a space or one of `ends`. */
static struct str take_value(struct str s, struct str ends)
{
    s = skip_space(s);
    if (s.len != 0 && (s.p[0] == '"' || s.p[0] == '\'')) {
        size_t end = str_index(str_skip(s, 1), s.p[0]);
        return end + 1 < s.len ? str_sub(s, 1, end) : str_make(NULL, 0);
    }
    size_t n = 0;
    while (n < s.len && !is_space(s.p[n]) && str_index(ends, s.p[n]) == ends.len) {
        n++;
    }
    return str_sub(s, 0, n);
}

enum charset charset_of_type(struct str type)
{
    struct str rest = str_skip(type, str_index(type, ';'));
    while (rest.len != 0) {
        rest = skip_space(str_skip(rest, 1));
        if (starts_nocase(rest, STR("charset="))) {
            enum charset found = charset_find(take_value(str_skip(rest, 8), STR(";,")));
            if (found != CHARSET_UNSET) {
                return found;
            }
        }
        rest = str_skip(rest, str_index(rest, ';'));
    }
    return CHARSET_UNSET;
}

/* "charset" in the content of a <meta http-equiv>. */
static enum charset from_content(struct str content)
{
    for (size_t i = 0; i + 7 < content.len; i++) {
        struct str at = str_skip(content, i);
        if (!starts_nocase(at, STR("charset"))) {
            continue;
        }
        at = skip_space(str_skip(at, 7));
        if (at.len != 0 && at.p[0] == '=') {
            return charset_find(take_value(str_skip(at, 1), STR(";")));
        }
    }
    return CHARSET_UNSET;
}

/* The next attribute of a tag; false at the tag's end, or where it is not whole. */
static bool take_attribute(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str s = *rest;
    while (s.len != 0 && (is_space(s.p[0]) || s.p[0] == '/')) {
        s = str_skip(s, 1);
    }
    *rest = s;
    if (s.len == 0 || s.p[0] == '>') {
        return false;
    }
    size_t n = 1; /* a '=' at the start belongs to the name */
    while (n < s.len && !is_space(s.p[n]) && s.p[n] != '=' && s.p[n] != '/' && s.p[n] != '>') {
        n++;
    }
    *ret_name = str_sub(s, 0, n);
    *ret_value = str_make(NULL, 0);
    struct str after = skip_space(str_skip(s, n));
    if (after.len == 0 || after.p[0] != '=') {
        *rest = str_skip(s, n);
        return true;
    }
    after = skip_space(str_skip(after, 1));
    if (after.len == 0) {
        *rest = after;
        return false;
    }
    bool quoted = after.p[0] == '"' || after.p[0] == '\'';
    *ret_value = take_value(after, STR(">"));
    if (quoted && str_index(str_skip(after, 1), after.p[0]) + 1 == after.len) {
        *rest = str_make(NULL, 0);
        return false;
    }
    *rest = str_skip(after, ret_value->len + (quoted ? 2 : 0));
    return true;
}

static enum charset from_meta(struct str *rest)
{
    struct str name;
    struct str value;
    bool pragma = false;
    enum charset by_charset = CHARSET_UNSET;
    enum charset by_content = CHARSET_UNSET;
    while (take_attribute(rest, &name, &value)) {
        if (str_eq_nocase(name, STR("http-equiv"))) {
            pragma = pragma || str_eq_nocase(value, STR("content-type"));
        } else if (str_eq_nocase(name, STR("charset")) && by_charset == CHARSET_UNSET) {
            by_charset = charset_find(value);
        } else if (str_eq_nocase(name, STR("content")) && by_content == CHARSET_UNSET) {
            by_content = from_content(value);
        }
    }
    if (by_charset != CHARSET_UNSET) {
        return by_charset;
    }
    return pragma ? by_content : CHARSET_UNSET;
}

/* An encoding that a text in ASCII cannot be in. */
static enum charset as_read(enum charset found)
{
    switch ((int)found) {
    case CHARSET_UTF_16BE:
    case CHARSET_UTF_16LE:
        return CHARSET_UTF_8;
    case CHARSET_X_USER_DEFINED:
        return CHARSET_WINDOWS_1252;
    }
    return found;
}

static struct str behind(struct str s, struct str what)
{
    size_t at = str_find(s, what);
    return str_skip(s, at < s.len ? at + what.len : at);
}

/* One '<' and what it begins; *rest is then behind it. */
static enum charset scan_one(struct str *rest)
{
    struct str s = *rest;
    struct str name;
    struct str value;
    if (str_starts(s, STR("<!--"))) {
        *rest = behind(str_skip(s, 2), STR("-->"));
        return CHARSET_UNSET;
    }
    if (starts_nocase(s, STR("<meta")) && s.len > 5 && (is_space(s.p[5]) || s.p[5] == '/')) {
        *rest = str_skip(s, 5);
        return as_read(from_meta(rest));
    }
    size_t slash = s.len > 1 && s.p[1] == '/' ? 2 : 1;
    if (s.len > slash && ascii_is_alpha(s.p[slash])) {
        while (s.len != 0 && !is_space(s.p[0]) && s.p[0] != '>') {
            s = str_skip(s, 1);
        }
        *rest = s;
        while (take_attribute(rest, &name, &value)) {
        }
        return CHARSET_UNSET;
    }
    if (s.len > 1 && (s.p[1] == '!' || s.p[1] == '/' || s.p[1] == '?')) {
        *rest = behind(s, STR(">"));
        return CHARSET_UNSET;
    }
    *rest = str_skip(s, 1);
    return CHARSET_UNSET;
}

static enum charset from_html(struct str head)
{
    struct str rest = head;
    while (rest.len != 0) {
        rest = str_skip(rest, str_index(rest, '<'));
        enum charset found = rest.len != 0 ? scan_one(&rest) : CHARSET_UNSET;
        if (found != CHARSET_UNSET) {
            return found;
        }
    }
    return CHARSET_UNSET;
}

static enum charset from_xml(struct str head)
{
    if (!str_starts(head, STR("<?xml"))) {
        return CHARSET_UNSET;
    }
    struct str line = str_sub(head, 0, str_index(head, '>'));
    struct str at = skip_space(behind(line, STR("encoding")));
    if (at.len == 0 || at.p[0] != '=') {
        return CHARSET_UNSET;
    }
    return as_read(charset_find(take_value(str_skip(at, 1), STR("?"))));
}

enum charset charset_of_body(struct str head, enum charset by_type, enum charset_hint hint,
                             enum charset otherwise, size_t *ret_skip)
{
    static const struct {
        struct str bytes;
        enum charset charset;
    } marks[] = {{STR_INIT("\xef\xbb\xbf"), CHARSET_UTF_8},
                 {STR_INIT("\xfe\xff"), CHARSET_UTF_16BE},
                 {STR_INIT("\xff\xfe"), CHARSET_UTF_16LE}};
    head = str_sub(head, 0, CHARSET_HEAD);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (str_starts(head, marks[i].bytes)) {
            *ret_skip = marks[i].bytes.len;
            return marks[i].charset;
        }
    }
    *ret_skip = 0;
    enum charset found = by_type;
    if (found == CHARSET_UNSET && hint != CHARSET_HINT_NONE) {
        found = from_xml(head);
    }
    if (found == CHARSET_UNSET && hint == CHARSET_HINT_HTML) {
        found = from_html(head);
    }
    return found != CHARSET_UNSET ? found : otherwise;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file names in a Content-Disposition. */
#include "wire/disposition.h"

/* A place for one more name; the last where all are taken. */
static unsigned next_name(struct disposition *to)
{
    unsigned at = to->n < DISPOSITION_NAMES_MAX ? to->n : DISPOSITION_NAMES_MAX - 1;
    to->n = at + 1;
    to->names[at].len = 0;
    return at;
}

/* The end of a name is what tells. */
static void add_byte(struct disposition *to, unsigned at, char c)
{
    if (to->names[at].len == DISPOSITION_NAME_MAX) {
        memmove(to->names[at].text, to->names[at].text + DISPOSITION_NAME_MAX / 2,
                DISPOSITION_NAME_MAX / 2);
        to->names[at].len = DISPOSITION_NAME_MAX / 2;
    }
    to->names[at].text[to->names[at].len++] = c;
}

/* A quoted string's contents; *rest is behind its closing quote. */
static struct str take_quoted(struct str *rest, bool *ret_escaped)
{
    struct str all = str_skip(*rest, 1);
    size_t i = 0;
    *ret_escaped = true;
    while (i < all.len && all.p[i] != '"') {
        i += all.p[i] == '\\' && i + 1 < all.len ? 2 : 1;
    }
    *rest = str_skip(all, i + 1);
    return str_sub(all, 0, i);
}

static struct str take_value(struct str *rest, bool *ret_quoted)
{
    *rest = str_trim(*rest);
    *ret_quoted = rest->len != 0 && rest->p[0] == '"';
    if (*ret_quoted) {
        struct str value = take_quoted(rest, ret_quoted);
        *rest = str_skip(*rest, str_index(*rest, ';'));
        return value;
    }
    struct str value = str_sub(*rest, 0, str_index(*rest, ';'));
    *rest = str_skip(*rest, value.len);
    return str_trim(value);
}

static void add_plain(struct disposition *to, struct str value, bool quoted)
{
    unsigned at = next_name(to);
    for (size_t i = 0; i < value.len; i++) {
        if (quoted && value.p[i] == '\\' && i + 1 < value.len) {
            i++;
        }
        add_byte(to, at, value.p[i]);
    }
}

/* charset'language'text with escapes (RFC 8187); browsers take off escapes of plain names too. */
static void add_escaped(struct disposition *to, struct str value)
{
    unsigned at = next_name(to);
    for (size_t i = 0; i < value.len; i++) {
        int high = i + 2 < value.len ? ascii_hex(value.p[i + 1]) : -1;
        int low = i + 2 < value.len ? ascii_hex(value.p[i + 2]) : -1;
        if (value.p[i] == '%' && high >= 0 && low >= 0) {
            add_byte(to, at, (char)(high * 16 + low));
            i += 2;
        } else {
            add_byte(to, at, value.p[i]);
        }
    }
}

static bool has_escape(struct str value)
{
    return str_index(value, '%') < value.len;
}

void disposition_parse(struct str value, struct disposition *ret_disposition)
{
    struct str rest = str_skip(value, str_index(value, ';'));
    ret_disposition->n = 0;
    while (rest.len != 0) {
        rest = str_skip(rest, 1);
        size_t len = str_index(rest, '=');
        size_t end = str_index(rest, ';');
        if (end < len || len == rest.len) {
            rest = str_skip(rest, end);
            continue;
        }
        struct str name = str_trim(str_sub(rest, 0, len));
        bool quoted = false;
        rest = str_skip(rest, len + 1);
        struct str text = take_value(&rest, &quoted);
        bool extended = str_eq_nocase(name, STR("filename*"));
        if (!extended && !str_eq_nocase(name, STR("filename"))) {
            continue;
        }
        if (!extended) {
            add_plain(ret_disposition, text, quoted);
        }
        if (extended || has_escape(text)) {
            add_escaped(ret_disposition, text);
        }
    }
}

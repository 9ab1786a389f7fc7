/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slices: the functions too long to be inline. */
#include "base/str.h"

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s = str_skip(s, 1);
    }
    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim_space(struct str s)
{
    while (s.len > 0 && is_space(s.p[0])) {
        s = str_skip(s, 1);
    }
    while (s.len > 0 && is_space(s.p[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool str_cut(struct str s, char c, struct str *ret_head, struct str *ret_tail)
{
    size_t at = str_index(s, c);
    *ret_head = str_sub(s, 0, at);
    *ret_tail = str_skip(s, at + 1);
    return at < s.len;
}

struct str str_next_word(struct str *rest)
{
    struct str s = str_trim_space(*rest);
    size_t n = 0;
    while (n < s.len && s.p[n] != ' ' && s.p[n] != '\t') {
        n++;
    }
    *rest = str_trim_space(str_skip(s, n));
    return str_sub(s, 0, n);
}

int str_compare(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n != 0 ? memcmp(a.p, b.p, n) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

size_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0) {
        return 0;
    }
    const char *at = s.len != 0 ? memmem(s.p, s.len, needle.p, needle.len) : NULL;
    return at != NULL ? (size_t)(at - s.p) : s.len;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8, by the table of RFC 3629 section 4. */
#include "wire/utf8.h"

#include <stdint.h>

/* Rows of the ABNF: what the first byte may be, how many follow, and the bounds of the second. */
static const struct {
    uint8_t first_min, first_max;
    uint8_t second_min, second_max;
    uint8_t length;
} rows[] = {
    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool has_continuations(struct str s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

size_t utf8_length(struct str s)
{
    if (s.len == 0) {
        return 0;
    }
    uint8_t first = (uint8_t)s.p[0];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (first < rows[i].first_min || first > rows[i].first_max) {
            continue;
        }
        size_t length = rows[i].length;
        if (length == 1) {
            return 1;
        }
        bool second = s.len >= length && (uint8_t)s.p[1] >= rows[i].second_min &&
                      (uint8_t)s.p[1] <= rows[i].second_max;
        return second && has_continuations(s, 2, length) ? length : 0;
    }
    return 0;
}

bool utf8_is_text(struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        size_t n = utf8_length(str_skip(s, at));
        if (n == 0 || s.p[at] == '\0') {
            return false;
        }
        at += n;
    }
    return true;
}

struct str utf8_head(struct str s, size_t max)
{
    size_t len = s.len < max ? s.len : max;
    while (len != 0 && len < s.len && ((unsigned char)s.p[len] & 0xc0) == 0x80) {
        len--;
    }
    return str_sub(s, 0, len);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URL-encoded forms, queries and parts of paths. */
#include "wire/form.h"

#include "wire/utf8.h"

static bool is_plain(struct str text, bool plus)
{
    return str_index(text, '%') == text.len && (!plus || str_index(text, '+') == text.len);
}

static int escaped_byte(struct str s)
{
    int high = s.len >= 3 ? ascii_hex(s.p[1]) : -1;
    int low = s.len >= 3 ? ascii_hex(s.p[2]) : -1;
    return high >= 0 && low >= 0 ? high << 4 | low : -1;
}

static enum err take_escapes(struct str text, bool plus, struct arena *arena, struct str *ret_text)
{
    char *to = arena_alloc(arena, text.len);
    size_t n = 0;
    if (to == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '%') {
            int byte = escaped_byte(str_skip(text, i));
            if (byte < 0) {
                return ERR_INVALID;
            }
            c = (char)byte;
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        to[n++] = c;
    }
    *ret_text = str_make(to, n);
    return ERR_OK;
}

enum err form_decode(struct str text, bool plus, struct arena *arena, struct str *ret_text)
{
    struct str decoded = text;
    if (!is_plain(text, plus)) {
        ERR_TRY(take_escapes(text, plus, arena, &decoded));
    }
    if (!utf8_is_text(decoded)) {
        return ERR_INVALID;
    }
    *ret_text = decoded;
    return ERR_OK;
}

enum err form_next(struct str *rest, struct arena *arena, struct form_pair *ret_pair)
{
    struct str pair = {NULL, 0};
    struct form_pair got;
    while (pair.len == 0) {
        if (rest->len == 0) {
            return ERR_NOT_FOUND;
        }
        str_cut(*rest, '&', &pair, rest);
    }
    str_cut(pair, '=', &got.name, &got.value);
    ERR_TRY(form_decode(got.name, true, arena, &got.name));
    ERR_TRY(form_decode(got.value, true, arena, &got.value));
    *ret_pair = got;
    return ERR_OK;
}

void form_encode(struct buf *to, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("-._~", c) != NULL)) {
            buf_append_byte(to, c);
        } else {
            buf_append_byte(to, '%');
            buf_append_byte(to, digits[(unsigned char)c >> 4]);
            buf_append_byte(to, digits[(unsigned char)c & 15]);
        }
    }
}

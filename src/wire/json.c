/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A writer of JSON. */
#include "wire/json.h"

#include "wire/utf8.h"

/* Length of the run at the start of s that stands in a string as it is: ASCII without quote,
 * backslash and controls. Eight bytes at a time: in each test a byte of interest sets its top bit
 * (a borrow may set more of them behind it, never fewer, so that only the exact loop decides). */
static size_t plain_run(struct str s)
{
    static const uint64_t ones = UINT64_MAX / 255, tops = UINT64_MAX / 255 * 0x80;
    size_t i = 0;
    for (uint64_t word; i + sizeof(word) <= s.len; i += sizeof(word)) {
        memcpy(&word, s.p + i, sizeof(word));
        uint64_t quote = (word ^ ones * '"') - ones;
        uint64_t backslash = (word ^ ones * '\\') - ones;
        uint64_t control = word - ones * ' ';
        if (((quote | backslash | control | word) & tops) != 0) {
            break;
        }
    }
    while (i < s.len && (unsigned char)s.p[i] >= ' ' && (unsigned char)s.p[i] < 0x80 &&
           s.p[i] != '"' && s.p[i] != '\\') {
        i++;
    }
    return i;
}

/* A comma where the last byte says that a value or member stands before. */
static void comma(struct buf *to)
{
    char last = to->len != 0 ? to->p[to->len - 1] : '\n';
    if (last != '{' && last != '[' && last != ':' && last != '\n') {
        buf_append_byte(to, ',');
    }
}

/* The control, quote or backslash c, escaped. */
static void escaped(struct buf *to, char c)
{
    static const struct str names = STR_INIT("\"\\\b\f\n\r\t");
    static const char letters[] = "\"\\bfnrt";
    static const char digits[] = "0123456789abcdef";
    size_t known = str_index(names, c);
    if (known != names.len) {
        buf_append(to, str_make((char[]){'\\', letters[known]}, 2));
        return;
    }
    unsigned char byte = (unsigned char)c;
    buf_append(to, STR("\\u00"));
    buf_append(to, str_make((char[]){digits[byte >> 4], digits[byte & 15]}, 2));
}

/* What follows a plain run: one character that needs care. The number of bytes used. */
static size_t one_character(struct buf *to, struct str s)
{
    if ((unsigned char)s.p[0] < 0x80) {
        escaped(to, s.p[0]);
        return 1;
    }
    size_t length = utf8_length(s);
    buf_append(to, length != 0 ? str_make(s.p, length) : UTF8_REPLACEMENT);
    return length != 0 ? length : 1;
}

static void quoted(struct buf *to, struct str s)
{
    size_t run = plain_run(s);
    char *room = run == s.len ? buf_reserve(to, s.len + 2) : NULL;
    if (room != NULL) {
        room[0] = '"';
        if (run != 0) {
            memcpy(room + 1, s.p, run);
        }
        room[run + 1] = '"';
        buf_commit(to, run + 2);
        return;
    }
    buf_append_byte(to, '"');
    while (s.len != 0) {
        buf_append(to, str_make(s.p, run));
        s = str_skip(s, run);
        s = s.len != 0 ? str_skip(s, one_character(to, s)) : s;
        run = plain_run(s);
    }
    buf_append_byte(to, '"');
}

void json_open_object(struct buf *to)
{
    comma(to);
    buf_append_byte(to, '{');
}

void json_close_object(struct buf *to)
{
    buf_append_byte(to, '}');
}

void json_open_array(struct buf *to)
{
    comma(to);
    buf_append_byte(to, '[');
}

void json_close_array(struct buf *to)
{
    buf_append_byte(to, ']');
}

void json_name(struct buf *to, struct str name)
{
    comma(to);
    quoted(to, name);
    buf_append_byte(to, ':');
}

void json_str(struct buf *to, struct str value)
{
    comma(to);
    quoted(to, value);
}

void json_i64(struct buf *to, int64_t value)
{
    comma(to);
    buf_append_i64(to, value);
}

void json_u64(struct buf *to, uint64_t value)
{
    comma(to);
    buf_append_u64(to, value);
}

void json_bool(struct buf *to, bool value)
{
    comma(to);
    buf_append(to, value ? STR("true") : STR("false"));
}

void json_null(struct buf *to)
{
    comma(to);
    buf_append(to, STR("null"));
}

void json_raw(struct buf *to, struct str value)
{
    comma(to);
    buf_append(to, value);
}

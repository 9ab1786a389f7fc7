/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A writer of JSON. */
#include "wire/json.h"

#include "wire/utf8.h"

/* Bytes that stand in a string as they are: ASCII without quote, backslash and controls. */
static const bool plain[256] = {
    [' ' ... '!'] = true,
    ['#' ... '['] = true,
    [']' ... 0x7f] = true,
};

/* Length of the plain run at the start of s. */
static size_t plain_run(struct str s)
{
    size_t i = 0;
    while (i < s.len && plain[(unsigned char)s.p[i]]) {
        i++;
    }
    return i;
}

/* Eight bytes at once: each test sets the top bit of the first byte that it looks for (a borrow may
 * set more behind it, never fewer), and UTF-8 has it set. */
static bool is_plain_word(uint64_t word)
{
    static const uint64_t ones = UINT64_MAX / 255;
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones;
    uint64_t control = word - ones * ' ';
    return ((quote | backslash | control | word) & ones * 0x80) == 0;
}

/* True where all of s is plain: whole words, and a last one that overlaps them. */
static bool is_plain(struct str s)
{
    uint64_t word;
    if (s.len < sizeof(word)) {
        return plain_run(s) == s.len;
    }
    for (size_t i = 0; i + sizeof(word) < s.len; i += sizeof(word)) {
        memcpy(&word, s.p + i, sizeof(word));
        if (!is_plain_word(word)) {
            return false;
        }
    }
    memcpy(&word, s.p + s.len - sizeof(word), sizeof(word));
    return is_plain_word(word);
}

/* Room for n bytes behind the comma that may be due: the last byte says whether a value or member
 * stands before. NULL where there is none. */
static char *begin(struct buf *to, size_t n)
{
    char last = to->len != 0 ? to->p[to->len - 1] : '\n';
    bool due = last != '{' && last != '[' && last != ':' && last != '\n';
    char *room = buf_reserve(to, n + (due ? 1 : 0));
    if (room != NULL && due) {
        *room++ = ',';
        buf_commit(to, 1);
    }
    return room;
}

static void put(struct buf *to, struct str bytes)
{
    char *room = begin(to, bytes.len);
    if (room != NULL && bytes.len != 0) {
        memcpy(room, bytes.p, bytes.len);
        buf_commit(to, bytes.len);
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

/* s in quotes, which needs some escapes. */
static void put_escaped(struct buf *to, struct str s)
{
    put(to, STR("\""));
    while (s.len != 0) {
        size_t run = plain_run(s);
        buf_append(to, str_make(s.p, run));
        s = str_skip(s, run);
        s = s.len != 0 ? str_skip(s, one_character(to, s)) : s;
    }
    buf_append_byte(to, '"');
}

/* s in quotes, with a colon behind a name. */
static void put_string(struct buf *to, struct str s, bool is_name)
{
    if (!is_plain(s)) {
        put_escaped(to, s);
        buf_append(to, is_name ? STR(":") : STR(""));
        return;
    }
    size_t len = s.len + 2 + (is_name ? 1 : 0);
    char *room = begin(to, len);
    if (room == NULL) {
        return;
    }
    *room++ = '"';
    if (s.len != 0) {
        room = mempcpy(room, s.p, s.len);
    }
    *room++ = '"';
    if (is_name) {
        *room = ':';
    }
    buf_commit(to, len);
}

void json_open_object(struct buf *to)
{
    put(to, STR("{"));
}

void json_close_object(struct buf *to)
{
    buf_append_byte(to, '}');
}

void json_open_array(struct buf *to)
{
    put(to, STR("["));
}

void json_close_array(struct buf *to)
{
    buf_append_byte(to, ']');
}

void json_name(struct buf *to, struct str name)
{
    put_string(to, name, true);
}

void json_str(struct buf *to, struct str value)
{
    put_string(to, value, false);
}

void json_i64(struct buf *to, int64_t value)
{
    put(to, STR(""));
    buf_append_i64(to, value);
}

void json_u64(struct buf *to, uint64_t value)
{
    put(to, STR(""));
    buf_append_u64(to, value);
}

void json_bool(struct buf *to, bool value)
{
    put(to, value ? STR("true") : STR("false"));
}

void json_none(struct buf *to)
{
    put(to, STR("null"));
}

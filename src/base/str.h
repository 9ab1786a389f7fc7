/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slices: a pointer and a length that borrow somebody else's bytes.
 *
 * A slice owns nothing and is passed by value. A struct that keeps one says in whose memory it
 * points. The bytes may be anything, NUL included; p may be NULL only when len is 0.
 */
#ifndef LODGE_BASE_STR_H
#define LODGE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t len;
};

/* A slice of a string literal, without its NUL. */
#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})
/* The same for static initialisers, where a compound literal is not a constant. */
#define STR_INIT(literal)                 \
    {                                     \
        ("" literal), sizeof(literal) - 1 \
    }
/* Arguments for a "%.*s" conversion. */
#define STR_ARG(s) (int)(s).len, (s).len != 0 ? (s).p : ""

static inline struct str str_make(const char *p, size_t len)
{
    return (struct str){p, len};
}

/* The slice of a NUL-terminated string; NULL gives the empty slice. */
static inline struct str str_from(const char *s)
{
    return (struct str){s, s != NULL ? strlen(s) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* Bytes [from, from + len) of s, clamped to s. */
static inline struct str str_sub(struct str s, size_t from, size_t len)
{
    if (from >= s.len) {
        return (struct str){s.p, 0};
    }
    size_t rest = s.len - from;
    return (struct str){s.p + from, len < rest ? len : rest};
}

/* s without its first n bytes (empty when n >= s.len). */
static inline struct str str_skip(struct str s, size_t n)
{
    return str_sub(s, n, s.len);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.p + (s.len - suffix.len), suffix.p, suffix.len) == 0);
}

/* Index of the first byte c in s, or s.len. */
static inline size_t str_index(struct str s, char c)
{
    const char *at = s.len != 0 ? memchr(s.p, c, s.len) : NULL;
    return at != NULL ? (size_t)(at - s.p) : s.len;
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* 0..15 for a hexadecimal digit, else -1. */
static inline int ascii_hex(char c)
{
    char l = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Equal but for the case of ASCII letters; for protocol tokens, never for host names (those are
 * canonical, see wire/host.h, and compared with str_eq). */
bool str_eq_nocase(struct str a, struct str b);

/* s without spaces and tabs at both ends (the OWS of RFC 9110 section 5.6.3). */
struct str str_trim(struct str s);

/* s without ASCII white space (space, tab, CR, LF, VT, FF) at both ends. */
struct str str_trim_space(struct str s);

/* Cuts s at its first byte c: the part before goes to *ret_head and the part behind to *ret_tail;
 * without a c, all of s is head, tail is empty and the answer is false. The outputs may be &s. */
bool str_cut(struct str s, char c, struct str *ret_head, struct str *ret_tail);

/* Takes the first word off *rest: what stands before a space or tab. The word is empty where none
 * is left; *rest has no white space at its ends then. */
struct str str_next_word(struct str *rest);

/* memcmp order, the shorter first where one is a prefix of the other. */
int str_compare(struct str a, struct str b);

/* The position of needle in s, or s.len where it is not; an empty needle is at 0. */
size_t str_find(struct str s, struct str needle);

#endif

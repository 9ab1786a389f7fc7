/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64. */
#include "wire/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 0..63, or -1. */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    return ascii_is_digit(c) ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, the last 0..2 of them padding, into 3..1 bytes. */
static bool decode_group(const char *group, size_t padding, char ret_bytes[3])
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? digit_value(group[i]) : 0;
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
    }
    ret_bytes[0] = (char)(bits >> 16);
    ret_bytes[1] = (char)(bits >> 8);
    ret_bytes[2] = (char)bits;
    return (bits & ((1u << 8 * padding) - 1)) == 0;
}

enum err base64_decode(struct str text, struct buf *to)
{
    size_t padding = str_ends(text, STR("==")) ? 2 : str_ends(text, STR("=")) ? 1 : 0;
    size_t before = to->len;
    if (text.len % 4 != 0) {
        return ERR_INVALID;
    }
    for (size_t at = 0; at < text.len; at += 4) {
        char bytes[3];
        size_t missing = at + 4 == text.len ? padding : 0;
        if (!decode_group(text.p + at, missing, bytes)) {
            to->len = before;
            return ERR_INVALID;
        }
        buf_append(to, str_make(bytes, 3 - missing));
    }
    return buf_err(to);
}

void base64_encode(struct str bytes, struct buf *to)
{
    for (size_t at = 0; at < bytes.len; at += 3) {
        struct str group = str_sub(bytes, at, 3);
        uint32_t bits = 0;
        char text[4];
        for (size_t i = 0; i < 3; i++) {
            bits = bits << 8 | (i < group.len ? (uint8_t)group.p[i] : 0u);
        }
        for (size_t i = 0; i < 4; i++) {
            text[i] = i <= group.len ? digits[bits >> (18 - 6 * i) & 63] : '=';
        }
        buf_append(to, str_make(text, sizeof(text)));
    }
}

/* Turns one alphabet's two last digits into the other's. */
static void swap_digits(char *text, size_t n, const char from[2], const char to[2])
{
    for (size_t i = 0; i < n; i++) {
        text[i] = text[i] == from[0] ? to[0] : text[i] == from[1] ? to[1] : text[i];
    }
}

void base64url_encode(struct str bytes, struct buf *to)
{
    size_t before = to->len;
    base64_encode(bytes, to);
    if (buf_err(to) != ERR_OK) {
        return;
    }
    while (to->len > before && to->p[to->len - 1] == '=') {
        to->len--;
    }
    swap_digits(to->p + before, to->len - before, "+/", "-_");
}

enum err base64url_decode(struct str text, struct buf *to)
{
    size_t before = to->len;
    for (size_t at = 0; at < text.len; at += 4) {
        char group[4] = {'=', '=', '=', '='};
        struct str part = str_sub(text, at, sizeof(group));
        char bytes[3];
        for (size_t i = 0; i < part.len; i++) {
            /* '+' and '/' are no digits here. */
            group[i] = part.p[i] == '+' || part.p[i] == '/' ? '=' : part.p[i];
        }
        swap_digits(group, part.len, "-_", "+/");
        if (part.len < 2 || !decode_group(group, sizeof(group) - part.len, bytes)) {
            to->len = before;
            return ERR_INVALID;
        }
        buf_append(to, str_make(bytes, part.len - 1));
    }
    return buf_err(to);
}

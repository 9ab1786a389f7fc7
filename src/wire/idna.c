/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Domain to ASCII over libidn2, which follows IDNA2008 where browsers follow UTS 46. The
 * differences are bridged here as far as they matter:
 *  - labels go one by one and those of plain ASCII not at all, so that a label as "r3---a" (hyphens
 *    that IDNA2008 forbids) under an international domain is no error;
 *  - a domain with one right-to-left label holds all its labels to RFC 5893; libidn2 looks at each
 *    label alone;
 *  - the capital sharp s is the small one since Unicode 15.1, which libidn2 2.3.3 does not know.
 *
 * The rest (symbols, characters newer than libidn2's tables) is refused although a browser would
 * take it; browsers send such names in ASCII. Nothing is taken that a browser refuses.
 * tests/test_url_vectors.py lists what is refused, and why.
 */
#include "wire/idna.h"

#include <idn2.h>
#include <stdint.h>

enum { FLAGS = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL };

/* The classes R, AL and AN of RFC 5893 lie in these blocks alone; the digits U+06F0 to U+06F9 among
 * them are of class EN. */
static const struct {
    uint32_t first;
    uint32_t last;
} right_to_left[] = {
    {0x0590, 0x06ef}, {0x06fa, 0x08ff},   {0xfb1d, 0xfdff},
    {0xfe70, 0xfeff}, {0x10800, 0x10fff}, {0x1e800, 0x1efff},
};

struct domain {
    char *to;
    size_t len;
    bool right_to_left; /* one label is */
    bool neutral_edge;  /* one label's first or last character has no direction */
};

static bool is_right_to_left(uint32_t c)
{
    for (size_t i = 0; i < sizeof(right_to_left) / sizeof(right_to_left[0]); i++) {
        if (c >= right_to_left[i].first && c <= right_to_left[i].last) {
            return true;
        }
    }
    return false;
}

static bool is_ascii_neutral(uint32_t c)
{
    return c < 0x80 && !ascii_is_alpha((char)c);
}

/* What a label, in ASCII, means for its domain's direction. */
static enum err look_at(struct domain *domain, const char *label)
{
    uint32_t *decoded = NULL;
    if (idn2_to_unicode_8z4z(label, &decoded, 0) != IDN2_OK) {
        return ERR_INVALID;
    }
    size_t n = 0;
    bool rtl = false;
    for (; decoded[n] != 0; n++) {
        rtl |= is_right_to_left(decoded[n]);
    }
    if (n != 0 && !rtl) {
        uint32_t last = decoded[n - 1];
        domain->neutral_edge |=
            is_ascii_neutral(decoded[0]) || (is_ascii_neutral(last) && !ascii_is_digit((char)last));
    }
    domain->right_to_left |= rtl;
    idn2_free(decoded);
    return ERR_OK;
}

static enum err put(struct domain *domain, struct str bytes)
{
    if (bytes.len > IDNA_OUTPUT_MAX - domain->len) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        domain->to[domain->len++] = ascii_lower(bytes.p[i]);
    }
    return ERR_OK;
}

bool idna_is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool is_encoded(struct str label)
{
    return label.len >= 4 && str_eq_nocase(str_sub(label, 0, 4), STR("xn--"));
}

/* `label` is NUL-terminated and may hold anything; plain ASCII needs no look-up. */
static enum err put_label(struct domain *domain, const char *label)
{
    char *ascii = NULL;
    bool plain = idna_is_ascii(str_from(label)) && !is_encoded(str_from(label));
    if (!plain && idn2_to_ascii_8z(label, &ascii, FLAGS) != IDN2_OK) {
        return ERR_INVALID;
    }
    struct str result = str_from(plain ? label : ascii);
    enum err err = look_at(domain, result.p);
    /* A character that maps to a dot would hide a label from look_at. */
    if (err == ERR_OK && str_index(result, '.') != result.len) {
        err = ERR_INVALID;
    }
    if (err == ERR_OK) {
        err = put(domain, result);
    }
    idn2_free(ascii);
    return err;
}

/* The full stops of IDNA: U+002E, U+3002, U+FF0E, U+FF61. Bytes of the one at s, or 0. */
static size_t full_stop(struct str s)
{
    static const struct str stops[] = {STR_INIT("."), STR_INIT("\xe3\x80\x82"),
                                       STR_INIT("\xef\xbc\x8e"), STR_INIT("\xef\xbd\xa1")};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        if (str_starts(s, stops[i])) {
            return stops[i].len;
        }
    }
    return 0;
}

/* Copies what stands before the next full stop, with a NUL; the number of bytes used of s. */
static size_t copy_label(struct str s, char label[IDNA_INPUT_MAX + 1])
{
    size_t len = 0, at = 0;
    while (at < s.len && full_stop(str_skip(s, at)) == 0) {
        if (str_starts(str_skip(s, at), STR("\xe1\xba\x9e"))) {
            memcpy(label + len, "\xc3\x9f", 2);
            len += 2;
            at += 3;
        } else {
            label[len++] = s.p[at++];
        }
    }
    label[len] = '\0';
    return at;
}

enum err idna_to_ascii(struct str text, char to[IDNA_OUTPUT_MAX], size_t *ret_len)
{
    struct domain domain = {.to = to};
    char label[IDNA_INPUT_MAX + 1];
    if (text.len > IDNA_INPUT_MAX || (text.len != 0 && memchr(text.p, '\0', text.len) != NULL)) {
        return ERR_INVALID;
    }
    for (size_t at = 0;; at += full_stop(str_skip(text, at))) {
        size_t used = copy_label(str_skip(text, at), label);
        ERR_TRY(put_label(&domain, label));
        at += used;
        if (at == text.len) {
            break;
        }
        ERR_TRY(put(&domain, STR(".")));
    }
    if (domain.right_to_left && domain.neutral_edge) {
        return ERR_INVALID;
    }
    *ret_len = domain.len;
    return ERR_OK;
}

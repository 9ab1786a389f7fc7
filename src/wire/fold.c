/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparing texts: ICU says what a character is composed of; what has a mark only to the eye (a
 * stroke, a ligature) is in a table here. */
#include "wire/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "wire/utf8.h"

/* Compatibility decomposition makes at most 18 of one. */
enum { MOST_GROWN = 18 };

/* A text in UTF-16. */
struct wide {
    UChar *p;
    int32_t len;
};

/* The character of well-formed bytes. */
static UChar32 character_of(const char *p, size_t len)
{
    static const uint32_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (uint8_t)p[0] & first[len];
    for (size_t i = 1; i < len; i++) {
        c = c << 6 | ((uint8_t)p[i] & 0x3f);
    }
    return (UChar32)c;
}

static enum fold_fault fault_of(UChar32 c)
{
    bool control = (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || (c >= 0x7f && c < 0xa0);
    if (control || c == 0x2028 || c == 0x2029) {
        return FOLD_CONTROL;
    }
    if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {
        return FOLD_DIRECTION;
    }
    bool unseen = c == 0xad || c == 0x200b || c == 0x2060 || c == 0xfeff;
    if (unseen || (c >= 0xe0000 && c <= 0xe007f) || (c & 0xfffe) == 0xfffe ||
        (c >= 0xfdd0 && c <= 0xfdef)) {
        return FOLD_UNSEEN;
    }
    return FOLD_FINE;
}

enum fold_fault fold_check(struct str text, size_t *ret_characters)
{
    size_t characters = 0;
    while (text.len != 0) {
        size_t len = utf8_length(text);
        if (len == 0) {
            return FOLD_NOT_UTF8;
        }
        enum fold_fault fault = fault_of(character_of(text.p, len));
        if (fault != FOLD_FINE) {
            return fault;
        }
        characters++;
        text = str_skip(text, len);
    }
    *ret_characters = characters;
    return FOLD_FINE;
}

static enum err widen(struct str text, struct wide *ret_wide)
{
    if (text.len > INT32_MAX / 2 / MOST_GROWN) {
        return ERR_LIMIT;
    }
    struct wide wide = {.p = malloc((text.len + 1) * sizeof(UChar))};
    UErrorCode code = U_ZERO_ERROR;
    if (wide.p == NULL) {
        return ERR_MEMORY;
    }
    u_strFromUTF8(wide.p, (int32_t)text.len + 1, &wide.len, text.p, (int32_t)text.len, &code);
    if (U_FAILURE(code)) {
        free(wide.p);
        return ERR_INVALID;
    }
    *ret_wide = wide;
    return ERR_OK;
}

/* Replaces *wide by its normal form. */
static enum err normalise(const UNormalizer2 *form, struct wide *wide)
{
    int32_t max = wide->len * MOST_GROWN + 1;
    struct wide made = {.p = malloc((size_t)max * sizeof(UChar))};
    UErrorCode code = U_ZERO_ERROR;
    if (made.p == NULL) {
        return ERR_MEMORY;
    }
    made.len = unorm2_normalize(form, wide->p, wide->len, made.p, max, &code);
    if (U_FAILURE(code)) {
        free(made.p);
        return ERR_SYSTEM;
    }
    free(wide->p);
    *wide = made;
    return ERR_OK;
}

/* The character at *at, which goes on behind it; ICU made the text, so pairs are whole. */
static UChar32 next_of(const struct wide *wide, int32_t *at)
{
    uint32_t c = wide->p[(*at)++];
    if ((c & 0xfc00) == 0xd800 && *at < wide->len) {
        c = 0x10000 + ((c & 0x3ff) << 10) + (wide->p[(*at)++] & 0x3ffU);
    }
    return (UChar32)c;
}

static void append_character(struct buf *to, UChar32 character)
{
    static const uint32_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint32_t c = (uint32_t)character;
    uint32_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    buf_append_byte(to, (char)(first[len] | c >> (6 * (len - 1))));
    for (uint32_t rest = len - 1; rest > 0; rest--) {
        buf_append_byte(to, (char)(0x80 | (c >> (6 * (rest - 1)) & 0x3f)));
    }
}

enum err fold_compose(struct str text, struct buf *to)
{
    struct wide wide = {0};
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *form = unorm2_getNFCInstance(&code);
    if (U_FAILURE(code)) {
        return ERR_SYSTEM;
    }
    ERR_TRY(widen(text, &wide));
    enum err err = normalise(form, &wide);
    for (int32_t at = 0; err == ERR_OK && at < wide.len;) {
        append_character(to, next_of(&wide, &at));
    }
    free(wide.p);
    return err != ERR_OK ? err : buf_err(to);
}

/* What stands for a character without its stroke or tie; NULL for itself. Lower case only. */
static const char *plain(UChar32 c)
{
    static const struct {
        UChar32 c;
        const char *text;
    } table[] = {
        {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},
        {0x0127, "h"},  {0x0131, "i"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"},
        {0x0167, "t"},  {0x2010, "-"}, {0x2011, "-"}, {0x2012, "-"},  {0x2013, "-"},
        {0x2018, "'"},  {0x2019, "'"}, {0x02bc, "'"}, {0x02b9, "'"},  {0x201b, "'"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].c == c) {
            return table[i].text;
        }
    }
    return NULL;
}

/* Appends the characters of a decomposed text without marks, blanks as single spaces. */
static void append_key(const struct wide *wide, struct buf *to)
{
    bool blank = false;
    size_t start = to->len;
    for (int32_t at = 0; at < wide->len;) {
        UChar32 c = next_of(wide, &at);
        if (u_isUWhiteSpace(c)) {
            blank = to->len > start;
            continue;
        }
        if (u_charType(c) == U_NON_SPACING_MARK || u_charType(c) == U_FORMAT_CHAR) {
            continue;
        }
        if (blank) {
            buf_append_byte(to, ' ');
            blank = false;
        }
        const char *text = plain(c);
        if (text != NULL) {
            buf_append(to, str_from(text));
        } else {
            append_character(to, c);
        }
    }
}

enum err fold_key(struct str text, struct buf *to)
{
    struct wide wide = {0};
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *folded = unorm2_getNFKCCasefoldInstance(&code);
    const UNormalizer2 *apart = unorm2_getNFDInstance(&code);
    if (U_FAILURE(code)) {
        return ERR_SYSTEM;
    }
    ERR_TRY(widen(text, &wide));
    enum err err = normalise(folded, &wide);
    if (err == ERR_OK) {
        err = normalise(apart, &wide);
    }
    if (err == ERR_OK) {
        append_key(&wide, to);
        err = buf_err(to);
    }
    free(wide.p);
    return err;
}

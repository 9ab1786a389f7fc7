/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telephone numbers (E.164, and as Britons write theirs) and unique pupil numbers. */
#include "base/check.h"
#include "records/field_impl.h"

/* E.164: at most 15 digits behind the plus. */
enum { E164_MIN = 7, E164_MAX = 15, UPN_CHARS = 13, UPN_MODULUS = 23, COUNTRY_MAX = 3 };

static const char PHONE_NOUN[] = "The telephone number";
static const char UPN_NOUN[] = "The unique pupil number";

static bool all_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.p[i])) {
            return false;
        }
    }
    return text.len != 0;
}

/* Numbers of help that have no form abroad. */
static bool is_short(struct str digits)
{
    static const char *const numbers[] = {"999", "112",    "101",    "105",    "111",
                                          "119", "116123", "116000", "116111", "18000"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (str_eq(digits, str_from(numbers[i]))) {
            return true;
        }
    }
    return false;
}

/* Behind +44: ten digits, nine for some places, and two old numbers of seven. */
static bool is_british(struct str national)
{
    if (str_starts(national, STR("0"))) {
        return false;
    }
    return national.len == 10 || national.len == 9 || str_eq(national, STR("8001111")) ||
           str_eq(national, STR("8454647"));
}

/* The digits behind the plus; false for what is no number. */
static bool international(struct str text, struct str *ret_country, struct str *ret_rest)
{
    *ret_country = (struct str){0};
    if (str_starts(text, STR("+"))) {
        *ret_rest = str_skip(text, 1);
    } else if (str_starts(text, STR("00"))) {
        *ret_rest = str_skip(text, 2);
    } else if (str_starts(text, STR("0"))) {
        *ret_country = STR("44");
        *ret_rest = str_skip(text, 1);
    } else {
        return false;
    }
    /* "+44 (0)20 ...", whose brackets are gone by now. */
    if (ret_country->len == 0 && str_starts(*ret_rest, STR("44"))) {
        *ret_country = STR("44");
        *ret_rest = str_skip(*ret_rest, 2);
        *ret_rest = str_skip(*ret_rest, str_starts(*ret_rest, STR("0")) ? 1 : 0);
    }
    if (!all_digits(*ret_rest) || ret_rest->p[0] == '0') {
        return false;
    }
    return ret_country->len != 0 ? is_british(*ret_rest)
                                 : ret_rest->len >= E164_MIN && ret_rest->len <= E164_MAX;
}

enum err read_phone(struct reading *reading, struct field_value *ret_value)
{
    struct str text = {0}, country = {0}, rest = {0};
    ERR_TRY(read_word(reading, reading->given, PHONE_NOUN, &text));
    ERR_TRY(read_squeezed(reading, text, "-().", &text));
    if (text.len == 0) {
        return ERR_OK;
    }
    if (is_short(text)) {
        ret_value->part[0] = store_text(text);
        return ERR_OK;
    }
    if (!international(text, &country, &rest)) {
        return read_fault(reading, PHONE_NOUN,
                          "must be a telephone number, such as 01632 960 001 or +33 1 42 78 00 00");
    }
    size_t len = 1 + country.len + rest.len;
    char *to = arena_alloc(reading->reader->arena, len + 1);
    if (to == NULL) {
        return ERR_MEMORY;
    }
    to[0] = '+';
    memcpy(to + 1, country.p != NULL ? country.p : "", country.len);
    memcpy(to + 1 + country.len, rest.p, rest.len);
    ret_value->part[0] = store_text(str_make(to, len));
    return ERR_OK;
}

/* Digits in groups of these sizes; what is over stands in the last. */
static void print_groups(struct str digits, const size_t sizes[3], struct buf *to)
{
    for (size_t i = 0; i < 3 && digits.len != 0; i++) {
        size_t size = i == 2 ? digits.len : sizes[i];
        if (i != 0) {
            buf_append_byte(to, ' ');
        }
        buf_append(to, str_sub(digits, 0, size));
        digits = str_skip(digits, size);
    }
}

static void print_british(struct str national, struct buf *to)
{
    static const struct {
        const char *start;
        size_t sizes[3];
    } forms[] = {
        {"2", {2, 4, 4}},   {"11", {3, 3, 4}},  {"3", {3, 3, 4}},   {"8001111", {3, 4, 0}},
        {"8", {3, 3, 4}},   {"9", {3, 3, 4}},   {"121", {3, 3, 4}}, {"131", {3, 3, 4}},
        {"141", {3, 3, 4}}, {"151", {3, 3, 4}}, {"161", {3, 3, 4}}, {"171", {3, 3, 4}},
        {"181", {3, 3, 4}}, {"191", {3, 3, 4}},
    };
    static const size_t others[3] = {4, 3, 3};
    const size_t *sizes = others;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (str_starts(national, str_from(forms[i].start))) {
            sizes = forms[i].sizes;
            break;
        }
    }
    buf_append_byte(to, '0');
    print_groups(national, sizes, to);
}

/* Digits of a country's code (ITU-T E.164, annex): 1 and 7 have one; two where the table says so.
 */
static size_t country_digits(struct str digits)
{
    static const char *const twos[] = {
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
        "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
        "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"};
    if (digits.p[0] == '1' || digits.p[0] == '7') {
        return 1;
    }
    for (size_t i = 0; i < sizeof(twos) / sizeof(twos[0]); i++) {
        if (str_starts(digits, str_from(twos[i]))) {
            return 2;
        }
    }
    return COUNTRY_MAX;
}

void print_phone(const struct register_field *field, const struct field_value *value,
                 struct buf *to)
{
    static const size_t threes[3] = {3, 3, 0};
    struct str text = value->part[0].bytes;
    (void)field;
    if (!str_starts(text, STR("+")) || text.len <= COUNTRY_MAX + 1) {
        buf_append(to, text);
        return;
    }
    struct str digits = str_skip(text, 1);
    if (str_starts(digits, STR("44"))) {
        print_british(str_skip(digits, 2), to);
        return;
    }
    size_t country = country_digits(digits);
    buf_append_byte(to, '+');
    buf_append(to, str_sub(digits, 0, country));
    buf_append_byte(to, ' ');
    print_groups(str_skip(digits, country), threes, to);
}

/* ---- unique pupil numbers ---- */

static const char UPN_LETTERS[] = "ABCDEFGHJKLMNPQRTUVWXYZ";

/* The place of a letter, or UPN_MODULUS. */
static unsigned letter_value(char c)
{
    const char *at = c != '\0' ? strchr(UPN_LETTERS, c) : NULL;
    return at != NULL ? (unsigned)(at - UPN_LETTERS) : UPN_MODULUS;
}

bool field_upn_is_valid(struct str upn)
{
    unsigned sum = 0;
    if (upn.len != UPN_CHARS) {
        return false;
    }
    for (unsigned i = 1; i < UPN_CHARS; i++) {
        bool digit = ascii_is_digit(upn.p[i]);
        unsigned value = digit ? (unsigned)(upn.p[i] - '0') : letter_value(upn.p[i]);
        /* Only a temporary number has a letter, and that at its end. */
        if (!digit && (i != UPN_CHARS - 1 || value == UPN_MODULUS)) {
            return false;
        }
        sum += (i + 1) * value;
    }
    return upn.p[0] == UPN_LETTERS[sum % UPN_MODULUS];
}

enum err read_upn(struct reading *reading, struct field_value *ret_value)
{
    struct str text = {0};
    ERR_TRY(read_word(reading, reading->given, UPN_NOUN, &text));
    ERR_TRY(read_squeezed(reading, text, "", &text));
    if (text.len == 0) {
        return ERR_OK;
    }
    char *to = arena_alloc(reading->reader->arena, text.len + 1);
    if (to == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < text.len; i++) {
        to[i] = ascii_is_alpha(text.p[i]) ? (char)(text.p[i] & ~0x20) : text.p[i];
    }
    if (!field_upn_is_valid(str_make(to, text.len))) {
        return read_fault(reading, UPN_NOUN,
                          "must be 13 characters that fit together: check each against the paper");
    }
    ret_value->part[0] = store_text(str_make(to, text.len));
    return ERR_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers and money, in whole numbers throughout. */
#include "base/check.h"
#include "records/field_impl.h"

#define POUND "\xc2\xa3"
#define MINUS "\xe2\x88\x92"

enum { DIGITS_MAX = 15, MONEY_DECIMALS = 2, GROUP = 3 };

/* How a number is being read: digits of the whole part and behind the point. */
struct scan {
    int64_t value;
    size_t digits;
    size_t decimals;
    size_t since_comma;
    bool comma, point;
};

static bool scan_separator(struct scan *scan, char c)
{
    if (scan->point || scan->digits == 0) {
        return false;
    }
    if (scan->comma ? scan->since_comma != GROUP : c == ',' && scan->digits > GROUP) {
        return false;
    }
    scan->point = c == '.';
    scan->comma = !scan->point;
    scan->since_comma = 0;
    return true;
}

/* "1,234.5" times ten to decimals. False for what is no such number. */
static bool scan_number(struct str text, unsigned decimals, int64_t *ret_value)
{
    struct scan scan = {0};
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == ',' || text.p[i] == '.') {
            if (!scan_separator(&scan, text.p[i])) {
                return false;
            }
            continue;
        }
        bool room = scan.point ? scan.decimals < decimals : scan.digits < DIGITS_MAX - decimals;
        if (!ascii_is_digit(text.p[i]) || !room) {
            return false;
        }
        scan.value = scan.value * 10 + (text.p[i] - '0');
        scan.digits++;
        scan.since_comma++;
        scan.decimals += scan.point ? 1 : 0;
    }
    bool ends_well = scan.point ? scan.decimals != 0 : !scan.comma || scan.since_comma == GROUP;
    if (scan.digits == 0 || !ends_well) {
        return false;
    }
    for (size_t i = scan.decimals; i < decimals; i++) {
        scan.value *= 10;
    }
    *ret_value = scan.value;
    return true;
}

/* A number from JSON times ten to decimals, within what a text may say. */
static bool scale(int64_t number, unsigned decimals, int64_t *ret_value)
{
    int64_t most = 1;
    for (size_t i = decimals; i < DIGITS_MAX; i++) {
        most *= 10;
    }
    if (number >= most || number <= -most) {
        return false;
    }
    for (size_t i = 0; i < decimals; i++) {
        number *= 10;
    }
    *ret_value = number;
    return true;
}

/* Takes a minus (the keyboard's or the typographer's) off the front. */
static bool take_minus(struct str *text)
{
    size_t len = str_starts(*text, STR("-")) ? 1 : str_starts(*text, STR(MINUS)) ? 3 : 0;
    *text = str_skip(*text, len);
    return len != 0;
}

static enum err check_range(struct reading *reading, const char *noun, int64_t value,
                            unsigned decimals, const char *unit)
{
    const struct register_field *field = reading->field;
    struct buf low, high;
    bool bounded = field->min != 0 || field->max != 0;
    if (!bounded || (value >= field->min && value <= field->max)) {
        return ERR_OK;
    }
    buf_init(&low, 64);
    buf_init(&high, 64);
    number_print(field->min, decimals, true, &low);
    number_print(field->max, decimals, true, &high);
    enum err err = read_fault(reading, noun, "must be between %s%.*s and %s%.*s", unit,
                              STR_ARG(buf_str(&low)), unit, STR_ARG(buf_str(&high)));
    buf_fini(&low);
    buf_fini(&high);
    return err;
}

static const char NUMBER_NOUN[] = "The number";
static const char MONEY_NOUN[] = "The amount";

enum err read_number(struct reading *reading, struct field_value *ret_value)
{
    unsigned decimals = reading->field->decimals;
    struct str text = {0};
    int64_t value = 0;
    bool fine = false;
    if (json_is_integer(reading->given)) {
        fine = scale(json_integer_value(reading->given), decimals, &value);
    } else {
        ERR_TRY(read_word(reading, reading->given, NUMBER_NOUN, &text));
        if (text.len == 0) {
            return ERR_OK;
        }
        bool minus = take_minus(&text);
        fine = scan_number(text, decimals, &value);
        value = minus ? -value : value;
    }
    if (!fine && decimals != 0) {
        return read_fault(reading, NUMBER_NOUN,
                          "must be a number with at most %u digits behind the point", decimals);
    }
    if (!fine) {
        return read_fault(reading, NUMBER_NOUN, "must be a whole number, such as 12");
    }
    ERR_TRY(check_range(reading, NUMBER_NOUN, value, decimals, ""));
    ret_value->part[0] = store_number(value);
    return ERR_OK;
}

enum err read_money(struct reading *reading, struct field_value *ret_value)
{
    struct str text = {0};
    int64_t value = 0;
    bool fine = false;
    if (json_is_integer(reading->given)) {
        fine = scale(json_integer_value(reading->given), MONEY_DECIMALS, &value);
    } else {
        ERR_TRY(read_word(reading, reading->given, MONEY_NOUN, &text));
        if (text.len == 0) {
            return ERR_OK;
        }
        bool minus = take_minus(&text);
        if (str_starts(text, STR(POUND))) {
            text = str_trim_space(str_skip(text, sizeof(POUND) - 1));
        }
        minus = minus || take_minus(&text);
        fine = scan_number(text, MONEY_DECIMALS, &value);
        value = minus ? -value : value;
    }
    if (!fine) {
        return read_fault(reading, MONEY_NOUN,
                          "must be an amount of money, such as " POUND "1,234.50");
    }
    ERR_TRY(check_range(reading, MONEY_NOUN, value, MONEY_DECIMALS, POUND));
    ret_value->part[0] = store_number(value);
    return ERR_OK;
}

void number_print(int64_t number, unsigned decimals, bool commas, struct buf *to)
{
    char digits[32];
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    int n = snprintf(digits, sizeof(digits), "%0*llu", (int)decimals + 1, (unsigned long long)size);
    CHECK(n > (int)decimals && (size_t)n < sizeof(digits));
    size_t whole = (size_t)n - decimals;
    if (number < 0) {
        buf_append_byte(to, '-');
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        if (i == whole) {
            buf_append_byte(to, '.');
        } else if (commas && i != 0 && i < whole && (whole - i) % GROUP == 0) {
            buf_append_byte(to, ',');
        }
        buf_append_byte(to, digits[i]);
    }
}

void print_number(const struct register_field *field, const struct field_value *value,
                  struct buf *to)
{
    number_print(value->part[0].number, field->decimals, true, to);
}

void print_money(const struct register_field *field, const struct field_value *value,
                 struct buf *to)
{
    int64_t pence = value->part[0].number;
    (void)field;
    buf_append(to, pence < 0 ? STR("-" POUND) : STR(POUND));
    number_print(pence < 0 ? -pence : pence, MONEY_DECIMALS, true, to);
}

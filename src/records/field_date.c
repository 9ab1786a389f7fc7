/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Days as Britons write them, and spans of British time. */
#include "base/clock.h"
#include "base/num.h"
#include "records/field_impl.h"

enum { YEAR_FIRST = 1900, YEAR_LAST = 2199, DAY_TEXT = 10, MONTHS = 12, YEAR_DIGITS = 4 };

static const char *const MONTH_NAMES[MONTHS] = {"January",   "February", "March",    "April",
                                                "May",       "June",     "July",     "August",
                                                "September", "October",  "November", "December"};

/* ---- words and numbers off the front of a text ---- */

static bool take_digits(struct str *rest, size_t most, int32_t *ret_number, size_t *ret_digits)
{
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < rest->len && ascii_is_digit(rest->p[digits])) {
        digits++;
    }
    if (digits > most || parse_u64(str_sub(*rest, 0, digits), 0, 9999, &number) != ERR_OK) {
        return false;
    }
    *rest = str_skip(*rest, digits);
    *ret_number = (int32_t)number;
    *ret_digits = digits;
    return true;
}

static struct str take_letters(struct str *rest)
{
    size_t letters = 0;
    while (letters < rest->len && ascii_is_alpha(rest->p[letters])) {
        letters++;
    }
    struct str word = str_sub(*rest, 0, letters);
    *rest = str_skip(*rest, letters);
    return word;
}

static bool take_separator(struct str *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->p[n] != '\0' && strchr(" /.,-", rest->p[n]) != NULL) {
        n++;
    }
    *rest = str_skip(*rest, n);
    return n != 0;
}

int32_t date_month(struct str word)
{
    uint64_t number = 0;
    if (parse_u64(word, 1, MONTHS, &number) == ERR_OK) {
        return word.len <= 2 ? (int32_t)number : 0;
    }
    for (int32_t i = 0; i < MONTHS; i++) {
        struct str name = str_from(MONTH_NAMES[i]);
        bool sept = i == 8 && str_eq_nocase(word, STR("sept"));
        if (sept || str_eq_nocase(word, name) || str_eq_nocase(word, str_sub(name, 0, 3))) {
            return i + 1;
        }
    }
    return 0;
}

/* ---- days ---- */

/* Of the shape that is_iso finds. */
static enum err take_iso(struct str *rest, struct date *ret_day)
{
    struct str year = str_sub(*rest, 0, 4), month = str_sub(*rest, 5, 2),
               day = str_sub(*rest, 8, 2);
    struct date date = {0};
    size_t digits = 0;
    bool fine = take_digits(&year, 4, &date.year, &digits) && year.len == 0 &&
                take_digits(&month, 2, &date.month, &digits) && month.len == 0 &&
                take_digits(&day, 2, &date.day, &digits) && day.len == 0;
    if (!fine) {
        return ERR_INVALID;
    }
    *rest = str_skip(*rest, DAY_TEXT);
    *ret_day = date;
    return ERR_OK;
}

static bool is_iso(struct str text)
{
    return text.len >= DAY_TEXT && text.p[4] == '-' && text.p[7] == '-';
}

static enum err take_british(struct str *rest, struct date *ret_day)
{
    struct date day;
    struct str at = *rest;
    size_t digits = 0;
    if (!take_digits(&at, 2, &day.day, &digits)) {
        return ERR_INVALID;
    }
    struct str ordinal = take_letters(&at);
    bool fine = ordinal.len == 0 || str_eq_nocase(ordinal, STR("st")) ||
                str_eq_nocase(ordinal, STR("nd")) || str_eq_nocase(ordinal, STR("rd")) ||
                str_eq_nocase(ordinal, STR("th"));
    if (!fine) {
        /* "27March2018" */
        at = (struct str){ordinal.p, ordinal.len + at.len};
    } else if (!take_separator(&at)) {
        return ERR_INVALID;
    }
    struct str word = take_letters(&at);
    if (word.len != 0) {
        day.month = date_month(word);
    } else if (!take_digits(&at, 2, &day.month, &digits)) {
        return ERR_INVALID;
    }
    bool apart = take_separator(&at) || word.len != 0;
    if (!apart || !take_digits(&at, YEAR_DIGITS, &day.year, &digits) || digits != YEAR_DIGITS) {
        return ERR_INVALID;
    }
    *rest = at;
    *ret_day = day;
    return ERR_OK;
}

enum err date_take(struct str *rest, struct date *ret_day)
{
    struct date day = {0};
    struct str at = *rest;
    ERR_TRY(is_iso(at) ? take_iso(&at, &day) : take_british(&at, &day));
    if (!date_exists(&day)) {
        return ERR_INVALID;
    }
    *rest = at;
    *ret_day = day;
    return ERR_OK;
}

bool date_exists(const struct date *day)
{
    if (day->year < YEAR_FIRST || day->year > YEAR_LAST || day->month < 1 || day->month > MONTHS ||
        day->day < 1 || day->day > 31) {
        return false;
    }
    /* One that does not exist comes back as another. */
    struct civil civil;
    civil_from_ms(civil_days(day->year, day->month, day->day) * MS_PER_DAY, &civil);
    return civil.month == day->month && civil.day == day->day;
}

void date_print(const struct date *day, struct buf *to)
{
    buf_printf(to, "%d %s %d", (int)day->day, MONTH_NAMES[day->month - 1], (int)day->year);
}

struct date date_of(struct str iso)
{
    struct date day = {YEAR_FIRST, 1, 1};
    struct date read = {0};
    if (is_iso(iso) && date_take(&iso, &read) == ERR_OK) {
        day = read;
    }
    return day;
}

static struct date date_from_days(int64_t days)
{
    struct civil civil;
    civil_from_ms(days * MS_PER_DAY, &civil);
    return (struct date){civil.year, civil.month, civil.day};
}

/* ---- dates ---- */

static const char DATE_NOUN[] = "The date";

static enum err check_bounds(struct reading *reading, int64_t days)
{
    const struct register_field *field = reading->field;
    int64_t from_today = days - reading->reader->today;
    struct buf low, high;
    if ((field->min == 0 && field->max == 0) ||
        (from_today >= field->min && from_today <= field->max)) {
        return ERR_OK;
    }
    if (from_today > 0 && field->max == 0) {
        return read_fault(reading, DATE_NOUN, "must be today or in the past");
    }
    if (from_today < 0 && field->min == 0) {
        return read_fault(reading, DATE_NOUN, "must be today or in the future");
    }
    buf_init(&low, 64);
    buf_init(&high, 64);
    struct date first = date_from_days(reading->reader->today + field->min);
    struct date last = date_from_days(reading->reader->today + field->max);
    date_print(&first, &low);
    date_print(&last, &high);
    enum err err = read_fault(reading, DATE_NOUN, "must be between %.*s and %.*s",
                              STR_ARG(buf_str(&low)), STR_ARG(buf_str(&high)));
    buf_fini(&low);
    buf_fini(&high);
    return err;
}

static enum err keep_day(struct reading *reading, const struct date *day,
                         struct field_value *ret_value)
{
    ERR_TRY(check_bounds(reading, civil_days(day->year, day->month, day->day)));
    char *text = arena_alloc(reading->reader->arena, DAY_TEXT + 1);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    (void)snprintf(text, DAY_TEXT + 1, "%04u-%02u-%02u", (unsigned)day->year % 10000,
                   (unsigned)day->month % 100, (unsigned)day->day % 100);
    ret_value->part[0] = store_text(str_make(text, DAY_TEXT));
    return ERR_OK;
}

static enum err not_a_date(struct reading *reading)
{
    return read_fault(reading, DATE_NOUN, "must be a real date, such as 27 3 2018");
}

/* Day, month and year from three inputs. */
static enum err read_three(struct reading *reading, struct field_value *ret_value)
{
    static const char *const suffixes[] = {"-day", "-month", "-year"};
    struct str parts[3] = {0};
    const char *missing[3] = {0};
    size_t n_missing = 0;
    struct date day = {0};
    uint64_t number = 0;
    for (size_t i = 0; i < 3; i++) {
        ERR_TRY(read_word(reading, read_member(reading, suffixes[i]), DATE_NOUN, &parts[i]));
        if (parts[i].len == 0) {
            missing[n_missing++] = suffixes[i] + 1;
        }
    }
    if (n_missing == 3) {
        return ERR_OK;
    }
    if (n_missing == 1) {
        return read_fault(reading, DATE_NOUN, "must include a %s", missing[0]);
    }
    if (n_missing == 2) {
        return read_fault(reading, DATE_NOUN, "must include a %s and a %s", missing[0], missing[1]);
    }
    if (parse_u64(parts[0], 1, 31, &number) == ERR_OK) {
        day.day = (int32_t)number;
    }
    day.month = date_month(parts[1]);
    if (parts[2].len != YEAR_DIGITS ||
        parse_u64(parts[2], YEAR_FIRST, YEAR_LAST, &number) != ERR_OK) {
        return read_fault(reading, DATE_NOUN, "must have a year of 4 digits, %d to %d", YEAR_FIRST,
                          YEAR_LAST);
    }
    day.year = (int32_t)number;
    return date_exists(&day) ? keep_day(reading, &day, ret_value) : not_a_date(reading);
}

enum err read_date(struct reading *reading, struct field_value *ret_value)
{
    struct str text = {0};
    struct date day = {0};
    if (reading->given == NULL) {
        return read_three(reading, ret_value);
    }
    ERR_TRY(read_word(reading, reading->given, DATE_NOUN, &text));
    if (text.len == 0) {
        return ERR_OK;
    }
    if (date_take(&text, &day) != ERR_OK || str_trim_space(text).len != 0) {
        return not_a_date(reading);
    }
    return keep_day(reading, &day, ret_value);
}

void print_date(const struct register_field *field, const struct field_value *value, struct buf *to)
{
    struct date day = date_of(value->part[0].bytes);
    (void)field;
    date_print(&day, to);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spans of time: typed and shown in British time, kept in minutes of UTC. */
#include "base/clock.h"
#include "base/num.h"
#include "records/field_impl.h"

enum { MINUTES_PER_HOUR = 60, MINUTES_PER_DAY = 24 * 60, NOON = 12 };

static const char SPAN_NOUN[] = "The time";

static int64_t ahead(int64_t utc_minute)
{
    return clock_british_ahead_ms(utc_minute * MS_PER_MINUTE) / MS_PER_MINUTE;
}

/* At the hour that comes twice in October the first is meant; the one that March leaves out is read
 * as the hour behind it. */
static int64_t utc_of_british(int64_t minute)
{
    return minute - ahead(minute - MINUTES_PER_HOUR);
}

static bool take_number(struct str *rest, uint64_t max, uint64_t *ret_number)
{
    size_t digits = 0;
    while (digits < 2 && digits < rest->len && ascii_is_digit(rest->p[digits])) {
        digits++;
    }
    if (parse_u64(str_sub(*rest, 0, digits), 0, max, ret_number) != ERR_OK) {
        return false;
    }
    *rest = str_skip(*rest, digits);
    return true;
}

static bool take_word(struct str *rest, struct str word)
{
    struct str at = str_trim_space(*rest);
    if (!str_eq_nocase(str_sub(at, 0, word.len), word)) {
        return false;
    }
    *rest = str_trim_space(str_skip(at, word.len));
    return true;
}

/* "10:15", "10.15", "2:30 pm", "10:15:00" */
static bool take_time(struct str *rest, int64_t *ret_minute)
{
    uint64_t hour = 0, minute = 0, second = 0;
    struct str at = *rest;
    if (!take_number(&at, 23, &hour) || at.len == 0 || (at.p[0] != ':' && at.p[0] != '.')) {
        return false;
    }
    at = str_skip(at, 1);
    if (!take_number(&at, 59, &minute)) {
        return false;
    }
    if (str_starts(at, STR(":"))) {
        at = str_skip(at, 1);
        if (!take_number(&at, 59, &second)) {
            return false;
        }
    }
    (void)take_word(&at, STR(".000"));
    bool late = take_word(&at, STR("pm"));
    bool half = late || take_word(&at, STR("am"));
    if (half && (hour == 0 || hour > NOON)) {
        return false;
    }
    if (half) {
        hour = hour % NOON + (late ? NOON : 0);
    }
    *rest = at;
    *ret_minute = (int64_t)(hour * MINUTES_PER_HOUR + minute);
    return true;
}

/* All of text as a day and a time, in British time, or in UTC with a Z behind it. */
static bool parse_moment(struct str text, int64_t *ret_utc_minute)
{
    struct date day = {0};
    int64_t minute = 0;
    text = str_trim_space(text);
    if (date_take(&text, &day) != ERR_OK) {
        return false;
    }
    (void)take_word(&text, STR(","));
    if (!take_word(&text, STR("T"))) {
        (void)take_word(&text, STR("at"));
    }
    text = str_trim_space(text);
    if (text.len != 0 && !take_time(&text, &minute)) {
        return false;
    }
    minute += civil_days(day.year, day.month, day.day) * MINUTES_PER_DAY;
    bool utc = take_word(&text, STR("Z"));
    *ret_utc_minute = utc ? minute : utc_of_british(minute);
    return text.len == 0;
}

static enum err read_moment(struct reading *reading, struct str text, struct store_value *ret_value)
{
    int64_t minute = 0;
    if (text.len == 0) {
        return ERR_OK;
    }
    if (!parse_moment(text, &minute)) {
        return read_fault(reading, SPAN_NOUN, "must be a day and a time, such as 22 11 2026 10:15");
    }
    *ret_value = store_number(minute);
    return ERR_OK;
}

/* "22 November 2026, 10:15 to 22 November 2026, 11:00", as it is printed. */
static enum err cut_span(struct reading *reading, struct str text, struct str *ret_from,
                         struct str *ret_until)
{
    (void)take_word(&text, STR("from "));
    size_t at = str_find(text, STR(" to "));
    *ret_from = str_trim_space(str_sub(text, 0, at));
    *ret_until = str_trim_space(str_skip(text, at + STR(" to ").len));
    if (text.len != 0 && ret_from->len == 0) {
        return read_fault(reading, SPAN_NOUN, "must have a start");
    }
    return ERR_OK;
}

enum err read_span(struct reading *reading, struct field_value *ret_value)
{
    const json_t *from = read_member(reading, "-from"), *until = read_member(reading, "-until");
    struct str first = {0}, last = {0}, text = {0};
    struct store_value *part = ret_value->part;
    if (json_is_object(reading->given)) {
        from = json_object_get(reading->given, "from");
        until = json_object_get(reading->given, "until");
    }
    if (json_is_string(reading->given)) {
        ERR_TRY(read_word(reading, reading->given, SPAN_NOUN, &text));
        ERR_TRY(cut_span(reading, text, &first, &last));
    } else {
        ERR_TRY(read_word(reading, from, SPAN_NOUN, &first));
        ERR_TRY(read_word(reading, until, SPAN_NOUN, &last));
    }
    ERR_TRY(read_moment(reading, first, &part[0]));
    ERR_TRY(read_moment(reading, last, &part[1]));
    if (part[0].kind == STORE_NULL && part[1].kind != STORE_NULL) {
        return read_fault(reading, SPAN_NOUN, "must have a start");
    }
    if (part[1].kind != STORE_NULL && part[1].number < part[0].number) {
        return read_fault(reading, SPAN_NOUN, "must not end before it starts");
    }
    return ERR_OK;
}

static void print_moment(int64_t utc_minute, struct buf *to)
{
    struct civil civil;
    civil_from_ms((utc_minute + ahead(utc_minute)) * MS_PER_MINUTE, &civil);
    struct date day = {civil.year, civil.month, civil.day};
    date_print(&day, to);
    buf_printf(to, ", %02d:%02d", (int)civil.hour, (int)civil.minute);
}

void print_span(const struct register_field *field, const struct field_value *value, struct buf *to)
{
    (void)field;
    if (value->part[1].kind == STORE_NULL) {
        buf_append(to, STR("from "));
    }
    print_moment(value->part[0].number, to);
    if (value->part[1].kind != STORE_NULL) {
        buf_append(to, STR(" to "));
        print_moment(value->part[1].number, to);
    }
}

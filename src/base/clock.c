/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time: the clocks, and the arithmetic of dates. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "base/num.h"

enum { DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400, DAYS_TO_EPOCH = 719468 };

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    CHECK(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

int64_t clock_utc_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

/* Years begin in March here, so that the leap day is the last of its year; an era is 400 years. */
int64_t civil_days(int32_t year, int32_t month, int32_t day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = y / YEARS_PER_ERA;
    int64_t year_of_era = y - era * YEARS_PER_ERA;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

int civil_weekday(int64_t days)
{
    int64_t weekday = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(weekday < 0 ? weekday + 7 : weekday);
}

int64_t civil_to_ms(const struct civil *civil)
{
    int64_t minutes =
        (civil_days(civil->year, civil->month, civil->day) * 24 + civil->hour) * 60 + civil->minute;
    return (minutes * 60 + civil->second) * MS_PER_SECOND + civil->ms;
}

void civil_from_ms(int64_t ms, struct civil *ret_civil)
{
    int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
    int64_t rest = ms - days * MS_PER_DAY;
    int64_t shifted = days + DAYS_TO_EPOCH;
    int64_t era = shifted / DAYS_PER_ERA - (shifted % DAYS_PER_ERA < 0);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *ret_civil = (struct civil){
        .year = (int32_t)(year_of_era + era * YEARS_PER_ERA + (month <= 2)),
        .month = (int32_t)month,
        .day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .hour = (int32_t)(rest / MS_PER_HOUR),
        .minute = (int32_t)(rest / MS_PER_MINUTE % 60),
        .second = (int32_t)(rest / MS_PER_SECOND % 60),
        .ms = (int32_t)(rest % MS_PER_SECOND),
    };
}

static int32_t days_of_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % YEARS_PER_ERA == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Takes `digits` digits off the front of *s, behind the byte `before` (0 for none). */
static enum err take(struct str *s, char before, size_t digits, uint64_t min, uint64_t max,
                     int32_t *ret_value)
{
    uint64_t value = 0;
    if (before != 0) {
        if (s->len == 0 || s->p[0] != before) {
            return ERR_INVALID;
        }
        *s = str_skip(*s, 1);
    }
    if (s->len < digits || parse_u64(str_sub(*s, 0, digits), min, max, &value) != ERR_OK) {
        return ERR_INVALID;
    }
    *s = str_skip(*s, digits);
    *ret_value = (int32_t)value;
    return ERR_OK;
}

static enum err take_time(struct str *s, struct civil *c)
{
    ERR_TRY(take(s, 'T', 2, 0, 23, &c->hour));
    ERR_TRY(take(s, ':', 2, 0, 59, &c->minute));
    if (s->len != 0 && s->p[0] == ':') {
        ERR_TRY(take(s, ':', 2, 0, 59, &c->second));
        if (s->len != 0 && s->p[0] == '.') {
            ERR_TRY(take(s, '.', 3, 0, 999, &c->ms));
        }
    }
    if (s->len != 0 && s->p[0] == 'Z') {
        *s = str_skip(*s, 1);
    }
    return ERR_OK;
}

enum err civil_parse(struct str s, struct civil *ret_civil)
{
    struct civil c = {0};
    ERR_TRY(take(&s, 0, 4, 1970, 9999, &c.year));
    ERR_TRY(take(&s, '-', 2, 1, 12, &c.month));
    ERR_TRY(take(&s, '-', 2, 1, 31, &c.day));
    if (c.day > days_of_month(c.year, c.month)) {
        return ERR_INVALID;
    }
    if (s.len != 0) {
        ERR_TRY(take_time(&s, &c));
    }
    if (s.len != 0) {
        return ERR_INVALID;
    }
    *ret_civil = c;
    return ERR_OK;
}

size_t civil_print_utc(int64_t ms, char to[CIVIL_TEXT_MAX])
{
    struct civil c;
    civil_from_ms(ms, &c);
    int n = snprintf(to, CIVIL_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year % 10000,
                     c.month, c.day, c.hour, c.minute, c.second, c.ms);
    CHECK(n > 0 && n < CIVIL_TEXT_MAX);
    return (size_t)n;
}

/* 01:00 UTC on the last Sunday of a month of 31 days. */
static int64_t turn_ms(int32_t year, int32_t month)
{
    int64_t last = civil_days(year, month, 31);
    int64_t sunday = last - (civil_weekday(last) + 1) % 7;
    return sunday * MS_PER_DAY + MS_PER_HOUR;
}

int64_t clock_british_ahead_ms(int64_t utc_ms)
{
    struct civil civil;
    civil_from_ms(utc_ms, &civil);
    bool summer = utc_ms >= turn_ms(civil.year, 3) && utc_ms < turn_ms(civil.year, 10);
    return summer ? MS_PER_HOUR : 0;
}

int32_t clock_british_day(int64_t utc_ms)
{
    return (int32_t)((utc_ms + clock_british_ahead_ms(utc_ms)) / MS_PER_DAY);
}

size_t clock_british_print(int64_t utc_ms, char to[CIVIL_TEXT_MAX])
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    struct civil civil;
    civil_from_ms(utc_ms + clock_british_ahead_ms(utc_ms), &civil);
    int32_t hour = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
    int len =
        snprintf(to, CIVIL_TEXT_MAX, "%d %s %d, %d:%02d%s", civil.day, months[civil.month - 1],
                 civil.year, hour, civil.minute, civil.hour < 12 ? "am" : "pm");
    return len < CIVIL_TEXT_MAX ? (size_t)len : CIVIL_TEXT_MAX - 1;
}

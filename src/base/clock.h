/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time: milliseconds, and civil dates as plain arithmetic (no libc time zone anywhere).
 *
 * Only code that does I/O reads a clock; pure folders get the time as an argument.
 */
#ifndef LODGE_BASE_CLOCK_H
#define LODGE_BASE_CLOCK_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    MS_PER_SECOND = 1000,
    MS_PER_MINUTE = 60 * 1000,
    MS_PER_HOUR = 60 * 60 * 1000,
    MS_PER_DAY = 24 * 60 * 60 * 1000,
};

/* Milliseconds since 1970-01-01T00:00:00Z by the wall clock. */
int64_t clock_utc_ms(void);

/* Milliseconds of a clock that never goes back and counts suspension (CLOCK_BOOTTIME). */
int64_t clock_mono_ms(void);

/* A date and time of the proleptic Gregorian calendar without a zone. */
struct civil {
    int32_t year;   /* 1970..9999 */
    int32_t month;  /* 1..12 */
    int32_t day;    /* 1..31 */
    int32_t hour;   /* 0..23 */
    int32_t minute; /* 0..59 */
    int32_t second; /* 0..59 */
    int32_t ms;     /* 0..999 */
};

/* Days since 1970-01-01 of a date; the date must exist. */
int64_t civil_days(int32_t year, int32_t month, int32_t day);

/* 0 = Monday .. 6 = Sunday for days since 1970-01-01. */
int civil_weekday(int64_t days);

/* Milliseconds since the epoch, reading the fields as UTC, and back. */
int64_t civil_to_ms(const struct civil *civil);
void civil_from_ms(int64_t ms, struct civil *ret_civil);

/* "2026-11-23", "2026-11-23T10:15", "…T10:15:30", "….250", with an optional final 'Z' where there
 * is a time. ERR_INVALID for other shapes and for dates or times that do not exist. */
MUST_USE enum err civil_parse(struct str s, struct civil *ret_civil);

/* The day in Britain at this time, as days since 1970-01-01: one hour ahead of UTC from 01:00 UTC
 * on March's last Sunday to 01:00 UTC on October's (Summer Time Order 2002). For ms from 1972 on.
 */
int32_t clock_british_day(int64_t utc_ms);
/* How far Britain's clocks are ahead of UTC then, in ms. */
int64_t clock_british_ahead_ms(int64_t utc_ms);

enum { CIVIL_TEXT_MAX = 32 };

/* "2026-11-23T10:15:30.250Z" into to; the length without the NUL. */
size_t civil_print_utc(int64_t ms, char to[CIVIL_TEXT_MAX]);

/* "22 November 2026, 2:05pm" as clocks in Britain show it; the length without the NUL. */
size_t clock_british_print(int64_t utc_ms, char to[CIVIL_TEXT_MAX]);

#endif

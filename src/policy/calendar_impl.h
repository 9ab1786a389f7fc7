/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A school's time: its zone, terms, closed days, periods of the day and named times.
 *
 * All of it is data, so no decision asks libc. Each day of the calendar follows one *programme*: a
 * school day's (one for each weekday), the weekend's, the holiday's or that of closed days; and
 * each minute of a programme lies in one segment, which has one period and a set of named times.
 * Private to policy/.
 */
#ifndef LODGE_POLICY_CALENDAR_IMPL_H
#define LODGE_POLICY_CALENDAR_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    MINUTES_PER_DAY = 24 * 60,
    CALENDAR_CHANGES_MAX = 256,
    CALENDAR_DAYS_MAX = 100 * 366,
    CALENDAR_RANGES_MAX = 512,
    CALENDAR_PERIODS_MAX = 256,
    CALENDAR_TIMES_MAX = 64, /* a set of them is one word */
};

/* In the order in which a day is judged: the first that fits. */
enum day_kind { DAY_CLOSED, DAY_WEEKEND, DAY_SCHOOL, DAY_HOLIDAY, DAY_KINDS };

/* Closed, weekend and holiday have one programme each; school days have one for each weekday. */
enum { PROGRAMMES = DAY_KINDS + 7 };

struct zone_change {
    int64_t from_ms;
    int32_t offset_min; /* east of UTC from then on */
};

struct date_range {
    struct str label;
    int64_t first; /* days since 1970-01-01 */
    int64_t last;
};

/* One stretch of the school day. Several may have the same id. */
struct period {
    struct str id;
    struct str label;
    uint8_t days;  /* bit 0: Monday */
    uint16_t from; /* minute of the day */
    uint16_t to;   /* first minute behind it */
};

/* A named time, as the document has it; one of three kinds. */
struct named_time {
    struct str id;
    struct str label;
    bool is_not;
    unsigned not_of; /* index of another, which is not a `not` itself */
    size_t n_periods;
    const struct str *periods; /* ids */
    uint8_t kinds;             /* bits of day_kind, where there are no periods */
    uint16_t from;
    uint16_t to;
};

struct segment {
    uint16_t to; /* first minute behind it */
    struct str period;
    uint64_t times;
};

struct programme {
    size_t n_segments;
    struct segment *segments;
    uint16_t *at; /* of each minute, the segment's index */
};

struct calendar {
    struct str zone;
    int32_t offset_min; /* before the first change */
    size_t n_changes;
    struct zone_change *changes;
    int64_t first; /* the dates for which this holds */
    int64_t last;
    size_t n_terms;
    struct date_range *terms; /* by date */
    size_t n_closed;
    struct date_range *closed;
    size_t n_periods;
    struct period *periods;
    size_t n_times;
    struct named_time *times; /* by id */
    /* Made by calendar_compile: */
    uint8_t *days; /* programme of each day, first to last */
    struct programme programmes[PROGRAMMES];
};

/* Makes days and programmes from the rest. ERR_MEMORY. */
MUST_USE enum err calendar_compile(struct calendar *calendar, struct arena *arena);

/* A minute of a school's time. */
struct moment {
    struct str period;
    uint64_t times;
    int64_t until_ms; /* UTC: period and times hold until then */
};

/* ERR_RANGE outside first..last. */
MUST_USE enum err calendar_moment(const struct calendar *calendar, int64_t utc_ms,
                                  struct moment *ret_moment);

/* Minutes east of UTC at a time. */
int32_t calendar_offset(const struct calendar *calendar, int64_t utc_ms);

/* See policy_local_to_utc; local_ms counts as if it were UTC. */
MUST_USE enum err calendar_local_to_utc(const struct calendar *calendar, int64_t local_ms,
                                        int64_t *ret_utc_ms);

enum day_kind calendar_day_kind(const struct calendar *calendar, int64_t day);

/* "school-day", "weekend", "holiday", "closed". */
struct str day_kind_name(enum day_kind kind);

#endif

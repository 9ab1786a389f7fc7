/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A school's time: from UTC to a minute of its timetable. */
#include "policy/calendar_impl.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"

struct str day_kind_name(enum day_kind kind)
{
    static const struct str names[DAY_KINDS] = {
        [DAY_CLOSED] = STR_INIT("closed"),
        [DAY_WEEKEND] = STR_INIT("weekend"),
        [DAY_SCHOOL] = STR_INIT("school-day"),
        [DAY_HOLIDAY] = STR_INIT("holiday"),
    };
    CHECK(kind < DAY_KINDS);
    return names[kind];
}

/* The number of the change that holds, plus one; 0 before the first. */
static size_t change_at(const struct calendar *calendar, int64_t utc_ms)
{
    size_t low = 0;
    size_t high = calendar->n_changes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (calendar->changes[middle].from_ms <= utc_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int32_t offset_of(const struct calendar *calendar, size_t change)
{
    return change == 0 ? calendar->offset_min : calendar->changes[change - 1].offset_min;
}

int32_t calendar_offset(const struct calendar *calendar, int64_t utc_ms)
{
    return offset_of(calendar, change_at(calendar, utc_ms));
}

static bool in_range(const struct date_range *ranges, size_t n, int64_t day)
{
    for (size_t i = 0; i < n; i++) {
        if (day >= ranges[i].first && day <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

enum day_kind calendar_day_kind(const struct calendar *calendar, int64_t day)
{
    if (in_range(calendar->closed, calendar->n_closed, day)) {
        return DAY_CLOSED;
    }
    if (civil_weekday(day) >= 5) {
        return DAY_WEEKEND;
    }
    return in_range(calendar->terms, calendar->n_terms, day) ? DAY_SCHOOL : DAY_HOLIDAY;
}

static size_t programme_index(enum day_kind kind, int weekday)
{
    return kind == DAY_SCHOOL ? DAY_KINDS + (size_t)weekday : (size_t)kind;
}

static struct str period_at(const struct calendar *calendar, enum day_kind kind, int weekday,
                            unsigned minute)
{
    if (kind != DAY_SCHOOL) {
        return day_kind_name(kind);
    }
    for (size_t i = 0; i < calendar->n_periods; i++) {
        const struct period *period = &calendar->periods[i];
        if ((period->days >> weekday & 1) != 0 && minute >= period->from && minute < period->to) {
            return period->id;
        }
    }
    return STR("school-day-outside");
}

static bool time_holds(const struct named_time *time, enum day_kind kind, struct str period,
                       unsigned minute)
{
    for (size_t i = 0; i < time->n_periods; i++) {
        if (str_eq(time->periods[i], period)) {
            return true;
        }
    }
    return time->n_periods == 0 && (time->kinds >> kind & 1) != 0 && minute >= time->from &&
           minute < time->to;
}

static uint64_t times_at(const struct calendar *calendar, enum day_kind kind, struct str period,
                         unsigned minute)
{
    uint64_t set = 0;
    for (size_t i = 0; i < calendar->n_times; i++) {
        const struct named_time *time = &calendar->times[i];
        const struct named_time *base = time->is_not ? &calendar->times[time->not_of] : time;
        if (time_holds(base, kind, period, minute) != time->is_not) {
            set |= UINT64_C(1) << i;
        }
    }
    return set;
}

/* Marks the minutes at which something may begin or end. */
static void mark_borders(const struct calendar *calendar, bool borders[MINUTES_PER_DAY + 1])
{
    borders[0] = true;
    borders[MINUTES_PER_DAY] = true;
    for (size_t i = 0; i < calendar->n_periods; i++) {
        borders[calendar->periods[i].from] = true;
        borders[calendar->periods[i].to] = true;
    }
    for (size_t i = 0; i < calendar->n_times; i++) {
        borders[calendar->times[i].from] = true;
        borders[calendar->times[i].to] = true;
    }
}

static enum err compile_programme(const struct calendar *calendar, enum day_kind kind, int weekday,
                                  struct arena *arena, struct programme *ret_programme)
{
    bool borders[MINUTES_PER_DAY + 1] = {false};
    mark_borders(calendar, borders);
    size_t count = 0;
    for (size_t minute = 0; minute < MINUTES_PER_DAY; minute++) {
        count += borders[minute];
    }
    struct programme made = {
        .segments = arena_array(arena, count, sizeof(*made.segments)),
        .at = arena_array(arena, MINUTES_PER_DAY, sizeof(*made.at)),
    };
    if (made.segments == NULL || made.at == NULL) {
        return ERR_MEMORY;
    }
    for (uint16_t minute = 0; minute < MINUTES_PER_DAY; minute++) {
        if (borders[minute]) {
            struct str period = period_at(calendar, kind, weekday, minute);
            made.segments[made.n_segments++] = (struct segment){
                .period = period, .times = times_at(calendar, kind, period, minute)};
        }
        made.segments[made.n_segments - 1].to = (uint16_t)(minute + 1);
        made.at[minute] = (uint16_t)(made.n_segments - 1);
    }
    *ret_programme = made;
    return ERR_OK;
}

enum err calendar_compile(struct calendar *calendar, struct arena *arena)
{
    for (enum day_kind kind = 0; kind < DAY_KINDS; kind++) {
        for (int weekday = 0; weekday < (kind == DAY_SCHOOL ? 7 : 1); weekday++) {
            ERR_TRY(compile_programme(calendar, kind, weekday, arena,
                                      &calendar->programmes[programme_index(kind, weekday)]));
        }
    }
    size_t days = (size_t)(calendar->last - calendar->first + 1);
    calendar->days = arena_alloc(arena, days);
    if (calendar->days == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < days; i++) {
        int64_t day = calendar->first + (int64_t)i;
        calendar->days[i] =
            (uint8_t)programme_index(calendar_day_kind(calendar, day), civil_weekday(day));
    }
    return ERR_OK;
}

enum err calendar_moment(const struct calendar *calendar, int64_t utc_ms, struct moment *ret_moment)
{
    /* Far from what a civil date can hold, so that no sum below overflows. */
    if (utc_ms < 0 || utc_ms > INT64_MAX / 2) {
        return ERR_RANGE;
    }
    size_t change = change_at(calendar, utc_ms);
    int64_t local_ms = utc_ms + (int64_t)offset_of(calendar, change) * MS_PER_MINUTE;
    if (local_ms < 0) {
        return ERR_RANGE;
    }
    int64_t day = local_ms / MS_PER_DAY;
    int64_t in_day = local_ms % MS_PER_DAY;
    if (day < calendar->first || day > calendar->last) {
        return ERR_RANGE;
    }
    const struct programme *programme =
        &calendar->programmes[calendar->days[day - calendar->first]];
    const struct segment *segment = &programme->segments[programme->at[in_day / MS_PER_MINUTE]];
    int64_t until_ms = utc_ms + (int64_t)segment->to * MS_PER_MINUTE - in_day;
    if (change < calendar->n_changes && calendar->changes[change].from_ms < until_ms) {
        until_ms = calendar->changes[change].from_ms;
    }
    *ret_moment = (struct moment){segment->period, segment->times, until_ms};
    return ERR_OK;
}

enum err calendar_local_to_utc(const struct calendar *calendar, int64_t local_ms,
                               int64_t *ret_utc_ms)
{
    int64_t day = local_ms / MS_PER_DAY;
    if (local_ms < 0 || day < calendar->first || day > calendar->last) {
        return ERR_RANGE;
    }
    /* A stretch between two changes shows each of its local times once; where the clock goes back
     * the earlier stretch wins, and where it goes forward a time in the gap is read by the offset
     * before. */
    for (size_t change = 0; change <= calendar->n_changes; change++) {
        int64_t utc_ms = local_ms - (int64_t)offset_of(calendar, change) * MS_PER_MINUTE;
        if (change == calendar->n_changes) {
            *ret_utc_ms = utc_ms;
            break;
        }
        int64_t end_ms = calendar->changes[change].from_ms;
        int64_t next_ms = local_ms - (int64_t)offset_of(calendar, change + 1) * MS_PER_MINUTE;
        if (utc_ms < end_ms || next_ms < end_ms) {
            *ret_utc_ms = utc_ms;
            break;
        }
    }
    return ERR_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy document's zone, calendar, timetable and times. */
#include <stdlib.h>

#include "base/clock.h"
#include "policy/parse_impl.h"

enum { OFFSET_MAX_MIN = 14 * 60 };

static const struct str weekdays[] = {
    STR_INIT("mon"), STR_INIT("tue"), STR_INIT("wed"), STR_INIT("thu"),
    STR_INIT("fri"), STR_INIT("sat"), STR_INIT("sun"),
};

static void parse_changes(struct jread *reader, const struct place *zone, struct calendar *calendar)
{
    struct place list = jread_member(zone, "changes");
    size_t n = jread_count(reader, &list, CALENDAR_CHANGES_MAX);
    calendar->changes = arena_array(reader->arena, n, sizeof(*calendar->changes));
    for (size_t i = 0; i < n && calendar->changes != NULL; i++) {
        struct place item = jread_item(&list, i);
        if (!jread_object(reader, &item, "from offset")) {
            continue;
        }
        struct zone_change change = {
            .from_ms = jread_utc(reader, &item, "from"),
            .offset_min =
                (int32_t)jread_int(reader, &item, "offset", -OFFSET_MAX_MIN, OFFSET_MAX_MIN),
        };
        /* Two changes within two days could show a local time three times. */
        if (i != 0 && calendar->n_changes == i &&
            change.from_ms - calendar->changes[i - 1].from_ms < 2 * (int64_t)MS_PER_DAY) {
            jread_complain(reader, &item,
                           "must be at least two days after the change before it; "
                           "put the changes in the order of time");
        }
        calendar->changes[calendar->n_changes++] = change;
    }
}

void parse_zone(struct jread *reader, const struct place *root, struct calendar *calendar)
{
    struct place zone = jread_member(root, "zone");
    if (!jread_object(reader, &zone, "name offset changes from until")) {
        return;
    }
    calendar->zone = jread_text(reader, &zone, "name");
    calendar->offset_min =
        (int32_t)jread_int(reader, &zone, "offset", -OFFSET_MAX_MIN, OFFSET_MAX_MIN);
    parse_changes(reader, &zone, calendar);
    calendar->first = jread_date(reader, &zone, "from");
    calendar->last = jread_date(reader, &zone, "until");
    if (calendar->last < calendar->first || calendar->last - calendar->first >= CALENDAR_DAYS_MAX) {
        jread_complain(reader, &zone, "must hold from one date until a later one, at most %d days",
                       (int)CALENDAR_DAYS_MAX);
    }
}

static int compare_ranges(const void *a_any, const void *b_any)
{
    const struct date_range *a = a_any;
    const struct date_range *b = b_any;
    return a->first < b->first ? -1 : a->first > b->first;
}

static struct date_range *parse_ranges(struct jread *reader, const struct place *outer,
                                       const char *key, size_t *ret_n)
{
    struct place list = jread_member(outer, key);
    size_t n = jread_count(reader, &list, CALENDAR_RANGES_MAX);
    struct date_range *ranges = arena_array(reader->arena, n, sizeof(*ranges));
    size_t filled = 0;
    for (size_t i = 0; i < n && ranges != NULL; i++) {
        struct place item = jread_item(&list, i);
        if (!jread_object(reader, &item, "label from to")) {
            continue;
        }
        struct date_range range = {
            .label = jread_text_or(reader, &item, "label", STR("")),
            .first = jread_date(reader, &item, "from"),
            .last = jread_date(reader, &item, "to"),
        };
        if (range.last < range.first) {
            jread_complain(reader, &item, "ends before it begins; mend \"from\" or \"to\"");
        }
        ranges[filled++] = range;
    }
    if (filled != 0) {
        qsort(ranges, filled, sizeof(*ranges), compare_ranges);
    }
    *ret_n = filled;
    return ranges;
}

static uint8_t parse_weekdays(struct jread *reader, const struct place *item)
{
    struct place list = jread_member(item, "days");
    if (list.value == NULL) {
        return 0x1f;
    }
    uint8_t days = 0;
    size_t n = jread_count(reader, &list, 7);
    for (size_t i = 0; i < n; i++) {
        struct place day = jread_item(&list, i);
        size_t index = jread_word(reader, &day, jread_value(reader, &day), weekdays, 7);
        days = (uint8_t)(days | (index < 7 ? 1u << index : 0u));
    }
    if (days == 0) {
        jread_complain(reader, item, "falls on no day; name at least one under \"days\"");
    }
    return days;
}

static bool is_builtin_period(struct str id)
{
    bool found = str_eq(id, STR("school-day-outside"));
    for (enum day_kind kind = 0; kind < DAY_KINDS; kind++) {
        found = found || str_eq(id, day_kind_name(kind));
    }
    return found;
}

static void check_period(struct jread *reader, const struct place *item,
                         const struct calendar *calendar, const struct period *period)
{
    if (period->to <= period->from) {
        jread_complain(reader, item, "ends before it begins; mend \"from\" or \"to\"");
    }
    if (is_builtin_period(period->id)) {
        jread_complain(reader, item, "has the id of a period that is always there; choose another");
    }
    for (size_t i = 0; i < calendar->n_periods; i++) {
        const struct period *other = &calendar->periods[i];
        if ((other->days & period->days) != 0 && period->from < other->to &&
            other->from < period->to) {
            jread_complain(reader, item,
                           "overlaps with \"%.*s\"; each minute has one period, so move one",
                           STR_ARG(other->id));
        }
    }
}

static void parse_periods(struct jread *reader, const struct place *root, struct calendar *calendar)
{
    struct place timetable = jread_member(root, "timetable");
    if (!jread_object(reader, &timetable, "periods")) {
        return;
    }
    struct place list = jread_member(&timetable, "periods");
    size_t n = jread_count(reader, &list, CALENDAR_PERIODS_MAX);
    calendar->periods = arena_array(reader->arena, n, sizeof(*calendar->periods));
    for (size_t i = 0; i < n && calendar->periods != NULL; i++) {
        struct place item = jread_item(&list, i);
        if (!jread_object(reader, &item, "id label days from to")) {
            continue;
        }
        struct period period = {
            .id = jread_id(reader, &item, "id"),
            .label = jread_text_or(reader, &item, "label", STR("")),
            .days = parse_weekdays(reader, &item),
            .from = jread_minute(reader, &item, "from"),
            .to = jread_minute(reader, &item, "to"),
        };
        check_period(reader, &item, calendar, &period);
        calendar->periods[calendar->n_periods++] = period;
    }
}

static bool has_period(const struct calendar *calendar, struct str id)
{
    bool found = is_builtin_period(id);
    for (size_t i = 0; i < calendar->n_periods; i++) {
        found = found || str_eq(calendar->periods[i].id, id);
    }
    return found;
}

static void parse_time_periods(struct jread *reader, const struct place *list,
                               const struct calendar *calendar, struct named_time *time)
{
    size_t n = jread_count(reader, list, CALENDAR_PERIODS_MAX);
    struct str *ids = arena_array(reader->arena, n, sizeof(*ids));
    for (size_t i = 0; i < n && ids != NULL; i++) {
        struct place item = jread_item(list, i);
        ids[i] = jread_id_value(reader, &item);
        if (ids[i].len != 0 && !has_period(calendar, ids[i])) {
            jread_complain(reader, &item,
                           "no period has the id \"%.*s\"; add it to timetable.periods",
                           STR_ARG(ids[i]));
        }
    }
    if (n == 0) {
        jread_complain(reader, list, "names no period; name at least one");
    }
    time->periods = ids;
    time->n_periods = n;
}

static uint8_t day_kind_bits(struct jread *reader, const struct place *at)
{
    static const struct str words[] = {STR_INIT("closed"), STR_INIT("weekend"),
                                       STR_INIT("school-day"), STR_INIT("holiday"),
                                       STR_INIT("every-day")};
    size_t index = jread_word(reader, at, jread_value(reader, at), words, 5);
    unsigned bits = index < DAY_KINDS ? 1u << index : index == DAY_KINDS ? 0xfu : 0u;
    return (uint8_t)bits;
}

static void parse_time_clock(struct jread *reader, const struct place *item,
                             struct named_time *time)
{
    struct place days = jread_member(item, "days");
    if (json_is_array(days.value)) {
        size_t n = jread_count(reader, &days, DAY_KINDS);
        for (size_t i = 0; i < n; i++) {
            struct place day = jread_item(&days, i);
            time->kinds = (uint8_t)(time->kinds | day_kind_bits(reader, &day));
        }
    } else {
        time->kinds = day_kind_bits(reader, &days);
    }
    bool whole_day =
        jread_member(item, "from").value == NULL && jread_member(item, "to").value == NULL;
    time->from = whole_day ? 0 : jread_minute(reader, item, "from");
    time->to = whole_day ? MINUTES_PER_DAY : jread_minute(reader, item, "to");
    if (time->to <= time->from || time->kinds == 0) {
        jread_complain(reader, item, "never holds; mend \"days\", \"from\" or \"to\"");
    }
}

static void parse_time(struct jread *reader, const struct place *item,
                       const struct calendar *calendar, struct named_time *time)
{
    struct place periods = jread_member(item, "periods");
    bool has_days = jread_member(item, "days").value != NULL;
    bool has_not = jread_member(item, "not").value != NULL;
    if ((periods.value != NULL) + has_days + has_not != 1) {
        jread_complain(reader, item, "must have exactly one of \"periods\", \"days\" and \"not\"");
        return;
    }
    time->is_not = has_not;
    if (periods.value != NULL) {
        parse_time_periods(reader, &periods, calendar, time);
    } else if (has_days) {
        parse_time_clock(reader, item, time);
    }
}

static int compare_times(const void *a_any, const void *b_any)
{
    const struct named_time *a = a_any;
    const struct named_time *b = b_any;
    return str_compare(a->id, b->id);
}

static const struct named_time *find_time(const struct calendar *calendar, struct str id)
{
    for (size_t i = 0; i < calendar->n_times; i++) {
        if (str_eq(calendar->times[i].id, id)) {
            return &calendar->times[i];
        }
    }
    return NULL;
}

/* What each "not" turns round, once all of them are there and sorted. */
static void link_nots(struct jread *reader, const struct place *list, struct calendar *calendar)
{
    for (size_t i = 0; i < json_array_size(list->value); i++) {
        struct place item = jread_item(list, i);
        if (jread_member(&item, "not").value == NULL) {
            continue;
        }
        struct str id = jread_id(reader, &item, "id");
        struct str of = jread_id(reader, &item, "not");
        const struct named_time *target = find_time(calendar, of);
        if (target == NULL || target->is_not) {
            jread_complain(reader, &item, "\"not\" must name another time that has no \"not\"");
            continue;
        }
        for (size_t t = 0; t < calendar->n_times; t++) {
            if (str_eq(calendar->times[t].id, id)) {
                calendar->times[t].not_of = (unsigned)(target - calendar->times);
            }
        }
    }
}

static void parse_times(struct jread *reader, const struct place *root, struct calendar *calendar)
{
    struct place list = jread_member(root, "times");
    size_t n = jread_count(reader, &list, CALENDAR_TIMES_MAX);
    calendar->times = arena_array(reader->arena, n, sizeof(*calendar->times));
    for (size_t i = 0; i < n && calendar->times != NULL; i++) {
        struct place item = jread_item(&list, i);
        if (!jread_object(reader, &item, "id label periods days from to not")) {
            continue;
        }
        struct named_time time = {
            .id = jread_id(reader, &item, "id"),
            .label = jread_text_or(reader, &item, "label", STR("")),
        };
        if (find_time(calendar, time.id) != NULL) {
            jread_complain(reader, &item, "this id is there twice; rename one");
        }
        parse_time(reader, &item, calendar, &time);
        calendar->times[calendar->n_times++] = time;
    }
    if (calendar->n_times != 0) {
        qsort(calendar->times, calendar->n_times, sizeof(*calendar->times), compare_times);
    }
    link_nots(reader, &list, calendar);
}

void parse_calendar(struct jread *reader, const struct place *root, struct calendar *calendar)
{
    struct place dates = jread_member(root, "calendar");
    if (jread_object(reader, &dates, "terms closed")) {
        calendar->terms = parse_ranges(reader, &dates, "terms", &calendar->n_terms);
        calendar->closed = parse_ranges(reader, &dates, "closed", &calendar->n_closed);
    }
    for (size_t i = 1; i < calendar->n_terms; i++) {
        if (calendar->terms[i].first <= calendar->terms[i - 1].last) {
            jread_complain(reader, &dates, "the terms \"%.*s\" and \"%.*s\" overlap; mend one",
                           STR_ARG(calendar->terms[i - 1].label),
                           STR_ARG(calendar->terms[i].label));
        }
    }
    parse_periods(reader, root, calendar);
    parse_times(reader, root, calendar);
}

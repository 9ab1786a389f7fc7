/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <time.h>

#include "lib/test.h"

TEST(days_agree_with_gmtime_for_four_centuries)
{
    for (int64_t day = 0; day < 366 * 400; day++) {
        time_t at = (time_t)(day * 86400 + 43200);
        struct tm tm;
        assert_non_null(gmtime_r(&at, &tm));
        assert_int_equal(civil_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday), day);
        assert_int_equal(civil_weekday(day), (tm.tm_wday + 6) % 7);
        struct civil c;
        civil_from_ms((int64_t)at * 1000 + 7, &c);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour, 12);
        assert_int_equal(c.ms, 7);
        assert_true(civil_to_ms(&c) == (int64_t)at * 1000 + 7);
    }
}

TEST(dates_that_do_not_exist_are_refused)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-1-1",
        "2026-02-29",
        "2100-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-04-31",
        "2026-01-01T",
        "2026-01-01T24:00",
        "2026-01-01 10:00",
        "2026-01-01T10:60",
        "2026-01-01T10:00:60",
        "2026-01-01T10:00:00.1",
        "2026-01-01T10:00Zx",
        "1969-12-31",
        "x026-01-01",
        "2026-01-01Z",
    };
    struct civil c;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_err(civil_parse(str_from(bad[i]), &c), ERR_INVALID);
    }
}

TEST(dates_are_read_and_printed)
{
    struct civil c;
    char text[CIVIL_TEXT_MAX];
    assert_ok(civil_parse(STR("2024-02-29T23:59:58.250Z"), &c));
    size_t n = civil_print_utc(civil_to_ms(&c), text);
    assert_str_eq(str_make(text, n), STR("2024-02-29T23:59:58.250Z"));
    assert_ok(civil_parse(STR("2026-11-23T10:15"), &c));
    assert_int_equal(c.minute, 15);
    assert_ok(civil_parse(STR("2026-11-23"), &c));
    assert_true(civil_to_ms(&c) == civil_days(2026, 11, 23) * (int64_t)MS_PER_DAY);
}

TEST(clocks_run)
{
    assert_true(clock_utc_ms() > 1600000000000);
    int64_t before = clock_mono_ms();
    assert_true(clock_mono_ms() >= before);
}

TEST(a_british_day_begins_an_hour_before_utc_in_summer)
{
    static const struct {
        struct civil at;
        int32_t year, month, day;
    } rows[] = {
        {{.year = 2026, .month = 1, .day = 15, .hour = 23, .minute = 59}, 2026, 1, 15},
        {{.year = 2026, .month = 7, .day = 1, .hour = 22, .minute = 59}, 2026, 7, 1},
        {{.year = 2026, .month = 7, .day = 1, .hour = 23}, 2026, 7, 2},
        {{.year = 2026, .month = 3, .day = 28, .hour = 23, .minute = 30}, 2026, 3, 28},
        {{.year = 2026, .month = 3, .day = 29, .hour = 23}, 2026, 3, 30},
        {{.year = 2026, .month = 10, .day = 24, .hour = 23}, 2026, 10, 25},
        {{.year = 2026, .month = 10, .day = 25, .hour = 23}, 2026, 10, 25},
        {{.year = 2025, .month = 12, .day = 31, .hour = 23}, 2025, 12, 31},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(clock_british_day(civil_to_ms(&rows[i].at)),
                         civil_days(rows[i].year, rows[i].month, rows[i].day));
    }
}

TEST(british_clocks_turn_at_one_in_the_night)
{
    static const struct {
        struct civil at;
        int64_t ahead;
    } rows[] = {
        {{.year = 2026, .month = 3, .day = 29, .hour = 0, .minute = 59}, 0},
        {{.year = 2026, .month = 3, .day = 29, .hour = 1}, MS_PER_HOUR},
        {{.year = 2026, .month = 10, .day = 25, .hour = 0, .minute = 59}, MS_PER_HOUR},
        {{.year = 2026, .month = 10, .day = 25, .hour = 1}, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(clock_british_ahead_ms(civil_to_ms(&rows[i].at)), rows[i].ahead);
    }
}

TEST(a_moment_is_printed_as_clocks_in_britain_show_it)
{
    static const struct {
        struct civil at;
        const char *text;
    } rows[] = {
        {{.year = 2026, .month = 11, .day = 22, .hour = 14, .minute = 5},
         "22 November 2026, 2:05pm"},
        {{.year = 2026, .month = 7, .day = 1, .hour = 23, .minute = 30}, "2 July 2026, 12:30am"},
        {{.year = 2026, .month = 9, .day = 30, .hour = 11, .minute = 59},
         "30 September 2026, 12:59pm"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CIVIL_TEXT_MAX];
        size_t len = clock_british_print(civil_to_ms(&rows[i].at), text);
        assert_str_eq(str_make(text, len), str_from(rows[i].text));
    }
}

TESTS_MAIN(unit(british_clocks_turn_at_one_in_the_night),
           unit(a_moment_is_printed_as_clocks_in_britain_show_it),
           unit(a_british_day_begins_an_hour_before_utc_in_summer),
           unit(days_agree_with_gmtime_for_four_centuries),
           unit(dates_that_do_not_exist_are_refused), unit(dates_are_read_and_printed),
           unit(clocks_run))

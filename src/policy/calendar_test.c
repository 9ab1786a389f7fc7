/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/calendar_impl.h"

#include "base/clock.h"
#include "lib/policy.h"
#include "policy/model_impl.h"

static int64_t utc(const char *text)
{
    struct civil civil = {0};
    assert_ok(civil_parse(str_from(text), &civil));
    return civil_to_ms(&civil);
}

TEST(R112_each_kind_of_day_has_its_period)
{
    static const struct {
        const char *local;
        const char *period;
    } cases[] = {
        {"2026-11-23T08:59", "school-day-outside"},
        {"2026-11-23T09:00", "lesson"},
        {"2026-11-23T11:59", "lesson"},
        {"2026-11-23T12:00", "lunch"},
        {"2026-11-23T14:00", "lesson"},
        {"2026-11-23T15:00", "school-day-outside"},
        {"2026-11-27T14:00", "school-day-outside"},
        {"2026-11-21T10:00", "weekend"},
        {"2026-11-20T10:00", "closed"},
        {"2026-12-21T10:00", "holiday"},
        {"2026-12-19T10:00", "weekend"},
        {"2026-09-02T09:00", "lesson"},
        {"2026-09-01T09:00", "holiday"},
        {"2026-12-18T09:00", "lesson"},
        {"2027-06-14T09:00", "lesson"},
        {"2027-06-14T08:59", "school-day-outside"},
    };
    struct policy *policy = test_policy(&(struct test_policy){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str id = {0};
        int64_t until_ms = 0;
        assert_ok(policy_period(policy, test_utc(policy, cases[i].local), &id, &until_ms));
        if (!str_eq(id, str_from(cases[i].period))) {
            fail_msg("%s is %.*s, not %s", cases[i].local, STR_ARG(id), cases[i].period);
        }
    }
    policy_free(policy);
}

/* Counts by hand, from the document's own words, which periods claim a minute. */
static unsigned claims(const struct calendar *calendar, int64_t day, unsigned minute)
{
    unsigned n = 0;
    if (calendar_day_kind(calendar, day) != DAY_SCHOOL) {
        return 1;
    }
    for (size_t i = 0; i < calendar->n_periods; i++) {
        const struct period *period = &calendar->periods[i];
        n += (period->days >> civil_weekday(day) & 1) != 0 && minute >= period->from &&
             minute < period->to;
    }
    return n != 0 ? n : 1;
}

TEST(every_minute_of_2027_has_exactly_one_period_and_the_clock_changes_lose_none)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    const struct calendar *calendar = &policy->calendar;
    int64_t end_ms = utc("2028-01-01T00:00Z");
    struct moment held = {.until_ms = 0};
    for (int64_t now_ms = utc("2027-01-01T00:00Z"); now_ms < end_ms; now_ms += MS_PER_MINUTE) {
        struct moment moment = {0};
        assert_ok(calendar_moment(calendar, now_ms, &moment));
        int64_t local_ms = now_ms + (int64_t)calendar_offset(calendar, now_ms) * MS_PER_MINUTE;
        assert_int_equal(claims(calendar, local_ms / MS_PER_DAY,
                                (unsigned)(local_ms % MS_PER_DAY / MS_PER_MINUTE)),
                         1);
        assert_true(moment.period.len != 0 && moment.until_ms > now_ms);
        if (now_ms < held.until_ms) {
            assert_str_eq(moment.period, held.period);
            assert_true(moment.times == held.times && moment.until_ms == held.until_ms);
        }
        held = moment;
    }
    policy_free(policy);
}

TEST(the_hour_that_comes_twice_is_read_as_its_first)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    assert_int_equal(test_utc(policy, "2026-10-25T01:30"), utc("2026-10-25T00:30Z"));
    assert_int_equal(test_utc(policy, "2026-10-25T00:59"), utc("2026-10-24T23:59Z"));
    assert_int_equal(test_utc(policy, "2026-10-25T02:00"), utc("2026-10-25T02:00Z"));
    policy_free(policy);
}

TEST(an_hour_that_never_comes_moves_on_by_the_gap)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    assert_int_equal(test_utc(policy, "2027-03-28T01:30"), utc("2027-03-28T01:30Z"));
    assert_int_equal(test_utc(policy, "2027-03-28T00:59"), utc("2027-03-28T00:59Z"));
    assert_int_equal(test_utc(policy, "2027-03-28T02:00"), utc("2027-03-28T01:00Z"));
    policy_free(policy);
}

TEST(every_minute_of_2027_goes_to_local_time_and_back)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    int64_t again_ms = utc("2027-10-31T01:00Z"); /* the hour from here on came before */
    for (int64_t now_ms = utc("2027-01-01T00:00Z"); now_ms < utc("2028-01-01T00:00Z");
         now_ms += 7 * MS_PER_MINUTE) {
        int64_t back_ms = 0;
        int64_t offset_min = calendar_offset(&policy->calendar, now_ms);
        assert_ok(calendar_local_to_utc(&policy->calendar, now_ms + offset_min * MS_PER_MINUTE,
                                        &back_ms));
        bool repeated = now_ms >= again_ms && now_ms < again_ms + MS_PER_HOUR;
        assert_int_equal(back_ms, repeated ? now_ms - MS_PER_HOUR : now_ms);
    }
    policy_free(policy);
}

TEST(local_times_outside_the_calendar_or_the_format_are_refused)
{
    static const struct {
        const char *local;
        enum err want;
    } cases[] = {
        {"2025-12-31T23:59", ERR_RANGE},
        {"2030-01-01T00:00", ERR_RANGE},
        {"2026-11-23T10:15Z", ERR_INVALID},
        {"2026-02-30T10:15", ERR_INVALID},
        {"soon", ERR_INVALID},
        {"", ERR_INVALID},
        {"2026-01-01T00:00", ERR_OK},
        {"2029-12-31T23:59", ERR_OK},
    };
    struct policy *policy = test_policy(&(struct test_policy){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t utc_ms = 0;
        assert_err(policy_local_to_utc(policy, str_from(cases[i].local), &utc_ms), cases[i].want);
    }
    policy_free(policy);
}

TEST(a_period_is_told_until_it_ends_over_midnights_and_finer_cuts)
{
    static const struct {
        const char *local;
        const char *until;
    } cases[] = {
        {"2026-11-23T10:00", "2026-11-23T12:00"}, /* cut at no named time */
        {"2026-11-23T15:30", "2026-11-24T09:00"}, /* over 16:30 and midnight */
        {"2026-11-21T10:00", "2026-11-23T00:00"},
        {"2026-12-21T10:00", "2026-12-26T00:00"},
    };
    struct policy *policy = test_policy(&(struct test_policy){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str id = {0};
        int64_t until_ms = 0;
        assert_ok(policy_period(policy, test_utc(policy, cases[i].local), &id, &until_ms));
        assert_int_equal(until_ms, test_utc(policy, cases[i].until));
    }
    policy_free(policy);
}

TEST(no_time_of_the_clock_overflows)
{
    static const int64_t far[] = {INT64_MIN, -1, INT64_MAX, INT64_MAX / 2, INT64_MAX - 1};
    struct policy *policy = test_policy(&(struct test_policy){0});
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        struct moment moment = {0};
        assert_err(calendar_moment(&policy->calendar, far[i], &moment), ERR_RANGE);
    }
    policy_free(policy);
}

TESTS_MAIN(unit(R112_each_kind_of_day_has_its_period),
           unit(every_minute_of_2027_has_exactly_one_period_and_the_clock_changes_lose_none),
           unit(the_hour_that_comes_twice_is_read_as_its_first),
           unit(an_hour_that_never_comes_moves_on_by_the_gap),
           unit(every_minute_of_2027_goes_to_local_time_and_back),
           unit(local_times_outside_the_calendar_or_the_format_are_refused),
           unit(a_period_is_told_until_it_ends_over_midnights_and_finer_cuts),
           unit(no_time_of_the_clock_overflows))

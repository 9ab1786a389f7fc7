/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/log_filter.h"

#include "base/clock.h"
#include "catalog/category.h"
#include "lib/test.h"
#include "policy/decide.h"

static const int64_t now = 1795428900123; /* 2026-11-23T10:15:00.123Z */

TEST(times_are_utc_or_ago)
{
    static const struct {
        struct str text;
        int64_t want;
    } cases[] = {
        {STR_INIT("2026-11-23T10:15"), 1795428900000},
        {STR_INIT("2026-11-23"), 1795392000000},
        {STR_INIT("2026-11-23T10:15Z"), 1795428900000},
        {STR_INIT("0s"), now},
        {STR_INIT("90s"), now - 90000},
        {STR_INIT("15m"), now - 900000},
        {STR_INIT("2h"), now - 7200000},
        {STR_INIT("1d"), now - 86400000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = 0;
        assert_ok(log_since_parse(cases[i].text, now, &got));
        assert_int_equal(got, cases[i].want);
    }
}

TEST(other_times_are_refused)
{
    static const struct str cases[] = {
        STR_INIT(""),     STR_INIT("d"),         STR_INIT("-1d"),        STR_INIT("1w"),
        STR_INIT("1.5h"), STR_INIT("yesterday"), STR_INIT("2026-13-01"), STR_INIT("99999999999d"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t got = 0;
        if (log_since_parse(cases[i], now, &got) == ERR_OK) {
            fail_msg("\"%.*s\" was taken", STR_ARG(cases[i]));
        }
    }
}

static struct event example(void)
{
    return (struct event){
        .id = {{1, 2}},
        .utc_ms = now,
        .person = STR("p-1"),
        .group = STR("pupils-ks2"),
        .host = STR("www.games.example"),
        .categories = {{UINT64_C(1) << CATEGORY_FRAUD, 0}},
        .action = ACTION_BLOCK,
    };
}

TEST(each_condition_takes_what_it_says)
{
    struct event event = example();
    struct log_filter filter = {.person = STR("p-1"), .group = STR("pupils-ks2"), .blocked = true};
    assert_ok(log_category_find(STR("fraud"), &filter));
    assert_ok(log_id_parse(STR("01020000000000000000000000000000"), &filter));
    assert_ok(host_parse(STR("Games.example"), &filter.host));
    filter.since_ms = now;
    assert_true(log_filter_takes(&filter, &event));
    filter.since_ms++;
    assert_false(log_filter_takes(&filter, &event));
    filter.since_ms = 0;
    event.action = ACTION_LIMITED;
    assert_true(log_filter_takes(&filter, &event));
    event.action = ACTION_ALLOW;
    assert_false(log_filter_takes(&filter, &event));
    event = example();
    event.person = STR("p-10");
    assert_false(log_filter_takes(&filter, &event));
    event = example();
    event.group = STR("pupils-ks1");
    assert_false(log_filter_takes(&filter, &event));
    event = example();
    event.categories = (struct catset){0};
    assert_false(log_filter_takes(&filter, &event));
    event = example();
    event.id.bytes[15] = 1;
    assert_false(log_filter_takes(&filter, &event));
}

TEST(a_host_takes_names_below_it_and_no_look_alikes)
{
    struct event event = example();
    struct log_filter filter = {0};
    assert_ok(host_parse(STR("games.example"), &filter.host));
    assert_true(log_filter_takes(&filter, &event));
    event.host = STR("games.example");
    assert_true(log_filter_takes(&filter, &event));
    event.host = STR("badgames.example");
    assert_false(log_filter_takes(&filter, &event));
    event.host = STR("example");
    assert_false(log_filter_takes(&filter, &event));
    assert_ok(host_parse(STR("0.0.1"), &filter.host));
    event.host = STR("10.0.0.1");
    assert_false(log_filter_takes(&filter, &event));
}

TEST(a_lifeline_visit_is_never_shown)
{
    struct event event = example();
    struct log_filter filter = {0};
    assert_true(log_filter_takes(&filter, &event));
    event.lifeline = true;
    assert_false(log_filter_takes(&filter, &event));
    assert_ok(log_id_parse(STR("01020000000000000000000000000000"), &filter));
    assert_false(log_filter_takes(&filter, &event));
}

TEST(T8_sealed_lists_are_asked_for_together_or_not_at_all)
{
    struct event event = example();
    struct log_filter filter = {0};
    catset_add(&event.categories, CATEGORY_TERRORIST_CONTENT);
    assert_err(log_category_find(STR("terrorist-content"), &filter), ERR_NOT_FOUND);
    assert_err(log_category_find(STR("no-such-category"), &filter), ERR_NOT_FOUND);
    assert_ok(log_category_find(STR("sealed"), &filter));
    assert_false(log_filter_takes(&filter, &event));
    event.sealed = true;
    assert_true(log_filter_takes(&filter, &event));
    /* Whatever category the sealed list is of. */
    filter = (struct log_filter){0};
    catset_add(&event.categories, CATEGORY_GAMES);
    assert_ok(log_category_find(STR("games"), &filter));
    assert_false(log_filter_takes(&filter, &event));
}

TEST(an_id_is_32_hexadecimal_digits)
{
    struct log_filter filter = {0};
    assert_err(log_id_parse(STR("0102"), &filter), ERR_INVALID);
    assert_err(log_id_parse(STR("0102000000000000000000000000000g"), &filter), ERR_INVALID);
    assert_false(filter.by_id);
}

TESTS_MAIN(unit(times_are_utc_or_ago), unit(other_times_are_refused),
           unit(each_condition_takes_what_it_says),
           unit(a_host_takes_names_below_it_and_no_look_alikes),
           unit(a_lifeline_visit_is_never_shown),
           unit(T8_sealed_lists_are_asked_for_together_or_not_at_all),
           unit(an_id_is_32_hexadecimal_digits))

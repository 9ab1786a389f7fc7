/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which group a person of the records is in, and the school's date. */
#include "policy/place.h"

#include "base/clock.h"
#include "lib/policy.h"

#define MEMBERS                                                                \
    ",'members':[{'group':'ks1','kind':'pupil','years':['R','1','2']},"        \
    "{'group':'ks2','kind':'pupil'},{'group':'teachers','roles':['teacher']}," \
    "{'group':'office','kind':'staff','roles':['office','technician']}]"

TEST(R162_the_first_rule_that_fits_places_a_person)
{
    static const struct {
        const char *kind, *year, *role, *group; /* group NULL: nowhere */
    } cases[] = {
        {"pupil", "2", "", "ks1"},
        {"pupil", "R", "", "ks1"},
        {"pupil", "3", "", "ks2"},
        {"pupil", "", "", "ks2"},
        {"staff", "", "teacher", "teachers"},
        {"governor", "", "teacher", "teachers"},
        {"staff", "", "office", "office"},
        {"governor", "", "office", NULL}, /* one of two */
        {"staff", "", "", NULL},          /* whose post has ended */
        {"parent", "2", "", NULL},
    };
    struct policy *policy = test_policy(&(struct test_policy){.more = MEMBERS});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct str roles[] = {STR("head-of-nothing"), str_from(cases[i].role)};
        const struct policy_member member = {str_from(cases[i].kind), str_from(cases[i].year),
                                             roles, cases[i].role[0] != '\0' ? 2 : 0};
        unsigned group = 0;
        enum err err = policy_place(policy, &member, &group);
        assert_err(err, cases[i].group != NULL ? ERR_OK : ERR_NOT_FOUND);
        if (cases[i].group != NULL) {
            assert_str_eq(policy_group_id(policy, group), str_from(cases[i].group));
        }
    }
    policy_free(policy);
}

TEST(a_policy_without_members_places_nobody)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    const struct policy_member member = {.kind = STR("pupil")};
    unsigned group = 0;
    assert_err(policy_place(policy, &member, &group), ERR_NOT_FOUND);
    policy_free(policy);
}

TEST(the_schools_day_changes_at_its_own_midnight)
{
    static const struct {
        const char *utc, *day, *next;
    } cases[] = {
        {"2026-11-22T23:59:59Z", "2026-11-22", "2026-11-23T00:00:00Z"},
        {"2026-11-23T00:00:00Z", "2026-11-23", "2026-11-24T00:00:00Z"},
        {"2026-07-01T22:59:00Z", "2026-07-01", "2026-07-01T23:00:00Z"}, /* summer time */
        {"2026-07-01T23:00:00Z", "2026-07-02", "2026-07-02T23:00:00Z"},
        {"2026-10-25T12:00:00Z", "2026-10-25", "2026-10-26T00:00:00Z"},
        {"2026-10-24T22:59:00Z", "2026-10-24", "2026-10-24T23:00:00Z"},
        {"2040-01-01T12:00:00Z", "2040-01-01",
         "2040-01-02T00:00:00Z"}, /* beyond the zone's dates */
    };
    struct policy *policy = test_policy(&(struct test_policy){0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct civil now, day, next;
        int64_t got_day = 0;
        int64_t got_next = 0;
        assert_ok(civil_parse(str_from(cases[i].utc), &now));
        assert_ok(civil_parse(str_from(cases[i].day), &day));
        assert_ok(civil_parse(str_from(cases[i].next), &next));
        policy_day(policy, civil_to_ms(&now), &got_day, &got_next);
        assert_int_equal(got_day, civil_days(day.year, day.month, day.day));
        assert_int_equal(got_next, civil_to_ms(&next));
    }
    policy_free(policy);
}

struct heard {
    size_t kinds, years, roles;
};

static void hear(void *context, struct str what, struct str word)
{
    struct heard *heard = context;
    assert_true(word.len != 0);
    heard->kinds += str_eq(what, STR("kind"));
    heard->years += str_eq(what, STR("years"));
    heard->roles += str_eq(what, STR("roles"));
}

TEST(the_words_of_the_rules_are_told)
{
    struct policy *policy = test_policy(&(struct test_policy){.more = MEMBERS});
    struct heard heard = {0};
    policy_member_words(policy, hear, &heard);
    assert_int_equal(heard.kinds, 3);
    assert_int_equal(heard.years, 3);
    assert_int_equal(heard.roles, 3);
    policy_free(policy);
}

TESTS_MAIN(unit(R162_the_first_rule_that_fits_places_a_person),
           unit(a_policy_without_members_places_nobody),
           unit(the_schools_day_changes_at_its_own_midnight), unit(the_words_of_the_rules_are_told))

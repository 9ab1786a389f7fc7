/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks: the first that is found wins. */
#include "lib/policy.h"
#include "policy/decide.h"

static const char *const document =
    "{'lodge_state':1,'people':[{'id':'pupil','group':'ks2'},{'id':'teacher','group':'teachers'},"
    "{'id':'stray','group':'nowhere'},{'id':'visitor','group':'visitors'},"
    "{'id':'p-7','log_on':'amara.bell','group':'ks2'}],"
    "'devices':[{'id':'signed','address':'192.0.2.1','owner':'pupil'},"
    "{'id':'owned','address':'192.0.2.2','owner':'pupil'},"
    "{'id':'class','address':'192.0.2.3','class':'year-2','group':'ks1','supervisor':'teacher',"
    "'supervised_until':'2026-11-23T12:00Z'},"
    "{'id':'bare','address':'2001:db8::4'},"
    "{'id':'lent','address':'192.0.2.5','owner':'stray'},"
    "{'id':'both','address':'192.0.2.6','class':'year-2','group':'ks1','supervisor':'teacher',"
    "'supervised_until':'2026-11-23T12:00Z'},"
    "{'id':'alone','address':'192.0.2.7','class':'year-6','group':'ks2','supervisor':'pupil',"
    "'supervised_until':'2026-11-23T12:00Z'},"
    "{'id':'guest','address':'192.0.2.8','class':'year-6','group':'ks2','supervisor':'visitor',"
    "'supervised_until':'2026-11-23T12:00Z'}],"
    "'sign_ins':[{'device':'signed','person':'teacher','until':'2026-11-23T11:00Z'},"
    "{'device':'both','person':'pupil','until':'2026-11-23T11:00Z'}]}";

TEST(F26_T2_the_best_known_subject_is_taken)
{
    static const struct {
        const char *credentials;
        const char *address;
        const char *local;
        bool want;
        enum known known;
        const char *group;
        const char *person;
        const char *device;
        const char *supervisor;
    } cases[] = {
        {"pupil", "192.0.2.3", "2026-11-23T10:00", true, KNOWN_CREDENTIALS, "ks2", "pupil", "class",
         ""},
        {"pupil", NULL, "2026-11-23T10:00", true, KNOWN_CREDENTIALS, "ks2", "pupil", "", ""},
        {"", "192.0.2.1", "2026-11-23T10:00", true, KNOWN_SIGN_IN, "teachers", "teacher", "signed",
         ""},
        {"", "192.0.2.1", "2026-11-23T11:00", true, KNOWN_OWNER, "ks2", "pupil", "signed", ""},
        {"", "192.0.2.2", "2026-11-23T10:00", true, KNOWN_OWNER, "ks2", "pupil", "owned", ""},
        {"", "192.0.2.3", "2026-11-23T11:59", true, KNOWN_CLASS, "ks1", "", "class", "teacher"},
        {"", "192.0.2.3", "2026-11-23T12:00", true, KNOWN_NOBODY, "visitors", "", "class", ""},
        /* An adult of the school sits beside a class, no pupil and no guest. */
        {"", "192.0.2.7", "2026-11-23T10:00", true, KNOWN_NOBODY, "visitors", "", "alone", ""},
        {"", "192.0.2.8", "2026-11-23T10:00", true, KNOWN_NOBODY, "visitors", "", "guest", ""},
        {"", "192.0.2.6", "2026-11-23T10:00", true, KNOWN_SIGN_IN, "ks2", "pupil", "both", ""},
        {"", "2001:db8::4", "2026-11-23T10:00", true, KNOWN_NOBODY, "visitors", "", "bare", ""},
        {"", "192.0.2.99", "2026-11-23T10:00", true, KNOWN_NOBODY, "visitors", "", "", ""},
        {"", NULL, "2026-11-23T10:00", true, KNOWN_NOBODY, "visitors", "", "", ""},
        /* Credentials name a log-on, everything else an id. */
        {"amara.bell", NULL, "2026-11-23T10:00", true, KNOWN_CREDENTIALS, "ks2", "p-7", "", ""},
        {"p-7", NULL, "2026-11-23T10:00", false, KNOWN_NOBODY, "visitors", "", "", ""},
        {"nobody", "192.0.2.1", "2026-11-23T10:00", false, KNOWN_NOBODY, "visitors", "", "signed",
         ""},
        {"stray", NULL, "2026-11-23T10:00", false, KNOWN_NOBODY, "visitors", "", "", ""},
        {"", "192.0.2.5", "2026-11-23T10:00", false, KNOWN_NOBODY, "visitors", "", "lent", ""},
    };
    struct policy *policy = test_policy(&(struct test_policy){0});
    struct state *state = test_state(document);
    struct policy_images images = {.policy = policy, .state = state};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct addr addr = {{0}};
        struct policy_subject subject;
        if (cases[i].address != NULL) {
            assert_ok(addr_parse(str_from(cases[i].address), &addr));
        }
        bool got = policy_identify(&images, str_from(cases[i].credentials),
                                   cases[i].address != NULL ? &addr : NULL,
                                   test_utc(policy, cases[i].local), &subject);
        assert_int_equal(got, cases[i].want);
        assert_int_equal(subject.known, cases[i].known);
        assert_str_eq(policy_group_id(policy, subject.group), str_from(cases[i].group));
        assert_str_eq(subject.person, str_from(cases[i].person));
        assert_str_eq(subject.device, str_from(cases[i].device));
        assert_str_eq(subject.supervisor, str_from(cases[i].supervisor));
        assert_str_eq(subject.class_id, cases[i].known == KNOWN_CLASS ? STR("year-2") : STR(""));
    }
    state_free(state);
    policy_free(policy);
}

TEST(without_a_state_everyone_is_nobody)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    struct policy_images images = {.policy = policy};
    struct addr addr = {{0}};
    struct policy_subject subject;
    assert_true(policy_identify(&images, STR(""), &addr, 0, &subject));
    assert_int_equal(subject.known, KNOWN_NOBODY);
    assert_false(policy_identify_person(&images, STR("pupil"), 0, &subject));
    assert_int_equal(subject.known, KNOWN_NOBODY);
    policy_free(policy);
}

TEST(a_person_of_the_command_line_is_named_by_log_on_or_id)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    struct state *state = test_state(document);
    struct policy_images images = {.policy = policy, .state = state};
    static const char *const names[] = {"amara.bell", "p-7"};
    for (size_t i = 0; i < 2; i++) {
        struct policy_subject subject;
        assert_true(policy_identify_person(&images, str_from(names[i]), 0, &subject));
        assert_str_eq(subject.person, STR("p-7"));
    }
    state_free(state);
    policy_free(policy);
}

TESTS_MAIN(unit(F26_T2_the_best_known_subject_is_taken), unit(without_a_state_everyone_is_nobody),
           unit(a_person_of_the_command_line_is_named_by_log_on_or_id))

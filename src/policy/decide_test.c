/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of the decision, step by step. */
#include "policy/decide.h"

#include "lib/decide.h"

static const struct test_list lists[] = {
    {"gambling", LIST_DOMAINS, "bets.example\nboth.example\n"},
    {"drugs", LIST_DOMAINS, "drugs.example\nboth.example\n"},
    {"extreme-pornography", LIST_DOMAINS, "illegal.example\n"},
    {"social-networks", LIST_DOMAINS, "social.example\n"},
    {"games", LIST_DOMAINS, "games.example\nlearn.example\n"},
    {"news", LIST_DOMAINS, "news.example\nbadnews.example\n"},
    {"malware", LIST_DOMAINS, "badnews.example\nmalware.example\n"},
    {"learning", LIST_DOMAINS, "school.example\nbadschool.example\n"},
    {"gambling", LIST_DOMAINS, "badschool.example\n"},
    {"infrastructure", LIST_DOMAINS, "update.example\n"},
    {"vpn-proxy", LIST_CIDR, "203.0.113.0/24\n"},
    {"terrorist-content", LIST_DOMAINS, "sealed.example\nhelp.example.sealed.example\n", true},
    {"child-sexual-abuse", LIST_URLS, "http://carrier.example/dir/page\n", true},
};

static const char *const table =
    "[{'id':'bets','label':'Betting','categories':['gambling'],"
    "'cells':{'everyone':{'level':'unacceptable'}}},"
    "{'id':'drugs','label':'Drugs','categories':['drugs'],"
    "'cells':{'everyone':{'level':'unacceptable'}}},"
    "{'id':'law','label':'Illegal','categories':['extreme-pornography'],"
    "'cells':{'everyone':{'level':'illegal'}}},"
    "{'id':'social-one','label':'Social','categories':['social-networks'],"
    "'cells':{'staff':{'level':'acceptable'},'pupils':{'level':'unacceptable'}}},"
    "{'id':'social-two','label':'Social','categories':['social-networks'],"
    "'cells':{'staff':{'level':'certain-times','times':['off-hours']}}},"
    "{'id':'games','label':'Games','categories':['games'],"
    "'cells':{'everyone':{'level':'nominated','nominated':'players'}}},"
    "{'id':'programs','label':'Programs','categories':['executables'],"
    "'cells':{'everyone':{'level':'unacceptable'}}},"
    "{'id':'press','label':'Press','categories':['news'],"
    "'cells':{'everyone':{'level':'acceptable'}}}]";

#define WHEN "'from':'2026-11-23T10:00Z','until':'2026-11-23T11:00Z'"
#define SIGNED \
    "'agreement':{'signed':true,'current':true,'parent':true,'until':'2027-09-01T00:00Z'}"

#define PEOPLE                                                                        \
    "'lodge_state':1,'people':[{'id':'pupil','group':'ks2'," SIGNED "},"              \
    "{'id':'unsigned','group':'ks2'},{'id':'teacher','group':'teachers'," SIGNED "}," \
    "{'id':'guest','group':'visitors'}],'devices':[{'id':'d','address':'192.0.2.1'}]"

struct fixture {
    struct catalog *catalog;
    struct policy *policy;
    struct state *state;
    struct question q;
};

static void set_up(struct fixture *fixture, const struct test_policy *parts, const char *state,
                   const char *group)
{
    struct test_policy with = *parts;
    with.table = with.table != NULL ? with.table : table;
    with.nominated = with.nominated != NULL ? with.nominated : "[{'id':'players'}]";
    fixture->catalog = test_catalog(lists, sizeof(lists) / sizeof(lists[0]));
    fixture->policy = test_policy(&with);
    fixture->state = state != NULL ? test_state(state) : NULL;
    question_init(&fixture->q, fixture->catalog, fixture->policy, fixture->state, group);
}

static void tear_down(struct fixture *fixture)
{
    question_fini(&fixture->q);
    state_free(fixture->state);
    policy_free(fixture->policy);
    catalog_free(fixture->catalog);
}

#define ALL_ALLOWED                                                                    \
    .allow = "[{'match':'sealed.example','who':'w','why':'y','review':'2027-01-01'},"  \
             "{'match':'carrier.example','who':'w','why':'y','review':'2027-01-01'},"  \
             "{'match':'illegal.example','who':'w','why':'y','review':'2027-01-01'}]", \
    .lifelines = "[{'match':'sealed.example','why':'y'},{'match':'help.example','why':'y'}]"

TEST(F1_F2_F3_sealed_lists_are_blocked_for_everyone_whatever_else_holds)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){ALL_ALLOWED},
           "{" PEOPLE ",'filtering_off':[{'id':'o','all':true," WHEN "}],"
           "'grants':[{'id':'g','kind':'override','people':['teacher']," WHEN "}]}",
           "teachers");
    question_person(&f.q, "teacher");
    expect_answer(&f.q, "http://sealed.example/", ACTION_BLOCK, REASON_SEALED, "sealed");
    expect_answer(&f.q, "http://x.sealed.example/y", ACTION_BLOCK, REASON_SEALED, "sealed");
    expect_answer(&f.q, "http://carrier.example/dir/page", ACTION_BLOCK, REASON_SEALED, "sealed");
    assert_true(f.q.answer.sealed);
    assert_int_equal(f.q.answer.level, LEVEL_ILLEGAL);
    assert_int_equal(f.q.answer.until_ms, INT64_MAX);
    expect_answer(&f.q, "http://carrier.example/other", ACTION_ALLOW, REASON_FILTERING_OFF,
                  "filtering-off/o");
    assert_false(f.q.answer.sealed);
    tear_down(&f);
}

TEST(F1_a_host_with_a_sealed_URL_is_refused_where_it_cannot_be_inspected)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){ALL_ALLOWED}, NULL, "teachers");
    f.q.request.kind = REQUEST_CONNECT;
    f.q.request.inspected = false;
    expect_answer(&f.q, "https://carrier.example/", ACTION_BLOCK, REASON_SEALED_HOST,
                  "sealed-host");
    expect_answer(&f.q, "https://www.carrier.example/", ACTION_BLOCK, REASON_SEALED_HOST,
                  "sealed-host");
    expect_answer(&f.q, "https://news.example/", ACTION_ALLOW, REASON_TABLE,
                  "table/press/everyone");
    f.q.request.inspected = true;
    expect_answer(&f.q, "https://carrier.example/", ACTION_ALLOW, REASON_LIST_ALLOW,
                  "list/allow/carrier.example");
    tear_down(&f);
}

TEST(U9_an_isolated_device_reaches_nothing_not_even_lifelines)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0},
           "{" PEOPLE ",'isolated':[{'id':'i','device':'d','until':'2026-11-23T11:00Z'}]}", "ks2");
    f.q.subject.device = STR("d");
    expect_answer(&f.q, "http://help.example/", ACTION_BLOCK, REASON_ISOLATED, "isolated/i");
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T11:00"));
    assert_true(is_overruled(&f.q.answer, "lifeline/help.example"));
    assert_false(f.q.answer.lifeline);
    f.q.now_ms = test_utc(f.policy, "2026-11-23T11:00");
    expect_answer(&f.q, "http://help.example/", ACTION_ALLOW, REASON_LIFELINE,
                  "lifeline/help.example");
    tear_down(&f);
}

TEST(U7_lifelines_and_the_gate_are_open_to_the_suspended_and_the_unsigned)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.deny = "[{'match':'help.example','who':'w','why':'y',"
                                         "'review':'2027-01-01'}]"},
           "{" PEOPLE
           ",'suspensions':[{'id':'s','person':'unsigned','until':'2026-11-24T00:00Z'}]}",
           "ks2");
    question_person(&f.q, "unsigned");
    expect_answer(&f.q, "http://www.help.example/", ACTION_ALLOW, REASON_LIFELINE,
                  "lifeline/help.example");
    assert_true(f.q.answer.lifeline);
    assert_true(is_overruled(&f.q.answer, "suspended/s"));
    assert_true(is_overruled(&f.q.answer, "list/deny/help.example"));
    expect_answer(&f.q, "http://gate.internal/sign", ACTION_ALLOW, REASON_LIFELINE,
                  "lifeline/gate.internal");
    expect_answer(&f.q, "http://learn.example/", ACTION_BLOCK, REASON_SUSPENDED, "suspended/s");
    assert_false(f.q.answer.lifeline);
    tear_down(&f);
}

TEST(R201_a_suspension_of_a_person_or_a_device_lifts_itself)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0},
           "{" PEOPLE ",'suspensions':[{'id':'s','device':'d','until':'2026-11-23T10:30Z'}]}",
           "ks2");
    f.q.subject.device = STR("d");
    expect_answer(&f.q, "http://news.example/", ACTION_BLOCK, REASON_SUSPENDED, "suspended/s");
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T10:30"));
    f.q.now_ms = f.q.answer.until_ms;
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_TABLE, "table/press/everyone");
    tear_down(&f);
}

TEST(R92_U7_without_an_agreement_only_the_limited_profile_is_open)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){
               .learning = "[{'match':'learn.example','why':'y'},{'match':'illegal.example',"
                           "'why':'y'},{'match':'denied.example','why':'y'}]",
               .deny = "[{'match':'denied.example','who':'w','why':'y','review':'2027-01-01'}]"},
           "{" PEOPLE "}", "ks2");
    question_person(&f.q, "unsigned");
    expect_answer(&f.q, "http://learn.example/", ACTION_ALLOW, REASON_AGREEMENT_OPEN,
                  "learning/learn.example");
    expect_answer(&f.q, "http://school.example/", ACTION_ALLOW, REASON_AGREEMENT_OPEN,
                  "tier/learning/ks2");
    expect_answer(&f.q, "http://update.example/", ACTION_ALLOW, REASON_AGREEMENT_OPEN,
                  "tier/infrastructure/ks2");
    expect_answer(&f.q, "http://news.example/", ACTION_LIMITED, REASON_AGREEMENT, "agreement/ks2");
    expect_answer(&f.q, "http://unknown.example/", ACTION_LIMITED, REASON_AGREEMENT,
                  "agreement/ks2");
    expect_answer(&f.q, "http://bets.example/", ACTION_LIMITED, REASON_AGREEMENT, "agreement/ks2");
    expect_answer(&f.q, "http://badschool.example/", ACTION_LIMITED, REASON_AGREEMENT,
                  "agreement/ks2");
    expect_answer(&f.q, "http://denied.example/", ACTION_LIMITED, REASON_AGREEMENT,
                  "agreement/ks2");
    expect_answer(&f.q, "http://illegal.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/law/everyone");
    question_person(&f.q, "pupil");
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_TABLE, "table/press/everyone");
    tear_down(&f);
}

TEST(U7_what_is_open_at_certain_times_ends_with_them_without_an_agreement_too)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.table = "[{'id':'l','label':'L','categories':['learning'],"
                                          "'cells':{'pupils':{'level':'certain-times','times':"
                                          "['lunch']}}}]"},
           "{" PEOPLE "}", "ks2");
    question_person(&f.q, "unsigned");
    f.q.now_ms = test_utc(f.policy, "2026-11-23T12:30");
    expect_answer(&f.q, "http://school.example/", ACTION_ALLOW, REASON_AGREEMENT_OPEN,
                  "table/l/pupils");
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T13:00"));
    f.q.now_ms = f.q.answer.until_ms;
    expect_answer(&f.q, "http://school.example/", ACTION_LIMITED, REASON_AGREEMENT,
                  "agreement/ks2");
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T15:00"));
    tear_down(&f);
}

TEST(R92_each_missing_part_of_an_agreement_limits)
{
    static const struct {
        const char *agreement;
        const char *group;
        enum action want;
    } cases[] = {
        {"'signed':true,'current':true,'parent':true,'until':'2027-09-01T00:00Z'", "ks2",
         ACTION_ALLOW},
        {"'signed':false,'current':true,'parent':true,'until':'2027-09-01T00:00Z'", "ks2",
         ACTION_LIMITED},
        {"'signed':true,'current':false,'parent':true,'until':'2027-09-01T00:00Z'", "ks2",
         ACTION_LIMITED},
        {"'signed':true,'current':true,'parent':false,'until':'2027-09-01T00:00Z'", "ks2",
         ACTION_LIMITED},
        {"'signed':true,'current':true,'parent':true,'until':'2026-11-23T10:15Z'", "ks2",
         ACTION_LIMITED},
        {"'signed':true,'current':true,'parent':false,'until':'2027-09-01T00:00Z'", "teachers",
         ACTION_ALLOW},
        {"'signed':false,'current':false,'parent':false,'until':'2027-09-01T00:00Z'", "visitors",
         ACTION_ALLOW},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = {0};
        char state[512];
        snprintf(state, sizeof(state),
                 "{'lodge_state':1,'people':[{'id':'p','group':'%s','agreement':{%s}}]}",
                 cases[i].group, cases[i].agreement);
        set_up(&f, &(struct test_policy){0}, state, "ks2");
        question_person(&f.q, "p");
        assert_int_equal(ask(&f.q, "http://news.example/")->action, cases[i].want);
        tear_down(&f);
    }
}

TEST(U3_filtering_off_opens_all_but_the_illegal_for_its_scope_and_time)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.deny = "[{'match':'news.example','who':'w','why':'y',"
                                         "'review':'2027-01-01'}]"},
           "{" PEOPLE ",'filtering_off':[{'id':'o','groups':['staff']," WHEN "}]}", "teachers");
    expect_answer(&f.q, "http://bets.example/", ACTION_ALLOW, REASON_FILTERING_OFF,
                  "filtering-off/o");
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T11:00"));
    assert_true(is_overruled(&f.q.answer, "table/bets/everyone"));
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_FILTERING_OFF,
                  "filtering-off/o");
    expect_answer(&f.q, "http://illegal.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/law/everyone");
    assert_int_equal(f.q.answer.level, LEVEL_ILLEGAL);
    assert_true(is_overruled(&f.q.answer, "filtering-off/o"));
    f.q.now_ms = test_utc(f.policy, "2026-11-23T09:59");
    expect_answer(&f.q, "http://bets.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T10:00"));
    f.q.now_ms = test_utc(f.policy, "2026-11-23T11:00");
    expect_answer(&f.q, "http://bets.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    assert_int_equal(f.q.answer.until_ms, INT64_MAX);
    tear_down(&f);
}

TEST(R101_U2_a_lesson_opens_its_sites_and_topics_for_its_class_and_ends)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0},
           "{" PEOPLE ",'grants':[{'id':'site','kind':'lesson','groups':['pupils'],"
           "'matches':['bets.example/history']," WHEN "},"
           "{'id':'topic','kind':'lesson','groups':['ks2'],'categories':['drugs']," WHEN "}]}",
           "ks2");
    expect_answer(&f.q, "http://bets.example/history/1", ACTION_ALLOW, REASON_GRANT, "grant/site");
    expect_answer(&f.q, "http://bets.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    expect_answer(&f.q, "http://drugs.example/", ACTION_ALLOW, REASON_GRANT, "grant/topic");
    /* Closed for betting too, of which the lesson says nothing. */
    expect_answer(&f.q, "http://both.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    f.q.now_ms = test_utc(f.policy, "2026-11-23T11:00");
    expect_answer(&f.q, "http://drugs.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/drugs/everyone");
    tear_down(&f);
}

TEST(U2_two_lessons_together_open_a_site_of_both_topics)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0},
           "{" PEOPLE ",'grants':[{'id':'a','kind':'lesson','groups':['ks2'],"
           "'categories':['gambling']," WHEN "},"
           "{'id':'b','kind':'lesson','groups':['ks2'],'categories':['drugs']," WHEN "}]}",
           "ks2");
    expect_answer(&f.q, "http://both.example/", ACTION_ALLOW, REASON_GRANT, "grant/a");
    policy_identify_group(f.q.subject.group - 1, &f.q.subject);
    expect_answer(&f.q, "http://both.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    tear_down(&f);
}

TEST(F3_no_grant_reaches_an_illegal_row)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){ALL_ALLOWED},
           "{" PEOPLE ",'grants':[{'id':'g','kind':'lesson','groups':['staff'],"
           "'matches':['illegal.example'],'categories':['extreme-pornography']," WHEN "},"
           "{'id':'h','kind':'override','people':['teacher']," WHEN "}]}",
           "teachers");
    question_person(&f.q, "teacher");
    expect_answer(&f.q, "http://illegal.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/law/everyone");
    assert_true(is_overruled(&f.q.answer, "grant/g"));
    assert_true(is_overruled(&f.q.answer, "list/allow/illegal.example"));
    expect_answer(&f.q, "http://bets.example/", ACTION_ALLOW, REASON_GRANT, "grant/h");
    tear_down(&f);
}

TEST(R105_U4_an_override_is_for_staff_as_persons_only)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0},
           "{" PEOPLE ",'grants':[{'id':'g','kind':'override','people':['pupil','guest','teacher'],"
           "'groups':['everyone'],'devices':['d']," WHEN "}]}",
           "teachers");
    expect_answer(&f.q, "http://bets.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    static const struct {
        const char *person;
        enum action want;
    } cases[] = {{"pupil", ACTION_BLOCK}, {"guest", ACTION_BLOCK}, {"teacher", ACTION_ALLOW}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        question_person(&f.q, cases[i].person);
        assert_int_equal(ask(&f.q, "http://bets.example/")->action, cases[i].want);
    }
    f.q.subject.known = KNOWN_CLASS;
    assert_int_equal(ask(&f.q, "http://bets.example/")->action, ACTION_BLOCK);
    tear_down(&f);
}

TEST(F21_the_school_s_lists_deny_before_they_allow)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){
               .deny = "[{'match':'news.example/live','who':'w','why':'y','review':'2027-01-01'},"
                       "{'match':'pupils.example','who':'w','why':'y','review':'2027-01-01',"
                       "'groups':['pupils']}]",
               .allow = "[{'match':'bets.example','who':'w','why':'y','review':'2027-01-01'},"
                        "{'match':'live.news.example','who':'w','why':'y','review':'2027-01-01'},"
                        "{'match':'news.example','who':'w','why':'y','review':'2027-01-01'}]"},
           NULL, "ks2");
    expect_answer(&f.q, "http://bets.example/", ACTION_ALLOW, REASON_LIST_ALLOW,
                  "list/allow/bets.example");
    assert_true(is_overruled(&f.q.answer, "table/bets/everyone"));
    expect_answer(&f.q, "http://news.example/live/x", ACTION_BLOCK, REASON_LIST_DENY,
                  "list/deny/news.example/live");
    assert_true(is_overruled(&f.q.answer, "list/allow/news.example"));
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_LIST_ALLOW,
                  "list/allow/news.example");
    expect_answer(&f.q, "http://pupils.example/", ACTION_BLOCK, REASON_LIST_DENY,
                  "list/deny/pupils.example");
    tear_down(&f);
    set_up(&f,
           &(struct test_policy){.deny = "[{'match':'pupils.example','who':'w','why':'y',"
                                         "'review':'2027-01-01','groups':['pupils']}]"},
           NULL, "teachers");
    expect_answer(&f.q, "http://pupils.example/", ACTION_ALLOW, REASON_UNCATEGORISED,
                  "uncategorised/teachers");
    tear_down(&f);
}

TEST(R155_R177_the_stricter_of_two_rows_decides_and_names_the_other)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0}, NULL, "teachers");
    expect_answer(&f.q, "http://social.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/social-two/staff");
    assert_int_equal(f.q.answer.level, LEVEL_CERTAIN_TIMES);
    assert_int_equal(f.q.answer.category, CATEGORY_SOCIAL_NETWORKS);
    assert_int_equal(f.q.answer.until_ms, test_utc(f.policy, "2026-11-23T12:00"));
    assert_true(is_overruled(&f.q.answer, "table/social-one/staff"));
    f.q.now_ms = test_utc(f.policy, "2026-11-23T16:30");
    expect_answer(&f.q, "http://social.example/", ACTION_ALLOW, REASON_TABLE,
                  "table/social-two/staff");
    assert_int_equal(f.q.answer.level, LEVEL_CERTAIN_TIMES);
    tear_down(&f);
}

TEST(R112_certain_times_hold_in_them_and_nowhere_outside_the_calendar)
{
    static const struct {
        const char *local;
        enum action want;
    } cases[] = {
        {"2026-11-23T07:59", ACTION_ALLOW}, {"2026-11-23T08:00", ACTION_BLOCK},
        {"2026-11-23T16:29", ACTION_BLOCK}, {"2026-11-23T16:30", ACTION_ALLOW},
        {"2026-11-21T10:00", ACTION_ALLOW}, {"2026-11-20T10:00", ACTION_ALLOW},
        {"2026-12-28T10:00", ACTION_ALLOW}, {"2027-06-14T07:59", ACTION_ALLOW},
        {"2027-06-14T08:00", ACTION_BLOCK}, {"2027-06-14T16:30", ACTION_ALLOW},
    };
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0}, NULL, "teachers");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f.q.now_ms = test_utc(f.policy, cases[i].local);
        assert_int_equal(ask(&f.q, "http://social.example/")->action, cases[i].want);
    }
    f.q.now_ms = test_utc(f.policy, "2029-12-31T23:59") + INT64_C(86400000);
    assert_int_equal(ask(&f.q, "http://social.example/")->action, ACTION_BLOCK);
    tear_down(&f);
}

TEST(R162_an_empty_list_of_times_or_of_nominated_users_means_refused)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.table = "[{'id':'t','label':'T','categories':['social-networks'],"
                                          "'cells':{'everyone':{'level':'certain-times',"
                                          "'times':[]}}},{'id':'n','label':'N','categories':"
                                          "['games'],'cells':{'everyone':{'level':'nominated',"
                                          "'nominated':'players'}}}]"},
           NULL, "teachers");
    expect_answer(&f.q, "http://social.example/", ACTION_BLOCK, REASON_TABLE, "table/t/everyone");
    assert_int_equal(f.q.answer.level, LEVEL_CERTAIN_TIMES);
    expect_answer(&f.q, "http://games.example/", ACTION_BLOCK, REASON_TABLE, "table/n/everyone");
    assert_int_equal(f.q.answer.level, LEVEL_NOMINATED);
    tear_down(&f);
}

TEST(R174_R178_nominated_users_are_named_in_the_policy_the_state_or_by_group)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.nominated = "[{'id':'players','people':['zoe','pupil','ann'],"
                                              "'groups':['office']}]"},
           "{" PEOPLE ",'nominated':[{'list':'players','person':'teacher'},"
           "{'list':'others','person':'guest'}]}",
           "office");
    assert_int_equal(ask(&f.q, "http://games.example/")->action, ACTION_ALLOW);
    static const struct {
        const char *person;
        enum action want;
    } cases[] = {{"pupil", ACTION_ALLOW}, {"teacher", ACTION_ALLOW}, {"guest", ACTION_BLOCK}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        question_person(&f.q, cases[i].person);
        const struct policy_answer *answer = ask(&f.q, "http://games.example/");
        assert_int_equal(answer->action, cases[i].want);
        assert_int_equal(answer->level, LEVEL_NOMINATED);
    }
    tear_down(&f);
}

TEST(F4_F16_a_category_without_a_row_takes_the_default_of_its_tier)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){.table = TEST_TABLE}, NULL, "ks2");
    expect_answer(&f.q, "http://malware.example/", ACTION_BLOCK, REASON_TIER, "tier/harmful/ks2");
    assert_int_equal(f.q.answer.level, LEVEL_UNACCEPTABLE);
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_TIER, "tier/ordinary/ks2");
    assert_int_equal(f.q.answer.level, LEVEL_ACCEPTABLE);
    expect_answer(&f.q, "http://school.example/", ACTION_ALLOW, REASON_TIER, "tier/learning/ks2");
    expect_answer(&f.q, "http://update.example/", ACTION_ALLOW, REASON_INFRASTRUCTURE,
                  "tier/infrastructure/ks2");
    expect_answer(&f.q, "http://unknown.example/", ACTION_ALLOW, REASON_UNCATEGORISED,
                  "uncategorised/ks2");
    assert_int_equal(f.q.answer.level, LEVEL_NONE);
    tear_down(&f);
}

TEST(F10_an_open_row_for_one_category_does_not_open_a_site_that_another_closes)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0}, NULL, "ks2");
    expect_answer(&f.q, "http://badnews.example/", ACTION_BLOCK, REASON_TIER, "tier/harmful/ks2");
    assert_true(is_overruled(&f.q.answer, "table/press/everyone"));
    tear_down(&f);
}

TEST(F20_tunnels_are_the_group_s_affair)
{
    static const struct {
        const char *group;
        enum request_kind kind;
        const char *url;
        enum action want;
        enum reason reason;
    } cases[] = {
        {"ks2", REQUEST_CONNECT, "https://news.example:443/", ACTION_ALLOW, REASON_TABLE},
        {"ks2", REQUEST_CONNECT, "https://news.example:22/", ACTION_BLOCK, REASON_TUNNEL_PORT},
        {"ks2", REQUEST_CONNECT, "https://198.51.100.7/", ACTION_BLOCK, REASON_PRIVATE_ADDRESS},
        {"ks2", REQUEST_CONNECT, "https://8.8.8.8/", ACTION_BLOCK, REASON_TUNNEL_IP},
        {"ks2", REQUEST_CONNECT, "https://0x08080808/", ACTION_BLOCK, REASON_TUNNEL_IP},
        {"ks2", REQUEST_CONNECT, "https://9.9.9.9/", ACTION_ALLOW, REASON_LIST_ALLOW},
        {"ks2", REQUEST_TUNNEL_RAW, "https://news.example/", ACTION_BLOCK, REASON_TUNNEL_NOT_TLS},
        {"ks2", REQUEST_TLS, "https://news.example/", ACTION_BLOCK, REASON_TUNNEL_NO_SNI},
        {"ks2", REQUEST_CONNECT, "https://allowed.example:22/", ACTION_BLOCK, REASON_TUNNEL_PORT},
        {"ks2", REQUEST_CONNECT, "https://help.example:22/", ACTION_ALLOW, REASON_LIFELINE},
        {"office", REQUEST_CONNECT, "https://news.example:22/", ACTION_ALLOW, REASON_TABLE},
        {"office", REQUEST_CONNECT, "https://8.8.8.8/", ACTION_ALLOW, REASON_UNCATEGORISED},
        {"office", REQUEST_TUNNEL_RAW, "https://news.example/", ACTION_ALLOW, REASON_TABLE},
        {"office", REQUEST_TLS, "https://news.example/", ACTION_ALLOW, REASON_TABLE},
        {"office", REQUEST_TUNNEL_RAW, "https://bets.example/", ACTION_BLOCK, REASON_TABLE},
        {"ks2", REQUEST_URL, "http://8.8.8.8/", ACTION_ALLOW, REASON_UNCATEGORISED},
        {"ks2", REQUEST_URL, "http://news.example:8080/", ACTION_ALLOW, REASON_TABLE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = {0};
        set_up(&f,
               &(struct test_policy){
                   .allow = "[{'match':'9.9.9.9','who':'w','why':'y','review':'2027-01-01'},"
                            "{'match':'allowed.example','who':'w','why':'y','review':'2027-01-01'}"
                            "]"},
               NULL, cases[i].group);
        f.q.request.kind = cases[i].kind;
        f.q.request.hello = cases[i].kind == REQUEST_TLS ? &f.q.hello : NULL;
        const struct policy_answer *answer = ask(&f.q, cases[i].url);
        if (answer->action != cases[i].want || answer->reason != cases[i].reason) {
            fail_msg("%s for %s: %.*s", cases[i].url, cases[i].group,
                     STR_ARG(reason_code(answer->reason)));
        }
        tear_down(&f);
    }
}

TEST(F20_the_stricter_of_CONNECT_host_and_SNI_decides)
{
    static const struct {
        const char *url;
        const char *sni;
        enum action want;
        const char *rule;
    } cases[] = {
        {"https://news.example/", "news.example", ACTION_ALLOW, "table/press/everyone"},
        {"https://news.example/", "bets.example", ACTION_BLOCK, "table/bets/everyone"},
        {"https://bets.example/", "news.example", ACTION_BLOCK, "table/bets/everyone"},
        {"https://news.example/", "sealed.example", ACTION_BLOCK, "sealed"},
        {"https://sealed.example/", "news.example", ACTION_BLOCK, "sealed"},
        {"https://news.example/", "carrier.example", ACTION_BLOCK, "sealed-host"},
        {"https://bets.example/", "illegal.example", ACTION_BLOCK, "table/law/everyone"},
        {"https://help.example/", "bets.example", ACTION_BLOCK, "table/bets/everyone"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = {0};
        set_up(&f, &(struct test_policy){0}, NULL, "ks2");
        f.q.request = (struct policy_request){.kind = REQUEST_TLS, .hello = &f.q.hello};
        f.q.hello.has_sni = true;
        assert_ok(host_parse(str_from(cases[i].sni), &f.q.hello.sni));
        const struct policy_answer *answer = ask(&f.q, cases[i].url);
        if (answer->action != cases[i].want || !str_eq(answer->rule, str_from(cases[i].rule))) {
            fail_msg("%s with %s: %.*s", cases[i].url, cases[i].sni, STR_ARG(answer->rule));
        }
        assert_false(answer->lifeline);
        assert_true(answer->sealed == (strcmp(cases[i].rule, "sealed") == 0));
        tear_down(&f);
    }
}

TEST(addresses_inside_are_refused_unless_the_policy_names_the_host)
{
    static const struct {
        const char *url;
        const char *addr;
        bool allow_ports;
        enum action want;
    } cases[] = {
        {"http://site.example/", "10.0.0.1", false, ACTION_BLOCK},
        {"http://site.example/", "127.0.0.1", false, ACTION_BLOCK},
        {"http://site.example/", "fe80::1", false, ACTION_BLOCK},
        {"http://help.example/", "10.0.0.1", false, ACTION_BLOCK},
        {"http://printer.example/", "10.0.0.1", false, ACTION_ALLOW},
        {"http://a.printer.example/", "10.0.0.1", false, ACTION_ALLOW},
        {"http://site.example/", "10.0.0.1", true, ACTION_ALLOW},
        {"http://site.example/", "8.8.8.8", false, ACTION_ALLOW},
        {"http://0x7f.1/", NULL, false, ACTION_BLOCK},
        {"http://[::ffff:10.0.0.1]/", NULL, false, ACTION_BLOCK},
        {"http://10.9.9.9/", NULL, false, ACTION_ALLOW},
        {"http://10.9.9.8/", NULL, false, ACTION_BLOCK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = {0};
        set_up(&f, &(struct test_policy){.private_hosts = "['printer.example','10.9.9.9']"}, NULL,
               "ks2");
        f.q.request.allow_ports = cases[i].allow_ports;
        if (cases[i].addr != NULL) {
            assert_ok(addr_parse(str_from(cases[i].addr), &f.q.addr));
            f.q.request.addr = &f.q.addr;
        }
        if (ask(&f.q, cases[i].url)->action != cases[i].want) {
            fail_msg("%s at %s", cases[i].url, cases[i].addr);
        }
        tear_down(&f);
    }
}

TEST(F20_the_address_that_will_be_dialled_counts_too)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0}, NULL, "ks2");
    f.q.request.allow_ports = true; /* 203.0.113.0/24 is for documentation */
    assert_ok(addr_parse(STR("203.0.113.9"), &f.q.addr));
    expect_answer(&f.q, "http://site.example/", ACTION_ALLOW, REASON_UNCATEGORISED,
                  "uncategorised/ks2");
    f.q.request.addr = &f.q.addr;
    expect_answer(&f.q, "http://site.example/", ACTION_BLOCK, REASON_TIER, "tier/harmful/ks2");
    tear_down(&f);
}

TEST(doubt_is_refusal)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0}, NULL, "ks2");
    (void)ask(&f.q, "http://news.example/");
    struct question good = f.q;
    for (int i = 0; i < 9; i++) {
        f.q = good;
        struct policy_request *request = &f.q.request;
        request->url = &f.q.url;
        f.q.images.catalog = i == 0 ? NULL : f.q.images.catalog;
        f.q.images.policy = i == 1 ? NULL : f.q.images.policy;
        f.q.subject.known = i == 2 ? KNOWN_UNSET : f.q.subject.known;
        f.q.subject.group = i == 3 ? 63 : f.q.subject.group;
        request->kind = i == 4 ? REQUEST_UNSET : i == 5 ? REQUEST_TLS : request->kind;
        request->url = i == 6 ? NULL : request->url;
        f.q.url.host.kind = i == 7 ? HOST_UNSET : f.q.url.host.kind;
        request->hello = i == 8 ? &f.q.hello : NULL;
        policy_decide(&f.q.images, &f.q.subject, request, f.q.now_ms, &f.q.answer);
        assert_int_equal(f.q.answer.action, ACTION_BLOCK);
        assert_int_equal(f.q.answer.reason, REASON_DOUBT);
        assert_str_eq(f.q.answer.rule, STR("doubt"));
    }
    f.q = good;
    tear_down(&f);
}

TEST(the_overruled_are_bounded_and_the_strictest_are_kept)
{
    struct buf table_text = {0};
    buf_init(&table_text, 1 << 16);
    buf_append(&table_text, STR("["));
    for (int i = 0; i < 40; i++) {
        buf_printf(&table_text,
                   "%s{'id':'r%02d','label':'R','categories':['news'],'cells':{'everyone':{%s}}}",
                   i != 0 ? "," : "", i,
                   i % 2 ? "'level':'certain-times','times':['hours']" : "'level':'acceptable'");
    }
    buf_append(&table_text, STR("]"));
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.table = buf_cstr(&table_text),
                                 .deny = "[{'match':'news.example','who':'w','why':'y',"
                                         "'review':'2027-01-01'}]"},
           NULL, "ks2");
    expect_answer(&f.q, "http://news.example/", ACTION_BLOCK, REASON_LIST_DENY,
                  "list/deny/news.example");
    assert_int_equal(f.q.answer.n_overruled, POLICY_OVERRULED_MAX);
    for (size_t i = 0; i < POLICY_OVERRULED_MAX; i++) {
        assert_int_equal(f.q.answer.overruled[i].level, LEVEL_CERTAIN_TIMES);
    }
    buf_fini(&table_text);
    tear_down(&f);
}

TEST(R129_what_an_answer_holds_is_weighed_beside_what_its_site_is)
{
    struct fixture f = {0};
    set_up(&f,
           &(struct test_policy){.allow = "[{'match':'office.example','who':'w','why':'y',"
                                          "'review':'2027-01-01'}]"},
           "{" PEOPLE ",'grants':[{'id':'g','kind':'override','people':['teacher'],"
           "'categories':['executables']," WHEN "}]}",
           "ks2");
    struct catset content = {{0, 0}};
    f.q.request.content = &content;
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_TABLE, "table/press/everyone");
    catset_add(&content, CATEGORY_EXECUTABLES);
    expect_answer(&f.q, "http://news.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/programs/everyone");
    assert_int_equal(f.q.answer.category, CATEGORY_EXECUTABLES);
    assert_true(catset_has(&f.q.answer.categories, CATEGORY_EXECUTABLES));
    assert_true(catset_has(&f.q.answer.categories, CATEGORY_NEWS));
    expect_answer(&f.q, "http://unknown.example/", ACTION_BLOCK, REASON_TABLE,
                  "table/programs/everyone");
    expect_answer(&f.q, "http://help.example/", ACTION_ALLOW, REASON_LIFELINE,
                  "lifeline/help.example");
    expect_answer(&f.q, "http://office.example/", ACTION_ALLOW, REASON_LIST_ALLOW,
                  "list/allow/office.example");
    expect_answer(&f.q, "http://sealed.example/", ACTION_BLOCK, REASON_SEALED, "sealed");
    assert_false(catset_has(&f.q.answer.categories, CATEGORY_EXECUTABLES));
    question_person(&f.q, "teacher");
    expect_answer(&f.q, "http://news.example/", ACTION_ALLOW, REASON_GRANT, "grant/g");
    tear_down(&f);
}

TEST(R129_a_server_of_updates_may_serve_programs_but_nothing_harmful)
{
    struct fixture f = {0};
    set_up(&f, &(struct test_policy){0}, NULL, "ks2");
    struct catset content = {{0, 0}};
    f.q.request.content = &content;
    catset_add(&content, CATEGORY_EXECUTABLES);
    expect_answer(&f.q, "http://update.example/", ACTION_ALLOW, REASON_INFRASTRUCTURE,
                  "tier/infrastructure/ks2");
    assert_true(catset_has(&f.q.answer.categories, CATEGORY_EXECUTABLES));
    catset_add(&content, CATEGORY_MALWARE);
    expect_answer(&f.q, "http://update.example/", ACTION_BLOCK, REASON_TIER, "tier/harmful/ks2");
    tear_down(&f);
}

TESTS_MAIN(unit(F1_F2_F3_sealed_lists_are_blocked_for_everyone_whatever_else_holds),
           unit(F1_a_host_with_a_sealed_URL_is_refused_where_it_cannot_be_inspected),
           unit(U9_an_isolated_device_reaches_nothing_not_even_lifelines),
           unit(U7_lifelines_and_the_gate_are_open_to_the_suspended_and_the_unsigned),
           unit(R201_a_suspension_of_a_person_or_a_device_lifts_itself),
           unit(R92_U7_without_an_agreement_only_the_limited_profile_is_open),
           unit(U7_what_is_open_at_certain_times_ends_with_them_without_an_agreement_too),
           unit(R92_each_missing_part_of_an_agreement_limits),
           unit(U3_filtering_off_opens_all_but_the_illegal_for_its_scope_and_time),
           unit(R101_U2_a_lesson_opens_its_sites_and_topics_for_its_class_and_ends),
           unit(U2_two_lessons_together_open_a_site_of_both_topics),
           unit(F3_no_grant_reaches_an_illegal_row),
           unit(R105_U4_an_override_is_for_staff_as_persons_only),
           unit(F21_the_school_s_lists_deny_before_they_allow),
           unit(R155_R177_the_stricter_of_two_rows_decides_and_names_the_other),
           unit(R112_certain_times_hold_in_them_and_nowhere_outside_the_calendar),
           unit(R162_an_empty_list_of_times_or_of_nominated_users_means_refused),
           unit(R174_R178_nominated_users_are_named_in_the_policy_the_state_or_by_group),
           unit(F4_F16_a_category_without_a_row_takes_the_default_of_its_tier),
           unit(F10_an_open_row_for_one_category_does_not_open_a_site_that_another_closes),
           unit(F20_tunnels_are_the_group_s_affair),
           unit(F20_the_stricter_of_CONNECT_host_and_SNI_decides),
           unit(addresses_inside_are_refused_unless_the_policy_names_the_host),
           unit(F20_the_address_that_will_be_dialled_counts_too), unit(doubt_is_refusal),
           unit(the_overruled_are_bounded_and_the_strictest_are_kept),
           unit(R129_what_an_answer_holds_is_weighed_beside_what_its_site_is),
           unit(R129_a_server_of_updates_may_serve_programs_but_nothing_harmful))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/policy.h"

#include "catalog/category.h"
#include "lib/policy.h"
#include "policy/model_impl.h"

/* Reads a document that must not be used; its complaints in `to`. */
static void refuse(const struct test_policy *parts, struct buf *to)
{
    struct buf text = {0};
    struct policy *policy = NULL;
    buf_init(&text, 1 << 20);
    test_document(parts, &text);
    assert_err(policy_parse(buf_str(&text), &policy, to), ERR_INVALID);
    buf_fini(&text);
}

static void expect_complaint(const struct test_policy *parts, const char *want)
{
    struct buf why = {0};
    buf_init(&why, 1 << 20);
    refuse(parts, &why);
    if (str_find(buf_str(&why), str_from(want)) == why.len) {
        fail_msg("\"%s\" is not in: %.*s", want, STR_ARG(buf_str(&why)));
    }
    assert_true(str_ends(buf_str(&why), STR("\n")));
    buf_fini(&why);
}

#define ROW(cells) "[{'id':'r','label':'R','categories':['games'],'cells':" cells "}]"

#define TEN "abcdefghij"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* What is wrong in a document, and what is said of it. */
static const struct {
    struct test_policy parts;
    const char *want;
} complaints[] = {
    {{.more = ",'members':[{'group':'nowhere','kind':'pupil'}]"},
     "members[0].group: is no group of this policy"},
    {{.more = ",'members':[{'group':'ks1'}]"}, "members[0]: is for nobody"},
    {{.more = ",'members':[{'group':'ks1','age':'7'}]"}, "unknown member \"age\""},
    {{.more = ",'surprise':1"}, "document: has an unknown member \"surprise\""},
    {{.table = "[]"}, "table: has no rows"},
    {{.table = ROW("{'ks2':{'level':'forbidden'}}")},
     "table[0](r).cells.ks2.level: \"forbidden\" is not known; use one of: acceptable, "
     "certain-times, nominated, unacceptable, illegal"},
    {{.table = ROW("{'ks2':{'level':'acceptable','until':'x'}}")},
     "table[0](r).cells.ks2: has an unknown member \"until\""},
    {{.table = ROW("{'ks3':{'level':'acceptable'}}")},
     "table[0](r).cells.ks3: no group has this id"},
    {{.table = ROW("{'ks2':{'level':'certain-times','times':['tea']}}")},
     "table[0](r).cells.ks2.times[0]: no time has the id \"tea\""},
    {{.table = ROW("{'ks2':{'level':'acceptable','times':['lunch']}}")},
     "\"times\" belongs to level \"certain-times\" only"},
    {{.table = ROW("{'ks2':{'level':'nominated'}}")},
     "table[0](r).cells.ks2.nominated: is missing"},
    {{.table = ROW("{'ks2':{'level':'nominated','nominated':'nobody'}}")}, "\"nobody\" is none"},
    {{.table = "[{'id':'r','label':'R','categories':['gamez'],'cells':{}}]"},
     "table[0](r).categories[0]: no category is called \"gamez\""},
    {{.table = "[{'id':'r','label':'R','categories':[],'cells':{}}]"}, "names no category"},
    {{.table = "[{'id':'r','label':'R','categories':['games'],'cells':{}},"
               "{'id':'r','label':'R','categories':['games'],'cells':{}}]"},
     "the id \"r\" is there twice"},
    {{.table = "[{'id':'a b','label':'R','categories':['games'],'cells':{}}]"}, "is no id"},
    {{.groups = "[{'id':'visitors','in':'later'},{'id':'later'}]"},
     "groups[0](visitors).in: must be the id of a group that stands before"},
    {{.groups = "[{'id':'" LONG "'}]"}, "is no id; use 1 to 64 letters"},
    {{.table = "[{'id':'" LONG "','label':'R','categories':['games'],'cells':{}}]"},
     "is no id; use 1 to 64 letters"},
    {{.groups = "[{'id':'pupils'}]"}, "unknown_group: must be the id of a group"},
    {{.groups = "[{'id':'visitors'},{'id':'visitors'}]"}, "this id is there twice"},
    {{.groups = "[{'id':'visitors','voice':'gruff'}]"}, "use one of: ks1, ks2, staff"},
    {{.groups = "[{'id':'visitors','tiers':{'harmful':'nominated'}}]"},
     "groups[0](visitors).tiers.harmful: \"nominated\" is not known"},
    {{.groups = "[{'id':'visitors','tunnels':{'no_sni':true}}]"}, "no_sni: is no text"},
    {{.periods = "[{'id':'a','from':'09:00','to':'10:00'},{'id':'b','from':'09:59',"
                 "'to':'11:00'}]"},
     "timetable.periods[1](b): overlaps with \"a\""},
    {{.periods = "[{'id':'a','from':'10:00','to':'09:00'}]"}, "ends before it begins"},
    {{.periods = "[{'id':'weekend','from':'09:00','to':'10:00'}]"},
     "a period that is always there"},
    {{.periods = "[{'id':'a','from':'9:00','to':'24:01'}]"}, "is no time of day"},
    {{.times = "[{'id':'t','not':'t'}]"}, "must name another time that has no \"not\""},
    {{.times = "[{'id':'t','periods':['lesson'],'days':'weekend'}]"}, "exactly one of"},
    {{.times = "[{'id':'t','periods':['tea']}]"}, "no period has the id \"tea\""},
    {{.times = "[{'id':'t','days':'sunday'}]"}, "is not known; use one of: closed"},
    {{.calendar = "{'terms':[{'label':'A','from':'2026-09-02','to':'2026-10-01'},{'label':'B',"
                  "'from':'2026-10-01','to':'2026-11-01'}]}"},
     "the terms \"A\" and \"B\" overlap"},
    {{.calendar = "{'terms':[{'label':'A','from':'2026-02-30','to':'2026-10-01'}]}"},
     "calendar.terms[0].from: is no date"},
    {{.zone = "{'name':'Z','offset':9999,'from':'2026-01-01','until':'2027-01-01'}"},
     "zone.offset: must be a whole number"},
    {{.zone = "{'name':'Z','offset':0,'from':'2026-01-01','until':'2025-01-01'}"},
     "must hold from one date until a later one"},
    {{.zone = "{'name':'Z','offset':0,'from':'2026-01-01','until':'2027-01-01','changes':["
              "{'from':'2026-10-25T01:00','offset':0}]}"},
     "zone.changes[0].from: is no UTC time"},
    {{.zone = "{'name':'Z','offset':0,'from':'2026-01-01','until':'2027-01-01','changes':["
              "{'from':'2026-10-25T01:00Z','offset':0},{'from':'2026-03-25T01:00Z','offset':60}]}"},
     "in the order of time"},
    {{.deny = "[{'match':'a b','who':'w','why':'y','review':'2027-01-01'}]"},
     "lists.deny[0](a b): \"a b\" is no site"},
    {{.deny = "[{'match':'a.example','why':'y','review':'2027-01-01'}]"},
     "lists.deny[0](a.example).who: is missing"},
    {{.allow = "[{'match':'a.example','who':'w','why':'y','review':'soon'}]"}, "is no date"},
    {{.allow = "[{'match':'a.example','who':'w','why':'y','review':'2027-01-01',"
               "'groups':['all']}]"},
     "lists.allow[0](a.example).groups[0]: no group has the id \"all\""},
    {{.ports = "[0]"}, "connect_ports[0]: must be a whole number from 1 to 65535"},
    {{.nominated = "[{'id':'n','people':['a b']}]"}, "nominated[0](n).people[0]: is no id"},
    {{.nominated = "{}"}, "nominated: is no list"},
};

TEST(doubt_is_refusal_and_every_complaint_says_where)
{
    for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
        expect_complaint(&complaints[i].parts, complaints[i].want);
    }
}

TEST(what_is_no_JSON_is_refused_with_line_and_column)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        {"", "line 1"},
        {"[]", "must begin with {"},
        {"{\n\"a\":1,\n\"a\":2}", "line 3"},
        {"{\"a\":\"\xff\"}", "line 1"},
        {"{} x", "line 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf why = {0};
        struct policy *policy = NULL;
        buf_init(&why, 1 << 20);
        assert_err(policy_parse(str_from(cases[i].text), &policy, &why), ERR_INVALID);
        assert_true(str_find(buf_str(&why), str_from(cases[i].want)) < why.len);
        buf_fini(&why);
    }
}

TEST(a_document_nested_without_end_is_refused)
{
    struct buf text = {0};
    struct buf why = {0};
    struct policy *policy = NULL;
    buf_init(&text, 1 << 20);
    buf_init(&why, 1 << 20);
    buf_append(&text, STR("{\"a\":"));
    for (int i = 0; i < 100000; i++) {
        buf_append_byte(&text, '[');
    }
    assert_err(policy_parse(buf_str(&text), &policy, &why), ERR_INVALID);
    buf_fini(&text);
    buf_fini(&why);
}

TEST(complaints_are_bounded)
{
    struct buf table = {0};
    struct buf why = {0};
    buf_init(&table, 1 << 20);
    buf_init(&why, 1 << 20);
    buf_append(&table, STR("["));
    for (int i = 0; i < 1000; i++) {
        buf_printf(&table, "%s{'id':'r%d','label':'R','categories':['x'],'cells':{}}",
                   i != 0 ? "," : "", i);
    }
    buf_append(&table, STR("]"));
    refuse(&(struct test_policy){.table = buf_cstr(&table)}, &why);
    size_t lines = 0;
    for (size_t i = 0; i < why.len; i++) {
        lines += why.p[i] == '\n';
    }
    assert_int_equal(lines, 100);
    buf_fini(&table);
    buf_fini(&why);
}

static const struct cell *only_cell(const struct policy *policy, const char *group,
                                    unsigned category)
{
    unsigned index = 0;
    assert_ok(policy_group_find(policy, str_from(group), &index));
    assert_int_equal(policy->at[index][category].n, 1);
    return policy->refs[policy->at[index][category].first];
}

TEST(F19_the_inner_group_s_cell_holds_then_the_nearest_outer_one_s)
{
    struct policy *policy = test_policy(&(struct test_policy){
        .table = ROW("{'everyone':{'level':'illegal'},'pupils':{'level':'unacceptable'},"
                     "'ks2':{'level':'acceptable'}}")});
    assert_str_eq(only_cell(policy, "ks2", CATEGORY_GAMES)->name, STR("table/r/ks2"));
    assert_str_eq(only_cell(policy, "ks1", CATEGORY_GAMES)->name, STR("table/r/pupils"));
    assert_str_eq(only_cell(policy, "office", CATEGORY_GAMES)->name, STR("table/r/everyone"));
    assert_str_eq(only_cell(policy, "ks1", CATEGORY_NEWS)->name, STR("tier/ordinary/ks1"));
    policy_free(policy);
}

TEST(a_row_that_says_nothing_for_a_group_leaves_it_to_the_tier)
{
    struct policy *policy = test_policy(&(struct test_policy){
        .table = "[{'id':'r','label':'R','categories':['gambling'],'cells':{'staff':"
                 "{'level':'acceptable'}}},{'id':'s','label':'S','categories':[],'enforced':false,"
                 "'cells':{'pupils':{'level':'illegal'}}}]"});
    assert_str_eq(only_cell(policy, "ks2", CATEGORY_GAMBLING)->name, STR("tier/harmful/ks2"));
    assert_int_equal(only_cell(policy, "ks2", CATEGORY_GAMBLING)->level, LEVEL_UNACCEPTABLE);
    assert_str_eq(only_cell(policy, "office", CATEGORY_GAMBLING)->name, STR("table/r/staff"));
    policy_free(policy);
}

TEST(settings_of_a_group_pass_to_the_groups_in_it)
{
    struct policy *policy = test_policy(&(struct test_policy){0});
    unsigned ks1 = 0;
    unsigned office = 0;
    assert_ok(policy_group_find(policy, STR("ks1"), &ks1));
    assert_ok(policy_group_find(policy, STR("office"), &office));
    assert_true(policy->groups[ks1].agreement_parent && policy->groups[ks1].agreement_needed);
    assert_false(policy->groups[office].agreement_parent);
    assert_true(policy->groups[office].tunnels.no_sni);
    assert_false(policy->groups[ks1].tunnels.no_sni);
    assert_int_equal(policy_group_voice(policy, ks1), VOICE_KS1);
    assert_int_equal(policy_group_voice(policy, office), VOICE_STAFF);
    assert_str_eq(policy_group_id(policy, policy_unknown_group(policy)), STR("visitors"));
    policy_free(policy);
}

TEST(a_group_of_which_nothing_is_said_is_treated_strictly)
{
    struct policy *policy = test_policy(&(struct test_policy){
        .groups = "[{'id':'visitors'}]", .table = ROW("{'visitors':{'level':'acceptable'}}")});
    const struct group *group = &policy->groups[0];
    assert_int_equal(group->uncategorised, LEVEL_UNACCEPTABLE);
    assert_int_equal(group->tiers[TIER_HARMFUL], LEVEL_UNACCEPTABLE);
    assert_false(group->tunnels.not_tls || group->tunnels.no_sni || group->tunnels.ip_literal ||
                 group->tunnels.other_ports);
    policy_free(policy);
}

TEST(the_canonical_form_does_not_depend_on_the_order_of_members)
{
    struct buf one = {0};
    struct buf two = {0};
    struct buf why = {0};
    buf_init(&one, 1 << 16);
    buf_init(&two, 1 << 16);
    buf_init(&why, 1 << 16);
    assert_ok(policy_canonical(STR("{\"b\":[1,2],\"a\":{\"d\":1,\"c\":\"x\"}}"), &one, &why));
    assert_ok(policy_canonical(STR(" {\"a\" :{\"c\":\"x\",\"d\":1},\"b\":[1,2]}"), &two, &why));
    assert_str_eq(buf_str(&one), buf_str(&two));
    buf_fini(&one);
    buf_fini(&two);
    buf_fini(&why);
}

TEST(a_generation_tells_documents_apart)
{
    struct policy *one = test_policy(&(struct test_policy){0});
    struct policy *two = test_policy(&(struct test_policy){.ports = "[443,8443]"});
    struct policy *again = test_policy(&(struct test_policy){0});
    assert_true(policy_generation(one) != policy_generation(two));
    assert_true(policy_generation(one) == policy_generation(again));
    assert_true(policy_generation(one) != 0);
    policy_free(one);
    policy_free(two);
    policy_free(again);
}

TEST(a_category_is_weighed_where_a_cell_does_not_just_let_through)
{
    struct policy *policy = test_policy(&(struct test_policy){
        .table = "[{'id':'p','label':'P','categories':['executables'],'cells':{"
                 "'pupils':{'level':'unacceptable'},"
                 "'staff':{'level':'certain-times','times':['off-hours']},"
                 "'office':{'level':'acceptable'}}}]"});
    static const struct {
        const char *group;
        bool weighs;
    } rows[] = {{"ks1", true}, {"teachers", true}, {"office", false}, {"visitors", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned group = 0;
        assert_ok(policy_group_find(policy, str_from(rows[i].group), &group));
        assert_true(policy_weighs(policy, group, CATEGORY_EXECUTABLES) == rows[i].weighs);
    }
    policy_free(policy);
}

TESTS_MAIN(unit(a_category_is_weighed_where_a_cell_does_not_just_let_through),
           unit(doubt_is_refusal_and_every_complaint_says_where),
           unit(what_is_no_JSON_is_refused_with_line_and_column),
           unit(a_document_nested_without_end_is_refused), unit(complaints_are_bounded),
           unit(F19_the_inner_group_s_cell_holds_then_the_nearest_outer_one_s),
           unit(a_row_that_says_nothing_for_a_group_leaves_it_to_the_tier),
           unit(settings_of_a_group_pass_to_the_groups_in_it),
           unit(a_group_of_which_nothing_is_said_is_treated_strictly),
           unit(the_canonical_form_does_not_depend_on_the_order_of_members),
           unit(a_generation_tells_documents_apart))

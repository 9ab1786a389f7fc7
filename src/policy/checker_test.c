/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/checker.h"

#include "lib/policy.h"
#include "policy/show.h"

static void check(const struct test_policy *parts, struct buf *lines)
{
    struct policy *policy = test_policy(parts);
    buf_init(lines, 1 << 20);
    size_t n = policy_check(policy, test_utc(policy, "2026-11-23T10:15"), lines);
    size_t ends = 0;
    for (size_t i = 0; i < lines->len; i++) {
        ends += lines->p[i] == '\n';
    }
    assert_int_equal(n, ends);
    policy_free(policy);
}

#define BETS                                                                    \
    "{'id':'bets','label':'Betting','source':'R171','categories':['gambling']," \
    "'cells':{'everyone':{'level':'unacceptable'}}}"
#define GAMES                                                                 \
    "{'id':'games','label':'Games','categories':['games'],'cells':{'pupils':" \
    "{'level':'unacceptable'},'staff':{'level':'acceptable'},"                \
    "'visitors':{'level':'unacceptable'}}}"
#define SOUND "[" BETS "," GAMES "]"

TEST(T6_a_sound_policy_has_no_findings)
{
    struct buf lines = {0};
    check(&(struct test_policy){.table = SOUND}, &lines);
    assert_str_eq(buf_str(&lines), STR(""));
    buf_fini(&lines);
}

static const struct {
    struct test_policy parts;
    const char *want;
} contradictions[] = {
    {{.table = "[" BETS "," GAMES
               ",{'id':'one','label':'One','source':'R155','categories':['social-networks'],"
               "'cells':{'everyone':{'level':'acceptable'}}},"
               "{'id':'two','label':'Two','source':'R177','categories':['social-networks'],"
               "'cells':{'everyone':{'level':'acceptable'},'staff':{'level':'unacceptable'}}}]"},
     "one: \"One\" (R155) and \"Two\" (R177) name the same sites and differ for teachers, "
     "office; "
     "the stricter decides [rows-differ, T6]"},
    {{.table = "[" BETS "," GAMES ",{'id':'n','label':'N','categories':['chat'],'cells':{"
               "'everyone':{'level':'nominated','nominated':'few'}}}]",
      .nominated = "[{'id':'few','label':'A few'}]"},
     "few: the nominated list \"A few\" is empty"},
    {{.table = "[" BETS "," GAMES ",{'id':'t','label':'T','source':'R173','categories':['chat'],"
               "'cells':{'everyone':{'level':'certain-times','times':[]}}}]"},
     "table/t/everyone: \"T\" is at certain times without times, so it is closed; name the "
     "times "
     "[times-missing, R173]"},
    {{.table = "[" BETS "," GAMES ",{'id':'t','label':'T','categories':[],'enforced':false,"
               "'cells':{'everyone':{'level':'certain-times'}}}]"},
     "table/t/everyone: \"T\" is at certain times without times"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','categories':['chat'],'cells':{"
               "'pupils':{'level':'unacceptable'}}}]"},
     "x: \"X\" says nothing for teachers, office, visitors"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','law':'An Act 2003','categories':"
               "['extreme-pornography'],'cells':{'everyone':{'level':'illegal'},"
               "'visitors':{'level':'unacceptable'}}}]"},
     "x: illegal for some, but not for visitors [illegal-for-some]"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','categories':['extreme-pornography'],"
               "'cells':{'everyone':{'level':'illegal'}}}]"},
     "x: illegal, but the row names no law"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','source':'R170','categories':"
               "['terrorist-content'],'cells':{'everyone':{'level':'unacceptable'}}}]"},
     "table/x/everyone: milder than illegal, but the list behind it is sealed: closed to "
     "everyone "
     "whatever the cell says [sealed-called-milder, R170]"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','law':'An Act 2003','categories':"
               "['news'],'cells':{'everyone':{'level':'illegal'}}}]"},
     "table/x/everyone: illegal, but names a category that is not harmful"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','categories':['infrastructure'],"
               "'cells':{'everyone':{'level':'unacceptable'}}}]"},
     "table/x/everyone: closes what machines need"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','categories':['malware'],"
               "'cells':{'everyone':{'level':'acceptable'}}}]"},
     "table/x/everyone: opens a harmful category"},
    {{.table = "[" BETS "," GAMES ",{'id':'x','label':'X','categories':['chat'],"
               "'law':'Data Protection Act 1998','cells':{'everyone':{'level':'acceptable'}}}]"},
     "x: names the Data Protection Act 1998, which is repealed; now: Data Protection Act 2018"},
    {{.table = "[" BETS "]"}, "groups: pupils and staff are treated alike in every row"},
    {{.table = SOUND,
      .groups = "[{'id':'everyone','inspect':'inspect','uncategorised':'acceptable','tiers':"
                "{'harmful':'acceptable'}},{'id':'pupils','in':'everyone',"
                "'tiers':{'harmful':'unacceptable'}},{'id':'staff','in':"
                "'everyone','voice':'staff','tiers':{'harmful':'unacceptable'}},"
                "{'id':'visitors','in':'everyone','voice':'staff'}]"},
     "visitors: harmful categories without a row are open"},
    {{.table = SOUND,
      .groups = "[{'id':'everyone','inspect':'inspect'},{'id':'pupils','in':'everyone','tunnels':"
                "{'no_sni':'allow'}},{'id':'staff','in':'everyone',"
                "'voice':'staff'},"
                "{'id':'visitors','in':'everyone','voice':'staff'}]"},
     "pupils: pupils may open tunnels"},
    {{.table = SOUND,
      .groups =
          "[{'id':'everyone','inspect':'inspect'},{'id':'pupils','in':'everyone'},{'id':'staff',"
          "'in':'everyone','voice':'staff'},{'id':'visitors','in':"
          "'everyone','voice':'staff','agreement':{'needed':true}}]"},
     "visitors: traffic without a person needs an agreement"},
    {{.table = SOUND,
      .groups =
          "[{'id':'everyone','inspect':'inspect'},{'id':'pupils','in':'everyone'},{'id':'staff',"
          "'in':'everyone','voice':'staff'},{'id':'visitors','in':"
          "'everyone','voice':'staff'},{'id':'ghosts','voice':'staff'}]"},
     "ghosts: no row that is enforced speaks of this group"},
    {{.table = SOUND,
      .groups = "[{'id':'everyone'},{'id':'pupils','in':'everyone'},{'id':'staff',"
                "'in':'everyone','voice':'staff'},{'id':'visitors','in':'everyone'}]"},
     "pupils: these pupils' HTTPS is not inspected: words, pages and searches are not seen, only "
     "hosts [not-inspected, F22 F33 D13]"},
    {{.table = SOUND,
      .groups = "[{'id':'everyone','inspect':'inspect'},{'id':'pupils','in':'everyone',"
                "'safe_search':'moderate'},{'id':'staff','in':'everyone','voice':'staff'},"
                "{'id':'visitors','in':'everyone','voice':'staff'}]"},
     "pupils: pupils' searches are not held to a strict safe mode [safe-search-open, F33 D14]"},
    {{.table = SOUND,
      .more = ",'never_inspect':[{'match':'help.example','who':'w','why':'y',"
              "'review':'2027-11-22'}]"},
     "never-inspect/help.example: is a lifeline, which is never inspected"},
    {{.table = SOUND,
      .calendar = "{'terms':[{'label':'A','from':'2026-09-01','to':'2026-10-01'}]}"},
     "calendar: no term lies ahead"},
    {{.table = SOUND,
      .calendar = "{'terms':[{'label':'A','from':'2026-09-01','to':'2026-10-01'},"
                  "{'label':'B','from':'2027-01-04','to':'2027-03-01'}]}"},
     "B: more than ten weeks lie before this term"},
    {{.table = SOUND,
      .calendar = "{'terms':[{'label':'A','from':'2026-09-01','to':'2026-12-18'}],"
                  "'closed':[{'label':'INSET','from':'2027-01-04',"
                  "'to':'2027-01-04'}]}"},
     "INSET: the closed day 2027-01-04 lies in no term"},
    {{.table = SOUND,
      .calendar = "{'terms':[{'label':'A','from':'2029-11-01','to':'2030-02-01'}]}"},
     "A: this term lies outside the dates of the zone"},
    {{.table = SOUND,
      .periods = "[{'id':'club','days':['sat'],'from':'09:00','to':'10:00'},"
                 "{'id':'lunch','from':'12:00','to':'13:00'}]",
      .times = "[{'id':'at-club','periods':['club']}]"},
     "at-club: this time never comes"},
    {{.table = SOUND, .times = "[{'id':'ever','days':'every-day'}]"}, "ever: this time is always"},
    {{.table = SOUND, .deny = "[{'match':'a.example','who':'w','why':'y','review':'2026-11-22'}]"},
     "a.example: its review date 2026-11-22 has passed"},
    {{.table = SOUND,
      .deny = "[{'match':'a.example','who':'w','why':'y','review':'2027-11-22'}]",
      .allow = "[{'match':'a.example','who':'w','why':'y','review':'2027-11-22'}]"},
     "list/deny/a.example: stands on the allow list too"},
    {{.table = SOUND,
      .deny = "[{'match':'www.help.example','who':'w','why':'y',"
              "'review':'2027-11-22'}]"},
     "list/deny/www.help.example: is a lifeline, which no list closes"},
    {{.table = SOUND,
      .allow = "[{'match':'help.example/x','who':'w','why':'y',"
               "'review':'2027-11-22'}]"},
     "list/allow/help.example/x: is a lifeline already"},
    {{.table = SOUND,
      .deny = "[{'match':'learn.example','who':'w','why':'y',"
              "'review':'2027-11-22'}]"},
     "learning/learn.example: is on the learning list, but denied"},
    {{.table = SOUND, .lifelines = "[]"}, "lifelines: no place of help"},
    {{.table = SOUND, .learning = "[]"}, "learning: nothing to learn from"},
};

TEST(T6_each_contradiction_is_named_with_its_place_and_nothing_else_is)
{
    for (size_t i = 0; i < sizeof(contradictions) / sizeof(contradictions[0]); i++) {
        struct buf lines = {0};
        check(&contradictions[i].parts, &lines);
        struct str got = buf_str(&lines);
        if (!str_starts(got, str_from(contradictions[i].want)) ||
            str_index(got, '\n') + 1 != got.len) {
            fail_msg("wanted \"%s\" alone, got: %.*s", contradictions[i].want, STR_ARG(got));
        }
        buf_fini(&lines);
    }
}

TEST(R162_the_printed_policy_holds_every_row_with_its_cells)
{
    static const char *const words[] = {"A policy\n========\n",
                                        "bets: Betting",
                                        "sites of: gambling",
                                        "everyone         unacceptable",
                                        "from: R171",
                                        "no filter can enforce this",
                                        "the list few, 2 people here",
                                        "certain-times: lunch off-hours",
                                        "12:00-13:00 Mon-Fri  lunch",
                                        "off-hours: whenever it is not hours",
                                        "hours: 08:00-16:30 on: school-day",
                                        "term 2026-09-02 to 2026-12-18  Autumn",
                                        "closed 2026-11-20  INSET",
                                        "a.example: y (w; review 2027-11-22)",
                                        "help.example: help",
                                        "without a person: visitors"};
    struct policy *policy = test_policy(&(struct test_policy){
        .table = "[" BETS ",{'id':'t','label':'T','categories':['chat'],'cells':{'staff':{'level':"
                 "'certain-times','times':['off-hours','lunch']},'pupils':{'level':'nominated',"
                 "'nominated':'few'}}},{'id':'u','label':'U','categories':[],'enforced':false,"
                 "'cells':{}}]",
        .nominated = "[{'id':'few','people':['p-1','p-2']}]",
        .deny = "[{'match':'a.example','who':'w','why':'y','review':'2027-11-22'}]"});
    struct buf text = {0};
    buf_init(&text, 1 << 20);
    policy_show(policy, &text);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_find(buf_str(&text), str_from(words[i])) == text.len) {
            fail_msg("\"%s\" is not in:\n%.*s", words[i], STR_ARG(buf_str(&text)));
        }
    }
    buf_fini(&text);
    policy_free(policy);
}

TESTS_MAIN(unit(T6_a_sound_policy_has_no_findings),
           unit(T6_each_contradiction_is_named_with_its_place_and_nothing_else_is),
           unit(R162_the_printed_policy_holds_every_row_with_its_cells))

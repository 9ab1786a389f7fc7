/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is inspected and what is tunnelled; hellos that hide a name. */
#include "lib/decide.h"
#include "policy/show.h"

static const struct test_list lists[] = {
    {"banking", LIST_DOMAINS, "bank.example\ncarrier-bank.example\n"},
    {"health", LIST_DOMAINS, "clinic.example\n"},
    {"infrastructure", LIST_DOMAINS, "update.example\n"},
    {"gambling", LIST_DOMAINS, "bets.example\n"},
    {"support", LIST_DOMAINS, "advice.example\n"},
    {"health", LIST_URLS, "http://news.example/health\n"},
    {"gambling", LIST_URLS, "http://news.example/bets\n"},
    {"child-sexual-abuse", LIST_URLS,
     "http://carrier.example/a\nhttp://carrier-bank.example/a\nhttp://carrier-help.example/a\n"
     "http://carrier-own.example/a\n",
     true},
};

#define ENTRY(host) "{'match':'" host "','who':'w','why':'y','review':'2027-01-01'}"

struct fixture {
    struct catalog *catalog;
    struct policy *policy;
    struct question q;
};

static void set_up(struct fixture *fixture, const char *more, const char *group)
{
    const struct test_policy parts = {.lifelines = "[{'match':'help.example','why':'y'},"
                                                   "{'match':'carrier-help.example','why':'y'}]",
                                      .deny = "[" ENTRY("paths.example/closed") "]",
                                      .allow = "[" ENTRY("bets.example/rules") "]",
                                      .more = more};
    fixture->catalog = test_catalog(lists, sizeof(lists) / sizeof(lists[0]));
    fixture->policy = test_policy(&parts);
    question_init(&fixture->q, fixture->catalog, fixture->policy, NULL, group);
    fixture->q.request.kind = REQUEST_CONNECT;
}

static void tear_down(struct fixture *fixture)
{
    question_fini(&fixture->q);
    policy_free(fixture->policy);
    catalog_free(fixture->catalog);
}

static const char own[] = ",'never_inspect':[" ENTRY("own.example") "," ENTRY(
    "carrier-own.example") "],'never_inspect_categories':['support']";

static void expect_inspect(struct question *q, const char *url, bool inspect)
{
    if (ask(q, url)->inspect != inspect) {
        fail_msg("%s is%s inspected", url, inspect ? " not" : "");
    }
}

TEST(T5_a_group_is_inspected_but_for_what_never_is)
{
    static const struct {
        const char *url;
        bool inspect;
    } cases[] = {
        {"https://any.example/", true},        {"https://bets.example/", true},
        {"https://bank.example/", false},      {"https://www.bank.example/", false},
        {"https://clinic.example/", false},    {"https://update.example/", false},
        {"https://help.example/", false},      {"https://gate.internal/", false},
        {"https://own.example/", false},       {"https://below.own.example/", false},
        {"https://town.example/", true},       {"https://advice.example/", false},
        {"https://news.example/health", true}, {"https://carrier.example/", true},
    };
    struct fixture f = {0};
    set_up(&f, own, "ks2");
    f.q.request.inspected = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f.q.request.kind = REQUEST_CONNECT;
        expect_inspect(&f.q, cases[i].url, cases[i].inspect);
        f.q.request.kind = REQUEST_URL;
        expect_inspect(&f.q, cases[i].url, cases[i].inspect);
    }
    tear_down(&f);
}

TEST(T5_a_group_that_is_tunnelled_is_but_for_hosts_with_a_sealed_URL)
{
    struct fixture f = {0};
    set_up(&f, own, "visitors");
    f.q.request.inspected = true;
    expect_inspect(&f.q, "https://any.example/", false);
    expect_inspect(&f.q, "https://carrier.example/", true);
    tear_down(&f);
}

TEST(F1_T5_a_host_with_a_sealed_URL_is_inspected_whatever_else_it_is_or_refused)
{
    static const char *const hosts[] = {"https://carrier.example/", "https://carrier-bank.example/",
                                        "https://carrier-help.example/",
                                        "https://carrier-own.example/"};
    struct fixture f = {0};
    set_up(&f, own, "visitors");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        f.q.request.kind = REQUEST_CONNECT;
        f.q.request.inspected = true;
        assert_int_equal(ask(&f.q, hosts[i])->action, ACTION_ALLOW);
        assert_true(f.q.answer.inspect);
        f.q.request.inspected = false;
        expect_answer(&f.q, hosts[i], ACTION_BLOCK, REASON_SEALED_HOST, "sealed-host");
        assert_false(f.q.answer.inspect);
        f.q.request.kind = REQUEST_TUNNEL_RAW;
        f.q.request.inspected = true;
        expect_answer(&f.q, hosts[i], ACTION_BLOCK, REASON_SEALED_HOST, "sealed-host");
    }
    tear_down(&f);
}

TEST(T5_nothing_is_inspected_without_a_key_and_plain_HTTP_is_not_TLS)
{
    struct fixture f = {0};
    set_up(&f, "", "ks2");
    f.q.request.inspected = false;
    expect_inspect(&f.q, "https://any.example/", false);
    f.q.request.inspected = true;
    f.q.request.kind = REQUEST_URL;
    expect_inspect(&f.q, "http://any.example/", false);
    expect_inspect(&f.q, "https://any.example/", true);
    tear_down(&f);
}

TEST(T5_a_CONNECT_is_decided_by_its_host_and_what_is_inside_by_its_path)
{
    struct fixture f = {0};
    set_up(&f, "", "ks2");
    f.q.request.inspected = true;
    expect_answer(&f.q, "https://paths.example/", ACTION_ALLOW, REASON_UNCATEGORISED,
                  "uncategorised/ks2");
    expect_answer(&f.q, "https://news.example/", ACTION_ALLOW, REASON_UNCATEGORISED,
                  "uncategorised/ks2");
    expect_answer(&f.q, "https://bets.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    f.q.request.kind = REQUEST_URL;
    expect_answer(&f.q, "https://paths.example/closed/x", ACTION_BLOCK, REASON_LIST_DENY,
                  "list/deny/paths.example/closed");
    expect_answer(&f.q, "https://news.example/bets", ACTION_BLOCK, REASON_TABLE,
                  "table/bets/everyone");
    expect_answer(&f.q, "https://bets.example/rules", ACTION_ALLOW, REASON_LIST_ALLOW,
                  "list/allow/bets.example/rules");
    expect_answer(&f.q, "https://bets.example/", ACTION_BLOCK, REASON_TABLE, "table/bets/everyone");
    tear_down(&f);
}

static void say_hello(struct question *q, const char *sni, bool ech)
{
    memset(&q->hello, 0, sizeof(q->hello));
    q->hello.has_ech = ech;
    q->hello.has_sni = sni[0] != '\0';
    if (q->hello.has_sni) {
        assert_ok(host_parse(str_from(sni), &q->hello.sni));
    }
    q->request.kind = REQUEST_TLS;
    q->request.hello = &q->hello;
}

TEST(T5_a_name_that_is_never_inspected_does_not_hide_another)
{
    struct fixture f = {0};
    set_up(&f, "", "ks2");
    f.q.request.inspected = true;
    say_hello(&f.q, "any.example", false);
    expect_inspect(&f.q, "https://bank.example/", true);
    say_hello(&f.q, "bank.example", false);
    expect_inspect(&f.q, "https://any.example/", true);
    expect_inspect(&f.q, "https://bank.example/", false);
    tear_down(&f);
}

TEST(T5_what_was_asked_for_by_address_is_judged_by_the_name_in_its_hello)
{
    struct fixture f = {0};
    set_up(&f, "", "office");
    f.q.request.inspected = true;
    say_hello(&f.q, "bank.example", false);
    expect_inspect(&f.q, "https://192.0.2.7/", false);
    say_hello(&f.q, "any.example", false);
    expect_inspect(&f.q, "https://192.0.2.7/", true);
    say_hello(&f.q, "", false);
    expect_inspect(&f.q, "https://192.0.2.7/", true);
    tear_down(&f);
}

TEST(F20_an_encrypted_name_is_told_from_GREASE_by_the_name_beside_it)
{
    static const struct {
        const char *url;
        const char *sni;
        bool extension;
        bool ech;
    } cases[] = {
        {"https://any.example/", "any.example", true, false},
        {"https://any.example/", "cloudflare-ech.com", true, true},
        {"https://any.example/", "cloudflare-ech.com", false, false},
        {"https://cloudflare-ech.com/", "cloudflare-ech.com", true, true},
        {"https://any.example/", "front.example", true, true},
        {"https://any.example/", "front.example", false, false},
        {"https://any.example/", "", true, false},
        {"https://192.0.2.7/", "any.example", true, false},
        {"https://192.0.2.7/", "cloudflare-ech.com", true, true},
    };
    struct fixture f = {0};
    set_up(&f, "", "office");
    f.q.request.allow_ports = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        say_hello(&f.q, cases[i].sni, cases[i].extension);
        const struct policy_answer *answer = ask(&f.q, cases[i].url);
        assert_int_equal(answer->action, ACTION_ALLOW);
        if (answer->ech != cases[i].ech) {
            fail_msg("%s as %s", cases[i].url, cases[i].sni);
        }
    }
    tear_down(&f);
}

TEST(F20_an_encrypted_name_is_refused_where_the_group_s_tunnels_say_so)
{
    struct fixture f = {0};
    set_up(&f, "", "ks2");
    say_hello(&f.q, "cloudflare-ech.com", true);
    expect_answer(&f.q, "https://any.example/", ACTION_BLOCK, REASON_TUNNEL_ECH, "tunnel/ech");
    assert_true(f.q.answer.ech);
    say_hello(&f.q, "any.example", true);
    assert_int_equal(ask(&f.q, "https://any.example/")->action, ACTION_ALLOW);
    say_hello(&f.q, "cloudflare-ech.com", true);
    expect_answer(&f.q, "https://help.example/", ACTION_BLOCK, REASON_TUNNEL_ECH, "tunnel/ech");
    tear_down(&f);
}

TEST(T5_the_document_s_words_are_read_and_shown)
{
    struct fixture f = {0};
    struct buf shown = {0};
    buf_init(&shown, 1 << 20);
    set_up(&f, own, "ks2");
    policy_show(f.policy, &shown);
    assert_true(str_find(buf_str(&shown), STR("HTTPS: inspected")) != shown.len);
    assert_true(str_find(buf_str(&shown), STR("HTTPS: tunnelled")) != shown.len);
    assert_true(str_find(buf_str(&shown), STR("own.example: y (w; review 2027-01-01)")) !=
                shown.len);
    assert_true(str_find(buf_str(&shown), STR("sites of: banking health support infrastructure")) !=
                shown.len);
    buf_fini(&shown);
    tear_down(&f);
}

TEST(T5_words_that_say_nothing_are_refused)
{
    static const char *const cases[] = {
        ",'never_inspect':[" ENTRY("own.example/path") "]",
        ",'never_inspect':[{'match':'own.example'}]",
        ",'never_inspect':'own.example'",
        ",'never_inspect_categories':['nothing-like-it']",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf text = {0};
        struct buf why = {0};
        struct policy *policy = NULL;
        buf_init(&text, 1 << 20);
        buf_init(&why, 1 << 20);
        test_document(&(struct test_policy){.more = cases[i]}, &text);
        assert_err(policy_parse(buf_str(&text), &policy, &why), ERR_INVALID);
        assert_true(str_find(buf_str(&why), STR("never_inspect")) != why.len);
        buf_fini(&text);
        buf_fini(&why);
    }
}

TESTS_MAIN(unit(T5_a_group_is_inspected_but_for_what_never_is),
           unit(T5_a_group_that_is_tunnelled_is_but_for_hosts_with_a_sealed_URL),
           unit(F1_T5_a_host_with_a_sealed_URL_is_inspected_whatever_else_it_is_or_refused),
           unit(T5_nothing_is_inspected_without_a_key_and_plain_HTTP_is_not_TLS),
           unit(T5_a_CONNECT_is_decided_by_its_host_and_what_is_inside_by_its_path),
           unit(T5_a_name_that_is_never_inspected_does_not_hide_another),
           unit(T5_what_was_asked_for_by_address_is_judged_by_the_name_in_its_hello),
           unit(F20_an_encrypted_name_is_told_from_GREASE_by_the_name_beside_it),
           unit(F20_an_encrypted_name_is_refused_where_the_group_s_tunnels_say_so),
           unit(T5_the_document_s_words_are_read_and_shown),
           unit(T5_words_that_say_nothing_are_refused))

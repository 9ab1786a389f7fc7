/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/test.h"

#include <string.h>

#include "web/web_impl.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
#define OURS "https://lodge.example:8443"
enum { NOW_S = 1790000000 };

static enum web_next nothing(struct web_exchange *exchange)
{
    (void)exchange;
    return WEB_DONE;
}

/* A request in a session of this stage, as JSON would be answered. */
struct rig {
    struct web web;
    struct arena arena;
    struct web_request request;
    struct web_exchange exchange;
    struct web_form form;
    struct web_route route;
};

static void begin(struct rig *rig, enum web_method method, enum web_guard guard,
                  enum session_stage stage)
{
    *rig = (struct rig){.form.n_files = 0};
    arena_init(&rig->arena, 1 << 20);
    rig->request = (struct web_request){
        .method = method,
        .path = STR("/records/people"),
        .host = STR("lodge.example:8443"),
        .now_ms = (int64_t)NOW_S * 1000,
    };
    rig->exchange.web = &rig->web;
    rig->exchange.request = &rig->request;
    rig->exchange.arena = &rig->arena;
    rig->exchange.form = &rig->form;
    rig->exchange.session.stage = stage;
    if (stage != SESSION_NONE) {
        memcpy(rig->exchange.session.csrf, TOKEN, sizeof(TOKEN));
    }
    buf_init(&rig->exchange.headers, WEB_HEADERS_MAX);
    buf_init(&rig->exchange.body, WEB_ANSWER_MAX);
    rig->exchange.wants_json = true;
    rig->route =
        (struct web_route){.method = method, .path = STR("/"), .handler = nothing, .guard = guard};
}

/* 0: let through; else the status. */
static unsigned pass(struct rig *rig)
{
    unsigned status = web_guard_pass(&rig->exchange, &rig->route) ? 0 : rig->exchange.status;
    rig->exchange.form = NULL; /* ours */
    web_exchange_fini(&rig->exchange);
    arena_fini(&rig->arena);
    return status;
}

TEST(S2_each_stage_of_a_session_opens_its_own_pages)
{
    static const struct {
        enum web_guard guard;
        enum session_stage stage;
        int64_t factor_ago_s; /* -1: not shown */
        unsigned want;
    } rows[] = {
        {GUARD_OPEN, SESSION_NONE, -1, 0},         {GUARD_SIGNING, SESSION_NONE, -1, 401},
        {GUARD_SIGNED, SESSION_NONE, -1, 401},     {GUARD_FACTOR, SESSION_NONE, -1, 401},
        {GUARD_OPEN, SESSION_PASSWORD, -1, 0},     {GUARD_SIGNING, SESSION_PASSWORD, -1, 0},
        {GUARD_SIGNED, SESSION_PASSWORD, -1, 403}, {GUARD_FACTOR, SESSION_PASSWORD, -1, 403},
        {GUARD_SIGNING, SESSION_WHOLE, -1, 0},     {GUARD_SIGNED, SESSION_WHOLE, -1, 0},
        {GUARD_FACTOR, SESSION_WHOLE, -1, 403},    {GUARD_FACTOR, SESSION_WHOLE, 0, 0},
        {GUARD_FACTOR, SESSION_WHOLE, 599, 0},     {GUARD_FACTOR, SESSION_WHOLE, 600, 403},
        {GUARD_FACTOR, SESSION_WHOLE, -60, 403}, /* a clock set back */
        {GUARD_UNSET, SESSION_WHOLE, 0, 403},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, WEB_GET, rows[i].guard, rows[i].stage);
        if (rows[i].factor_ago_s != -1) {
            rig.exchange.session.factor_ms = ((int64_t)NOW_S - rows[i].factor_ago_s) * 1000;
        }
        unsigned got = pass(&rig);
        if (got != rows[i].want) {
            fail_msg("row %zu: got %u, want %u", i, got, rows[i].want);
        }
    }
}

TEST(only_what_may_have_changed_something_concerns_the_gate)
{
    static const struct {
        enum web_method method;
        const char *path;
        unsigned status;
        bool want;
    } rows[] = {
        {WEB_POST, "/records/people/new", 303, true},
        {WEB_POST, "/records/people/new", 422, false},
        {WEB_POST, "/records/people/new", 409, false},
        {WEB_POST, "/records/people/new", 500, true}, /* perhaps behind its commit */
        {WEB_POST, "/records/people/new", 503, true},
        {WEB_GET, "/records/people/new", 200, false},
        {WEB_POST, "/accounts/abc/reset", 200, true},
        {WEB_POST, "/account/compromised", 303, true},
        {WEB_POST, "/sign-in/password", 303, true},
        {WEB_POST, "/sign-in", 303, false},
        {WEB_POST, "/sign-in/factor", 303, false},
        {WEB_POST, "/sign-out", 303, false},
        {WEB_GET, "/sign-in/back", 303, true}, /* at the gate */
        {WEB_POST, "/gate/sign-out", 303, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct web_request request = {.method = rows[i].method,
                                            .path = str_from(rows[i].path)};
        const struct web_exchange exchange = {.request = &request, .status = rows[i].status};
        if (web_concerns_gate(&exchange) != rows[i].want) {
            fail_msg("row %zu: %s", i, rows[i].path);
        }
    }
}

TEST(only_a_form_of_this_session_changes_anything)
{
    static const struct {
        const char *origin, *site, *field, *header;
        unsigned want;
    } rows[] = {
        {OURS, "same-origin", TOKEN, "", 0},
        {OURS, "same-origin", "", TOKEN, 0},
        {"", "", TOKEN, "", 0}, /* a program */
        {"HTTPS://x", "", TOKEN, "", 403},
        {"https://LODGE.example:8443", "", TOKEN, "", 0},
        {OURS, "same-origin", "", "", 403},
        {OURS, "same-origin", "abc", "", 403},
        {OURS, "same-origin", TOKEN "x", "", 403},
        {OURS, "same-origin", TOKEN, "abc", 403},
        {"https://lodge.example", "", TOKEN, "", 403},
        {"https://lodge.example:8443.attacker.example", "", TOKEN, "", 403},
        {"https://attacker.example", "cross-site", TOKEN, "", 403},
        {"null", "", TOKEN, "", 403},
        {"http://lodge.example:8443", "", TOKEN, "", 403},
        {OURS, "same-site", TOKEN, "", 403},
        {"", "cross-site", TOKEN, "", 403},
        {"", "none", TOKEN, "", 403},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, WEB_POST, GUARD_SIGNED, SESSION_WHOLE);
        rig.request.origin = str_from(rows[i].origin);
        rig.request.fetch_site = str_from(rows[i].site);
        rig.request.csrf = str_from(rows[i].header);
        rig.form.csrf = str_from(rows[i].field);
        unsigned got = pass(&rig);
        if (got != rows[i].want) {
            fail_msg("row %zu: got %u, want %u", i, got, rows[i].want);
        }
    }
}

TEST(nobody_is_signed_in_by_a_form_from_elsewhere)
{
    static const struct {
        const char *origin, *site, *type;
        unsigned want;
    } rows[] = {
        {OURS, "same-origin", "application/x-www-form-urlencoded", 0},
        {"", "same-origin", "application/x-www-form-urlencoded", 0},
        {"", "", "application/x-www-form-urlencoded", 403},
        {"", "", "application/json; charset=utf-8", 0},
        {"null", "", "application/json", 403},
        {"https://attacker.example", "cross-site", "application/x-www-form-urlencoded", 403},
        {"https://attacker.example", "", "application/json", 403},
        {"", "", "text/plain", 403},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, WEB_POST, GUARD_OPEN, SESSION_NONE);
        rig.request.origin = str_from(rows[i].origin);
        rig.request.fetch_site = str_from(rows[i].site);
        rig.request.content_type = str_from(rows[i].type);
        unsigned got = pass(&rig);
        if (got != rows[i].want) {
            fail_msg("row %zu: got %u, want %u", i, got, rows[i].want);
        }
    }
}

TEST(a_page_that_needs_a_session_leads_to_one_and_back)
{
    struct rig rig;
    begin(&rig, WEB_GET, GUARD_SIGNED, SESSION_NONE);
    rig.exchange.wants_json = false;
    rig.request.query = STR("page=2&q=a%26b");
    assert_false(web_guard_pass(&rig.exchange, &rig.route));
    assert_int_equal(rig.exchange.status, 303);
    assert_str_eq(buf_str(&rig.exchange.headers),
                  STR("Location: /sign-in?next=%2Frecords%2Fpeople%3Fpage%3D2%26q%3Da%2526b\r\n"));
    (void)pass(&rig);
}

TEST(json_is_answered_where_it_is_wanted_more)
{
    static const struct {
        const char *accept;
        bool sent, want;
    } rows[] = {
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false, false},
        {"application/json", false, true},
        {"APPLICATION/JSON; charset=utf-8", false, true},
        {"application/json, text/html", false, false},
        {"application/json, text/html;q=0.9", false, true},
        {"application/json;q=0.5, text/html;q=0.55", false, false},
        {"application/json;q=0, */*", false, false},
        {"application/*", false, true},
        {"*/*", false, false},
        {"*/*", true, true},
        {"", false, false},
        {"", true, true},
        {"text/html", true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (web_accept_json(str_from(rows[i].accept), rows[i].sent) != rows[i].want) {
            fail_msg("row %zu: \"%s\"", i, rows[i].accept);
        }
    }
}

TESTS_MAIN(unit(S2_each_stage_of_a_session_opens_its_own_pages),
           unit(only_what_may_have_changed_something_concerns_the_gate),
           unit(only_a_form_of_this_session_changes_anything),
           unit(nobody_is_signed_in_by_a_form_from_elsewhere),
           unit(a_page_that_needs_a_session_leads_to_one_and_back),
           unit(json_is_answered_where_it_is_wanted_more))

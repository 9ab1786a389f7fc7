/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages of the policy, behind the guard. */
#include "web/policy_impl.h"

#include "lib/policy.h"
#include "lib/put.h"
#include "lib/store.h"
#include "web/route.h"

enum { TEXT_MAX = 1 << 20 };

#define TABLE                                                         \
    "[{'id':'games','label':'Games','categories':['games'],'cells':{" \
    "'everyone':{'level':'unacceptable'},"                            \
    "'staff':{'level':'certain-times','times':['lunch']}}}]"

struct rig {
    struct test_store at;
    struct keys *keys;
    struct web web;
    struct arena arena;
    struct web_request request;
    struct web_exchange exchange;
    struct web_form form;
};

static void open_rig(struct rig *rig)
{
    const struct store_value values[] = {store_text(STR("school-1")), store_text(STR("Invented")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    struct actor actor = {.school = STR("school-1"), .operator= true, .now_ms = 1};
    struct engine engine = {0};
    struct buf document;
    struct buf why;
    *rig = (struct rig){0};
    test_store_open(&rig->at);
    buf_init(&document, TEXT_MAX);
    buf_init(&why, TEXT_MAX);
    test_document(&(struct test_policy){.table = TABLE}, &document);
    engine.store = rig->at.store;
    assert_ok(store_begin(rig->at.store, STR("school-1"), STORE_WRITE));
    assert_ok(store_run(rig->at.store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
    assert_ok(school_policy_keep_first(&engine, &actor, buf_str(&document), STR("first"), &why));
    assert_ok(store_commit(rig->at.store));
    buf_fini(&document);
    assert_ok(keys_open(rig->at.folder, &rig->keys, &why));
    buf_fini(&why);
    rig->web.options =
        (struct web_options){.store = rig->at.store, .keys = rig->keys, .school = STR("Invented")};
    arena_init(&rig->arena, 64 << 20);
}

static void fini_exchange(struct rig *rig)
{
    web_exchange_fini(&rig->exchange);
    rig->form = (struct web_form){0};
}

static void close_rig(struct rig *rig)
{
    fini_exchange(rig);
    arena_fini(&rig->arena);
    keys_close(rig->keys);
    test_store_close(&rig->at);
}

/* One request as somebody with these roles; form: JSON, or NULL. */
static void ask(struct rig *rig, web_handler *handler, unsigned roles, const char *first,
                const char *second, const char *form)
{
    fini_exchange(rig);
    rig->request = (struct web_request){
        .method = form != NULL ? WEB_POST : WEB_GET, .path = STR("/policy"), .now_ms = 2};
    rig->exchange = (struct web_exchange){
        .web = &rig->web,
        .request = &rig->request,
        .arena = &rig->arena,
        .actor = {.school = STR("school-1"), .person = STR("p-1"), .roles = roles, .now_ms = 2},
        .session.stage = SESSION_WHOLE,
        .parameters = {str_from(first), str_from(second)},
        .form = &rig->form,
    };
    buf_init(&rig->exchange.headers, 1 << 14);
    buf_init(&rig->exchange.body, 1 << 22);
    rig->form.fields = json_loads(form != NULL ? form : "{}", 0, NULL);
    assert_non_null(rig->form.fields);
    assert_int_equal(handler(&rig->exchange), WEB_DONE);
}

static bool says(const struct rig *rig, const char *words)
{
    struct str body = buf_str(&rig->exchange.body);
    return str_find(body, str_from(words)) != body.len;
}

static const unsigned HEAD = 1U << ROLE_head;

TEST(the_policy_is_read_in_words_and_changed_by_whoever_may)
{
    struct rig rig;
    open_rig(&rig);
    ask(&rig, web_policy, HEAD, "", "", NULL);
    assert_int_equal(rig.exchange.status, 200);
    assert_true(says(&rig, "Acceptable at certain times: lunch"));
    assert_true(says(&rig, "href=\"/policy/rows/games/ks2\""));
    ask(&rig, web_policy, 1U << ROLE_teacher, "", "", NULL);
    assert_int_equal(rig.exchange.status, 200);
    assert_false(says(&rig, "/policy/rows/"));
    assert_false(says(&rig, "/policy.json"));
    ask(&rig, web_policy, 1U << ROLE_pupil, "", "", NULL);
    assert_int_equal(rig.exchange.status, 404);
    ask(&rig, web_policy_document, 1U << ROLE_teacher, "", "", NULL);
    assert_int_equal(rig.exchange.status, 403);
    ask(&rig, web_policy_document, HEAD, "", "", NULL);
    assert_true(says(&rig, "\"lodge_policy\": 1"));
    close_rig(&rig);
}

TEST(a_cell_is_changed_with_a_reason_and_concerns_the_gate)
{
    struct rig rig;
    open_rig(&rig);
    ask(&rig, web_policy_cell_form, HEAD, "games", "teachers", NULL);
    assert_int_equal(rig.exchange.status, 200);
    ask(&rig, web_policy_cell, HEAD, "games", "teachers",
        "{\"for\":\"staff\",\"level\":\"certain-times\",\"time-off-hours\":\"\",\"seen\":\"1\","
        "\"why\":\"Lunch is for lunch\"}");
    assert_int_equal(rig.exchange.status, 303);
    assert_true(web_concerns_gate(&rig.exchange));
    ask(&rig, web_policy, HEAD, "", "", NULL);
    assert_true(says(&rig, "Acceptable at certain times: off-hours"));
    assert_true(says(&rig, "Lunch is for lunch"));
    ask(&rig, web_policy_history, HEAD, "", "", NULL);
    assert_true(says(&rig, "/policy/versions/1"));
    ask(&rig, web_policy_restore, HEAD, "1", "", "{\"why\":\"It was better\"}");
    assert_int_equal(rig.exchange.status, 303);
    assert_true(web_concerns_gate(&rig.exchange));
    ask(&rig, web_policy, HEAD, "", "", NULL);
    assert_true(says(&rig, "Acceptable at certain times: lunch"));
    assert_true(says(&rig, "Version 3"));
    close_rig(&rig);
}

TEST(what_is_refused_is_shown_again_with_what_was_typed)
{
    struct rig rig;
    open_rig(&rig);
    ask(&rig, web_policy_cell, HEAD, "games", "ks2",
        "{\"for\":\"ks2\",\"level\":\"open\",\"seen\":\"1\",\"why\":\"A <b>game</b>\"}");
    assert_int_equal(rig.exchange.status, 400);
    assert_true(says(&rig, "There is a problem"));
    assert_true(says(&rig, "A &lt;b&gt;game&lt;/b&gt;"));
    ask(&rig, web_policy_cell, HEAD, "games", "ks2",
        "{\"for\":\"ks2\",\"level\":\"acceptable\",\"seen\":\"7\",\"why\":\"late\"}");
    assert_int_equal(rig.exchange.status, 409);
    ask(&rig, web_policy_time, HEAD, "hours", "",
        "{\"day-school-day\":\"\",\"from\":\"25:00\",\"to\":\"16:30\",\"seen\":\"1\",\"why\":"
        "\"x\"}");
    assert_int_equal(rig.exchange.status, 400);
    assert_true(says(&rig, "25:00"));
    ask(&rig, web_policy_upload, HEAD, "", "", "{\"seen\":\"1\",\"why\":\"x\"}");
    assert_int_equal(rig.exchange.status, 400);
    assert_false(web_concerns_gate(&rig.exchange));
    close_rig(&rig);
}

TEST(a_time_is_changed_and_what_follows_another_is_not)
{
    struct rig rig;
    open_rig(&rig);
    ask(&rig, web_policy_time_form, HEAD, "hours", "", NULL);
    assert_int_equal(rig.exchange.status, 200);
    ask(&rig, web_policy_time, HEAD, "hours", "",
        "{\"day-school-day\":\"\",\"from\":\"08:15\",\"to\":\"16:00\",\"seen\":\"1\",\"why\":"
        "\"x\"}");
    assert_int_equal(rig.exchange.status, 303);
    ask(&rig, web_policy_time, HEAD, "lunch", "",
        "{\"periods\":[\"lesson\"],\"seen\":2,\"why\":\"x\"}");
    assert_int_equal(rig.exchange.status, 303);
    ask(&rig, web_policy, HEAD, "", "", NULL);
    assert_true(says(&rig, "School days, 08:15 to 16:00"));
    ask(&rig, web_policy_time_form, HEAD, "off-hours", "", NULL);
    assert_int_equal(rig.exchange.status, 404);
    close_rig(&rig);
}

TEST(a_fixed_policy_is_read_and_not_changed)
{
    static web_handler *const handlers[] = {web_policy_cell_form, web_policy_cell,
                                            web_policy_upload_form, web_policy_upload};
    struct rig rig;
    open_rig(&rig);
    rig.web.options.policy_fixed = true;
    ask(&rig, web_policy, HEAD, "", "", NULL);
    assert_true(says(&rig, "--policy"));
    assert_false(says(&rig, "/policy/rows/"));
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        ask(&rig, handlers[i], HEAD, "games", "ks2",
            "{\"level\":\"acceptable\",\"seen\":\"1\",\"why\":\"x\"}");
        assert_int_equal(rig.exchange.status, 403);
    }
    close_rig(&rig);
}

TESTS_MAIN(unit(the_policy_is_read_in_words_and_changed_by_whoever_may),
           unit(a_cell_is_changed_with_a_reason_and_concerns_the_gate),
           unit(what_is_refused_is_shown_again_with_what_was_typed),
           unit(a_time_is_changed_and_what_follows_another_is_not),
           unit(a_fixed_policy_is_read_and_not_changed))

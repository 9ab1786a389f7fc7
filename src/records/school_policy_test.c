/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A school's policy: who may change it, what is never kept, and versions. */
#include "records/school_policy.h"

#include "lib/policy.h"
#include "lib/put.h"
#include "lib/store.h"

enum { TEXT_MAX = 1 << 20 };

#define TABLE                                                         \
    "[{'id':'games','label':'Games','categories':['games'],'cells':{" \
    "'everyone':{'level':'unacceptable'},"                            \
    "'staff':{'level':'certain-times','times':['lunch']}}}]"

struct school {
    struct test_store at;
    struct engine engine;
    struct actor actor;
    struct buf document;
    struct buf why;
};

static void open_school(struct school *school)
{
    const struct store_value values[] = {store_text(STR("school-1")), store_text(STR("Invented")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    *school = (struct school){0};
    test_store_open(&school->at);
    school->engine.store = school->at.store;
    school->actor = (struct actor){
        .school = STR("school-1"), .person = STR("p-1"), .now_ms = 1, .roles = 1U << ROLE_head};
    buf_init(&school->document, TEXT_MAX);
    buf_init(&school->why, TEXT_MAX);
    test_document(&(struct test_policy){.table = TABLE,
                                        .more = ",'members':[{'group':'ks1','kind':'pupil',"
                                                "'years':['1']}]"},
                  &school->document);
    assert_ok(store_begin(school->at.store, STR("school-1"), STORE_WRITE));
    assert_ok(store_run(school->at.store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
    test_put(school->at.store, STR("school-1"), "person", "p-1", "here", "kind=staff name=Grace");
    assert_ok(school_policy_keep_first(&school->engine, &school->actor, buf_str(&school->document),
                                       STR("the preset"), &school->why));
    assert_ok(store_commit(school->at.store));
}

static void close_school(struct school *school)
{
    buf_fini(&school->document);
    buf_fini(&school->why);
    test_store_close(&school->at);
}

static json_t *get(struct school *school, int64_t number)
{
    json_t *version = NULL;
    assert_ok(school_policy_get(&school->engine, &school->actor, number, &version));
    return version;
}

/* Keeps the last version with one cell changed. */
static enum err keep_cell(struct school *school, const char *group, const char *cell, int64_t seen,
                          const char *words, int64_t *ret_number)
{
    json_t *version = get(school, 0);
    json_t *document = json_object_get(version, "document");
    json_t *made = json_loads(cell, 0, NULL);
    struct school_policy_change change = {
        .verb = VERB_change,
        .document = document,
        .words = str_from(words),
        .seen = seen,
        .field = STR("table.games"),
        .value = str_from(cell),
    };
    assert_non_null(made);
    buf_clear(&school->why);
    assert_ok(school_policy_set_cell(document, STR("games"), str_from(group), made));
    enum err err =
        school_policy_keep(&school->engine, &school->actor, &change, ret_number, &school->why);
    json_decref(version);
    return err;
}

static void expect_words(struct school *school, const char *group, const char *want)
{
    json_t *version = get(school, 0);
    const json_t *document = json_object_get(version, "document");
    const json_t *row = school_policy_item(document, "table", STR("games"));
    struct str own;
    struct buf words;
    buf_init(&words, 4096);
    const json_t *cell = school_policy_cell(document, row, str_from(group), &own);
    school_policy_words(document, cell, &words);
    assert_str_eq(buf_str(&words), str_from(want));
    buf_fini(&words);
    json_decref(version);
}

TEST(a_cell_changes_as_a_new_version_with_its_reason)
{
    struct school school;
    int64_t number = 0;
    json_t *history = NULL;
    open_school(&school);
    expect_words(&school, "teachers", "Acceptable at certain times: lunch");
    expect_words(&school, "ks2", "Unacceptable");
    assert_ok(keep_cell(&school, "ks2", "{\"level\":\"acceptable\"}", 1, "A games week", &number));
    assert_int_equal(number, 2);
    expect_words(&school, "ks2", "Acceptable");
    expect_words(&school, "ks1", "Unacceptable");
    assert_ok(school_policy_history(&school.engine, &school.actor, 0, &history));
    const json_t *items = json_object_get(history, "items");
    assert_int_equal(json_array_size(items), 2);
    const json_t *newest = json_array_get(items, 0);
    assert_string_equal(json_string_value(json_object_get(newest, "words")), "A games week");
    assert_string_equal(json_string_value(json_object_get(newest, "by")), "Grace");
    json_decref(history);
    json_t *first = get(&school, 1);
    assert_true(json_is_false(json_object_get(first, "last")));
    json_decref(first);
    close_school(&school);
}

TEST(who_may_not_change_the_policy_changes_nothing)
{
    static const struct {
        enum role role;
        bool see, change;
    } cases[] = {
        {ROLE_head, true, true},      {ROLE_lead, true, true},    {ROLE_teacher, true, false},
        {ROLE_governor, true, false}, {ROLE_pupil, false, false}, {ROLE_parent, false, false},
    };
    struct school school;
    open_school(&school);
    int64_t seen = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *version = NULL;
        int64_t number = 0;
        school.actor.roles = 1U << ROLE_head;
        json_t *last = get(&school, 0);
        struct school_policy_change change = {
            .verb = VERB_change,
            .document = json_object_get(last, "document"),
            .words = STR("again"),
            .seen = seen,
        };
        school.actor.roles = 1U << cases[i].role;
        assert_err(school_policy_get(&school.engine, &school.actor, 0, &version),
                   cases[i].see ? ERR_OK : ERR_NOT_FOUND);
        json_decref(version);
        assert_err(school_policy_keep(&school.engine, &school.actor, &change, &number, &school.why),
                   cases[i].change ? ERR_OK : ERR_DENIED);
        seen += cases[i].change;
        json_decref(last);
    }
    close_school(&school);
}

TEST(two_people_at_once_do_not_undo_each_other)
{
    struct school school;
    int64_t number = 0;
    open_school(&school);
    assert_ok(keep_cell(&school, "ks2", "{\"level\":\"acceptable\"}", 1, "first", &number));
    assert_err(keep_cell(&school, "ks1", "{\"level\":\"acceptable\"}", 1, "second", &number),
               ERR_CONFLICT);
    expect_words(&school, "ks1", "Unacceptable");
    close_school(&school);
}

TEST(a_document_that_must_not_be_used_is_never_kept)
{
    static const struct {
        const char *cell, *words, *want;
    } cases[] = {
        {"{\"level\":\"open\"}", "why", "is not known"},
        {"{\"level\":\"certain-times\",\"times\":[\"tea\"]}", "why", "no time has the id"},
        {"{\"level\":\"acceptable\"}", "  ", "Say why"},
    };
    struct school school;
    int64_t number = 0;
    open_school(&school);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_err(keep_cell(&school, "ks2", cases[i].cell, 1, cases[i].words, &number),
                   ERR_INVALID);
        if (str_find(buf_str(&school.why), str_from(cases[i].want)) == school.why.len) {
            fail_msg("\"%s\" is not in: %.*s", cases[i].want, STR_ARG(buf_str(&school.why)));
        }
    }
    expect_words(&school, "ks2", "Unacceptable");
    close_school(&school);
}

TEST(rules_name_kinds_years_and_roles_that_the_records_know)
{
    static const struct {
        const char *rule, *want;
    } cases[] = {
        {"{'group':'ks1','kind':'toddler'}", "\"toddler\""},
        {"{'group':'ks1','years':['14']}", "\"14\""},
        {"{'group':'ks1','roles':['captain']}", "\"captain\""},
    };
    struct school school;
    open_school(&school);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char more[256];
        struct buf text;
        int64_t number = 0;
        snprintf(more, sizeof(more), ",'members':[%s]", cases[i].rule);
        buf_init(&text, TEXT_MAX);
        test_document(&(struct test_policy){.more = more}, &text);
        struct school_policy_change change = {
            .verb = VERB_bring, .text = buf_str(&text), .words = STR("why"), .seen = 1};
        buf_clear(&school.why);
        assert_err(school_policy_keep(&school.engine, &school.actor, &change, &number, &school.why),
                   ERR_INVALID);
        assert_int_not_equal(str_find(buf_str(&school.why), str_from(cases[i].want)),
                             school.why.len);
        buf_fini(&text);
    }
    close_school(&school);
}

TEST(a_document_from_outside_becomes_a_version_once)
{
    struct school school;
    open_school(&school);
    struct actor operator= {.school = STR("school-1"), .operator= true, .now_ms = 2};
    struct buf other;
    buf_init(&other, TEXT_MAX);
    test_document(&(struct test_policy){.table = TABLE}, &other);
    const struct str texts[] = {buf_str(&school.document), buf_str(&other), buf_str(&other)};
    const int64_t want[] = {1, 2, 2};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(school_policy_keep_given(&school.engine, &operator, texts[i], STR("--policy"),
                                           &school.why));
        json_t *version = get(&school, 0);
        assert_int_equal(json_integer_value(json_object_get(version, "number")), want[i]);
        json_decref(version);
    }
    buf_fini(&other);
    close_school(&school);
}

TEST(T6_the_checker_speaks_of_what_is_left_open)
{
    struct school school;
    json_t *findings = NULL;
    int64_t number = 0;
    open_school(&school);
    assert_ok(keep_cell(&school, "ks2", "{\"level\":\"certain-times\",\"times\":[]}", 1, "later",
                        &number));
    json_t *version = get(&school, 0);
    assert_ok(
        school_policy_findings(json_object_get(version, "document"), 1795000000000, &findings));
    char *text = json_dumps(findings, 0);
    assert_non_null(strstr(text, "games"));
    free(text);
    json_decref(findings);
    json_decref(version);
    close_school(&school);
}

TESTS_MAIN(unit(a_cell_changes_as_a_new_version_with_its_reason),
           unit(who_may_not_change_the_policy_changes_nothing),
           unit(two_people_at_once_do_not_undo_each_other),
           unit(a_document_that_must_not_be_used_is_never_kept),
           unit(rules_name_kinds_years_and_roles_that_the_records_know),
           unit(a_document_from_outside_becomes_a_version_once),
           unit(T6_the_checker_speaks_of_what_is_left_open))

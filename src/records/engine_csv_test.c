/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/records.h"

static struct str export(struct school *at, const struct actor *actor, const char *name,
                         const char *search)
{
    struct buf csv;
    const struct engine_query query = {.search = str_from(search), .sort = STR("name")};
    buf_init(&csv, 1 << 20);
    assert_ok(engine_export_csv(&at->engine, actor, school_register(name), &query, &csv));
    struct str text = arena_dup(&at->arena, buf_str(&csv));
    buf_fini(&csv);
    return text;
}

static json_t *import(struct school *at, const struct actor *actor, const char *name,
                      struct str csv, bool dry, enum err want)
{
    json_t *report = NULL;
    assert_err(engine_import_csv(&at->engine, actor, school_register(name), csv, dry, &report),
               want);
    return report;
}

static void assert_counts(json_t *report, int rows, int made, int changed, size_t faults)
{
    const json_t *list = json_object_get(report, "faults");
    if (json_array_size(list) != faults) {
        char *text = json_dumps(report, 0);
        fail_msg("%s", text);
    }
    assert_int_equal(json_integer_value(json_object_get(report, "rows")), rows);
    assert_int_equal(json_integer_value(json_object_get(report, "made")), made);
    assert_int_equal(json_integer_value(json_object_get(report, "changed")), changed);
    json_decref(report);
}

static int count(struct school *at, const struct actor *actor, const char *name)
{
    json_t *document = NULL;
    assert_ok(engine_list(&at->engine, actor, school_register(name), &(struct engine_query){0},
                          &document));
    int total = (int)json_integer_value(json_object_get(document, "total"));
    json_decref(document);
    return total;
}

TEST(what_is_exported_comes_back_as_it_was)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    (void)school_add(&at, "person",
                     school_json("{'name': '=cmd()', 'kind': 'pupil', 'born': '2018-03-27',"
                                 " 'email': 'ada@oak.example', 'phone': '020 7946 0018'}"));
    struct str csv = export(&at, &head, "person", "");
    assert_true(str_find(csv, STR("'=cmd()")) < csv.len);
    assert_true(str_find(csv, STR("2018-03-27")) < csv.len);
    assert_counts(import(&at, &head, "person", csv, false, ERR_OK), 2, 0, 0, 0);
    assert_int_equal(count(&at, &head, "person"), 2);
    school_close(&at);
}

TEST(an_import_makes_changes_and_finds_by_unique_values)
{
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct str first = STR("name,Kind,log_on,Unique pupil number,year\r\n"
                           "Ada Price,pupil,ada,Z820200000001,2\r\n"
                           "Ben Stone,Pupil,ben,,Year 3\r\n");
    assert_counts(import(&at, &office, "person", first, true, ERR_OK), 2, 2, 0, 0);
    assert_int_equal(count(&at, &office, "person"), 1);
    assert_counts(import(&at, &office, "person", first, false, ERR_OK), 2, 2, 0, 0);
    assert_counts(import(&at, &office, "person", first, false, ERR_OK), 2, 0, 0, 0);
    struct str again = STR("name;kind;upn;year\n"
                           "Ada Price-Hill;pupil;Z820200000001;3\n"
                           "Cara Wood;pupil;;1\n");
    assert_counts(import(&at, &office, "person", again, false, ERR_OK), 2, 1, 1, 0);
    assert_int_equal(count(&at, &office, "person"), 4);
    school_close(&at);
}

TEST(an_import_replaces_what_it_cannot_see)
{
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct record_id ada = school_add(
        &at, "person",
        school_json("{'name': 'Ada', 'kind': 'pupil', 'log_on': 'ada', 'looked_after': 'no'}"));
    json_t *faults = NULL;
    json_t *input = school_json("{'looked_after': 'yes'}");
    assert_err(engine_change(&at.engine, &office, school_register("person"), school_id(&ada), 1,
                             input, STR(""), &faults),
               ERR_INVALID);
    assert_non_null(json_object_get(faults, "looked_after"));
    json_decref(faults);
    json_decref(input);
    assert_counts(
        import(&at, &office, "person", STR("log_on,looked_after\nada,yes\n"), false, ERR_OK), 1, 0,
        1, 0);
    school_close(&at);
}

TEST(one_bad_row_and_nothing_is_stored_and_every_fault_is_told)
{
    static const struct {
        const char *csv;
        int rows;
        size_t faults;
    } cases[] = {
        {"name,kind\nAda,pupil\nBen,wizard\n,pupil\n", 3, 2},
        {"name,kind,shoe size\nAda,pupil,3\n", 1, 1},
        {"name,name,kind\nAda,Ada,pupil\n", 1, 1},
        {"what,is,this\n", 0, 4},
        {"", 0, 1},
        {"name,kind\n", 0, 1},
        {"Record,name\naaaaaaaaaaaaaaaaaaaaaaaaaa,Ada\n", 1, 1},
    };
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *report = import(&at, &office, "person", str_from(cases[i].csv), false, ERR_INVALID);
        assert_int_equal(json_array_size(json_object_get(report, "faults")), cases[i].faults);
        assert_int_equal(json_integer_value(json_object_get(report, "rows")), cases[i].rows);
        json_decref(report);
    }
    assert_int_equal(count(&at, &office, "person"), 1);
    school_close(&at);
}

TEST(exports_and_imports_are_for_their_roles)
{
    struct school at;
    school_open(&at);
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    struct actor chair = school_person(&at, "Carl Moss", "governor", "chair");
    const struct engine_query query = {0};
    struct buf csv;
    json_t *report = NULL;
    buf_init(&csv, 1 << 20);
    assert_err(engine_export_csv(&at.engine, &teacher, school_register("person"), &query, &csv),
               ERR_DENIED);
    assert_err(engine_export_csv(&at.engine, &chair, school_register("concern"), &query, &csv),
               ERR_NOT_FOUND);
    assert_err(engine_import_csv(&at.engine, &teacher, school_register("person"),
                                 STR("name,kind\nA,pupil\n"), false, &report),
               ERR_DENIED);
    assert_int_equal(csv.len, 0);
    buf_fini(&csv);
    school_close(&at);
}

TEST(U8_a_table_does_not_tell_whether_a_guess_at_a_closed_value_is_right)
{
    static const char *const guesses[] = {"yes", "no"};
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct record_id ada = school_add(
        &at, "person", school_json("{'name': 'Ada', 'kind': 'pupil', 'looked_after': 'yes'}"));
    for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
        struct buf csv;
        buf_init(&csv, 256);
        buf_printf(&csv, "Record,looked_after\n%s,%s\n", ada.text, guesses[i]);
        assert_counts(import(&at, &office, "person", buf_str(&csv), true, ERR_OK), 1, 0, 1, 0);
        buf_fini(&csv);
    }
    school_close(&at);
}

TEST(K16_an_export_holds_nothing_sealed_sensitive_or_unseen)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    (void)school_add(&at, "person",
                     school_json("{'name': 'Ada', 'kind': 'pupil', 'upn': 'Z820200000001',"
                                 " 'needs': 'quixotically', 'looked_after': 'yes'}"));
    struct str csv = export(&at, &head, "person", "ada");
    static const char *const absent[] = {"Z8202", "quixotically", "Looked after", "Needs",
                                         "Unique"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        assert_true(str_find(csv, str_from(absent[i])) == csv.len);
    }
    assert_true(str_find(csv, STR("Ada")) < csv.len);
    school_close(&at);
}

TESTS_MAIN(unit(what_is_exported_comes_back_as_it_was),
           unit(an_import_makes_changes_and_finds_by_unique_values),
           unit(an_import_replaces_what_it_cannot_see),
           unit(one_bad_row_and_nothing_is_stored_and_every_fault_is_told),
           unit(exports_and_imports_are_for_their_roles),
           unit(U8_a_table_does_not_tell_whether_a_guess_at_a_closed_value_is_right),
           unit(K16_an_export_holds_nothing_sealed_sensitive_or_unseen))

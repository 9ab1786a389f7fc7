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
    const struct engine_import asked = {.csv = csv, .dry = dry};
    assert_err(engine_import_csv(&at->engine, actor, school_register(name), &asked, &report), want);
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

/* What the columns are taken for, with a space behind each; "-": left out. */
static void assert_columns(const json_t *report, const char *wanted)
{
    const json_t *columns = json_object_get(report, "columns");
    char found[512] = "";
    size_t len = 0;
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *field = json_string_value(json_object_get(json_array_get(columns, i), "field"));
        len += (size_t)snprintf(found + len, sizeof(found) - len, "%s ", field[0] ? field : "-");
    }
    assert_string_equal(found, wanted);
}

TEST(the_headings_of_schools_systems_are_known)
{
    static const struct {
        const char *heads, *columns;
    } cases[] = {
        {"Adno,UPN,Surname,Forename,Preferred Forename,DOB,Year,Reg",
         "- upn family given known_given born year - "},
        {"Arbor Student ID,Legal first name,Legal last name,Preferred first name,"
         "Preferred last name,Date of birth,Year group",
         "- given family known_given known_family born year "},
        {"First Name,Last Name,Gender,Date of Birth,Class Name,UPN", "given family - born - upn "},
        {"CHILD_FIRST_NAME,CHILD_LAST_NAME,CHILD_DATE_OF_BIRTH,CHILD_YEAR_GROUP",
         "given family born year "},
        {"Record,Name,First names,Forename,State", "record name given - - "},
    };
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    json_t *plan = school_json("{'all': {'kind': 'pupil'}}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *report = NULL;
        struct engine_import asked = {.csv = str_from(cases[i].heads), .plan = plan, .dry = true};
        assert_err(
            engine_import_csv(&at.engine, &office, school_register("person"), &asked, &report),
            ERR_INVALID); /* no rows */
        assert_columns(report, cases[i].columns);
        json_decref(report);
    }
    json_decref(plan);
    school_close(&at);
}

TEST(a_plan_says_what_columns_are_and_which_rows_stay_out)
{
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct record_id ada =
        school_add(&at, "person",
                   school_json("{'name': 'Ada Price', 'kind': 'staff', 'upn': 'Z820200000001'}"));
    json_t *plan = school_json("{'columns': ['upn', 'given', 'family', 'year', ''],"
                               " 'all': {'kind': 'pupil'}, 'skip': true}");
    struct engine_import asked = {.csv = STR("a,b,c,d,e\n"
                                             "Z820200000001,Ada,Hill,YR,x\n"
                                             "Z820200000002,Bo,Wood,1,x\n"
                                             ",Cy,Day,Yr 2,x\n"),
                                  .plan = plan};
    json_t *report = NULL;
    assert_err(engine_import_csv(&at.engine, &office, school_register("person"), &asked, &report),
               ERR_OK);
    static const char *const what[] = {"changed", "refused", "new"};
    for (size_t i = 0; i < 3; i++) {
        const json_t *row = json_array_get(json_object_get(report, "preview"), i);
        assert_string_equal(json_string_value(json_object_get(row, "what")), what[i]);
    }
    assert_int_equal(json_integer_value(json_object_get(report, "refused")), 1);
    assert_counts(report, 3, 1, 1, 1);
    json_t *record = school_get(&at, &office, "person", ada);
    assert_str_eq(school_text(record, "fields.name"), STR("Ada Hill"));
    assert_str_eq(school_text(record, "fields.kind"), STR("staff"));
    assert_str_eq(school_text(record, "fields.year"), STR("R"));
    json_decref(record);
    /* A column twice, and one that is no field. */
    json_t *bad = school_json("{'columns': ['given', 'given', 'nothing', '', '']}");
    asked.plan = bad;
    assert_err(engine_import_csv(&at.engine, &office, school_register("person"), &asked, &report),
               ERR_INVALID);
    assert_counts(report, 3, 0, 0, 2);
    json_decref(bad);
    json_decref(plan);
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

TEST(a_table_that_would_keep_everybody_waiting_is_refused_whole)
{
    static const struct {
        int rows;
        enum err want;
    } cases[] = {{ENGINE_IMPORT_ROWS_MAX, ERR_OK}, {ENGINE_IMPORT_ROWS_MAX + 1, ERR_LIMIT}};
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olive Dean", "staff", "office");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf csv;
        buf_init(&csv, 1 << 20);
        buf_append(&csv, STR("Name,Kind\n"));
        for (int row = 0; row < cases[i].rows; row++) {
            buf_printf(&csv, "Pupil %d,pupil\n", row);
        }
        json_decref(import(&at, &office, "person", buf_str(&csv), true, cases[i].want));
        buf_fini(&csv);
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
    const struct engine_import asked = {.csv = STR("name,kind\nA,pupil\n")};
    assert_err(engine_import_csv(&at.engine, &teacher, school_register("person"), &asked, &report),
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
           unit(the_headings_of_schools_systems_are_known),
           unit(a_plan_says_what_columns_are_and_which_rows_stay_out),
           unit(an_import_replaces_what_it_cannot_see),
           unit(one_bad_row_and_nothing_is_stored_and_every_fault_is_told),
           unit(a_table_that_would_keep_everybody_waiting_is_refused_whole),
           unit(exports_and_imports_are_for_their_roles),
           unit(U8_a_table_does_not_tell_whether_a_guess_at_a_closed_value_is_right),
           unit(K16_an_export_holds_nothing_sealed_sensitive_or_unseen))

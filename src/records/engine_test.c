/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/engine.h"

#include "lib/records.h"
#include "records/audit.h"

static enum err make(struct school *at, const struct actor *actor, const char *name, json_t *input,
                     json_t **ret_faults)
{
    struct record_id id;
    enum err err = engine_make(&at->engine, actor, school_register(name), input, &id, ret_faults);
    json_decref(input);
    return err;
}

static enum err change(struct school *at, const struct actor *actor, const char *name,
                       struct record_id id, uint64_t version, json_t *input, json_t **ret_faults)
{
    enum err err = engine_change(&at->engine, actor, school_register(name), school_id(&id), version,
                                 input, STR(""), ret_faults);
    json_decref(input);
    return err;
}

static json_t *list(struct school *at, const struct actor *actor, const char *name,
                    const struct engine_query *query)
{
    json_t *document = NULL;
    assert_ok(engine_list(&at->engine, actor, school_register(name), query, &document));
    return document;
}

/* The titles of a list, with commas between. */
static void assert_titles(struct school *at, const struct actor *actor, const char *name,
                          const struct engine_query *query, const char *want)
{
    char titles[1024] = "";
    size_t n = 0;
    size_t index;
    const json_t *item;
    json_t *document = list(at, actor, name, query);
    json_array_foreach(json_object_get(document, "items"), index, item)
    {
        n += (size_t)snprintf(titles + n, sizeof(titles) - n, "%s%s", index != 0 ? ", " : "",
                              json_string_value(json_object_get(item, "title")));
    }
    assert_string_equal(titles, want);
    json_decref(document);
}

TEST(a_record_is_made_read_changed_and_its_history_told)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id ada = school_make(
        &at, &head, "person",
        school_json("{'name': 'Ada Price', 'kind': 'pupil', 'year': '2', 'born': '2018-03-27'}"));
    json_t *record = school_get(&at, &head, "person", ada);
    assert_str_eq(school_text(record, "title"), STR("Ada Price"));
    assert_str_eq(school_text(record, "shown.year"), STR("Year 2"));
    assert_str_eq(school_text(record, "shown.born"), STR("27 March 2018"));
    assert_str_eq(school_text(record, "state"), STR("here"));
    assert_str_eq(school_text(record, "made.name"), STR("Hanna Dale"));
    json_decref(record);

    assert_ok(change(&at, &head, "person", ada, 1, school_json("{'year': '3'}"), NULL));
    record = school_get(&at, &head, "person", ada);
    assert_str_eq(school_text(record, "fields.year"), STR("3"));
    assert_int_equal(json_integer_value(school_at(record, "version")), 2);
    json_decref(record);

    json_t *history = NULL;
    assert_ok(
        engine_history(&at.engine, &head, school_register("person"), school_id(&ada), &history));
    assert_int_equal(json_array_size(history), 2);
    assert_str_eq(school_text(json_array_get(history, 0), "act"), STR("changed"));
    assert_str_eq(str_from(json_string_value(
                      json_array_get(school_at(json_array_get(history, 0), "fields"), 0))),
                  STR("Year group"));
    json_decref(history);
    school_close(&at);
}

TEST(a_fault_stands_beside_its_field_and_nothing_is_stored)
{
    static const struct {
        const char *name, *input, *field;
    } cases[] = {
        {"person", "{'kind': 'pupil'}", "name"},
        {"person", "{'name': 'Ben', 'kind': 'wizard'}", "kind"},
        {"person", "{'name': 'Ben', 'kind': 'pupil', 'born': '31 June 2018'}", "born"},
        {"person", "{'name': 'Ben', 'kind': 'pupil', 'email': 'nowhere'}", "email"},
        {"person", "{'name': 'Ben', 'kind': 'pupil', 'upn': 'A123'}", "upn"},
        {"person", "{'name': ['Ben'], 'kind': 'pupil'}", "name"},
        {"person", "{'name': 'Ben', 'kind': 'staff', 'log_on': 'ada'}", "log_on"},
        {"membership", "{'person': 'Nobody', 'group': '', 'kind': 'member', 'from': '2026-01-01'}",
         "person"},
        {"device", "{'tag': 'L1', 'kind': 'laptop', 'owner': 'aaaaaaaaaaaaaaaaaaaaaaaaaa'}",
         "owner"},
        {"device", "{'tag': 'L1', 'kind': 'laptop', 'owner': 'Sam Lee'}", "owner"},
    };
    struct school at;
    school_open(&at);
    const struct actor operator= school_operator(&at);
    (void)school_add(&at, "person",
                     school_json("{'name': 'Ada', 'kind': 'pupil', 'log_on': 'ada'}"));
    (void)school_somebody(&at, "Sam Lee", "staff");
    (void)school_somebody(&at, "Sam Lee", "parent");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *faults = NULL;
        assert_err(make(&at, &operator, cases[i].name, school_json("%s", cases[i].input), &faults),
                   ERR_INVALID);
        if (!json_is_string(json_object_get(faults, cases[i].field))) {
            fail_msg("case %zu has no fault beside %s", i, cases[i].field);
        }
        json_decref(faults);
    }
    json_t *people = list(&at, &operator, "person", &(struct engine_query){0});
    assert_int_equal(json_integer_value(school_at(people, "total")), 3);
    json_decref(people);
    school_close(&at);
}

TEST(somebody_is_named_by_a_whole_name_that_only_one_has)
{
    struct school at;
    school_open(&at);
    struct record_id ada = school_somebody(&at, "Zo\xc3\xab Price", "pupil");
    struct record_id tablet = school_add(
        &at, "device", school_json("{'tag': 'T1', 'kind': 'tablet', 'owner': 'zoe price'}"));
    const struct actor operator= school_operator(&at);
    json_t *record = school_get(&at, &operator, "device", tablet);
    assert_str_eq(school_text(record, "fields.owner"), school_id(&ada));
    assert_str_eq(school_text(record, "shown.owner"), STR("Zo\xc3\xab Price"));
    assert_str_eq(school_text(record, "about.name"), STR("Zo\xc3\xab Price"));
    json_decref(record);
    school_close(&at);
}

TEST(whoever_saw_an_older_version_is_told_of_the_conflict)
{
    struct school at;
    school_open(&at);
    const struct actor operator= school_operator(&at);
    struct record_id room =
        school_add(&at, "device", school_json("{'tag': 'L1', 'kind': 'laptop'}"));
    assert_ok(change(&at, &operator, "device", room, 1, school_json("{'room': 'Hall'}"), NULL));
    assert_err(change(&at, &operator, "device", room, 1, school_json("{'room': 'Library'}"), NULL),
               ERR_CONFLICT);
    json_t *record = school_get(&at, &operator, "device", room);
    assert_str_eq(school_text(record, "fields.room"), STR("Hall"));
    json_decref(record);
    school_close(&at);
}

TEST(the_last_change_is_taken_back_and_taken_back_again)
{
    struct school at;
    school_open(&at);
    const struct actor operator= school_operator(&at);
    const struct register_def *def = school_register("device");
    struct record_id id = school_add(&at, "device", school_json("{'tag': 'L1', 'kind': 'laptop'}"));
    assert_err(engine_undo(&at.engine, &operator, def, school_id(&id), 1, NULL), ERR_NOT_FOUND);
    assert_ok(change(&at, &operator, "device", id, 1, school_json("{'room': 'Hall'}"), NULL));
    assert_ok(engine_undo(&at.engine, &operator, def, school_id(&id), 2, NULL));
    json_t *record = school_get(&at, &operator, "device", id);
    assert_true(json_is_null(school_at(record, "fields.room")));
    assert_int_equal(json_integer_value(school_at(record, "version")), 3);
    json_decref(record);
    assert_ok(engine_undo(&at.engine, &operator, def, school_id(&id), 3, NULL));
    record = school_get(&at, &operator, "device", id);
    assert_str_eq(school_text(record, "fields.room"), STR("Hall"));
    json_decref(record);
    assert_titles(&at, &operator, "device", &(struct engine_query){.search = STR("hall")}, "L1");
    school_close(&at);
}

static void open_look(struct school *at, const struct actor *who, struct record_id at_whom)
{
    assert_ok(store_begin(at->store.store, at->id, STORE_WRITE));
    assert_ok(look_open(at->store.store, at->keys, who, school_id(&at_whom), STR("It was wrong")));
    assert_ok(store_commit(at->store.store));
}

TEST(U8_a_change_is_taken_back_whole_or_not_at_all)
{
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct record_id ada =
        school_add(&at, "person", school_json("{'name': 'Ada', 'kind': 'pupil', 'log_on': 'ada'}"));
    const struct register_def *def = school_register("person");
    json_t *faults = NULL;
    /* The office changes what a DSL does not see, and what she does, at once. */
    assert_ok(change(&at, &office, "person", ada, 1,
                     school_json("{'log_on': 'ada2', 'email': 'a@school.example'}"), NULL));
    assert_err(engine_undo(&at.engine, &dsl, def, school_id(&ada), 2, &faults), ERR_INVALID);
    assert_non_null(json_object_get(faults, ""));
    json_decref(faults);
    json_t *record = school_get(&at, &office, "person", ada);
    assert_str_eq(school_text(record, "fields.log_on"), STR("ada2"));
    assert_str_eq(school_text(record, "fields.email"), STR("a@school.example"));
    assert_int_equal(json_integer_value(school_at(record, "version")), 2);
    json_decref(record);
    assert_ok(engine_undo(&at.engine, &office, def, school_id(&ada), 2, NULL));
    /* What no look is open for does not come back unseen. */
    const struct actor operator= school_operator(&at);
    open_look(&at, &office, ada);
    assert_ok(change(&at, &office, "person", ada, 3, school_json("{'looked_after': 'yes'}"), NULL));
    faults = NULL;
    assert_err(engine_undo(&at.engine, &dsl, def, school_id(&ada), 4, &faults), ERR_INVALID);
    assert_non_null(json_object_get(faults, ""));
    json_decref(faults);
    open_look(&at, &dsl, ada);
    assert_ok(engine_undo(&at.engine, &dsl, def, school_id(&ada), 4, NULL));
    /* Who was gone meanwhile does not come back, and it is said which field that is. */
    struct record_id sam = school_somebody(&at, "Sam Lee", "staff");
    struct record_id tablet = school_add(
        &at, "device", school_json("{'tag': 'T1', 'kind': 'tablet', 'owner': 'Sam Lee'}"));
    assert_ok(change(&at, &operator, "device", tablet, 1, school_json("{'owner': ''}"), NULL));
    assert_ok(engine_dispose(&at.engine, &operator, def, school_id(&sam), 1, STR("mistake"), NULL));
    faults = NULL;
    assert_err(engine_undo(&at.engine, &operator, school_register("device"), school_id(&tablet), 2,
                           &faults),
               ERR_INVALID);
    assert_non_null(json_object_get(faults, "owner"));
    json_decref(faults);
    school_close(&at);
}

TEST(a_move_asks_for_what_it_demands_and_is_for_its_roles)
{
    struct school at;
    school_open(&at);
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id id = school_make(
        &at, &teacher, "concern",
        school_json("{'child': '%s', 'summary': 'Tired', 'kind': 'home', 'happened': '2026-05-20',"
                    " 'facts': 'Asleep in class'}",
                    ada.text));
    const struct register_def *def = school_register("concern");
    json_t *faults = NULL;
    json_t *input = school_json("{}");
    assert_err(engine_move(&at.engine, &teacher, def, school_id(&id), 1, STR("refer"), input,
                           STR("Social care"), NULL),
               ERR_DENIED);
    assert_err(engine_move(&at.engine, &dsl, def, school_id(&id), 1, STR("close"), input, STR(""),
                           &faults),
               ERR_INVALID);
    assert_non_null(json_object_get(faults, "outcome"));
    assert_non_null(json_object_get(faults, "reason"));
    json_decref(faults);
    json_decref(input);
    assert_ok(store_begin(at.store.store, at.id, STORE_WRITE));
    assert_ok(look_open(at.store.store, at.keys, &dsl, school_id(&ada), STR("Closing it")));
    assert_ok(store_commit(at.store.store));
    input = school_json("{'outcome': 'Sleeps well again', 'summary': 'not demanded'}");
    assert_ok(engine_move(&at.engine, &dsl, def, school_id(&id), 1, STR("close"), input,
                          STR("Spoke with home"), NULL));
    json_decref(input);
    json_t *record = school_get(&at, &dsl, "concern", id);
    assert_str_eq(school_text(record, "state"), STR("closed"));
    assert_str_eq(school_text(record, "fields.summary"), STR("Tired"));
    assert_str_eq(school_text(record, "fields.outcome"), STR("Sleeps well again"));
    json_decref(record);
    school_close(&at);
}

static bool may_undo(struct school *at, const struct actor *actor, const char *name,
                     struct record_id id)
{
    json_t *record = school_get(at, actor, name, id);
    bool may = json_is_true(school_at(record, "may.undo"));
    json_decref(record);
    return may;
}

TEST(a_move_is_taken_back_only_by_whoever_may_make_the_move_back)
{
    struct school at;
    school_open(&at);
    struct actor technician = school_person(&at, "Ted Wire", "staff", "technician");
    struct actor head = school_person(&at, "Hanna Head", "staff", "head");
    struct record_id id = school_make(&at, &technician, "device",
                                      school_json("{'tag': 'IPAD-01', 'kind': 'tablet'}"));
    const struct register_def *def = school_register("device");
    json_t *input = school_json("{}");
    assert_ok(engine_move(&at.engine, &technician, def, school_id(&id), 1, STR("isolate"), input,
                          STR("The DSL asked"), NULL));
    assert_false(may_undo(&at, &technician, "device", id));
    assert_err(engine_undo(&at.engine, &technician, def, school_id(&id), 2, NULL), ERR_DENIED);
    assert_true(may_undo(&at, &head, "device", id));
    assert_ok(engine_undo(&at.engine, &head, def, school_id(&id), 2, NULL));
    /* Withdrawing has no move back. */
    assert_ok(engine_move(&at.engine, &technician, def, school_id(&id), 3, STR("withdraw"), input,
                          STR("Broken"), NULL));
    assert_ok(engine_undo(&at.engine, &technician, def, school_id(&id), 4, NULL));
    json_decref(input);
    school_close(&at);
}

TEST(U8_sensitive_values_are_null_until_a_look_is_open)
{
    struct school at;
    school_open(&at);
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id id = school_make(
        &at, &dsl, "concern",
        school_json("{'child': '%s', 'summary': 'Tired', 'kind': 'home', 'happened': '2026-05-20',"
                    " 'facts': 'Asleep in class'}",
                    ada.text));
    json_t *record = school_get(&at, &dsl, "concern", id);
    assert_str_eq(school_text(record, "look"), STR("needed"));
    assert_true(json_is_null(school_at(record, "fields.facts")));
    assert_null(school_at(record, "shown.facts"));
    json_decref(record);
    assert_ok(store_begin(at.store.store, at.id, STORE_WRITE));
    assert_ok(look_open(at.store.store, at.keys, &dsl, school_id(&ada), STR("A parent rang")));
    assert_ok(store_commit(at.store.store));
    record = school_get(&at, &dsl, "concern", id);
    assert_str_eq(school_text(record, "look"), STR("open"));
    assert_str_eq(school_text(record, "fields.facts"), STR("Asleep in class"));
    json_decref(record);
    json_t *page = list(&at, &dsl, "concern", &(struct engine_query){0});
    const json_t *item = json_array_get(json_object_get(page, "items"), 0);
    assert_null(school_at(item, "shown.facts"));
    json_decref(page);
    school_close(&at);
}

TEST(U8_whether_a_guess_at_a_closed_or_unseen_value_is_right_is_not_told)
{
    struct school at;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct record_id ada = school_add(
        &at, "person",
        school_json("{'name': 'Ada', 'kind': 'pupil', 'log_on': 'ada', 'looked_after': 'yes'}"));
    const struct {
        const struct actor *who;
        const char *field, *guess;
    } cases[] = {
        {&office, "looked_after", "yes"}, /* right, and closed: no look is open */
        {&office, "looked_after", "no"},
        {&dsl, "log_on", "ada"}, /* right, and not a DSL's to see */
        {&dsl, "log_on", "ben"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *faults = NULL;
        json_t *input = school_json("{'%s': '%s'}", cases[i].field, cases[i].guess);
        assert_err(engine_change(&at.engine, cases[i].who, school_register("person"),
                                 school_id(&ada), 1, input, STR(""), &faults),
                   ERR_INVALID);
        assert_non_null(json_object_get(faults, cases[i].field));
        json_decref(faults);
        json_decref(input);
    }
    school_close(&at);
}

static struct record_id accuse(struct school *at, const struct actor *maker,
                               const struct record_id *adult, const char *summary)
{
    return school_make(at, maker, "allegation",
                       school_json("{'adult': '%s', 'summary': '%s', 'account': 'In the hall'}",
                                   adult->text, summary));
}

static void reload(struct school *at, struct actor *actor)
{
    struct record_id id;
    memcpy(id.text, actor->person.p, RECORD_ID_CHARS);
    id.text[RECORD_ID_CHARS] = '\0';
    *actor = school_actor(at, id);
}

TEST(R184_an_allegation_always_reaches_somebody_who_is_not_its_subject)
{
    struct school at;
    school_open(&at);
    const struct register_def *def = school_register("allegation");
    struct record_id both = school_somebody(&at, "Hanna Both", "staff");
    school_give_role(&at, both, "head");
    school_give_role(&at, both, "chair");
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    struct actor senior = school_person(&at, "Sue Side", "staff", "senior");
    struct record_id about = accuse(&at, &teacher, &both, "Shouting");
    json_t *none = NULL;
    /* No lead and no trust: the senior leader is next. */
    assert_titles(&at, &senior, "allegation", &(struct engine_query){0}, "Shouting");
    /* A lead comes before, and the senior leader sees it no more. */
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    reload(&at, &senior);
    assert_titles(&at, &dsl, "allegation", &(struct engine_query){0}, "Shouting");
    assert_titles(&at, &senior, "allegation", &(struct engine_query){0}, "");
    assert_err(engine_get(&at.engine, &senior, def, school_id(&about), &none), ERR_NOT_FOUND);
    json_t *record = school_get(&at, &dsl, "allegation", about);
    assert_true(json_is_true(school_at(record, "may.change")));
    json_decref(record);
    /* A chair of their own comes before the lead. */
    struct actor chair = school_person(&at, "Carl Moss", "governor", "chair");
    reload(&at, &dsl);
    assert_titles(&at, &chair, "allegation", &(struct engine_query){0}, "Shouting");
    assert_titles(&at, &dsl, "allegation", &(struct engine_query){0}, "");
    /* In a trust its officer, too. */
    struct actor trust = school_person(&at, "Tara Trust", "governor", "trust");
    reload(&at, &chair);
    assert_titles(&at, &trust, "allegation", &(struct engine_query){0}, "Shouting");
    assert_titles(&at, &chair, "allegation", &(struct engine_query){0}, "Shouting");
    struct actor head = school_actor(&at, both);
    assert_titles(&at, &head, "allegation", &(struct engine_query){0}, "");
    school_close(&at);
}

TEST(R184_where_nobody_is_head_the_next_holder_stands_in)
{
    struct school at;
    school_open(&at);
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct record_id carl = school_somebody(&at, "Carl Moss", "governor");
    struct record_id other = school_somebody(&at, "Olga Finch", "staff");
    school_give_role(&at, carl, "chair");
    (void)accuse(&at, &teacher, &other, "About a clerk");
    (void)accuse(&at, &teacher, &carl, "About the chair");
    struct actor chair = school_actor(&at, carl);
    reload(&at, &dsl);
    assert_titles(&at, &chair, "allegation", &(struct engine_query){0}, "About a clerk");
    assert_titles(&at, &dsl, "allegation", &(struct engine_query){0}, "About the chair");
    school_close(&at);
}

TEST(whoever_has_left_holds_no_post_and_stands_in_nobodys_way)
{
    struct school at;
    school_open(&at);
    struct record_id hanna = school_somebody(&at, "Hanna Dale", "staff");
    struct record_id carl = school_somebody(&at, "Carl Moss", "governor");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    school_give_role(&at, hanna, "head");
    school_give_role(&at, carl, "chair");
    struct actor senior = school_person(&at, "Sue Side", "staff", "senior");
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    (void)accuse(&at, &teacher, &hanna, "Shouting");
    assert_titles(&at, &dsl, "allegation", &(struct engine_query){0}, "");
    const struct record_id leavers[] = {carl, ada};
    for (size_t i = 0; i < sizeof(leavers) / sizeof(leavers[0]); i++) {
        assert_ok(engine_move(&at.engine, &senior, school_register("person"),
                              school_id(&leavers[i]), 1, STR("leave"), NULL, STR(""), NULL));
        assert_int_equal(school_actor(&at, leavers[i]).roles, 0);
    }
    reload(&at, &dsl);
    reload(&at, &senior);
    assert_titles(&at, &dsl, "allegation", &(struct engine_query){0}, "Shouting");
    assert_titles(&at, &senior, "allegation", &(struct engine_query){0}, "");
    school_close(&at);
}

TEST(R184_the_subject_of_an_allegation_finds_no_trace_and_the_chair_handles_the_heads)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    struct actor chair = school_person(&at, "Carl Moss", "governor", "chair");
    const struct register_def *def = school_register("allegation");
    struct record_id about_head = school_make(
        &at, &teacher, "allegation",
        school_json("{'adult': 'Hanna Dale', 'summary': 'Shouting', 'account': 'In the hall'}"));
    struct record_id about_teacher = school_make(
        &at, &head, "allegation",
        school_json("{'adult': 'Tom Hill', 'summary': 'Messages', 'account': 'At night'}"));
    json_t *none = NULL;
    assert_titles(&at, &head, "allegation", &(struct engine_query){0}, "Messages");
    assert_titles(&at, &chair, "allegation", &(struct engine_query){0}, "Shouting");
    assert_titles(&at, &teacher, "allegation", &(struct engine_query){0}, "Shouting");
    assert_err(engine_get(&at.engine, &head, def, school_id(&about_head), &none), ERR_NOT_FOUND);
    assert_err(engine_get(&at.engine, &teacher, def, school_id(&about_teacher), &none),
               ERR_NOT_FOUND);
    assert_err(engine_history(&at.engine, &head, def, school_id(&about_head), &none),
               ERR_NOT_FOUND);
    json_t *input = school_json("{'officer_told': '2026-05-26'}");
    assert_err(engine_move(&at.engine, &head, def, school_id(&about_head), 1, STR("tell"), input,
                           STR(""), NULL),
               ERR_NOT_FOUND);
    assert_ok(engine_move(&at.engine, &chair, def, school_id(&about_head), 1, STR("tell"), input,
                          STR(""), NULL));
    json_decref(input);
    assert_titles(&at, &head, "allegation", &(struct engine_query){.search = STR("shouting")}, "");
    assert_ok(engine_search(&at.engine, &head, STR("shouting"), &none));
    assert_int_equal(json_array_size(json_object_get(none, "groups")), 0);
    json_decref(none);
    school_close(&at);
}

TEST(R184_no_function_tells_the_subject_that_a_record_is_there)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct actor teacher = school_person(&at, "Tom Hill", "staff", "teacher");
    const struct register_def *def = school_register("allegation");
    struct record_id file;
    assert_ok(engine_file_keep(&at.engine, &teacher, def, STR("no"), STR("a.txt"), STR(""),
                               STR("seen"), &file));
    struct record_id made = school_make(
        &at, &teacher, "allegation",
        school_json("{'adult': 'Hanna Dale', 'summary': 'Shouting', 'account': 'In the hall',"
                    " 'evidence': '%s'}",
                    file.text));
    struct str id = school_id(&made);
    json_t *input = school_json("{'summary': 'Nothing'}");
    struct str name;
    struct buf bytes;
    buf_init(&bytes, 4096);
    assert_err(engine_change(&at.engine, &head, def, id, 1, input, STR(""), NULL), ERR_NOT_FOUND);
    assert_err(engine_undo(&at.engine, &head, def, id, 1, NULL), ERR_NOT_FOUND);
    assert_err(engine_dispose(&at.engine, &head, def, id, 1, STR("mistake"), NULL), ERR_NOT_FOUND);
    assert_err(engine_file_read(&at.engine, &head, def, id, STR("evidence"), &at.arena, &name,
                                &name, &bytes),
               ERR_NOT_FOUND);
    const struct engine_query about = {.about = head.person};
    assert_titles(&at, &head, "allegation", &about, "");
    assert_titles(&at, &head, "allegation", &(struct engine_query){.sort = STR("happened")}, "");
    assert_ok(engine_export_csv(&at.engine, &head, def, &(struct engine_query){0}, &bytes));
    assert_true(str_find(buf_str(&bytes), STR("Shouting")) == bytes.len);
    json_t *page = list(&at, &head, "allegation", &(struct engine_query){0});
    assert_int_equal(json_integer_value(school_at(page, "total")), 0);
    json_decref(page);
    json_decref(input);
    buf_fini(&bytes);
    school_close(&at);
}

TEST(two_schools_in_one_store_know_nothing_of_each_other)
{
    struct school at;
    school_open(&at);
    school_found(&at, "elm");
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    at.id = STR("elm");
    struct actor other = school_person(&at, "Edna Low", "staff", "head");
    json_t *none = NULL;
    assert_err(engine_get(&at.engine, &other, school_register("person"), school_id(&ada), &none),
               ERR_NOT_FOUND);
    assert_titles(&at, &other, "person", &(struct engine_query){.sort = STR("name")}, "Edna Low");
    assert_titles(&at, &other, "person", &(struct engine_query){.search = STR("ada")}, "");
    assert_titles(&at, &head, "person", &(struct engine_query){.search = STR("edna")}, "");
    json_t *faults = NULL;
    assert_err(make(&at, &other, "device",
                    school_json("{'tag': 'T1', 'kind': 'tablet', 'owner': '%s'}", ada.text),
                    &faults),
               ERR_INVALID);
    assert_non_null(json_object_get(faults, "owner"));
    json_decref(faults);
    school_close(&at);
}

TEST(a_teacher_sees_the_class_and_a_parent_their_child)
{
    struct school at;
    school_open(&at);
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    (void)school_somebody(&at, "Ben Stone", "pupil");
    struct record_id tom = school_somebody(&at, "Tom Hill", "staff");
    struct record_id cover = school_somebody(&at, "Sue Parr", "staff");
    struct record_id mother = school_somebody(&at, "Mary Price", "parent");
    struct record_id father = school_somebody(&at, "Fred Price", "parent");
    struct record_id group =
        school_add(&at, "group", school_json("{'name': '2P', 'kind': 'class'}"));
    school_give_role(&at, tom, "teacher");
    school_give_role(&at, cover, "teacher");
    const struct {
        const char *person, *kind, *from, *until;
    } members[] = {
        {ada.text, "member", "2025-09-01", ""},
        {tom.text, "teacher", "2025-09-01", ""},
        {cover.text, "cover", "2026-05-20", "2026-05-26"},
    };
    for (size_t i = 0; i < 3; i++) {
        json_t *input =
            json_pack("{s:s, s:s, s:s, s:s, s:s}", "person", members[i].person, "group", group.text,
                      "kind", members[i].kind, "from", members[i].from, "until", members[i].until);
        (void)school_add(&at, "membership", input);
    }
    (void)school_add(&at, "family",
                     school_json("{'child': '%s', 'adult': '%s', 'relation': 'mother',"
                                 " 'responsibility': 'yes', 'no_contact': 'no'}",
                                 ada.text, mother.text));
    (void)school_add(&at, "family",
                     school_json("{'child': '%s', 'adult': '%s', 'relation': 'father',"
                                 " 'responsibility': 'yes', 'no_contact': 'yes'}",
                                 ada.text, father.text));
    struct actor actor = school_actor(&at, tom);
    const struct engine_query query = {.sort = STR("name")};
    assert_titles(&at, &actor, "person", &query, "Ada Price, Tom Hill");
    actor = school_actor(&at, cover); /* the cover ended yesterday */
    assert_titles(&at, &actor, "person", &query, "Sue Parr");
    actor = school_actor(&at, mother);
    assert_titles(&at, &actor, "person", &query, "Ada Price, Mary Price");
    actor = school_actor(&at, father); /* a court forbids contact */
    json_t *none = NULL;
    enum err err = engine_list(&at.engine, &actor, school_register("person"), &query, &none);
    assert_true(err == ERR_NOT_FOUND || json_array_size(json_object_get(none, "items")) == 0);
    json_decref(none);
    school_close(&at);
}

TEST(lists_are_sorted_cut_into_pages_and_counted)
{
    struct school at;
    school_open(&at);
    const struct actor operator= school_operator(&at);
    (void)school_somebody(&at, "Cara", "pupil");
    (void)school_somebody(&at, "ada", "pupil");
    (void)school_somebody(&at, "Ben", "pupil");
    struct engine_query query = {.sort = STR("name")};
    assert_titles(&at, &operator, "person", &query, "ada, Ben, Cara");
    query.down = true;
    assert_titles(&at, &operator, "person", &query, "Cara, Ben, ada");
    query.per_page = 2;
    query.page = 2;
    assert_titles(&at, &operator, "person", &query, "ada");
    query.page = 1;
    json_t *page = list(&at, &operator, "person", &query);
    assert_true(json_is_true(school_at(page, "more")));
    assert_int_equal(json_integer_value(school_at(page, "total")), 3);
    assert_true(json_is_false(school_at(page, "total_is_least")));
    json_decref(page);
    school_close(&at);
}

TEST(all_words_of_a_search_are_found_as_beginnings)
{
    static const struct {
        const char *words, *want;
    } cases[] = {
        {"pri", "Ada Price, Zo\xc3\xab O'Brien-Price"},
        {"price ada", "Ada Price"},
        {"ZOE", "Zo\xc3\xab O'Brien-Price"},
        {"obrien", "Zo\xc3\xab O'Brien-Price"},
        {"o'brien", "Zo\xc3\xab O'Brien-Price"},
        {"ada zoe", ""},
        {"rice", ""},
        {"'; DROP TABLE", ""},
        {"%", "Ada Price, Ben Stone, Zo\xc3\xab O'Brien-Price"},
    };
    struct school at;
    school_open(&at);
    const struct actor operator= school_operator(&at);
    (void)school_somebody(&at, "Ada Price", "pupil");
    (void)school_add(&at, "person",
                     json_pack("{s:s, s:s}", "name", "Zo\xc3\xab O'Brien-Price", "kind", "pupil"));
    (void)school_somebody(&at, "Ben Stone", "pupil");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct engine_query query = {.search = str_from(cases[i].words), .sort = STR("name")};
        assert_titles(&at, &operator, "person", &query, cases[i].want);
    }
    school_close(&at);
}

TEST(a_record_is_found_by_the_name_of_whom_it_is_about_also_when_that_changes)
{
    struct school at;
    school_open(&at);
    const struct actor operator= school_operator(&at);
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    (void)school_add(&at, "device",
                     school_json("{'tag': 'T1', 'kind': 'tablet', 'owner': '%s'}", ada.text));
    assert_titles(&at, &operator, "device", &(struct engine_query){.search = STR("ada")}, "T1");
    assert_ok(change(&at, &operator, "person", ada, 1, school_json("{'name': 'Ada Stone'}"), NULL));
    assert_titles(&at, &operator, "device", &(struct engine_query){.search = STR("price")}, "");
    assert_titles(&at, &operator, "device", &(struct engine_query){.search = STR("stone")}, "T1");
    json_t *found = NULL;
    assert_ok(engine_search(&at.engine, &operator, STR("ston"), &found));
    assert_int_equal(json_array_size(json_object_get(found, "groups")), 2);
    json_decref(found);
    school_close(&at);
}

TESTS_MAIN(unit(a_record_is_made_read_changed_and_its_history_told),
           unit(a_fault_stands_beside_its_field_and_nothing_is_stored),
           unit(somebody_is_named_by_a_whole_name_that_only_one_has),
           unit(whoever_saw_an_older_version_is_told_of_the_conflict),
           unit(the_last_change_is_taken_back_and_taken_back_again),
           unit(U8_a_change_is_taken_back_whole_or_not_at_all),
           unit(a_move_asks_for_what_it_demands_and_is_for_its_roles),
           unit(a_move_is_taken_back_only_by_whoever_may_make_the_move_back),
           unit(U8_sensitive_values_are_null_until_a_look_is_open),
           unit(U8_whether_a_guess_at_a_closed_or_unseen_value_is_right_is_not_told),
           unit(R184_an_allegation_always_reaches_somebody_who_is_not_its_subject),
           unit(R184_where_nobody_is_head_the_next_holder_stands_in),
           unit(whoever_has_left_holds_no_post_and_stands_in_nobodys_way),
           unit(R184_the_subject_of_an_allegation_finds_no_trace_and_the_chair_handles_the_heads),
           unit(R184_no_function_tells_the_subject_that_a_record_is_there),
           unit(two_schools_in_one_store_know_nothing_of_each_other),
           unit(a_teacher_sees_the_class_and_a_parent_their_child),
           unit(lists_are_sorted_cut_into_pages_and_counted),
           unit(all_words_of_a_search_are_found_as_beginnings),
           unit(a_record_is_found_by_the_name_of_whom_it_is_about_also_when_that_changes))

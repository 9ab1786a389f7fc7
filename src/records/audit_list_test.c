/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/audit_list.h"

#include "lib/records.h"
#include "records/audit.h"

/* A school whose hard cases have done something. */
struct cases {
    struct school at;
    struct actor head, chair, dsl, teacher, it;
    struct record_id ann, ben; /* ann is the teacher's child */
};

static struct record_id accuse(struct cases *c, const struct actor *by, const char *of,
                               const struct actor *adult)
{
    return school_make(&c->at, by, of,
                       school_json("{'adult': '%.*s', 'summary': 'A word', 'account': 'Said so', "
                                   "'happened': '2026-05-20'}",
                                   STR_ARG(adult->person)));
}

static void worry(struct cases *c, const struct actor *by, struct record_id child)
{
    (void)school_make(&c->at, by, "concern",
                      school_json("{'child': '%s', 'summary': 'Tired', 'kind': 'home', 'happened': "
                                  "'2026-05-20', 'facts': 'Asleep in class'}",
                                  child.text));
}

static void look(struct cases *c, const struct actor *by, struct str person)
{
    assert_ok(store_begin(c->at.store.store, c->at.id, STORE_WRITE));
    assert_ok(look_open(c->at.store.store, c->at.keys, by, person, STR("adult_case")));
    assert_ok(store_commit(c->at.store.store));
}

static void cases_open(struct cases *c)
{
    school_open(&c->at);
    c->head = school_person(&c->at, "Hanna Dale", "staff", "head");
    c->chair = school_person(&c->at, "Carl Moss", "governor", "chair");
    c->dsl = school_person(&c->at, "Dora Lamb", "staff", "dsl");
    c->it = school_person(&c->at, "Ivan Tarn", "staff", "technician");
    struct record_id teacher = school_somebody(&c->at, "Tess Ward", "staff");
    school_give_role(&c->at, teacher, "teacher");
    c->ann = school_somebody(&c->at, "Ann Ward", "pupil");
    c->ben = school_somebody(&c->at, "Ben Hill", "pupil");
    (void)school_add(&c->at, "family",
                     school_json("{'child': '%s', 'adult': '%s', 'relation': 'mother', "
                                 "'responsibility': 'yes', 'no_contact': 'no'}",
                                 c->ann.text, teacher.text));
    c->teacher = school_actor(&c->at, teacher);
    worry(c, &c->dsl, c->ann);
    worry(c, &c->dsl, c->ben);
    worry(c, &c->teacher, c->ann);
    (void)accuse(c, &c->teacher, "low_level_concern", &c->it);
    (void)accuse(c, &c->dsl, "allegation", &c->head);
    look(c, &c->chair, c->head.person);
    look(c, &c->dsl, school_id(&c->ben));
}

static json_t *list(struct cases *c, const struct actor *actor, const struct audit_query *query)
{
    json_t *document = NULL;
    struct str fault = STR("");
    assert_ok(store_begin(c->at.store.store, c->at.id, STORE_READ));
    assert_ok(audit_list(c->at.store.store, &c->at.arena, actor, query, &document, &fault));
    assert_ok(store_commit(c->at.store.store));
    return document;
}

/* How many acts of an area an actor reads, about a person (empty: anybody). */
static size_t count(struct cases *c, const struct actor *actor, struct str area, struct str about)
{
    const struct audit_query query = {.area = area};
    json_t *document = list(c, actor, &query);
    size_t n = 0;
    size_t i;
    const json_t *item;
    json_array_foreach(school_at(document, "items"), i, item)
    {
        n += about.len == 0 || str_eq(school_text(item, "about.id"), about) ? 1 : 0;
    }
    json_decref(document);
    return n;
}

TEST(R184_the_subject_of_an_allegation_finds_no_trace_of_it_in_the_audit)
{
    struct cases c;
    cases_open(&c);
    struct str head = c.head.person;
    assert_int_equal(count(&c, &c.head, STR("allegation"), STR("")), 0);
    assert_int_equal(count(&c, &c.head, STR("look_adult"), STR("")), 0);
    assert_int_equal(count(&c, &c.head, STR("low_level_concern"), STR("")), 1);
    assert_int_equal(count(&c, &c.it, STR("low_level_concern"), STR("")), 0);
    assert_int_equal(count(&c, &c.chair, STR("allegation"), head), 1);
    assert_int_equal(count(&c, &c.chair, STR("look_adult"), head), 1);
    assert_int_equal(count(&c, &c.chair, STR("low_level_concern"), STR("")), 0);
    school_close(&c.at);
}

TEST(the_audit_holds_of_each_register_what_its_reader_may_see)
{
    struct cases c;
    cases_open(&c);
    assert_int_equal(count(&c, &c.dsl, STR("concern"), STR("")), 3);
    assert_int_equal(count(&c, &c.dsl, STR("allegation"), STR("")), 1); /* the DSL's own act */
    assert_int_equal(count(&c, &c.dsl, STR("low_level_concern"), STR("")), 0);
    assert_int_equal(count(&c, &c.dsl, STR("look"), STR("")), 1);
    assert_int_equal(count(&c, &c.head, STR("look"), school_id(&c.ben)), 1);
    assert_int_equal(count(&c, &c.chair, STR("look"), STR("")), 0);
    assert_int_equal(count(&c, &c.chair, STR("concern"), STR("")), 0);
    assert_int_equal(count(&c, &c.chair, STR("person"), STR("")), 0);
    assert_true(count(&c, &c.chair, STR("post"), STR("")) > 0);
    school_close(&c.at);
}

TEST(who_reads_their_own_acts_reads_no_others)
{
    struct cases c;
    cases_open(&c);
    const struct audit_query all = {0};
    json_t *document = list(&c, &c.teacher, &all);
    assert_int_equal(json_array_size(school_at(document, "items")), 2);
    assert_false(json_is_true(school_at(document, "all")));
    json_decref(document);
    document = list(&c, &c.it, &all);
    assert_int_equal(json_array_size(school_at(document, "items")), 0);
    json_decref(document);
    school_close(&c.at);
}

TEST(a_leader_reads_no_acts_of_others_on_their_own_child)
{
    struct cases c;
    cases_open(&c);
    assert_int_equal(count(&c, &c.dsl, STR("concern"), school_id(&c.ann)), 2);
    (void)school_add(&c.at, "family",
                     school_json("{'child': '%s', 'adult': '%.*s', 'relation': 'other', "
                                 "'responsibility': 'no', 'no_contact': 'no'}",
                                 c.ann.text, STR_ARG(c.dsl.person)));
    assert_int_equal(count(&c, &c.dsl, STR("concern"), school_id(&c.ann)), 1);
    assert_int_equal(count(&c, &c.dsl, STR("concern"), school_id(&c.ben)), 1);
    school_close(&c.at);
}

TEST(an_act_is_shown_with_names_and_without_values)
{
    struct cases c;
    cases_open(&c);
    const struct audit_query query = {.area = STR("concern"), .person = school_id(&c.ben)};
    json_t *document = list(&c, &c.head, &query);
    const json_t *item = json_array_get(school_at(document, "items"), 0);
    assert_str_eq(school_text(item, "actor.name"), STR("Dora Lamb"));
    assert_str_eq(school_text(item, "about.name"), STR("Ben Hill"));
    assert_str_eq(school_text(item, "act_label"), STR("added"));
    assert_str_eq(school_text(item, "area_label"), STR("Concern"));
    assert_str_eq(school_text(item, "plural"), STR("concerns"));
    char *text = json_dumps(document, 0);
    assert_null(strstr(text, "Asleep"));
    assert_null(strstr(text, "Tired"));
    free(text);
    json_decref(document);
    school_close(&c.at);
}

TEST(K11_nothing_of_a_list_counts_the_acts_that_are_hidden)
{
    struct cases c;
    size_t i;
    json_t *item;
    cases_open(&c);
    look(&c, &c.dsl, school_id(&c.ben));
    json_t *document = list(&c, &c.dsl, &(struct audit_query){.area = STR("look")});
    assert_int_not_equal(json_array_size(school_at(document, "items")), 0);
    json_array_foreach(school_at(document, "items"), i, item)
    {
        assert_null(json_object_get(item, "seq"));
    }
    json_decref(document);
    school_close(&c.at);
}

TEST(pages_go_on_where_the_last_one_ended)
{
    struct cases c;
    cases_open(&c);
    for (int i = 0; i < AUDIT_LIST_MAX; i++) {
        look(&c, &c.dsl, school_id(&c.ben));
    }
    const struct audit_query first = {.area = STR("look")};
    json_t *document = list(&c, &c.dsl, &first);
    assert_int_equal(json_array_size(school_at(document, "items")), AUDIT_LIST_MAX);
    char before[64];
    snprintf(before, sizeof(before), "%s", json_string_value(school_at(document, "next")));
    json_decref(document);
    const struct audit_query second = {.area = STR("look"), .before = str_from(before)};
    document = list(&c, &c.dsl, &second);
    assert_int_equal(json_array_size(school_at(document, "items")), 1);
    assert_null(school_at(document, "next"));
    json_decref(document);
    school_close(&c.at);
}

TEST(days_are_britains_and_wrong_ones_are_named)
{
    static const struct {
        struct audit_query query;
        enum err err;
        struct str fault;
        bool some;
    } rows[] = {
        {{.from = STR_INIT("2026-05-27"), .until = STR_INIT("2026-05-27")},
         ERR_OK,
         {NULL, 0},
         true},
        {{.until = STR_INIT("2026-05-26")}, ERR_OK, {NULL, 0}, false},
        {{.from = STR_INIT("2026-05-28")}, ERR_OK, {NULL, 0}, false},
        {{.from = STR_INIT("27 May")}, ERR_INVALID, STR_INIT("from"), false},
        {{.until = STR_INIT("2026-02-30")}, ERR_INVALID, STR_INIT("until"), false},
        {{.before = STR_INIT("0")}, ERR_INVALID, STR_INIT("before"), false},
        {{.before = STR_INIT("1-0000000000000000")}, ERR_INVALID, STR_INIT("before"), false},
    };
    struct cases c;
    cases_open(&c);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *document = NULL;
        struct str fault = STR("");
        assert_ok(store_begin(c.at.store.store, c.at.id, STORE_READ));
        assert_err(
            audit_list(c.at.store.store, &c.at.arena, &c.dsl, &rows[i].query, &document, &fault),
            rows[i].err);
        assert_str_eq(fault, rows[i].fault);
        assert_ok(store_commit(c.at.store.store));
        assert_int_equal(json_array_size(json_object_get(document, "items")) != 0, rows[i].some);
        json_decref(document);
    }
    school_close(&c.at);
}

TEST(a_day_begins_an_hour_earlier_in_summer_and_has_23_to_25_hours)
{
    static const struct {
        const char *day;
        int64_t begin, hours;
    } rows[] = {
        {"2026-01-15", 1768435200000, 24},
        {"2026-03-29", 1774742400000, 23},
        {"2026-07-01", 1782860400000, 24},
        {"2026-10-25", 1792882800000, 25},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t begin;
        int64_t end;
        assert_ok(audit_day_ms(str_from(rows[i].day), &begin));
        assert_ok(audit_day_end_ms(str_from(rows[i].day), &end));
        assert_int_equal(begin, rows[i].begin);
        assert_int_equal(end - begin, rows[i].hours * MS_PER_HOUR);
    }
}

TEST(who_has_no_right_to_the_audit_is_refused)
{
    struct cases c;
    cases_open(&c);
    struct actor governor = school_person(&c.at, "Gil Ross", "governor", "governor");
    const struct actor nobody = {.school = c.at.id, .roles = c.head.roles};
    const struct audit_query all = {0};
    json_t *document = NULL;
    struct str fault;
    assert_err(audit_list(c.at.store.store, &c.at.arena, &governor, &all, &document, &fault),
               ERR_DENIED);
    assert_err(audit_list(c.at.store.store, &c.at.arena, &nobody, &all, &document, &fault),
               ERR_DENIED);
    school_close(&c.at);
}

TESTS_MAIN(unit(R184_the_subject_of_an_allegation_finds_no_trace_of_it_in_the_audit),
           unit(the_audit_holds_of_each_register_what_its_reader_may_see),
           unit(who_reads_their_own_acts_reads_no_others),
           unit(a_leader_reads_no_acts_of_others_on_their_own_child),
           unit(an_act_is_shown_with_names_and_without_values),
           unit(K11_nothing_of_a_list_counts_the_acts_that_are_hidden),
           unit(pages_go_on_where_the_last_one_ended),
           unit(days_are_britains_and_wrong_ones_are_named),
           unit(a_day_begins_an_hour_earlier_in_summer_and_has_23_to_25_hours),
           unit(who_has_no_right_to_the_audit_is_refused))

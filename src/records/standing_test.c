/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/standing.h"

#include "lib/store.h"

#define BIT(role) (1U << ROLE_##role)

/* A school with hard cases. Ids are the names; all hold from 1 September 2026, and `today` is
 * 22 November 2026. */
struct school {
    struct test_store at;
    struct arena arena;
};

enum { TODAY = 20779 };

static const char *const people[][2] = {
    {"head", "staff"}, {"dsl", "staff"},      {"teacher", "staff"},     {"cover", "staff"},
    {"it", "staff"},   {"chair", "governor"}, {"governor", "governor"}, {"mum", "parent"},
    {"dad", "parent"}, {"step", "parent"},    {"ann", "pupil"},         {"ben", "pupil"},
    {"cat", "pupil"},
};

static const char *const posts[][4] = {
    {"head", "head", "2026-09-01", ""},         {"dsl", "dsl", "2026-09-01", ""},
    {"teacher", "teacher", "2026-09-01", ""},   {"cover", "teacher", "2026-09-01", "2026-11-22"},
    {"it", "technician", "2026-09-01", ""},     {"chair", "chair", "2026-09-01", ""},
    {"governor", "governor", "2026-09-01", ""}, {"teacher", "lead", "2025-09-01", "2026-11-21"},
    {"teacher", "senior", "2026-11-23", ""},
};

/* adult, child, responsibility, no contact, from, until */
static const struct {
    const char *adult, *child;
    int responsibility, no_contact;
    const char *from, *until;
} ties[] = {
    {"mum", "ann", 1, 0, "", ""},     {"dad", "ann", 1, 1, "", ""},
    {"step", "ann", 0, 0, "", ""},    {"dad", "ben", 1, 0, "", "2026-11-21"},
    {"teacher", "ben", 1, 0, "", ""}, {"governor", "cat", 1, 0, "2026-01-01", ""},
    {"dsl", "cat", 1, 0, "", ""},
};

static const char *const members[][4] = {
    {"ann", "elm", "member", ""},
    {"ben", "elm", "member", ""},
    {"cat", "elm", "member", "2026-11-21"},
    {"teacher", "elm", "teacher", ""},
    {"cover", "elm", "cover", "2026-11-22"},
};

static struct store_value word(const char *text)
{
    return text[0] != '\0' ? store_text(str_from(text)) : store_null();
}

static void add(struct store *store, enum store_statement insert, const char *id, const char *state,
                const struct store_value *fields, size_t n_fields)
{
    struct store_value values[32] = {
        store_text(str_from(id)),    store_text(STR("oak")), store_number(1),
        store_text(str_from(state)), store_null(),           store_number(1),
        store_text(STR("")),         store_number(1),        store_text(STR(""))};
    for (size_t i = 0; i < n_fields; i++) {
        values[COLUMN_FIELDS + i] = fields[i];
    }
    assert_ok(store_run(store, insert, values, COLUMN_FIELDS + n_fields, NULL));
}

static void add_people(struct store *store)
{
    const struct register_def *def = register_find(STR("person"));
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        struct store_value fields[32] = {{.kind = STORE_NULL}};
        const struct register_field *last = &def->fields[def->n_fields - 1];
        fields[def->fields[register_field_find(def, STR("name"))].column - COLUMN_FIELDS] =
            word(people[i][0]);
        fields[def->fields[register_field_find(def, STR("kind"))].column - COLUMN_FIELDS] =
            word(people[i][1]);
        add(store, def->statements->insert, people[i][0], "here", fields,
            last->column + last->n_columns - COLUMN_FIELDS);
    }
}

static void add_ties(struct store *store)
{
    char id[16];
    for (size_t i = 0; i < sizeof(ties) / sizeof(ties[0]); i++) {
        const struct store_value fields[] = {word(ties[i].child),
                                             word(ties[i].adult),
                                             word("other"),
                                             store_number(ties[i].responsibility),
                                             store_number(ties[i].no_contact),
                                             store_null(),
                                             word(ties[i].from),
                                             word(ties[i].until)};
        snprintf(id, sizeof(id), "tie%zu", i);
        add(store, STATEMENT_family_insert, id, "", fields, 8);
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct store_value fields[] = {word(members[i][0]), word(members[i][1]),
                                             word(members[i][2]), word("2026-09-01"),
                                             word(members[i][3])};
        snprintf(id, sizeof(id), "member%zu", i);
        add(store, STATEMENT_membership_insert, id, "", fields, 5);
    }
    for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
        const struct store_value fields[] = {word(posts[i][0]), word(posts[i][1]),
                                             word(posts[i][2]), word(posts[i][3])};
        snprintf(id, sizeof(id), "post%zu", i);
        add(store, STATEMENT_post_insert, id, "", fields, 4);
    }
}

static void school_open(struct school *school)
{
    const struct store_value oak[] = {store_text(STR("oak")), store_text(STR("Oak Primary")),
                                      store_text(STR("primary")), store_text(STR("")),
                                      store_number(1)};
    test_store_open(&school->at);
    arena_init(&school->arena, 1 << 16);
    assert_ok(store_begin(school->at.store, STR("oak"), STORE_WRITE));
    assert_ok(store_run(school->at.store, STATEMENT_SCHOOL_ADD, oak, 5, NULL));
    add_people(school->at.store);
    add_ties(school->at.store);
}

static void school_close(struct school *school)
{
    store_rollback(school->at.store);
    arena_fini(&school->arena);
    test_store_close(&school->at);
}

static struct actor load(struct school *school, const char *person)
{
    struct actor actor = {.school = STR("oak"), .today = TODAY};
    assert_ok(actor_load(school->at.store, &school->arena, str_from(person), &actor));
    return actor;
}

TEST(who_somebody_is_follows_from_posts_and_ties_that_hold_today)
{
    static const struct {
        const char *person;
        unsigned roles;
    } cases[] = {
        {"head", BIT(head)},
        {"teacher", BIT(teacher) | BIT(parent)},
        {"cover", BIT(teacher)},
        {"governor", BIT(governor) | BIT(parent)},
        {"mum", BIT(parent)},
        {"dad", 0},  /* no contact with one child, and the other tie is over */
        {"step", 0}, /* no responsibility */
        {"ann", BIT(pupil)},
    };
    struct school school;
    school_open(&school);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct actor actor = load(&school, cases[i].person);
        assert_int_equal(actor.roles, cases[i].roles);
        assert_str_eq(actor.name, str_from(cases[i].person));
        assert_str_eq(actor.person, str_from(cases[i].person));
    }
    struct actor chair = load(&school, "chair");
    assert_true((chair.held & BIT(head)) != 0);
    assert_int_equal(chair.held & BIT(trust), 0);
    struct actor nobody = {.school = STR("oak"), .today = TODAY};
    assert_err(actor_load(school.at.store, &school.arena, STR("zoe"), &nobody), ERR_NOT_FOUND);
    school_close(&school);
}

struct question {
    const char *actor, *about, *made_by, *hidden_from;
    const char *name; /* the register */
    enum verb verb;
    bool may;
};

static void ask(struct school *school, const struct question *questions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct question *q = &questions[i];
        struct actor actor = load(school, q->actor);
        const struct register_def *def = register_find(str_from(q->name));
        struct str hidden = str_from(q->hidden_from);
        struct standing standing;
        const struct standing_facts facts = {.about = str_from(q->about),
                                             .made_by = str_from(q->made_by),
                                             .hidden_from = &hidden,
                                             .n_hidden_from = q->hidden_from != NULL ? 1 : 0};
        assert_ok(standing_of(school->at.store, &school->arena, &actor, def, &facts, &standing));
        if (standing_may(&standing, def->area, q->verb) != q->may) {
            fail_msg("%s %s of %s about %s (%zu): not as the table says", q->actor, q->name,
                     q->made_by, q->about, i);
        }
    }
}

#define ASK(school, questions) ask(school, questions, sizeof(questions) / sizeof(questions[0]))

TEST(R184_an_allegation_is_the_heads_and_about_the_head_the_chairs)
{
    static const struct question questions[] = {
        {"head", "teacher", "cover", "teacher", "allegation", VERB_see, true},
        {"head", "teacher", "cover", "teacher", "allegation", VERB_change, true},
        {"chair", "teacher", "cover", "teacher", "allegation", VERB_see, false},
        {"dsl", "teacher", "cover", "teacher", "allegation", VERB_see, false},
        {"teacher", "teacher", "cover", "teacher", "allegation", VERB_see, false},
        {"cover", "teacher", "cover", "teacher", "allegation", VERB_see, true},
        {"head", "head", "cover", "head", "allegation", VERB_see, false},
        {"head", "head", "head", "head", "allegation", VERB_see, false},
        {"chair", "head", "cover", "head", "allegation", VERB_see, true},
        {"chair", "head", "cover", "head", "allegation", VERB_change, true},
        {"governor", "head", "cover", "head", "allegation", VERB_see, false},
        {"head", "dsl", "cover", "dsl", "low_level_concern", VERB_see, true},
        {"head", "it", "cover", "it", "low_level_concern", VERB_see, true},
        {"it", "it", "cover", "it", "low_level_concern", VERB_see, false},
        {"head", "head", "", "head", "allegation", VERB_make, false},
        {"teacher", "head", "", "head", "allegation", VERB_make, true},
    };
    struct school school;
    school_open(&school);
    ASK(&school, questions);
    school_close(&school);
}

TEST(ones_own_child_is_seen_with_a_parents_eyes)
{
    static const struct question questions[] = {
        {"mum", "ann", "", NULL, "person", VERB_see, true},
        {"mum", "ben", "", NULL, "person", VERB_see, false},
        {"dad", "ann", "", NULL, "person", VERB_see, false}, /* no contact */
        {"dad", "ann", "dad", NULL, "concern", VERB_see, false},
        {"dad", "ben", "", NULL, "person", VERB_see, false}, /* the tie is over */
        {"step", "ann", "", NULL, "person", VERB_see, false},
        {"governor", "cat", "", NULL, "person", VERB_see, true},
        {"governor", "ann", "", NULL, "person", VERB_see, false},
        {"teacher", "ben", "head", NULL, "person", VERB_see, true},
        {"teacher", "ben", "head", NULL, "concern", VERB_see, false},
        {"teacher", "ben", "teacher", NULL, "concern", VERB_see, true},
        {"teacher", "ben", "", NULL, "concern", VERB_make, true},
        {"teacher", "ben", "", NULL, "family", VERB_see, false},
        {"teacher", "ann", "", NULL, "family", VERB_see, true},
        {"dsl", "ann", "teacher", NULL, "concern", VERB_change, true},
        {"dsl", "cat", "teacher", NULL, "concern", VERB_see, false},
        {"dsl", "cat", "teacher", NULL, "concern", VERB_change, false},
        {"mum", "ann", "teacher", NULL, "concern", VERB_see, false},
        {"mum", "ann", "mum", NULL, "concern", VERB_see, true},
    };
    struct school school;
    school_open(&school);
    ASK(&school, questions);
    school_close(&school);
}

TEST(a_class_is_who_teaches_or_covers_it_and_who_is_in_it_today)
{
    static const struct question questions[] = {
        {"teacher", "ann", "", NULL, "person", VERB_see, true},
        {"cover", "ann", "", NULL, "person", VERB_see, true},
        {"teacher", "cat", "", NULL, "person", VERB_see, false}, /* left yesterday */
        {"teacher", "ann", "head", NULL, "concern", VERB_see, false},
        {"teacher", "cat", "", NULL, "concern", VERB_make, true},
        {"it", "ann", "", NULL, "person", VERB_see, false},
        {"it", "it", "", NULL, "person", VERB_see, true},
        {"ann", "ann", "", NULL, "person", VERB_see, true},
        {"ann", "ben", "", NULL, "concern", VERB_make, false},
    };
    struct school school;
    school_open(&school);
    ASK(&school, questions);
    struct actor cover = load(&school, "cover");
    cover.today = TODAY + 1;
    const struct standing_facts facts = {.about = STR("ann")};
    struct standing standing;
    const struct register_def *def = register_find(STR("person"));
    assert_ok(standing_of(school.at.store, &school.arena, &cover, def, &facts, &standing));
    assert_false(standing_may(&standing, def->area, VERB_see));
    school_close(&school);
}

TEST(nobody_gives_themselves_a_role)
{
    static const struct question questions[] = {
        {"head", "teacher", "", NULL, "post", VERB_make, true},
        {"head", "head", "", NULL, "post", VERB_make, false},
        {"head", "head", "", NULL, "post", VERB_change, false},
        {"head", "head", "", NULL, "post", VERB_see, true},
        {"chair", "head", "", NULL, "post", VERB_change, true},
        {"it", "it", "", NULL, "post", VERB_make, false},
        {"ann", "ann", "", NULL, "concern", VERB_make, true},
    };
    struct school school;
    school_open(&school);
    ASK(&school, questions);
    school_close(&school);
}

TEST(a_person_who_is_named_sees_the_record_as_who_made_it)
{
    struct school school;
    struct standing standing;
    const struct str named = STR("it");
    const struct standing_facts facts = {
        .about = STR("ann"), .made_by = STR("head"), .named = &named, .n_named = 1};
    school_open(&school);
    struct actor teacher = load(&school, "teacher");
    struct actor it = load(&school, "it");
    const struct register_def *def = register_find(STR("allegation"));
    assert_ok(standing_of(school.at.store, &school.arena, &it, def, &facts, &standing));
    assert_true(standing_may(&standing, def->area, VERB_see));
    assert_false(standing_may(&standing, def->area, VERB_change));
    assert_ok(standing_of(school.at.store, &school.arena, &teacher, def, &facts, &standing));
    assert_false(standing_may(&standing, def->area, VERB_see));
    school_close(&school);
}

TEST(who_is_signed_out_stands_nowhere_and_the_operator_everywhere)
{
    const struct register_def *def = register_find(STR("person"));
    const struct actor nobody = {.school = STR("oak"), .today = TODAY};
    const struct actor at_machine = {.school = STR("oak"), .today = TODAY, .operator= true };
    const struct standing_facts facts = {.about = STR("ann")};
    struct standing standing;
    struct standing_list list;
    struct school school;
    school_open(&school);
    assert_ok(standing_of(school.at.store, &school.arena, &nobody, def, &facts, &standing));
    assert_false(standing_may(&standing, def->area, VERB_see));
    standing_list(&nobody, def, VERB_see, &list);
    assert_false(list.any);
    assert_ok(standing_of(school.at.store, &school.arena, &at_machine, def, &facts, &standing));
    assert_true(standing_may(&standing, def->area, VERB_make));
    standing_list(&at_machine, def, VERB_see, &list);
    assert_true(list.any && list.reach == REACH_SCHOOL);
    school_close(&school);
}

TEST(lists_are_asked_for_by_relationship)
{
    const struct register_def *people_of = register_find(STR("person"));
    const struct register_def *concerns = register_find(STR("concern"));
    const struct register_def *allegations = register_find(STR("allegation"));
    struct standing_list list;
    struct actor actor = {.school = STR("oak"), .person = STR("x"), .roles = BIT(teacher)};
    standing_list(&actor, people_of, VERB_see, &list);
    assert_true(list.any && list.reach == REACH_CLASS);
    assert_str_eq(list.kin, STR("all"));
    standing_list(&actor, concerns, VERB_see, &list);
    assert_true(list.any && list.reach == REACH_MADE);
    assert_str_eq(list.kin, STR("made"));
    actor.roles = BIT(dsl) | BIT(parent);
    standing_list(&actor, concerns, VERB_see, &list);
    assert_int_equal(list.reach, REACH_SCHOOL);
    assert_str_eq(list.kin, STR("made"));
    standing_list(&actor, concerns, VERB_take, &list);
    assert_str_eq(list.kin, STR("none"));
    actor.roles = BIT(governor) | BIT(parent);
    standing_list(&actor, people_of, VERB_see, &list);
    assert_int_equal(list.reach, REACH_OWN);
    actor.roles = BIT(chair);
    actor.held = BIT(head) | BIT(chair);
    standing_list(&actor, allegations, VERB_see, &list);
    assert_true(list.any && list.reach == REACH_MADE);
    assert_str_eq(str_from(list.passed), STR(",head,"));
    standing_list(&actor, concerns, VERB_see, &list);
    assert_false(list.any);
    assert_str_eq(str_from(list.passed), STR(",,"));
    actor.roles = BIT(dsl);
    standing_list(&actor, allegations, VERB_take, &list);
    assert_str_eq(str_from(list.passed), STR(",head,head<chair,"));
    assert_true(list.any);
    actor.held = BIT(dsl);
    standing_list(&actor, allegations, VERB_take, &list);
    assert_int_equal(list.reach, REACH_SCHOOL);
    assert_str_eq(str_from(list.passed), STR(",,"));
    /* The longest there can be fits. */
    actor.roles = BIT(senior);
    actor.held = (1U << ROLE_COUNT) - 1;
    standing_list(&actor, allegations, VERB_see, &list);
    assert_true(list.any);
}

TEST(ids_are_26_characters_of_base_32)
{
    struct record_id a, b;
    record_id_make(&a);
    record_id_make(&b);
    assert_true(record_id_is_valid(str_from(a.text)));
    assert_false(str_eq(str_from(a.text), str_from(b.text)));
    assert_false(record_id_is_valid(STR("")));
    assert_false(record_id_is_valid(STR("ABCDEFGHIJKLMNOPQRSTUVWXYZ")));
    assert_false(record_id_is_valid(STR("abcdefghijklmnopqrstuvwxy1")));
    assert_false(record_id_is_valid(STR("abcdefghijklmnopqrstuvwxyza")));
}

TEST(a_day_is_printed_as_the_store_keeps_it)
{
    char text[DAY_TEXT_MAX];
    assert_str_eq(day_print(TODAY, text), STR("2026-11-22"));
    assert_str_eq(day_print(0, text), STR("1970-01-01"));
}

TESTS_MAIN(unit(who_somebody_is_follows_from_posts_and_ties_that_hold_today),
           unit(R184_an_allegation_is_the_heads_and_about_the_head_the_chairs),
           unit(ones_own_child_is_seen_with_a_parents_eyes),
           unit(a_class_is_who_teaches_or_covers_it_and_who_is_in_it_today),
           unit(nobody_gives_themselves_a_role),
           unit(a_person_who_is_named_sees_the_record_as_who_made_it),
           unit(who_is_signed_out_stands_nowhere_and_the_operator_everywhere),
           unit(lists_are_asked_for_by_relationship), unit(ids_are_26_characters_of_base_32),
           unit(a_day_is_printed_as_the_store_keeps_it))

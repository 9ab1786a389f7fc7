/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random lives of records beside a model of them: what the engine tells is what the model holds,
 * and the chain of acts is whole. */
#include "lib/gen.h"
#include "lib/records.h"
#include "records/audit.h"

enum {
    RUNS = 8,
    STEPS = 40,
    RECORDS = 4,
    VERSIONS = STEPS + 2,
    RUNS_OF_POSTGRES = 2 /* making a database takes it longer than a run */
};

static uint64_t runs_of(uint64_t runs)
{
    return getenv("LODGE_TEST_POSTGRES") != NULL ? RUNS_OF_POSTGRES : runs;
}

static const char *const rooms[] = {"Hall", "Library", "Room 3", "Caf\xc3\xa9"};
static const char *const states[] = {"in_use", "lost", "withdrawn"};

struct version {
    int room; /* -1: none */
    int state;
};

/* The versions of one device; n is 0 where there is none. */
struct life {
    struct record_id id;
    struct version versions[VERSIONS];
    size_t n;
};

struct world {
    struct school at;
    struct actor technician;
    const struct register_def *def;
    struct life lives[RECORDS];
    unsigned tags;
    int64_t acts;
};

static void make(struct world *world, struct life *life)
{
    life->id = school_make(&world->at, &world->technician, "device",
                           school_json("{'tag': 'T%u', 'kind': 'tablet'}", world->tags++));
    life->versions[0] = (struct version){.room = -1};
    life->n = 1;
    world->acts++;
}

static void change(struct gen *gen, struct world *world, struct life *life)
{
    struct version next = life->versions[life->n - 1];
    next.room = (int)gen_below(gen, sizeof(rooms) / sizeof(rooms[0]));
    json_t *input = json_pack("{s:s}", "room", rooms[next.room]);
    bool stale = life->n > 1 && gen_chance(gen, 20);
    enum err err = engine_change(&world->at.engine, &world->technician, world->def,
                                 school_id(&life->id), life->n - stale, input, STR(""), NULL);
    json_decref(input);
    assert_err(err, stale ? ERR_CONFLICT : ERR_OK);
    if (!stale && next.room != life->versions[life->n - 1].room) {
        life->versions[life->n++] = next;
        world->acts++;
    }
}

static void move(struct gen *gen, struct world *world, struct life *life)
{
    static const struct {
        const char *name;
        unsigned from;
        int to;
    } moves[] = {{"lose", 1, 1}, {"find", 2, 0}, {"withdraw", 3, 2}};
    size_t which = gen_below(gen, 3);
    struct version next = life->versions[life->n - 1];
    bool fits = (moves[which].from & 1U << next.state) != 0;
    json_t *input = json_object();
    enum err err =
        engine_move(&world->at.engine, &world->technician, world->def, school_id(&life->id),
                    life->n, str_from(moves[which].name), input, STR("As told"), NULL);
    json_decref(input);
    assert_err(err, fits ? ERR_OK : ERR_CONFLICT);
    if (fits) {
        next.state = moves[which].to;
        life->versions[life->n++] = next;
        world->acts++;
    }
}

static void undo(struct world *world, struct life *life)
{
    enum err err = engine_undo(&world->at.engine, &world->technician, world->def,
                               school_id(&life->id), life->n, NULL);
    assert_err(err, life->n > 1 ? ERR_OK : ERR_NOT_FOUND);
    if (life->n > 1) {
        life->versions[life->n] = life->versions[life->n - 2];
        life->n++;
        world->acts++;
    }
}

static void dispose(struct world *world, struct life *life)
{
    assert_ok(engine_dispose(&world->at.engine, &world->technician, world->def,
                             school_id(&life->id), life->n, STR("mistake"), NULL));
    life->n = 0;
    world->acts++;
}

static void assert_life(struct world *world, const struct life *life)
{
    const struct version *now = &life->versions[life->n - 1];
    json_t *history = NULL;
    json_t *record = school_get(&world->at, &world->technician, "device", life->id);
    assert_int_equal(json_integer_value(school_at(record, "version")), life->n);
    assert_str_eq(school_text(record, "state"), str_from(states[now->state]));
    assert_str_eq(school_text(record, "fields.room"),
                  now->room < 0 ? STR("") : str_from(rooms[now->room]));
    assert_ok(engine_history(&world->at.engine, &world->technician, world->def,
                             school_id(&life->id), &history));
    assert_int_equal(json_array_size(history), life->n);
    for (size_t i = 0; i < life->n; i++) {
        const json_t *version = json_array_get(history, life->n - 1 - i);
        assert_str_eq(school_text(version, "state"), str_from(states[life->versions[i].state]));
    }
    json_decref(history);
    json_decref(record);
}

static void assert_world(struct world *world)
{
    struct audit_verdict verdict;
    json_t *list = NULL;
    size_t there = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        if (world->lives[i].n != 0) {
            assert_life(world, &world->lives[i]);
            there++;
        }
    }
    assert_ok(engine_list(&world->at.engine, &world->technician, world->def,
                          &(struct engine_query){0}, &list));
    assert_int_equal(json_integer_value(json_object_get(list, "total")), there);
    json_decref(list);
    assert_ok(store_begin(world->at.store.store, world->at.id, STORE_READ));
    assert_ok(audit_verify(world->at.store.store, world->at.id, 0, STR(""), &verdict));
    assert_ok(store_commit(world->at.store.store));
    assert_true(verdict.whole);
    assert_int_equal(verdict.acts, world->acts);
}

static void step(struct gen *gen, struct world *world)
{
    struct life *life = &world->lives[gen_below(gen, RECORDS)];
    if (life->n == 0) {
        make(world, life);
        return;
    }
    switch (gen_below(gen, 10)) {
    case 0:
        dispose(world, life);
        return;
    case 1:
    case 2:
        undo(world, life);
        return;
    case 3:
    case 4:
        move(gen, world, life);
        return;
    default:
        change(gen, world, life);
    }
}

TEST(the_history_and_the_chain_hold_whatever_was_done)
{
    GEN_RUNS(gen, runs_of(RUNS))
    {
        struct world world = {.def = school_register("device")};
        school_open(&world.at);
        world.technician = school_person(&world.at, "Theo Wren", "staff", "technician");
        world.acts = 2; /* the person, the post */
        for (int i = 0; i < STEPS; i++) {
            step(&gen, &world);
        }
        assert_world(&world);
        school_close(&world.at);
    }
}

/* ---- lists and single records agree ---- */

enum { PEOPLE = 6, WORLDS = 8 };

static const char *const kinds[] = {"pupil", "staff", "parent", "governor"};
static const char *const roles[] = {"teacher", "dsl",  "head",       "chair",  "governor",
                                    "office",  "lead", "technician", "senior", "assistant"};
static const char *const names[] = {"Ada", "Ben", "Cara", "Dan", "Eva", "Finn"};

static void fill(struct gen *gen, struct school *at, struct record_id people[PEOPLE])
{
    struct record_id group =
        school_add(at, "group", school_json("{'name': '2P', 'kind': 'class'}"));
    for (size_t i = 0; i < PEOPLE; i++) {
        people[i] = school_somebody(at, names[i], GEN_PICK(gen, kinds));
        if (gen_chance(gen, 70)) {
            school_give_role(at, people[i], GEN_PICK(gen, roles));
        }
        (void)school_add(at, "membership",
                         school_json("{'person': '%s', 'group': '%s', 'kind': '%s', 'from': "
                                     "'2025-09-01', 'until': '%s'}",
                                     people[i].text, group.text,
                                     gen_chance(gen, 60) ? "member" : "teacher",
                                     gen_chance(gen, 80) ? "" : "2026-01-01"));
    }
    for (size_t i = 0; i < PEOPLE; i++) {
        (void)school_add(
            at, "family",
            school_json("{'child': '%s', 'adult': '%s', 'relation': 'other', 'responsibility': %s,"
                        " 'no_contact': %s}",
                        people[gen_below(gen, PEOPLE)].text, people[gen_below(gen, PEOPLE)].text,
                        gen_chance(gen, 60) ? "true" : "false",
                        gen_chance(gen, 20) ? "true" : "false"));
    }
}

static void try_make(struct school *at, const struct actor *actor, const char *name, json_t *input)
{
    struct record_id id;
    enum err err = engine_make(&at->engine, actor, school_register(name), input, &id, NULL);
    json_decref(input);
    assert_true(err == ERR_OK || err == ERR_DENIED);
}

/* Concerns and allegations about anybody by whoever may make them. */
static void lodge(struct gen *gen, struct school *at, const struct record_id people[PEOPLE])
{
    for (size_t i = 0; i < PEOPLE; i++) {
        struct actor maker = school_actor(at, people[i]);
        const char *about = people[gen_below(gen, PEOPLE)].text;
        try_make(at, &maker, "concern",
                 school_json("{'child': '%s', 'summary': 'C', 'kind': 'home', 'happened':"
                             " '2026-05-20', 'facts': 'f'}",
                             about));
        try_make(at, &maker, "allegation",
                 school_json("{'adult': '%s', 'summary': 'A', 'account': 'f'}", about));
    }
}

static bool is_listed(const json_t *document, struct str id)
{
    size_t index;
    const json_t *item;
    json_array_foreach(json_object_get(document, "items"), index, item)
    {
        if (str_eq(school_text(item, "id"), id)) {
            return true;
        }
    }
    return false;
}

/* All records of a register, as the operator lists them. */
static void assert_agrees(struct school *at, const struct actor *actor,
                          const struct register_def *def, uint64_t run)
{
    const struct actor operator= school_operator(at);
    const struct engine_query query = {.per_page = 100};
    json_t *all = NULL;
    json_t *mine = NULL;
    size_t index;
    const json_t *item;
    assert_ok(engine_list(&at->engine, &operator, def, &query, &all));
    enum err err = engine_list(&at->engine, actor, def, &query, &mine);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    json_array_foreach(json_object_get(all, "items"), index, item)
    {
        json_t *record = NULL;
        struct str id = school_text(item, "id");
        enum err seen = engine_get(&at->engine, actor, def, id, &record);
        json_decref(record);
        if ((seen == ERR_OK) != is_listed(mine, id)) {
            fail_msg("run %llu: %.*s %.*s: get says ERR_%s, the list %s", (unsigned long long)run,
                     STR_ARG(actor->name), STR_ARG(def->name), err_name(seen),
                     seen == ERR_OK ? "does not hold it" : "holds it");
        }
    }
    json_decref(all);
    json_decref(mine);
}

TEST(a_list_holds_exactly_the_records_that_can_be_opened)
{
    GEN_RUNS(gen, runs_of(WORLDS))
    {
        struct school at;
        struct record_id people[PEOPLE];
        school_open(&at);
        fill(&gen, &at, people);
        lodge(&gen, &at, people);
        for (size_t i = 0; i < PEOPLE; i++) {
            struct actor actor = school_actor(&at, people[i]);
            for (size_t r = 0; r < N_REGISTERS; r++) {
                assert_agrees(&at, &actor, REGISTERS[r], gen.run);
            }
        }
        school_close(&at);
    }
}

TESTS_MAIN(unit(the_history_and_the_chain_hold_whatever_was_done),
           unit(a_list_holds_exactly_the_records_that_can_be_opened))

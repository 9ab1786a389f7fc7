/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is bound to which device, for how long, and what of it the gate is told. */
#include "records/gate_sign_in.h"

#include "lib/policy.h"
#include "lib/records.h"
#include "records/account.h"
#include "records/audit.h"
#include "records/publish.h"
#include "wire/addr.h"

#define MEMBERS \
    ",'members':[{'group':'ks2','kind':'pupil'},{'group':'teachers','roles':['teacher']}]"

enum { HOURS_8 = 8 * MS_PER_HOUR, DOCUMENT_MAX = 1 << 20 };

struct rig {
    struct school at;
    struct record_id ict, phone; /* devices */
    struct actor ada, tess, pam;
};

static void put_policy(struct school *at)
{
    struct buf document;
    buf_init(&document, DOCUMENT_MAX);
    test_document(&(struct test_policy){.more = MEMBERS}, &document);
    const struct store_value values[] = {
        store_text(at->id), store_number(1),     store_text(buf_str(&document)),
        store_number(1),    store_text(STR("")), store_text(STR("the first"))};
    assert_ok(store_begin(at->store.store, at->id, STORE_WRITE));
    assert_ok(store_run(at->store.store, STATEMENT_POLICY_ADD, values, 6, NULL));
    assert_ok(store_commit(at->store.store));
    buf_fini(&document);
}

static void set_client(struct actor *actor, const char *address)
{
    struct addr addr;
    assert_ok(addr_parse(str_from(address), &addr));
    memcpy(actor->client, addr.bytes, sizeof(actor->client));
}

/* Somebody with an account, at the device ict. */
static struct actor person(struct rig *rig, const char *name, const char *kind, const char *role,
                           bool one_time)
{
    struct school *at = &rig->at;
    struct actor actor = school_person(at, name, kind, role);
    const struct actor operator= school_operator(at);
    struct record_id id;
    struct account_fault fault;
    char log_on[2] = {name[0], '\0'};
    const struct account_new fresh = {.person = actor.person,
                                      .log_on = str_from(log_on),
                                      .hash = STR("$hash$"),
                                      .must_change = one_time};
    assert_ok(account_make(&at->engine, &operator, & fresh, &id, &fault));
    actor.account = arena_dup(&at->arena, school_id(&id));
    set_client(&actor, "192.0.2.7");
    return actor;
}

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){0};
    school_open(&rig->at);
    put_policy(&rig->at);
    rig->ict = school_add(&rig->at, "device",
                          school_json("{'tag': 'ICT-04', 'kind': 'desktop', 'address': "
                                      "'192.0.2.7'}"));
    rig->ada = person(rig, "Ada Price", "pupil", NULL, false);
    rig->tess = person(rig, "Tess Teacher", "staff", "teacher", false);
    rig->pam = person(rig, "Pam Price", "parent", NULL, false);
    rig->phone = school_add(&rig->at, "device",
                            school_json("{'tag': 'P-1', 'kind': 'phone', 'address': '2001:db8::1',"
                                        " 'owner': '%.*s'}",
                                        STR_ARG(rig->tess.person)));
}

static void rig_close(struct rig *rig)
{
    school_close(&rig->at);
}

static enum err try(struct rig *rig, const struct actor *actor)
{
    int64_t until;
    return gate_sign_in_begin(&rig->at.engine, actor, STR(""), GATE_HOW_SILENT, HOURS_8, &until);
}

/* The person whom the gate takes the device at 192.0.2.7 for; empty: nobody. In the arena. */
static struct str published_at(struct rig *rig, int64_t now_ms)
{
    struct published published;
    struct str person = STR("");
    published_init(&published);
    assert_ok(publish_read(rig->at.store.store, rig->at.id, STR(""), now_ms, &published));
    json_t *state = json_loadb(published.state.p, published.state.len, 0, NULL);
    const json_t *sign_in = json_array_get(json_object_get(state, "sign_ins"), 0);
    assert_true(json_array_size(json_object_get(state, "sign_ins")) <= 1);
    if (sign_in != NULL) {
        assert_str_eq(school_text(sign_in, "device"), school_id(&rig->ict));
        person = arena_dup(&rig->at.arena, school_text(sign_in, "person"));
    }
    json_decref(state);
    published_fini(&published);
    return person;
}

static struct str published(struct rig *rig)
{
    return published_at(rig, rig->at.now_ms);
}

/* How many acts there are of the area. */
static size_t acts(struct rig *rig)
{
    const struct store_value values[] = {store_text(rig->at.id)};
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    assert_ok(store_begin(rig->at.store.store, rig->at.id, STORE_READ));
    assert_ok(store_query(rig->at.store.store, STATEMENT_ACTS, values, 1, &rows));
    while (store_rows_next(rows, &err)) {
        n += str_eq(store_rows_bytes(rows, 7), STR("gate"));
    }
    store_rows_free(rows);
    assert_ok(err);
    assert_ok(store_commit(rig->at.store.store));
    return n;
}

TEST(a_person_is_bound_to_the_device_at_their_address_until_an_end)
{
    struct rig rig;
    struct gate_device device;
    struct gate_sign_in found;
    int64_t until;
    rig_open(&rig);
    struct school *at = &rig.at;
    assert_ok(
        gate_sign_in_begin(&at->engine, &rig.ada, STR(""), GATE_HOW_PASSWORD, HOURS_8, &until));
    assert_int_equal(until, at->now_ms + HOURS_8);
    assert_ok(gate_device_at(at->store.store, &at->arena, STR(""), rig.ada.client, &device));
    assert_str_eq(device.tag, STR("ICT-04"));
    assert_ok(gate_sign_in_at(at->store.store, &at->arena, &device, at->now_ms, &found));
    assert_str_eq(found.name, STR("Ada Price"));
    assert_str_eq(published(&rig), rig.ada.person);
    /* At its end, and from then on, there is none, whether or not anything was published. */
    assert_err(gate_sign_in_at(at->store.store, &at->arena, &device, until, &found), ERR_NOT_FOUND);
    assert_str_eq(published_at(&rig, until), STR(""));
    assert_int_equal(acts(&rig), 1);
    rig_close(&rig);
}

TEST(midnight_at_the_school_ends_it_at_the_latest)
{
    struct rig rig;
    int64_t until;
    rig_open(&rig);
    /* 01:00 by British summer time: 23 hours are left of the day. */
    assert_ok(
        gate_sign_in_begin(&rig.at.engine, &rig.ada, STR(""), GATE_HOW_SILENT, MS_PER_DAY, &until));
    assert_int_equal(until, rig.at.now_ms + 23 * (int64_t)MS_PER_HOUR);
    rig_close(&rig);
}

TEST(another_sign_in_on_a_device_ends_the_one_before)
{
    struct rig rig;
    rig_open(&rig);
    assert_ok(try(&rig, &rig.ada));
    assert_ok(try(&rig, &rig.tess));
    assert_str_eq(published(&rig), rig.tess.person);
    assert_int_equal(acts(&rig), 3);
    assert_ok(try(&rig, &rig.tess));
    assert_str_eq(published(&rig), rig.tess.person);
    assert_int_equal(acts(&rig), 5);
    rig_close(&rig);
}

TEST(only_whom_the_policy_places_and_who_may_sign_in_is_bound)
{
    struct rig rig;
    rig_open(&rig);
    struct actor fresh = person(&rig, "Nia New", "pupil", NULL, true);
    struct actor other = rig.ada;
    other.person = rig.tess.person; /* an account of somebody else */
    struct actor elsewhere = rig.ada;
    elsewhere.school = STR("elm");
    const struct actor *const refused[] = {&rig.pam, &fresh, &other, &elsewhere};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_err(try(&rig, refused[i]), ERR_DENIED);
    }
    assert_str_eq(published(&rig), STR(""));
    assert_int_equal(acts(&rig), 0);
    rig_close(&rig);
}

TEST(no_device_that_is_unknown_somebodys_or_evidence_is_bound)
{
    static const char *const addresses[] = {"192.0.2.8", "2001:db8::1", "192.0.2.9", "0.0.0.0"};
    struct rig rig;
    rig_open(&rig);
    const struct actor operator= school_operator(&rig.at);
    struct record_id kept = school_add(
        &rig.at, "device", school_json("{'tag': 'K-1', 'kind': 'laptop', 'address': '192.0.2.9'}"));
    json_t *faults = NULL;
    assert_ok(engine_move(&rig.at.engine, &operator, school_register("device"), school_id(&kept), 1,
                          STR("isolate"), NULL, STR("evidence"), &faults));
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct actor actor = rig.ada;
        set_client(&actor, addresses[i]);
        assert_err(try(&rig, &actor), ERR_NOT_FOUND);
    }
    rig_close(&rig);
}

static void change_device(struct rig *rig, const char *input)
{
    const struct actor operator= school_operator(&rig->at);
    json_t *faults = NULL;
    json_t *record = school_get(&rig->at, &operator, "device", rig->ict);
    json_t *json = school_json("%s", input);
    uint64_t version = (uint64_t)json_integer_value(json_object_get(record, "version"));
    school_fail_faults(engine_change(&rig->at.engine, &operator, school_register("device"),
                                     school_id(&rig->ict), version, json, STR(""), &faults),
                       faults);
    json_decref(json);
    json_decref(record);
}

TEST(a_device_that_is_not_as_it_was_has_nobody_signed_in)
{
    struct rig rig;
    char owner[128];
    rig_open(&rig);
    assert_ok(try(&rig, &rig.ada));
    change_device(&rig, "{'address': '192.0.2.70'}");
    assert_str_eq(published(&rig), STR(""));
    change_device(&rig, "{'address': '::ffff:192.0.2.7'}"); /* the same, written otherwise */
    assert_str_eq(published(&rig), rig.ada.person);
    snprintf(owner, sizeof(owner), "{'owner': '%.*s'}", STR_ARG(rig.tess.person));
    change_device(&rig, owner);
    assert_str_eq(published(&rig), STR(""));
    rig_close(&rig);
}

TEST(what_ends_an_account_s_sessions_ends_its_sign_ins)
{
    struct rig rig;
    rig_open(&rig);
    struct engine *engine = &rig.at.engine;
    const struct actor operator= school_operator(&rig.at);
    assert_ok(try(&rig, &rig.ada));
    assert_ok(account_disable(engine, &operator, rig.ada.account));
    assert_str_eq(published(&rig), STR(""));
    assert_ok(account_enable(engine, &operator, rig.ada.account));
    assert_str_eq(published(&rig), STR("")); /* nor does it come back */
    assert_ok(try(&rig, &rig.tess));
    assert_ok(account_compromised(engine, &rig.tess));
    assert_str_eq(published(&rig), STR(""));
    assert_err(try(&rig, &rig.tess), ERR_DENIED);
    rig_close(&rig);
}

TEST(a_sign_in_is_ended_by_its_person_and_by_whoever_is_at_the_device)
{
    struct rig rig;
    rig_open(&rig);
    struct engine *engine = &rig.at.engine;
    struct actor nobody = {.now_ms = rig.at.now_ms};
    json_t *own = json_array();
    assert_ok(try(&rig, &rig.ada));
    assert_ok(store_begin(engine->store, rig.at.id, STORE_READ));
    assert_ok(gate_sign_ins_of(engine->store, rig.at.id, rig.ada.account, rig.at.now_ms, own));
    assert_ok(store_commit(engine->store));
    assert_int_equal(json_array_size(own), 1);
    struct str id = school_text(json_array_get(own, 0), "id");
    assert_err(gate_sign_in_end(engine, &rig.tess, id), ERR_NOT_FOUND);
    assert_str_eq(published(&rig), rig.ada.person);
    assert_ok(gate_sign_in_end(engine, &rig.ada, id));
    assert_err(gate_sign_in_end(engine, &rig.ada, id), ERR_NOT_FOUND);
    assert_str_eq(published(&rig), STR(""));
    assert_ok(try(&rig, &rig.ada));
    set_client(&nobody, "192.0.2.8");
    assert_err(gate_sign_in_end_here(engine, &nobody, STR("")), ERR_NOT_FOUND);
    set_client(&nobody, "192.0.2.7");
    assert_ok(gate_sign_in_end_here(engine, &nobody, STR("")));
    assert_str_eq(published(&rig), STR(""));
    assert_int_equal(acts(&rig), 4);
    json_decref(own);
    rig_close(&rig);
}

TESTS_MAIN(unit(a_person_is_bound_to_the_device_at_their_address_until_an_end),
           unit(midnight_at_the_school_ends_it_at_the_latest),
           unit(another_sign_in_on_a_device_ends_the_one_before),
           unit(only_whom_the_policy_places_and_who_may_sign_in_is_bound),
           unit(no_device_that_is_unknown_somebodys_or_evidence_is_bound),
           unit(a_device_that_is_not_as_it_was_has_nobody_signed_in),
           unit(what_ends_an_account_s_sessions_ends_its_sign_ins),
           unit(a_sign_in_is_ended_by_its_person_and_by_whoever_is_at_the_device))

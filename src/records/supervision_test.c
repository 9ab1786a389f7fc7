/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class log-ons beside adults: who, until when, and how each ends. */
#include "records/supervision.h"

#include "lib/policy.h"
#include "lib/put.h"
#include "lib/store.h"
#include "records/account.h"
#include "records/audit.h"

#define MEMBERS                                   \
    ",'members':[{'group':'ks1','kind':'pupil'}," \
    "{'group':'teachers','roles':['teacher','assistant','senior','technician']}]"

enum { TODAY = 20780, TEXT_MAX = 1 << 20, ARENA_MAX = 1 << 20 }; /* Monday, 2026-11-23 */

struct rig {
    struct test_store at;
    struct engine engine;
    struct keys *keys;
    struct arena arena;
    struct record_id id;
    struct supervision_fault fault;
};

static const struct str SCHOOL = STR_INIT("school-1");

static int64_t utc(const char *text)
{
    struct civil civil;
    assert_ok(civil_parse(str_from(text), &civil));
    return civil_to_ms(&civil);
}

static void begin(struct rig *rig)
{
    assert_ok(store_begin(rig->at.store, SCHOOL, STORE_WRITE));
}

static void put(struct rig *rig, const char *name, const char *id, const char *state,
                const char *fields)
{
    begin(rig);
    test_put(rig->at.store, SCHOOL, name, id, state, fields);
    assert_ok(store_commit(rig->at.store));
}

static void put_policy(struct rig *rig, int64_t number, const char *members)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    test_document(&(struct test_policy){.more = members}, &text);
    const struct store_value values[] = {store_text(SCHOOL),         store_number(number),
                                         store_text(buf_str(&text)), store_number(1),
                                         store_text(STR("")),        store_text(STR("why"))};
    begin(rig);
    assert_ok(store_run(rig->at.store, STATEMENT_POLICY_ADD, values, 6, NULL));
    assert_ok(store_commit(rig->at.store));
    buf_fini(&text);
}

/* A member of staff with a role, and an account that is called as they are. */
static void put_adult(struct rig *rig, const char *id, const char *role, const char *membership)
{
    char post[64];
    char fields[128];
    const struct store_value values[] = {store_text(str_from(id)), store_text(SCHOOL),
                                         store_text(str_from(id)), store_text(STR("")),
                                         store_text(str_from(id)), store_text(str_from(id)),
                                         store_text(STR("$h$")),   store_number(0),
                                         store_number(1),          store_text(STR("maker"))};
    snprintf(fields, sizeof(fields), "name=%s kind=staff", id);
    put(rig, "person", id, "here", fields);
    snprintf(post, sizeof(post), "post-%s", id);
    snprintf(fields, sizeof(fields), "person=%s role=%s from=2026-09-01", id, role);
    put(rig, "post", post, "", fields);
    if (membership != NULL) {
        snprintf(post, sizeof(post), "member-%s", id);
        snprintf(fields, sizeof(fields), "person=%s %s", id, membership);
        put(rig, "membership", post, "", fields);
    }
    begin(rig);
    assert_ok(store_run(rig->at.store, STATEMENT_ACCOUNT_ADD, values, 10, NULL));
    assert_ok(store_commit(rig->at.store));
}

static void open_rig(struct rig *rig)
{
    const struct store_value school[] = {store_text(SCHOOL), store_text(STR("St Invented")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    struct buf why;
    buf_init(&why, 1024);
    *rig = (struct rig){0};
    test_store_open(&rig->at);
    assert_ok(keys_open(rig->at.folder, &rig->keys, &why));
    buf_fini(&why);
    rig->engine = (struct engine){.store = rig->at.store, .keys = rig->keys};
    arena_init(&rig->arena, ARENA_MAX);
    assert_ok(store_begin(rig->at.store, STR(""), STORE_WRITE));
    assert_ok(store_run(rig->at.store, STATEMENT_SCHOOL_ADD, school, 5, NULL));
    assert_ok(store_commit(rig->at.store));
    put_policy(rig, 1, MEMBERS);
    put(rig, "group", "year-2", "", "name=Two kind=class policy_group=ks1");
    put(rig, "group", "year-6", "", "name=Six kind=class policy_group=ks2");
    put_adult(rig, "tess", "teacher", "group=year-2 kind=teacher from=2026-09-01");
    put_adult(rig, "carl", "teacher", "group=year-2 kind=cover from=2026-11-23 until=2026-11-23");
    put_adult(rig, "six", "teacher", "group=year-6 kind=teacher from=2026-09-01");
    put_adult(rig, "sol", "senior", NULL);
    put_adult(rig, "ted", "technician", NULL);
    put(rig, "device", "ipad-1", "in_use", "tag=1 kind=tablet class_log_on=y2 class_group=year-2");
    put(rig, "device", "ipad-2", "in_use", "tag=2 kind=tablet class_log_on=y2 class_group=year-2");
    put(rig, "device", "ipad-3", "lost", "tag=3 kind=tablet class_log_on=y2 class_group=year-2");
    put(rig, "device", "ipad-4", "in_use", "tag=4 kind=tablet class_group=year-2");
}

static void close_rig(struct rig *rig)
{
    arena_fini(&rig->arena);
    keys_close(rig->keys);
    test_store_close(&rig->at);
}

static struct actor actor_at(struct rig *rig, const char *id, const char *when)
{
    struct actor actor = {.school = SCHOOL, .now_ms = utc(when)};
    actor.today = clock_british_day(actor.now_ms);
    assert_ok(store_begin(rig->at.store, SCHOOL, STORE_READ));
    assert_ok(actor_load(rig->at.store, &rig->arena, str_from(id), &actor));
    store_rollback(rig->at.store);
    actor.account = actor.person;
    return actor;
}

/* All that are free, or one device. */
static enum err start(struct rig *rig, const struct actor *actor, const char *device,
                      const char *until)
{
    const struct str one = str_from(device);
    const struct supervision_new wish = {.group = STR("year-2"),
                                         .devices = &one,
                                         .n_devices = device != NULL ? 1 : 0,
                                         .all = device == NULL,
                                         .until_ms = utc(until)};
    return supervision_start(&rig->engine, actor, &wish, &rig->id, &rig->fault);
}

static json_t *shown(struct rig *rig, const struct actor *actor)
{
    json_t *document = NULL;
    assert_ok(supervision_show(&rig->engine, actor, false, &document));
    return document;
}

/* "tess:2 carl:1": beside whom how many devices run, as somebody sees it. */
static void assert_running(struct rig *rig, const char *who, const char *when, const char *want)
{
    const struct actor actor = actor_at(rig, who, when);
    json_t *document = shown(rig, &actor);
    json_t *item;
    struct buf text;
    size_t i;
    buf_init(&text, 1024);
    json_array_foreach(json_object_get(document, "running"), i, item)
    {
        buf_printf(&text, "%s%s:%zu", i != 0 ? " " : "",
                   json_string_value(json_object_get(json_object_get(item, "by"), "id")),
                   json_array_size(json_object_get(item, "devices")));
    }
    assert_str_eq(buf_str(&text), str_from(want));
    buf_fini(&text);
    json_decref(document);
}

static int64_t count_acts(struct rig *rig)
{
    struct audit_verdict verdict;
    assert_ok(store_begin(rig->at.store, SCHOOL, STORE_READ));
    assert_ok(audit_verify(rig->at.store, SCHOOL, 0, STR(""), &verdict));
    store_rollback(rig->at.store);
    assert_true(verdict.whole);
    return verdict.acts;
}

/* ---- until when ---- */

TEST(an_end_is_a_lessons_within_three_hours_and_never_behind_the_school_day)
{
    static const struct {
        const char *now, *last, *choices;
        bool outside;
        size_t usual;
    } cases[] = {
        {"2026-11-23T09:30Z", "2026-11-23T12:30Z", "12:00", false, 0},
        {"2026-11-23T10:00Z", "2026-11-23T13:00Z", "12:00 13:00", false, 0},
        {"2026-11-23T11:50Z", "2026-11-23T14:50Z", "12:00 13:00", false, 1},
        {"2026-11-23T12:58Z", "2026-11-23T15:00Z", "15:00", false, 0},
        {"2026-11-23T07:00Z", "2026-11-23T10:00Z", "07:30 08:00 09:00 10:00", false, 0},
        {"2026-11-23T14:57Z", "2026-11-23T15:57Z", "15:27 15:57", true, 0},
        {"2026-11-22T18:14:40Z", "2026-11-22T19:14:40Z", "18:44 19:14", true, 0},
        {"2026-11-22T23:40Z", "2026-11-23T00:00Z", "00:00", true, 0},
    };
    struct policy *policy = test_policy(&(struct test_policy){.more = MEMBERS});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct supervision_ends ends;
        struct buf text;
        supervision_ends(policy, utc(cases[i].now), &ends);
        buf_init(&text, 1024);
        for (size_t c = 0; c < ends.n; c++) {
            char at[CIVIL_TEXT_MAX];
            (void)civil_print_utc(ends.choices[c].ms, at);
            buf_printf(&text, "%s%.5s", c != 0 ? " " : "", at + 11);
        }
        if (!str_eq(buf_str(&text), str_from(cases[i].choices)) ||
            ends.last_ms != utc(cases[i].last) || ends.outside != cases[i].outside ||
            ends.usual != cases[i].usual) {
            fail_msg("%s: %.*s, usual %zu, outside %d", cases[i].now, STR_ARG(buf_str(&text)),
                     ends.usual, ends.outside);
        }
        buf_fini(&text);
    }
    policy_free(policy);
}

/* ---- beginning ---- */

TEST(R85_T2_a_class_log_on_runs_on_the_classes_devices_beside_who_started_it)
{
    struct rig rig;
    open_rig(&rig);
    const struct actor tess = actor_at(&rig, "tess", "2026-11-23T09:30Z");
    assert_ok(start(&rig, &tess, NULL, "2026-11-23T12:00Z"));
    assert_running(&rig, "tess", "2026-11-23T09:30Z", "tess:2"); /* one is lost, one has none */
    assert_running(&rig, "tess", "2026-11-23T11:59Z", "tess:2");
    assert_running(&rig, "tess", "2026-11-23T12:00Z", "");
    assert_running(&rig, "carl", "2026-11-23T10:00Z", "tess:2");
    assert_running(&rig, "ted", "2026-11-23T10:00Z", "tess:2");
    assert_running(&rig, "six", "2026-11-23T10:00Z", "");
    assert_int_equal(count_acts(&rig), 1);
    close_rig(&rig);
}

TEST(R85_nobody_starts_one_but_adults_of_the_class_and_leaders)
{
    static const struct {
        const char *who, *when;
        enum err want;
    } cases[] = {
        {"tess", "2026-11-23T09:30Z", ERR_OK},        {"carl", "2026-11-23T09:30Z", ERR_OK},
        {"carl", "2026-11-24T09:30Z", ERR_NOT_FOUND}, /* covered yesterday */
        {"six", "2026-11-23T09:30Z", ERR_NOT_FOUND},  {"sol", "2026-11-23T09:30Z", ERR_OK},
        {"ted", "2026-11-23T09:30Z", ERR_DENIED},     {"ada", "2026-11-23T09:30Z", ERR_DENIED},
        {"vic", "2026-11-23T09:30Z", ERR_DENIED},     {"pam", "2026-11-23T09:30Z", ERR_DENIED},
    };
    struct rig rig;
    open_rig(&rig);
    put(&rig, "person", "ada", "here", "name=ada kind=pupil");
    put(&rig, "person", "vic", "here", "name=vic kind=visitor");
    put(&rig, "person", "pam", "here", "name=pam kind=parent");
    put(&rig, "membership", "m-1", "", "person=ada group=year-2 kind=teacher from=2026-09-01");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct actor actor = actor_at(&rig, cases[i].who, cases[i].when);
        char until[32];
        snprintf(until, sizeof(until), "%.10sT12:00Z", cases[i].when);
        assert_err(start(&rig, &actor, NULL, until), cases[i].want);
        if (cases[i].want == ERR_OK) {
            assert_ok(supervision_end(&rig.engine, &actor, str_from(rig.id.text)));
        }
    }
    close_rig(&rig);
}

TEST(the_sealed_credential_and_the_operator_are_beside_nobody)
{
    struct rig rig;
    open_rig(&rig);
    const struct actor glass = {.school = SCHOOL,
                                .roles = 1U << ROLE_head,
                                .now_ms = utc("2026-11-23T09:30Z"),
                                .today = TODAY};
    struct actor operator= glass;
    operator.roles = 0;
    operator.operator= true;
    assert_err(start(&rig, &glass, NULL, "2026-11-23T12:00Z"), ERR_NOT_FOUND);
    assert_err(start(&rig, &operator, NULL, "2026-11-23T12:00Z"), ERR_DENIED);
    assert_int_equal(count_acts(&rig), 0);
    close_rig(&rig);
}

TEST(what_the_gate_would_not_take_is_said_before_it_begins)
{
    static const struct {
        const char *group, *device, *until;
        const char *members; /* NULL: the policy stays */
        const char *field, *want;
    } cases[] = {
        {"year-2", NULL, "2026-11-23T12:31Z", NULL, "until", "three hours"},
        {"year-2", NULL, "2026-11-23T09:30Z", NULL, "until", "passed"},
        {"year-2", "ipad-3", "2026-11-23T12:00Z", NULL, "devices", "at least one"},
        {"year-2", "ipad-9", "2026-11-23T12:00Z", NULL, "devices", "at least one"},
        {"nowhere", NULL, "2026-11-23T12:00Z", NULL, "class", "no group of pupils"},
        {"adults", NULL, "2026-11-23T12:00Z", NULL, "class", "no group of pupils"},
        {"year-2", NULL, "2026-11-23T12:00Z", ",'members':[{'group':'ks1','kind':'pupil'}]",
         "class", "does not count you"},
        {"year-2", NULL, "2026-11-23T12:00Z", ",'members':[{'group':'visitors','kind':'staff'}]",
         "class", "does not count you"},
    };
    struct rig rig;
    open_rig(&rig);
    put(&rig, "group", "nowhere", "", "name=One kind=class policy_group=nowhere");
    put(&rig, "group", "adults", "", "name=Staff kind=class policy_group=teachers");
    put(&rig, "membership", "m-8", "", "person=tess group=nowhere kind=teacher from=2026-09-01");
    put(&rig, "membership", "m-9", "", "person=tess group=adults kind=teacher from=2026-09-01");
    put(&rig, "device", "d-8", "in_use", "tag=8 class_log_on=y1 class_group=nowhere");
    put(&rig, "device", "d-9", "in_use", "tag=9 class_log_on=y1 class_group=adults");
    const struct actor tess = actor_at(&rig, "tess", "2026-11-23T09:30Z");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].members != NULL) {
            put_policy(&rig, (int64_t)i + 2, cases[i].members);
        }
        const struct str one = str_from(cases[i].device);
        const struct supervision_new wish = {.group = str_from(cases[i].group),
                                             .devices = &one,
                                             .n_devices = 1,
                                             .all = cases[i].device == NULL,
                                             .until_ms = utc(cases[i].until)};
        assert_err(supervision_start(&rig.engine, &tess, &wish, &rig.id, &rig.fault), ERR_INVALID);
        assert_string_equal(rig.fault.field, cases[i].field);
        assert_non_null(strstr(rig.fault.why, cases[i].want));
    }
    assert_int_equal(count_acts(&rig), 0);
    close_rig(&rig);
}

/* ---- ending ---- */

TEST(an_adult_adds_time_and_ends_and_nobody_adds_time_for_another)
{
    struct rig rig;
    open_rig(&rig);
    const struct actor tess = actor_at(&rig, "tess", "2026-11-23T09:30Z");
    const struct actor carl = actor_at(&rig, "carl", "2026-11-23T09:31Z");
    assert_ok(start(&rig, &tess, NULL, "2026-11-23T10:00Z"));
    struct str id = str_from(rig.id.text);
    assert_err(supervision_prolong(&rig.engine, &carl, id, utc("2026-11-23T11:00Z"), &rig.fault),
               ERR_DENIED);
    assert_err(supervision_prolong(&rig.engine, &tess, id, utc("2026-11-23T16:00Z"), &rig.fault),
               ERR_INVALID);
    assert_ok(supervision_prolong(&rig.engine, &tess, id, utc("2026-11-23T11:00Z"), &rig.fault));
    assert_running(&rig, "tess", "2026-11-23T10:30Z", "tess:2");
    assert_ok(supervision_end(&rig.engine, &tess, id));
    assert_running(&rig, "tess", "2026-11-23T10:30Z", "");
    assert_err(supervision_end(&rig.engine, &tess, id), ERR_NOT_FOUND);
    assert_int_equal(count_acts(&rig), 3);
    close_rig(&rig);
}

TEST(another_adult_takes_over_all_or_some)
{
    struct rig rig;
    open_rig(&rig);
    const struct actor tess = actor_at(&rig, "tess", "2026-11-23T09:30Z");
    const struct actor carl = actor_at(&rig, "carl", "2026-11-23T10:00Z");
    const struct actor six = actor_at(&rig, "six", "2026-11-23T10:00Z");
    assert_ok(start(&rig, &tess, NULL, "2026-11-23T12:00Z"));
    struct record_id first = rig.id;
    assert_err(start(&rig, &carl, NULL, "2026-11-23T12:00Z"), ERR_INVALID); /* none is free */
    assert_ok(start(&rig, &carl, "ipad-2", "2026-11-23T12:00Z"));
    assert_running(&rig, "sol", "2026-11-23T10:00Z", "tess:1 carl:1");
    assert_err(supervision_take_over(&rig.engine, &six, str_from(first.text), &rig.id, &rig.fault),
               ERR_NOT_FOUND);
    assert_err(supervision_take_over(&rig.engine, &tess, str_from(first.text), &rig.id, &rig.fault),
               ERR_DENIED);
    assert_ok(supervision_take_over(&rig.engine, &carl, str_from(first.text), &rig.id, &rig.fault));
    assert_running(&rig, "sol", "2026-11-23T10:00Z", "carl:1 carl:1");
    assert_running(&rig, "sol", "2026-11-23T12:00Z", "");
    assert_int_equal(count_acts(&rig), 4); /* three began, one ended */
    close_rig(&rig);
}

TEST(whoever_answers_for_the_filter_ends_one_and_other_teachers_do_not)
{
    static const struct {
        const char *who;
        enum err want;
    } cases[] = {{"ted", ERR_OK}, {"sol", ERR_OK}, {"carl", ERR_OK}, {"six", ERR_NOT_FOUND}};
    struct rig rig;
    open_rig(&rig);
    const struct actor tess = actor_at(&rig, "tess", "2026-11-23T09:30Z");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct actor other = actor_at(&rig, cases[i].who, "2026-11-23T10:00Z");
        assert_ok(start(&rig, &tess, NULL, "2026-11-23T12:00Z"));
        assert_err(supervision_end(&rig.engine, &other, str_from(rig.id.text)), cases[i].want);
        assert_running(&rig, "tess", "2026-11-23T10:00Z", cases[i].want == ERR_OK ? "" : "tess:2");
    }
    close_rig(&rig);
}

TEST(R95_it_ends_with_the_adults_account)
{
    static const struct {
        const char *who;
        enum { DISABLED, RESET, COMPROMISED } how;
    } cases[] = {{"tess", DISABLED}, {"carl", RESET}, {"sol", COMPROMISED}};
    struct rig rig;
    open_rig(&rig);
    put_adult(&rig, "hal", "head", NULL);
    const struct actor head = actor_at(&rig, "hal", "2026-11-23T10:00Z");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str who = str_from(cases[i].who);
        const struct actor adult = actor_at(&rig, cases[i].who, "2026-11-23T09:30Z");
        int64_t before = count_acts(&rig);
        assert_ok(start(&rig, &adult, NULL, "2026-11-23T12:00Z"));
        enum err err = cases[i].how == DISABLED ? account_disable(&rig.engine, &head, who)
                       : cases[i].how == RESET
                           ? account_reset(&rig.engine, &head, who, STR("$other$"))
                           : account_compromised(&rig.engine, &adult);
        assert_ok(err);
        assert_running(&rig, "ted", "2026-11-23T10:00Z", "");
        assert_int_equal(count_acts(&rig) - before, 3); /* began, ended, the account's own */
    }
    close_rig(&rig);
}

TEST(an_end_by_time_leaves_the_devices_to_the_next)
{
    struct rig rig;
    open_rig(&rig);
    const struct actor tess = actor_at(&rig, "tess", "2026-11-23T09:30Z");
    const struct actor carl = actor_at(&rig, "carl", "2026-11-23T13:30Z");
    assert_ok(start(&rig, &tess, NULL, "2026-11-23T12:00Z"));
    assert_ok(start(&rig, &carl, NULL, "2026-11-23T15:00Z"));
    assert_running(&rig, "sol", "2026-11-23T14:00Z", "carl:2");
    close_rig(&rig);
}

TESTS_MAIN(unit(an_end_is_a_lessons_within_three_hours_and_never_behind_the_school_day),
           unit(R85_T2_a_class_log_on_runs_on_the_classes_devices_beside_who_started_it),
           unit(R85_nobody_starts_one_but_adults_of_the_class_and_leaders),
           unit(the_sealed_credential_and_the_operator_are_beside_nobody),
           unit(what_the_gate_would_not_take_is_said_before_it_begins),
           unit(an_adult_adds_time_and_ends_and_nobody_adds_time_for_another),
           unit(another_adult_takes_over_all_or_some),
           unit(whoever_answers_for_the_filter_ends_one_and_other_teachers_do_not),
           unit(R95_it_ends_with_the_adults_account),
           unit(an_end_by_time_leaves_the_devices_to_the_next))

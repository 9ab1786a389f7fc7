/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/account.h"

#include <string.h>

#include "lib/store.h"
#include "records/audit.h"
#include "records/factor.h"
#include "records/glass.h"
#include "records/register.h"
#include "records/session.h"

enum { NOW_DAY = 20779 }; /* 2026-11-22 */
static const int64_t NOW = NOW_DAY * (int64_t)MS_PER_DAY + 10 * (int64_t)MS_PER_HOUR;

struct rig {
    struct test_store at;
    struct engine engine;
    struct arena arena;
    int64_t now_ms;
};

/* ---- a school ---- */

static void add_school(struct store *store, const char *id, const char *urn)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(STR("A school")),
                                         store_text(STR("primary")), store_text(str_from(urn)),
                                         store_number(1)};
    assert_ok(store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
}

struct cell {
    const char *field;
    const char *text;
};

static void add_row(struct store *store, const char *school, const char *register_name,
                    const char *id, const struct cell *cells, size_t n)
{
    const struct register_def *def = register_find(str_from(register_name));
    const struct register_field *last = &def->fields[def->n_fields - 1];
    struct store_value values[64] = {store_text(str_from(id)),
                                     store_text(str_from(school)),
                                     store_number(1),
                                     store_text(STR("here")),
                                     store_null(),
                                     store_number(1),
                                     store_text(STR("")),
                                     store_number(1),
                                     store_text(STR(""))};
    for (size_t i = 0; i < n; i++) {
        size_t field = register_field_find(def, str_from(cells[i].field));
        size_t column = def->fields[field].column;
        values[column] = store_text(str_from(cells[i].text));
        if (def->fields[field].keyed) {
            values[column + def->fields[field].n_columns - 1] = values[column];
        }
    }
    assert_ok(
        store_run(store, def->statements->insert, values, last->column + last->n_columns, NULL));
}

static void add_person(struct store *store, const char *school, const char *id, const char *kind)
{
    const struct cell cells[] = {{"name", id}, {"kind", kind}};
    add_row(store, school, "person", id, cells, 2);
}

static void add_post(struct store *store, const char *person, const char *role, const char *until)
{
    char id[32];
    const struct cell cells[] = {
        {"person", person}, {"role", role}, {"from", "2026-01-01"}, {"until", until}};
    snprintf(id, sizeof(id), "post-%s", person);
    add_row(store, "oak", "post", id, cells, until != NULL ? 4 : 3);
}

static void rig_open(struct rig *rig)
{
    struct buf why;
    buf_init(&why, 1024);
    arena_init(&rig->arena, 1 << 18);
    test_store_open(&rig->at);
    rig->engine.store = rig->at.store;
    rig->now_ms = NOW;
    assert_ok(keys_open(rig->at.folder, &rig->engine.keys, &why));
    buf_fini(&why);
    assert_ok(store_begin(rig->at.store, STR(""), STORE_WRITE));
    add_school(rig->at.store, "oak", "123456");
    add_school(rig->at.store, "elm", "654321");
    add_person(rig->at.store, "oak", "tess", "staff");
    add_person(rig->at.store, "oak", "hari", "staff");
    add_person(rig->at.store, "oak", "ann", "staff");
    add_person(rig->at.store, "oak", "cora", "governor");
    add_person(rig->at.store, "elm", "eve", "staff");
    add_post(rig->at.store, "tess", "technician", NULL);
    add_post(rig->at.store, "hari", "head", NULL);
    add_post(rig->at.store, "ann", "teacher", "2026-11-22");
    add_post(rig->at.store, "cora", "chair", NULL);
    assert_ok(store_commit(rig->at.store));
}

static void rig_close(struct rig *rig)
{
    keys_close(rig->engine.keys);
    arena_fini(&rig->arena);
    test_store_close(&rig->at);
}

static struct actor actor_of(struct rig *rig, const char *person, enum role role)
{
    return (struct actor){.school = STR("oak"),
                          .person = str_from(person),
                          .name = str_from(person),
                          .roles = 1U << role,
                          .client = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7},
                          .now_ms = rig->now_ms,
                          .today = NOW_DAY};
}

static struct actor operator_of(struct rig *rig, const char *school)
{
    return (struct actor){
        .school = str_from(school), .operator= true, .now_ms = rig->now_ms, .today = NOW_DAY};
}

static void make_at(struct rig *rig, const char *school, const char *person, const char *log_on,
                    bool one_time)
{
    struct record_id id;
    struct account_fault fault = {"", ""};
    struct actor actor = operator_of(rig, school);
    const struct account_new fresh = {str_from(person), str_from(log_on), STR("$argon2id$first"),
                                      one_time};
    enum err err = account_make(&rig->engine, &actor, &fresh, &id, &fault);
    if (err != ERR_OK) {
        fail_msg("%s: ERR_%s: %s", person, err_name(err), fault.why);
    }
}

static void make(struct rig *rig, const char *person, const char *log_on)
{
    make_at(rig, "oak", person, log_on, false);
}

static struct account found(struct rig *rig, const char *name)
{
    struct account account;
    assert_ok(account_find(rig->at.store, &rig->arena, str_from(name), rig->now_ms, &account));
    return account;
}

/* Signed in as that person; the account is made where it must be. */
static struct actor signed_in(struct rig *rig, const char *person, enum role role,
                              struct session_token *ret_token)
{
    struct actor actor = actor_of(rig, person, role);
    struct session session;
    actor.account = found(rig, person).id;
    assert_ok(session_begin(&rig->engine, &actor, SESSION_WHOLE, rig->now_ms, ret_token));
    assert_ok(
        session_find(rig->at.store, &rig->arena, str_from(ret_token->text), rig->now_ms, &session));
    assert_int_equal(session.stage, SESSION_WHOLE);
    actor.session = session.id;
    actor.factor_ms = session.factor_ms;
    return actor;
}

static enum session_stage stage_of(struct rig *rig, const struct session_token *token)
{
    struct session session;
    assert_ok(
        session_find(rig->at.store, &rig->arena, str_from(token->text), rig->now_ms, &session));
    return session.stage;
}

static void chain_is_whole(struct rig *rig, int64_t acts)
{
    struct audit_verdict verdict;
    assert_ok(store_begin(rig->at.store, STR("oak"), STORE_READ));
    assert_ok(audit_verify(rig->at.store, STR("oak"), 0, STR(""), &verdict));
    store_rollback(rig->at.store);
    assert_true(verdict.whole);
    assert_int_equal(verdict.acts, acts);
}

/* ---- finding ---- */

TEST(a_log_on_is_found_in_any_case_and_by_its_school_where_two_have_it)
{
    struct rig rig;
    struct account account;
    rig_open(&rig);
    make(&rig, "ann", "A.Khan");
    assert_str_eq(found(&rig, "a.khan").person, STR("ann"));
    assert_str_eq(found(&rig, "  A.KHAN ").person, STR("ann"));
    make_at(&rig, "elm", "eve", "a.khan", false);
    assert_err(account_find(rig.at.store, &rig.arena, STR("a.khan"), NOW, &account), ERR_NOT_FOUND);
    assert_str_eq(found(&rig, "a.khan@123456").person, STR("ann"));
    assert_str_eq(found(&rig, "a.khan@elm").person, STR("eve"));
    rig_close(&rig);
}

TEST(what_is_no_name_is_nobodys)
{
    static const char *const bad[] = {"",    " ",    "nobody", "a.khan@", "@", "@123456",
                                      "a b", "\xff", "ann\n.", "ann'--",  "%"};
    struct rig rig;
    struct account account;
    char longer[ACCOUNT_LOG_ON_MAX + 2];
    rig_open(&rig);
    make(&rig, "ann", "ann");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_err(account_find(rig.at.store, &rig.arena, str_from(bad[i]), NOW, &account),
                   ERR_NOT_FOUND);
    }
    memset(longer, 'a', sizeof(longer));
    assert_err(
        account_find(rig.at.store, &rig.arena, str_make(longer, sizeof(longer)), NOW, &account),
        ERR_NOT_FOUND);
    assert_int_equal(account_fold(&rig.arena, str_make(longer, sizeof(longer))).len,
                     ACCOUNT_LOG_ON_MAX);
    rig_close(&rig);
}

TEST(S2_a_one_time_password_is_over_after_two_weeks)
{
    struct rig rig;
    struct account account;
    rig_open(&rig);
    make_at(&rig, "oak", "ann", "ann", true);
    assert_true(found(&rig, "ann").must_change);
    assert_true(found(&rig, "ann").hash.len > 0);
    rig.now_ms += ACCOUNT_ONE_TIME_DAYS * (int64_t)MS_PER_DAY;
    assert_ok(account_find(rig.at.store, &rig.arena, STR("ann"), rig.now_ms, &account));
    assert_int_equal(account.hash.len, 0);
    rig_close(&rig);
}

/* ---- making and changing ---- */

TEST(an_account_is_made_once_for_somebody_at_the_school)
{
    static const struct {
        const char *person, *log_on, *field;
    } rows[] = {{"nobody", "x", "person"}, {"eve", "x", "person"},     {"hari", "", "log_on"},
                {"hari", "a b", "log_on"}, {"hari", "tést", "log_on"}, {"hari", "ANN", "log_on"},
                {"ann", "ann2", "person"}, {"hari", "a:b", "log_on"},  {"hari", "<b>", "log_on"},
                {"\xff", "x", "person"}};
    struct rig rig;
    struct record_id id;
    struct account_fault fault;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    struct actor actor = operator_of(&rig, "oak");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct account_new fresh = {str_from(rows[i].person), str_from(rows[i].log_on),
                                          STR("$argon2id$x"), true};
        assert_err(account_make(&rig.engine, &actor, &fresh, &id, &fault), ERR_INVALID);
        assert_string_equal(fault.field, rows[i].field);
    }
    rig_close(&rig);
}

TEST(only_technician_and_head_reach_others_accounts_and_nobody_their_own)
{
    struct rig rig;
    json_t *document;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    make(&rig, "tess", "tess");
    make_at(&rig, "elm", "eve", "eve", false);
    struct actor teacher = actor_of(&rig, "ann", ROLE_teacher);
    struct actor technician = actor_of(&rig, "tess", ROLE_technician);
    struct str ann = found(&rig, "ann").id;
    struct str tess = found(&rig, "tess").id;
    struct str eve = found(&rig, "eve").id;
    assert_err(account_list(&rig.engine, &teacher, STR(""), 1, &document), ERR_DENIED);
    assert_err(account_disable(&rig.engine, &teacher, tess), ERR_NOT_FOUND);
    assert_err(account_reset(&rig.engine, &technician, tess, STR("$argon2id$x")), ERR_DENIED);
    assert_err(account_reset_factors(&rig.engine, &technician, tess), ERR_DENIED);
    assert_err(account_reset(&rig.engine, &technician, eve, STR("$argon2id$x")), ERR_NOT_FOUND);
    assert_ok(account_reset(&rig.engine, &technician, ann, STR("$argon2id$x")));
    assert_ok(account_list(&rig.engine, &technician, STR("AN"), 1, &document));
    assert_int_equal(json_array_size(json_object_get(document, "items")), 1);
    json_decref(document);
    assert_ok(account_list(&rig.engine, &technician, STR("%"), 1, &document));
    assert_int_equal(json_array_size(json_object_get(document, "items")), 0);
    json_decref(document);
    assert_ok(account_people_without(&rig.engine, &technician, STR(""), &document));
    assert_int_equal(json_array_size(json_object_get(document, "items")), 2);
    json_decref(document);
    rig_close(&rig);
}

TEST(S2_disabling_ends_everything_at_once)
{
    struct rig rig;
    struct session_token token;
    struct session_token computer;
    bool known;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    make(&rig, "tess", "tess");
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &token);
    struct actor technician = actor_of(&rig, "tess", ROLE_technician);
    assert_ok(computer_remember(&rig.engine, &ann, &computer));
    assert_ok(computer_is_known(&rig.engine, &ann, str_from(computer.text), &known));
    assert_true(known);
    assert_ok(account_disable(&rig.engine, &technician, ann.account));
    assert_int_equal(stage_of(&rig, &token), SESSION_NONE);
    assert_ok(computer_is_known(&rig.engine, &ann, str_from(computer.text), &known));
    assert_false(known);
    assert_int_equal(found(&rig, "ann").hash.len, 0);
    assert_err(account_disable(&rig.engine, &technician, ann.account), ERR_CONFLICT);
    assert_ok(account_enable(&rig.engine, &technician, ann.account));
    assert_int_equal(stage_of(&rig, &token), SESSION_NONE);
    assert_true(found(&rig, "ann").hash.len > 0);
    chain_is_whole(&rig, 6);
    rig_close(&rig);
}

TEST(R95_a_password_that_may_be_known_opens_nothing_but_the_page_for_a_new_one)
{
    struct rig rig;
    struct session_token here;
    struct session_token there;
    json_t *document;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    (void)signed_in(&rig, "ann", ROLE_teacher, &there);
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &here);
    assert_ok(account_compromised(&rig.engine, &ann));
    assert_int_equal(stage_of(&rig, &there), SESSION_NONE);
    assert_int_equal(stage_of(&rig, &here), SESSION_PASSWORD);
    assert_int_equal(found(&rig, "ann").hash.len, 0);
    assert_ok(account_set_password(&rig.engine, &ann, STR("$argon2id$second")));
    assert_int_equal(stage_of(&rig, &here), SESSION_WHOLE);
    assert_str_eq(found(&rig, "ann").hash, STR("$argon2id$second"));
    struct actor head = actor_of(&rig, "hari", ROLE_head);
    assert_ok(notice_list(&rig.engine, &head, &document));
    json_t *notice = json_array_get(json_object_get(document, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(notice, "kind")), "compromised");
    const char *id = json_string_value(json_object_get(notice, "id"));
    struct actor chair = actor_of(&rig, "cora", ROLE_chair);
    assert_err(notice_seen(&rig.engine, &chair, str_from(id)), ERR_NOT_FOUND);
    assert_ok(notice_seen(&rig.engine, &head, str_from(id)));
    assert_ok(notice_seen(&rig.engine, &head, str_from(id)));
    json_decref(document);
    assert_ok(notice_list(&rig.engine, &head, &document));
    assert_int_equal(json_array_size(json_object_get(document, "items")), 0);
    json_decref(document);
    rig_close(&rig);
}

TEST(a_password_that_people_try_first_is_refused)
{
    static const char *const bad[] = {"short",      "password12",    "Passw0rd!!", "aaaaaaaaaaaa",
                                      "qwertyuiop", "ann.khan.2026", "xxKhanxx12", "letmein123"};
    static const char *const good[] = {"correct horse battery", "kettle-otter-lamp",
                                       "\xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9 l\xc3\xa0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(account_password_fault(str_from(bad[i]), STR("ann.khan"), STR("Ann Khan")));
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(account_password_fault(str_from(good[i]), STR("ann.khan"), STR("Ann Khan")));
    }
}

TEST(one_time_passwords_differ_and_are_easy_to_copy)
{
    char one[ACCOUNT_ONE_TIME_CHARS + 1];
    char two[ACCOUNT_ONE_TIME_CHARS + 1];
    account_one_time(one);
    account_one_time(two);
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), ACCOUNT_ONE_TIME_CHARS);
    assert_int_equal(strcspn(one, "01ilo "), ACCOUNT_ONE_TIME_CHARS);
    assert_int_equal(one[4], '-');
}

TEST(who_somebody_is_elsewhere_is_one_accounts)
{
    struct rig rig;
    struct session_token token;
    struct account account;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    make(&rig, "tess", "tess");
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    struct str issuer = STR("https://id.example");
    assert_ok(account_link_identity(&rig.engine, &ann, issuer, STR("42")));
    assert_err(account_link_identity(&rig.engine, &tess, issuer, STR("42")), ERR_CONFLICT);
    assert_ok(account_find_identity(rig.at.store, &rig.arena, issuer, STR("42"), &account));
    assert_str_eq(account.id, ann.account);
    /* Whoever writes an address of theirs into another's record is not taken for that person. */
    assert_err(account_link_match(&rig.engine, &ann, issuer, STR("43")), ERR_CONFLICT);
    assert_ok(account_link_match(&rig.engine, &ann, STR("https://other.example"), STR("43")));
    assert_ok(account_link_identity(&rig.engine, &ann, issuer, STR("44")));
    assert_ok(account_disable(&rig.engine, &tess, ann.account));
    assert_err(account_find_identity(rig.at.store, &rig.arena, issuer, STR("42"), &account),
               ERR_NOT_FOUND);
    rig_close(&rig);
}

/* ---- sessions ---- */

TEST(a_session_ends_when_it_is_idle_and_after_a_day_at_work)
{
    struct rig rig;
    struct session_token token;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    (void)signed_in(&rig, "ann", ROLE_teacher, &token);
    rig.now_ms += SESSION_IDLE_MS - 1;
    assert_int_equal(stage_of(&rig, &token), SESSION_WHOLE);
    rig.now_ms += SESSION_IDLE_MS - 1; /* it was used */
    assert_int_equal(stage_of(&rig, &token), SESSION_WHOLE);
    rig.now_ms += SESSION_IDLE_MS;
    assert_int_equal(stage_of(&rig, &token), SESSION_NONE);
    (void)signed_in(&rig, "ann", ROLE_teacher, &token);
    for (int64_t i = 1; i * SESSION_IDLE_MS / 2 < SESSION_MS; i++) {
        rig.now_ms += SESSION_IDLE_MS / 2;
        assert_int_equal(stage_of(&rig, &token), SESSION_WHOLE);
    }
    rig.now_ms += SESSION_IDLE_MS / 2;
    assert_int_equal(stage_of(&rig, &token), SESSION_NONE);
    rig_close(&rig);
}

TEST(each_step_up_is_a_new_token)
{
    struct rig rig;
    struct session_token first;
    struct session_token second;
    struct session session;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    struct actor ann = actor_of(&rig, "ann", ROLE_teacher);
    ann.account = found(&rig, "ann").id;
    assert_ok(session_begin(&rig.engine, &ann, SESSION_PASSWORD, 0, &first));
    assert_ok(session_find(rig.at.store, &rig.arena, str_from(first.text), NOW, &session));
    assert_int_equal(session.stage, SESSION_PASSWORD);
    ann.session = session.id;
    assert_ok(session_begin(&rig.engine, &ann, SESSION_WHOLE, NOW, &second));
    assert_string_not_equal(first.text, second.text);
    assert_int_equal(stage_of(&rig, &first), SESSION_NONE);
    assert_int_equal(stage_of(&rig, &second), SESSION_WHOLE);
    assert_string_not_equal(session.csrf, "");
    assert_string_not_equal(session.csrf, first.text);
    rig_close(&rig);
}

TEST(what_is_no_token_finds_nothing)
{
    static const char *const bad[] = {"", "short", "-------------------------------------------",
                                      "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!"};
    struct rig rig;
    struct session session;
    rig_open(&rig);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_ok(session_find(rig.at.store, &rig.arena, str_from(bad[i]), NOW, &session));
        assert_int_equal(session.stage, SESSION_NONE);
    }
    rig_close(&rig);
}

TEST(a_session_ends_with_the_persons_last_role)
{
    struct rig rig;
    struct session_token token;
    struct session session;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    (void)signed_in(&rig, "ann", ROLE_teacher, &token);
    assert_ok(session_find(rig.at.store, &rig.arena, str_from(token.text), NOW, &session));
    struct actor actor = {.now_ms = NOW, .today = NOW_DAY};
    assert_ok(session_actor(&rig.engine, &rig.arena, &session, &actor));
    assert_int_equal(actor.roles, 1U << ROLE_teacher);
    actor = (struct actor){.now_ms = NOW, .today = NOW_DAY + 1};
    assert_err(session_actor(&rig.engine, &rig.arena, &session, &actor), ERR_DENIED);
    assert_int_equal(stage_of(&rig, &token), SESSION_NONE);
    rig_close(&rig);
}

TEST(R95_a_person_ends_their_sessions_and_nobody_elses)
{
    struct rig rig;
    struct session_token here;
    struct session_token there;
    struct session_token other;
    struct session session;
    json_t *document;
    rig_open(&rig);
    make(&rig, "ann", "ann");
    make(&rig, "tess", "tess");
    (void)signed_in(&rig, "ann", ROLE_teacher, &there);
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &here);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &other);
    assert_ok(account_mine(&rig.engine, &ann, &document));
    assert_int_equal(json_array_size(json_object_get(document, "sessions")), 2);
    json_decref(document);
    assert_err(session_end(&rig.engine, &ann, tess.session), ERR_NOT_FOUND);
    assert_int_equal(stage_of(&rig, &other), SESSION_WHOLE);
    assert_ok(session_find(rig.at.store, &rig.arena, str_from(there.text), NOW, &session));
    assert_ok(session_end(&rig.engine, &ann, session.id));
    assert_int_equal(stage_of(&rig, &there), SESSION_NONE);
    (void)signed_in(&rig, "ann", ROLE_teacher, &there);
    assert_ok(session_end_others(&rig.engine, &ann));
    assert_int_equal(stage_of(&rig, &there), SESSION_NONE);
    assert_int_equal(stage_of(&rig, &here), SESSION_WHOLE);
    assert_ok(session_end(&rig.engine, &ann, ann.session));
    assert_int_equal(stage_of(&rig, &here), SESSION_NONE);
    rig_close(&rig);
}

TEST(a_challenge_counts_once_and_not_for_long)
{
    struct rig rig;
    struct session_token token;
    uint8_t made[SESSION_CHALLENGE_BYTES];
    uint8_t taken[SESSION_CHALLENGE_BYTES];
    rig_open(&rig);
    make(&rig, "ann", "ann");
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &token);
    assert_err(session_challenge_take(rig.at.store, &ann, taken), ERR_NOT_FOUND);
    assert_ok(session_challenge_make(rig.at.store, &ann, made));
    assert_ok(session_challenge_take(rig.at.store, &ann, taken));
    assert_memory_equal(made, taken, sizeof(made));
    assert_err(session_challenge_take(rig.at.store, &ann, taken), ERR_NOT_FOUND);
    assert_ok(session_challenge_make(rig.at.store, &ann, made));
    ann.now_ms += SESSION_CHALLENGE_MS;
    assert_err(session_challenge_take(rig.at.store, &ann, taken), ERR_NOT_FOUND);
    ann.now_ms -= SESSION_CHALLENGE_MS;
    assert_err(session_challenge_take(rig.at.store, &ann, taken), ERR_NOT_FOUND);
    rig_close(&rig);
}

/* ---- second factors ---- */

static void code_at(const uint8_t secret[TOTP_SECRET_BYTES], int64_t now_ms,
                    char ret_code[TOTP_DIGITS + 1])
{
    hotp_print(str_make((const char *)secret, TOTP_SECRET_BYTES), (uint64_t)(now_ms / TOTP_STEP_MS),
               ret_code);
}

static void set_up_totp(struct rig *rig, const struct actor *actor,
                        uint8_t ret_secret[TOTP_SECRET_BYTES])
{
    char code[TOTP_DIGITS + 1];
    uint8_t again[TOTP_SECRET_BYTES];
    assert_ok(factor_totp_begin(&rig->engine, actor, ret_secret));
    assert_ok(factor_totp_begin(&rig->engine, actor, again));
    assert_memory_equal(ret_secret, again, sizeof(again));
    code_at(ret_secret, actor->now_ms, code);
    assert_ok(factor_totp_confirm(&rig->engine, actor, str_from(code)));
}

TEST(a_code_of_the_application_counts_once)
{
    struct rig rig;
    struct session_token token;
    struct factors factors;
    uint8_t secret[TOTP_SECRET_BYTES];
    char code[TOTP_DIGITS + 1];
    rig_open(&rig);
    make(&rig, "hari", "hari");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    assert_ok(factors_of(&rig.engine, &head, &factors));
    assert_false(factors_any(&factors));
    set_up_totp(&rig, &head, secret);
    assert_ok(factors_of(&rig.engine, &head, &factors));
    assert_true(factors.totp);
    code_at(secret, head.now_ms, code);
    assert_err(factor_judge(&rig.engine, &head, str_from(code)), ERR_INVALID); /* it set it up */
    head.now_ms += TOTP_STEP_MS;
    code_at(secret, head.now_ms, code);
    assert_ok(factor_judge(&rig.engine, &head, str_from(code)));
    assert_err(factor_judge(&rig.engine, &head, str_from(code)), ERR_INVALID);
    assert_err(factor_totp_confirm(&rig.engine, &head, str_from(code)), ERR_NOT_FOUND);
    rig_close(&rig);
}

TEST(S2_ten_wrong_codes_lock_the_second_factor_for_a_while)
{
    struct rig rig;
    struct session_token token;
    uint8_t secret[TOTP_SECRET_BYTES];
    char code[TOTP_DIGITS + 1];
    rig_open(&rig);
    make(&rig, "hari", "hari");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    set_up_totp(&rig, &head, secret);
    for (int i = 0; i < FACTOR_WRONG_MAX; i++) {
        assert_err(factor_judge(&rig.engine, &head, STR("12345")), ERR_INVALID);
    }
    head.now_ms += TOTP_STEP_MS;
    code_at(secret, head.now_ms, code);
    assert_err(factor_judge(&rig.engine, &head, str_from(code)), ERR_DENIED);
    head.now_ms += FACTOR_LOCK_MS;
    code_at(secret, head.now_ms, code);
    assert_ok(factor_judge(&rig.engine, &head, str_from(code)));
    rig_close(&rig);
}

TEST(each_code_of_a_sheet_counts_once_and_a_new_sheet_replaces_it)
{
    struct rig rig;
    struct session_token token;
    struct sheet sheet;
    struct sheet second;
    struct factors factors;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    make(&rig, "tess", "tess");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    assert_ok(sheet_make(&rig.engine, &head, &sheet));
    for (size_t i = 0; i < SHEET_CODES; i++) {
        assert_err(factor_judge(&rig.engine, &tess, str_from(sheet.codes[i])), ERR_INVALID);
        assert_ok(factor_judge(&rig.engine, &head, str_from(sheet.codes[i])));
        assert_err(factor_judge(&rig.engine, &head, str_from(sheet.codes[i])), ERR_INVALID);
        tess.now_ms += FACTOR_LOCK_MS;
    }
    assert_ok(factors_of(&rig.engine, &head, &factors));
    assert_int_equal(factors.sheet_left, 0);
    assert_ok(sheet_make(&rig.engine, &head, &sheet));
    assert_ok(sheet_make(&rig.engine, &head, &second));
    assert_err(factor_judge(&rig.engine, &head, str_from(sheet.codes[0])), ERR_INVALID);
    second.codes[0][0] = ascii_lower(second.codes[0][0]) == 'a' ? 'A' : second.codes[0][0];
    assert_ok(factor_judge(&rig.engine, &head, str_from(second.codes[0])));
    rig_close(&rig);
}

TEST(the_last_second_factor_of_a_head_stays)
{
    struct rig rig;
    struct session_token token;
    uint8_t secret[TOTP_SECRET_BYTES];
    struct sheet sheet;
    json_t *document;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    set_up_totp(&rig, &head, secret);
    assert_ok(account_mine(&rig.engine, &head, &document));
    json_t *factor = json_array_get(json_object_get(document, "factors"), 0);
    char id[64];
    snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(factor, "id")));
    json_decref(document);
    assert_err(factor_remove(&rig.engine, &head, str_from(id)), ERR_CONFLICT);
    assert_ok(sheet_make(&rig.engine, &head, &sheet));
    assert_ok(factor_remove(&rig.engine, &head, str_from(id)));
    assert_err(factor_remove(&rig.engine, &head, str_from(id)), ERR_NOT_FOUND);
    rig_close(&rig);
}

TEST(factors_that_a_technician_takes_off_are_announced)
{
    struct rig rig;
    struct session_token token;
    struct session_token other;
    uint8_t secret[TOTP_SECRET_BYTES];
    struct factors factors;
    json_t *document;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    make(&rig, "tess", "tess");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &other);
    set_up_totp(&rig, &head, secret);
    assert_ok(account_reset_factors(&rig.engine, &tess, head.account));
    assert_int_equal(stage_of(&rig, &token), SESSION_NONE);
    assert_ok(factors_of(&rig.engine, &head, &factors));
    assert_false(factors_any(&factors));
    struct actor chair = actor_of(&rig, "cora", ROLE_chair);
    assert_ok(notice_list(&rig.engine, &chair, &document));
    assert_int_equal(json_array_size(json_object_get(document, "items")), 1);
    json_decref(document);
    rig_close(&rig);
}

static size_t announced_to(struct rig *rig, const struct actor *actor)
{
    json_t *document;
    assert_ok(notice_list(&rig->engine, actor, &document));
    size_t n = json_array_size(json_object_get(document, "items"));
    json_decref(document);
    return n;
}

TEST(a_password_that_a_technician_resets_is_announced_with_a_sheet_alone_and_with_no_factor_yet)
{
    struct rig rig;
    struct session_token token;
    struct sheet sheet;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    make(&rig, "tess", "tess");
    make(&rig, "ann", "ann");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    struct actor chair = actor_of(&rig, "cora", ROLE_chair);
    assert_ok(account_reset(&rig.engine, &tess, head.account, STR("$argon2id$second")));
    assert_int_equal(announced_to(&rig, &chair), 1); /* a head's role takes a factor */
    assert_ok(account_reset(&rig.engine, &tess, ann.account, STR("$argon2id$second")));
    assert_int_equal(announced_to(&rig, &chair), 1); /* a teacher's takes none */
    assert_ok(sheet_make(&rig.engine, &ann, &sheet));
    assert_ok(account_reset(&rig.engine, &tess, ann.account, STR("$argon2id$third")));
    assert_int_equal(announced_to(&rig, &chair), 2);
    assert_int_equal(announced_to(&rig, &head), 2);
    assert_int_equal(announced_to(&rig, &ann), 1);
    rig_close(&rig);
}

TEST(an_account_that_a_technician_makes_for_a_leader_is_announced)
{
    struct rig rig;
    struct session_token token;
    struct record_id id;
    struct account_fault fault;
    rig_open(&rig);
    make(&rig, "tess", "tess");
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    struct actor head = actor_of(&rig, "hari", ROLE_head);
    assert_int_equal(announced_to(&rig, &head), 0); /* the operator's are not */
    const struct account_new teacher = {STR("ann"), STR("ann"), STR("$argon2id$first"), true};
    assert_ok(account_make(&rig.engine, &tess, &teacher, &id, &fault));
    assert_int_equal(announced_to(&rig, &head), 0);
    const struct account_new chair = {STR("cora"), STR("cora"), STR("$argon2id$first"), true};
    assert_ok(account_make(&rig.engine, &tess, &chair, &id, &fault));
    assert_int_equal(announced_to(&rig, &head), 1);
    rig_close(&rig);
}

TEST(what_is_announced_is_not_hidden_behind_other_announcements)
{
    enum { FLOOD = 60 };
    struct rig rig;
    struct session_token token;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    make(&rig, "tess", "tess");
    make(&rig, "ann", "ann");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    struct actor ann = signed_in(&rig, "ann", ROLE_teacher, &token);
    struct actor chair = actor_of(&rig, "cora", ROLE_chair);
    assert_ok(account_reset_factors(&rig.engine, &tess, head.account));
    for (size_t i = 0; i < FLOOD; i++) {
        ann.now_ms += MS_PER_HOUR / 2;
        assert_ok(account_compromised(&rig.engine, &ann));
    }
    chair.now_ms = head.now_ms = ann.now_ms;
    assert_int_equal(announced_to(&rig, &chair), 1);
    assert_int_equal(announced_to(&rig, &head), FLOOD / 2 + 1); /* one an hour of an account */
    rig_close(&rig);
}

TEST(a_passkey_is_one_accounts_and_its_counter_only_grows)
{
    struct rig rig;
    struct session_token token;
    struct str id;
    struct str key;
    int64_t counter;
    json_t *ids;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    make(&rig, "tess", "tess");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    assert_ok(passkey_add(&rig.engine, &head, STR("Key"), STR("\x01\x02\x03"), STR("cose"), 5));
    assert_err(passkey_add(&rig.engine, &tess, STR("Key"), STR("\x01\x02\x03"), STR("cose"), 5),
               ERR_CONFLICT);
    assert_ok(passkey_ids(&rig.engine, &head, &ids));
    assert_string_equal(json_string_value(json_array_get(ids, 0)), "AQID");
    json_decref(ids);
    assert_err(
        passkey_find(&rig.engine, &tess, &rig.arena, STR("\x01\x02\x03"), &id, &key, &counter),
        ERR_NOT_FOUND);
    assert_ok(
        passkey_find(&rig.engine, &head, &rig.arena, STR("\x01\x02\x03"), &id, &key, &counter));
    assert_str_eq(key, STR("cose"));
    assert_ok(passkey_used(&rig.engine, &head, id, counter, 6));
    assert_err(passkey_used(&rig.engine, &head, id, 6, 6), ERR_DENIED);
    assert_err(passkey_used(&rig.engine, &head, id, 6, 0), ERR_DENIED);
    assert_ok(passkey_add(&rig.engine, &head, STR("Phone"), STR("\x09"), STR("cose"), 0));
    assert_ok(passkey_find(&rig.engine, &head, &rig.arena, STR("\x09"), &id, &key, &counter));
    assert_ok(passkey_used(&rig.engine, &head, id, 0, 0));
    assert_ok(passkey_used(&rig.engine, &head, id, 0, 0));
    rig_close(&rig);
}

TEST(a_remembered_computer_is_for_one_account_at_its_address_and_twelve_hours)
{
    struct rig rig;
    struct session_token token;
    struct session_token computer;
    bool known;
    rig_open(&rig);
    make(&rig, "hari", "hari");
    make(&rig, "tess", "tess");
    struct actor head = signed_in(&rig, "hari", ROLE_head, &token);
    struct actor tess = signed_in(&rig, "tess", ROLE_technician, &token);
    assert_ok(computer_remember(&rig.engine, &head, &computer));
    assert_ok(computer_is_known(&rig.engine, &tess, str_from(computer.text), &known));
    assert_false(known);
    head.now_ms += COMPUTER_MS - 1;
    assert_ok(computer_is_known(&rig.engine, &head, str_from(computer.text), &known));
    assert_true(known);
    head.client[15] ^= 1; /* the cookie, copied to another computer */
    assert_ok(computer_is_known(&rig.engine, &head, str_from(computer.text), &known));
    assert_false(known);
    head.client[15] ^= 1;
    head.now_ms += 1;
    assert_ok(computer_is_known(&rig.engine, &head, str_from(computer.text), &known));
    assert_false(known);
    rig_close(&rig);
}

/* ---- the sealed credential ---- */

/* Its id as the list tells it. */
static void glass_id(struct rig *rig, const struct actor *actor, size_t at, char ret_id[64])
{
    json_t *document;
    assert_ok(glass_list(&rig->engine, actor, &document));
    json_t *item = json_array_get(json_object_get(document, "items"), at);
    snprintf(ret_id, 64, "%s", json_string_value(json_object_get(item, "id")));
    json_decref(document);
}

TEST(R89_the_sealed_credential_takes_two_people_opens_once_and_is_announced)
{
    struct rig rig;
    struct session_token token;
    struct session session;
    char id[64];
    char code[GLASS_CODE_CHARS + 1];
    json_t *document;
    rig_open(&rig);
    struct actor tess = actor_of(&rig, "tess", ROLE_technician);
    struct actor head = actor_of(&rig, "hari", ROLE_head);
    struct actor both = actor_of(&rig, "tess", ROLE_technician);
    both.roles |= 1U << ROLE_head;
    struct actor nobody = {.client = {1}, .now_ms = NOW};
    assert_err(glass_ask(&rig.engine, &head), ERR_DENIED);
    assert_ok(glass_ask(&rig.engine, &tess));
    glass_id(&rig, &tess, 0, id);
    assert_err(glass_seal(&rig.engine, &tess, str_from(id), code), ERR_DENIED);
    assert_err(glass_seal(&rig.engine, &both, str_from(id), code), ERR_NOT_FOUND);
    assert_ok(glass_seal(&rig.engine, &head, str_from(id), code));
    assert_int_equal(strlen(code), GLASS_CODE_CHARS);
    assert_err(
        glass_break(&rig.engine, &rig.arena, &nobody, str_from(code), STR(""), STR("Fire"), &token),
        ERR_INVALID);
    assert_err(glass_break(&rig.engine, &rig.arena, &nobody, STR("wrong"), STR("Sam"), STR("Fire"),
                           &token),
               ERR_NOT_FOUND);
    /* Characters are counted, not bytes. */
    char name[2 * GLASS_NAME_MAX + 3] = "";
    for (size_t i = 0; i < GLASS_NAME_MAX; i++) {
        memcpy(&name[2 * i], "\xc5\x81", 2);
    }
    assert_true(glass_is_name(str_from(name)));
    memcpy(&name[2 * GLASS_NAME_MAX], "x", 2);
    assert_false(glass_is_name(str_from(name)));
    assert_false(glass_is_reason(STR(" \t")));
    assert_ok(glass_break(&rig.engine, &rig.arena, &nobody, str_from(code), STR("Sam Lee"),
                          STR("The head is away"), &token));
    assert_err(glass_break(&rig.engine, &rig.arena, &nobody, str_from(code), STR("Sam"),
                           STR("Again"), &token),
               ERR_NOT_FOUND);
    assert_ok(session_find(rig.at.store, &rig.arena, str_from(token.text), NOW + 1, &session));
    assert_int_equal(session.stage, SESSION_WHOLE);
    struct actor broken = {.now_ms = NOW, .today = NOW_DAY};
    assert_ok(session_actor(&rig.engine, &rig.arena, &session, &broken));
    assert_true(actor_has(&broken, ROLE_head));
    assert_err(glass_ask(&rig.engine, &broken), ERR_DENIED);
    assert_ok(session_find(rig.at.store, &rig.arena, str_from(token.text), NOW + SESSION_GLASS_MS,
                           &session));
    assert_int_equal(session.stage, SESSION_NONE);
    struct actor chair = actor_of(&rig, "cora", ROLE_chair);
    assert_ok(notice_list(&rig.engine, &chair, &document));
    assert_int_equal(json_array_size(json_object_get(document, "items")), 2);
    json_decref(document);
    chain_is_whole(&rig, 3);
    rig_close(&rig);
}

TEST(R89_a_new_sealed_credential_withdraws_the_old_one)
{
    struct rig rig;
    struct session_token token;
    char id[64];
    char old[GLASS_CODE_CHARS + 1];
    char code[GLASS_CODE_CHARS + 1];
    rig_open(&rig);
    struct actor tess = actor_of(&rig, "tess", ROLE_technician);
    struct actor head = actor_of(&rig, "hari", ROLE_head);
    struct actor nobody = {.now_ms = NOW};
    assert_ok(glass_ask(&rig.engine, &tess));
    glass_id(&rig, &tess, 0, id);
    assert_ok(glass_seal(&rig.engine, &head, str_from(id), old));
    tess.now_ms += 1;
    assert_ok(glass_ask(&rig.engine, &tess));
    glass_id(&rig, &tess, 0, id);
    head.now_ms += GLASS_ASKED_MS + 1;
    assert_err(glass_seal(&rig.engine, &head, str_from(id), code), ERR_NOT_FOUND);
    head.now_ms -= GLASS_ASKED_MS;
    assert_ok(glass_seal(&rig.engine, &head, str_from(id), code));
    assert_err(
        glass_break(&rig.engine, &rig.arena, &nobody, str_from(old), STR("Sam"), STR("x"), &token),
        ERR_NOT_FOUND);
    rig_close(&rig);
}

TESTS_MAIN(
    unit(a_log_on_is_found_in_any_case_and_by_its_school_where_two_have_it),
    unit(what_is_no_name_is_nobodys), unit(S2_a_one_time_password_is_over_after_two_weeks),
    unit(an_account_is_made_once_for_somebody_at_the_school),
    unit(only_technician_and_head_reach_others_accounts_and_nobody_their_own),
    unit(S2_disabling_ends_everything_at_once),
    unit(R95_a_password_that_may_be_known_opens_nothing_but_the_page_for_a_new_one),
    unit(a_password_that_people_try_first_is_refused),
    unit(one_time_passwords_differ_and_are_easy_to_copy),
    unit(who_somebody_is_elsewhere_is_one_accounts),
    unit(a_session_ends_when_it_is_idle_and_after_a_day_at_work), unit(each_step_up_is_a_new_token),
    unit(what_is_no_token_finds_nothing), unit(a_session_ends_with_the_persons_last_role),
    unit(R95_a_person_ends_their_sessions_and_nobody_elses),
    unit(a_challenge_counts_once_and_not_for_long), unit(a_code_of_the_application_counts_once),
    unit(S2_ten_wrong_codes_lock_the_second_factor_for_a_while),
    unit(each_code_of_a_sheet_counts_once_and_a_new_sheet_replaces_it),
    unit(the_last_second_factor_of_a_head_stays),
    unit(factors_that_a_technician_takes_off_are_announced),
    unit(
        a_password_that_a_technician_resets_is_announced_with_a_sheet_alone_and_with_no_factor_yet),
    unit(an_account_that_a_technician_makes_for_a_leader_is_announced),
    unit(what_is_announced_is_not_hidden_behind_other_announcements),
    unit(a_passkey_is_one_accounts_and_its_counter_only_grows),
    unit(a_remembered_computer_is_for_one_account_at_its_address_and_twelve_hours),
    unit(R89_the_sealed_credential_takes_two_people_opens_once_and_is_announced),
    unit(R89_a_new_sealed_credential_withdraws_the_old_one))

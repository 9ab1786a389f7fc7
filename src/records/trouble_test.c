/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts, sessions and the like where another writer is in the way, and where nothing can be
 * written at all. */
#include "lib/records.h"
#include "records/account.h"
#include "records/first_run.h"
#include "records/glass.h"
#include "records/session.h"

enum { SQL_BYTES = 512 };

/* The next row that is written into a table meets a serialization failure, once. SQLite has none:
 * its writers wait for each other at the beginning. */
static void fail_once(struct school *at, const char *table)
{
    static const char function[] =
        "CREATE SEQUENCE IF NOT EXISTS tries; ALTER SEQUENCE tries RESTART; "
        "CREATE OR REPLACE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF nextval('tries') = 1 THEN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; "
        "END IF; RETURN NEW; END $$";
    char trigger[SQL_BYTES];
    if (store_kind(at->store.store) == STORE_POSTGRES) {
        test_store_script(&at->store, function);
        snprintf(trigger, sizeof(trigger),
                 "CREATE OR REPLACE TRIGGER fail_once BEFORE INSERT OR UPDATE ON %s FOR EACH ROW "
                 "EXECUTE FUNCTION fail_once()",
                 table);
        test_store_script(&at->store, trigger);
    }
}

static struct record_id make_account(struct school *at, const struct actor *actor,
                                     struct record_id person)
{
    struct record_id id;
    struct account_fault fault = {"", ""};
    const struct account_new fresh = {
        .person = school_id(&person), .log_on = STR("ann"), .hash = STR("$argon2id$first")};
    assert_ok(account_make(&at->engine, actor, &fresh, &id, &fault));
    return id;
}

TEST(accounts_sessions_and_the_sealed_credential_are_tried_again)
{
    struct school at;
    struct session_token token;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct actor technician = school_person(&at, "Theo Wren", "staff", "technician");
    struct record_id person = school_somebody(&at, "Ann Wood", "staff");
    fail_once(&at, "account");
    struct record_id account = make_account(&at, &head, person);
    fail_once(&at, "account");
    assert_ok(account_disable(&at.engine, &head, school_id(&account)));
    fail_once(&at, "session");
    head.account = school_id(&account);
    assert_ok(session_begin(&at.engine, &head, SESSION_WHOLE, 0, &token));
    fail_once(&at, "glass");
    assert_ok(glass_ask(&at.engine, &technician));
    fail_once(&at, "act");
    assert_ok(glass_ask(&at.engine, &technician));
    school_close(&at);
}

TEST(a_first_run_is_tried_again_as_a_whole)
{
    struct school at;
    struct first_run_made made;
    struct first_run_fault fault;
    const struct first_run first = {
        .name = STR("Elm Primary"),
        .kind = STR("primary"),
        .urn = STR("123456"),
        .head = {STR("Hanna Dale"), STR("hanna"), STR("$argon2id$a")},
        .technician = {STR("Theo Wren"), STR("theo"), STR("$argon2id$b")},
        .now_ms = (int64_t)SCHOOL_DAY * MS_PER_DAY,
    };
    school_open(&at);
    test_store_script(
        &at.store,
        store_kind(at.store.store) == STORE_POSTGRES
            ? "BEGIN; SET LOCAL lodge.school = '*'; DELETE FROM chain; DELETE FROM school; "
              "COMMIT"
            : "DELETE FROM chain; DELETE FROM school");
    fail_once(&at, "account");
    assert_ok(first_run_make(&at.engine, &first, &made, &fault));
    assert_err(first_run_make(&at.engine, &first, &made, &fault), ERR_CONFLICT);
    school_close(&at);
}

/* As on a disk that is full. */
static void refuse_all(struct school *at, const char *table)
{
    char sql[SQL_BYTES];
    snprintf(sql, sizeof(sql),
             store_kind(at->store.store) == STORE_POSTGRES
                 ? "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$; "
                   "CREATE TRIGGER refuse BEFORE UPDATE ON %s FOR EACH ROW "
                   "EXECUTE FUNCTION refuse()"
                 : "CREATE TRIGGER refuse BEFORE UPDATE ON %s BEGIN SELECT RAISE(ABORT, 'full'); "
                   "END",
             table);
    test_store_script(&at->store, sql);
}

TEST(reading_goes_on_where_the_use_of_a_session_cannot_be_noted)
{
    struct school at;
    struct session_token token;
    struct session session;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id person = school_somebody(&at, "Ann Wood", "staff");
    struct record_id account = make_account(&at, &head, person);
    head.account = school_id(&account);
    assert_ok(session_begin(&at.engine, &head, SESSION_WHOLE, 0, &token));
    refuse_all(&at, "session");
    int64_t later_ms = at.now_ms + 2 * (int64_t)MS_PER_MINUTE;
    assert_ok(session_find(at.store.store, &at.arena, str_from(token.text), later_ms, &session));
    assert_int_equal(session.stage, SESSION_WHOLE);
    assert_ok(session_find(at.store.store, &at.arena, str_from(token.text),
                           at.now_ms + SESSION_IDLE_MS, &session));
    assert_int_equal(session.stage, SESSION_NONE); /* it only seems idle so much earlier */
    school_close(&at);
}

TEST(whoever_has_lost_the_last_role_is_refused_also_where_their_session_cannot_be_ended)
{
    struct school at;
    struct session_token token;
    struct session session;
    struct actor actor = {.today = SCHOOL_DAY};
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id person = school_somebody(&at, "Ann Wood", "parent");
    struct record_id account = make_account(&at, &head, person);
    struct actor ann = {.school = at.id,
                        .person = school_id(&person),
                        .account = school_id(&account),
                        .now_ms = at.now_ms};
    assert_ok(session_begin(&at.engine, &ann, SESSION_WHOLE, 0, &token));
    refuse_all(&at, "session");
    assert_ok(session_find(at.store.store, &at.arena, str_from(token.text), at.now_ms, &session));
    actor.now_ms = at.now_ms;
    assert_err(session_actor(&at.engine, &at.arena, &session, &actor), ERR_DENIED);
    school_close(&at);
}

TESTS_MAIN(unit(accounts_sessions_and_the_sealed_credential_are_tried_again),
           unit(a_first_run_is_tried_again_as_a_whole),
           unit(reading_goes_on_where_the_use_of_a_session_cannot_be_noted),
           unit(whoever_has_lost_the_last_role_is_refused_also_where_their_session_cannot_be_ended))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only PostgreSQL has: policies for rows, roles, connections that are lost. */
#include "store/postgres_impl.h"

#include "lib/store.h"

static enum err add_school(struct store *store, const char *id)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(STR("Elm Primary")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1795000000123)};
    return store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL);
}

/* A table with a school, fenced as a migration's is, with a row for each of two schools. */
static void open_two_schools(struct test_store *at)
{
    test_store_open(at);
    assert_ok(store_begin(at->store, STR(""), STORE_WRITE));
    assert_ok(at->store->driver->script(
        at->store, "CREATE TABLE fenced (id text PRIMARY KEY, school text NOT NULL REFERENCES "
                   "school (id), n bigint NOT NULL DEFAULT 0)"));
    assert_ok(at->store->driver->fence_schools(at->store));
    assert_ok(add_school(at->store, "elm"));
    assert_ok(add_school(at->store, "oak"));
    assert_ok(at->store->driver->script(
        at->store, "INSERT INTO fenced VALUES ('in elm', 'elm'), ('in oak', 'oak')"));
    assert_ok(store_commit(at->store));
}

static enum err script(struct store *store, const char *school, const char *sql)
{
    assert_ok(store_begin(store, str_from(school), STORE_WRITE));
    enum err err = store->driver->script(store, sql);
    if (err != ERR_OK) {
        store_rollback(store);
        return err;
    }
    return store_commit(store);
}

/* Fails where the condition is not true. */
static void holds(struct store *store, const char *school, const char *condition)
{
    char sql[512];
    snprintf(sql, sizeof(sql),
             "DO $$ BEGIN IF NOT (%s) THEN RAISE EXCEPTION 'no' USING ERRCODE = 'LODGE'; END IF; "
             "END $$",
             condition);
    if (script(store, school, sql) != ERR_OK) {
        fail_msg("%s: %s: %s", school, condition, store_why(store));
    }
}

TEST(a_transaction_of_one_school_neither_sees_nor_changes_anothers_rows)
{
    struct test_store at;
    open_two_schools(&at);
    holds(at.store, "elm", "(SELECT string_agg(id, ',') FROM fenced) = 'in elm'");
    holds(at.store, "elm", "(SELECT string_agg(id, ',') FROM school) = 'elm'");
    holds(at.store, "ash", "NOT EXISTS (SELECT 1 FROM fenced)");
    holds(at.store, "", "(SELECT count(*) FROM fenced) = 2");
    assert_ok(script(at.store, "elm", "UPDATE fenced SET n = 1"));
    assert_ok(script(at.store, "elm", "DELETE FROM fenced WHERE id = 'in oak'"));
    holds(at.store, "", "(SELECT sum(n) FROM fenced) = 1");
    holds(at.store, "", "(SELECT count(*) FROM fenced) = 2");
    assert_err(script(at.store, "elm", "INSERT INTO fenced VALUES ('moved', 'oak')"), ERR_SYSTEM);
    assert_err(script(at.store, "elm", "UPDATE fenced SET school = 'oak'"), ERR_SYSTEM);
    assert_non_null(strstr(store_why(at.store), "row-level security"));
    test_store_close(&at);
}

TEST(outside_a_transaction_no_row_is_seen)
{
    struct test_store at;
    open_two_schools(&at);
    assert_ok(at.store->driver->script(
        at.store, "DO $$ BEGIN IF EXISTS (SELECT 1 FROM fenced) THEN RAISE EXCEPTION 'seen'; "
                  "END IF; END $$"));
    test_store_close(&at);
}

TEST(every_table_with_a_school_is_fenced)
{
    struct test_store at;
    open_two_schools(&at);
    holds(at.store, "",
          "NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
          "WHERE c.relkind = 'r' AND a.attname = 'school' AND NOT (c.relrowsecurity AND "
          "c.relforcerowsecurity AND EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = c.oid)))");
    test_store_close(&at);
}

static void refuse_open(const char *place, enum err want, const char *words)
{
    struct store *store = NULL;
    struct buf why;
    buf_init(&why, 1024);
    assert_err(store_open(place, &store, &why), want);
    if (strstr(buf_cstr(&why), words) == NULL) {
        fail_msg("%s", buf_cstr(&why));
    }
    buf_fini(&why);
}

TEST(a_role_that_passes_the_policies_by_is_refused)
{
    struct test_store at;
    char place[TEST_PLACE_BYTES];
    test_store_open(&at);
    snprintf(place, sizeof(place), "postgres://postgres@/%s?host=%s", at.database,
             getenv("LODGE_TEST_POSTGRES"));
    refuse_open(place, ERR_INVALID, "superuser");
    test_store_close(&at);
}

TEST(a_database_with_another_encoding_is_refused)
{
    char place[TEST_PLACE_BYTES];
    test_store_sql("CREATE DATABASE latin OWNER lodge TEMPLATE template0 ENCODING 'LATIN1' "
                   "LC_COLLATE 'C' LC_CTYPE 'C'");
    snprintf(place, sizeof(place), "postgres://lodge@/latin?host=%s",
             getenv("LODGE_TEST_POSTGRES"));
    refuse_open(place, ERR_INVALID, "UTF8");
    test_store_sql("DROP DATABASE latin");
}

TEST(a_place_where_no_server_is_is_gone)
{
    refuse_open("postgres://lodge@/lodge?host=/nonexistent", ERR_GONE, "/nonexistent");
    refuse_open("postgres://lodge@127.0.0.1:1/lodge", ERR_GONE, "");
}

static void cut_all(void)
{
    test_store_sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                   "WHERE usename = 'lodge'");
}

TEST(a_connection_lost_between_transactions_is_made_anew)
{
    struct test_store at;
    open_two_schools(&at);
    struct store_value id = store_text(STR("elm"));
    for (size_t i = 0; i < 2; i++) {
        struct store_value columns[4];
        struct arena arena;
        arena_init(&arena, 4096);
        assert_ok(store_begin(at.store, STR("elm"), STORE_READ));
        assert_ok(store_row(at.store, STATEMENT_SCHOOL_GET, &id, 1, &arena, columns, 4));
        assert_ok(store_commit(at.store));
        arena_fini(&arena);
        cut_all();
    }
    test_store_close(&at);
}

TEST(a_connection_lost_inside_a_transaction_takes_it_along)
{
    struct test_store at;
    open_two_schools(&at);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "ash"));
    cut_all();
    assert_err(add_school(at.store, "yew"), ERR_GONE);
    assert_err(store_commit(at.store), ERR_SYSTEM);
    holds(at.store, "", "(SELECT count(*) FROM school) = 2");
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "ash"));
    cut_all();
    assert_err(store_commit(at.store), ERR_GONE);
    holds(at.store, "", "(SELECT count(*) FROM school) = 2");
    test_store_close(&at);
}

TEST(writers_of_two_schools_do_not_wait_for_each_other_and_one_for_all_waits)
{
    struct test_store at;
    open_two_schools(&at);
    struct store *other = test_store_again(&at);
    assert_ok(other->driver->script(other, "SET lock_timeout = '10ms'"));
    assert_ok(store_begin(at.store, STR("elm"), STORE_WRITE));
    assert_ok(store_begin(other, STR("oak"), STORE_WRITE));
    assert_ok(store_commit(other));
    assert_err(store_begin(other, STR("elm"), STORE_WRITE), ERR_BUSY);
    assert_err(store_begin(other, STR(""), STORE_WRITE), ERR_BUSY);
    assert_ok(store_commit(at.store));
    assert_ok(store_begin(other, STR(""), STORE_WRITE));
    assert_ok(store_commit(other));
    store_close(other);
    test_store_close(&at);
}

TEST(numbers_are_read_and_written_with_their_sign)
{
    static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1795000000123};
    struct test_store at;
    test_store_open(&at);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char id[32];
        struct arena arena;
        struct store_value columns[4];
        snprintf(id, sizeof(id), "s%zu", i);
        const struct store_value values[] = {store_text(str_from(id)), store_text(STR("")),
                                             store_text(STR("")), store_text(STR("")),
                                             store_number(numbers[i])};
        arena_init(&arena, 4096);
        assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
        assert_ok(store_run(at.store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
        assert_ok(store_row(at.store, STATEMENT_SCHOOL_GET, values, 1, &arena, columns, 4));
        assert_ok(store_commit(at.store));
        assert_true(columns[3].number == numbers[i]);
        arena_fini(&arena);
    }
    test_store_close(&at);
}

TESTS_MAIN(unit(a_transaction_of_one_school_neither_sees_nor_changes_anothers_rows),
           unit(outside_a_transaction_no_row_is_seen), unit(every_table_with_a_school_is_fenced),
           unit(a_role_that_passes_the_policies_by_is_refused),
           unit(a_database_with_another_encoding_is_refused),
           unit(a_place_where_no_server_is_is_gone),
           unit(a_connection_lost_between_transactions_is_made_anew),
           unit(a_connection_lost_inside_a_transaction_takes_it_along),
           unit(writers_of_two_schools_do_not_wait_for_each_other_and_one_for_all_waits),
           unit(numbers_are_read_and_written_with_their_sign))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include "lib/store.h"
#include "store/store_impl.h"

static enum err add_school(struct store *store, const char *id)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(STR("Elm Primary")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1795000000123)};
    return store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL);
}

static size_t count_schools(struct store *store)
{
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    assert_ok(store_begin(store, STR(""), STORE_READ));
    assert_ok(store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows));
    while (store_rows_next(rows, &err)) {
        n++;
    }
    assert_ok(err);
    store_rows_free(rows);
    assert_ok(store_commit(store));
    return n;
}

TEST(what_was_committed_is_read_again)
{
    struct test_store at;
    struct arena arena;
    test_store_open(&at);
    arena_init(&arena, 4096);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "elm"));
    assert_ok(store_commit(at.store));
    struct store *other = test_store_again(&at);
    struct store_value id = store_text(STR("elm"));
    struct store_value columns[4];
    assert_ok(store_begin(other, STR("elm"), STORE_READ));
    assert_ok(store_row(other, STATEMENT_SCHOOL_GET, &id, 1, &arena, columns, 4));
    assert_ok(store_commit(other));
    assert_str_eq(columns[0].bytes, STR("Elm Primary"));
    assert_int_equal(columns[2].kind, STORE_TEXT);
    assert_int_equal(columns[2].bytes.len, 0);
    assert_int_equal(columns[3].number, 1795000000123);
    store_close(other);
    arena_fini(&arena);
    test_store_close(&at);
}

/* Two transactions as the parts of one; the second writes and is rolled back, or not. */
static enum err hold_two(struct store *store, bool second_fails)
{
    ERR_TRY(store_hold(store));
    assert_ok(store_begin(store, STR("elm"), STORE_WRITE));
    assert_ok(add_school(store, "elm"));
    assert_ok(store_commit(store));
    assert_int_equal(count_schools(store), 1); /* the parts see one another */
    assert_ok(store_begin(store, STR("oak"), STORE_WRITE));
    assert_ok(add_school(store, "oak"));
    if (second_fails) {
        store_rollback(store);
        return store_settle(store, ERR_OK); /* also where the failure was not told */
    }
    return store_settle(store, store_commit(store));
}

TEST(what_is_held_together_is_kept_or_lost_as_a_whole)
{
    struct test_store at;
    test_store_open(&at);
    assert_int_equal(hold_two(at.store, true), ERR_SYSTEM);
    assert_int_equal(count_schools(at.store), 0);
    assert_ok(hold_two(at.store, false));
    struct store *other = test_store_again(&at);
    assert_int_equal(count_schools(other), 2);
    store_close(other);
    test_store_close(&at);
}

TEST(a_whole_that_is_closed_in_the_middle_leaves_nothing)
{
    struct test_store at;
    test_store_open(&at);
    struct store *other = test_store_again(&at);
    assert_ok(store_hold(other));
    assert_ok(store_begin(other, STR("elm"), STORE_WRITE));
    assert_ok(add_school(other, "elm"));
    assert_ok(store_commit(other));
    store_close(other);
    assert_int_equal(count_schools(at.store), 0);
    test_store_close(&at);
}

TEST(what_was_rolled_back_is_not_there)
{
    struct test_store at;
    test_store_open(&at);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "elm"));
    store_rollback(at.store);
    assert_int_equal(count_schools(at.store), 0);
    test_store_close(&at);
}

TEST(a_second_row_of_one_key_is_a_conflict_that_ends_the_transaction)
{
    struct test_store at;
    test_store_open(&at);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "elm"));
    assert_err(add_school(at.store, "elm"), ERR_CONFLICT);
    assert_non_null(strstr(store_why(at.store), "SCHOOL_ADD"));
    assert_null(strstr(store_why(at.store), "Elm"));
    assert_err(add_school(at.store, "oak"), ERR_SYSTEM);
    assert_err(store_commit(at.store), ERR_SYSTEM);
    assert_int_equal(count_schools(at.store), 0);
    test_store_close(&at);
}

TEST(a_text_that_is_not_utf8_is_refused_and_the_transaction_goes_on)
{
    static const char *const bad[] = {"\xff", "a\xc3", "\xed\xa0\x80"};
    struct test_store at;
    test_store_open(&at);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_err(add_school(at.store, bad[i]), ERR_INVALID);
    }
    struct store_value nul[5] = {store_text(STR("a\0b"))};
    assert_err(store_run(at.store, STATEMENT_SCHOOL_ADD, nul, 5, NULL), ERR_INVALID);
    assert_ok(add_school(at.store, "elm"));
    assert_ok(store_commit(at.store));
    assert_int_equal(count_schools(at.store), 1);
    test_store_close(&at);
}

TEST(a_reader_may_not_write)
{
    struct test_store at;
    test_store_open(&at);
    assert_ok(store_begin(at.store, STR(""), STORE_READ));
    assert_err(add_school(at.store, "elm"), ERR_SYSTEM);
    store_rollback(at.store);
    assert_int_equal(count_schools(at.store), 0);
    test_store_close(&at);
}

TEST(a_reader_sees_one_state_while_another_writes)
{
    struct test_store at;
    struct arena arena;
    test_store_open(&at);
    arena_init(&arena, 4096);
    struct store *other = test_store_again(&at);
    struct store_value id = store_text(STR("elm"));
    struct store_value columns[4];
    assert_ok(store_begin(other, STR(""), STORE_READ));
    assert_err(store_row(other, STATEMENT_SCHOOL_GET, &id, 1, &arena, columns, 4), ERR_NOT_FOUND);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "elm"));
    assert_ok(store_commit(at.store));
    assert_err(store_row(other, STATEMENT_SCHOOL_GET, &id, 1, &arena, columns, 4), ERR_NOT_FOUND);
    assert_ok(store_commit(other));
    assert_int_equal(count_schools(other), 1);
    store_close(other);
    arena_fini(&arena);
    test_store_close(&at);
}

TEST(a_second_writer_is_told_that_it_must_wait)
{
    struct test_store at;
    test_store_open(&at);
    struct store *other = test_store_again(&at);
    assert_ok(other->driver->script(other, store_kind(other) == STORE_SQLITE
                                               ? "PRAGMA busy_timeout = 1"
                                               : "SET lock_timeout = '1ms'"));
    assert_ok(store_begin(at.store, STR("elm"), STORE_WRITE));
    assert_err(store_begin(other, STR("elm"), STORE_WRITE), ERR_BUSY);
    assert_ok(store_begin(other, STR("elm"), STORE_READ));
    assert_ok(store_commit(other));
    assert_ok(store_commit(at.store));
    assert_ok(store_begin(other, STR("elm"), STORE_WRITE));
    assert_ok(store_commit(other));
    store_close(other);
    test_store_close(&at);
}

TEST(a_full_disk_is_told_and_what_is_there_is_still_read)
{
    struct test_store at;
    char id[32];
    enum err err = ERR_OK;
    test_store_open(&at);
    assert_ok(at.store->driver->script(
        at.store,
        store_kind(at.store) == STORE_SQLITE
            ? "PRAGMA max_page_count = 1"
            : "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
              "RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$; "
              "CREATE TRIGGER disk_is_full BEFORE INSERT ON school FOR EACH ROW "
              "EXECUTE FUNCTION disk_is_full()"));
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    for (int i = 0; i < 1000 && err == ERR_OK; i++) {
        snprintf(id, sizeof(id), "school-%d", i);
        err = add_school(at.store, id);
    }
    assert_err(err, ERR_FULL);
    store_rollback(at.store);
    assert_int_equal(count_schools(at.store), 0);
    test_store_close(&at);
}

TEST(what_was_overwritten_is_gone_from_the_files_behind_a_sweep)
{
    struct test_store at;
    struct store_value values[] = {store_text(STR("elm")), store_text(STR("Ash Primary")),
                                   store_text(STR("primary")), store_text(STR(""))};
    test_store_open(&at);
    assert_ok(store_begin(at.store, STR(""), STORE_WRITE));
    assert_ok(add_school(at.store, "elm"));
    assert_ok(store_commit(at.store));
    assert_ok(store_begin(at.store, STR("elm"), STORE_WRITE));
    assert_ok(store_run(at.store, STATEMENT_SCHOOL_CHANGE, values, 4, NULL));
    assert_ok(store_commit(at.store));
    assert_ok(store_sweep(at.store, STR("school")));
    static const char *const names[] = {"store.db", "store.db-wal"};
    for (size_t i = 0; i < 2 && store_kind(at.store) == STORE_SQLITE; i++) {
        struct buf file;
        buf_init(&file, 1 << 24);
        assert_ok(file_read(at.folder, names[i], &file));
        assert_true(str_find(buf_str(&file), STR("Elm Primary")) == file.len);
        assert_true(i == 1 || str_find(buf_str(&file), STR("Ash Primary")) < file.len);
        buf_fini(&file);
    }
    assert_int_equal(count_schools(at.store), 1);
    test_store_close(&at);
}

TEST(every_statement_is_read_by_the_database)
{
    struct test_store at;
    size_t unread = 0;
    test_store_open(&at);
    for (enum store_statement i = STATEMENT_UNSET + 1; i < STATEMENT_COUNT; i++) {
        size_t n = 0;
        enum err err = at.store->driver->describe(at.store, i, &n);
        if (err != ERR_OK) {
            print_error("%s\n", store_why(at.store));
            unread++;
        }
        assert_true(n <= STORE_VALUES_MAX);
    }
    assert_int_equal(unread, 0);
    test_store_close(&at);
}

TESTS_MAIN(unit(what_was_committed_is_read_again), unit(what_was_rolled_back_is_not_there),
           unit(what_is_held_together_is_kept_or_lost_as_a_whole),
           unit(a_whole_that_is_closed_in_the_middle_leaves_nothing),
           unit(a_second_row_of_one_key_is_a_conflict_that_ends_the_transaction),
           unit(a_text_that_is_not_utf8_is_refused_and_the_transaction_goes_on),
           unit(a_reader_may_not_write), unit(a_reader_sees_one_state_while_another_writes),
           unit(a_second_writer_is_told_that_it_must_wait),
           unit(a_full_disk_is_told_and_what_is_there_is_still_read),
           unit(what_was_overwritten_is_gone_from_the_files_behind_a_sweep),
           unit(every_statement_is_read_by_the_database))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The migrations of tests/migrations behind those of the program. */
#include "store/migrate_impl.h"

#include "lib/store.h"
#include "store/store_impl.h"

extern const struct store_migration test_migrations[];
extern const size_t n_test_migrations;

enum { ALL_MAX = 64 };

/* The program's and the first n of the test's; the number of all. */
static size_t with_test(struct store_migration all[ALL_MAX], size_t n)
{
    assert_true(n <= n_test_migrations && n_store_migrations + n <= ALL_MAX);
    memcpy(all, store_migrations, n_store_migrations * sizeof(all[0]));
    memcpy(all + n_store_migrations, test_migrations, n * sizeof(all[0]));
    return n_store_migrations + n;
}

static void migrate(struct store *store, const struct store_migration *all, size_t n, enum err want,
                    const char *words)
{
    struct buf why;
    buf_init(&why, 1024);
    enum err err = store_migrate(store, all, n, &why);
    if (err != want || (words != NULL && strstr(buf_cstr(&why), words) == NULL)) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
}

static enum err write_script(struct store *store, const char *sql)
{
    assert_ok(store_begin(store, STR(""), STORE_WRITE));
    enum err err = store->driver->script(store, sql);
    if (err != ERR_OK) {
        store_rollback(store);
        return err;
    }
    return store_commit(store);
}

TEST(what_is_missing_is_applied_once)
{
    struct store_migration all[ALL_MAX];
    struct test_store at;
    test_store_open(&at);
    migrate(at.store, all, with_test(all, 1), ERR_OK, NULL);
    assert_err(write_script(at.store, "INSERT INTO grown VALUES ('two', 'oak', 1, NULL)"),
               ERR_CONFLICT);
    assert_ok(write_script(at.store, "INSERT INTO grown VALUES ('two', 'ash', 1, NULL)"));
    for (size_t i = 0; i < 2; i++) {
        migrate(at.store, all, with_test(all, 2), ERR_OK, NULL);
    }
    assert_err(write_script(at.store, "INSERT INTO grown VALUES ('one', 'ash', 1, NULL)"),
               ERR_CONFLICT);
    test_store_close(&at);
}

TEST(U18_a_table_that_only_grows_refuses_update_delete_and_replacement)
{
    static const char *const changes[] = {
        "UPDATE grown SET number = 2",
        "UPDATE grown SET number = 2 WHERE id = 'one'",
        "DELETE FROM grown",
        ("INSERT INTO grown VALUES ('one', 'ash', 2, NULL) "
         "ON CONFLICT (id) DO UPDATE SET number = 2"),
    };
    struct store_migration all[ALL_MAX];
    struct test_store at;
    test_store_open(&at);
    migrate(at.store, all, with_test(all, 2), ERR_OK, NULL);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        assert_err(write_script(at.store, changes[i]), ERR_SYSTEM);
        assert_non_null(strstr(store_why(at.store), "grown only grows"));
    }
    assert_err(write_script(at.store, store_kind(at.store) == STORE_SQLITE
                                          ? "REPLACE INTO grown VALUES ('one', 'ash', 2, NULL)"
                                          : "TRUNCATE grown"),
               ERR_SYSTEM);
    assert_non_null(strstr(store_why(at.store), "grown only grows"));
    test_store_close(&at);
}

TEST(a_store_of_a_newer_program_is_refused)
{
    struct store_migration all[ALL_MAX];
    struct test_store at;
    test_store_open(&at);
    migrate(at.store, all, with_test(all, 1), ERR_OK, NULL);
    migrate(at.store, all, with_test(all, 0), ERR_CONFLICT,
            "newer version of this program (grown)");
    test_store_close(&at);
}

TEST(a_migration_that_was_edited_behind_its_release_is_refused)
{
    struct store_migration all[ALL_MAX];
    struct test_store at;
    test_store_open(&at);
    size_t n = with_test(all, 1);
    migrate(at.store, all, n, ERR_OK, NULL);
    all[n - 1].digest[31] ^= 1;
    migrate(at.store, all, n, ERR_CONFLICT, "the store's migration grown is not this program's");
    test_store_close(&at);
}

TEST(a_migration_that_fails_leaves_nothing_behind)
{
    struct store_migration all[ALL_MAX];
    struct test_store at;
    test_store_open(&at);
    size_t n = with_test(all, 2);
    all[n - 1].sqlite = all[n - 1].postgres = "CREATE TABLE later (id text);"
                                              "INSERT INTO nowhere VALUES (1);";
    migrate(at.store, all, n, ERR_SYSTEM, "migration 9002-more: script");
    migrate(at.store, all, with_test(all, 2), ERR_OK, NULL);
    assert_err(write_script(at.store, "INSERT INTO later VALUES ('one')"), ERR_SYSTEM);
    test_store_close(&at);
}

TESTS_MAIN(unit(what_is_missing_is_applied_once),
           unit(U18_a_table_that_only_grows_refuses_update_delete_and_replacement),
           unit(a_store_of_a_newer_program_is_refused),
           unit(a_migration_that_was_edited_behind_its_release_is_refused),
           unit(a_migration_that_fails_leaves_nothing_behind))

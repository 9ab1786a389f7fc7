/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store of its own for each test, new and with all migrations.
 *
 *     struct test_store at;
 *     test_store_open(&at);       ... at.store, and at.folder (a descriptor) for keys
 *     test_store_close(&at);
 *
 * A test whose name is put into `store_tests` by its folder's meson.build runs twice: on SQLite,
 * and by tests/lib/with_postgres on PostgreSQL (LODGE_TEST_POSTGRES is the folder of its socket).
 */
#ifndef LODGE_TESTS_STORE_H
#define LODGE_TESTS_STORE_H

#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "lib/folder.h"
#include "lib/test.h"
#include "store/store.h"

enum { TEST_PLACE_BYTES = 512 };

struct test_store {
    struct store *store;
    int folder; /* of in, for short */
    struct test_folder in;
    char place[TEST_PLACE_BYTES]; /* as store_open takes it */
    char database[64];            /* PostgreSQL's; empty: SQLite */
};

/* By the server's superuser. */
static inline void test_store_sql(const char *sql)
{
    char place[TEST_PLACE_BYTES];
    snprintf(place, sizeof(place), "postgres://postgres@/postgres?host=%s",
             getenv("LODGE_TEST_POSTGRES"));
    PGconn *connection = PQconnectdb(place);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
    PQfinish(connection);
}

/* Opens the store that test_store_open made once more, beside it or behind its store_close. */
static inline struct store *test_store_again(const struct test_store *at)
{
    struct store *store = NULL;
    struct buf why;
    buf_init(&why, 1024);
    enum err err = store_open(at->place, &store, &why);
    if (err != ERR_OK) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    return store;
}

/* Statements of the test's own, beside the store: as its owner. */
static inline void test_store_script(const struct test_store *at, const char *sql)
{
    if (at->database[0] == '\0') {
        sqlite3 *db;
        assert_int_equal(sqlite3_open(at->place, &db), SQLITE_OK);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        }
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        return;
    }
    PGconn *connection = PQconnectdb(at->place);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
    PQfinish(connection);
}

/* A folder, and for PostgreSQL a database made like this one. */
static inline void test_store_place_like(struct test_store *at, const char *like)
{
    const char *server = getenv("LODGE_TEST_POSTGRES");
    static unsigned made;
    char sql[128];
    *at = (struct test_store){0};
    test_folder_open(&at->in);
    at->folder = at->in.fd;
    if (server == NULL) {
        snprintf(at->place, sizeof(at->place), "%s/store.db", at->in.path);
        return;
    }
    made++;
    snprintf(at->database, sizeof(at->database), "lodge_%u", made);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s OWNER lodge TEMPLATE %s STRATEGY FILE_COPY",
             at->database, like);
    test_store_sql(sql);
    snprintf(at->place, sizeof(at->place), "postgres://lodge@/%s?host=%s", at->database, server);
}

/* A place without a store. */
static inline void test_store_place(struct test_store *at)
{
    test_store_place_like(at, "template1");
}

/* On PostgreSQL one store of a program goes through the migrations, and the others are its copies.
 */
static inline void test_store_open(struct test_store *at)
{
    static struct test_store first;
    if (getenv("LODGE_TEST_POSTGRES") != NULL && first.database[0] == '\0') {
        test_store_place(&first);
        test_folder_close(&first.in);
        store_close(test_store_again(&first));
    }
    test_store_place_like(at, first.database);
    at->store = test_store_again(at);
}

/* A database stays, until its server goes with the program: dropping one is slow. */
static inline void test_store_close(struct test_store *at)
{
    store_close(at->store);
    test_folder_close(&at->in);
}

#endif

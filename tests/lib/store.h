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

/* A place without a store. */
static inline void test_store_place(struct test_store *at)
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
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s OWNER lodge", at->database);
    test_store_sql(sql);
    snprintf(at->place, sizeof(at->place), "postgres://lodge@/%s?host=%s", at->database, server);
}

static inline void test_store_open(struct test_store *at)
{
    test_store_place(at);
    at->store = test_store_again(at);
}

static inline void test_store_close(struct test_store *at)
{
    char sql[128];
    store_close(at->store);
    test_folder_close(&at->in);
    if (at->database[0] != '\0') {
        snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", at->database);
        test_store_sql(sql);
    }
}

#endif

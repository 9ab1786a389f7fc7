/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PostgreSQL, by libpq. A writer holds an advisory lock until its transaction ends: of its school,
 * or of all schools. So writers of one school are one behind the other, as all of them are on
 * SQLite, and READ COMMITTED shows each what the one before it committed. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/num.h"
#include "store/postgres_impl.h"
#include "store/store_impl.h"

enum { NAME_BYTES = 16, TABLE_BYTES = 64 };

struct prepared {
    PGresult *shape; /* types of parameters and columns; NULL: not prepared on this connection */
    PGresult *rows;
    int at;
};

struct postgres {
    struct store store;
    PGconn *connection;
    struct prepared prepared[STATEMENT_COUNT];
};

static struct postgres *postgres_of(const struct store *store)
{
    return (struct postgres *)(uintptr_t)store;
}

/* ---- errors ---- */

/* Of a result, or of a connection that is lost. The server's words are kept only where they cannot
 * hold a value. */
static enum err fail(struct postgres *postgres, const char *what, const PGresult *result)
{
    char words[STORE_WHY_BYTES];
    enum err err = postgres_err(postgres->connection, result, words, sizeof(words));
    store_say(&postgres->store, what, words);
    return err;
}

/* Takes the result. */
static enum err finish_command(struct postgres *postgres, const char *what, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    enum err err = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
                       ? ERR_OK
                       : fail(postgres, what, result);
    PQclear(result);
    return err;
}

static enum err script(struct store *store, const char *sql)
{
    struct postgres *postgres = postgres_of(store);
    return finish_command(postgres, "script", PQexec(postgres->connection, sql));
}

/* ---- the connection ---- */

static void forget_prepared(struct postgres *postgres)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        struct prepared *prepared = &postgres->prepared[i];
        PQclear(prepared->shape);
        PQclear(prepared->rows);
        *prepared = (struct prepared){0};
    }
}

/* Once, where nothing is lost with it: between transactions. */
static enum err connect_again(struct postgres *postgres)
{
    forget_prepared(postgres);
    PQreset(postgres->connection);
    if (PQstatus(postgres->connection) != CONNECTION_OK) {
        return fail(postgres, "connection", NULL);
    }
    return script(&postgres->store, postgres_settings);
}

/* ---- transactions ---- */

static enum err begin_once(struct postgres *postgres, struct str school, enum store_mode mode)
{
    static const char set[] = "SELECT set_config('lodge.school', $1, true)";
    static const char set_and_lock[] =
        "SELECT set_config('lodge.school', $1, true), pg_advisory_xact_lock_shared(" POSTGRES_LOCK
        "), pg_advisory_xact_lock(" POSTGRES_LOCK_SCHOOL ", hashtext($1))";
    static const char set_and_lock_all[] =
        "SELECT set_config('lodge.school', $1, true), pg_advisory_xact_lock(" POSTGRES_LOCK ")";
    const char *value = school.len != 0 ? school.p : "*";
    int length = school.len != 0 ? (int)school.len : 1;
    int binary = 1;
    ERR_TRY(script(&postgres->store, mode == STORE_WRITE
                                         ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                                         : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    const char *sql = mode == STORE_READ ? set : school.len != 0 ? set_and_lock : set_and_lock_all;
    const Oid type = POSTGRES_TEXT;
    return finish_command(
        postgres, "begin",
        PQexecParams(postgres->connection, sql, 1, &type, &value, &length, &binary, 0));
}

static void rollback(struct store *store)
{
    struct postgres *postgres = postgres_of(store);
    if (PQstatus(postgres->connection) == CONNECTION_OK &&
        PQtransactionStatus(postgres->connection) != PQTRANS_IDLE) {
        PQclear(PQexec(postgres->connection, "ROLLBACK"));
    }
}

static enum err begin(struct store *store, struct str school, enum store_mode mode)
{
    struct postgres *postgres = postgres_of(store);
    enum err err = begin_once(postgres, school, mode);
    if (err == ERR_GONE) {
        ERR_TRY(connect_again(postgres));
        err = begin_once(postgres, school, mode);
    }
    if (err != ERR_OK) {
        rollback(store);
    }
    return err;
}

static enum err commit(struct store *store)
{
    enum err err = script(store, "COMMIT");
    if (err != ERR_OK) {
        rollback(store);
    }
    return err;
}

/* VACUUM leaves what a transaction may see that began before the deletion. */
static enum err await_others(struct postgres *postgres)
{
    static const char open[] =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL "
        "AND backend_type = 'client backend' "
        "AND xact_start < statement_timestamp() - interval '1 second' LIMIT 1";
    PGresult *result = PQexec(postgres->connection, open);
    bool waits = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) != 0;
    ERR_TRY(finish_command(postgres, "sweep", result));
    if (waits) {
        store_say(&postgres->store, "sweep", "a transaction is open");
    }
    return waits ? ERR_BUSY : ERR_OK;
}

/* What autovacuum would do later. */
static enum err sweep(struct store *store, struct str table)
{
    struct postgres *postgres = postgres_of(store);
    char sql[TABLE_BYTES + sizeof("VACUUM ")] = "VACUUM ";
    size_t len = sizeof("VACUUM ") - 1;
    ERR_TRY(await_others(postgres));
    for (size_t i = 0; i < table.len; i++) {
        CHECK(i < TABLE_BYTES && (ascii_is_alpha(table.p[i]) || table.p[i] == '_'));
        sql[len++] = table.p[i];
    }
    return script(store, sql);
}

/* ---- statements ---- */

static enum err refuse(struct postgres *postgres, enum store_statement statement, const char *what,
                       size_t number)
{
    char words[64];
    snprintf(words, sizeof(words), "%s %zu: another type is needed (CAST it)", what, number + 1);
    store_say(&postgres->store, store_statement_name(statement), words);
    return ERR_SYSTEM;
}

static enum err check_shape(struct postgres *postgres, enum store_statement statement,
                            const PGresult *shape)
{
    for (int i = 0; i < PQnparams(shape); i++) {
        if (!postgres_type_takes(PQparamtype(shape, i))) {
            return refuse(postgres, statement, "parameter", (size_t)i);
        }
    }
    for (int i = 0; i < PQnfields(shape); i++) {
        if (!postgres_type_is_known(PQftype(shape, i))) {
            return refuse(postgres, statement, "column", (size_t)i);
        }
    }
    return ERR_OK;
}

static enum err prepare(struct postgres *postgres, enum store_statement statement)
{
    struct prepared *prepared = &postgres->prepared[statement];
    const char *what = store_statement_name(statement);
    char name[NAME_BYTES];
    if (prepared->shape != NULL) {
        return ERR_OK;
    }
    snprintf(name, sizeof(name), "s%u", (unsigned)statement);
    ERR_TRY(finish_command(postgres, what,
                           PQprepare(postgres->connection, name,
                                     store_statement_text(&postgres->store, statement), 0, NULL)));
    PGresult *shape = PQdescribePrepared(postgres->connection, name);
    enum err err = PQresultStatus(shape) == PGRES_COMMAND_OK
                       ? check_shape(postgres, statement, shape)
                       : fail(postgres, what, shape);
    if (err != ERR_OK) {
        PQclear(shape);
        return err;
    }
    prepared->shape = shape;
    return ERR_OK;
}

static enum err describe(struct store *store, enum store_statement statement, size_t *ret_n_values)
{
    struct postgres *postgres = postgres_of(store);
    ERR_TRY(prepare(postgres, statement));
    *ret_n_values = (size_t)PQnparams(postgres->prepared[statement].shape);
    return ERR_OK;
}

static void finish(struct store *store, enum store_statement statement)
{
    struct prepared *prepared = &postgres_of(store)->prepared[statement];
    PQclear(prepared->rows);
    prepared->rows = NULL;
}

static void forget(struct store *store, enum store_statement statement)
{
    struct postgres *postgres = postgres_of(store);
    struct prepared *prepared = &postgres->prepared[statement];
    char sql[NAME_BYTES + sizeof("DEALLOCATE ")];
    if (prepared->shape != NULL) {
        snprintf(sql, sizeof(sql), "DEALLOCATE s%u", (unsigned)statement);
        PQclear(PQexec(postgres->connection, sql));
    }
    PQclear(prepared->shape);
    PQclear(prepared->rows);
    *prepared = (struct prepared){0};
}

static enum err start(struct store *store, enum store_statement statement,
                      const struct store_value *values, size_t n_values)
{
    struct postgres *postgres = postgres_of(store);
    struct prepared *prepared = &postgres->prepared[statement];
    struct postgres_values bound;
    char name[NAME_BYTES];
    ERR_TRY(prepare(postgres, statement));
    CHECK((size_t)PQnparams(prepared->shape) == n_values);
    for (size_t i = 0; i < n_values; i++) {
        if (!postgres_bind(PQparamtype(prepared->shape, (int)i), &values[i], i, &bound)) {
            return refuse(postgres, statement, "value", i);
        }
    }
    snprintf(name, sizeof(name), "s%u", (unsigned)statement);
    PGresult *rows = PQexecPrepared(postgres->connection, name, (int)n_values, bound.values,
                                    bound.lengths, bound.formats, 1);
    ExecStatusType status = PQresultStatus(rows);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        enum err err = fail(postgres, store_statement_name(statement), rows);
        PQclear(rows);
        return err;
    }
    prepared->rows = rows;
    prepared->at = -1;
    return ERR_OK;
}

static enum err next(struct store *store, enum store_statement statement, bool *ret_row)
{
    struct prepared *prepared = &postgres_of(store)->prepared[statement];
    int n = PQntuples(prepared->rows);
    prepared->at = prepared->at < n ? prepared->at + 1 : n;
    *ret_row = prepared->at < n;
    return ERR_OK;
}

static uint64_t changed(const struct store *store, enum store_statement statement)
{
    PGresult *rows = postgres_of(store)->prepared[statement].rows;
    uint64_t n = 0;
    if (parse_u64(str_from(PQcmdTuples(rows)), 0, UINT64_MAX, &n) != ERR_OK) {
        n = 0;
    }
    return n;
}

static size_t columns(const struct store *store, enum store_statement statement)
{
    return (size_t)PQnfields(postgres_of(store)->prepared[statement].rows);
}

static const char *column_name(const struct store *store, enum store_statement statement,
                               size_t column)
{
    return PQfname(postgres_of(store)->prepared[statement].rows, (int)column);
}

static struct store_value value(const struct store *store, enum store_statement statement,
                                size_t column)
{
    const struct prepared *prepared = &postgres_of(store)->prepared[statement];
    return postgres_value(prepared->rows, prepared->at, (int)column);
}

/* ---- opening ---- */

/* Two processes that make the first table at once would trip over each other. */
static enum err bootstrap(struct store *store, const char *sql)
{
    struct postgres *postgres = postgres_of(store);
    PGresult *result = PQexec(postgres->connection, "SELECT to_regclass('migration')");
    bool there = PQresultStatus(result) == PGRES_TUPLES_OK && PQgetisnull(result, 0, 0) == 0;
    ERR_TRY(finish_command(postgres, "migrations", result));
    if (there) {
        return ERR_OK;
    }
    enum err err = script(store, "BEGIN; SELECT pg_advisory_xact_lock(" POSTGRES_LOCK ")");
    if (err == ERR_OK) {
        err = script(store, sql);
    }
    return err == ERR_OK ? commit(store) : (rollback(store), err);
}

static enum err fence_schools(struct store *store)
{
    return script(store, postgres_fence);
}

static void close_all(struct store *store)
{
    struct postgres *postgres = postgres_of(store);
    forget_prepared(postgres);
    PQfinish(postgres->connection);
    free(postgres);
}

static const struct store_driver postgres_driver = {
    .kind = STORE_POSTGRES,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .describe = describe,
    .start = start,
    .next = next,
    .changed = changed,
    .columns = columns,
    .column_name = column_name,
    .value = value,
    .finish = finish,
    .forget = forget,
    .bootstrap = bootstrap,
    .script = script,
    .fence_schools = fence_schools,
    .sweep = sweep,
    .close = close_all,
};

enum err store_postgres_open(const char *place, struct store **ret_store, struct buf *why)
{
    struct postgres *postgres = calloc(1, sizeof(*postgres));
    if (postgres == NULL) {
        return ERR_MEMORY;
    }
    postgres->store.driver = &postgres_driver;
    enum err err = postgres_connect(place, &postgres->connection, why);
    if (err != ERR_OK) {
        free(postgres);
        return err;
    }
    *ret_store = &postgres->store;
    return ERR_OK;
}

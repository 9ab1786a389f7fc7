/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SQLite. The WAL is moved into the database by us: passively behind a commit that left it long,
 * and wholly by store_sweep and at the end. */
#include <stdlib.h>

#include "base/check.h"
#include "store/sqlite_impl.h"
#include "store/store_impl.h"

enum {
    LONG_WAL_PAGES = 1000, /* 4 MB */
    FIRST_SEEN_BYTES = 4,  /* "$", up to three digits of a parameter's name */
};

struct prepared {
    sqlite3_stmt *stmt;
    int n_parameters;
    bool done; /* it ran to its end */
};

struct sqlite {
    struct store store;
    sqlite3 *db;
    int wal_pages; /* at the last commit */
    struct prepared prepared[STATEMENT_COUNT];
};

static struct sqlite *sqlite_of(const struct store *store)
{
    return (struct sqlite *)(uintptr_t)store;
}

/* ---- errors ---- */

/* SQLite's messages name tables and columns, no values. */
static enum err fail(struct sqlite *sqlite, const char *what)
{
    store_say(&sqlite->store, what, sqlite3_errmsg(sqlite->db));
    return sqlite_err(sqlite3_extended_errcode(sqlite->db));
}

static enum err script(struct store *store, const char *sql)
{
    struct sqlite *sqlite = sqlite_of(store);
    if (sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(sqlite, "script");
    }
    return ERR_OK;
}

/* ---- transactions ---- */

static enum err begin(struct store *store, struct str school, enum store_mode mode)
{
    (void)school; /* the statements' own conditions keep schools apart here */
    return script(store, mode == STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
}

static void rollback(struct store *store)
{
    struct sqlite *sqlite = sqlite_of(store);
    if (sqlite3_get_autocommit(sqlite->db) == 0) {
        CHECK(sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    }
}

static int note_wal(void *argument, sqlite3 *db, const char *name, int pages)
{
    struct sqlite *sqlite = argument;
    (void)db;
    (void)name;
    sqlite->wal_pages = pages;
    return SQLITE_OK;
}

static enum err commit(struct store *store)
{
    struct sqlite *sqlite = sqlite_of(store);
    enum err err = script(store, "COMMIT");
    if (err != ERR_OK) {
        rollback(store);
        return err;
    }
    if (sqlite->wal_pages > LONG_WAL_PAGES) {
        /* What cannot be moved now, for a reader's sake, is moved behind a later commit. */
        (void)sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        sqlite->wal_pages = 0;
    }
    return ERR_OK;
}

static enum err sweep(struct store *store, struct str table)
{
    struct sqlite *sqlite = sqlite_of(store);
    (void)table; /* the journal is of all of them */
    if (sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
        SQLITE_OK) {
        return fail(sqlite, "checkpoint");
    }
    return ERR_OK;
}

/* ---- statements ---- */

static enum err prepare(struct sqlite *sqlite, enum store_statement statement)
{
    struct prepared *prepared = &sqlite->prepared[statement];
    if (prepared->stmt != NULL) {
        return ERR_OK;
    }
    if (sqlite3_prepare_v3(sqlite->db, store_statement_text(&sqlite->store, statement), -1,
                           SQLITE_PREPARE_PERSISTENT, &prepared->stmt, NULL) != SQLITE_OK) {
        return fail(sqlite, store_statement_name(statement));
    }
    prepared->n_parameters = sqlite3_bind_parameter_count(prepared->stmt);
    return ERR_OK;
}

static enum err describe(struct store *store, enum store_statement statement, size_t *ret_n_values)
{
    struct sqlite *sqlite = sqlite_of(store);
    ERR_TRY(prepare(sqlite, statement));
    *ret_n_values = (size_t)sqlite->prepared[statement].n_parameters;
    return ERR_OK;
}

/* SQLite numbers parameters by where each first stands; we by what is written. */
static int index_of(sqlite3_stmt *stmt, size_t i)
{
    char name[FIRST_SEEN_BYTES + 1];
    size_t at = sizeof(name) - 1;
    name[at] = '\0';
    for (size_t number = i + 1; number != 0; number /= 10) {
        name[--at] = (char)('0' + number % 10);
    }
    name[--at] = '$';
    int index = sqlite3_bind_parameter_index(stmt, name + at);
    CHECK(index != 0);
    return index;
}

/* The bytes are copied: rows may be read after whoever bound them has gone on. */
static int bind(sqlite3_stmt *stmt, int index, const struct store_value *value)
{
    const char *bytes = value->bytes.p != NULL ? value->bytes.p : "";
    switch (value->kind) {
    case STORE_NULL:
        return sqlite3_bind_null(stmt, index);
    case STORE_NUMBER:
        return sqlite3_bind_int64(stmt, index, value->number);
    case STORE_TEXT:
        return sqlite3_bind_text64(stmt, index, bytes, value->bytes.len, SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    case STORE_BLOB:
        return sqlite3_bind_blob64(stmt, index, bytes, value->bytes.len, SQLITE_TRANSIENT);
    }
    CHECK(false);
}

static void finish(struct store *store, enum store_statement statement)
{
    struct prepared *prepared = &sqlite_of(store)->prepared[statement];
    /* The answer repeats the last step's failure, which was told then. */
    (void)sqlite3_reset(prepared->stmt);
    (void)sqlite3_clear_bindings(prepared->stmt);
}

static void forget(struct store *store, enum store_statement statement)
{
    struct prepared *prepared = &sqlite_of(store)->prepared[statement];
    (void)sqlite3_finalize(prepared->stmt);
    *prepared = (struct prepared){0};
}

static enum err start(struct store *store, enum store_statement statement,
                      const struct store_value *values, size_t n_values)
{
    struct sqlite *sqlite = sqlite_of(store);
    struct prepared *prepared = &sqlite->prepared[statement];
    ERR_TRY(prepare(sqlite, statement));
    CHECK((size_t)prepared->n_parameters == n_values);
    if (store->mode == STORE_READ && sqlite3_stmt_readonly(prepared->stmt) == 0) {
        store_say(store, store_statement_name(statement), "writes in a transaction that reads");
        return ERR_SYSTEM;
    }
    prepared->done = false;
    for (size_t i = 0; i < n_values; i++) {
        if (bind(prepared->stmt, index_of(prepared->stmt, i), &values[i]) != SQLITE_OK) {
            finish(store, statement);
            return fail(sqlite, store_statement_name(statement));
        }
    }
    return ERR_OK;
}

static enum err next(struct store *store, enum store_statement statement, bool *ret_row)
{
    struct sqlite *sqlite = sqlite_of(store);
    struct prepared *prepared = &sqlite->prepared[statement];
    /* One more step would run it again. */
    int code = prepared->done ? SQLITE_DONE : sqlite3_step(prepared->stmt);
    *ret_row = code == SQLITE_ROW;
    prepared->done = code != SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? ERR_OK
               : fail(sqlite, store_statement_name(statement));
}

static uint64_t changed(const struct store *store, enum store_statement statement)
{
    const struct sqlite *sqlite = sqlite_of(store);
    return sqlite3_stmt_readonly(sqlite->prepared[statement].stmt) != 0
               ? 0
               : (uint64_t)sqlite3_changes64(sqlite->db);
}

static size_t columns(const struct store *store, enum store_statement statement)
{
    return (size_t)sqlite3_column_count(sqlite_of(store)->prepared[statement].stmt);
}

static const char *column_name(const struct store *store, enum store_statement statement,
                               size_t column)
{
    return sqlite3_column_name(sqlite_of(store)->prepared[statement].stmt, (int)column);
}

static struct str bytes_of(sqlite3_stmt *stmt, int column, const void *p)
{
    return str_make(p, (size_t)sqlite3_column_bytes(stmt, column));
}

static struct store_value value(const struct store *store, enum store_statement statement,
                                size_t column)
{
    sqlite3_stmt *stmt = sqlite_of(store)->prepared[statement].stmt;
    int i = (int)column;
    int type = sqlite3_column_type(stmt, i);
    CHECK(type != SQLITE_FLOAT);
    return type == SQLITE_INTEGER ? store_number(sqlite3_column_int64(stmt, i))
           : type == SQLITE_TEXT  ? store_text(bytes_of(stmt, i, sqlite3_column_text(stmt, i)))
           : type == SQLITE_BLOB  ? store_blob(bytes_of(stmt, i, sqlite3_column_blob(stmt, i)))
                                  : store_null();
}

/* ---- opening ---- */

static enum err fence_schools(struct store *store)
{
    (void)store;
    return ERR_OK;
}

static void close_all(struct store *store)
{
    struct sqlite *sqlite = sqlite_of(store);
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(sqlite->prepared[i].stmt);
    }
    /* Somebody else may have it open still; then the last one's close does it. */
    (void)sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    CHECK(sqlite3_close(sqlite->db) == SQLITE_OK);
    free(sqlite);
}

static const struct store_driver sqlite_driver = {
    .kind = STORE_SQLITE,
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
    .bootstrap = script,
    .script = script,
    .fence_schools = fence_schools,
    .sweep = sweep,
    .close = close_all,
};

enum err store_sqlite_open(const char *path, struct store **ret_store, struct buf *why)
{
    struct sqlite *sqlite = calloc(1, sizeof(*sqlite));
    if (sqlite == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sqlite_file_open(path, &sqlite->db, why);
    if (err != ERR_OK) {
        free(sqlite);
        return err;
    }
    sqlite->store.driver = &sqlite_driver;
    (void)sqlite3_wal_hook(sqlite->db, note_wal, sqlite);
    *ret_store = &sqlite->store;
    return ERR_OK;
}

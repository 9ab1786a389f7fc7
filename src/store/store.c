/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules that hold for both databases. A statement that fails ends what its transaction may
 * still do, as PostgreSQL has it anyway: only store_rollback, or a commit that answers the failure,
 * is left. */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "store/store_impl.h"
#include "wire/utf8.h"

void store_say(struct store *store, const char *what, const char *text)
{
    snprintf(store->why, sizeof(store->why), "%s: %s", what, text);
}

enum err store_open_bare(const char *place, struct store **ret_store, struct buf *why)
{
    struct store *store;
    bool is_postgres = str_starts(str_from(place), STR("postgres://")) ||
                       str_starts(str_from(place), STR("postgresql://"));
    ERR_TRY(is_postgres ? store_postgres_open(place, &store, why)
                        : store_sqlite_open(place, &store, why));
    for (enum store_statement i = STATEMENT_UNSET; i < STATEMENT_COUNT; i++) {
        store->rows[i] = (struct store_rows){.store = store, .statement = i};
    }
    *ret_store = store;
    return ERR_OK;
}

enum err store_open(const char *place, struct store **ret_store, struct buf *why)
{
    struct store *store;
    ERR_TRY(store_open_bare(place, &store, why));
    enum err err = store_migrate(store, store_migrations, n_store_migrations, why);
    if (err != ERR_OK) {
        store_close(store);
        return err;
    }
    *ret_store = store;
    return ERR_OK;
}

void store_close(struct store *store)
{
    if (store != NULL) {
        store->mode = store->held ? STORE_WRITE : store->mode;
        store->held = false;
        store_rollback(store);
        store->driver->close(store);
    }
}

enum store_kind store_kind(const struct store *store)
{
    return store->driver->kind;
}

const char *store_why(const struct store *store)
{
    return store->why;
}

/* ---- transactions ---- */

enum err store_begin(struct store *store, struct str school, enum store_mode mode)
{
    CHECK(store->mode == STORE_MODE_UNSET && mode != STORE_MODE_UNSET);
    if (store->held) {
        store->mode = store->failed ? STORE_MODE_UNSET : mode;
        return store->failed ? ERR_SYSTEM : ERR_OK;
    }
    store->why[0] = '\0';
    ERR_TRY(store->driver->begin(store, school, mode));
    store->mode = mode;
    store->failed = false;
    return ERR_OK;
}

static void finish_all(struct store *store)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (store->rows[i].open) {
            store_rows_free(&store->rows[i]);
        }
    }
}

enum err store_commit(struct store *store)
{
    CHECK(store->mode != STORE_MODE_UNSET);
    if (store->failed) {
        store_rollback(store);
        return ERR_SYSTEM;
    }
    finish_all(store);
    store->mode = STORE_MODE_UNSET;
    return store->held ? ERR_OK : store->driver->commit(store);
}

void store_rollback(struct store *store)
{
    if (store->mode != STORE_MODE_UNSET) {
        finish_all(store);
        store->failed = store->failed || (store->held && store->mode == STORE_WRITE);
        store->mode = STORE_MODE_UNSET;
        if (!store->held) {
            store->driver->rollback(store);
        }
    }
}

enum err store_hold(struct store *store)
{
    CHECK(!store->held);
    ERR_TRY(store_begin(store, STR(""), STORE_WRITE));
    store->held = true;
    store->mode = STORE_MODE_UNSET;
    return ERR_OK;
}

enum err store_settle(struct store *store, enum err err)
{
    CHECK(store->held && store->mode == STORE_MODE_UNSET);
    store->held = false;
    store->mode = STORE_WRITE;
    if (err == ERR_OK) {
        return store_commit(store);
    }
    store_rollback(store);
    return err;
}

enum err store_sweep(struct store *store, struct str table)
{
    CHECK(store->mode == STORE_MODE_UNSET);
    return store->driver->sweep(store, table);
}

/* ---- statements ---- */

static bool text_is_fine(struct str text)
{
    while (text.len != 0) {
        size_t n = utf8_length(text);
        if (n == 0 || text.p[0] == '\0') {
            return false;
        }
        text = str_skip(text, n);
    }
    return true;
}

static enum err start(struct store *store, enum store_statement statement,
                      const struct store_value *values, size_t n_values)
{
    CHECK(store->mode != STORE_MODE_UNSET && !store->rows[statement].open);
    CHECK(n_values <= STORE_VALUES_MAX);
    if (store->failed) {
        return ERR_SYSTEM;
    }
    for (size_t i = 0; i < n_values; i++) {
        if (values[i].kind == STORE_TEXT && !text_is_fine(values[i].bytes)) {
            store_say(store, store_statement_name(statement), "a text is not UTF-8");
            return ERR_INVALID;
        }
    }
    enum err err = store->driver->start(store, statement, values, n_values);
    store->failed = err != ERR_OK;
    return err;
}

enum err store_query(struct store *store, enum store_statement statement,
                     const struct store_value *values, size_t n_values,
                     struct store_rows **ret_rows)
{
    ERR_TRY(start(store, statement, values, n_values));
    struct store_rows *rows = &store->rows[statement];
    rows->open = true;
    rows->at_row = false;
    *ret_rows = rows;
    return ERR_OK;
}

bool store_rows_next(struct store_rows *rows, enum err *ret_err)
{
    CHECK(rows->open);
    enum err err = ERR_SYSTEM;
    rows->at_row = false;
    if (!rows->store->failed) {
        err = rows->store->driver->next(rows->store, rows->statement, &rows->at_row);
        rows->store->failed = err != ERR_OK;
    }
    *ret_err = err;
    return err == ERR_OK && rows->at_row;
}

size_t store_rows_columns(const struct store_rows *rows)
{
    CHECK(rows->open);
    return rows->store->driver->columns(rows->store, rows->statement);
}

struct store_value store_rows_value(const struct store_rows *rows, size_t column)
{
    CHECK(rows->open && rows->at_row && column < store_rows_columns(rows));
    return rows->store->driver->value(rows->store, rows->statement, column);
}

int64_t store_rows_number(const struct store_rows *rows, size_t column)
{
    struct store_value value = store_rows_value(rows, column);
    CHECK(value.kind == STORE_NUMBER || value.kind == STORE_NULL);
    return value.number;
}

struct str store_rows_bytes(const struct store_rows *rows, size_t column)
{
    struct store_value value = store_rows_value(rows, column);
    CHECK(value.kind != STORE_NUMBER);
    return value.bytes;
}

bool store_rows_is_null(const struct store_rows *rows, size_t column)
{
    return store_rows_value(rows, column).kind == STORE_NULL;
}

void store_rows_free(struct store_rows *rows)
{
    if (rows != NULL && rows->open) {
        rows->open = false;
        rows->at_row = false;
        rows->store->driver->finish(rows->store, rows->statement);
    }
}

enum err store_run(struct store *store, enum store_statement statement,
                   const struct store_value *values, size_t n_values, uint64_t *ret_changed)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, statement, values, n_values, &rows));
    CHECK(!store_rows_next(rows, &err));
    uint64_t changed = err == ERR_OK ? store->driver->changed(store, statement) : 0;
    store_rows_free(rows);
    if (err == ERR_OK && ret_changed != NULL) {
        *ret_changed = changed;
    }
    return err;
}

static enum err copy_row(struct store_rows *rows, struct arena *arena,
                         struct store_value *ret_columns, size_t n_columns)
{
    for (size_t i = 0; i < n_columns; i++) {
        struct store_value value = store_rows_value(rows, i);
        if (value.kind == STORE_TEXT || value.kind == STORE_BLOB) {
            value.bytes = arena_dup(arena, value.bytes);
        }
        ret_columns[i] = value;
    }
    return arena->failed ? ERR_MEMORY : ERR_OK;
}

enum err store_row(struct store *store, enum store_statement statement,
                   const struct store_value *values, size_t n_values, struct arena *arena,
                   struct store_value *ret_columns, size_t n_columns)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, statement, values, n_values, &rows));
    CHECK(store_rows_columns(rows) == n_columns);
    if (store_rows_next(rows, &err)) {
        err = copy_row(rows, arena, ret_columns, n_columns);
    } else if (err == ERR_OK) {
        err = ERR_NOT_FOUND;
    }
    store_rows_free(rows);
    return err;
}

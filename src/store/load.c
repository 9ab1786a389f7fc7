/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a dump back. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/dump_impl.h"
#include "wire/utf8.h"

enum { MIGRATIONS_MAX = 256, COLUMNS_MAX = STORE_VALUES_MAX };

struct load {
    struct store *store;
    const struct dump_from *from;
    struct dump_report *report; /* what the dump says */
    struct dump_report there;   /* the tables of the store */
    struct dump_table *table;   /* the one that is read */
    struct store_value values[COLUMNS_MAX];
    size_t n_columns;
    struct buf row;
    struct buf *why;
};

static enum err refuse(struct load *load, const char *words)
{
    if (load->why->len == 0) {
        buf_printf(load->why, "%s", words);
    }
    return ERR_INVALID;
}

/* ---- the form ---- */

static enum err get(struct load *load, void *bytes, size_t n)
{
    return n != 0 ? load->from->get(load->from->from, bytes, n) : ERR_OK;
}

static enum err get_number(struct load *load, size_t n, uint64_t max, uint64_t *ret_number)
{
    uint8_t bytes[8];
    ERR_TRY(get(load, bytes, n));
    uint64_t number = dump_number(bytes, n);
    if (number > max) {
        return refuse(load, "a number of the backup is out of range");
    }
    *ret_number = number;
    return ERR_OK;
}

static enum err get_name(struct load *load, char ret_name[DUMP_NAME_BYTES])
{
    uint64_t len;
    ERR_TRY(get_number(load, 4, DUMP_NAME_BYTES - 1, &len));
    ERR_TRY(get(load, ret_name, (size_t)len));
    ret_name[len] = '\0';
    return dump_name_is_fine(str_make(ret_name, (size_t)len))
               ? ERR_OK
               : refuse(load, "a name of the backup is not Lodge's");
}

/* ---- migrations ---- */

static enum err find_migration(struct load *load, const uint8_t digest[SHA256_BYTES],
                               uint64_t number, struct store_migration *ret_migration)
{
    for (size_t i = 0; i < n_store_migrations; i++) {
        if (store_migrations[i].number == (int64_t)number && i != 0) {
            if (memcmp(store_migrations[i].digest, digest, SHA256_BYTES) != 0) {
                return refuse(load, "the backup's tables are not this program's");
            }
            *ret_migration = store_migrations[i];
            return ERR_OK;
        }
    }
    return refuse(load, "the backup was made by a newer version of this program");
}

/* Those of the dump; *ret_kind is what stands behind them. */
static enum err migrate(struct load *load, uint8_t *ret_kind)
{
    struct store_migration migrations[MIGRATIONS_MAX];
    size_t n = 0;
    migrations[n++] = store_migrations[0];
    for (;;) {
        uint8_t digest[SHA256_BYTES];
        uint64_t number;
        ERR_TRY(get(load, ret_kind, 1));
        if (*ret_kind != DUMP_MIGRATION) {
            return store_migrate(load->store, migrations, n, load->why);
        }
        if (n == MIGRATIONS_MAX) {
            return refuse(load, "the backup has too many migrations");
        }
        ERR_TRY(get_number(load, 4, UINT32_MAX, &number));
        ERR_TRY(get(load, digest, sizeof(digest)));
        ERR_TRY(find_migration(load, digest, number, &migrations[n++]));
    }
}

/* ---- tables ---- */

static bool is_there(const struct load *load, const char *name)
{
    for (size_t i = 0; i < load->there.n_tables; i++) {
        if (strcmp(load->there.tables[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* "INSERT INTO name (a, b) VALUES ($1, $2)" */
static enum err read_columns(struct load *load, struct buf *text)
{
    uint64_t n;
    char name[DUMP_NAME_BYTES];
    ERR_TRY(get_number(load, 4, COLUMNS_MAX, &n));
    load->n_columns = (size_t)n;
    buf_printf(text, "INSERT INTO %s (", load->table->name);
    for (size_t i = 0; i < load->n_columns; i++) {
        ERR_TRY(get_name(load, name));
        buf_printf(text, "%s%s", i != 0 ? ", " : "", name);
    }
    buf_printf(text, ") VALUES (");
    for (size_t i = 0; i < load->n_columns; i++) {
        buf_printf(text, "%s$%zu", i != 0 ? ", " : "", i + 1);
    }
    buf_printf(text, ")");
    return buf_err(text);
}

static enum err begin_table(struct load *load)
{
    struct buf text = {0};
    if (load->report->n_tables == DUMP_TABLES_MAX) {
        return refuse(load, "the backup has too many tables");
    }
    load->table = &load->report->tables[load->report->n_tables++];
    *load->table = (struct dump_table){0};
    ERR_TRY(get_name(load, load->table->name));
    if (!is_there(load, load->table->name)) {
        return refuse(load, "the backup has a table that this program has not");
    }
    buf_init(&text, STORE_MADE_BYTES);
    enum err err = read_columns(load, &text);
    if (err == ERR_OK) {
        err = dump_make(load->store, &text);
    }
    buf_fini(&text);
    return err;
}

/* The bytes' place in the row is kept as a number until the row, which may move, is whole. */
static enum err read_bytes(struct load *load, struct store_value *value)
{
    uint64_t len;
    ERR_TRY(get_number(load, 4, DUMP_ROW_MAX, &len));
    dump_u32(&load->row, (uint32_t)len);
    value->number = (int64_t)load->row.len;
    value->bytes.len = (size_t)len;
    char *place = buf_reserve(&load->row, (size_t)len);
    ERR_TRY(buf_err(&load->row));
    ERR_TRY(get(load, place, (size_t)len));
    buf_commit(&load->row, (size_t)len);
    return ERR_OK;
}

static enum err read_value(struct load *load, struct store_value *value)
{
    uint64_t kind;
    uint64_t number;
    ERR_TRY(get_number(load, 1, STORE_BLOB, &kind));
    *value = (struct store_value){.kind = (enum store_value_kind)kind};
    buf_append_byte(&load->row, (char)kind);
    if (kind == STORE_NULL) {
        return ERR_OK;
    }
    if (kind != STORE_NUMBER) {
        return read_bytes(load, value);
    }
    ERR_TRY(get_number(load, 8, UINT64_MAX, &number));
    dump_u64(&load->row, number);
    value->number = (int64_t)number;
    return ERR_OK;
}

static enum err read_row(struct load *load)
{
    buf_clear(&load->row);
    for (size_t i = 0; i < load->n_columns; i++) {
        ERR_TRY(read_value(load, &load->values[i]));
    }
    ERR_TRY(buf_err(&load->row));
    for (size_t i = 0; i < load->n_columns; i++) {
        struct store_value *value = &load->values[i];
        if (value->kind == STORE_TEXT || value->kind == STORE_BLOB) {
            value->bytes.p = load->row.p + value->number;
        }
        if (value->kind == STORE_TEXT && !utf8_is_text(value->bytes)) {
            return refuse(load, "a text of the backup is not UTF-8");
        }
    }
    dump_add_row(load->table, buf_str(&load->row));
    if (load->table->rows % DUMP_PROGRESS_ROWS == 0 && load->from->progress != NULL) {
        load->from->progress(load->from->argument, load->table->name, load->table->rows);
    }
    return store_run(load->store, STATEMENT_UNSET, load->values, load->n_columns, NULL);
}

static enum err end_table(struct load *load)
{
    uint64_t rows;
    uint8_t digest[SHA256_BYTES];
    ERR_TRY(get_number(load, 8, UINT64_MAX, &rows));
    ERR_TRY(get(load, digest, sizeof(digest)));
    if (rows != load->table->rows || memcmp(digest, load->table->digest, sizeof(digest)) != 0) {
        return refuse(load, "a table of the backup is not what its end says");
    }
    load->report->rows += rows;
    if (load->from->progress != NULL) {
        load->from->progress(load->from->argument, load->table->name, rows);
    }
    return ERR_OK;
}

static enum err read_table(struct load *load)
{
    uint8_t kind = 0;
    ERR_TRY(begin_table(load));
    for (;;) {
        ERR_TRY(get(load, &kind, 1));
        if (kind == DUMP_TABLE_END) {
            return end_table(load);
        }
        if (kind != DUMP_ROW) {
            return refuse(load, "the backup holds what is no row");
        }
        ERR_TRY(read_row(load));
    }
}

static enum err fill(struct load *load, uint8_t kind)
{
    ERR_TRY(load->store->driver->script(load->store, store_kind(load->store) == STORE_SQLITE
                                                         ? "PRAGMA defer_foreign_keys = ON"
                                                         : "SET CONSTRAINTS ALL DEFERRED"));
    ERR_TRY(dump_list(load->store, &load->there));
    while (kind == DUMP_TABLE) {
        ERR_TRY(read_table(load));
        ERR_TRY(get(load, &kind, 1));
    }
    return kind == DUMP_END ? ERR_OK : refuse(load, "the backup holds what is no table");
}

/* ---- the whole ---- */

static enum err in_transaction(struct load *load, enum store_mode mode, uint8_t kind,
                               enum err (*work)(struct load *, uint8_t))
{
    ERR_TRY(store_begin(load->store, STR(""), mode));
    enum err err = work(load, kind);
    if (err != ERR_OK) {
        store_rollback(load->store);
        return err;
    }
    return store_commit(load->store);
}

static enum err must_be_empty(struct load *load, uint8_t kind)
{
    (void)kind;
    ERR_TRY(dump_list(load->store, &load->there));
    if (load->there.n_tables != 0) {
        buf_printf(load->why, "there is a store already");
        return ERR_CONFLICT;
    }
    return ERR_OK;
}

static enum err compare(struct load *load, uint8_t kind)
{
    (void)kind;
    ERR_TRY(dump_tables(load->store, NULL, &load->there));
    for (size_t i = 0; i < load->report->n_tables; i++) {
        const struct dump_table *said = &load->report->tables[i];
        size_t at = 0;
        while (at < load->there.n_tables && strcmp(load->there.tables[at].name, said->name) != 0) {
            at++;
        }
        if (at == load->there.n_tables || load->there.tables[at].rows != said->rows ||
            memcmp(load->there.tables[at].digest, said->digest, sizeof(said->digest)) != 0) {
            return refuse(load, "what was written is not what is read back");
        }
    }
    return ERR_OK;
}

static enum err run(struct load *load)
{
    uint8_t kind = 0;
    ERR_TRY(in_transaction(load, STORE_READ, 0, must_be_empty));
    ERR_TRY(migrate(load, &kind));
    ERR_TRY(in_transaction(load, STORE_WRITE, kind, fill));
    ERR_TRY(in_transaction(load, STORE_READ, 0, compare));
    load->store->driver->forget(load->store, STATEMENT_UNSET);
    return store_migrate(load->store, store_migrations, n_store_migrations, load->why);
}

enum err store_load(const char *place, const struct dump_from *from, struct store **ret_store,
                    struct dump_report *ret_report, struct buf *why)
{
    struct load *load = calloc(1, sizeof(*load));
    if (load == NULL) {
        return ERR_MEMORY;
    }
    *ret_report = (struct dump_report){0};
    load->from = from;
    load->report = ret_report;
    load->why = why;
    buf_init(&load->row, DUMP_ROW_MAX);
    enum err err = store_open_bare(place, &load->store, why);
    if (err == ERR_OK) {
        err = run(load);
        if (err != ERR_OK && why->len == 0 && store_why(load->store)[0] != '\0') {
            buf_printf(why, "%s", store_why(load->store));
        }
        if (err == ERR_OK) {
            *ret_store = load->store;
        } else {
            store_close(load->store);
        }
    }
    buf_fini(&load->row);
    free(load);
    return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a dump. The only SQL of the program that is made at run time: "all of this table", for
 * the tables that the database itself lists, whose names are checked letter by letter. */
#include "store/dump.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "store/dump_impl.h"

enum { TEXT_MAX = STORE_MADE_BYTES - 1 };

static const char *const lists[] = {
    [STORE_SQLITE] = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migration' "
                     "AND name NOT LIKE 'sqlite%' ORDER BY rowid",
    [STORE_POSTGRES] = "SELECT CAST(c.relname AS text) FROM pg_class c WHERE c.relkind = 'r' "
                       "AND c.relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace) "
                       "AND c.relname <> 'migration' ORDER BY c.oid",
};

/* ---- the form ---- */

static void put_number(struct buf *to, uint64_t number, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_append_byte(to, (char)(number >> (8 * i) & 0xff));
    }
}

void dump_u32(struct buf *to, uint32_t number)
{
    put_number(to, number, 4);
}

void dump_u64(struct buf *to, uint64_t number)
{
    put_number(to, number, 8);
}

uint64_t dump_number(const uint8_t *bytes, size_t n)
{
    uint64_t number = 0;
    for (size_t i = n; i-- > 0;) {
        number = number << 8 | bytes[i];
    }
    return number;
}

void dump_value(struct buf *to, const struct store_value *value)
{
    buf_append_byte(to, (char)value->kind);
    if (value->kind == STORE_NUMBER) {
        dump_u64(to, (uint64_t)value->number);
    } else if (value->kind != STORE_NULL) {
        CHECK(value->bytes.len <= UINT32_MAX);
        dump_u32(to, (uint32_t)value->bytes.len);
        buf_append(to, value->bytes);
    }
}

void dump_add_row(struct dump_table *table, struct str row)
{
    uint8_t digest[SHA256_BYTES];
    sha256(row, digest);
    for (size_t at = 0; at < SHA256_BYTES; at += 8) {
        uint64_t sum = dump_number(table->digest + at, 8) + dump_number(digest + at, 8);
        for (size_t i = 0; i < 8; i++) {
            table->digest[at + i] = (uint8_t)(sum >> (8 * i));
        }
    }
    table->rows++;
}

bool dump_name_is_fine(struct str name)
{
    bool fine = name.len != 0 && name.len < DUMP_NAME_BYTES && !ascii_is_digit(name.p[0]);
    for (size_t i = 0; i < name.len && fine; i++) {
        char c = name.p[i];
        fine = (c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '_';
    }
    return fine;
}

/* ---- tables ---- */

enum err dump_make(struct store *store, struct buf *text)
{
    const char *words = buf_cstr(text);
    if (words == NULL || text->len >= sizeof(store->made)) {
        return ERR_LIMIT;
    }
    store->driver->forget(store, STATEMENT_UNSET);
    memcpy(store->made, words, text->len + 1);
    return ERR_OK;
}

static enum err make(struct store *store, const char *before, const char *name)
{
    struct buf text = {0};
    buf_init(&text, TEXT_MAX);
    buf_printf(&text, "%s%s", before, name);
    enum err err = dump_make(store, &text);
    buf_fini(&text);
    return err;
}

static enum err take_name(struct store *store, struct str name, struct dump_report *report)
{
    if (!dump_name_is_fine(name) || report->n_tables == DUMP_TABLES_MAX) {
        store_say(store, "dump", "a table that is not Lodge's");
        return ERR_INVALID;
    }
    struct dump_table *table = &report->tables[report->n_tables++];
    *table = (struct dump_table){0};
    memcpy(table->name, name.p, name.len);
    return ERR_OK;
}

enum err dump_list(struct store *store, struct dump_report *ret_report)
{
    struct store_rows *rows;
    enum err err;
    ret_report->n_tables = 0;
    ret_report->rows = 0;
    ERR_TRY(make(store, lists[store_kind(store)], ""));
    ERR_TRY(store_query(store, STATEMENT_UNSET, NULL, 0, &rows));
    while (store_rows_next(rows, &err)) {
        err = take_name(store, store_rows_bytes(rows, 0), ret_report);
        if (err != ERR_OK) {
            break;
        }
    }
    store_rows_free(rows);
    return err;
}

static enum err flush(const struct dump_to *to, struct buf *bytes)
{
    ERR_TRY(buf_err(bytes));
    enum err err = to != NULL ? to->put(to->to, buf_str(bytes)) : ERR_OK;
    buf_clear(bytes);
    return err;
}

static void tell(const struct dump_to *to, const struct dump_table *table)
{
    if (to != NULL && to->progress != NULL) {
        to->progress(to->argument, table->name, table->rows);
    }
}

static enum err write_head(const struct store_rows *rows, const struct dump_to *to,
                           const struct dump_table *table, struct buf *bytes)
{
    size_t n = store_rows_columns(rows);
    buf_append_byte(bytes, DUMP_TABLE);
    dump_u32(bytes, (uint32_t)strlen(table->name));
    buf_append(bytes, str_from(table->name));
    dump_u32(bytes, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        const char *name = rows->store->driver->column_name(rows->store, rows->statement, i);
        dump_u32(bytes, (uint32_t)strlen(name));
        buf_append(bytes, str_from(name));
    }
    return flush(to, bytes);
}

static enum err write_row(const struct store_rows *rows, const struct dump_to *to,
                          struct dump_table *table, struct buf *bytes)
{
    size_t n = store_rows_columns(rows);
    buf_append_byte(bytes, DUMP_ROW);
    for (size_t i = 0; i < n; i++) {
        struct store_value value = store_rows_value(rows, i);
        dump_value(bytes, &value);
    }
    ERR_TRY(buf_err(bytes));
    dump_add_row(table, str_skip(buf_str(bytes), 1));
    if (table->rows % DUMP_PROGRESS_ROWS == 0) {
        tell(to, table);
    }
    return flush(to, bytes);
}

/* What one run of STATEMENT_UNSET answers; *head: the head is still to be written. */
static enum err write_rows(struct store *store, const struct dump_to *to, struct dump_table *table,
                           bool *head, struct buf *bytes)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_UNSET, NULL, 0, &rows));
    enum err written = *head ? write_head(rows, to, table, bytes) : ERR_OK;
    *head = false;
    while (written == ERR_OK && store_rows_next(rows, &err)) {
        written = write_row(rows, to, table, bytes);
    }
    store_rows_free(rows);
    return written != ERR_OK ? written : err;
}

/* PostgreSQL would hold all rows in memory; a cursor gives them in parts. */
static enum err write_by_cursor(struct store *store, const struct dump_to *to,
                                struct dump_table *table, struct buf *bytes)
{
    char sql[DUMP_NAME_BYTES + 64];
    bool head = true;
    uint64_t before;
    snprintf(sql, sizeof(sql), "DECLARE dump NO SCROLL CURSOR FOR SELECT * FROM %s", table->name);
    ERR_TRY(store->driver->script(store, sql));
    ERR_TRY(make(store, "FETCH 500 FROM dump", ""));
    do {
        before = table->rows;
        ERR_TRY(write_rows(store, to, table, &head, bytes));
    } while (table->rows != before);
    return store->driver->script(store, "CLOSE dump");
}

static enum err write_table(struct store *store, const struct dump_to *to, struct dump_table *table,
                            struct buf *bytes)
{
    bool head = true;
    if (store_kind(store) == STORE_POSTGRES) {
        ERR_TRY(write_by_cursor(store, to, table, bytes));
    } else {
        ERR_TRY(make(store, "SELECT * FROM ", table->name));
        ERR_TRY(write_rows(store, to, table, &head, bytes));
    }
    buf_append_byte(bytes, DUMP_TABLE_END);
    dump_u64(bytes, table->rows);
    buf_append(bytes, str_make((const char *)table->digest, sizeof(table->digest)));
    tell(to, table);
    return flush(to, bytes);
}

enum err dump_tables(struct store *store, const struct dump_to *to, struct dump_report *ret_report)
{
    struct buf bytes = {0};
    enum err err = dump_list(store, ret_report);
    buf_init(&bytes, DUMP_ROW_MAX);
    for (size_t i = 0; i < ret_report->n_tables && err == ERR_OK; i++) {
        err = write_table(store, to, &ret_report->tables[i], &bytes);
        ret_report->rows += ret_report->tables[i].rows;
    }
    buf_fini(&bytes);
    return err;
}

/* ---- all of it ---- */

static enum err write_migrations(struct store *store, const struct dump_to *to, struct buf *bytes)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_MIGRATIONS, NULL, 0, &rows));
    while (store_rows_next(rows, &err)) {
        buf_append_byte(bytes, DUMP_MIGRATION);
        dump_u32(bytes, (uint32_t)store_rows_number(rows, 0));
        buf_append(bytes, store_rows_bytes(rows, 2));
    }
    store_rows_free(rows);
    return err == ERR_OK ? flush(to, bytes) : err;
}

static enum err write_all(struct store *store, const struct dump_to *to,
                          struct dump_report *ret_report)
{
    static const char end = DUMP_END;
    struct buf bytes = {0};
    buf_init(&bytes, TEXT_MAX);
    enum err err = write_migrations(store, to, &bytes);
    buf_fini(&bytes);
    if (err == ERR_OK) {
        err = dump_tables(store, to, ret_report);
    }
    return err == ERR_OK ? to->put(to->to, str_make(&end, 1)) : err;
}

enum err store_dump(struct store *store, const struct dump_to *to, struct dump_report *ret_report,
                    struct buf *why)
{
    enum err err = store_begin(store, STR(""), STORE_READ);
    if (err == ERR_OK) {
        err = write_all(store, to, ret_report);
    }
    if (err != ERR_OK && store_why(store)[0] != '\0') {
        buf_printf(why, "%s", store_why(store));
    }
    store_rollback(store);
    store->driver->forget(store, STATEMENT_UNSET);
    return err;
}

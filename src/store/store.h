/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store: SQLite or PostgreSQL behind one small interface. The only folder with SQL.
 *
 * Statements are named and fixed (statement.def and what tools/schema.py makes from schema/);
 * values are bound, no text is built at run time. Their text is the same for both databases and
 * writes parameters as $1, $2, ... Work is done in a transaction of one school: on PostgreSQL
 * row-level security keeps the other schools' rows out of it, below the conditions that statements
 * have.
 *
 * SQLite: WAL, STRICT, foreign keys on, secure_delete, synchronous=FULL, one writer at a time
 * (BEGIN IMMEDIATE, a bounded wait for another process), checkpoints of our own. A commit that
 * returned ERR_OK is on the disk.
 *
 * Everything is synchronous and for one thread. Errors: ERR_BUSY where another writer held on too
 * long or PostgreSQL asks to try again (serialization, deadlock); ERR_FULL where the disk is full;
 * ERR_GONE where the database cannot be reached; ERR_CONFLICT where a unique or foreign key is
 * violated; ERR_INVALID for a text that is not UTF-8 (nothing was run); ERR_SYSTEM with the reason
 * in store_why. But for ERR_INVALID, what failed takes its transaction with it: later statements
 * and the commit answer ERR_SYSTEM, nothing is kept, and it may be done anew. So "insert, else
 * update" is ON CONFLICT, not a second try.
 *
 * What both databases read alike: BIGINT in CAST; LIKE with ESCAPE '\' written out (it tells
 * capitals apart); ON CONFLICT; RETURNING; count, min, max, EXISTS (a number); sum only in a CAST.
 * Not lower() or upper(), nor a parameter whose type nothing shows (CAST it).
 */
#ifndef LODGE_STORE_STORE_H
#define LODGE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/statement.h"

struct store;

enum store_kind {
    STORE_UNSET,
    STORE_SQLITE,
    STORE_POSTGRES,
};

/* place: a file's path, made where absent, or postgres://... (libpq's URI). Brings the migrations
 * up to date under a lock; refuses a store that is newer than the program, or whose migrations have
 * another checksum. *why gets a sentence on failure. */
MUST_USE enum err store_open(const char *place, struct store **ret_store, struct buf *why);
void store_close(struct store *store);
enum store_kind store_kind(const struct store *store);

/* The reason of the last failure, for the operator's log: no values. Static or the store's memory.
 */
const char *store_why(const struct store *store);

/* ---- transactions ---- */

enum store_mode {
    STORE_MODE_UNSET,
    STORE_READ,  /* one snapshot */
    STORE_WRITE, /* the one writer: of the store (SQLite), of the school (PostgreSQL, where a writer
                    for all schools keeps every other one out) */
};

/* school: its id; empty for work that concerns all schools (migrations, publishing, sign-in before
 * the school is known): on PostgreSQL row-level security is then off. Not nested. */
MUST_USE enum err store_begin(struct store *store, struct str school, enum store_mode mode);
/* ERR_GONE (PostgreSQL): whether it was kept is not known. */
MUST_USE enum err store_commit(struct store *store);
/* Fine where no transaction is open. */
void store_rollback(struct store *store);

/* One transaction out of several, for all schools: what is begun and committed until store_settle
 * is a part of it, and is kept or lost with it. A part that writes and is rolled back takes the
 * whole with it. For the first run alone: what else belongs together is one transaction as it is.
 */
MUST_USE enum err store_hold(struct store *store);
/* Commits where err is ERR_OK, else rolls back; the error of both. */
MUST_USE enum err store_settle(struct store *store, enum err err);

/* Takes what was deleted or overwritten in a table (empty: in all) out of the store's files, as far
 * as the database does that. SQLite: the WAL of all tables is truncated; ERR_BUSY where a reader of
 * another process holds on. PostgreSQL: dead rows are swept (VACUUM); ERR_BUSY where a transaction
 * of more than a second may still see them. Not in a transaction. */
MUST_USE enum err store_sweep(struct store *store, struct str table);

/* ---- values ---- */

enum store_value_kind {
    STORE_NULL = 0,
    STORE_NUMBER,
    STORE_TEXT, /* valid UTF-8 without NUL */
    STORE_BLOB,
};

struct store_value {
    enum store_value_kind kind;
    int64_t number;
    struct str bytes; /* borrowed: whoever binds keeps them until the call returns */
};

static inline struct store_value store_null(void)
{
    return (struct store_value){.kind = STORE_NULL};
}
static inline struct store_value store_number(int64_t number)
{
    return (struct store_value){.kind = STORE_NUMBER, .number = number};
}
static inline struct store_value store_text(struct str text)
{
    return (struct store_value){.kind = STORE_TEXT, .bytes = text};
}
static inline struct store_value store_blob(struct str bytes)
{
    return (struct store_value){.kind = STORE_BLOB, .bytes = bytes};
}

/* ---- statements ---- */

/* Runs one that answers no rows. *ret_changed (may be NULL): rows inserted, updated or deleted. A
 * number of values that is not the statement's is a CHECK. */
MUST_USE enum err store_run(struct store *store, enum store_statement statement,
                            const struct store_value *values, size_t n_values,
                            uint64_t *ret_changed);

/* Rows of one that answers some; one set may be open for each statement at a time, and rows are
 * valid until the next store_rows_next. Free before the transaction ends. */
struct store_rows;
MUST_USE enum err store_query(struct store *store, enum store_statement statement,
                              const struct store_value *values, size_t n_values,
                              struct store_rows **ret_rows);
/* False at the end and on a failure, which *ret_err tells (ERR_OK at the end). */
bool store_rows_next(struct store_rows *rows, enum err *ret_err);
size_t store_rows_columns(const struct store_rows *rows);
struct store_value store_rows_value(const struct store_rows *rows, size_t column);
/* Of a column that is not NULL and of this kind; 0 or the empty slice for NULL. */
int64_t store_rows_number(const struct store_rows *rows, size_t column);
struct str store_rows_bytes(const struct store_rows *rows, size_t column);
bool store_rows_is_null(const struct store_rows *rows, size_t column);
void store_rows_free(struct store_rows *rows); /* fine on NULL */

/* The first row's values, copied into the arena; ERR_NOT_FOUND for none. n_columns must be the
 * statement's. */
MUST_USE enum err store_row(struct store *store, enum store_statement statement,
                            const struct store_value *values, size_t n_values, struct arena *arena,
                            struct store_value *ret_columns, size_t n_columns);

#endif

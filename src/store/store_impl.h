/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a database gives to store.c: a table of functions. store.c keeps the rules that hold for
 * both (transactions, values, what an error means for the transaction), a driver knows its library.
 */
#ifndef LODGE_STORE_STORE_IMPL_H
#define LODGE_STORE_STORE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/migrate_impl.h"
#include "store/store.h"

enum {
    STORE_BUSY_MS = 5000,
    STORE_WHY_BYTES = 320,
    STORE_VALUES_MAX = 256,
    STORE_MADE_BYTES = 64 * 1024,
};

/* Whoever answers an error has said why by store_say. */
struct store_driver {
    enum store_kind kind;
    enum err (*begin)(struct store *store, struct str school, enum store_mode mode);
    /* Over in any case. */
    enum err (*commit)(struct store *store);
    void (*rollback)(struct store *store);
    /* Prepares it where it is new. */
    enum err (*describe)(struct store *store, enum store_statement statement, size_t *ret_n_values);
    /* The same, binds, and begins to run it. */
    enum err (*start)(struct store *store, enum store_statement statement,
                      const struct store_value *values, size_t n_values);
    /* The next row, which value() then reads; at the end *ret_row is false. */
    enum err (*next)(struct store *store, enum store_statement statement, bool *ret_row);
    uint64_t (*changed)(const struct store *store, enum store_statement statement);
    size_t (*columns)(const struct store *store, enum store_statement statement);
    const char *(*column_name)(const struct store *store, enum store_statement statement,
                               size_t column);
    struct store_value (*value)(const struct store *store, enum store_statement statement,
                                size_t column);
    /* Makes it ready for the next start. */
    void (*finish)(struct store *store, enum store_statement statement);
    /* It is prepared anew at its next start: its text is another. */
    void (*forget)(struct store *store, enum store_statement statement);
    /* Outside a transaction: makes the table of the migrations where it is not there. */
    enum err (*bootstrap)(struct store *store, const char *sql);
    /* Several statements without values, of a migration. */
    enum err (*script)(struct store *store, const char *sql);
    /* Behind the migrations, in the same transaction. */
    enum err (*fence_schools)(struct store *store);
    enum err (*sweep)(struct store *store, struct str table);
    void (*close)(struct store *store);
};

struct store_rows {
    struct store *store;
    enum store_statement statement;
    bool open;
    bool at_row;
};

/* The first member of a driver's own struct. */
struct store {
    const struct store_driver *driver;
    enum store_mode mode; /* of the open transaction, else STORE_MODE_UNSET */
    bool held;            /* between store_hold and store_settle */
    bool failed;          /* a statement failed: the transaction can only be rolled back */
    char why[STORE_WHY_BYTES];
    char
        made[STORE_MADE_BYTES]; /* the text of STATEMENT_UNSET: dump.c's, by the tables there are */
    struct store_rows rows[STATEMENT_COUNT];
};

/* Keeps the reason of a failure: "what: text". */
void store_say(struct store *store, const char *what, const char *text);

const char *store_statement_name(enum store_statement statement);
const char *store_statement_text(const struct store *store, enum store_statement statement);

/* Opens it as it is, without looking at migrations. */
MUST_USE enum err store_open_bare(const char *place, struct store **ret_store, struct buf *why);

/* *ret_store is without the migrations. */
MUST_USE enum err store_sqlite_open(const char *path, struct store **ret_store, struct buf *why);
MUST_USE enum err store_postgres_open(const char *place, struct store **ret_store, struct buf *why);

#endif

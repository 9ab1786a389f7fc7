/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All of a store as one text of bytes, and back: for backups, and to move from one database to the
 * other, since the text knows neither. What was deleted is not in it.
 *
 * The text: the migrations (their number and digest), then each table with the names of its
 * columns, its rows, and at its end their count and a digest that does not depend on their order.
 * It comes back as outside input: a name that is no table of ours, a kind that does not fit or a
 * count that differs is refused.
 */
#ifndef LODGE_STORE_DUMP_H
#define LODGE_STORE_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "store/store.h"

enum { DUMP_TABLES_MAX = 256, DUMP_NAME_BYTES = 64 };

struct dump_table {
    char name[DUMP_NAME_BYTES];
    uint64_t rows;
    uint8_t digest[SHA256_BYTES]; /* the sum of the rows' SHA-256, as four numbers of 64 bits */
};

struct dump_report {
    size_t n_tables;
    uint64_t rows; /* of all tables */
    struct dump_table tables[DUMP_TABLES_MAX];
};

/* Told of a table now and then, and at its end. May be NULL. */
typedef void (*dump_progress)(const void *argument, const char *table, uint64_t rows);

struct dump_to {
    enum err (*put)(void *to, struct str bytes);
    void *to;
    dump_progress progress;
    const void *argument;
};

struct dump_from {
    enum err (*get)(void *from, void *bytes, size_t n); /* exactly n */
    void *from;
    dump_progress progress;
    const void *argument;
};

/* One state of the store, while others read and write. Not in a transaction. */
MUST_USE enum err store_dump(struct store *store, const struct dump_to *to,
                             struct dump_report *ret_report, struct buf *why);

/* Makes the store at a place that holds none (ERR_CONFLICT), with the migrations that the dump had,
 * fills it, brings it up to date, and reads it back: ERR_INVALID where what is there then is not
 * what the dump says. An error of get is passed on. */
MUST_USE enum err store_load(const char *place, const struct dump_from *from,
                             struct store **ret_store, struct dump_report *ret_report,
                             struct buf *why);

#endif

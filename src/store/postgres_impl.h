/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the PostgreSQL driver: connections that are fit for Lodge, errors, and values on the
 * wire.
 */
#ifndef LODGE_STORE_POSTGRES_IMPL_H
#define LODGE_STORE_POSTGRES_IMPL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/store_impl.h"

enum { POSTGRES_TEXT = 25 }; /* pg_type.dat's number of text */

/* Numbers of the advisory locks: of all schools (and of the migrations), and of one. */
#define POSTGRES_LOCK "7811"
#define POSTGRES_LOCK_SCHOOL "7812"

/* What each connection says first. */
extern const char postgres_settings[];
/* Row-level security on every table that has a school. */
extern const char postgres_fence[];

/* Connects and looks whether database and role will do. */
MUST_USE enum err postgres_connect(const char *place, PGconn **ret_connection, struct buf *why);

/* What an answer means, in words without values. result: NULL where there is none. */
enum err postgres_err(const PGconn *connection, const PGresult *result, char *ret_words, size_t n);

/* Of a column. */
bool postgres_type_is_known(Oid type);
/* Of a parameter: its type takes every number, or text, or bytes. */
bool postgres_type_takes(Oid type);

/* Parameters in libpq's binary format. */
struct postgres_values {
    const char *values[STORE_VALUES_MAX];
    int lengths[STORE_VALUES_MAX];
    int formats[STORE_VALUES_MAX];
    char numbers[STORE_VALUES_MAX][8];
};
/* False where a parameter of this type cannot hold the value. */
bool postgres_bind(Oid type, const struct store_value *value, size_t i, struct postgres_values *to);
struct store_value postgres_value(const PGresult *rows, int row, int column);

#endif

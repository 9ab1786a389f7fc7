/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Migrations: numbered files of src/store/migrations/, made into tables by tools/migrations.py.
 * They only go forward. */
#ifndef LODGE_STORE_MIGRATE_IMPL_H
#define LODGE_STORE_MIGRATE_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "store/store.h"

struct store_migration {
    int64_t number;
    const char *name;
    uint8_t digest[SHA256_BYTES]; /* of the file, so the same for both databases */
    const char *sqlite;
    const char *postgres;
};

/* By number; the first makes the table in which the others are noted. */
extern const struct store_migration store_migrations[];
extern const size_t n_store_migrations;

/* Applies what is missing, all of it or nothing, one process at a time. ERR_CONFLICT: the store was
 * made by a newer program, or one of its migrations differs. */
MUST_USE enum err store_migrate(struct store *store, const struct store_migration *migrations,
                                size_t n_migrations, struct buf *why);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bringing a store up to date. Where nothing is missing, no lock is taken. */
#include "store/migrate_impl.h"

#include "base/check.h"
#include "base/clock.h"
#include "store/store_impl.h"

enum { MIGRATIONS_MAX = 256 };

struct progress {
    struct store *store;
    const struct store_migration *migrations; /* without the first */
    size_t n;
    size_t applied;
    struct buf *why;
};

static enum err fail(struct progress *progress, enum err err)
{
    if (progress->why->len == 0) {
        buf_printf(progress->why, "%s", store_why(progress->store));
    }
    return err;
}

static const char *text_of(const struct progress *progress, const struct store_migration *migration)
{
    return store_kind(progress->store) == STORE_SQLITE ? migration->sqlite : migration->postgres;
}

static const struct store_migration *find(const struct progress *progress, int64_t number)
{
    for (size_t i = 0; i < progress->n; i++) {
        if (progress->migrations[i].number == number) {
            return &progress->migrations[i];
        }
    }
    return NULL;
}

static enum err compare_row(struct progress *progress, const struct store_rows *rows, bool *applied)
{
    const struct store_migration *known = find(progress, store_rows_number(rows, 0));
    struct str name = store_rows_bytes(rows, 1);
    if (known == NULL) {
        buf_printf(progress->why, "the store was made by a newer version of this program (%.*s)",
                   STR_ARG(name));
        return ERR_CONFLICT;
    }
    struct str digest = str_make((const char *)known->digest, sizeof(known->digest));
    if (!str_eq(digest, store_rows_bytes(rows, 2))) {
        buf_printf(progress->why, "the store's migration %.*s is not this program's",
                   STR_ARG(name));
        return ERR_CONFLICT;
    }
    applied[known - progress->migrations] = true;
    progress->applied++;
    return ERR_OK;
}

/* Which are there; in an open transaction. */
static enum err compare(struct progress *progress, bool *applied)
{
    struct store_rows *rows;
    enum err err;
    progress->applied = 0;
    ERR_TRY(store_query(progress->store, STATEMENT_MIGRATIONS, NULL, 0, &rows));
    while (store_rows_next(rows, &err)) {
        err = compare_row(progress, rows, applied);
        if (err != ERR_OK) {
            break;
        }
    }
    store_rows_free(rows);
    return err;
}

static enum err apply(struct progress *progress, const struct store_migration *migration)
{
    const struct store_value values[] = {
        store_number(migration->number),
        store_text(str_from(migration->name)),
        store_blob(str_make((const char *)migration->digest, sizeof(migration->digest))),
        store_number(clock_utc_ms()),
    };
    enum err err = progress->store->driver->script(progress->store, text_of(progress, migration));
    if (err != ERR_OK) {
        buf_printf(progress->why, "migration %04lld-%s: %s", (long long)migration->number,
                   migration->name, store_why(progress->store));
        return err;
    }
    return store_run(progress->store, STATEMENT_MIGRATION_NOTE, values, 4, NULL);
}

static enum err apply_missing(struct progress *progress, bool *applied)
{
    for (size_t i = 0; i < progress->n; i++) {
        applied[i] = false;
    }
    ERR_TRY(compare(progress, applied));
    for (size_t i = 0; i < progress->n; i++) {
        if (!applied[i]) {
            ERR_TRY(apply(progress, &progress->migrations[i]));
        }
    }
    return progress->store->driver->fence_schools(progress->store);
}

static enum err in_transaction(struct progress *progress, enum store_mode mode, bool *applied,
                               enum err (*work)(struct progress *, bool *))
{
    ERR_TRY(store_begin(progress->store, STR(""), mode));
    enum err err = work(progress, applied);
    if (err != ERR_OK) {
        store_rollback(progress->store);
        return err;
    }
    return store_commit(progress->store);
}

enum err store_migrate(struct store *store, const struct store_migration *migrations,
                       size_t n_migrations, struct buf *why)
{
    bool applied[MIGRATIONS_MAX] = {false};
    struct progress progress = {store, migrations + 1, n_migrations - 1, 0, why};
    CHECK(n_migrations != 0 && n_migrations <= MIGRATIONS_MAX);
    enum err err = store->driver->bootstrap(store, text_of(&progress, &migrations[0]));
    if (err == ERR_OK) {
        err = in_transaction(&progress, STORE_READ, applied, compare);
    }
    if (err == ERR_OK && progress.applied < progress.n) {
        err = in_transaction(&progress, STORE_WRITE, applied, apply_missing);
    }
    return err == ERR_OK ? ERR_OK : fail(&progress, err);
}

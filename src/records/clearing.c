/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What disposals left to be done. A key that is destroyed twice, or a table that is swept twice,
 * does no harm: so several processes may be at it at once. */
#include "records/clearing.h"

#include "store/attempt.h"

enum { BATCH = 256, ARENA_BYTES = 128 * 1024, UNSWEPT_COLUMNS = 3 };

#define ALL_TABLES STR("all")

enum err clearing_note_key(struct store *store, struct str school, struct str record,
                           int64_t now_ms)
{
    const struct store_value values[] = {store_text(school), store_text(record),
                                         store_number(now_ms)};
    return store_run(store, STATEMENT_DOOMED_KEY_ADD, values, 3, NULL);
}

enum err clearing_note_table(struct store *store, struct str school, struct str table,
                             int64_t now_ms)
{
    const struct store_value values[] = {
        store_text(school), store_text(store_kind(store) == STORE_SQLITE ? ALL_TABLES : table),
        store_number(now_ms)};
    return store_run(store, STATEMENT_UNSWEPT_ADD, values, 3, NULL);
}

/* ---- keys ---- */

struct batch {
    struct arena arena;
    struct str schools[BATCH]; /* sorted */
    struct str records[BATCH];
    size_t n;
};

static enum err read_batch(struct store *store, struct batch *batch)
{
    const struct store_value limit = store_number(BATCH);
    struct store_rows *rows;
    enum err err;
    batch->n = 0;
    arena_reset(&batch->arena);
    ERR_TRY(store_query(store, STATEMENT_DOOMED_KEYS, &limit, 1, &rows));
    while (store_rows_next(rows, &err)) {
        batch->schools[batch->n] = arena_dup(&batch->arena, store_rows_bytes(rows, 0));
        batch->records[batch->n++] = arena_dup(&batch->arena, store_rows_bytes(rows, 1));
    }
    store_rows_free(rows);
    return err == ERR_OK && batch->arena.failed ? ERR_MEMORY : err;
}

static enum err take_off(struct store *store, const struct batch *batch, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct store_value values[] = {store_text(batch->schools[i]),
                                             store_text(batch->records[i])};
        ERR_TRY(store_run(store, STATEMENT_DOOMED_KEY_DONE, values, 2, NULL));
    }
    return ERR_OK;
}

/* One transaction for each school. */
static enum err take_off_all(struct store *store, const struct batch *batch)
{
    enum err err = ERR_OK;
    for (size_t from = 0, to; from < batch->n && err == ERR_OK; from = to) {
        to = from + 1;
        while (to < batch->n && str_eq(batch->schools[to], batch->schools[from])) {
            to++;
        }
        struct store_attempt attempt = store_attempt(store, batch->schools[from], STORE_WRITE);
        while (store_attempt_begin(&attempt)) {
            store_attempt_end(&attempt, take_off(store, batch, from, to));
        }
        err = attempt.err;
    }
    return err;
}

static enum err destroy_batch(struct store *store, struct keys *keys, struct batch *batch)
{
    struct store_attempt attempt = store_attempt(store, STR(""), STORE_READ);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, read_batch(store, batch));
    }
    ERR_TRY(attempt.err);
    if (batch->n == 0) {
        return ERR_OK;
    }
    ERR_TRY(keys_destroy_all(keys, batch->records, batch->n));
    return take_off_all(store, batch);
}

enum err clearing_keys(struct store *store, struct keys *keys)
{
    struct batch batch = {.n = BATCH};
    enum err err = ERR_OK;
    arena_init(&batch.arena, ARENA_BYTES);
    while (err == ERR_OK && batch.n == BATCH) {
        err = destroy_batch(store, keys, &batch);
    }
    arena_fini(&batch.arena);
    return err;
}

/* ---- backups ---- */

/* In a transaction that keeps every writer out. */
static enum err copy_without_doomed(struct store *store, struct keys *keys, struct batch *batch,
                                    struct buf *to)
{
    batch->n = BATCH;
    while (batch->n == BATCH) {
        ERR_TRY(read_batch(store, batch));
        if (batch->n != 0) {
            ERR_TRY(keys_destroy_all(keys, batch->records, batch->n));
        }
        ERR_TRY(take_off(store, batch, 0, batch->n));
    }
    buf_clear(to);
    return keys_copy(keys, to);
}

enum err clearing_copy_keys(struct store *store, struct keys *keys, struct buf *to)
{
    struct batch batch = {0};
    struct store_attempt attempt = store_attempt(store, STR(""), STORE_WRITE);
    arena_init(&batch.arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, copy_without_doomed(store, keys, &batch, to));
    }
    arena_fini(&batch.arena);
    return attempt.err;
}

/* ---- tables ---- */

static enum err next_table(struct store *store, int64_t until_ms, struct arena *arena,
                           struct store_value columns[UNSWEPT_COLUMNS])
{
    const struct store_value until = store_number(until_ms);
    struct store_attempt attempt = store_attempt(store, STR(""), STORE_READ);
    while (store_attempt_begin(&attempt)) {
        arena_reset(arena);
        store_attempt_end(&attempt, store_row(store, STATEMENT_UNSWEPT_NEXT, &until, 1, arena,
                                              columns, UNSWEPT_COLUMNS));
    }
    return attempt.err;
}

static enum err sweep_next(struct store *store, int64_t until_ms, struct arena *arena)
{
    struct store_value columns[UNSWEPT_COLUMNS];
    ERR_TRY(next_table(store, until_ms, arena, columns));
    bool all = str_eq(columns[1].bytes, ALL_TABLES);
    ERR_TRY(store_sweep(store, all ? STR("") : columns[1].bytes));
    struct store_attempt attempt = store_attempt(store, columns[0].bytes, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt,
                          store_run(store, STATEMENT_UNSWEPT_DONE, columns, UNSWEPT_COLUMNS, NULL));
    }
    return attempt.err;
}

enum err clearing_sweep(struct store *store, int64_t until_ms, bool *ret_more)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err err = sweep_next(store, until_ms, &arena);
    arena_fini(&arena);
    *ret_more = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

void clearing_try(struct store *store, struct keys *keys)
{
    bool more = store_kind(store) == STORE_SQLITE;
    bool done = clearing_keys(store, keys) == ERR_OK;
    while (done && more && clearing_sweep(store, INT64_MAX, &more) == ERR_OK) {
    }
}

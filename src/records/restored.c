/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Noting a test of a backup. */
#include "records/restored.h"

#include "base/clock.h"
#include "records/audit.h"
#include "store/attempt.h"
#include "wire/utf8.h"

enum { SCHOOLS_BYTES = 1024 * 1024, DAY_CHARS = 10, WORDS_MAX = 1024, NAME_MAX_BYTES = 200 };

enum err restored_schools(struct store *store, struct arena *arena, struct str **ret_ids,
                          size_t *ret_n)
{
    enum { MAX = 4096 };
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    struct str *ids = arena_array(arena, MAX, sizeof(*ids));
    if (ids == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    err = store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows);
    if (err == ERR_OK) {
        while (n < MAX && store_rows_next(rows, &err)) {
            ids[n++] = arena_dup(arena, store_rows_bytes(rows, 0));
        }
        store_rows_free(rows);
    }
    store_rollback(store);
    if (err == ERR_OK) {
        *ret_ids = ids;
        *ret_n = n;
    }
    return arena->failed ? ERR_MEMORY : err;
}

static json_t *input_of(const struct restored *test, int64_t now_ms)
{
    char day[CIVIL_TEXT_MAX];
    (void)civil_print_utc((int64_t)clock_british_day(now_ms) * MS_PER_DAY, day);
    return json_pack("{s:s%, s:s%, s:s, s:I, s:s%}", "backup", test->backup.p, test->backup.len,
                     "tested", day, (size_t)DAY_CHARS, "result", test->whole ? "whole" : "broken",
                     "records", (json_int_t)test->rows, "notes", test->notes.p, test->notes.len);
}

static enum err note_act(struct engine *engine, const struct actor *actor, struct str id)
{
    const struct act_entry entry = {
        .act = ACT_restored, .area = STR("restore_test"), .record = id, .version = 1};
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, audit_append(engine->store, engine->keys, actor, &entry, NULL));
    }
    return attempt.err;
}

static enum err note_school(struct engine *engine, const struct restored *test, struct str school,
                            int64_t now_ms)
{
    const struct actor actor = {
        .school = school, .operator= true, .now_ms = now_ms, .today = clock_british_day(now_ms)};
    struct record_id id;
    json_t *faults = NULL;
    json_t *input = input_of(test, now_ms);
    enum err err = input != NULL ? engine_make(engine, &actor, register_find(STR("restore_test")),
                                               input, &id, &faults)
                                 : ERR_MEMORY;
    json_decref(input);
    json_decref(faults);
    return err == ERR_OK ? note_act(engine, &actor, str_make(id.text, RECORD_ID_CHARS)) : err;
}

enum err restored_note(struct engine *engine, const struct restored *test, int64_t now_ms)
{
    struct arena arena;
    struct str *schools;
    size_t n = 0;
    arena_init(&arena, SCHOOLS_BYTES);
    enum err err = restored_schools(engine->store, &arena, &schools, &n);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = note_school(engine, test, schools[i], now_ms);
    }
    arena_fini(&arena);
    return err;
}

static enum err note_back(struct store *store, struct str school, struct str words, int64_t now_ms)
{
    const struct actor actor = {
        .school = school, .operator= true, .now_ms = now_ms, .today = clock_british_day(now_ms)};
    const struct act_entry entry = {
        .act = ACT_brought_back, .area = STR("school"), .record = school, .words = words};
    struct store_attempt attempt = store_attempt(store, school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, audit_append(store, NULL, &actor, &entry, NULL));
    }
    return attempt.err;
}

enum err restored_note_back(struct store *store, struct str backup, struct str who, int64_t now_ms)
{
    struct arena arena;
    struct str *schools;
    struct buf words;
    size_t n = 0;
    arena_init(&arena, SCHOOLS_BYTES);
    buf_init(&words, WORDS_MAX);
    buf_printf(&words, "from %.*s by %.*s at the machine",
               STR_ARG(utf8_head(backup, NAME_MAX_BYTES)), STR_ARG(utf8_head(who, NAME_MAX_BYTES)));
    enum err err = buf_err(&words);
    if (err == ERR_OK) {
        err = restored_schools(store, &arena, &schools, &n);
    }
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = note_back(store, schools[i], buf_str(&words), now_ms);
    }
    buf_fini(&words);
    arena_fini(&arena);
    return err;
}

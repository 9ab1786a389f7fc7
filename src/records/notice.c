/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What start pages announce. */
#include "base/check.h"
#include "records/account_impl.h"
#include "store/attempt.h"

enum { NOTICE_DAYS = 30, SHOWN_MAX = 100, ARENA_BYTES = 8192 };

static const struct notice_row {
    struct str name;
    struct str text;
    unsigned roles;
} rows[NOTICE_COUNT] = {
#define NOTICE(name, text, roles) [NOTICE_##name] = {STR_INIT(#name), STR_INIT(text), roles},
#include "records/notice.def"
#undef NOTICE
};

static const struct notice_row *row_of(struct str name)
{
    for (size_t i = NOTICE_UNSET + 1; i < NOTICE_COUNT; i++) {
        if (str_eq(rows[i].name, name)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* For those with one of its roles, and for whom it is about. */
static bool is_for(const struct notice_row *row, struct str about, const struct actor *actor)
{
    return actor->person.len > 0 && row != NULL &&
           ((row->roles & actor->roles) != 0 || str_eq(about, actor->person));
}

bool notice_is_mailed(struct str kind, unsigned *ret_roles)
{
    const struct notice_row *row = row_of(kind);
    if (row == NULL || row == &rows[NOTICE_mail_failed]) {
        return false;
    }
    *ret_roles = row->roles;
    return true;
}

enum err notice_add(struct store *store, const struct actor *actor, enum notice notice,
                    struct str about, struct str record, struct str words)
{
    struct record_id id;
    CHECK(notice > NOTICE_UNSET && notice < NOTICE_COUNT);
    record_id_make(&id);
    const struct store_value values[] = {store_text(str_from(id.text)),
                                         store_text(actor->school),
                                         store_text(rows[notice].name),
                                         store_text(about),
                                         store_text(record),
                                         store_text(words.p != NULL ? words : STR("")),
                                         store_number(actor->now_ms)};
    return store_run(store, STATEMENT_NOTICE_ADD, values, 7, NULL);
}

static json_t *text_of(struct str text)
{
    return json_stringn(text.len > 0 ? text.p : "", text.len);
}

static enum err list(struct engine *engine, const struct actor *actor, json_t *items)
{
    const struct store_value values[] = {
        store_text(actor->school), store_text(actor->person),
        store_number(actor->now_ms - NOTICE_DAYS * (int64_t)MS_PER_DAY)};
    struct store_rows *open;
    enum err err;
    ERR_TRY(store_query(engine->store, STATEMENT_NOTICE_LIST, values, 3, &open));
    while (store_rows_next(open, &err)) {
        const struct notice_row *row = row_of(store_rows_bytes(open, 1));
        if (!is_for(row, store_rows_bytes(open, 2), actor) || json_array_size(items) == SHOWN_MAX) {
            continue;
        }
        json_t *item = json_object();
        json_object_set_new(item, "id", text_of(store_rows_bytes(open, 0)));
        json_object_set_new(item, "kind", text_of(row->name));
        json_object_set_new(item, "text", text_of(row->text));
        json_object_set_new(item, "words", text_of(store_rows_bytes(open, 3)));
        json_object_set_new(item, "made", account_moment(store_rows_number(open, 4)));
        json_object_set_new(item, "name", text_of(store_rows_bytes(open, 5)));
        json_array_append_new(items, item);
    }
    store_rows_free(open);
    return err;
}

enum err notice_list(struct engine *engine, const struct actor *actor, json_t **ret_document)
{
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    json_t *items = json_array();
    enum err err = account_finish(engine->store, list(engine, actor, items));
    if (err != ERR_OK) {
        json_decref(items);
        return err;
    }
    *ret_document = json_pack("{s:o}", "items", items);
    return *ret_document != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err see(struct engine *engine, const struct actor *actor, struct arena *arena,
                    struct str id)
{
    const struct store_value notice[] = {store_text(actor->school), store_text(id)};
    const struct store_value seen[] = {store_text(id), store_text(actor->person),
                                       store_text(actor->school), store_number(actor->now_ms)};
    struct store_value columns[2];
    ERR_TRY(store_row(engine->store, STATEMENT_NOTICE_GET, notice, 2, arena, columns, 2));
    if (!is_for(row_of(columns[0].bytes), columns[1].bytes, actor)) {
        return ERR_NOT_FOUND;
    }
    return store_run(engine->store, STATEMENT_NOTICE_SEEN, seen, 4, NULL);
}

enum err notice_seen(struct engine *engine, const struct actor *actor, struct str id)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, see(engine, actor, &arena, id));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

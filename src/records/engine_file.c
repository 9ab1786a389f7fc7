/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of records, each sealed under a key of its own. Nothing looks into one beyond its first
 * bytes, and none is ever shown: it is only handed back as it came. */
#include "records/engine_impl.h"

#include <string.h>

#include "base/clock.h"
#include "records/clearing.h"
#include "records/file_type.h"
#include "wire/utf8.h"

enum { NAME_BYTES = 200, LABEL_BYTES = 1024, STALE_MAX = 64, SEALED_MORE = 1024 };

#define NAME_FIELD STR("name")
#define BYTES_FIELD STR("bytes")

/* ---- names ---- */

/* The last part of a path, without what does not belong into a file's name. */
static struct str clean_name(struct str name, struct arena *arena)
{
    char room[NAME_BYTES];
    size_t n = 0;
    for (size_t i = name.len; i != 0; i--) {
        if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
            name = str_skip(name, i);
            break;
        }
    }
    while (name.len != 0) {
        size_t len = utf8_length(name);
        bool fits = len != 0 && n + len <= sizeof(room);
        bool plain = len > 1 || (len == 1 && name.p[0] >= 0x20 && name.p[0] != 0x7f &&
                                 memchr("\"<>|:*?", name.p[0], 7) == NULL);
        if (fits && plain) {
            memcpy(room + n, name.p, len);
            n += len;
        }
        name = str_skip(name, len != 0 ? len : 1);
    }
    struct str clean = str_trim_space(str_make(room, n));
    return clean.len != 0 ? arena_dup(arena, clean) : STR("file");
}

static enum err open_label(struct work *work, struct str file, struct str sealed,
                           struct str *ret_name, struct str *ret_type)
{
    struct buf label;
    buf_init(&label, LABEL_BYTES);
    enum err err = keys_open_sealed(work->engine->keys, file, NAME_FIELD, sealed, &label);
    if (err == ERR_OK) {
        struct str name;
        struct str type;
        (void)str_cut(arena_dup(&work->arena, buf_str(&label)), '\n', &type, &name);
        *ret_name = name;
        *ret_type = type;
        err = work->arena.failed ? ERR_MEMORY : ERR_OK;
    } else if (err == ERR_NOT_FOUND) {
        *ret_name = STR("file");
        *ret_type = STR("application/octet-stream");
        err = ERR_OK;
    }
    buf_fini(&label);
    return err;
}

enum { FILE_REGISTER, FILE_RECORD, FILE_MADE_BY, FILE_LABEL, FILE_COLUMNS };

static enum err file_row(struct work *work, struct str file,
                         struct store_value columns[FILE_COLUMNS])
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(file)};
    return store_row(work->engine->store, STATEMENT_FILE_GET, values, 2, &work->arena, columns,
                     FILE_COLUMNS);
}

enum err file_name_json(struct work *work, struct str file, json_t **ret_name)
{
    struct store_value columns[FILE_COLUMNS];
    struct str name = STR("");
    struct str type;
    enum err err = file_row(work, file, columns);
    if (err == ERR_OK) {
        err = open_label(work, file, columns[FILE_LABEL].bytes, &name, &type);
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    *ret_name = json_of(name);
    return *ret_name != NULL ? ERR_OK : ERR_MEMORY;
}

/* ---- into a record ---- */

enum err file_is_free(struct work *work, struct str file, struct str record, bool *ret_free)
{
    struct store_value columns[FILE_COLUMNS];
    enum err err = file_row(work, file, columns);
    if (err != ERR_OK) {
        *ret_free = false;
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    bool of_record = str_eq(columns[FILE_RECORD].bytes, record);
    bool of_actor = columns[FILE_RECORD].kind == STORE_NULL &&
                    str_eq(columns[FILE_MADE_BY].bytes, work->actor->person);
    *ret_free = str_eq(columns[FILE_REGISTER].bytes, work->def->name) && (of_record || of_actor);
    return ERR_OK;
}

enum err file_attach(struct work *work, struct str file, struct str record)
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(file),
                                         store_text(record)};
    return store_run(work->engine->store, STATEMENT_FILE_ATTACH, values, 3, NULL);
}

/* ---- keeping ---- */

struct keeping {
    struct str name;
    struct str type;
    struct str bytes;
    struct record_id id;
};

static enum err seal(struct work *work, struct str id, struct str field, struct str plain,
                     struct buf *sealed)
{
    buf_init(sealed, plain.len + SEALED_MORE);
    return keys_seal(work->engine->keys, id, field, plain, sealed);
}

struct stale {
    struct record_id ids[STALE_MAX];
    size_t n;
};

static enum err find_stale(struct work *work, struct stale *stale)
{
    const struct store_value values[] = {store_text(work->actor->school),
                                         store_number(work->actor->now_ms - MS_PER_DAY)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(work->engine->store, STATEMENT_FILES_STALE, values, 2, &rows));
    while (store_rows_next(rows, &err) && stale->n < STALE_MAX) {
        struct str id = store_rows_bytes(rows, 0);
        memcpy(stale->ids[stale->n++].text, id.p, RECORD_ID_CHARS);
    }
    store_rows_free(rows);
    return err;
}

/* Files of forms that nobody sent off. */
static enum err sweep(struct work *work)
{
    struct store *store = work->engine->store;
    const struct actor *actor = work->actor;
    struct stale stale = {.n = 0};
    ERR_TRY(find_stale(work, &stale));
    for (size_t i = 0; i < stale.n; i++) {
        struct str id = str_make(stale.ids[i].text, RECORD_ID_CHARS);
        const struct store_value file[] = {store_text(actor->school), store_text(id)};
        ERR_TRY(store_run(store, STATEMENT_FILE_REMOVE, file, 2, NULL));
        ERR_TRY(clearing_note_key(store, actor->school, id, actor->now_ms));
        ERR_TRY(clearing_note_table(store, actor->school, STR("file"), actor->now_ms));
    }
    return ERR_OK;
}

static enum err keep_step(struct work *work, void *context)
{
    struct keeping *keeping = context;
    const struct actor *actor = work->actor;
    enum area area = work->def->area;
    if (!actor->operator&& permit_widest(actor->roles, area, VERB_make) == SCOPE_NONE &&
        permit_widest(actor->roles, area, VERB_change) == SCOPE_NONE) {
        return ERR_DENIED;
    }
    ERR_TRY(sweep(work));
    record_id_make(&keeping->id);
    struct str id = str_make(keeping->id.text, RECORD_ID_CHARS);
    struct str name = clean_name(keeping->name, &work->arena);
    struct buf label;
    struct buf sealed_label = {0};
    struct buf sealed = {0};
    buf_init(&label, LABEL_BYTES);
    buf_append(&label, file_type(keeping->bytes, keeping->type));
    buf_append_byte(&label, '\n');
    buf_append(&label, name);
    enum err err = buf_err(&label);
    err = err == ERR_OK ? keys_make(work->engine->keys, id) : err;
    err = err == ERR_OK ? seal(work, id, NAME_FIELD, buf_str(&label), &sealed_label) : err;
    err = err == ERR_OK ? seal(work, id, BYTES_FIELD, keeping->bytes, &sealed) : err;
    if (err == ERR_OK) {
        const struct store_value values[] = {
            store_text(id),
            store_text(actor->school),
            store_text(work->def->name),
            store_number(actor->now_ms),
            store_text(actor->person),
            store_blob(buf_str(&sealed_label)),
            store_blob(buf_str(&sealed)),
        };
        err = store_run(work->engine->store, STATEMENT_FILE_ADD, values, 7, NULL);
    }
    buf_fini(&label);
    buf_fini(&sealed_label);
    buf_fini(&sealed);
    return err;
}

enum err engine_file_keep(struct engine *engine, const struct actor *actor,
                          const struct register_def *def, struct str k9, struct str name,
                          struct str type, struct str bytes, struct record_id *ret_id)
{
    struct keeping keeping = {.name = name, .type = type, .bytes = bytes};
    if (!str_eq(k9, STR("no"))) {
        return ERR_NOT_TAKEN;
    }
    if (bytes.len > ENGINE_FILE_BYTES) {
        return ERR_LIMIT;
    }
    if (bytes.len == 0 || file_is_program(bytes, name)) {
        return ERR_INVALID;
    }
    ERR_TRY(work_write(engine, actor, def, keep_step, &keeping, NULL));
    *ret_id = keeping.id;
    clearing_try(engine->store, engine->keys);
    return ERR_OK;
}

/* ---- reading ---- */

struct reading {
    struct str id;
    struct str field;
    struct arena *arena;
    struct str name;
    struct str type;
    struct buf *bytes;
};

static enum err open_bytes(struct work *work, struct str file, struct buf *ret_bytes)
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(file)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(work->engine->store, STATEMENT_FILE_BYTES, values, 2, &rows));
    if (store_rows_next(rows, &err)) {
        err = keys_open_sealed(work->engine->keys, file, BYTES_FIELD, store_rows_bytes(rows, 0),
                               ret_bytes);
    } else if (err == ERR_OK) {
        err = ERR_NOT_FOUND;
    }
    store_rows_free(rows);
    return err;
}

static enum err read_step(struct work *work, void *context)
{
    struct reading *reading = context;
    const struct register_def *def = work->def;
    size_t field = register_field_find(def, reading->field);
    struct store_value columns[FILE_COLUMNS];
    struct store_value *row;
    struct str name;
    struct str type;
    ERR_TRY(row_see(work, reading->id, &row));
    if (field == def->n_fields || def->fields[field].type != FIELD_FILE ||
        !field_is_seen(&def->fields[field], work->standing.roles)) {
        return ERR_NOT_FOUND;
    }
    if (work->closed && field_is_closed(def, field)) {
        return ERR_DENIED;
    }
    struct str file = row[def->fields[field].column].bytes;
    ERR_TRY(file_row(work, file, columns));
    ERR_TRY(open_label(work, file, columns[FILE_LABEL].bytes, &name, &type));
    buf_clear(reading->bytes);
    ERR_TRY(open_bytes(work, file, reading->bytes));
    reading->name = arena_dup(reading->arena, name);
    reading->type = arena_dup(reading->arena, type);
    return reading->arena->failed ? ERR_MEMORY : ERR_OK;
}

enum err engine_file_read(struct engine *engine, const struct actor *actor,
                          const struct register_def *def, struct str id, struct str field,
                          struct arena *arena, struct str *ret_name, struct str *ret_type,
                          struct buf *ret_bytes)
{
    struct reading reading = {.id = id, .field = field, .arena = arena, .bytes = ret_bytes};
    ERR_TRY(work_read(engine, actor, def, read_step, &reading));
    *ret_name = reading.name;
    *ret_type = reading.type;
    return ERR_OK;
}

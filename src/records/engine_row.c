/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows: who may see one, the values in it, and the record that it makes. */
#include "records/engine_impl.h"

#include "base/check.h"
#include "base/clock.h"

enum { NAME_MADE, NAME_CHANGED, NAME_FIELDS };

enum { SUBJECTS_MAX = 256 }; /* who ever were one record's */

bool field_refers(const struct register_field *field)
{
    return field->type == FIELD_PERSON || field->type == FIELD_GROUP || field->type == FIELD_DEVICE;
}

static size_t n_references(const struct register_def *def, size_t before)
{
    size_t n = 0;
    for (size_t i = 0; i < before; i++) {
        n += field_refers(&def->fields[i]);
    }
    return n;
}

size_t row_width(const struct register_def *def)
{
    return def->n_columns + NAME_FIELDS + n_references(def, def->n_fields);
}

size_t row_name_column(const struct register_def *def, size_t field)
{
    return def->n_columns + NAME_FIELDS + n_references(def, field);
}

bool field_is_closed(const struct register_def *def, size_t field)
{
    const struct register_field *the = &def->fields[field];
    return the->sensitive || (def->sensitive && !the->listed && field != def->title);
}

/* ---- who may see it ---- */

enum err row_get(struct work *work, struct str id, struct store_value **ret_row)
{
    size_t width = row_width(work->def);
    struct store_value *row = arena_array(&work->arena, width, sizeof(*row));
    if (row == NULL) {
        return ERR_MEMORY;
    }
    if (!record_id_is_valid(id)) {
        return ERR_NOT_FOUND;
    }
    const struct store_value values[] = {store_text(work->actor->school), store_text(id)};
    ERR_TRY(store_row(work->engine->store, work->def->statements->get, values, 2, &work->arena, row,
                      width));
    *ret_row = row;
    return ERR_OK;
}

static bool take_person(const struct store_value *value, struct str *people, size_t *n)
{
    if (value->kind == STORE_TEXT) {
        people[(*n)++] = value->bytes;
    }
    return true;
}

/* Behind those whom it names now. A record that is being made has no acts. */
static enum err add_former_subjects(struct work *work, const struct store_value *row,
                                    struct str *hidden, size_t *n)
{
    const struct store_value values[] = {store_text(work->actor->school), row[COLUMN_ID],
                                         store_text(work->def->name)};
    struct store_rows *rows;
    enum err err;
    size_t room = *n + SUBJECTS_MAX;
    ERR_TRY(store_query(work->engine->store, STATEMENT_ACT_SUBJECTS, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        if (*n == room) {
            err = ERR_LIMIT;
            break;
        }
        hidden[(*n)++] = arena_dup(&work->arena, store_rows_bytes(rows, 0));
    }
    store_rows_free(rows);
    return err != ERR_OK ? err : work->arena.failed ? ERR_MEMORY : ERR_OK;
}

enum err row_facts(struct work *work, const struct store_value *row,
                   struct standing_facts *ret_facts)
{
    const struct register_def *def = work->def;
    struct str *hidden = arena_array(&work->arena, def->n_fields + SUBJECTS_MAX, sizeof(*hidden));
    struct str *named = arena_array(&work->arena, def->n_fields, sizeof(*named));
    struct standing_facts facts = {.about = row[COLUMN_ABOUT].bytes,
                                   .made_by = row[COLUMN_MADE_BY].bytes,
                                   .hidden_from = hidden,
                                   .named = named};
    if (hidden == NULL || named == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct store_value *value = &row[def->fields[i].column];
        (void)(def->fields[i].hidden_from && take_person(value, hidden, &facts.n_hidden_from));
        (void)(def->fields[i].named && take_person(value, named, &facts.n_named));
    }
    if (standing_hides(def)) {
        ERR_TRY(add_former_subjects(work, row, hidden, &facts.n_hidden_from));
    }
    *ret_facts = facts;
    return ERR_OK;
}

static bool has_closed(const struct work *work)
{
    for (size_t i = 0; i < work->def->n_fields; i++) {
        if (field_is_closed(work->def, i) &&
            field_is_seen(&work->def->fields[i], work->standing.roles)) {
            return true;
        }
    }
    return false;
}

enum err row_judge(struct work *work, const struct store_value *row)
{
    struct standing_facts facts;
    bool open = false;
    ERR_TRY(row_facts(work, row, &facts));
    ERR_TRY(standing_of(work->engine->store, &work->arena, work->actor, work->def, &facts,
                        &work->standing));
    if (!standing_may(&work->standing, work->def->area, VERB_see)) {
        return ERR_NOT_FOUND;
    }
    work->looked = facts.about.len != 0 && !work->standing.self && has_closed(work);
    if (work->looked) {
        ERR_TRY(look_is_open(work->engine->store, work->actor, facts.about, &open));
    }
    work->closed = work->looked && !open;
    return ERR_OK;
}

enum err row_see(struct work *work, struct str id, struct store_value **ret_row)
{
    ERR_TRY(row_get(work, id, ret_row));
    return row_judge(work, *ret_row);
}

bool move_is_open(const struct work *work, const struct register_move *move, struct str state)
{
    const struct register_def *def = work->def;
    for (size_t i = 0; i < def->n_states; i++) {
        if (str_eq(def->states[i].name, state)) {
            return (move->from & (1U << i)) != 0 && (move->by & work->standing.roles) != 0;
        }
    }
    return false;
}

/* ---- values ---- */

static bool is_sealed(const struct register_field *field)
{
    return field->type == FIELD_SEALED_TEXT || field->type == FIELD_UPN;
}

static enum err unseal(struct work *work, const struct store_value *row,
                       const struct register_field *field, struct store_value *ret_value)
{
    struct buf plain;
    buf_init(&plain, ENGINE_BUF_BYTES);
    enum err err = keys_open_sealed(work->engine->keys, row[COLUMN_ID].bytes, field->name,
                                    row[field->column].bytes, &plain);
    if (err == ERR_OK) {
        struct str text = arena_dup(&work->arena, buf_str(&plain));
        *ret_value = store_text(text);
        err = work->arena.failed ? ERR_MEMORY : ERR_OK;
    } else if (err == ERR_NOT_FOUND) {
        /* Its key was destroyed, and the row came back from an older backup. */
        *ret_value = store_null();
        err = ERR_OK;
    }
    buf_fini(&plain);
    return err;
}

enum err row_value(struct work *work, const struct store_value *row, size_t field, bool open,
                   struct field_value *ret_value)
{
    const struct register_field *the = &work->def->fields[field];
    struct field_value value = {.part = {row[the->column], store_null()}};
    if (the->type == FIELD_SPAN) {
        value.part[1] = row[the->column + 1];
    } else if (is_sealed(the) && value.part[0].kind == STORE_BLOB) {
        value.part[0] = store_text(STR(""));
        if (open) {
            ERR_TRY(unseal(work, row, the, &value.part[0]));
        }
    }
    *ret_value = value;
    return ERR_OK;
}

static enum err seal(struct work *work, struct str record, const struct register_field *field,
                     struct str plain, struct store_value *ret_sealed)
{
    struct buf sealed;
    buf_init(&sealed, ENGINE_BUF_BYTES);
    enum err err = keys_make(work->engine->keys, record);
    if (err == ERR_OK) {
        err = keys_seal(work->engine->keys, record, field->name, plain, &sealed);
    }
    if (err == ERR_OK) {
        *ret_sealed = store_blob(arena_dup(&work->arena, buf_str(&sealed)));
        err = work->arena.failed ? ERR_MEMORY : ERR_OK;
    }
    buf_fini(&sealed);
    return err;
}

static enum err digest(struct work *work, struct str plain, struct store_value *ret_digest)
{
    unsigned char bytes[KEYS_DIGEST_BYTES];
    ERR_TRY(keys_digest(work->engine->keys, STR(""), plain, bytes));
    *ret_digest = store_blob(arena_dup(&work->arena, str_make((const char *)bytes, sizeof(bytes))));
    return work->arena.failed ? ERR_MEMORY : ERR_OK;
}

/* All of a value's columns but what is sealed. */
static enum err put_plain(struct work *work, struct store_value *row, size_t field,
                          const struct field_value *value)
{
    const struct register_field *the = &work->def->fields[field];
    struct store_value *columns = &row[the->column];
    for (size_t i = 0; i < the->n_columns; i++) {
        columns[i] = i < FIELD_PARTS ? value->part[i] : store_null();
    }
    if (the->type == FIELD_UPN && !field_is_empty(value)) {
        return digest(work, value->part[0].bytes, &columns[1]);
    }
    return the->keyed ? field_key(value, &work->arena, &columns[the->n_columns - 1]) : ERR_OK;
}

enum err row_lookup(struct work *work, struct store_value *row, size_t field,
                    const struct field_value *value)
{
    return put_plain(work, row, field, value);
}

enum err row_set(struct work *work, struct store_value *row, size_t field,
                 const struct field_value *value)
{
    const struct register_field *the = &work->def->fields[field];
    ERR_TRY(put_plain(work, row, field, value));
    if (!is_sealed(the) || field_is_empty(value)) {
        return ERR_OK;
    }
    if (work->trying) {
        row[the->column] = store_blob(STR("-"));
        return ERR_OK;
    }
    return seal(work, row[COLUMN_ID].bytes, the, value->part[0].bytes, &row[the->column]);
}

/* ---- the record ---- */

/* {"ms", "by", "name"} */
static json_t *stamp_json(const struct store_value *ms, const struct store_value *by,
                          const struct store_value *name)
{
    return json_pack("{s:I, s:s%, s:s%}", "ms", (json_int_t)ms->number, "by", text_of(by->bytes),
                     by->bytes.len, "name", text_of(name->bytes), name->bytes.len);
}

/* What a person reads in the place of a value. */
static enum err shown_json(struct work *work, const struct store_value *row, size_t field,
                           const struct field_value *value, json_t **ret_shown)
{
    const struct register_field *the = &work->def->fields[field];
    if (field_refers(the)) {
        *ret_shown = json_of(row[row_name_column(work->def, field)].bytes);
        return *ret_shown != NULL ? ERR_OK : ERR_MEMORY;
    }
    if (the->type == FIELD_FILE && !field_is_empty(value)) {
        return file_name_json(work, value->part[0].bytes, ret_shown);
    }
    struct buf text;
    buf_init(&text, ENGINE_BUF_BYTES);
    field_print(the, value, &text);
    enum err err = buf_err(&text);
    if (err == ERR_OK) {
        *ret_shown = json_of(buf_str(&text));
        err = *ret_shown != NULL ? ERR_OK : ERR_MEMORY;
    }
    buf_fini(&text);
    return err;
}

static enum err add_field(struct work *work, const struct store_value *row, size_t field,
                          bool listed, json_t *fields, json_t *shown)
{
    const struct register_field *the = &work->def->fields[field];
    struct field_value value;
    json_t *text;
    if (field_is_closed(work->def, field) && (listed || work->closed)) {
        return json_put(fields, the->name, json_null()) ? ERR_OK : ERR_MEMORY;
    }
    ERR_TRY(row_value(work, row, field, the->type == FIELD_SEALED_TEXT, &value));
    if (!json_put(fields, the->name, field_json(the, &value))) {
        return ERR_MEMORY;
    }
    ERR_TRY(shown_json(work, row, field, &value, &text));
    return json_put(shown, the->name, text) ? ERR_OK : ERR_MEMORY;
}

static json_t *about_json(struct work *work, const struct store_value *row)
{
    const struct register_def *def = work->def;
    struct str id = row[COLUMN_ABOUT].bytes;
    struct str name = def->about_itself            ? row[def->fields[def->title].column].bytes
                      : def->about < def->n_fields ? row[row_name_column(def, def->about)].bytes
                                                   : STR("");
    return id.len == 0
               ? json_null()
               : json_pack("{s:s%, s:s%}", "id", id.p, id.len, "name", text_of(name), name.len);
}

struct str row_state_label(const struct register_def *def, struct str name)
{
    for (size_t i = 0; i < def->n_states; i++) {
        if (str_eq(def->states[i].name, name)) {
            return def->states[i].label;
        }
    }
    return name;
}

static enum err add_head(struct work *work, const struct store_value *row, json_t *record)
{
    const struct register_def *def = work->def;
    const struct store_value *names = &row[def->n_columns];
    struct str state = row[COLUMN_STATE].bytes;
    struct field_value value;
    json_t *title;
    ERR_TRY(row_value(work, row, def->title, false, &value));
    ERR_TRY(shown_json(work, row, def->title, &value, &title));
    bool fine = json_put(record, STR("title"), title);
    fine = fine && json_put(record, STR("id"), json_of(row[COLUMN_ID].bytes)) &&
           json_put(record, STR("version"), json_integer(row[COLUMN_VERSION].number)) &&
           json_put(record, STR("state"), json_of(state)) &&
           json_put(record, STR("state_label"), json_of(row_state_label(def, state))) &&
           json_put(record, STR("about"), about_json(work, row)) &&
           json_put(record, STR("made"),
                    stamp_json(&row[COLUMN_MADE_MS], &row[COLUMN_MADE_BY], &names[NAME_MADE])) &&
           json_put(
               record, STR("changed"),
               stamp_json(&row[COLUMN_CHANGED_MS], &row[COLUMN_CHANGED_BY], &names[NAME_CHANGED]));
    return fine ? ERR_OK : ERR_MEMORY;
}

static enum err add_all(struct work *work, const struct store_value *row, unsigned roles,
                        bool listed, json_t *record)
{
    const struct register_def *def = work->def;
    json_t *fields = json_object();
    json_t *shown = json_object();
    bool fine = json_put(record, STR("fields"), fields);
    fine = json_put(record, STR("shown"), shown) && fine;
    if (!fine) {
        return ERR_MEMORY;
    }
    ERR_TRY(add_head(work, row, record));
    for (size_t i = 0; i < def->n_fields; i++) {
        bool wanted = !listed || def->fields[i].listed || i == def->title;
        if (wanted && field_is_seen(&def->fields[i], roles)) {
            ERR_TRY(add_field(work, row, i, listed, fields, shown));
        }
    }
    return ERR_OK;
}

enum err row_json(struct work *work, const struct store_value *row, unsigned roles, bool listed,
                  json_t **ret_record)
{
    json_t *record = json_object();
    if (record == NULL) {
        return ERR_MEMORY;
    }
    enum err err = add_all(work, row, roles, listed, record);
    if (err != ERR_OK) {
        json_decref(record);
        return err;
    }
    *ret_record = record;
    return ERR_OK;
}

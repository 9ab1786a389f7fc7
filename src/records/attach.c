/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file for one's own record. */
#include "records/attach.h"

#include <string.h>

#include "records/engine_impl.h"

struct asked {
    struct str id, field, file;
    json_t *fields;
};

/* The row, for whoever made it and may still make such a one: with no contact, or as its subject,
 * they may not. Neither that they made it nor a field that names them counts. */
static enum err own_row(struct work *work, struct str id, struct store_value **ret_row)
{
    struct standing_facts facts;
    struct str person = work->actor->person;
    struct store_value *row;
    ERR_TRY(row_get(work, id, &row));
    if (person.len == 0 || !str_eq(row[COLUMN_MADE_BY].bytes, person)) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(row_facts(work, row, &facts));
    facts.made_by = STR("");
    facts.n_named = 0;
    ERR_TRY(standing_of(work->engine->store, &work->arena, work->actor, work->def, &facts,
                        &work->standing));
    *ret_row = row;
    return standing_may(&work->standing, work->def->area, VERB_make) ? ERR_OK : ERR_NOT_FOUND;
}

static bool is_fresh(const struct work *work, const struct store_value *row)
{
    const struct register_def *def = work->def;
    return def->n_states > 1 && str_eq(row[COLUMN_STATE].bytes, def->states[0].name);
}

static bool takes_files(const struct work *work, size_t field)
{
    const struct register_field *the = &work->def->fields[field];
    return the->type == FIELD_FILE && field_is_seen(the, work->standing.roles);
}

static bool is_empty(const struct work *work, const struct store_value *row, size_t field)
{
    return row[work->def->fields[field].column].kind == STORE_NULL;
}

static bool add_field(const struct register_field *field, json_t *fields)
{
    json_t *one = json_object();
    bool put = json_put(one, STR("name"), json_of(field->name));
    put = put && json_put(one, STR("label"), json_of(field->label)) &&
          json_put(one, STR("hint"), json_of(field->hint));
    return json_array_append_new(fields, one) == 0 && put;
}

static enum err fields_step(struct work *work, void *context)
{
    struct asked *asked = context;
    struct store_value *row;
    ERR_TRY(own_row(work, asked->id, &row));
    json_decref(asked->fields);
    asked->fields = json_array();
    bool put = asked->fields != NULL;
    for (size_t i = 0; i < work->def->n_fields && put && is_fresh(work, row); i++) {
        if (takes_files(work, i) && is_empty(work, row, i)) {
            put = add_field(&work->def->fields[i], asked->fields);
        }
    }
    return put ? ERR_OK : ERR_MEMORY;
}

enum err attach_fields(struct engine *engine, const struct actor *actor,
                       const struct register_def *def, struct str id, json_t **ret_fields)
{
    struct asked asked = {.id = id};
    enum err err = work_read(engine, actor, def, fields_step, &asked);
    if (err != ERR_OK) {
        json_decref(asked.fields);
        return err;
    }
    *ret_fields = asked.fields;
    return ERR_OK;
}

static enum err attach_step(struct work *work, void *context)
{
    struct asked *asked = context;
    const struct register_def *def = work->def;
    size_t field = register_field_find(def, asked->field);
    const struct field_value value = {.part = {store_text(asked->file), store_null()}};
    struct store_value *before;
    ERR_TRY(own_row(work, asked->id, &before));
    if (field == def->n_fields || !takes_files(work, field) || !is_fresh(work, before)) {
        return ERR_DENIED;
    }
    if (!is_empty(work, before, field)) {
        return ERR_CONFLICT;
    }
    struct store_value *row = arena_array(&work->arena, row_width(def), sizeof(*row));
    if (row == NULL) {
        return ERR_MEMORY;
    }
    memcpy(row, before, row_width(def) * sizeof(*row));
    ERR_TRY(row_set(work, row, field, &value));
    struct change change = {
        .act = ACT_changed, .before = before, .row = row, .touched = 1ULL << field};
    ERR_TRY(input_check(work, row, change.touched));
    return write_change(work, &change);
}

enum err attach_file(struct engine *engine, const struct actor *actor,
                     const struct register_def *def, struct str id, struct str field,
                     struct str file, json_t **ret_faults)
{
    struct asked asked = {.id = id, .field = field, .file = file};
    return work_write(engine, actor, def, attach_step, &asked, ret_faults);
}

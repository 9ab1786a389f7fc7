/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Past versions, and the act of each change. A version's fields are {name: [what the store keeps in
 * each of its columns but the key]}; bytes are {"b": base64}. */
#include "records/engine_impl.h"

#include "wire/base64.h"

static size_t n_parts(const struct register_field *field)
{
    return field->n_columns - field->keyed;
}

/* ---- keeping ---- */

static json_t *bytes_json(struct str bytes)
{
    struct buf text;
    buf_init(&text, ENGINE_BUF_BYTES);
    base64_encode(bytes, &text);
    json_t *json = buf_err(&text) == ERR_OK
                       ? json_pack("{s:s%}", "b", text_of(buf_str(&text)), text.len)
                       : NULL;
    buf_fini(&text);
    return json;
}

static json_t *part_json(const struct store_value *value)
{
    switch (value->kind) {
    case STORE_NULL:
        return json_null();
    case STORE_NUMBER:
        return json_integer(value->number);
    case STORE_TEXT:
        return json_of(value->bytes);
    case STORE_BLOB:
        break;
    }
    return bytes_json(value->bytes);
}

static json_t *fields_json(const struct register_def *def, const struct store_value *row)
{
    json_t *fields = json_object();
    for (size_t i = 0; i < def->n_fields && fields != NULL; i++) {
        json_t *parts = json_array();
        bool fine = json_put(fields, def->fields[i].name, parts);
        for (size_t at = 0; fine && at < n_parts(&def->fields[i]); at++) {
            fine = json_array_append_new(parts, part_json(&row[def->fields[i].column + at])) == 0;
        }
        if (!fine) {
            json_decref(fields);
            return NULL;
        }
    }
    return fields;
}

static enum err print_fields(struct work *work, const struct store_value *row, struct str *ret_text)
{
    json_t *fields = fields_json(work->def, row);
    size_t n = fields != NULL ? json_dumpb(fields, NULL, 0, JSON_COMPACT) : 0;
    char *text = n != 0 ? arena_alloc(&work->arena, n) : NULL;
    if (text != NULL) {
        (void)json_dumpb(fields, text, n, JSON_COMPACT);
        *ret_text = str_make(text, n);
    }
    json_decref(fields);
    return text != NULL ? ERR_OK : ERR_MEMORY;
}

/* The names of the fields touched, with spaces between. */
static struct str touched_text(struct work *work, uint64_t touched)
{
    struct buf names;
    buf_init(&names, ENGINE_BUF_BYTES);
    for (size_t i = 0; i < work->def->n_fields; i++) {
        if ((touched & (1ULL << i)) != 0) {
            buf_printf(&names, "%s%.*s", names.len != 0 ? " " : "",
                       STR_ARG(work->def->fields[i].name));
        }
    }
    struct str text = arena_dup(&work->arena, buf_str(&names));
    buf_fini(&names);
    return text;
}

enum err past_add(struct work *work, const struct change *change)
{
    const struct store_value *row = change->row;
    struct str fields;
    ERR_TRY(print_fields(work, row, &fields));
    const struct store_value values[] = {
        row[COLUMN_SCHOOL],
        row[COLUMN_ID],
        row[COLUMN_VERSION],
        store_text(work->def->name),
        store_text(act_name(change->act)),
        row[COLUMN_CHANGED_MS],
        row[COLUMN_CHANGED_BY],
        row[COLUMN_STATE],
        store_text(touched_text(work, change->touched)),
        store_text(change->reason),
        store_text(fields),
    };
    return store_run(work->engine->store, STATEMENT_PAST_ADD, values,
                     sizeof(values) / sizeof(values[0]), NULL);
}

/* ---- the act ---- */

bool past_is_private(const struct register_def *def, size_t field)
{
    const struct register_field *the = &def->fields[field];
    return def->sensitive || the->sensitive || the->type == FIELD_SEALED_TEXT ||
           the->type == FIELD_UPN;
}

static enum err act_field(struct work *work, const struct store_value *row, size_t field,
                          struct act_field *ret_field)
{
    struct field_value value;
    struct buf text;
    ERR_TRY(row_value(work, row, field, true, &value));
    buf_init(&text, ENGINE_BUF_BYTES);
    field_canonical(&value, &text);
    *ret_field = (struct act_field){
        .name = work->def->fields[field].name,
        .sealed = past_is_private(work->def, field),
        .value = arena_dup(&work->arena, buf_str(&text)),
    };
    enum err err = buf_err(&text);
    buf_fini(&text);
    return err != ERR_OK ? err : work->arena.failed ? ERR_MEMORY : ERR_OK;
}

struct str past_hidden_from(const struct register_def *def, const struct store_value *row)
{
    for (size_t i = 0; i < def->n_fields; i++) {
        if (def->fields[i].hidden_from) {
            return row[def->fields[i].column].bytes;
        }
    }
    return STR("");
}

enum err past_act(struct work *work, const struct change *change)
{
    const struct store_value *row = change->row;
    struct act_field *fields = arena_array(&work->arena, work->def->n_fields, sizeof(*fields));
    bool sealed = change->reason.len != 0;
    size_t n = 0;
    if (fields == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < work->def->n_fields; i++) {
        if ((change->touched & (1ULL << i)) != 0) {
            ERR_TRY(act_field(work, row, i, &fields[n]));
            sealed = sealed || fields[n].sealed;
            n++;
        }
    }
    if (sealed) {
        ERR_TRY(keys_make(work->engine->keys, row[COLUMN_ID].bytes));
    }
    const struct act_entry entry = {
        .act = change->act,
        .area = work->def->name,
        .record = row[COLUMN_ID].bytes,
        .about = row[COLUMN_ABOUT].bytes,
        .hidden_from = past_hidden_from(work->def, row),
        .version = (uint64_t)row[COLUMN_VERSION].number,
        .fields = fields,
        .n_fields = n,
        .words = change->words,
        .private_words = change->reason,
    };
    return audit_append(work->engine->store, work->engine->keys, work->actor, &entry, NULL);
}

/* ---- bringing back ---- */

static enum err take_bytes(struct work *work, const json_t *json, struct store_value *ret_value)
{
    const json_t *text = json_object_get(json, "b");
    struct buf bytes;
    buf_init(&bytes, ENGINE_BUF_BYTES);
    enum err err =
        base64_decode(str_make(json_string_value(text), json_string_length(text)), &bytes);
    *ret_value = store_blob(arena_dup(&work->arena, buf_str(&bytes)));
    buf_fini(&bytes);
    return err != ERR_OK ? err : work->arena.failed ? ERR_MEMORY : ERR_OK;
}

static enum err take_part(struct work *work, const json_t *json, struct store_value *ret_value)
{
    if (json_is_integer(json)) {
        *ret_value = store_number(json_integer_value(json));
    } else if (json_is_string(json)) {
        struct str text = str_make(json_string_value(json), json_string_length(json));
        *ret_value = store_text(arena_dup(&work->arena, text));
    } else if (json_is_object(json)) {
        return take_bytes(work, json, ret_value);
    } else {
        *ret_value = store_null();
    }
    return work->arena.failed ? ERR_MEMORY : ERR_OK;
}

/* A field that the version did not know keeps what it has. */
static enum err take_field(struct work *work, const json_t *parts, size_t field,
                           struct store_value *row)
{
    const struct register_field *the = &work->def->fields[field];
    struct store_value *columns = &row[the->column];
    if (json_array_size(parts) != n_parts(the)) {
        return ERR_OK;
    }
    for (size_t i = 0; i < n_parts(the); i++) {
        ERR_TRY(take_part(work, json_array_get(parts, i), &columns[i]));
    }
    if (the->keyed) {
        struct field_value value;
        ERR_TRY(row_value(work, row, field, false, &value));
        return field_key(&value, &work->arena, &columns[the->n_columns - 1]);
    }
    return ERR_OK;
}

enum err past_restore(struct work *work, int64_t version, struct store_value *row)
{
    const struct store_value values[] = {row[COLUMN_SCHOOL], row[COLUMN_ID], store_number(version)};
    struct store_value columns[2];
    ERR_TRY(
        store_row(work->engine->store, STATEMENT_PAST_GET, values, 3, &work->arena, columns, 2));
    json_t *fields = json_loadb(columns[1].bytes.p, columns[1].bytes.len, 0, NULL);
    enum err err = fields != NULL ? ERR_OK : ERR_INVALID;
    for (size_t i = 0; i < work->def->n_fields && err == ERR_OK; i++) {
        struct str name = work->def->fields[i].name;
        err = take_field(work, json_object_getn(fields, name.p, name.len), i, row);
    }
    json_decref(fields);
    row[COLUMN_STATE] = columns[0];
    return err;
}

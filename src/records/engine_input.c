/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what was typed or sent to a row: each fault beside its field, all of them at once. */
#include "records/engine_impl.h"

#include "base/check.h"

static const struct {
    enum field_type type;
    struct str register_name;
    enum store_statement name, named;
    struct str nobody, several;
} references[] = {
    {FIELD_PERSON, STR_INIT("person"), STATEMENT_NAME_OF_PERSON, STATEMENT_NAMED_PERSON,
     STR_INIT(
         "There is nobody of this name. Type the whole name, as the register of people has it"),
     STR_INIT("Several people have this name. Choose one of them from the register of people")},
    {FIELD_GROUP, STR_INIT("group"), STATEMENT_NAME_OF_GROUP, STATEMENT_NAMED_GROUP,
     STR_INIT(
         "There is no group of this name. Type the whole name, as the register of groups has it"),
     STR_INIT("Several groups have this name. Choose one of them from the register of groups")},
    {FIELD_DEVICE, STR_INIT("device"), STATEMENT_NAME_OF_DEVICE, STATEMENT_NAMED_DEVICE,
     STR_INIT("There is no device with this tag. Type it as it stands on the device's label"),
     STR_INIT("Several devices have this tag. Choose one of them from the register of devices")},
};

static size_t reference_of(enum field_type type)
{
    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        if (references[i].type == type) {
            return i;
        }
    }
    CHECK(false);
}

const struct register_def *register_of(enum field_type type)
{
    return register_find(references[reference_of(type)].register_name);
}

enum err reference_name(struct work *work, enum field_type type, struct str id,
                        struct str *ret_name)
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(id)};
    struct store_value name;
    ERR_TRY(store_row(work->engine->store, references[reference_of(type)].name, values, 2,
                      &work->arena, &name, 1));
    *ret_name = name.bytes;
    return ERR_OK;
}

/* ---- names that were typed ---- */

/* Whether a relationship keeps the person from the actor (no contact): for them nobody is called
 * so. */
static enum err is_hidden(struct work *work, struct str id, bool *ret_hidden)
{
    const struct standing_facts facts = {.about = id};
    struct standing standing;
    ERR_TRY(standing_of(work->engine->store, &work->arena, work->actor, register_of(FIELD_PERSON),
                        &facts, &standing));
    *ret_hidden = standing.nearest == SCOPE_NONE;
    return ERR_OK;
}

/* Whom the actor may name by typing: anybody, where they make or change such records of the whole
 * school; else those whom they may see. */
static enum err may_name(struct work *work, enum field_type type, struct str id, bool *ret_may)
{
    struct work other = *work;
    unsigned roles = work->actor->roles;
    struct store_value *row;
    bool hidden = false;
    if (type == FIELD_PERSON && !work->actor->operator) {
        ERR_TRY(is_hidden(work, id, &hidden));
    }
    *ret_may = false;
    if (hidden) {
        return ERR_OK;
    }
    *ret_may =
        work->actor->operator|| permit_widest(roles, work->def->area, VERB_make) >= SCOPE_SCHOOL ||
        permit_widest(roles, work->def->area, VERB_change) >= SCOPE_SCHOOL;
    if (*ret_may) {
        return ERR_OK;
    }
    other.def = register_of(type);
    enum err err = row_see(&other, id, &row);
    work->arena = other.arena;
    *ret_may = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The ids of the first two of a name. */
static enum err find_named(struct work *work, size_t reference, struct str name,
                           struct store_value ret_ids[2], size_t *ret_n)
{
    const struct field_value typed = {.part = {store_text(name), store_null()}};
    struct store_value values[] = {store_text(work->actor->school), store_null()};
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    ERR_TRY(field_key(&typed, &work->arena, &values[1]));
    ERR_TRY(store_query(work->engine->store, references[reference].named, values, 2, &rows));
    while (n < 2 && store_rows_next(rows, &err)) {
        ret_ids[n++] = store_text(arena_dup(&work->arena, store_rows_bytes(rows, 0)));
    }
    store_rows_free(rows);
    *ret_n = n;
    return n < 2 && err != ERR_OK ? err : work->arena.failed ? ERR_MEMORY : ERR_OK;
}

/* {name of the field: id} in the place of a name; ERR_INVALID with a fault. */
static enum err resolve(struct work *work, const struct register_field *field, const json_t *given,
                        json_t **ret_input)
{
    size_t reference = reference_of(field->type);
    struct store_value ids[2];
    size_t n;
    bool may = false;
    struct str name = str_make(json_string_value(given), json_string_length(given));
    ERR_TRY(find_named(work, reference, str_trim_space(name), ids, &n));
    if (n == 1) {
        ERR_TRY(may_name(work, field->type, ids[0].bytes, &may));
    }
    if (!may) {
        return work_fault(work, field->name,
                          n == 2 ? references[reference].several : references[reference].nobody);
    }
    *ret_input = json_object();
    bool fine = *ret_input != NULL && json_put(*ret_input, field->name, json_of(ids[0].bytes));
    return fine ? ERR_OK : ERR_MEMORY;
}

static bool is_name(const struct register_field *field, const json_t *given)
{
    if (!field_refers(field) || !json_is_string(given)) {
        return false;
    }
    struct str text = str_trim_space(str_make(json_string_value(given), json_string_length(given)));
    return text.len != 0 && !record_id_is_valid(text);
}

/* ---- fields ---- */

static enum err read_value(struct work *work, const struct register_field *field,
                           const json_t *input, struct field_value *ret_value)
{
    const struct field_reader reader = {.arena = &work->arena, .today = work->actor->today};
    const json_t *given = json_object_getn(input, field->name.p, field->name.len);
    json_t *resolved = NULL;
    struct str fault = STR("");
    enum err err = is_name(field, given) ? resolve(work, field, given, &resolved) : ERR_OK;
    if (err == ERR_OK) {
        err = field_read(field, resolved != NULL ? resolved : input, &reader, ret_value, &fault);
        if (err == ERR_INVALID) {
            err = work_fault(work, field->name, fault);
        }
        if (err == ERR_OK && resolved != NULL) {
            /* The value points into what was made for it. */
            ret_value->part[0].bytes = arena_dup(&work->arena, ret_value->part[0].bytes);
            err = work->arena.failed ? ERR_MEMORY : ERR_OK;
        }
    }
    json_decref(resolved);
    return err;
}

static enum err canonical(const struct field_value *value, struct buf *to)
{
    buf_init(to, ENGINE_BUF_BYTES);
    field_canonical(value, to);
    return buf_err(to);
}

static enum err is_same(const struct field_value *a, const struct field_value *b, bool *ret_same)
{
    struct buf left;
    struct buf right;
    enum err err = canonical(a, &left);
    enum err other = canonical(b, &right);
    err = err != ERR_OK ? err : other;
    *ret_same = field_is_empty(a) == field_is_empty(b) && str_eq(buf_str(&left), buf_str(&right));
    buf_fini(&left);
    buf_fini(&right);
    return err;
}

/* What the actor may not read now is refused before it is compared: an answer that differed by the
 * value would let them guess it, without a look. */
static enum err take(struct work *work, const json_t *input, const struct store_value *before,
                     struct store_value *row, size_t field, bool *ret_touched)
{
    const struct register_field *the = &work->def->fields[field];
    struct field_value value = {0};
    struct field_value old = {0};
    bool same;
    ERR_TRY(read_value(work, the, input, &value));
    if (the->required && field_is_empty(&value)) {
        return work_fault(work, the->name, field_missing(the, &work->arena));
    }
    if (!field_is_seen(the, work->standing.roles)) {
        return field_is_empty(&value)
                   ? ERR_OK
                   : work_fault(work, the->name,
                                STR("Your role does not fill this in. Leave it empty"));
    }
    if (before != NULL && work->closed && !work->importing && field_is_closed(work->def, field)) {
        return work_fault(work, the->name,
                          STR("Open the record first: say why you look at it, then change it"));
    }
    if (before != NULL) {
        ERR_TRY(row_value(work, before, field, true, &old));
    }
    ERR_TRY(is_same(&old, &value, &same));
    /* What is closed counts as changed in any case: whether a guess in a table is right is not
     * told. */
    bool unseen = before != NULL && work->closed && field_is_closed(work->def, field);
    if (same && !unseen) {
        return ERR_OK;
    }
    *ret_touched = true;
    return row_set(work, row, field, &value);
}

/* Goes on behind a fault, so that all are told at once. */
static bool goes_on(enum err err)
{
    return err == ERR_OK || err == ERR_INVALID;
}

enum err input_read(struct work *work, const json_t *input, const struct store_value *before,
                    struct store_value *row, uint64_t *ret_touched)
{
    uint64_t touched = 0;
    for (size_t i = 0; i < work->def->n_fields; i++) {
        bool changed = false;
        const struct register_field *field = &work->def->fields[i];
        if (field_is_given(field, input) || (before == NULL && field->required)) {
            enum err err = take(work, input, before, row, i, &changed);
            if (!goes_on(err)) {
                return err;
            }
        }
        touched |= (uint64_t)changed << i;
    }
    enum err err = input_check(work, row, touched);
    if (err == ERR_OK) {
        *ret_touched = touched;
    }
    return err;
}

enum err input_compare(struct work *work, const struct store_value *before,
                       const struct store_value *row, uint64_t *ret_touched)
{
    uint64_t touched = 0;
    for (size_t i = 0; i < work->def->n_fields; i++) {
        struct field_value old;
        struct field_value value;
        bool same;
        ERR_TRY(row_value(work, before, i, true, &old));
        ERR_TRY(row_value(work, row, i, true, &value));
        ERR_TRY(is_same(&old, &value, &same));
        touched |= (uint64_t)!same << i;
    }
    *ret_touched = touched;
    return ERR_OK;
}

/* ---- what the store knows ---- */

static enum err check_unique(struct work *work, const struct store_value *row, size_t field)
{
    const struct register_field *the = &work->def->fields[field];
    const struct store_value values[] = {store_text(work->actor->school),
                                         row[the->column + the->n_columns - 1]};
    struct store_value id;
    if (values[1].kind == STORE_NULL) {
        return ERR_OK;
    }
    enum err err = store_row(work->engine->store, work->def->statements->by[field], values, 2,
                             &work->arena, &id, 1);
    if (err == ERR_OK && !str_eq(id.bytes, row[COLUMN_ID].bytes)) {
        return work_fault(work, the->name, field_taken(the, &work->arena));
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err check_reference(struct work *work, const struct store_value *row, size_t field)
{
    const struct register_field *the = &work->def->fields[field];
    struct str id = row[the->column].bytes;
    struct str name;
    bool itself = register_of(the->type) == work->def && str_eq(id, row[COLUMN_ID].bytes);
    if (id.len == 0 || itself) {
        return ERR_OK;
    }
    enum err err = reference_name(work, the->type, id, &name);
    return err == ERR_NOT_FOUND
               ? work_fault(work, the->name, references[reference_of(the->type)].nobody)
               : err;
}

static enum err check_file(struct work *work, const struct store_value *row, size_t field)
{
    const struct register_field *the = &work->def->fields[field];
    struct str file = row[the->column].bytes;
    bool is_free;
    if (file.len == 0) {
        return ERR_OK;
    }
    ERR_TRY(file_is_free(work, file, row[COLUMN_ID].bytes, &is_free));
    return is_free ? ERR_OK
                   : work_fault(work, the->name, STR("The file did not arrive. Choose it again"));
}

static enum err check_field(struct work *work, const struct store_value *row, size_t field)
{
    const struct register_field *the = &work->def->fields[field];
    if (the->unique) {
        ERR_TRY(check_unique(work, row, field));
    }
    if (field_refers(the)) {
        ERR_TRY(check_reference(work, row, field));
    }
    return the->type == FIELD_FILE ? check_file(work, row, field) : ERR_OK;
}

enum err input_check(struct work *work, const struct store_value *row, uint64_t touched)
{
    for (size_t i = 0; i < work->def->n_fields; i++) {
        if ((touched & (1ULL << i)) != 0) {
            enum err err = check_field(work, row, i);
            if (!goes_on(err)) {
                return err;
            }
        }
    }
    return work->faults == NULL ? ERR_OK : ERR_INVALID;
}

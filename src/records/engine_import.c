/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables that come in: all rows or none, but for those that somebody said to leave out. A row is
 * found again by its record's id or by a unique value (a UPN by its digest, K16), and is changed
 * then; else it is made. An empty cell says nothing. The rows are gone through twice: first without
 * a trace, to find all faults and to tell what would become of each. */
#include "records/engine_import_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    IMPORT_ARENA_BYTES = 96 * 1024 * 1024,
    FAULTS_TOLD = 100,
    ROWS_TOLD = 500,
    EXAMPLES = 3,
};

struct row_in {
    struct str *cells; /* by column of the file */
    size_t n_cells;
    size_t line;
    struct record_id id; /* of the record that it makes */
    bool refused;
};

/* ---- faults ---- */

enum err import_fault(struct import *import, size_t line, struct str field, struct str sentence)
{
    if (json_array_size(import->faults) >= FAULTS_TOLD) {
        return ERR_OK;
    }
    json_t *row = json_pack("{s:I, s:s%, s:s%}", "row", (json_int_t)line, "field", text_of(field),
                            field.len, "fault", text_of(sentence), sentence.len);
    return json_array_append_new(import->faults, row) == 0 ? ERR_OK : ERR_MEMORY;
}

/* Those of one row, each with its column's name. */
static enum err take_faults(struct import *import, const struct register_def *def, size_t line,
                            json_t *faults)
{
    const char *name;
    json_t *sentence;
    json_object_foreach(faults, name, sentence)
    {
        size_t field = register_field_find(def, str_from(name));
        ERR_TRY(import_fault(import, line,
                             field < def->n_fields ? def->fields[field].label : STR(""),
                             str_from(json_string_value(sentence))));
    }
    return ERR_OK;
}

/* ---- the file ---- */

static enum err add_row(struct import *import, const struct str *cells, size_t n, size_t line)
{
    if (import->n_rows == ENGINE_IMPORT_ROWS_MAX) {
        return ERR_LIMIT;
    }
    if (import->n_rows == import->room) {
        size_t room = import->room != 0 ? import->room * 2 : 256;
        struct row_in *rows = arena_array(&import->arena, room, sizeof(*rows));
        if (rows == NULL) {
            return ERR_LIMIT;
        }
        if (import->n_rows != 0) {
            memcpy(rows, import->rows, import->n_rows * sizeof(*rows));
        }
        import->rows = rows;
        import->room = room;
    }
    struct row_in *row = &import->rows[import->n_rows];
    *row = (struct row_in){.line = line, .n_cells = n};
    row->cells = arena_array(&import->arena, n, sizeof(*cells));
    if (row->cells == NULL) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < n; i++) {
        row->cells[i] = arena_dup(&import->arena, cells[i]);
    }
    record_id_make(&row->id);
    import->n_rows++;
    return import->arena.failed ? ERR_LIMIT : ERR_OK;
}

static enum err read_rows(struct import *import, const struct register_def *def, struct csv *csv)
{
    struct str cells[CSV_CELLS_MAX];
    size_t n;
    enum csv_step step = csv_next(csv, &import->arena, cells, &n);
    if (step == CSV_ROW) {
        ERR_TRY(import_heads(import, def, cells, n));
    }
    while (step == CSV_ROW) {
        step = csv_next(csv, &import->arena, cells, &n);
        if (step == CSV_ROW) {
            ERR_TRY(add_row(import, cells, n, csv->line));
        }
    }
    return step == CSV_BAD ? import_fault(import, csv->line, STR(""), str_from(csv->why)) : ERR_OK;
}

static enum err read_file(struct import *import, const struct register_def *def)
{
    struct csv csv;
    enum err err = csv_open(import->csv, &csv);
    if (err == ERR_OK) {
        err = read_rows(import, def, &csv);
    }
    csv_close(&csv);
    if (err == ERR_OK && import->n_rows == 0 && json_array_size(import->faults) == 0) {
        err = import_fault(import, 1, STR(""),
                           STR("There are no rows below the names of the fields"));
    }
    return err;
}

/* ---- one row ---- */

static struct str cell_of(const struct import *import, const struct row_in *row, int column)
{
    for (size_t i = 0; i < import->n_columns && i < row->n_cells; i++) {
        if (import->columns[i] == column) {
            return row->cells[i];
        }
    }
    return STR("");
}

/* The record that has this unique value; empty for none or for what is no value. */
static enum err find_by(struct work *work, size_t field, struct str cell, struct str *ret_id)
{
    const struct register_field *the = &work->def->fields[field];
    const struct field_reader reader = {.arena = &work->arena, .today = work->actor->today};
    struct store_value *row = arena_array(&work->arena, row_width(work->def), sizeof(*row));
    struct store_value id;
    struct field_value value;
    struct str why;
    json_t *input = json_object();
    bool fine = row != NULL && input != NULL && json_put(input, the->name, json_of(cell));
    enum err err = fine ? field_read(the, input, &reader, &value, &why) : ERR_MEMORY;
    if (err == ERR_OK) {
        err = row_lookup(work, row, field, &value);
    }
    if (err == ERR_OK) {
        const struct store_value values[] = {store_text(work->actor->school),
                                             row[the->column + the->n_columns - 1]};
        err = store_row(work->engine->store, work->def->statements->by[field], values, 2,
                        &work->arena, &id, 1);
    }
    json_decref(input);
    if (err == ERR_OK) {
        *ret_id = id.bytes;
    }
    return err == ERR_NOT_FOUND || err == ERR_INVALID ? ERR_OK : err;
}

static enum err find_record(struct work *work, const struct import *import,
                            const struct row_in *row, struct str *ret_id)
{
    *ret_id = cell_of(import, row, COLUMN_OF_ID);
    for (size_t i = 0; i < work->def->n_fields && ret_id->len == 0; i++) {
        struct str cell = cell_of(import, row, (int)i);
        if (work->def->fields[i].unique && cell.len != 0) {
            ERR_TRY(find_by(work, i, cell, ret_id));
        }
    }
    return ERR_OK;
}

/* A field's cell; where it is empty or there is none, what its parts say. */
static struct str value_of(struct work *work, const struct import *import, const struct row_in *row,
                           size_t field)
{
    struct str cell = cell_of(import, row, (int)field);
    struct buf made;
    if (cell.len != 0 || work->def->n_parts == 0) {
        return cell;
    }
    buf_init(&made, ENGINE_BUF_BYTES);
    for (size_t i = 0; i < work->def->n_parts; i++) {
        const struct register_part *part = &work->def->parts[i];
        struct str word = cell_of(import, row, COLUMN_OF_PART + (int)i);
        if (part->of != field) {
            continue;
        }
        if (word.len == 0 && part->otherwise < work->def->n_fields) {
            word = cell_of(import, row, (int)part->otherwise);
        }
        buf_append(&made, made.len != 0 && word.len != 0 ? STR(" ") : STR(""));
        buf_append(&made, word);
    }
    struct str whole = arena_dup(&work->arena, buf_str(&made));
    buf_fini(&made);
    return whole;
}

/* A name that the record shows already says nothing new, though several may have it. */
static bool is_as_shown(const struct register_def *def, const struct store_value *before,
                        size_t field, struct str cell)
{
    return before != NULL && field_refers(&def->fields[field]) &&
           str_eq(before[row_name_column(def, field)].bytes, cell);
}

/* What the plan says of all new ones stands where their rows say nothing. */
static enum err row_input(struct work *work, const struct import *import, const struct row_in *row,
                          const struct store_value *before, json_t **ret_input)
{
    const json_t *all = before == NULL ? json_object_get(import->plan, "all") : NULL;
    json_t *input = json_object();
    for (size_t i = 0; i < work->def->n_fields && input != NULL; i++) {
        struct str name = work->def->fields[i].name;
        struct str cell = value_of(work, import, row, i);
        json_t *given = json_object_getn(all, name.p, name.len);
        bool says = cell.len != 0 && !is_as_shown(work->def, before, i, cell);
        bool fine =
            says ? json_put(input, name, json_of(cell))
                 : cell.len != 0 || given == NULL || json_put(input, name, json_incref(given));
        if (!fine) {
            json_decref(input);
            return ERR_MEMORY;
        }
    }
    *ret_input = input;
    return input != NULL ? ERR_OK : ERR_MEMORY;
}

/* ---- what becomes of a row ---- */

/* What names it: as the row says, or else as it is kept. */
static struct str title_of(struct work *work, const struct import *import, const struct row_in *row,
                           const struct store_value *before)
{
    const struct register_def *def = work->def;
    struct str title = value_of(work, import, row, def->title);
    if (title.len == 0 && before != NULL) {
        const struct register_field *field = &def->fields[def->title];
        title =
            before[field_refers(field) ? row_name_column(def, def->title) : field->column].bytes;
    }
    return title;
}

static enum err tell(struct work *work, struct import *import, const struct row_in *row,
                     const char *what, struct str title, uint64_t touched)
{
    if (!import->trying || json_array_size(import->preview) >= ROWS_TOLD) {
        return ERR_OK;
    }
    json_t *fields = json_array();
    for (size_t i = 0; i < work->def->n_fields && fields != NULL; i++) {
        bool named = (touched & (1ULL << i)) != 0;
        if (named && json_array_append_new(fields, json_of(work->def->fields[i].label)) != 0) {
            json_decref(fields);
            return ERR_MEMORY;
        }
    }
    json_t *told = json_pack("{s:I, s:s, s:s%, s:o}", "row", (json_int_t)row->line, "what", what,
                             "title", text_of(title), title.len, "fields", fields);
    return json_array_append_new(import->preview, told) == 0 ? ERR_OK : ERR_MEMORY;
}

/* Makes or changes; *ret_what: "new", "changed" or "same". */
static enum err write_row(struct work *work, const struct import *import, const struct row_in *row,
                          const struct store_value *before, const char **ret_what,
                          uint64_t *ret_touched)
{
    json_t *input;
    ERR_TRY(row_input(work, import, row, before, &input));
    enum err err = before != NULL ? write_row_change(work, before, input, ret_touched)
                                  : write_row_make(work, &row->id, input);
    json_decref(input);
    if (err == ERR_DENIED) {
        err = work_fault(work, STR(""), STR("Your role does not make or change this record"));
    }
    if (err == ERR_OK) {
        *ret_what = before == NULL ? "new" : *ret_touched != 0 ? "changed" : "same";
    }
    return err;
}

static enum err take_row(struct work *work, struct import *import, struct row_in *row)
{
    struct store_value *before = NULL;
    struct str id;
    uint64_t touched = 0;
    const char *what = "refused";
    row->refused = false;
    ERR_TRY(find_record(work, import, row, &id));
    enum err err = id.len != 0 ? row_see(work, id, &before) : ERR_OK;
    if (err == ERR_NOT_FOUND) {
        err = work_fault(work, STR(""), STR("There is no such record that you may see"));
    } else if (err == ERR_OK) {
        err = write_row(work, import, row, before, &what, &touched);
    }
    if (err == ERR_OK) {
        import->made += before == NULL;
        import->changed += touched != 0;
        import->same += before != NULL && touched == 0;
    } else if (err == ERR_INVALID) {
        import->refused++;
        row->refused = import->trying && import->skips;
    } else {
        return err;
    }
    ERR_TRY(tell(work, import, row, what, title_of(work, import, row, before),
                 before != NULL ? touched : 0));
    return err;
}

static enum err take_rows(struct work *work, struct import *import)
{
    enum err err = ERR_OK;
    import->made = 0;
    import->changed = 0;
    import->same = 0;
    import->refused = 0;
    for (size_t i = 0; i < import->n_rows && err == ERR_OK; i++) {
        struct work one = {.engine = work->engine,
                           .actor = work->actor,
                           .def = work->def,
                           .importing = true,
                           .trying = import->trying};
        if (import->rows[i].refused && !import->trying) {
            import->refused++;
            continue;
        }
        arena_init(&one.arena, ENGINE_ARENA_BYTES);
        err = take_row(&one, import, &import->rows[i]);
        if (err == ERR_INVALID) {
            err = take_faults(import, work->def, import->rows[i].line, one.faults);
        }
        json_decref(one.faults);
        arena_fini(&one.arena);
    }
    return err;
}

/* ---- all of it ---- */

/* Leaves nothing behind: its transaction is rolled back by ERR_AGAIN. */
static enum err try_step(struct work *work, void *context)
{
    struct import *import = context;
    bool whole = work->actor->operator||
                 permit_widest(work->actor->roles, work->def->area, VERB_bring) >= SCOPE_SCHOOL;
    if (!whole) {
        return ERR_DENIED;
    }
    json_array_clear(import->faults);
    json_array_clear(import->preview);
    import->trying = true;
    ERR_TRY(take_rows(work, import));
    return ERR_AGAIN;
}

static enum err take_step(struct work *work, void *context)
{
    struct import *import = context;
    struct buf words;
    import->trying = false;
    size_t told = json_array_size(import->faults);
    ERR_TRY(take_rows(work, import));
    if (json_array_size(import->faults) != told) {
        return ERR_CONFLICT;
    }
    buf_init(&words, 128);
    buf_printf(&words, "%zu made, %zu changed", import->made, import->changed);
    const struct act_entry entry = {
        .act = ACT_brought, .area = work->def->name, .words = buf_str(&words)};
    enum err err = audit_append(work->engine->store, work->engine->keys, work->actor, &entry, NULL);
    buf_fini(&words);
    return err;
}

/* The keys of all rows at once: each by itself would wait for the disk. */
static enum err make_keys(struct engine *engine, const struct register_def *def,
                          struct import *import)
{
    bool needed = def->sensitive;
    for (size_t i = 0; i < import->n_columns; i++) {
        needed =
            needed || (import->columns[i] >= 0 && past_is_private(def, (size_t)import->columns[i]));
    }
    struct str *ids = arena_array(&import->arena, import->n_rows, sizeof(*ids));
    if (ids == NULL) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < import->n_rows; i++) {
        ids[i] = str_make(import->rows[i].id.text, RECORD_ID_CHARS);
    }
    return needed && import->made != 0 ? keys_make_all(engine->keys, ids, import->n_rows) : ERR_OK;
}

/* Whether what was tried may be taken: without a fault, or without the rows that have one. */
static bool may_take(const struct import *import)
{
    bool some = import->made + import->changed + import->same != 0;
    return json_array_size(import->faults) == 0 || (import->skips && some);
}

static enum err run(struct engine *engine, const struct actor *actor,
                    const struct register_def *def, struct import *import)
{
    ERR_TRY(read_file(import, def));
    if (json_array_size(import->faults) != 0) {
        return ERR_INVALID;
    }
    enum err err = work_write(engine, actor, def, try_step, import, NULL);
    if (err != ERR_AGAIN) {
        return err;
    }
    if (!may_take(import)) {
        return ERR_INVALID;
    }
    if (import->dry) {
        return ERR_OK;
    }
    ERR_TRY(make_keys(engine, def, import));
    return work_write(engine, actor, def, take_step, import, NULL);
}

/* ---- the report ---- */

/* A column: what it is called, what it is taken for, and what stands in it. */
static json_t *column_json(const struct import *import, const struct register_def *def, size_t at)
{
    struct str target = import_target(def, import->columns[at]);
    json_t *examples = json_array();
    struct str last = STR("");
    for (size_t i = 0; i < import->n_rows && json_array_size(examples) < EXAMPLES; i++) {
        const struct row_in *row = &import->rows[i];
        if (at < row->n_cells && row->cells[at].len != 0 && !str_eq(row->cells[at], last)) {
            last = row->cells[at];
            (void)json_array_append_new(examples, json_of(last));
        }
    }
    return json_pack("{s:s%, s:s%, s:o}", "heading", text_of(import->heads[at]),
                     import->heads[at].len, "field", text_of(target), target.len, "examples",
                     examples);
}

static json_t *report_json(const struct import *import, const struct register_def *def)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < import->n_columns && columns != NULL; i++) {
        if (json_array_append_new(columns, column_json(import, def, i)) != 0) {
            json_decref(columns);
            return NULL;
        }
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:O, s:O, s:o}", "rows", (json_int_t)import->n_rows,
                     "made", (json_int_t)import->made, "changed", (json_int_t)import->changed,
                     "same", (json_int_t)import->same, "refused", (json_int_t)import->refused,
                     "faults", import->faults, "preview", import->preview, "columns", columns);
}

enum err engine_import_csv(struct engine *engine, const struct actor *actor,
                           const struct register_def *def, const struct engine_import *asked,
                           json_t **ret_report)
{
    struct import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        return ERR_MEMORY;
    }
    *import = (struct import){.csv = asked->csv,
                              .plan = asked->plan,
                              .dry = asked->dry,
                              .skips = json_is_true(json_object_get(asked->plan, "skip")),
                              .faults = json_array(),
                              .preview = json_array()};
    arena_init(&import->arena, IMPORT_ARENA_BYTES);
    bool fine = import->faults != NULL && import->preview != NULL;
    enum err err = fine ? run(engine, actor, def, import) : ERR_MEMORY;
    if (err == ERR_OK || err == ERR_INVALID) {
        json_t *report = report_json(import, def);
        err = report != NULL ? err : ERR_MEMORY;
        if (report != NULL) {
            *ret_report = report;
        }
    }
    json_decref(import->faults);
    json_decref(import->preview);
    arena_fini(&import->arena);
    free(import);
    return err;
}

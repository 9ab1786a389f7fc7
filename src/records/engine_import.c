/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables that come in: all rows or none. A row is found again by its record's id or by a unique
 * value (a UPN by its digest, K16), and is changed then; else it is made. An empty cell says
 * nothing. The rows are gone through twice: first without a trace, to find all faults. */
#include "records/engine_impl.h"

#include <stdlib.h>
#include <string.h>

#include "wire/csv.h"

enum {
    IMPORT_ARENA_BYTES = 96 * 1024 * 1024,
    FAULTS_TOLD = 100,
    COLUMN_PASSED_OVER = -1, /* "State" and the like */
    COLUMN_OF_ID = -2,
};

struct row_in {
    struct str *cells; /* by column of the file */
    size_t n_cells;
    size_t line;
    struct record_id id; /* of the record that it makes */
};

struct import {
    struct str csv;
    bool dry; /* what was asked for */
    bool trying;
    struct arena arena;         /* of the rows */
    int columns[CSV_CELLS_MAX]; /* a field's index, or one of the above */
    size_t n_columns;
    struct row_in *rows;
    size_t n_rows, room;
    size_t made, changed;
    json_t *faults;
};

/* ---- faults ---- */

static enum err fault(struct import *import, size_t line, struct str field, struct str sentence)
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
        ERR_TRY(fault(import, line, field < def->n_fields ? def->fields[field].label : STR(""),
                      str_from(json_string_value(sentence))));
    }
    return ERR_OK;
}

/* ---- the file ---- */

static bool is_same_word(struct str a, struct str b, struct arena *arena)
{
    const struct field_value left = {.part = {store_text(a), store_null()}};
    const struct field_value right = {.part = {store_text(b), store_null()}};
    struct store_value keys[2];
    return a.len != 0 && b.len != 0 && field_key(&left, arena, &keys[0]) == ERR_OK &&
           field_key(&right, arena, &keys[1]) == ERR_OK && str_eq(keys[0].bytes, keys[1].bytes);
}

static bool is_taken(const struct register_field *field)
{
    return field->type != FIELD_FILE && field->type != FIELD_SPAN;
}

/* Which field a column is, by its label or its name. */
static int column_of(const struct register_def *def, struct str head, struct arena *arena)
{
    for (size_t i = 0; i < def->n_fields; i++) {
        bool named = is_same_word(head, def->fields[i].label, arena) ||
                     is_same_word(head, def->fields[i].name, arena);
        if (named) {
            return is_taken(&def->fields[i]) ? (int)i : COLUMN_PASSED_OVER;
        }
    }
    return is_same_word(head, ENGINE_CSV_ID, arena) ? COLUMN_OF_ID : COLUMN_PASSED_OVER;
}

static bool is_known(const struct register_def *def, int column, struct str head,
                     struct arena *arena)
{
    if (column != COLUMN_PASSED_OVER || head.len == 0) {
        return true;
    }
    for (size_t i = 0; i < def->n_fields; i++) {
        if (is_same_word(head, def->fields[i].label, arena)) {
            return true;
        }
    }
    return is_same_word(head, ENGINE_CSV_STATE, arena);
}

static enum err read_heads(struct import *import, const struct register_def *def,
                           const struct str *cells, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        int column = column_of(def, cells[i], &import->arena);
        if (!is_known(def, column, cells[i], &import->arena)) {
            ERR_TRY(fault(import, 1, cells[i],
                          STR("No field is called so. Take the column out, or give it the name "
                              "of a field")));
        }
        for (size_t other = 0; other < i && column >= 0; other++) {
            if (import->columns[other] == column) {
                ERR_TRY(fault(import, 1, cells[i], STR("This column is there twice")));
            }
        }
        any = any || column >= 0;
        import->columns[i] = column;
    }
    import->n_columns = n;
    return any ? ERR_OK
               : fault(import, 1, STR(""), STR("The first row must hold the names of the fields"));
}

static enum err add_row(struct import *import, const struct str *cells, size_t n, size_t line)
{
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
        ERR_TRY(read_heads(import, def, cells, n));
    }
    while (step == CSV_ROW) {
        step = csv_next(csv, &import->arena, cells, &n);
        if (step == CSV_ROW) {
            ERR_TRY(add_row(import, cells, n, csv->line));
        }
    }
    return step == CSV_BAD ? fault(import, csv->line, STR(""), str_from(csv->why)) : ERR_OK;
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
        err = fault(import, 1, STR(""), STR("There are no rows below the names of the fields"));
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

/* A name that the record shows already says nothing new, though several may have it. */
static bool is_as_shown(const struct register_def *def, const struct store_value *before,
                        size_t field, struct str cell)
{
    return before != NULL && field_refers(&def->fields[field]) &&
           str_eq(before[row_name_column(def, field)].bytes, cell);
}

static enum err row_input(const struct work *work, const struct import *import,
                          const struct row_in *row, const struct store_value *before,
                          json_t **ret_input)
{
    json_t *input = json_object();
    for (size_t i = 0; i < work->def->n_fields && input != NULL; i++) {
        struct str cell = cell_of(import, row, (int)i);
        if (cell.len != 0 && !is_as_shown(work->def, before, i, cell) &&
            !json_put(input, work->def->fields[i].name, json_of(cell))) {
            json_decref(input);
            return ERR_MEMORY;
        }
    }
    *ret_input = input;
    return input != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err take_row(struct work *work, struct import *import, const struct row_in *row)
{
    struct store_value *before = NULL;
    struct str id;
    json_t *input;
    bool touched = false;
    ERR_TRY(find_record(work, import, row, &id));
    if (id.len != 0) {
        enum err err = row_see(work, id, &before);
        if (err != ERR_OK) {
            return err == ERR_NOT_FOUND
                       ? work_fault(work, STR(""), STR("There is no such record that you may see"))
                       : err;
        }
    }
    ERR_TRY(row_input(work, import, row, before, &input));
    enum err err = before != NULL ? write_row_change(work, before, input, &touched)
                                  : write_row_make(work, &row->id, input);
    json_decref(input);
    if (err == ERR_DENIED) {
        err = work_fault(work, STR(""), STR("Your role does not make or change this record"));
    }
    if (err == ERR_OK) {
        import->made += before == NULL;
        import->changed += touched;
    }
    return err;
}

static enum err take_rows(struct work *work, struct import *import)
{
    enum err err = ERR_OK;
    import->made = 0;
    import->changed = 0;
    for (size_t i = 0; i < import->n_rows && err == ERR_OK; i++) {
        struct work one = {.engine = work->engine,
                           .actor = work->actor,
                           .def = work->def,
                           .importing = true,
                           .trying = import->trying};
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
    import->trying = true;
    ERR_TRY(take_rows(work, import));
    return ERR_AGAIN;
}

static enum err take_step(struct work *work, void *context)
{
    struct import *import = context;
    struct buf words;
    import->trying = false;
    ERR_TRY(take_rows(work, import));
    if (json_array_size(import->faults) != 0) {
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
    if (json_array_size(import->faults) != 0) {
        return ERR_INVALID;
    }
    if (import->dry) {
        return ERR_OK;
    }
    ERR_TRY(make_keys(engine, def, import));
    return work_write(engine, actor, def, take_step, import, NULL);
}

enum err engine_import_csv(struct engine *engine, const struct actor *actor,
                           const struct register_def *def, struct str csv, bool dry,
                           json_t **ret_report)
{
    struct import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        return ERR_MEMORY;
    }
    *import = (struct import){.csv = csv, .dry = dry, .faults = json_array()};
    arena_init(&import->arena, IMPORT_ARENA_BYTES);
    enum err err = import->faults != NULL ? run(engine, actor, def, import) : ERR_MEMORY;
    if (err == ERR_OK || err == ERR_INVALID) {
        json_t *report = json_pack("{s:I, s:I, s:I, s:O}", "rows", (json_int_t)import->n_rows,
                                   "made", (json_int_t)import->made, "changed",
                                   (json_int_t)import->changed, "faults", import->faults);
        err = report != NULL ? err : ERR_MEMORY;
        if (report != NULL) {
            *ret_report = report;
        }
    }
    json_decref(import->faults);
    arena_fini(&import->arena);
    free(import);
    return err;
}

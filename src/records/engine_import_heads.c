/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the columns of a table are. A heading is a field's label or name, or one of those by which
 * schools' systems call it (`headings` in schema/); a person may say otherwise. */
#include <string.h>

#include "records/engine_import_impl.h"
#include "wire/fold.h"

enum { HEAD_MAX = 512 };

bool import_takes(const struct register_field *field)
{
    return field->type != FIELD_FILE && field->type != FIELD_SPAN;
}

/* A heading as it is compared: CHILD_FIRST_NAME is "child first name". Empty: it is none. */
static struct str head_key(struct str head, struct arena *arena)
{
    struct buf spaced;
    struct buf key;
    size_t characters;
    buf_init(&spaced, HEAD_MAX);
    buf_init(&key, 4 * HEAD_MAX);
    for (size_t i = 0; i < head.len; i++) {
        buf_append_byte(&spaced, head.p[i] == '_' ? ' ' : head.p[i]);
    }
    bool fine = buf_err(&spaced) == ERR_OK &&
                fold_check(buf_str(&spaced), &characters) == FOLD_FINE &&
                fold_key(buf_str(&spaced), &key) == ERR_OK;
    struct str made = fine ? arena_dup(arena, buf_str(&key)) : STR("");
    buf_fini(&key);
    buf_fini(&spaced);
    return made;
}

/* ---- by their headings ---- */

struct guess {
    struct import *import;
    struct str keys[CSV_CELLS_MAX];
};

/* Gives the first column of this heading that is nothing yet; whether there was one. */
static bool take_heading(struct guess *guess, struct str heading, int column)
{
    struct str key = head_key(heading, &guess->import->arena);
    for (size_t i = 0; i < guess->import->n_columns; i++) {
        bool is_free = guess->import->columns[i] == COLUMN_PASSED_OVER;
        if (is_free && key.len != 0 && str_eq(guess->keys[i], key)) {
            guess->import->columns[i] = column;
            return true;
        }
    }
    return false;
}

static void take_target(struct guess *guess, struct str label, struct str name,
                        const struct str *headings, size_t n, int column)
{
    bool found = take_heading(guess, label, column) || take_heading(guess, name, column);
    for (size_t i = 0; i < n && !found; i++) {
        found = take_heading(guess, headings[i], column);
    }
}

/* What a field itself is called comes before what it is called elsewhere: no column is taken from
 * the field whose label it bears. */
static void guess_columns(struct guess *guess, const struct register_def *def)
{
    (void)take_heading(guess, ENGINE_CSV_ID, COLUMN_OF_ID);
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct register_field *field = &def->fields[i];
        if (import_takes(field)) {
            take_target(guess, field->label, field->name, NULL, 0, (int)i);
        }
    }
    for (size_t i = 0; i < def->n_parts; i++) {
        const struct register_part *part = &def->parts[i];
        take_target(guess, part->label, part->name, part->headings, part->n_headings,
                    COLUMN_OF_PART + (int)i);
    }
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct register_field *field = &def->fields[i];
        bool given = false;
        for (size_t at = 0; at < guess->import->n_columns; at++) {
            given = given || guess->import->columns[at] == (int)i;
        }
        if (import_takes(field) && !given) {
            take_target(guess, STR(""), STR(""), field->headings, field->n_headings, (int)i);
        }
    }
}

/* Whether a column that nothing was found for may be passed over in silence. */
static bool is_known(const struct guess *guess, const struct register_def *def, struct str key)
{
    struct arena *arena = &guess->import->arena;
    for (size_t i = 0; i < def->n_fields; i++) {
        bool other = !import_takes(&def->fields[i]);
        if (other && str_eq(key, head_key(def->fields[i].label, arena))) {
            return true;
        }
    }
    return key.len == 0 || str_eq(key, head_key(ENGINE_CSV_STATE, arena));
}

static enum err check_known(struct guess *guess, const struct register_def *def)
{
    struct import *import = guess->import;
    for (size_t i = 0; i < import->n_columns; i++) {
        bool twice = false;
        if (import->columns[i] != COLUMN_PASSED_OVER || is_known(guess, def, guess->keys[i])) {
            continue;
        }
        for (size_t other = 0; other < i; other++) {
            twice = twice || str_eq(guess->keys[other], guess->keys[i]);
        }
        ERR_TRY(import_fault(import, 1, import->heads[i],
                             twice ? STR("This column is there twice")
                                   : STR("No field is called so. Take the column out, or give it "
                                         "the name of a field")));
    }
    return ERR_OK;
}

/* ---- as somebody says ---- */

struct str import_target(const struct register_def *def, int column)
{
    if (column == COLUMN_OF_ID) {
        return STR("record");
    }
    if (column >= COLUMN_OF_PART) {
        return def->parts[column - COLUMN_OF_PART].name;
    }
    return column >= 0 ? def->fields[column].name : STR("");
}

/* Whether there is such a target; empty: left out. */
static bool find_target(const struct register_def *def, struct str name, int *ret_column)
{
    size_t field = register_field_find(def, name);
    *ret_column = str_eq(name, STR("record")) ? COLUMN_OF_ID : COLUMN_PASSED_OVER;
    if (field < def->n_fields && import_takes(&def->fields[field])) {
        *ret_column = (int)field;
    }
    for (size_t i = 0; i < def->n_parts; i++) {
        if (str_eq(def->parts[i].name, name)) {
            *ret_column = COLUMN_OF_PART + (int)i;
        }
    }
    return name.len == 0 || *ret_column != COLUMN_PASSED_OVER;
}

static enum err take_plan(struct import *import, const struct register_def *def,
                          const json_t *columns)
{
    for (size_t i = 0; i < import->n_columns; i++) {
        const json_t *one = json_array_get(columns, i);
        struct str name = json_is_string(one)
                              ? str_make(json_string_value(one), json_string_length(one))
                              : STR("");
        bool twice = false;
        if (!find_target(def, name, &import->columns[i])) {
            ERR_TRY(import_fault(import, 1, import->heads[i], STR("There is no such field")));
        }
        for (size_t other = 0; other < i; other++) {
            twice = twice || import->columns[other] == import->columns[i];
        }
        if (twice && import->columns[i] != COLUMN_PASSED_OVER) {
            ERR_TRY(import_fault(import, 1, import->heads[i],
                                 STR("Another column is this field too. Leave one of them out")));
        }
    }
    return ERR_OK;
}

static bool has_any(const struct import *import)
{
    for (size_t i = 0; i < import->n_columns; i++) {
        if (import->columns[i] >= 0) {
            return true;
        }
    }
    return false;
}

enum err import_heads(struct import *import, const struct register_def *def,
                      const struct str *cells, size_t n)
{
    const json_t *columns = json_object_get(import->plan, "columns");
    struct guess guess = {.import = import};
    import->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        import->heads[i] = arena_dup(&import->arena, cells[i]);
        import->columns[i] = COLUMN_PASSED_OVER;
        guess.keys[i] = head_key(cells[i], &import->arena);
    }
    if (json_array_size(columns) != 0) {
        ERR_TRY(take_plan(import, def, columns));
    } else {
        guess_columns(&guess, def);
    }
    if (import->plan == NULL) {
        ERR_TRY(check_known(&guess, def));
    }
    if (import->arena.failed) {
        return ERR_LIMIT;
    }
    return has_any(import) ? ERR_OK
                           : import_fault(import, 1, STR(""),
                                          STR("The first row must hold the names of the fields"));
}

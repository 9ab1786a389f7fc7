/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers as tables for spreadsheets: what a list with its search shows, all pages. The first
 * column holds the record's id, by which it is found again when the table comes back. Sealed and
 * sensitive values, files and UPNs never leave this way. */
#include "records/engine_list_impl.h"

#include "wire/csv.h"

enum { ROWS_MAX = CSV_ROWS_MAX };

static bool is_exported(const struct work *work, size_t field)
{
    const struct register_field *the = &work->def->fields[field];
    return !field_is_closed(work->def, field) && the->type != FIELD_SEALED_TEXT &&
           the->type != FIELD_UPN && the->type != FIELD_FILE;
}

struct export
{
    const struct engine_query *query;
    struct buf *to;
    size_t start; /* of `to` */
};

static void put_heads(const struct work *work, struct buf *to)
{
    csv_put(to, true, ENGINE_CSV_ID);
    for (size_t i = 0; i < work->def->n_fields; i++) {
        if (is_exported(work, i)) {
            csv_put(to, false, work->def->fields[i].label);
        }
    }
    if (work->def->n_states != 0) {
        csv_put(to, false, ENGINE_CSV_STATE);
    }
    csv_end_row(to);
}

/* As a spreadsheet sorts it, and as it is read again. */
static enum err print_cell(struct work *work, const struct store_value *row, size_t field,
                           struct buf *cell)
{
    const struct register_field *the = &work->def->fields[field];
    struct field_value value;
    ERR_TRY(row_value(work, row, field, false, &value));
    if (field_refers(the)) {
        buf_append(cell, row[row_name_column(work->def, field)].bytes);
    } else if (the->type == FIELD_DATE) {
        field_canonical(&value, cell);
    } else if (the->type == FIELD_NUMBER || the->type == FIELD_MONEY) {
        json_t *json = field_json(the, &value);
        if (json_is_integer(json)) {
            buf_append_i64(cell, json_integer_value(json));
        } else {
            buf_append(cell, str_from(json_string_value(json)));
        }
        json_decref(json);
    } else {
        field_print(the, &value, cell);
    }
    return buf_err(cell);
}

static enum err put_row(struct work *work, const struct store_value *row, void *context)
{
    struct export *export = context;
    unsigned roles = listing_roles(work, row);
    struct buf cell;
    enum err err = ERR_OK;
    buf_init(&cell, ENGINE_BUF_BYTES);
    csv_put(export->to, true, row[COLUMN_ID].bytes);
    for (size_t i = 0; i < work->def->n_fields && err == ERR_OK; i++) {
        if (is_exported(work, i)) {
            buf_clear(&cell);
            if (field_is_seen(&work->def->fields[i], roles)) {
                err = print_cell(work, row, i, &cell);
            }
            csv_put(export->to, false, buf_str(&cell));
        }
    }
    if (work->def->n_states != 0) {
        csv_put(export->to, false, row_state_label(work->def, row[COLUMN_STATE].bytes));
    }
    csv_end_row(export->to);
    buf_fini(&cell);
    return err != ERR_OK ? err : buf_err(export->to);
}

/* The act first: what was exported is told of, also where the answer is lost on its way. */
static enum err note_step(struct work *work, void *context)
{
    const struct act_entry entry = {.act = ACT_taken, .area = work->def->name};
    (void)context;
    if (!work->actor->operator&&
         permit_widest(work->actor->roles, work->def->area, VERB_take) == SCOPE_NONE) {
        return permit_widest(work->actor->roles, work->def->area, VERB_see) == SCOPE_NONE
                   ? ERR_NOT_FOUND
                   : ERR_DENIED;
    }
    return audit_append(work->engine->store, work->engine->keys, work->actor, &entry, NULL);
}

static enum err export_step(struct work *work, void *context)
{
    struct export *export = context;
    struct listing listing;
    export->to->len = export->start;
    ERR_TRY(listing_start(work, export->query, VERB_take, &listing));
    csv_begin(export->to);
    put_heads(work, export->to);
    ERR_TRY(listing_rows(work, &listing, ROWS_MAX, 0, put_row, export));
    return buf_err(export->to);
}

enum err engine_export_csv(struct engine *engine, const struct actor *actor,
                           const struct register_def *def, const struct engine_query *query,
                           struct buf *to)
{
    struct export export = {.query = query, .to = to, .start = to->len};
    ERR_TRY(work_write(engine, actor, def, note_step, NULL, NULL));
    return work_read(engine, actor, def, export_step, &export);
}

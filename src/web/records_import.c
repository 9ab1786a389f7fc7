/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import: a table is tried first, and what its columns are taken for and what would become of each
 * row is shown; it is then sent again, as the person corrected it, and taken. */
#include "web/records_import_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/csv.h"

enum { COLUMN_NAME_MAX = 32, FIELD_NAME_MAX = 128 };
_Static_assert(ENGINE_IMPORT_ROWS_MAX == 5000, "as a sentence below says");

static bool may_bring(struct web_exchange *exchange, const struct register_def *def)
{
    if (def == NULL) {
        (void)page_err(exchange, ERR_NOT_FOUND);
        return false;
    }
    if (permit_widest(exchange->actor.roles, def->area, VERB_bring) == SCOPE_NONE) {
        (void)page_err(exchange, ERR_DENIED);
        return false;
    }
    return true;
}

/* ---- what the form says of the table ---- */

static void plan_columns(struct web_exchange *exchange, json_t *plan)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < CSV_CELLS_MAX; i++) {
        char name[COLUMN_NAME_MAX];
        (void)snprintf(name, sizeof(name), "column-%zu", i);
        if (!form_has(exchange, str_from(name))) {
            break;
        }
        (void)json_array_append_new(columns, document_text(form_text(exchange, str_from(name))));
    }
    (void)json_object_set_new(plan, "columns", columns);
}

static void plan_all(struct web_exchange *exchange, const struct register_def *def, json_t *plan)
{
    json_t *all = document_object(plan, "all");
    for (size_t i = 0; i < def->n_fields; i++) {
        struct buf name;
        buf_init(&name, FIELD_NAME_MAX);
        buf_append(&name, STR("all-"));
        buf_append(&name, def->fields[i].name);
        struct str value = str_trim_space(form_text(exchange, buf_str(&name)));
        buf_fini(&name);
        if (value.len != 0) {
            document_put_str(all, def->fields[i].name, value);
        }
    }
}

/* NULL: a table that names its columns as Lodge does (docs/schema.md, "In the API"). */
static json_t *read_plan(struct web_exchange *exchange, const struct register_def *def, bool sure)
{
    bool shown = form_has(exchange, STR("column-0"));
    if (!shown && (exchange->wants_json || sure)) {
        return NULL;
    }
    json_t *plan = json_object();
    plan_columns(exchange, plan);
    plan_all(exchange, def, plan);
    document_put_bool(plan, "skip", str_eq(form_text(exchange, STR("skip")), STR("yes")));
    return plan;
}

/* What is taken is what was shown: anything else is shown first. */
static bool was_shown(struct web_exchange *exchange, const json_t *plan)
{
    char *now = json_dumps(plan, JSON_COMPACT | JSON_SORT_KEYS);
    bool same = now != NULL && str_eq(form_text(exchange, STR("seen")), str_from(now));
    free(now);
    return same;
}

/* ---- the pages ---- */

static enum web_next answer_fault(struct web_exchange *exchange, const struct register_def *def,
                                  struct str fault)
{
    json_t *document = records_import_document(exchange, def);
    document_put(document, "fault", fault);
    json_t *error = document_add(document_list(document, "errors"));
    document_put(error, "text", fault);
    document_put(error, "href", STR("#file"));
    document_put(document, "error", fault);
    return page_answer(exchange, 422, view_records_import, document);
}

enum web_next web_records_import(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    return may_bring(exchange, def) ? page_answer(exchange, 200, view_records_import,
                                                  records_import_document(exchange, def))
                                    : WEB_DONE;
}

/* The table as text that a page can hold. */
static struct str decoded(struct web_exchange *exchange, struct str csv)
{
    struct csv table;
    struct str text = STR("");
    if (csv_open(csv, &table) == ERR_OK) {
        text = arena_dup(exchange->arena, buf_str(&table.text));
    }
    csv_close(&table);
    return text;
}

static enum web_next answer_taken(struct web_exchange *exchange, const struct register_def *def,
                                  const json_t *report)
{
    struct buf words;
    buf_init(&words, 256);
    buf_printf(&words, "Imported: %lld added, %lld changed, %lld left as they were",
               (long long)document_number(report, "made"),
               (long long)document_number(report, "changed"),
               (long long)document_number(report, "same"));
    if (document_number(report, "refused") != 0) {
        buf_printf(&words, ", %lld left out", (long long)document_number(report, "refused"));
    }
    buf_append_byte(&words, '.');
    page_flash(exchange, STR("success"), buf_str(&words));
    buf_fini(&words);
    return page_redirect(exchange, records_path(exchange, def, STR(""), ""));
}

static enum web_next import(struct web_exchange *exchange, const struct register_def *def,
                            struct str csv, const json_t *plan, bool sure)
{
    struct engine engine = records_engine(exchange);
    const struct engine_import asked = {.csv = csv, .plan = plan, .dry = !sure};
    json_t *report = NULL;
    enum err err = engine_import_csv(&engine, &exchange->actor, def, &asked, &report);
    if (err == ERR_LIMIT) {
        return answer_fault(exchange, def,
                            STR("This table has more than 5,000 rows, or is too big. Nothing was "
                                "taken. Split it into parts of at most 5,000 rows, each with the "
                                "row of headings, and import them one after the other"));
    }
    if (err == ERR_INVALID && report == NULL) {
        return answer_fault(
            exchange, def,
            STR("This is no CSV that can be read. Save it as CSV (UTF-8) and try again"));
    }
    if (err != ERR_OK && err != ERR_INVALID) {
        json_decref(report);
        return page_err(exchange, err);
    }
    if (sure && err == ERR_OK) {
        enum web_next next = answer_taken(exchange, def, report);
        json_decref(report);
        return next;
    }
    const struct records_import tried = {
        .def = def,
        .report = report,
        .plan = plan,
        .csv = exchange->wants_json ? STR("") : decoded(exchange, csv),
        .good = err == ERR_OK,
        .first = !form_has(exchange, STR("column-0")),
    };
    return records_import_show(exchange, &tried);
}

enum web_next web_records_import_csv(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct form_file file;
    if (!may_bring(exchange, def)) {
        return WEB_DONE;
    }
    bool sure = str_eq(form_text(exchange, STR("sure")), STR("yes"));
    struct str csv =
        form_file(exchange, STR("file"), &file) ? file.bytes : form_text(exchange, STR("csv"));
    if (csv.len == 0) {
        return answer_fault(exchange, def, STR("Choose a file, or put its rows here"));
    }
    json_t *plan = read_plan(exchange, def, sure);
    bool shown = plan == NULL || exchange->wants_json || was_shown(exchange, plan);
    enum web_next next = import(exchange, def, csv, plan, sure && shown);
    json_decref(plan);
    return next;
}

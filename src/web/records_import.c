/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import: a CSV is tried first, and what it would do is shown; then it is sent again and taken. */
#include "web/records_impl.h"
#include "web/views.h"

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

static enum web_next show(struct web_exchange *exchange, unsigned status,
                          const struct register_def *def, json_t *report, struct str csv,
                          struct str fault)
{
    json_t *document = records_document(exchange, def, STR("Import"), NULL);
    records_crumb(document, STR("Import"), STR(""));
    json_t *columns = document_list(document, "columns");
    for (size_t i = 0; i < def->n_fields; i++) {
        json_t *column = document_add(columns);
        document_put(column, "name", def->fields[i].name);
        document_put(column, "label", def->fields[i].label);
        document_put_bool(column, "required", def->fields[i].required);
    }
    document_put(document, "path", records_path(exchange, def, STR(""), "/import"));
    document_put(document, "back", records_path(exchange, def, STR(""), ""));
    document_put(document, "fault", fault);
    if (fault.len != 0) {
        json_t *error = document_add(document_list(document, "errors"));
        document_put(error, "text", fault);
        document_put(error, "href", STR("#file"));
        document_put(document, "error", fault);
    }
    if (report != NULL) {
        bool clean = json_array_size(json_object_get(report, "faults")) == 0;
        document_put_bool(document, "clean", clean);
        (void)json_object_set_new(document, "report", report);
        if (clean && !exchange->wants_json) {
            document_put(document, "csv", csv); /* sent again when it is confirmed */
        }
    }
    return page_answer(exchange, status, view_records_import, document);
}

enum web_next web_records_import(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    return may_bring(exchange, def) ? show(exchange, 200, def, NULL, STR(""), STR("")) : WEB_DONE;
}

enum web_next web_records_import_csv(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct engine engine = records_engine(exchange);
    struct form_file file;
    json_t *report = NULL;
    if (!may_bring(exchange, def)) {
        return WEB_DONE;
    }
    bool sure = str_eq(form_text(exchange, STR("sure")), STR("yes"));
    struct str csv =
        form_file(exchange, STR("file"), &file) ? file.bytes : form_text(exchange, STR("csv"));
    if (csv.len == 0) {
        return show(exchange, 422, def, NULL, csv, STR("Choose a file, or put its rows here"));
    }
    enum err err = engine_import_csv(&engine, &exchange->actor, def, csv, !sure, &report);
    if (err == ERR_LIMIT) {
        return show(exchange, 422, def, NULL, csv, STR("This file is too long. Take it in parts"));
    }
    if (err == ERR_INVALID && report == NULL) {
        return show(exchange, 422, def, NULL, csv,
                    STR("This is no CSV that can be read. Save it as CSV (UTF-8) and try again"));
    }
    bool faulty = json_array_size(json_object_get(report, "faults")) != 0;
    if (err != ERR_OK && !(err == ERR_INVALID && faulty)) {
        json_decref(report);
        return page_err(exchange, err);
    }
    if (!sure || faulty) {
        return show(exchange, faulty ? 422 : 200, def, report, csv, STR(""));
    }
    json_decref(report);
    page_flash(exchange, STR("success"), STR("The file was imported."));
    return page_redirect(exchange, records_path(exchange, def, STR(""), ""));
}

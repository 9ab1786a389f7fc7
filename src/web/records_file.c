/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of records. Before one is taken the form asks what it shows: at yes or not sure no upload
 * is opened, and the page of K9 stands there. */
#include "web/records_impl.h"
#include "web/views.h"

/* The file field that the address names; NULL: none, or not this person's to see. */
static const struct register_field *field_of(const struct register_def *def, const json_t *record,
                                             struct str name)
{
    size_t i = register_field_find(def, name);
    bool is_file = i < def->n_fields && def->fields[i].type == FIELD_FILE;
    bool seen = document_member(json_object_get(record, "fields"), name) != NULL;
    return is_file && seen ? &def->fields[i] : NULL;
}

enum step { STEP_ASK, STEP_UPLOAD, STEP_K9 };

static enum web_next show(struct web_exchange *exchange, unsigned status, enum step step,
                          const struct register_def *def, const struct register_field *field,
                          const json_t *record, struct str fault)
{
    json_t *document = records_document(exchange, def, field->label, record);
    records_crumb(document, field->label, STR(""));
    document_put(document, "of", document_get(record, "title"));
    document_put(document, "label", field->label);
    document_put(document, "hint", field->hint);
    document_put(document, "fault", fault);
    document_put(document, "back", records_path(exchange, def, document_get(record, "id"), ""));
    document_put_number(document, "version", document_number(record, "version"));
    document_put_number(document, "megabytes", ENGINE_FILE_BYTES / (1024 * 1024));
    if (fault.len != 0) {
        json_t *error = document_add(document_list(document, "errors"));
        document_put(error, "text", fault);
        document_put(error, "href", step == STEP_UPLOAD ? STR("#file") : STR("#k9"));
        document_put(document, "error", fault);
    }
    return page_answer(exchange, status,
                       step == STEP_ASK      ? view_records_file
                       : step == STEP_UPLOAD ? view_records_upload
                                             : view_records_k9,
                       document);
}

/* The record and its field; NULL: answered. */
static json_t *load(struct web_exchange *exchange, const struct register_def **ret_def,
                    const struct register_field **ret_field)
{
    *ret_def = records_def(exchange);
    json_t *record = records_load(exchange, *ret_def);
    if (record == NULL) {
        return NULL;
    }
    *ret_field = field_of(*ret_def, record, exchange->parameters[2]);
    bool changes = document_is(json_object_get(record, "may"), "change");
    if (*ret_field == NULL || !changes) {
        json_decref(record);
        (void)page_err(exchange, *ret_field == NULL ? ERR_NOT_FOUND : ERR_DENIED);
        return NULL;
    }
    return record;
}

enum web_next web_records_file_ask(struct web_exchange *exchange)
{
    const struct register_def *def;
    const struct register_field *field;
    json_t *record = load(exchange, &def, &field);
    if (record == NULL) {
        return WEB_DONE;
    }
    enum web_next next = show(exchange, 200, STEP_ASK, def, field, record, STR(""));
    json_decref(record);
    return next;
}

static enum err keep(struct web_exchange *exchange, const struct register_def *def,
                     const struct register_field *field, const struct form_file *file,
                     json_t **ret_faults)
{
    struct engine engine = records_engine(exchange);
    struct record_id id;
    ERR_TRY(engine_file_keep(&engine, &exchange->actor, def, form_text(exchange, STR("k9")),
                             file->name, file->type, file->bytes, &id));
    json_t *input = json_object();
    document_put_str(input, field->name, str_from(id.text));
    enum err err = engine_change(&engine, &exchange->actor, def, exchange->parameters[1],
                                 records_version(exchange), input, STR(""), ret_faults);
    json_decref(input);
    return err;
}

static struct str fault_of(enum err err, const json_t *faults, struct str field)
{
    struct str told = document_get_str(faults, field);
    return told.len != 0 ? told
           : err == ERR_CONFLICT
               ? STR("Somebody else changed the record while you were choosing. Look at it, then "
                     "choose the file again if it should still be added")
           : err == ERR_LIMIT ? STR("This file is too big. Make it smaller, or take a part of it")
                              : STR("This file cannot be taken. Programs and empty files are not; "
                                    "save it as a picture, a document or a PDF");
}

enum web_next web_records_file_add(struct web_exchange *exchange)
{
    const struct register_def *def;
    const struct register_field *field;
    json_t *record = load(exchange, &def, &field);
    struct form_file file;
    json_t *faults = NULL;
    if (record == NULL) {
        return WEB_DONE;
    }
    struct str id = exchange->parameters[1];
    struct str k9 = form_text(exchange, STR("k9"));
    enum web_next next;
    if (k9.len == 0) {
        next = show(exchange, 422, STEP_ASK, def, field, record,
                    STR("Say whether it could show a child like that"));
    } else if (!str_eq(k9, STR("no"))) {
        next = show(exchange, 200, STEP_K9, def, field, record, STR(""));
    } else if (!form_file(exchange, STR("file"), &file)) {
        bool tried = form_has(exchange, STR("tried"));
        next = show(exchange, tried ? 422 : 200, STEP_UPLOAD, def, field, record,
                    tried ? STR("Choose a file") : STR(""));
    } else {
        enum err err = keep(exchange, def, field, &file, &faults);
        if (err == ERR_CONFLICT || err == ERR_LIMIT || err == ERR_INVALID) {
            next = show(exchange, err == ERR_CONFLICT ? 409 : 422, STEP_UPLOAD, def, field, record,
                        fault_of(err, faults, field->name));
        } else if (err != ERR_OK) {
            next = page_err(exchange, err);
        } else {
            next = page_redirect(exchange, records_path(exchange, def, id, "?done=changed"));
        }
    }
    json_decref(faults);
    json_decref(record);
    return next;
}

enum web_next web_records_file(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct engine engine = records_engine(exchange);
    struct str name, type;
    struct buf bytes;
    if (def == NULL) {
        return page_err(exchange, ERR_NOT_FOUND);
    }
    buf_init(&bytes, ENGINE_FILE_BYTES + 1);
    enum err err = engine_file_read(&engine, &exchange->actor, def, exchange->parameters[1],
                                    exchange->parameters[2], exchange->arena, &name, &type, &bytes);
    /* Offered for saving, never shown: no preview of evidence is made. */
    enum web_next next =
        err == ERR_OK
            ? page_bytes(exchange, type, name.len != 0 ? name : STR("file"), buf_str(&bytes))
            : page_err(exchange, err);
    buf_fini(&bytes);
    return next;
}

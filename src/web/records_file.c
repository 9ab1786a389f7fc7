/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of records. Before one is taken the form asks what it shows: at yes or not sure no upload
 * is opened, and the page of K9 stands there. Whoever may change a record adds and replaces;
 * whoever made it may add one where there is none (records/attach.h), which tells nothing of the
 * record. */
#include "records/attach.h"
#include "web/records_impl.h"
#include "web/views.h"

/* What a file is to be added to. */
struct adding {
    const struct register_def *def;
    const struct register_field *field;
    json_t *record; /* NULL: one's own, which one does not change, and may not see */
};

enum step { STEP_ASK, STEP_UPLOAD, STEP_K9 };

static struct str back_of(struct web_exchange *exchange, const struct adding *adding)
{
    return records_path(exchange, adding->def, exchange->parameters[1],
                        adding->record != NULL ? "" : "/received");
}

static enum web_next show(struct web_exchange *exchange, unsigned status, enum step step,
                          const struct adding *adding, struct str fault)
{
    const struct register_field *field = adding->field;
    const json_t *record = adding->record;
    json_t *document = records_document(exchange, adding->def, field->label, record);
    records_crumb(document, field->label, STR(""));
    document_put(document, "of",
                 record != NULL ? document_get(record, "title")
                                : records_number(exchange, exchange->parameters[1]));
    document_put(document, "label", field->label);
    document_put(document, "hint", field->hint);
    document_put(document, "fault", fault);
    document_put(document, "back", back_of(exchange, adding));
    document_put_bool(document, "receipt", record == NULL);
    document_put_number(document, "version",
                        record != NULL ? document_number(record, "version") : 0);
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

/* The file field that the address names; NULL: none, or not this person's to see. */
static const struct register_field *field_of(const struct register_def *def, const json_t *record,
                                             struct str name)
{
    size_t i = register_field_find(def, name);
    bool is_file = i < def->n_fields && def->fields[i].type == FIELD_FILE;
    bool seen = document_member(json_object_get(record, "fields"), name) != NULL;
    return is_file && seen ? &def->fields[i] : NULL;
}

/* Whether it is a field of one's own record that takes a file from whoever made it. */
static enum err takes_own(struct web_exchange *exchange, struct adding *adding)
{
    struct engine engine = records_engine(exchange);
    json_t *fields;
    size_t i;
    json_t *one;
    ERR_TRY(
        attach_fields(&engine, &exchange->actor, adding->def, exchange->parameters[1], &fields));
    json_array_foreach(fields, i, one)
    {
        if (str_eq(document_get(one, "name"), exchange->parameters[2])) {
            size_t at = register_field_find(adding->def, exchange->parameters[2]);
            adding->field = &adding->def->fields[at];
        }
    }
    json_decref(fields);
    return adding->field != NULL ? ERR_OK : ERR_DENIED;
}

/* The record and its field. False: answered. */
static bool load(struct web_exchange *exchange, struct adding *ret_adding)
{
    struct engine engine = records_engine(exchange);
    struct adding adding = {.def = records_def(exchange)};
    json_t *record = NULL;
    enum err err = adding.def != NULL ? engine_get(&engine, &exchange->actor, adding.def,
                                                   exchange->parameters[1], &record)
                                      : ERR_NOT_FOUND;
    if (err == ERR_OK && document_is(json_object_get(record, "may"), "change")) {
        adding.field = field_of(adding.def, record, exchange->parameters[2]);
        adding.record = adding.field != NULL ? record : NULL;
        err = adding.field != NULL ? ERR_OK : ERR_NOT_FOUND;
    } else if (adding.def != NULL && (err == ERR_OK || err == ERR_NOT_FOUND)) {
        enum err seen = err == ERR_OK ? ERR_DENIED : ERR_NOT_FOUND;
        err = takes_own(exchange, &adding);
        err = err == ERR_NOT_FOUND || err == ERR_DENIED ? seen : err;
    }
    if (adding.record == NULL) {
        json_decref(record);
    }
    if (err != ERR_OK) {
        (void)page_err(exchange, err);
        return false;
    }
    *ret_adding = adding;
    return true;
}

enum web_next web_records_file_ask(struct web_exchange *exchange)
{
    struct adding adding;
    if (!load(exchange, &adding)) {
        return WEB_DONE;
    }
    enum web_next next = show(exchange, 200, STEP_ASK, &adding, STR(""));
    json_decref(adding.record);
    return next;
}

static enum err keep(struct web_exchange *exchange, const struct adding *adding,
                     const struct form_file *file, json_t **ret_faults)
{
    struct engine engine = records_engine(exchange);
    const struct register_def *def = adding->def;
    struct str record = exchange->parameters[1];
    struct record_id id;
    ERR_TRY(engine_file_keep(&engine, &exchange->actor, def, form_text(exchange, STR("k9")),
                             file->name, file->type, file->bytes, &id));
    if (adding->record == NULL) {
        return attach_file(&engine, &exchange->actor, def, record, adding->field->name,
                           str_from(id.text), ret_faults);
    }
    json_t *input = json_object();
    document_put_str(input, adding->field->name, str_from(id.text));
    enum err err = engine_change(&engine, &exchange->actor, def, record, records_version(exchange),
                                 input, STR(""), ret_faults);
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

static enum web_next take(struct web_exchange *exchange, const struct adding *adding,
                          const struct form_file *file)
{
    json_t *faults = NULL;
    enum web_next next;
    enum err err = keep(exchange, adding, file, &faults);
    if (err == ERR_CONFLICT || err == ERR_LIMIT || err == ERR_INVALID) {
        next = show(exchange, err == ERR_CONFLICT ? 409 : 422, STEP_UPLOAD, adding,
                    fault_of(err, faults, adding->field->name));
    } else if (err != ERR_OK) {
        next = page_err(exchange, err);
    } else {
        next = records_done(exchange, adding->def, exchange->parameters[1],
                            adding->record != NULL ? "?done=changed" : "/received?done=added");
    }
    json_decref(faults);
    return next;
}

enum web_next web_records_file_add(struct web_exchange *exchange)
{
    struct adding adding;
    struct form_file file;
    if (!load(exchange, &adding)) {
        return WEB_DONE;
    }
    struct str k9 = form_text(exchange, STR("k9"));
    enum web_next next;
    if (k9.len == 0) {
        next = show(exchange, 422, STEP_ASK, &adding,
                    STR("Say whether it could show a child like that"));
    } else if (!str_eq(k9, STR("no"))) {
        next = show(exchange, 200, STEP_K9, &adding, STR(""));
    } else if (!form_file(exchange, STR("file"), &file)) {
        bool tried = form_has(exchange, STR("tried"));
        next = show(exchange, tried ? 422 : 200, STEP_UPLOAD, &adding,
                    tried ? STR("Choose a file") : STR(""));
    } else {
        next = take(exchange, &adding, &file);
    }
    json_decref(adding.record);
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

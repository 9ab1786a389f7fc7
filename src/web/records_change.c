/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of records: new, edit, move, dispose. What was typed always comes back. */
#include "web/records_impl.h"
#include "web/views.h"

enum { TEXT_MAX = 1024 };

/* One form that is being answered. */
struct saving {
    const struct register_def *def;
    json_t *record; /* NULL: a new one */
    json_t *input;
    json_t *faults;
    json_t *choices;
};

static void fini(struct saving *saving)
{
    json_decref(saving->record);
    json_decref(saving->input);
    json_decref(saving->faults);
    json_decref(saving->choices);
}

static bool may_make(const struct web_exchange *exchange, const struct register_def *def)
{
    return permit_widest(exchange->actor.roles, def->area, VERB_make) > SCOPE_NONE;
}

/* What was typed as the reason, and what is wrong with it. Behind the list of errors. */
static void put_reason(struct web_exchange *exchange, json_t *document, const struct saving *saving)
{
    struct str fault = document_get(saving->faults, "reason");
    document_put(document, "reason", form_text(exchange, STR("reason")));
    document_put(document, "reason_fault", fault);
    if (fault.len != 0) {
        json_t *error = document_add(json_object_get(document, "errors"));
        document_put(error, "text", fault);
        document_put(error, "href", STR("#reason"));
    }
}

/* The form again, with what was typed. */
static enum web_next show_form(struct web_exchange *exchange, unsigned status, struct str title,
                               struct saving *saving)
{
    const struct register_def *def = saving->def;
    json_t *document = records_document(exchange, def, title, saving->record);
    struct str id = document_get(saving->record, "id");
    records_crumb(document, title, STR(""));
    records_form_fill(exchange, document,
                      &(struct records_form){.def = def,
                                             .record = saving->record,
                                             .typed = saving->input,
                                             .faults = saving->faults,
                                             .choices = saving->choices,
                                             .roles = exchange->actor.roles});
    document_put(document, "back", records_path(exchange, def, id, ""));
    document_put_bool(document, "fresh", saving->record == NULL);
    document_put(document, "of", document_get(saving->record, "title"));
    if (str_eq(document_get(saving->record, "look"), STR("needed"))) {
        const struct str values[] = {def->plural, id, exchange->request->path};
        document_put(document, "look", web_path(exchange, "/records/%/%/look?next=%", values, 3));
    }
    document_put_bool(document, "conflict", document_is(saving->input, "conflict"));
    put_reason(exchange, document, saving);
    if (saving->record != NULL) {
        document_put_number(document, "version", document_number(saving->record, "version"));
    }
    if (status != 200) {
        document_put(document, "error", STR("Nothing was saved: some fields are not right."));
        (void)json_object_set(document, "faults", saving->faults);
    }
    fini(saving);
    return page_answer(exchange, status, view_records_form, document);
}

static struct str new_title(struct web_exchange *exchange, const struct register_def *def)
{
    struct buf text;
    buf_init(&text, 256);
    buf_append(&text, STR("New "));
    buf_append(&text, records_noun(exchange, def));
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

/* ---- new ---- */

enum web_next web_records_new(struct web_exchange *exchange)
{
    struct saving saving = {.def = records_def(exchange)};
    if (saving.def == NULL) {
        return page_err(exchange, ERR_NOT_FOUND);
    }
    if (!may_make(exchange, saving.def)) {
        return page_err(exchange, ERR_DENIED);
    }
    /* Whom or what it is about may be said by the page that led here. */
    struct str about = query_text(exchange, STR("about"));
    if (about.len != 0 && saving.def->about < saving.def->n_fields) {
        saving.input = json_object();
        const struct register_field *field = &saving.def->fields[saving.def->about];
        document_put_str(saving.input, field->name, about);
    }
    return show_form(exchange, 200, new_title(exchange, saving.def), &saving);
}

/* Finds the names that were typed; ERR_INVALID where one was not found or is not clear. */
static enum err choose(struct web_exchange *exchange, struct saving *saving)
{
    saving->faults = json_object();
    saving->choices = json_object();
    ERR_TRY(records_choose(exchange, saving->def, &saving->input, saving->faults, saving->choices));
    return ERR_OK;
}

/* What the engine found wrong beside what the names' search did; that stands first. */
static void add_faults(struct saving *saving, json_t *faults)
{
    if (faults != NULL) {
        (void)json_object_update_missing(saving->faults, faults);
        json_decref(faults);
    }
}

static bool is_refused(const struct saving *saving, enum err err)
{
    return err == ERR_INVALID || (err == ERR_OK && json_object_size(saving->faults) != 0);
}

enum web_next web_records_make(struct web_exchange *exchange)
{
    struct saving saving = {.def = records_def(exchange)};
    struct engine engine = records_engine(exchange);
    struct record_id id;
    json_t *faults = NULL;
    if (saving.def == NULL) {
        return page_err(exchange, ERR_NOT_FOUND);
    }
    enum err err = choose(exchange, &saving);
    /* A name that is not clear is a fault, but the other fields are looked at all the same. */
    bool unclear = json_object_size(saving.faults) != 0;
    if (err == ERR_OK && !unclear) {
        err = engine_make(&engine, &exchange->actor, saving.def, saving.input, &id, &faults);
        add_faults(&saving, faults);
    }
    if (is_refused(&saving, err)) {
        return show_form(exchange, 422, new_title(exchange, saving.def), &saving);
    }
    fini(&saving);
    return err != ERR_OK
               ? page_err(exchange, err)
               : page_redirect(exchange,
                               records_after_making(exchange, saving.def,
                                                    arena_dup(exchange->arena, str_from(id.text))));
}

/* ---- edit ---- */

static enum web_next to_look(struct web_exchange *exchange, struct saving *saving)
{
    struct str here = exchange->request->path;
    struct str id = document_get(saving->record, "id");
    const struct str values[] = {saving->def->plural, id, here};
    struct str path = web_path(exchange, "/records/%/%/look?next=%", values, 3);
    fini(saving);
    return page_redirect(exchange, path);
}

/* The record as it is now, where it is still there. */
static void reload(struct web_exchange *exchange, struct saving *saving)
{
    struct engine engine = records_engine(exchange);
    json_t *record = NULL;
    if (engine_get(&engine, &exchange->actor, saving->def, exchange->parameters[1], &record) ==
        ERR_OK) {
        json_decref(saving->record);
        saving->record = record;
    }
}

static enum web_next load_to_change(struct web_exchange *exchange, struct saving *saving,
                                    bool *ret_go_on)
{
    *ret_go_on = false;
    saving->def = records_def(exchange);
    saving->record = records_load(exchange, saving->def);
    if (saving->record == NULL) {
        return WEB_DONE;
    }
    if (!document_is(json_object_get(saving->record, "may"), "change")) {
        fini(saving);
        return page_err(exchange, ERR_DENIED);
    }
    *ret_go_on = true;
    return WEB_DONE;
}

enum web_next web_records_edit(struct web_exchange *exchange)
{
    struct saving saving = {0};
    bool go_on;
    enum web_next next = load_to_change(exchange, &saving, &go_on);
    return go_on ? show_form(exchange, 200, STR("Change"), &saving) : next;
}

enum web_next web_records_change(struct web_exchange *exchange)
{
    struct saving saving = {0};
    struct engine engine = records_engine(exchange);
    struct str id = exchange->parameters[1];
    json_t *faults = NULL;
    bool go_on;
    enum web_next next = load_to_change(exchange, &saving, &go_on);
    if (!go_on) {
        return next;
    }
    enum err err = choose(exchange, &saving);
    if (err == ERR_OK && json_object_size(saving.faults) == 0) {
        err = engine_change(&engine, &exchange->actor, saving.def, id, records_version(exchange),
                            saving.input, form_text(exchange, STR("reason")), &faults);
        add_faults(&saving, faults);
    }
    if (err == ERR_CONFLICT) {
        reload(exchange, &saving);
        (void)json_object_set_new(saving.input, "conflict", json_true());
        return show_form(exchange, 409, STR("Somebody else changed it"), &saving);
    }
    if (is_refused(&saving, err)) {
        return show_form(exchange, 422, STR("Change"), &saving);
    }
    fini(&saving);
    return err != ERR_OK ? page_err(exchange, err)
                         : records_done(exchange, saving.def, id, "?done=changed");
}

/* ---- moves ---- */

static const struct register_move *move_of(const struct register_def *def, struct str name)
{
    for (size_t i = 0; i < def->n_moves; i++) {
        if (str_eq(def->moves[i].name, name)) {
            return &def->moves[i];
        }
    }
    return NULL;
}

/* The moves that the record offers this person hold what is allowed now. */
static bool is_offered(const json_t *record, struct str name)
{
    size_t i;
    json_t *move;
    json_array_foreach(json_object_get(json_object_get(record, "may"), "moves"), i, move)
    {
        if (str_eq(document_get(move, "name"), name)) {
            return true;
        }
    }
    return false;
}

/* Why it was not done: the record is another meanwhile. Where somebody else moved it on, the move
 * is over, but what was typed still stands there, to be copied. */
static void put_moved_on(struct web_exchange *exchange, const struct register_move *move,
                         const struct saving *saving, json_t *document)
{
    bool over = !is_offered(saving->record, move->name);
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (over) {
        buf_printf(&text,
                   "Somebody else changed this while you were working on it: it is now \u201c%.*s"
                   "\u201d. What you typed stands below; copy what the record still needs.",
                   STR_ARG(document_get(saving->record, "state_label")));
    } else {
        buf_append(&text, STR("Somebody else changed this while you were working on it. Look at "
                              "the record, and send this again if it should still be so."));
    }
    document_put(document_add(json_object_get(document, "errors")), "text",
                 arena_dup(exchange->arena, buf_str(&text)));
    document_put_bool(document, "over", over);
    buf_fini(&text);
}

static enum web_next show_move(struct web_exchange *exchange, unsigned status,
                               const struct register_move *move, struct saving *saving)
{
    const struct register_def *def = saving->def;
    struct str id = document_get(saving->record, "id");
    json_t *document = records_document(exchange, def, move->label, saving->record);
    records_crumb(document, move->label, STR(""));
    document_put(document, "of", document_get(saving->record, "title"));
    document_put(document, "to", def->states[move->to].label);
    document_put_bool(document, "asks_reason", move->reason);
    document_put(document, "back", records_path(exchange, def, id, ""));
    document_put_number(document, "version", document_number(saving->record, "version"));
    (void)document_list(document, "errors");
    put_reason(exchange, document, saving);
    if (status == 409) {
        put_moved_on(exchange, move, saving, document);
    }
    if (move->demands != 0) {
        records_form_fill(exchange, document,
                          &(struct records_form){.def = def,
                                                 .record = saving->record,
                                                 .typed = saving->input,
                                                 .faults = saving->faults,
                                                 .choices = saving->choices,
                                                 .only = move->demands,
                                                 .roles = exchange->actor.roles});
    }
    if (status != 200) {
        document_put(document, "error",
                     status == 409 ? STR("Nothing was changed: somebody else changed it meanwhile.")
                                   : STR("Nothing was changed: something is missing."));
        (void)json_object_set(document, "faults", saving->faults);
    }
    fini(saving);
    return page_answer(exchange, status, view_records_move, document);
}

static enum web_next load_to_move(struct web_exchange *exchange, struct saving *saving,
                                  const struct register_move **ret_move)
{
    *ret_move = NULL;
    saving->def = records_def(exchange);
    saving->record = records_load(exchange, saving->def);
    if (saving->record == NULL) {
        return WEB_DONE;
    }
    struct str name = exchange->parameters[2];
    const struct register_move *move = move_of(saving->def, name);
    bool asks = exchange->request->method == WEB_GET;
    if (move == NULL || (asks && !is_offered(saving->record, name))) {
        fini(saving);
        return page_err(exchange, move == NULL ? ERR_NOT_FOUND : ERR_DENIED);
    }
    if (asks && move->demands != 0 && str_eq(document_get(saving->record, "look"), STR("needed"))) {
        return to_look(exchange, saving);
    }
    *ret_move = move;
    return WEB_DONE;
}

enum web_next web_records_move(struct web_exchange *exchange)
{
    struct saving saving = {0};
    const struct register_move *move;
    enum web_next next = load_to_move(exchange, &saving, &move);
    return move != NULL ? show_move(exchange, 200, move, &saving) : next;
}

enum web_next web_records_moved(struct web_exchange *exchange)
{
    struct saving saving = {0};
    struct engine engine = records_engine(exchange);
    const struct register_move *move;
    struct str id = exchange->parameters[1];
    json_t *faults = NULL;
    enum web_next next = load_to_move(exchange, &saving, &move);
    if (move == NULL) {
        return next;
    }
    enum err err = choose(exchange, &saving);
    /* A move that is not open now is refused, or a conflict: the engine knows which. */
    bool over = !is_offered(saving.record, move->name);
    if (err == ERR_OK && (over || json_object_size(saving.faults) == 0)) {
        err = engine_move(&engine, &exchange->actor, saving.def, id, records_version(exchange),
                          move->name, saving.input, form_text(exchange, STR("reason")), &faults);
        add_faults(&saving, faults);
    }
    if (err == ERR_CONFLICT || is_refused(&saving, err)) {
        reload(exchange, &saving);
        return show_move(exchange, err == ERR_CONFLICT ? 409 : 422, move, &saving);
    }
    fini(&saving);
    return err != ERR_OK ? page_err(exchange, err)
                         : records_done(exchange, saving.def, id, "?done=moved");
}

/* ---- disposal ---- */

static enum web_next show_dispose(struct web_exchange *exchange, unsigned status,
                                  struct saving *saving)
{
    struct str id = document_get(saving->record, "id");
    json_t *document = records_document(exchange, saving->def, STR("Dispose of"), saving->record);
    records_crumb(document, STR("Dispose of"), STR(""));
    json_t *reasons = document_list(document, "reasons");
    size_t i;
    json_t *reason;
    json_array_foreach(json_object_get(json_object_get(saving->record, "may"), "dispose_for"), i,
                       reason)
    {
        json_t *item = document_add(reasons);
        struct str value = document_get(reason, "value");
        document_put(item, "value", value);
        document_put(item, "text", document_get(reason, "label"));
        document_put_bool(item, "checked", str_eq(value, form_text(exchange, STR("reason"))));
    }
    json_t *errors = document_list(document, "errors");
    if (status == 409) {
        document_put(document_add(errors), "text",
                     STR("Somebody else changed this while you were working on it. Look at the "
                         "record, and send this again if it should still be destroyed."));
    }
    const char *name;
    json_t *fault;
    json_object_foreach(saving->faults, name, fault)
    {
        json_t *error = document_add(errors);
        document_put(error, "text", str_from(json_string_value(fault)));
        document_put(error, "href",
                     str_eq(str_from(name), STR("sure")) ? STR("#sure") : STR("#reason"));
        document_put(document, str_eq(str_from(name), STR("sure")) ? "sure_fault" : "fault",
                     str_from(json_string_value(fault)));
    }
    document_put(document, "of", document_get(saving->record, "title"));
    document_put(document, "back", records_path(exchange, saving->def, id, ""));
    document_put_number(document, "version", document_number(saving->record, "version"));
    if (status != 200) {
        document_put(document, "error", STR("Nothing was destroyed."));
        (void)json_object_set(document, "faults", saving->faults);
    }
    fini(saving);
    return page_answer(exchange, status, view_records_dispose, document);
}

static bool load_to_dispose(struct web_exchange *exchange, struct saving *saving)
{
    saving->def = records_def(exchange);
    saving->record = records_load(exchange, saving->def);
    if (saving->record == NULL) {
        return false;
    }
    if (!document_is(json_object_get(saving->record, "may"), "dispose")) {
        fini(saving);
        (void)page_err(exchange, ERR_DENIED);
        return false;
    }
    return true;
}

enum web_next web_records_dispose(struct web_exchange *exchange)
{
    struct saving saving = {0};
    return load_to_dispose(exchange, &saving) ? show_dispose(exchange, 200, &saving) : WEB_DONE;
}

enum web_next web_records_disposed(struct web_exchange *exchange)
{
    struct saving saving = {0};
    struct engine engine = records_engine(exchange);
    json_t *faults = NULL;
    if (!load_to_dispose(exchange, &saving)) {
        return WEB_DONE;
    }
    saving.faults = json_object();
    struct str reason = form_text(exchange, STR("reason"));
    if (reason.len == 0) {
        document_put(saving.faults, "reason", STR("Choose why it may be destroyed"));
    }
    if (!str_eq(form_text(exchange, STR("sure")), STR("yes"))) {
        document_put(saving.faults, "sure", STR("Tick the box if you are sure"));
    }
    enum err err = ERR_OK;
    if (json_object_size(saving.faults) == 0) {
        err = engine_dispose(&engine, &exchange->actor, saving.def, exchange->parameters[1],
                             records_version(exchange), reason, &faults);
        add_faults(&saving, faults);
    }
    if (err == ERR_CONFLICT || is_refused(&saving, err)) {
        reload(exchange, &saving);
        return show_dispose(exchange, err == ERR_CONFLICT ? 409 : 422, &saving);
    }
    fini(&saving);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"), STR("The record is destroyed."));
    return records_done(exchange, saving.def, STR(""), "");
}

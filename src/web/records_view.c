/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One record: its page, its history, and what may be done with it. */
#include "web/records_impl.h"
#include "web/views.h"

enum { FAULT_MAX = 1024 };

/* ---- the page ---- */

/* A reference leads to its record, a file to itself. */
static struct str link_of(struct web_exchange *exchange, const struct register_def *def,
                          const struct register_field *field, const json_t *record)
{
    static const struct {
        enum field_type type;
        struct str plural;
    } rows[] = {
        {FIELD_PERSON, STR_INIT("people")},
        {FIELD_GROUP, STR_INIT("groups")},
        {FIELD_DEVICE, STR_INIT("devices")},
    };
    struct str value = document_get_str(json_object_get(record, "fields"), field->name);
    if (value.len == 0) {
        return STR("");
    }
    if (field->type == FIELD_FILE) {
        const struct str values[] = {def->plural, document_get(record, "id"), field->name};
        return web_path(exchange, "/records/%/%/file/%", values, 3);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type == field->type) {
            const struct str values[] = {rows[i].plural, value};
            return web_path(exchange, "/records/%/%", values, 2);
        }
    }
    return STR("");
}

static void add_file_action(struct web_exchange *exchange, const struct register_def *def,
                            const struct register_field *field, const json_t *record, bool filled,
                            json_t *row)
{
    const struct str values[] = {def->plural, document_get(record, "id"), field->name};
    json_t *actions = document_list(document_object(row, "actions"), "items");
    json_t *action = document_add(actions);
    document_put(action, "href", web_path(exchange, "/records/%/%/file/%/add", values, 3));
    document_put(action, "text", filled ? STR("Replace") : STR("Add a file"));
    document_put(action, "visuallyHiddenText", field->label);
}

static bool keeps_lines(const struct register_field *field)
{
    return field->type == FIELD_LONG_TEXT || field->type == FIELD_SEALED_TEXT;
}

/* Whether whoever made it may put a file where there is none. */
static bool takes_own(const json_t *adding, struct str name)
{
    size_t i;
    json_t *field;
    json_array_foreach(adding, i, field)
    {
        if (str_eq(document_get(field, "name"), name)) {
            return true;
        }
    }
    return false;
}

static void add_field(struct web_exchange *exchange, const struct register_def *def, size_t i,
                      const json_t *record, const json_t *adding, json_t *rows, json_t *empty)
{
    const struct register_field *field = &def->fields[i];
    const json_t *kept = document_member(json_object_get(record, "fields"), field->name);
    const json_t *shown = document_member(json_object_get(record, "shown"), field->name);
    if (kept == NULL) {
        return; /* not for this person */
    }
    struct str text = json_is_string(shown)
                          ? str_make(json_string_value(shown), json_string_length(shown))
                          : STR("");
    bool closed = shown == NULL && str_eq(document_get(record, "look"), STR("needed"));
    bool changes = document_is(json_object_get(record, "may"), "change");
    bool own = takes_own(adding, field->name);
    if (!closed && text.len == 0 && !(field->type == FIELD_FILE && changes) && !own) {
        if (changes) {
            json_array_append_new(empty, document_text(field->label));
        }
        return;
    }
    json_t *row = document_add(rows);
    json_t *value = document_object(row, "value");
    document_put(document_object(row, "key"), "text", field->label);
    document_put(value, "text", closed ? STR("Hidden until you give a reason") : text);
    document_put(value, "classes", closed || text.len == 0 ? STR("lodge-quiet") : STR(""));
    if (!closed && text.len == 0) {
        document_put(value, "text", STR("None"));
    }
    document_put_bool(value, "lines", keeps_lines(field));
    document_put_bool(value, "warns", field->warns && !closed && str_eq(text, STR("Yes")));
    if (!closed) {
        struct str href = link_of(exchange, def, field, record);
        if (href.len != 0) {
            document_put(value, "href", href);
        }
    }
    if ((field->type == FIELD_FILE && changes && !closed) || own) {
        add_file_action(exchange, def, field, record, text.len != 0, row);
    }
}

static void add_moves(struct web_exchange *exchange, const struct register_def *def,
                      const json_t *record, json_t *view)
{
    json_t *moves = document_list(view, "moves");
    size_t i;
    json_t *move;
    json_array_foreach(json_object_get(json_object_get(record, "may"), "moves"), i, move)
    {
        const struct str values[] = {def->plural, document_get(record, "id"),
                                     document_get(move, "name")};
        json_t *row = document_add(moves);
        document_put(row, "text", document_get(move, "label"));
        document_put(row, "href", web_path(exchange, "/records/%/%/move/%", values, 3));
    }
}

/* The first state is news, the last is done, those between are on their way. */
static struct str state_tag(const struct register_def *def, struct str state)
{
    for (size_t i = 0; i < def->n_states; i++) {
        if (str_eq(def->states[i].name, state)) {
            return i == 0                   ? STR("govuk-tag--blue")
                   : i + 1 == def->n_states ? STR("govuk-tag--grey")
                                            : STR("govuk-tag--yellow");
        }
    }
    return STR("govuk-tag--grey");
}

static void add_stamps(struct web_exchange *exchange, const json_t *record, json_t *view)
{
    static const char *const names[] = {"made", "changed"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *stamp = json_object_get(record, names[i]);
        json_t *shown = document_object(view, names[i]);
        struct str by = document_get(stamp, "name");
        document_put(shown, "when", records_when(exchange, document_number(stamp, "ms")));
        document_put(shown, "by", by.len != 0 ? by : STR("the operator"));
    }
}

/* What was done a moment ago, as the address says; only our own redirects say it. */
static void add_done(struct web_exchange *exchange, const json_t *record, json_t *view)
{
    static const struct {
        struct str done, text;
        bool undo;
    } rows[] = {
        {STR_INIT("made"), STR_INIT("Saved."), false},
        {STR_INIT("changed"), STR_INIT("Saved."), true},
        {STR_INIT("moved"), STR_INIT("Done."), true},
        {STR_INIT("undone"), STR_INIT("The last change is taken back."), false},
    };
    struct str done = query_text(exchange, STR("done"));
    bool undo = document_is(json_object_get(record, "may"), "undo");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(rows[i].done, done)) {
            json_t *banner = document_object(view, "done");
            document_put(banner, "text", rows[i].text);
            document_put_bool(banner, "undo", rows[i].undo && undo);
        }
    }
}

static enum err add_view(struct web_exchange *exchange, const struct register_def *def,
                         json_t *record)
{
    json_t *view = document_object(record, "view");
    const json_t *may = json_object_get(record, "may");
    struct str id = document_get(record, "id");
    json_t *rows = document_list(view, "rows");
    json_t *empty = document_list(view, "empty");
    json_t *adding = NULL;
    if (!document_is(may, "change")) {
        ERR_TRY(records_adding(exchange, def, id, &adding));
    }
    for (size_t i = 0; i < def->n_fields; i++) {
        add_field(exchange, def, i, record, adding, rows, empty);
    }
    json_decref(adding);
    add_moves(exchange, def, record, view);
    add_stamps(exchange, record, view);
    add_done(exchange, record, view);
    document_put(view, "tag", state_tag(def, document_get(record, "state")));
    document_put(view, "path", records_path(exchange, def, id, ""));
    document_put_bool(view, "look",
                      str_eq(document_get(record, "look"), STR("needed")) &&
                          json_is_object(json_object_get(record, "about")));
    document_put_bool(view, "change", document_is(may, "change"));
    document_put_bool(view, "dispose", document_is(may, "dispose"));
    return ERR_OK;
}

enum web_next web_records_view(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    json_t *record = records_load(exchange, def);
    if (record == NULL) {
        return WEB_DONE;
    }
    struct str title = document_get(record, "title");
    title = title.len != 0 ? title : def->label;
    /* The title is the record's own text, which the document's takes the place of. */
    json_t *document = records_document(exchange, def, title, NULL);
    records_crumb(document, title, STR(""));
    (void)json_object_update_new(record, document);
    if (!exchange->wants_json) {
        json_t *warnings = document_list(record, "warnings");
        enum err err = add_view(exchange, def, record);
        err = err == ERR_OK && def->about_itself
                  ? records_related(exchange, document_get(record, "id"),
                                    document_list(record, "related"), warnings)
                  : err;
        if (err != ERR_OK) {
            json_decref(record);
            return page_err(exchange, err);
        }
    }
    return page_answer(exchange, 200, view_records_view, record);
}

/* ---- history ---- */

static struct str act_text(struct str name)
{
    static const struct {
        struct str name, label;
    } rows[] = {
#define ACT(name, label) {STR_INIT(#name), STR_INIT(label)},
#include "records/act.def"
#undef ACT
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(rows[i].name, name)) {
            return rows[i].label;
        }
    }
    return name;
}

static void add_not_undone(struct web_exchange *exchange, const struct register_def *def,
                           json_t *document, json_t *faults)
{
    const char *name;
    json_t *fault;
    json_t *errors = document_list(document, "errors");
    json_object_foreach(faults, name, fault)
    {
        size_t field = register_field_find(def, str_from(name));
        const struct str values[] = {field < def->n_fields ? def->fields[field].label : STR(""),
                                     str_from(json_string_value(fault))};
        struct buf text;
        buf_init(&text, FAULT_MAX);
        buf_printf(&text, "%.*s%s%.*s", STR_ARG(values[0]), values[0].len != 0 ? ": " : "",
                   STR_ARG(values[1]));
        document_put(document_add(errors), "text", arena_dup(exchange->arena, buf_str(&text)));
        buf_fini(&text);
    }
    document_put(document, "error", STR("Nothing was undone."));
    (void)json_object_set(document, "faults", faults);
}

/* status 422: the last change was not taken back, for the sentences of `faults`. */
static enum web_next show_history(struct web_exchange *exchange, unsigned status,
                                  const struct register_def *def, json_t *faults)
{
    struct engine engine = records_engine(exchange);
    json_t *record = records_load(exchange, def);
    json_t *history = NULL;
    if (record == NULL) {
        return WEB_DONE;
    }
    enum err err =
        engine_history(&engine, &exchange->actor, def, exchange->parameters[1], &history);
    if (err != ERR_OK) {
        json_decref(record);
        return page_err(exchange, err);
    }
    size_t i;
    json_t *version;
    json_array_foreach(history, i, version)
    {
        document_put(version, "when", records_when(exchange, document_number(version, "ms")));
        document_put(version, "act_text", act_text(document_get(version, "act")));
    }
    json_t *document = records_document(exchange, def, STR("History"), record);
    records_crumb(document, STR("History"), STR(""));
    (void)json_object_set_new(document, "history", history);
    document_put(document, "of", document_get(record, "title"));
    document_put(document, "path", records_path(exchange, def, exchange->parameters[1], ""));
    document_put_number(document, "version", document_number(record, "version"));
    document_put_bool(document, "undo", document_is(json_object_get(record, "may"), "undo"));
    if (status != 200) {
        add_not_undone(exchange, def, document, faults);
        document_put_bool(document, "look", str_eq(document_get(record, "look"), STR("needed")));
    }
    json_decref(record);
    return page_answer(exchange, status, view_records_history, document);
}

enum web_next web_records_history(struct web_exchange *exchange)
{
    return show_history(exchange, 200, records_def(exchange), NULL);
}

/* ---- undo ---- */

enum web_next web_records_undo(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct engine engine = records_engine(exchange);
    struct str id = exchange->parameters[1];
    json_t *faults = NULL;
    enum err err = def != NULL ? engine_undo(&engine, &exchange->actor, def, id,
                                             records_version(exchange), &faults)
                               : ERR_NOT_FOUND;
    enum web_next next = err == ERR_INVALID ? show_history(exchange, 422, def, faults)
                         : err != ERR_OK    ? page_err(exchange, err)
                                            : records_done(exchange, def, id, "?done=undone");
    json_decref(faults);
    return next;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changing the policy: one cell, one time, the whole document, an earlier version. Each needs a
 * reason; what the policy's reader refuses is shown beside the form, and nothing typed is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/num.h"
#include "web/policy_impl.h"
#include "web/views.h"

enum { WHY_MAX = 64 * 1024, FIELD_MAX = 256 };
#define CHANGED_MEANWHILE                                                                          \
    "Somebody else changed the policy while you were working on it. Look at the policy, and send " \
    "this again if it should still be so."

static const struct level_row {
    const char *level, *words, *hint;
} levels[] = {
    {"acceptable", "Acceptable", ""},
    {"certain-times", "Acceptable at certain times", "Open in the times that you choose below."},
    {"nominated", "Acceptable for nominated users", "Open to the people on the list chosen below."},
    {"unacceptable", "Unacceptable", ""},
    {"illegal", "Unacceptable and illegal", "Closed, and no exception ever opens it."},
};

/* What a change works on. */
struct editing {
    struct engine engine;
    json_t *version;  /* the last one; owned */
    json_t *document; /* its document, to be changed */
    int64_t number;
};

static enum err editing_begin(struct web_exchange *exchange, enum verb verb,
                              struct editing *editing)
{
    *editing = (struct editing){.engine = policy_engine(exchange)};
    ERR_TRY(school_policy_get(&editing->engine, &exchange->actor, 0, &editing->version));
    if (!policy_may_change(exchange, verb)) {
        json_decref(editing->version);
        editing->version = NULL;
        return ERR_DENIED;
    }
    editing->document = json_object_get(editing->version, "document");
    editing->number = json_integer_value(json_object_get(editing->version, "number"));
    return ERR_OK;
}

/* The version that the form was made from; by the API it may be left out. */
static int64_t seen_of(const struct web_exchange *exchange, const struct editing *editing)
{
    uint64_t seen = 0;
    const json_t *sent = json_object_get(form_json(exchange), "seen");
    if (json_is_integer(sent)) {
        return json_integer_value(sent);
    }
    return parse_u64(form_text(exchange, STR("seen")), 1, INT32_MAX, &seen) == ERR_OK
               ? (int64_t)seen
           : exchange->wants_json ? editing->number
                                  : -1;
}

static json_t *error_list(struct str lines, const char *href)
{
    json_t *errors = json_array();
    while (lines.len != 0) {
        struct str line;
        (void)str_cut(lines, '\n', &line, &lines);
        if (line.len != 0) {
            json_array_append_new(errors,
                                  json_pack("{s:o, s:s}", "text", policy_text(line), "href", href));
        }
    }
    return errors;
}

/* Keeps the change and goes back to the table; or shows the form again, which is
 * taken over. */
static enum web_next keep(struct web_exchange *exchange, struct editing *editing,
                          const struct school_policy_change *change, web_view *view, json_t *form)
{
    struct buf why;
    int64_t number = 0;
    buf_init(&why, WHY_MAX);
    enum err err = school_policy_keep(&editing->engine, &exchange->actor, change, &number, &why);
    if (err == ERR_INVALID || err == ERR_CONFLICT) {
        struct str lines = err == ERR_INVALID ? buf_str(&why) : STR(CHANGED_MEANWHILE);
        json_object_set_new(form, "errors", error_list(lines, "#why"));
        json_object_set_new(form, "error", json_true());
        buf_fini(&why);
        return page_answer(exchange, err == ERR_INVALID ? 400 : 409, view, form);
    }
    buf_fini(&why);
    json_decref(form);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"),
               STR("The policy is changed. The gate holds to it within a second. To take it back, "
                   "restore the version before in the history."));
    return page_redirect(exchange, STR("/policy"));
}

/* ---- one cell ---- */

/* The group, and those around it: for whom the cell may be set. */
static json_t *chain_of(const struct editing *editing, struct str group, struct str chosen)
{
    json_t *chain = json_array();
    for (size_t i = 0; i < LIMIT_GROUPS && group.len != 0; i++) {
        json_array_append_new(
            chain, json_pack("{s:o, s:o, s:b}", "value", policy_text(group), "text",
                             policy_text(policy_label(editing->document, "groups", group)),
                             "checked", str_eq(group, chosen) ? 1 : 0));
        group = policy_member(school_policy_item(editing->document, "groups", group), "in");
    }
    return chain;
}

static json_t *level_choices(struct str level)
{
    json_t *choices = json_array();
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        const struct level_row *row = &levels[i];
        json_t *choice = json_pack("{s:s, s:s, s:b}", "value", row->level, "text", row->words,
                                   "checked", str_eq(level, str_from(row->level)) ? 1 : 0);
        if (row->hint[0] != '\0') {
            json_object_set_new(choice, "hint", json_pack("{s:s}", "text", row->hint));
        }
        json_array_append_new(choices, choice);
    }
    return choices;
}

/* Whether a cell's or form's list "times" holds this id. */
static bool has_text(const json_t *list, struct str text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (str_eq(str_make(json_string_value(item), json_string_length(item)), text)) {
            return true;
        }
    }
    return false;
}

/* The items of a list of the document as boxes "PREFIX-ID". */
static json_t *boxes_of(const json_t *document, const char *list, const char *prefix,
                        const json_t *chosen)
{
    const json_t *items = json_object_get(document, list);
    json_t *boxes = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct str id = policy_member(json_array_get(items, i), "id");
        json_array_append_new(boxes, json_pack("{s:o, s:o, s:b}", "name",
                                               json_sprintf("%s-%.*s", prefix, STR_ARG(id)), "text",
                                               policy_text(policy_label(document, list, id)),
                                               "checked", has_text(chosen, id) ? 1 : 0));
    }
    return boxes;
}

static json_t *lists_of(const json_t *document, struct str chosen)
{
    const json_t *items = json_object_get(document, "nominated");
    json_t *options = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        struct str id = policy_member(json_array_get(items, i), "id");
        json_array_append_new(options,
                              json_pack("{s:o, s:o, s:b}", "value", policy_text(id), "text",
                                        policy_text(policy_label(document, "nominated", id)),
                                        "selected", str_eq(id, chosen) ? 1 : 0));
    }
    return options;
}

/* The boxes of a form that are ticked, as a list of ids; by the API a list of that name. */
static json_t *ticked(const struct web_exchange *exchange, const json_t *items, const char *name,
                      const char *prefix)
{
    const json_t *sent = json_object_get(form_json(exchange), name);
    json_t *ids = json_array();
    if (json_is_array(sent)) {
        json_array_extend(ids, (json_t *)(uintptr_t)sent);
        return ids;
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        char field[FIELD_MAX];
        struct str id = policy_member(json_array_get(items, i), "id");
        int n = snprintf(field, sizeof(field), "%s-%.*s", prefix, STR_ARG(id));
        if (form_has(exchange, str_make(field, (size_t)n)) && !has_text(ids, id)) {
            json_array_append_new(ids, policy_text(id));
        }
    }
    return ids;
}

/* The form, filled from a cell. */
static json_t *cell_form(struct web_exchange *exchange, const struct editing *editing,
                         struct str own, const json_t *cell, struct str why)
{
    struct str row = exchange->parameters[0];
    json_t *page = policy_page(STR("Change the policy"), STR("change"));
    json_object_set_new(page, "row", policy_text(policy_label(editing->document, "table", row)));
    json_object_set_new(
        page, "note",
        policy_text(policy_member(school_policy_item(editing->document, "table", row), "note")));
    json_object_set_new(page, "chain", chain_of(editing, exchange->parameters[1], own));
    json_object_set_new(page, "levels", level_choices(policy_member(cell, "level")));
    json_object_set_new(
        page, "times",
        boxes_of(editing->document, "times", "time", json_object_get(cell, "times")));
    json_object_set_new(page, "lists",
                        lists_of(editing->document, policy_member(cell, "nominated")));
    json_object_set_new(page, "seen", json_integer(editing->number));
    json_object_set_new(page, "why", policy_text(why));
    return page;
}

static const json_t *cell_now(const struct web_exchange *exchange, const struct editing *editing,
                              struct str *ret_own)
{
    const json_t *row = school_policy_item(editing->document, "table", exchange->parameters[0]);
    *ret_own = exchange->parameters[1];
    return school_policy_cell(editing->document, row, exchange->parameters[1], ret_own);
}

static bool is_there(const struct web_exchange *exchange, const struct editing *editing)
{
    return school_policy_item(editing->document, "table", exchange->parameters[0]) != NULL &&
           school_policy_item(editing->document, "groups", exchange->parameters[1]) != NULL;
}

enum web_next web_policy_cell_form(struct web_exchange *exchange)
{
    struct editing editing;
    struct str own;
    enum err err = editing_begin(exchange, VERB_change, &editing);
    if (err == ERR_OK && !is_there(exchange, &editing)) {
        json_decref(editing.version);
        err = ERR_NOT_FOUND;
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    const json_t *cell = cell_now(exchange, &editing, &own);
    json_t *page = cell_form(exchange, &editing, own, cell, STR(""));
    json_decref(editing.version);
    return page_answer(exchange, 200, view_policy_cell, page);
}

/* What the form says, as a cell of the document. */
static json_t *read_cell(const struct web_exchange *exchange, const struct editing *editing)
{
    struct str level = form_text(exchange, STR("level"));
    json_t *cell = json_pack("{s:o}", "level", policy_text(level));
    if (str_eq(level, STR("certain-times"))) {
        json_object_set_new(
            cell, "times",
            ticked(exchange, json_object_get(editing->document, "times"), "times", "time"));
    }
    if (str_eq(level, STR("nominated"))) {
        json_object_set_new(cell, "nominated", policy_text(form_text(exchange, STR("nominated"))));
    }
    return cell;
}

enum web_next web_policy_cell(struct web_exchange *exchange)
{
    struct editing editing;
    char field[FIELD_MAX];
    struct str group = form_text(exchange, STR("for"));
    struct str why = str_trim_space(form_text(exchange, STR("why")));
    enum err err = editing_begin(exchange, VERB_change, &editing);
    if (err == ERR_OK && !is_there(exchange, &editing)) {
        json_decref(editing.version);
        err = ERR_NOT_FOUND;
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    group = group.len != 0 ? group : exchange->parameters[1];
    json_t *cell = read_cell(exchange, &editing);
    json_t *form = cell_form(exchange, &editing, group, cell, why);
    char *value = json_dumps(cell, JSON_COMPACT | JSON_SORT_KEYS);
    err = school_policy_set_cell(editing.document, exchange->parameters[0], group, cell);
    int n = snprintf(field, sizeof(field), "table.%.*s.cells.%.*s",
                     STR_ARG(exchange->parameters[0]), STR_ARG(group));
    const struct school_policy_change change = {
        .verb = VERB_change,
        .document = editing.document,
        .words = why,
        .seen = seen_of(exchange, &editing),
        .field = str_make(field, (size_t)n < sizeof(field) ? (size_t)n : sizeof(field) - 1),
        .value = str_from(value),
    };
    enum web_next next = WEB_DONE;
    if (err == ERR_OK) {
        next = keep(exchange, &editing, &change, view_policy_cell, form);
    } else {
        json_decref(form);
        next = page_err(exchange, err);
    }
    free(value);
    json_decref(editing.version);
    return next;
}

/* ---- one time ---- */

static const struct kind_row {
    const char *id, *label;
} kinds[] = {
    {"school-day", "School days"},
    {"weekend", "Weekends"},
    {"holiday", "Holidays"},
    {"closed", "Days on which the school is closed in term"},
};

/* The kinds of day as items, like those of the document's lists. */
static json_t *kind_items(void)
{
    json_t *items = json_array();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        json_array_append_new(items,
                              json_pack("{s:s, s:s}", "id", kinds[i].id, "label", kinds[i].label));
    }
    return items;
}

/* A time's days as a list: "every-day" is all of them. */
static json_t *days_of(const json_t *time)
{
    const json_t *days = json_object_get(time, "days");
    json_t *list = json_array();
    if (json_is_array(days)) {
        json_array_extend(list, (json_t *)(uintptr_t)days);
        return list;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_eq(policy_member(time, "days"), STR("every-day")) ||
            str_eq(policy_member(time, "days"), str_from(kinds[i].id))) {
            json_array_append_new(list, json_string(kinds[i].id));
        }
    }
    return list;
}

/* The periods of the timetable, each id once, as items. */
static json_t *period_items(const json_t *document)
{
    static const char *const always[] = {"school-day-outside", "weekend", "holiday", "closed"};
    const json_t *periods = json_object_get(json_object_get(document, "timetable"), "periods");
    json_t *items = json_array();
    json_t *ids = json_array();
    for (size_t i = 0; i < json_array_size(periods); i++) {
        const json_t *period = json_array_get(periods, i);
        struct str id = policy_member(period, "id");
        struct str label = policy_member(period, "label");
        if (!has_text(ids, id)) {
            json_array_append_new(ids, policy_text(id));
            json_array_append_new(items, json_pack("{s:o, s:o}", "id", policy_text(id), "label",
                                                   policy_text(label.len != 0 ? label : id)));
        }
    }
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        json_array_append_new(items, json_pack("{s:s, s:s}", "id", always[i], "label", always[i]));
    }
    json_decref(ids);
    return items;
}

static json_t *time_form(const struct editing *editing, const json_t *time, struct str why)
{
    bool periods = json_object_get(time, "periods") != NULL;
    json_t *items = periods ? period_items(editing->document) : kind_items();
    json_t *chosen = periods ? json_incref(json_object_get(time, "periods")) : days_of(time);
    json_t *holder = json_pack("{s:O}", "items", items);
    json_t *page = policy_page(STR("Change a time of the policy"), STR("change"));
    struct str id = policy_member(time, "id");
    struct str from = policy_member(time, "from");
    struct str until = policy_member(time, "to");
    json_object_set_new(page, "time", policy_text(policy_label(editing->document, "times", id)));
    json_object_set_new(page, "by_periods", json_boolean(periods));
    json_object_set_new(page, "boxes", boxes_of(holder, "items", "day", chosen));
    json_object_set_new(page, "from", policy_text(from.len != 0 ? from : STR("00:00")));
    json_object_set_new(page, "to", policy_text(until.len != 0 ? until : STR("24:00")));
    json_object_set_new(page, "seen", json_integer(editing->number));
    json_object_set_new(page, "why", policy_text(why));
    json_decref(holder);
    json_decref(items);
    json_decref(chosen);
    return page;
}

/* The time of the address: one that has days or periods of its own. */
static json_t *find_time(struct web_exchange *exchange, struct editing *editing, enum err *ret_err)
{
    *ret_err = editing_begin(exchange, VERB_change, editing);
    if (*ret_err != ERR_OK) {
        return NULL;
    }
    json_t *time = school_policy_item(editing->document, "times", exchange->parameters[0]);
    if (time == NULL || json_object_get(time, "not") != NULL) {
        json_decref(editing->version);
        *ret_err = ERR_NOT_FOUND;
        return NULL;
    }
    return time;
}

enum web_next web_policy_time_form(struct web_exchange *exchange)
{
    struct editing editing;
    enum err err;
    const json_t *time = find_time(exchange, &editing, &err);
    if (time == NULL) {
        return page_err(exchange, err);
    }
    json_t *page = time_form(&editing, time, STR(""));
    json_decref(editing.version);
    return page_answer(exchange, 200, view_policy_time, page);
}

/* Writes what the form says into the document's time. */
static void read_time(const struct web_exchange *exchange, const struct editing *editing,
                      json_t *time)
{
    bool periods = json_object_get(time, "periods") != NULL;
    json_t *items = periods ? period_items(editing->document) : kind_items();
    json_object_set_new(time, periods ? "periods" : "days",
                        ticked(exchange, items, periods ? "periods" : "days", "day"));
    json_decref(items);
    if (!periods) {
        json_object_set_new(time, "from",
                            policy_text(str_trim_space(form_text(exchange, STR("from")))));
        json_object_set_new(time, "to",
                            policy_text(str_trim_space(form_text(exchange, STR("to")))));
    }
}

enum web_next web_policy_time(struct web_exchange *exchange)
{
    struct editing editing;
    enum err err;
    char field[FIELD_MAX];
    struct str why = str_trim_space(form_text(exchange, STR("why")));
    json_t *time = find_time(exchange, &editing, &err);
    if (time == NULL) {
        return page_err(exchange, err);
    }
    read_time(exchange, &editing, time);
    json_t *form = time_form(&editing, time, why);
    char *value = json_dumps(time, JSON_COMPACT | JSON_SORT_KEYS);
    int n = snprintf(field, sizeof(field), "times.%.*s", STR_ARG(exchange->parameters[0]));
    const struct school_policy_change change = {
        .verb = VERB_change,
        .document = editing.document,
        .words = why,
        .seen = seen_of(exchange, &editing),
        .field = str_make(field, (size_t)n < sizeof(field) ? (size_t)n : sizeof(field) - 1),
        .value = str_from(value),
    };
    enum web_next next = keep(exchange, &editing, &change, view_policy_time, form);
    free(value);
    json_decref(editing.version);
    return next;
}

/* ---- the whole ---- */

static json_t *upload_form(const struct editing *editing, struct str why)
{
    json_t *page = policy_page(STR("Replace the whole policy"), STR("upload"));
    json_object_set_new(page, "seen", json_integer(editing->number));
    json_object_set_new(page, "why", policy_text(why));
    return page;
}

enum web_next web_policy_upload_form(struct web_exchange *exchange)
{
    struct editing editing;
    enum err err = editing_begin(exchange, VERB_bring, &editing);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *page = upload_form(&editing, STR(""));
    json_decref(editing.version);
    return page_answer(exchange, 200, view_policy_upload, page);
}

enum web_next web_policy_upload(struct web_exchange *exchange)
{
    struct editing editing;
    struct form_file file = {0};
    struct str why = str_trim_space(form_text(exchange, STR("why")));
    enum err err = editing_begin(exchange, VERB_bring, &editing);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *form = upload_form(&editing, why);
    const json_t *sent = json_object_get(form_json(exchange), "document");
    struct school_policy_change change = {
        .verb = VERB_bring,
        .document = json_is_object(sent) ? sent : NULL,
        .words = why,
        .seen = seen_of(exchange, &editing),
        .field = STR("document"),
    };
    if (change.document == NULL && !form_file(exchange, STR("document"), &file)) {
        json_object_set_new(form, "errors",
                            error_list(STR("Choose the file with the policy."), "#document"));
        json_decref(editing.version);
        return page_answer(exchange, 400, view_policy_upload, form);
    }
    change.text = file.bytes;
    enum web_next next = keep(exchange, &editing, &change, view_policy_upload, form);
    json_decref(editing.version);
    return next;
}

/* ---- an earlier version ---- */

enum web_next web_policy_restore(struct web_exchange *exchange)
{
    struct editing editing;
    uint64_t number = 0;
    json_t *old = NULL;
    if (parse_u64(exchange->parameters[0], 1, INT32_MAX, &number) != ERR_OK) {
        return page_err(exchange, ERR_NOT_FOUND);
    }
    enum err err = editing_begin(exchange, VERB_change, &editing);
    if (err == ERR_OK) {
        err = school_policy_get(&editing.engine, &exchange->actor, (int64_t)number, &old);
        if (err != ERR_OK) {
            json_decref(editing.version);
        }
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *form = policy_page(STR("An earlier policy"), STR("version"));
    json_object_set_new(form, "version", policy_head(old));
    json_object_set_new(form, "restore", json_true());
    json_object_set_new(form, "why", policy_text(form_text(exchange, STR("why"))));
    policy_show_table(exchange, json_object_get(old, "document"), false, form);
    const struct school_policy_change change = {
        .verb = VERB_change,
        .document = json_object_get(old, "document"),
        .words = str_trim_space(form_text(exchange, STR("why"))),
        .seen = editing.number,
        .field = STR("document"),
        .value = exchange->parameters[0],
    };
    enum web_next next = keep(exchange, &editing, &change, view_policy_version, form);
    json_decref(old);
    json_decref(editing.version);
    return next;
}

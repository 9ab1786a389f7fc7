/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The computers of a class of younger children: which run, beside whom and until when; starting,
 * adding time, taking over, ending. What is allowed is decided by records/supervision. */
#include "records/supervision.h"
#include "web/records_impl.h"
#include "web/views.h"

enum { TEXT_BYTES = 512, FAULT_STATUS = 422 };
#define DEVICE_FIELD "device-"

/* ---- words ---- */

static const struct kind_words {
    struct str kind, one, many;
} kinds[] = {
    {STR_INIT("tablet"), STR_INIT("tablet"), STR_INIT("tablets")},
    {STR_INIT("laptop"), STR_INIT("laptop"), STR_INIT("laptops")},
    {STR_INIT("chromebook"), STR_INIT("Chromebook"), STR_INIT("Chromebooks")},
    {STR_INIT(""), STR_INIT("computer"), STR_INIT("computers")}, /* last: all else, and mixed */
};

static const struct kind_words *words_of(struct str kind)
{
    size_t i = 0;
    while (kinds[i].kind.len != 0 && !str_eq(kinds[i].kind, kind)) {
        i++;
    }
    return &kinds[i];
}

/* "12 tablets". */
static void put_what(json_t *item)
{
    const json_t *devices = json_object_get(item, "devices");
    size_t n = json_array_size(devices);
    struct str kind = document_get(json_array_get(devices, 0), "kind");
    struct buf text;
    size_t i;
    const json_t *device;
    json_array_foreach(devices, i, device)
    {
        kind = str_eq(document_get(device, "kind"), kind) ? kind : STR("");
    }
    const struct kind_words *words = words_of(kind);
    buf_init(&text, TEXT_BYTES);
    buf_printf(&text, "%zu %.*s", n, STR_ARG(n == 1 ? words->one : words->many));
    document_put(item, "what", buf_str(&text));
    buf_fini(&text);
}

/* "Year 2, Library": where the devices are kept, each place once; they are in the order of these.
 */
static void put_where(json_t *item)
{
    struct buf text;
    struct str last = STR("");
    size_t i;
    const json_t *device;
    buf_init(&text, TEXT_BYTES);
    json_array_foreach(json_object_get(item, "devices"), i, device)
    {
        struct str room = document_get(device, "room");
        if (!str_eq(room, last)) {
            buf_printf(&text, "%s%.*s", text.len != 0 ? ", " : "", STR_ARG(room));
            last = room;
        }
    }
    document_put(item, "where", buf_err(&text) == ERR_OK ? buf_str(&text) : STR(""));
    buf_fini(&text);
}

/* ---- what was sent ---- */

/* Whether a form was sent for this class and came back: then its ticks are what was sent. */
static bool came_back(const struct web_exchange *exchange, const json_t *class)
{
    return exchange->form != NULL &&
           str_eq(form_text(exchange, STR("class")), document_get(class, "id"));
}

static struct str field_of(struct web_exchange *exchange, struct str device)
{
    struct buf name;
    buf_init(&name, TEXT_BYTES);
    buf_append(&name, STR(DEVICE_FIELD));
    buf_append(&name, device);
    struct str made = arena_dup(exchange->arena, buf_str(&name));
    buf_fini(&name);
    return made;
}

/* Where all are in one place the page says so once. */
static struct str hint_of(struct web_exchange *exchange, struct str where, const json_t *device)
{
    const json_t *with = json_object_get(device, "with");
    struct str room = document_get(device, "room");
    room = str_eq(room, where) ? STR("") : room;
    struct buf text;
    buf_init(&text, TEXT_BYTES);
    buf_append(&text, room);
    if (json_is_object(with)) {
        struct str name = document_is(with, "mine") ? STR("you") : document_get(with, "name");
        buf_printf(&text, "%swith %.*s until %.*s", room.len != 0 ? " · " : "", STR_ARG(name),
                   STR_ARG(document_get(json_object_get(with, "until"), "text")));
    }
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

/* Whether the person is beside all of a class's devices already. */
static bool is_whole(const json_t *class)
{
    size_t i;
    const json_t *device;
    json_array_foreach(json_object_get(class, "devices"), i, device)
    {
        if (!document_is(json_object_get(device, "with"), "mine")) {
            return false;
        }
    }
    return true;
}

/* The boxes of a class: all that are free are ticked. */
static void put_boxes(struct web_exchange *exchange, json_t *class)
{
    json_t *boxes = document_list(class, "boxes");
    bool sent = came_back(exchange, class);
    size_t i;
    const json_t *device;
    json_array_foreach(json_object_get(class, "devices"), i, device)
    {
        json_t *box = document_add(boxes);
        struct str name = field_of(exchange, document_get(device, "id"));
        struct str hint = hint_of(exchange, document_get(class, "where"), device);
        document_put(box, "name", name);
        document_put(box, "value", STR("yes"));
        document_put(box, "text", document_get(device, "tag"));
        document_put_bool(box, "checked",
                          sent ? form_has(exchange, name)
                               : json_is_null(json_object_get(device, "with")));
        if (hint.len != 0) {
            document_put(document_object(box, "hint"), "text", hint);
        }
    }
}

/* ---- the page ---- */

static void put_fault(json_t *document, const struct supervision_fault *fault)
{
    json_t *error = document_add(document_list(document, "errors"));
    document_put(error, "text", str_from(fault->why));
    document_put(error, "href", STR("#classes"));
    document_put(document_object(document, "faults"), fault->field, str_from(fault->why));
}

static enum web_next show(struct web_exchange *exchange, unsigned status,
                          const struct supervision_fault *fault)
{
    struct engine engine = records_engine(exchange);
    json_t *document = NULL;
    json_t *item;
    size_t i;
    enum err err = supervision_show(&engine, &exchange->actor, false, &document);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_array_foreach(json_object_get(document, "running"), i, item)
    {
        put_what(item);
        put_where(item);
    }
    json_array_foreach(json_object_get(document, "classes"), i, item)
    {
        put_what(item);
        put_where(item);
        put_boxes(exchange, item);
        document_put_bool(item, "sent", came_back(exchange, item));
        document_put_bool(item, "whole", is_whole(item));
    }
    document_put(document, "title", STR("Class computers"));
    json_object_set_new(document, "crumbs",
                        json_pack("[{s:s, s:s}]", "text", "Start", "href", "/"));
    if (fault != NULL) {
        put_fault(document, fault);
    }
    return page_answer(exchange, status, view_class, document);
}

enum web_next web_class(struct web_exchange *exchange)
{
    return show(exchange, 200, NULL);
}

/* ---- the start page ---- */

static bool is_any(const json_t *items, const char *member)
{
    size_t i;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
        if (document_is(item, member)) {
            return true;
        }
    }
    return false;
}

/* First of all for whoever stands before such a class; somewhere for whoever may help. */
static void add_action(const json_t *shown, json_t *actions)
{
    bool own = is_any(json_object_get(shown, "classes"), "taught");
    json_t *action = json_object();
    document_put(action, "text",
                 own ? STR("Start your class’s computers") : STR("Class computers"));
    document_put(action, "href", STR("/class"));
    document_put(action, "classes", own ? STR("") : STR("govuk-button--secondary"));
    if (own) {
        (void)json_array_insert_new(actions, 0, action);
    } else if (json_array_size(json_object_get(shown, "classes")) != 0 ||
               json_array_size(json_object_get(shown, "running")) != 0) {
        (void)json_array_append_new(actions, action);
    } else {
        json_decref(action);
    }
}

static void add_card(const json_t *shown, json_t *cards)
{
    json_t *card = json_object();
    json_t *items = document_list(card, "items");
    size_t i;
    json_t *running;
    document_put(card, "title", STR("You are beside these computers"));
    document_put(card, "tone", STR("calm"));
    document_put(card, "href", STR("/class"));
    document_put(card, "all", STR("class computers"));
    json_array_foreach(json_object_get(shown, "running"), i, running)
    {
        if (document_is(running, "mine")) {
            struct buf text;
            json_t *item = document_add(items);
            put_what(running);
            buf_init(&text, TEXT_BYTES);
            buf_printf(&text, "%.*s · %.*s · until %.*s",
                       STR_ARG(document_get(json_object_get(running, "class"), "name")),
                       STR_ARG(document_get(running, "what")),
                       STR_ARG(document_get(json_object_get(running, "until"), "text")));
            document_put(item, "text", buf_str(&text));
            document_put(item, "href", STR("/class"));
            buf_fini(&text);
        }
    }
    if (json_array_size(items) != 0) {
        (void)json_array_insert(cards, 0, card);
    }
    json_decref(card);
}

enum err class_add_to_start(struct web_exchange *exchange, json_t *document)
{
    struct engine engine = records_engine(exchange);
    json_t *shown = NULL;
    enum err err = supervision_show(&engine, &exchange->actor, true, &shown);
    if (err != ERR_OK) {
        return err == ERR_DENIED ? ERR_OK : err;
    }
    add_action(shown, json_object_get(document, "actions"));
    add_card(shown, json_object_get(document, "cards"));
    json_decref(shown);
    return ERR_OK;
}

/* ---- changes ---- */

static int64_t until_of(const struct web_exchange *exchange)
{
    struct civil civil;
    struct str text = form_text(exchange, STR("until"));
    return str_ends(text, STR("Z")) && civil_parse(text, &civil) == ERR_OK ? civil_to_ms(&civil)
                                                                           : 0;
}

static enum web_next done(struct web_exchange *exchange, enum err err,
                          const struct supervision_fault *fault, struct str note)
{
    if (err == ERR_INVALID) {
        return show(exchange, FAULT_STATUS, fault);
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"), note);
    return page_redirect(exchange, STR("/class"));
}

/* The ids that a form's boxes or a document's list name. */
static size_t devices_of(struct web_exchange *exchange, struct str *devices)
{
    const json_t *list = json_object_get(form_json(exchange), "devices");
    const char *name;
    json_t *value;
    size_t n = 0;
    size_t i;
    json_array_foreach(list, i, value)
    {
        if (json_is_string(value) && n < SUPERVISION_DEVICES_MAX) {
            devices[n++] = str_make(json_string_value(value), json_string_length(value));
        }
    }
    json_object_foreach((json_t *)(uintptr_t)form_json(exchange), name, value)
    {
        struct str field = str_from(name);
        if (str_starts(field, STR(DEVICE_FIELD)) && n < SUPERVISION_DEVICES_MAX) {
            devices[n++] = str_skip(field, sizeof(DEVICE_FIELD) - 1);
        }
    }
    return n;
}

enum web_next web_class_start(struct web_exchange *exchange)
{
    struct engine engine = records_engine(exchange);
    struct supervision_fault fault = {0};
    struct record_id id;
    struct str *devices = arena_array(exchange->arena, SUPERVISION_DEVICES_MAX, sizeof(*devices));
    if (devices == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    size_t n = devices_of(exchange, devices);
    /* By the API they may be left out: then all are meant. */
    bool all = exchange->wants_json && n == 0 && !form_has(exchange, STR("devices"));
    const struct supervision_new wish = {.group = form_text(exchange, STR("class")),
                                         .devices = devices,
                                         .n_devices = n,
                                         .all = all,
                                         .until_ms = until_of(exchange)};
    enum err err = supervision_start(&engine, &exchange->actor, &wish, &id, &fault);
    return done(exchange, err, &fault,
                STR("Started. The computers are open to the class in a moment."));
}

static enum web_next prolong(struct web_exchange *exchange)
{
    struct engine engine = records_engine(exchange);
    struct supervision_fault fault = {0};
    enum err err = supervision_prolong(&engine, &exchange->actor, exchange->parameters[0],
                                       until_of(exchange), &fault);
    return done(exchange, err, &fault, STR("The new end is set."));
}

static enum web_next take_over(struct web_exchange *exchange)
{
    struct engine engine = records_engine(exchange);
    struct supervision_fault fault = {0};
    struct record_id id;
    enum err err =
        supervision_take_over(&engine, &exchange->actor, exchange->parameters[0], &id, &fault);
    return done(exchange, err, &fault, STR("You are now the adult beside them."));
}

static enum web_next end(struct web_exchange *exchange)
{
    struct engine engine = records_engine(exchange);
    enum err err = supervision_end(&engine, &exchange->actor, exchange->parameters[0]);
    return done(exchange, err, NULL, STR("Ended. The computers are closed to the class."));
}

enum web_next web_class_change(struct web_exchange *exchange)
{
    static const struct {
        struct str name;
        enum web_next (*run)(struct web_exchange *exchange);
    } rows[] = {
        {STR_INIT("prolong"), prolong}, {STR_INIT("take-over"), take_over}, {STR_INIT("end"), end}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(rows[i].name, exchange->parameters[1])) {
            return rows[i].run(exchange);
        }
    }
    return page_err(exchange, ERR_NOT_FOUND);
}

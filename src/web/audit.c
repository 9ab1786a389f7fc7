/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who did what, and who looked: /audit. What may be read is decided by records/audit_list.h. */
#include "records/audit_list.h"

#include "base/clock.h"
#include "records/outbox.h"
#include "web/records_impl.h"
#include "web/views.h"

enum { WORDS_MAX = 256 };

/* The query as it was sent, for the form and the links. */
struct asked {
    struct str person, area, from, until, before;
};

/* What the fields are called on screen; those of accounts and the like have names only. */
static void put_fields(const struct register_def *def, json_t *item)
{
    json_t *shown = document_list(item, "fields_shown");
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(item, "fields"), i, one)
    {
        struct str name = str_make(json_string_value(one), json_string_length(one));
        size_t field = def != NULL ? register_field_find(def, name) : 0;
        bool known = def != NULL && field < def->n_fields;
        (void)json_array_append_new(shown, document_text(known ? def->fields[field].label : name));
    }
}

static void put_links(struct web_exchange *exchange, json_t *item)
{
    struct civil civil;
    const struct register_def *def = register_find(document_get(item, "plural"));
    struct str record = document_get(item, "record");
    struct str actor = document_get(json_object_get(item, "actor"), "id");
    struct str about = document_get(json_object_get(item, "about"), "id");
    if (civil_parse(document_get(item, "when"), &civil) == ERR_OK) {
        document_put(item, "when_shown", records_when(exchange, civil_to_ms(&civil)));
    }
    if (def != NULL && record.len != 0 && !str_eq(document_get(item, "act"), STR("disposed"))) {
        document_put(item, "href", records_path(exchange, def, record, ""));
    }
    put_fields(def, item);
    if (actor.len != 0) {
        document_put(item, "actor_href", web_path(exchange, "/audit?person=%", &actor, 1));
    }
    if (about.len != 0) {
        document_put(item, "about_href", web_path(exchange, "/audit?person=%", &about, 1));
    }
}

/* The name of the person whose acts are shown, from the acts themselves. */
static struct str name_of(const json_t *items, struct str person)
{
    static const char *const members[] = {"actor", "about"};
    size_t i;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
        for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
            const json_t *somebody = json_object_get(item, members[k]);
            if (str_eq(document_get(somebody, "id"), person)) {
                return document_get(somebody, "name");
            }
        }
    }
    return STR("this person");
}

/* The choices of the form: "All", and what the reader may read of. */
static void put_areas(json_t *document, struct str chosen)
{
    json_t *choices = document_list(document, "choices");
    json_t *all = document_add(choices);
    size_t i;
    const json_t *area;
    document_put(all, "value", STR(""));
    document_put(all, "text", STR("All"));
    json_array_foreach(json_object_get(document, "areas"), i, area)
    {
        json_t *choice = document_add(choices);
        document_put(choice, "value", document_get(area, "value"));
        document_put(choice, "text", document_get(area, "label"));
        document_put_bool(choice, "selected", str_eq(document_get(area, "value"), chosen));
    }
}

static void put_next(struct web_exchange *exchange, json_t *document, const struct asked *asked)
{
    struct str next = document_get(document, "next");
    if (next.len == 0) {
        return;
    }
    const struct str values[] = {asked->person, asked->area, asked->from, asked->until, next};
    document_put(document, "next_href",
                 web_path(exchange, "/audit?person=%&area=%&from=%&until=%&before=%", values, 5));
}

static void put_asked(json_t *document, const struct asked *asked)
{
    document_put(document, "person", asked->person);
    document_put(document, "area", asked->area);
    document_put(document, "from", asked->from);
    document_put(document, "until", asked->until);
}

static enum web_next answer_fault(struct web_exchange *exchange, json_t *document, struct str fault,
                                  const struct asked *asked)
{
    struct str sentence = STR("Write a day as year-month-day, such as 2026-11-22");
    json_t *error = document_add(document_list(document, "errors"));
    put_asked(document, asked);
    put_areas(document, asked->area);
    if (str_eq(fault, STR("from"))) {
        document_put(error, "href", STR("#from"));
        document_put(document_object(document, "from_error"), "text", sentence);
    } else if (str_eq(fault, STR("until"))) {
        document_put(error, "href", STR("#until"));
        document_put(document_object(document, "until_error"), "text", sentence);
    } else {
        sentence = STR("This page is not there; begin with the newest");
    }
    document_put(error, "text", sentence);
    return page_answer(exchange, 422, view_audit, document);
}

static enum err load(struct web_exchange *exchange, const struct asked *asked, json_t **ret_list,
                     struct str *ret_fault)
{
    struct store *store = exchange->web->options.store;
    const struct audit_query query = {.person = asked->person,
                                      .area = asked->area,
                                      .from = asked->from,
                                      .until = asked->until,
                                      .before = asked->before};
    ERR_TRY(store_begin(store, exchange->actor.school, STORE_READ));
    enum err err =
        audit_list(store, exchange->arena, &exchange->actor, &query, ret_list, ret_fault);
    store_rollback(store);
    return err;
}

/* For those who can do something about it: whether the chain's end goes where this machine cannot
 * reach it. */
static enum err put_mailed(struct web_exchange *exchange, json_t *document)
{
    static const unsigned told = 1U << ROLE_head | 1U << ROLE_technician;
    struct store *store = exchange->web->options.store;
    char when[CIVIL_TEXT_MAX];
    struct buf words;
    int64_t sent_ms = 0;
    if ((exchange->actor.roles & told) == 0) {
        return ERR_OK;
    }
    if (exchange->web->options.mail) {
        ERR_TRY(store_begin(store, exchange->actor.school, STORE_READ));
        enum err err = outbox_last_sent(store, exchange->actor.school, MAIL_audit_head, &sent_ms);
        store_rollback(store);
        ERR_TRY(err);
    }
    buf_init(&words, WORDS_MAX);
    if (sent_ms != 0) {
        struct str text = str_make(when, clock_british_print(sent_ms, when));
        buf_printf(&words, "The end of this record was last mailed to the head on %.*s.",
                   STR_ARG(text));
    } else if (exchange->web->options.mail) {
        buf_append(&words, STR("The end of this record is mailed to the head each day. None has "
                               "gone yet: the head needs an e-mail address under People."));
    } else {
        buf_append(&words, STR("The end of this record is not mailed: no mail server is set."));
    }
    document_put(document, "mailed", buf_str(&words));
    buf_fini(&words);
    return ERR_OK;
}

enum web_next web_audit(struct web_exchange *exchange)
{
    const struct asked asked = {.person = query_text(exchange, STR("person")),
                                .area = query_text(exchange, STR("area")),
                                .from = query_text(exchange, STR("from")),
                                .until = query_text(exchange, STR("until")),
                                .before = query_text(exchange, STR("before"))};
    json_t *document = records_document(exchange, NULL, STR("Audit"), NULL);
    json_t *list = NULL;
    struct str fault = STR("");
    enum err err = load(exchange, &asked, &list, &fault);
    if (err == ERR_INVALID && fault.len != 0) {
        return answer_fault(exchange, document, fault, &asked);
    }
    err = err == ERR_OK ? put_mailed(exchange, document) : err;
    if (err != ERR_OK) {
        json_decref(list);
        json_decref(document);
        return page_err(exchange, err);
    }
    (void)json_object_update_new(document, list);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(document, "items"), i, item)
    {
        put_links(exchange, item);
    }
    put_asked(document, &asked);
    if (asked.person.len != 0) {
        document_put(document, "person_name",
                     name_of(json_object_get(document, "items"), asked.person));
    }
    put_areas(document, asked.area);
    put_next(exchange, document, &asked);
    return page_answer(exchange, 200, view_audit, document);
}

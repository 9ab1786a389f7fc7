/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page behind a new record that its maker does not work on: it was received, and what happens
 * next. */
#include "records/receipt.h"

#include "web/records_impl.h"
#include "web/views.h"

enum { GROUP_CHARS = 4, NUMBER_CHARS = 8 };

struct str records_number(struct web_exchange *exchange, struct str id)
{
    struct buf text;
    buf_init(&text, NUMBER_CHARS + 2);
    for (size_t i = 0; i < NUMBER_CHARS && i < id.len; i++) {
        if (i == GROUP_CHARS) {
            buf_append_byte(&text, '-');
        }
        bool small = id.p[i] >= 'a' && id.p[i] <= 'z';
        buf_append_byte(&text, small ? (char)(id.p[i] - 'a' + 'A') : id.p[i]);
    }
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

struct str records_after_making(struct web_exchange *exchange, const struct register_def *def,
                                struct str id)
{
    struct engine engine = records_engine(exchange);
    json_t *record = NULL;
    enum err err = engine_get(&engine, &exchange->actor, def, id, &record);
    bool works = err == ERR_OK && document_is(json_object_get(record, "may"), "change");
    bool shows = err == ERR_OK && (works || !def->sensitive);
    json_decref(record);
    return shows ? records_path(exchange, def, id, "?done=made")
                 : records_path(exchange, def, id, "/received");
}

/* [{"text", "href"}] of the fields that take a file, and whether one was added a moment ago. */
static enum err add_adding(struct web_exchange *exchange, const struct register_def *def,
                           json_t *document)
{
    json_t *links = document_list(document, "adding");
    json_t *fields = NULL;
    size_t i;
    json_t *field;
    ERR_TRY(records_adding(exchange, def, exchange->parameters[1], &fields));
    json_array_foreach(fields, i, field)
    {
        const struct str values[] = {def->plural, exchange->parameters[1],
                                     document_get(field, "name")};
        json_t *link = document_add(links);
        document_put(link, "text", document_get(field, "label"));
        document_put(link, "href", web_path(exchange, "/records/%/%/file/%/add", values, 3));
    }
    json_decref(fields);
    document_put_bool(document, "added", str_eq(query_text(exchange, STR("done")), STR("added")));
    return ERR_OK;
}

enum web_next web_records_received(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct engine engine = records_engine(exchange);
    struct str id = exchange->parameters[1];
    json_t *receipt = NULL;
    json_t *record = NULL;
    enum err err =
        def != NULL ? receipt_get(&engine, &exchange->actor, def, id, &receipt) : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *document = records_document(exchange, def, STR("It has been received"), NULL);
    records_crumb(document, STR("Received"), STR(""));
    (void)json_object_update(document, receipt);
    document_put(document, "number", records_number(exchange, id));
    document_put(document, "when", records_when(exchange, document_number(receipt, "made_ms")));
    document_put(document, "noun", records_noun(exchange, def));
    if (engine_get(&engine, &exchange->actor, def, id, &record) == ERR_OK) {
        document_put(document, "path", records_path(exchange, def, id, ""));
    }
    json_decref(record);
    json_decref(receipt);
    err = add_adding(exchange, def, document);
    if (err != ERR_OK) {
        json_decref(document);
        return page_err(exchange, err);
    }
    return page_answer(exchange, 200, view_records_received, document);
}

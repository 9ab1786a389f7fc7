/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening what is sensitive: one reason, chosen or typed, opens that child's records for 30 minutes
 * (U8). */
#include "records/audit.h"
#include "store/attempt.h"
#include "web/records_impl.h"
#include "web/views.h"

static void add_reasons(struct web_exchange *exchange, json_t *document)
{
    json_t *reasons = document_list(document, "reasons");
    struct str chosen = form_text(exchange, STR("reason"));
    for (int i = LOOK_REASON_UNSET + 1; i < LOOK_REASON_COUNT; i++) {
        json_t *item = document_add(reasons);
        struct str name = look_reason_name((enum look_reason)i);
        document_put(item, "value", name);
        document_put(item, "text", look_reason_label((enum look_reason)i));
        document_put_bool(item, "checked", str_eq(name, chosen));
    }
}

static enum web_next show(struct web_exchange *exchange, unsigned status,
                          const struct register_def *def, const json_t *record, struct str fault)
{
    json_t *document = records_document(exchange, def, STR("Why are you looking?"), record);
    records_crumb(document, STR("Why are you looking?"), STR(""));
    document_put(document, "child", document_get(json_object_get(record, "about"), "name"));
    document_put(document, "next", web_next_path(exchange));
    document_put(document, "words", form_text(exchange, STR("words")));
    document_put(document, "fault", fault);
    document_put_number(document, "minutes", LOOK_MS / 60000);
    document_put(document, "back", records_path(exchange, def, STR(""), ""));
    add_reasons(exchange, document);
    if (fault.len != 0) {
        json_t *error = document_add(document_list(document, "errors"));
        document_put(error, "text", fault);
        document_put(error, "href", STR("#reason"));
        document_put(document, "error", fault);
    }
    return page_answer(exchange, status, view_records_look, document);
}

enum web_next web_records_look(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    json_t *record = records_load(exchange, def);
    if (record == NULL) {
        return WEB_DONE;
    }
    bool about = document_get(json_object_get(record, "about"), "id").len != 0;
    enum web_next next =
        about ? show(exchange, 200, def, record, STR("")) : page_err(exchange, ERR_NOT_FOUND);
    json_decref(record);
    return next;
}

static enum err open_look(struct web_exchange *exchange, struct str child, struct str reason)
{
    const struct web_options *options = &exchange->web->options;
    struct store_attempt attempt =
        store_attempt(options->store, exchange->actor.school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(
            &attempt, look_open(options->store, options->keys, &exchange->actor, child, reason));
    }
    return attempt.err;
}

enum web_next web_records_look_open(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    json_t *record = records_load(exchange, def);
    if (record == NULL) {
        return WEB_DONE;
    }
    struct str words = str_trim_space(form_text(exchange, STR("words")));
    struct str reason = words.len != 0 ? words : form_text(exchange, STR("reason"));
    struct str child = document_get(json_object_get(record, "about"), "id");
    struct str id = exchange->parameters[1];
    enum err err = child.len == 0    ? ERR_NOT_FOUND
                   : reason.len == 0 ? ERR_INVALID
                                     : open_look(exchange, child, reason);
    enum web_next next;
    if (err == ERR_INVALID) {
        next = show(exchange, 422, def, record,
                    words.len > LOOK_WORDS_MAX ? STR("Say it in fewer words")
                                               : STR("Choose a reason, or type one"));
    } else if (err != ERR_OK) {
        next = page_err(exchange, err);
    } else {
        struct str on = web_next_path(exchange);
        next = page_redirect(exchange,
                             str_eq(on, STR("/")) ? records_path(exchange, def, id, "") : on);
    }
    json_decref(record);
    return next;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages of registers share: addresses, crumbs, loading. */
#include "base/clock.h"
#include "base/num.h"
#include "records/attach.h"
#include "web/records_impl.h"

enum { NOUN_MAX = 128 };

struct engine records_engine(const struct web_exchange *exchange)
{
    const struct web_options *options = &exchange->web->options;
    return (struct engine){.store = options->store, .keys = options->keys};
}

const struct register_def *records_def(const struct web_exchange *exchange)
{
    const struct register_def *def = register_find(exchange->parameters[0]);
    /* Addresses have the plural only: one record has one address. */
    return def != NULL && str_eq(def->plural, exchange->parameters[0]) ? def : NULL;
}

struct str records_path(struct web_exchange *exchange, const struct register_def *def,
                        struct str id, const char *behind)
{
    const struct str values[] = {def->plural, id};
    struct str path = web_path(exchange, id.len != 0 ? "/records/%/%" : "/records/%", values,
                               id.len != 0 ? 2 : 1);
    struct buf whole;
    buf_init(&whole, 4096);
    buf_append(&whole, path);
    buf_append(&whole, str_from(behind));
    struct str made = arena_dup(exchange->arena, buf_str(&whole));
    buf_fini(&whole);
    return made;
}

void records_crumb(json_t *document, struct str text, struct str href)
{
    json_t *crumb = document_add(json_object_get(document, "crumbs"));
    document_put(crumb, "text", text);
    if (href.len != 0) {
        document_put(crumb, "href", href);
    }
}

/* A label within a sentence: "Low-level concern" begins small, "UPN list" does not. */
static struct str in_sentence(struct web_exchange *exchange, struct str label)
{
    char *words = arena_alloc(exchange->arena, NOUN_MAX);
    size_t n = label.len < NOUN_MAX ? label.len : NOUN_MAX;
    if (words == NULL || n == 0) {
        return label;
    }
    memcpy(words, label.p, n);
    bool alone = n < 2 || words[1] < 'A' || words[1] > 'Z';
    words[0] = alone ? ascii_lower(words[0]) : words[0];
    return str_make(words, n);
}

json_t *records_document(struct web_exchange *exchange, const struct register_def *def,
                         struct str title, const json_t *record)
{
    json_t *document = json_object();
    document_put(document, "title", title);
    (void)document_list(document, "crumbs");
    records_crumb(document, STR("Start"), STR("/"));
    if (def != NULL) {
        records_crumb(document, STR("Records"), STR("/records"));
        records_crumb(document, def->label_plural, records_path(exchange, def, STR(""), ""));
        json_t *about = document_object(document, "about_register");
        document_put(about, "name", def->name);
        document_put(about, "plural", def->plural);
        document_put(about, "label", def->label);
        document_put(about, "label_plural", def->label_plural);
        document_put(about, "noun", records_noun(exchange, def));
        document_put(about, "nouns", in_sentence(exchange, def->label_plural));
        document_put(about, "help", def->help);
    }
    if (record != NULL) {
        records_crumb(document, document_get(record, "title"),
                      records_path(exchange, def, document_get(record, "id"), ""));
    }
    return document;
}

struct str records_when(struct web_exchange *exchange, int64_t ms)
{
    char text[CIVIL_TEXT_MAX];
    size_t len = clock_british_print(ms, text);
    return arena_dup(exchange->arena, str_make(text, len));
}

enum web_next records_done(struct web_exchange *exchange, const struct register_def *def,
                           struct str id, const char *done)
{
    return page_redirect(exchange, records_path(exchange, def, id, done));
}

uint64_t records_version(const struct web_exchange *exchange)
{
    const json_t *sent = json_object_get(form_json(exchange), "version");
    uint64_t version = 0;
    if (json_is_integer(sent) && json_integer_value(sent) > 0) {
        return (uint64_t)json_integer_value(sent);
    }
    enum err err = parse_u64(form_text(exchange, STR("version")), 1, INT64_MAX, &version);
    return err == ERR_OK ? version : 0;
}

json_t *records_load(struct web_exchange *exchange, const struct register_def *def)
{
    struct engine engine = records_engine(exchange);
    json_t *record = NULL;
    enum err err =
        def != NULL ? engine_get(&engine, &exchange->actor, def, exchange->parameters[1], &record)
                    : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        (void)page_err(exchange, err);
        return NULL;
    }
    return record;
}

struct str records_noun(struct web_exchange *exchange, const struct register_def *def)
{
    return in_sentence(exchange, def->label);
}

enum err records_adding(struct web_exchange *exchange, const struct register_def *def,
                        struct str id, json_t **ret_fields)
{
    struct engine engine = records_engine(exchange);
    enum err err = attach_fields(&engine, &exchange->actor, def, id, ret_fields);
    if (err == ERR_NOT_FOUND) {
        *ret_fields = json_array();
        err = *ret_fields != NULL ? ERR_OK : ERR_MEMORY;
    }
    return err;
}

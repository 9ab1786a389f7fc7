/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One search over all that the person may see. */
#include "web/records_impl.h"
#include "web/views.h"

static void add_links(struct web_exchange *exchange, json_t *groups)
{
    size_t i, j;
    json_t *group, *item;
    json_array_foreach(groups, i, group)
    {
        const struct register_def *def = register_find(document_get(group, "register"));
        if (def == NULL) {
            continue;
        }
        json_array_foreach(json_object_get(group, "items"), j, item)
        {
            records_line(exchange, def, item, false, item);
        }
        if (document_is(group, "more")) {
            const struct str values[] = {def->plural, query_text(exchange, STR("words"))};
            document_put(group, "href", web_path(exchange, "/records/%?search=%", values, 2));
        }
    }
}

enum web_next web_search(struct web_exchange *exchange)
{
    struct engine engine = records_engine(exchange);
    struct str words = str_trim_space(query_text(exchange, STR("words")));
    json_t *document = records_document(exchange, NULL, STR("Search"), NULL);
    json_t *found = NULL;
    enum err err =
        words.len != 0 ? engine_search(&engine, &exchange->actor, words, &found) : ERR_OK;
    if (err != ERR_OK) {
        json_decref(document);
        return page_err(exchange, err);
    }
    document_put(document, "words", words);
    if (found != NULL) {
        (void)json_object_update_new(document, found);
        add_links(exchange, json_object_get(document, "groups"));
        document_put_bool(document, "nothing",
                          json_array_size(json_object_get(document, "groups")) == 0);
    }
    return page_answer(exchange, 200, view_search, document);
}

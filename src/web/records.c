/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers: the list of them, and of one its records with search, sort and pages, and its CSV. */
#include "base/num.h"
#include "web/records_impl.h"
#include "web/views.h"

enum { PAGE_MAX = 100000, CSV_MAX = 32 * 1024 * 1024, LINK_MAX = 2048, SHOWN_MAX = 300 };

static struct engine_query query_of(const struct web_exchange *exchange)
{
    uint64_t page = 1;
    if (parse_u64(query_text(exchange, STR("page")), 1, PAGE_MAX, &page) != ERR_OK) {
        page = 1;
    }
    return (struct engine_query){
        .search = str_trim_space(query_text(exchange, STR("search"))),
        .sort = query_text(exchange, STR("sort")),
        .down = str_eq(query_text(exchange, STR("down")), STR("1")),
        .page = page,
        .about = query_text(exchange, STR("about")),
    };
}

/* The list's address with these words; page 0: the first. */
static struct str link_to(struct web_exchange *exchange, const struct register_def *def,
                          const struct engine_query *query, size_t page, const char *behind)
{
    struct buf number;
    buf_init(&number, 32);
    buf_append_u64(&number, page);
    const struct str values[] = {query->search, query->sort, query->about, buf_str(&number)};
    struct str base = records_path(exchange, def, STR(""), behind);
    struct str words = web_path(exchange,
                                query->down ? "?search=%&sort=%&about=%&page=%&down=1"
                                            : "?search=%&sort=%&about=%&page=%",
                                values, 4);
    struct buf whole;
    buf_init(&whole, LINK_MAX);
    buf_append(&whole, base);
    buf_append(&whole, words);
    struct str made = arena_dup(exchange->arena, buf_str(&whole));
    buf_fini(&whole);
    buf_fini(&number);
    return made;
}

/* ---- one list ---- */

static void add_columns(struct web_exchange *exchange, const struct register_def *def,
                        const struct engine_query *query, json_t *view)
{
    json_t *columns = document_list(view, "columns");
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct register_field *field = &def->fields[i];
        if (!field->listed && i != def->title) {
            continue;
        }
        json_t *column = document_add(columns);
        bool sorted = str_eq(query->sort, field->name);
        document_put(column, "name", field->name);
        document_put(column, "label", field->label);
        document_put_bool(column, "title", i == def->title);
        document_put_bool(column, "number",
                          field->type == FIELD_NUMBER || field->type == FIELD_MONEY);
        if (field->sortable) {
            struct engine_query other = *query;
            other.sort = field->name;
            other.down = sorted && !query->down;
            document_put(column, "href", link_to(exchange, def, &other, 1, ""));
            document_put(column, "sorted",
                         !sorted       ? STR("")
                         : query->down ? STR("descending")
                                       : STR("ascending"));
        }
    }
}

static struct str cut_long(struct web_exchange *exchange, struct str text)
{
    if (text.len <= SHOWN_MAX) {
        return text;
    }
    size_t n = SHOWN_MAX;
    while (n != 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80) {
        n--; /* not inside a character */
    }
    struct buf cut;
    buf_init(&cut, SHOWN_MAX + 8);
    buf_append(&cut, str_sub(text, 0, n));
    buf_append(&cut, STR("\xe2\x80\xa6"));
    struct str made = arena_dup(exchange->arena, buf_str(&cut));
    buf_fini(&cut);
    return made;
}

static void add_row(struct web_exchange *exchange, const struct register_def *def,
                    const json_t *record, json_t *rows)
{
    json_t *row = document_add(rows);
    const json_t *shown = json_object_get(record, "shown");
    const json_t *fields = json_object_get(record, "fields");
    struct str title = document_get(record, "title");
    document_put(row, "href", records_path(exchange, def, document_get(record, "id"), ""));
    document_put(row, "title", title.len != 0 ? title : STR("(without a name)"));
    document_put(row, "state", document_get(record, "state_label"));
    document_put(row, "changed",
                 records_when(exchange, document_number(json_object_get(record, "changed"), "ms")));
    json_t *cells = document_list(row, "cells");
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct register_field *field = &def->fields[i];
        if (i != def->title && field->listed) {
            json_t *cell = document_add(cells);
            bool closed = json_is_null(document_member(fields, field->name)) &&
                          (field->sensitive || def->sensitive) &&
                          document_member(shown, field->name) == NULL;
            document_put(cell, "label", field->label);
            document_put(cell, "text",
                         closed ? STR("")
                                : cut_long(exchange, document_get_str(shown, field->name)));
            document_put_bool(cell, "number",
                              field->type == FIELD_NUMBER || field->type == FIELD_MONEY);
            document_put_bool(cell, "warns",
                              field->warns &&
                                  str_eq(document_get_str(shown, field->name), STR("Yes")));
        }
    }
}

static void add_pages(struct web_exchange *exchange, const struct register_def *def,
                      const struct engine_query *query, const json_t *list, json_t *view)
{
    size_t page = (size_t)document_number(list, "page");
    json_t *pages = document_object(view, "pages");
    if (page > 1) {
        document_put(document_object(pages, "previous"), "href",
                     link_to(exchange, def, query, page - 1, ""));
    }
    if (document_is(list, "more")) {
        document_put(document_object(pages, "next"), "href",
                     link_to(exchange, def, query, page + 1, ""));
    }
}

static struct str total_text(struct web_exchange *exchange, const json_t *list)
{
    int64_t total = document_number(list, "total");
    bool least = document_is(list, "total_is_least");
    struct buf text;
    buf_init(&text, 64);
    buf_printf(&text, least ? "more than %lld" : "%lld", (long long)total);
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

static void add_list_view(struct web_exchange *exchange, const struct register_def *def,
                          const struct engine_query *query, json_t *list)
{
    json_t *view = document_object(list, "view");
    json_t *rows = document_list(view, "rows");
    size_t i;
    json_t *record;
    add_columns(exchange, def, query, view);
    json_array_foreach(json_object_get(list, "items"), i, record)
    {
        add_row(exchange, def, record, rows);
    }
    add_pages(exchange, def, query, list, view);
    document_put_bool(view, "states", def->n_states != 0);
    document_put(view, "title_label", def->fields[def->title].label);
    document_put(view, "total", total_text(exchange, list));
    document_put(view, "csv", link_to(exchange, def, query, 1, ".csv"));
    document_put(view, "path", records_path(exchange, def, STR(""), ""));
    document_put(view, "sort", query->sort);
    document_put_bool(view, "down", query->down);
    document_put(view, "about", query->about);
}

enum web_next web_records_list(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct engine engine = records_engine(exchange);
    struct engine_query query = query_of(exchange);
    json_t *list = NULL;
    if (def != NULL && query.sort.len == 0 && query.search.len == 0 && !exchange->wants_json &&
        def->fields[def->title].sortable) {
        query.sort = def->fields[def->title].name; /* names are looked for in their order */
    }
    enum err err =
        def != NULL ? engine_list(&engine, &exchange->actor, def, &query, &list) : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *document = records_document(exchange, def, def->label_plural, NULL);
    (void)json_object_update_new(list, document);
    if (!exchange->wants_json) {
        add_list_view(exchange, def, &query, list);
    }
    return page_answer(exchange, 200, view_records_list, list);
}

enum web_next web_records_csv(struct web_exchange *exchange)
{
    const struct register_def *def = records_def(exchange);
    struct engine engine = records_engine(exchange);
    struct engine_query query = query_of(exchange);
    struct buf csv;
    struct buf name;
    if (def == NULL) {
        return page_err(exchange, ERR_NOT_FOUND);
    }
    buf_init(&csv, CSV_MAX);
    buf_init(&name, 256);
    enum err err = engine_export_csv(&engine, &exchange->actor, def, &query, &csv);
    buf_append(&name, def->plural);
    buf_append(&name, STR(".csv"));
    enum web_next next = err != ERR_OK ? page_err(exchange, err)
                                       : page_bytes(exchange, STR("text/csv; charset=utf-8"),
                                                    buf_str(&name), buf_str(&csv));
    buf_fini(&name);
    buf_fini(&csv);
    return next;
}

/* ---- all registers ---- */

static bool may(const struct web_exchange *exchange, const struct register_def *def, enum verb verb)
{
    return permit_widest(exchange->actor.roles, def->area, verb) > SCOPE_NONE;
}

enum web_next web_records_index(struct web_exchange *exchange)
{
    json_t *document = records_document(exchange, NULL, STR("Records"), NULL);
    json_t *registers = document_list(document, "registers");
    for (size_t i = 0; i < N_REGISTERS; i++) {
        const struct register_def *def = REGISTERS[i];
        bool sees = may(exchange, def, VERB_see), makes = may(exchange, def, VERB_make);
        if (!sees && !makes) {
            continue;
        }
        json_t *row = document_add(registers);
        document_put(row, "name", def->name);
        document_put(row, "label", def->label_plural);
        document_put(row, "noun", records_noun(exchange, def));
        document_put(row, "area", area_label(def->area));
        document_put(row, "help", def->help);
        document_put(row, "href", records_path(exchange, def, STR(""), ""));
        if (makes) {
            document_put(row, "make", records_path(exchange, def, STR(""), "/new"));
        }
    }
    return page_answer(exchange, 200, view_records_index, document);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table that was tried: its columns, each with what it is taken for, to be corrected; what all
 * new records are where no column says it; what is wrong; and what would become of each row. */
#include <stdio.h>
#include <stdlib.h>

#include "records/field.h"
#include "web/records_import_impl.h"

enum { ID_MAX = 128, EXAMPLE_MAX = 40, EXAMPLES_MAX = 512 };

json_t *records_import_document(struct web_exchange *exchange, const struct register_def *def)
{
    json_t *document = records_document(exchange, def, STR("Import"), NULL);
    records_crumb(document, STR("Import"), STR(""));
    json_t *columns = document_list(document, "columns");
    for (size_t i = 0; i < def->n_fields; i++) {
        json_t *column = document_add(columns);
        document_put(column, "name", def->fields[i].name);
        document_put(column, "label", def->fields[i].label);
        document_put_bool(column, "required", def->fields[i].required);
    }
    document_put(document, "path", records_path(exchange, def, STR(""), "/import"));
    document_put(document, "back", records_path(exchange, def, STR(""), ""));
    return document;
}

static void add_choice(json_t *items, struct str value, struct str label, struct str chosen)
{
    json_t *item = document_add(items);
    document_put(item, "value", value);
    document_put(item, "text", label);
    document_put_bool(item, "selected", str_eq(value, chosen));
}

/* ---- the columns ---- */

static bool is_target(const struct register_field *field, unsigned roles)
{
    return field->type != FIELD_FILE && field->type != FIELD_SPAN &&
           (field->seen_by == 0 || (field->seen_by & roles) != 0);
}

static void add_targets(const struct web_exchange *exchange, const struct register_def *def,
                        struct str chosen, json_t *items)
{
    add_choice(items, STR(""), STR("Leave this column out"), chosen);
    for (size_t i = 0; i < def->n_fields; i++) {
        if (is_target(&def->fields[i], exchange->actor.roles)) {
            add_choice(items, def->fields[i].name, def->fields[i].label, chosen);
        }
    }
    for (size_t i = 0; i < def->n_parts; i++) {
        add_choice(items, def->parts[i].name, def->parts[i].label, chosen);
    }
    add_choice(items, STR("record"), STR("Record (its id in Lodge)"), chosen);
}

/* "Amara, Tomos, Zofia" */
static void put_examples(const json_t *examples, json_t *row)
{
    struct buf text;
    size_t i;
    json_t *one;
    buf_init(&text, EXAMPLES_MAX);
    json_array_foreach(examples, i, one)
    {
        struct str value = str_make(json_string_value(one), json_string_length(one));
        size_t n = value.len < EXAMPLE_MAX ? value.len : EXAMPLE_MAX;
        while (n < value.len && n != 0 && ((unsigned char)value.p[n] & 0xc0) == 0x80) {
            n--; /* not inside a character */
        }
        buf_append(&text, i != 0 ? STR(", ") : STR(""));
        buf_append(&text, str_sub(value, 0, n));
        buf_append(&text, n < value.len ? STR("\xe2\x80\xa6") : STR(""));
    }
    document_put(row, "examples", buf_str(&text));
    buf_fini(&text);
}

static void add_columns(struct web_exchange *exchange, const struct records_import *tried,
                        json_t *view)
{
    json_t *rows = document_list(view, "columns");
    int64_t taken = 0;
    size_t i;
    json_t *column;
    json_array_foreach(json_object_get(tried->report, "columns"), i, column)
    {
        char id[ID_MAX];
        json_t *row = document_add(rows);
        struct str heading = document_get(column, "heading");
        (void)snprintf(id, sizeof(id), "column-%zu", i);
        document_put(row, "id", str_from(id));
        document_put(row, "heading", heading.len != 0 ? heading : STR("(without a heading)"));
        taken += document_get(column, "field").len != 0;
        put_examples(json_object_get(column, "examples"), row);
        add_targets(exchange, tried->def, document_get(column, "field"),
                    document_list(row, "items"));
    }
    document_put_number(view, "taken", taken);
    document_put_number(view, "of", (int64_t)json_array_size(rows));
}

/* ---- what no column says ---- */

static bool has_column(const struct records_import *tried, size_t field)
{
    const struct register_def *def = tried->def;
    size_t i;
    json_t *column;
    json_array_foreach(json_object_get(tried->report, "columns"), i, column)
    {
        struct str target = document_get(column, "field");
        if (str_eq(target, def->fields[field].name) || str_eq(target, STR("record"))) {
            return true;
        }
        for (size_t k = 0; k < def->n_parts; k++) {
            bool other = def->parts[k].otherwise < def->n_fields &&
                         str_eq(target, def->fields[def->parts[k].otherwise].name);
            if (def->parts[k].of == field && (other || str_eq(target, def->parts[k].name))) {
                return true;
            }
        }
    }
    return false;
}

static void add_answers(const struct register_field *field, struct str chosen, json_t *need)
{
    json_t *items = document_list(need, "items");
    add_choice(items, STR(""), STR("Choose"), chosen);
    for (size_t i = 0; i < field->n_choices; i++) {
        add_choice(items, field->choices[i].value, field->choices[i].label, chosen);
    }
    if (field->type == FIELD_YES_NO) {
        add_choice(items, STR("yes"), STR("Yes"), chosen);
        add_choice(items, STR("no"), STR("No"), chosen);
    }
}

static void ask_for(const struct register_field *field, const char *id, json_t *need,
                    json_t *document)
{
    char href[ID_MAX + 1];
    struct buf sentence;
    json_t *error = document_add(json_object_get(document, "errors"));
    (void)snprintf(href, sizeof(href), "#%s", id);
    buf_init(&sentence, EXAMPLES_MAX);
    buf_printf(&sentence, "Say what “%.*s” is: no column of your table does",
               STR_ARG(field->label));
    document_put(document_object(need, "errorMessage"), "text", buf_str(&sentence));
    document_put(error, "text", buf_str(&sentence));
    document_put(error, "href", str_from(href));
    buf_fini(&sentence);
}

/* What must be said of a new record and stands in no column; false where it was not said yet. */
static bool add_needs(const struct records_import *tried, json_t *document, json_t *view)
{
    json_t *needs = document_list(view, "needs");
    const json_t *all = json_object_get(tried->plan, "all");
    bool said = true;
    for (size_t i = 0; i < tried->def->n_fields && tried->plan != NULL; i++) {
        const struct register_field *field = &tried->def->fields[i];
        char id[ID_MAX];
        bool worded = field->type == FIELD_TEXT || field->type == FIELD_LONG_TEXT;
        if (!field->required || worded || has_column(tried, i)) {
            continue;
        }
        struct str chosen = document_get_str(all, field->name);
        json_t *need = document_add(needs);
        (void)snprintf(id, sizeof(id), "all-%.*s", STR_ARG(field->name));
        document_put(need, "id", str_from(id));
        document_put(need, "label", field->label);
        document_put(need, "value", chosen);
        if (field->type == FIELD_CHOICE || field->type == FIELD_YES_NO) {
            add_answers(field, chosen, need);
        }
        said = said && chosen.len != 0;
        if (chosen.len == 0 && !tried->first) {
            ask_for(field, id, need, document);
        }
    }
    return said;
}

/* ---- what would become of the rows ---- */

static void add_row(const json_t *told, struct str text, struct str tag, json_t *rows)
{
    json_t *row = document_add(rows);
    struct str title = document_get(told, "title");
    document_put_number(row, "row", document_number(told, "row"));
    document_put(row, "title", title.len != 0 ? title : STR("(without a name)"));
    (void)json_object_set(row, "fields", json_object_get(told, "fields"));
    document_put(row, "text", text);
    document_put(row, "tag", tag);
}

/* What a person should look at comes first. */
static void add_rows(const struct records_import *tried, json_t *view)
{
    static const struct {
        struct str what, text, tag;
    } kinds[] = {
        {STR_INIT("refused"), STR_INIT("Not right"), STR_INIT("govuk-tag--red")},
        {STR_INIT("changed"), STR_INIT("Changed"), STR_INIT("govuk-tag--blue")},
        {STR_INIT("new"), STR_INIT("New"), STR_INIT("govuk-tag--green")},
        {STR_INIT("same"), STR_INIT("No change"), STR_INIT("govuk-tag--grey")},
    };
    const json_t *preview = json_object_get(tried->report, "preview");
    json_t *rows = document_list(view, "rows");
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        size_t i;
        json_t *told;
        json_array_foreach(preview, i, told)
        {
            if (str_eq(kinds[k].what, document_get(told, "what"))) {
                add_row(told, kinds[k].text, kinds[k].tag, rows);
            }
        }
    }
    size_t n = json_array_size(rows);
    document_put_number(view, "told", (int64_t)n);
    document_put_bool(view, "cut", (int64_t)n < document_number(tried->report, "rows"));
}

static void put_counts(const struct records_import *tried, json_t *view)
{
    int64_t good =
        document_number(tried->report, "made") + document_number(tried->report, "changed");
    document_put_number(view, "takes", good);
    document_put_bool(view, "nothing", good == 0);
    document_put_bool(view, "one", good == 1);
}

/* What was shown, as it comes back with the button that takes it. */
static void put_seen(const struct records_import *tried, json_t *view)
{
    json_t *plan = json_deep_copy(tried->plan);
    json_t *columns = json_array();
    size_t i;
    json_t *column;
    json_array_foreach(json_object_get(tried->report, "columns"), i, column)
    {
        (void)json_array_append(columns, json_object_get(column, "field"));
    }
    (void)json_object_set_new(plan, "columns", columns);
    char *text = json_dumps(plan, JSON_COMPACT | JSON_SORT_KEYS);
    document_put(view, "seen", text != NULL ? str_from(text) : STR(""));
    free(text);
    json_decref(plan);
}

enum web_next records_import_show(struct web_exchange *exchange, const struct records_import *tried)
{
    json_t *document = records_import_document(exchange, tried->def);
    json_t *view = document_object(document, "view");
    (void)json_object_set_new(document, "report", tried->report);
    if (exchange->wants_json) {
        json_object_del(document, "view");
        return page_answer(exchange, tried->good ? 200 : 422, view_records_import, document);
    }
    (void)document_list(document, "errors");
    add_columns(exchange, tried, view);
    bool said = add_needs(tried, document, view);
    bool faulty = json_array_size(json_object_get(tried->report, "faults")) != 0;
    bool asks = tried->first && !said;
    if (said) {
        add_rows(tried, view);
    }
    put_counts(tried, view);
    put_seen(tried, view);
    document_put(view, "csv", tried->csv);
    document_put_bool(view, "said", said);
    document_put_bool(view, "good", tried->good && said);
    document_put_bool(view, "faulty", faulty && said);
    document_put_bool(view, "skip", document_is(tried->plan, "skip"));
    document_put_bool(view, "skippable",
                      faulty && said && document_number(tried->report, "refused") != 0 &&
                          document_number(tried->report, "refused") !=
                              document_number(tried->report, "rows"));
    if (faulty && said && !tried->good) {
        json_t *error = document_add(json_object_get(document, "errors"));
        document_put(error, "text", STR("Some rows are not right"));
        document_put(error, "href", STR("#faults"));
    }
    bool fine = asks || (tried->good && said);
    return page_answer(exchange, fine ? 200 : 422, view_records_import, document);
}

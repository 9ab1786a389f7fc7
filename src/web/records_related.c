/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record in one line, and on a person's page the lines about them: the family at a glance, and
 * who must not have contact. */
#include "web/records_impl.h"

enum { LINE_MAX = 2048, LINES_MAX = 5 };

static bool is_named_in(struct str label)
{
    return label.len != 0 && label.p[label.len - 1] != '?';
}

/* "Mother", "From 1 September 2024"; of a yes/no its label where it is yes. */
static void add_word(const struct register_field *field, struct str text, struct buf *note)
{
    bool yes_no = field->type == FIELD_YES_NO;
    if (text.len == 0 || (yes_no && !str_eq(text, STR("Yes")))) {
        return;
    }
    buf_append(note, note->len != 0 ? STR(" \xc2\xb7 ") : STR(""));
    if (yes_no) {
        /* "Has a parent or carer signed too?": said, not asked. */
        bool named = is_named_in(field->label);
        buf_append(note, str_sub(field->label, 0, field->label.len - (named ? 0 : 1)));
        return;
    }
    if (field->type == FIELD_DATE && is_named_in(field->label)) {
        buf_append(note, field->label);
        buf_append_byte(note, ' ');
    }
    buf_append(note, text);
}

void records_line(struct web_exchange *exchange, const struct register_def *def,
                  const json_t *record, bool without_about, json_t *line)
{
    const json_t *shown = json_object_get(record, "shown");
    struct str title =
        without_about && def->title == def->about ? STR("") : document_get(record, "title");
    struct buf note;
    buf_init(&note, LINE_MAX);
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct register_field *field = &def->fields[i];
        struct str text = document_get_str(shown, field->name);
        if (!field->listed || i == def->title || (without_about && i == def->about)) {
            continue;
        }
        if (field->warns) {
            document_put(line, "warning", str_eq(text, STR("Yes")) ? field->label : STR(""));
        } else if (title.len == 0 && text.len != 0) {
            title = text;
        } else {
            add_word(field, text, &note);
        }
    }
    struct str state = document_get(record, "state_label");
    if (state.len != 0) {
        buf_append(&note, note.len != 0 ? STR(" \xc2\xb7 ") : STR(""));
        buf_append(&note, state);
    }
    document_put(line, "title", title.len != 0 ? title : STR("(without a name)"));
    document_put(line, "note", buf_str(&note));
    document_put(line, "href", records_path(exchange, def, document_get(record, "id"), ""));
    buf_fini(&note);
}

/* "Must not have contact with the child: Marek Wilk" */
static void add_warning(const json_t *line, json_t *warnings)
{
    struct str warning = document_get(line, "warning");
    struct buf text;
    if (warning.len == 0) {
        return;
    }
    buf_init(&text, LINE_MAX);
    buf_append(&text, warning);
    buf_append(&text, STR(": "));
    buf_append(&text, document_get(line, "title"));
    document_put(document_add(warnings), "text", buf_str(&text));
    buf_fini(&text);
}

static enum err add_register(struct web_exchange *exchange, const struct register_def *def,
                             struct str person, json_t *groups, json_t *warnings)
{
    struct engine engine = records_engine(exchange);
    const struct engine_query query = {.page = 1, .per_page = LINES_MAX, .about = person};
    json_t *list = NULL;
    json_t *record;
    size_t i;
    if (def->about == def->n_fields ||
        permit_widest(exchange->actor.roles, def->area, VERB_see) == SCOPE_NONE) {
        return ERR_OK;
    }
    enum err err = engine_list(&engine, &exchange->actor, def, &query, &list);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (json_array_size(json_object_get(list, "items")) != 0) {
        json_t *group = document_add(groups);
        json_t *items = document_list(group, "items");
        document_put(group, "label", def->label_plural);
        json_array_foreach(json_object_get(list, "items"), i, record)
        {
            json_t *line = document_add(items);
            records_line(exchange, def, record, true, line);
            add_warning(line, warnings);
        }
        if (document_is(list, "more")) {
            const struct str values[] = {def->plural, person};
            document_put(group, "href", web_path(exchange, "/records/%?about=%", values, 2));
        }
    }
    json_decref(list);
    return ERR_OK;
}

enum err records_related(struct web_exchange *exchange, struct str person, json_t *groups,
                         json_t *warnings)
{
    for (size_t i = 0; i < N_REGISTERS; i++) {
        ERR_TRY(add_register(exchange, REGISTERS[i], person, groups, warnings));
    }
    return ERR_OK;
}

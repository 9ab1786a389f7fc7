/* SPDX-License-Identifier: GPL-3.0-or-later */
/* People, groups and devices in forms: a name is looked for in their register. One that fits is
 * taken; of several, one is chosen on the form that comes back; nothing of it takes a script. */
#include "web/records_impl.h"

enum { CANDIDATES_MAX = 12, NAME_MAX_BYTES = 128 };

static const struct register_def *register_of(enum field_type type)
{
    static const struct {
        enum field_type type;
        struct str plural;
    } rows[] = {
        {FIELD_PERSON, STR_INIT("people")},
        {FIELD_GROUP, STR_INIT("groups")},
        {FIELD_DEVICE, STR_INIT("devices")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type == type) {
            return register_find(rows[i].plural);
        }
    }
    return NULL;
}

static struct str sent(struct web_exchange *exchange, struct str name, const char *behind)
{
    struct buf key;
    buf_init(&key, NAME_MAX_BYTES);
    buf_append(&key, name);
    buf_append(&key, str_from(behind));
    struct str value = str_trim_space(form_text(exchange, buf_str(&key)));
    buf_fini(&key);
    return value;
}

/* What tells candidates of one name apart: their other columns. */
static struct str describe(struct web_exchange *exchange, const struct register_def *def,
                           const json_t *record)
{
    struct buf text;
    buf_init(&text, 512);
    for (size_t i = 0; i < def->n_fields; i++) {
        struct str shown = document_get_str(json_object_get(record, "shown"), def->fields[i].name);
        if (i != def->title && def->fields[i].listed && shown.len != 0) {
            buf_append(&text, text.len != 0 ? STR(", ") : STR(""));
            buf_append(&text, shown);
        }
    }
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

/* The only record of exactly this name among those found; NULL where there is none or several. */
static const json_t *only_one(const json_t *items, struct str name)
{
    const json_t *only = NULL;
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        if (str_eq_nocase(document_get(item, "title"), name)) {
            if (only != NULL) {
                return NULL;
            }
            only = item;
        }
    }
    return only != NULL ? only : json_array_size(items) == 1 ? json_array_get(items, 0) : NULL;
}

static json_t *candidates(struct web_exchange *exchange, const struct register_def *def,
                          const json_t *items)
{
    json_t *list = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        json_t *one = document_add(list);
        document_put(one, "value", document_get(item, "id"));
        document_put(one, "text", document_get(item, "title"));
        document_put(one, "hint", describe(exchange, def, item));
    }
    return list;
}

static void put_behind(json_t *input, struct str name, const char *behind, struct str value)
{
    struct buf key;
    buf_init(&key, NAME_MAX_BYTES);
    buf_append(&key, name);
    buf_append(&key, str_from(behind));
    document_put_str(input, buf_str(&key), value);
    buf_fini(&key);
}

/* Looks for a name; what was found goes into input, or candidates and a fault are noted. */
static enum err look_for(struct web_exchange *exchange, const struct register_field *field,
                         struct str name, json_t *input, json_t *faults, json_t *choices)
{
    const struct register_def *def = register_of(field->type);
    struct engine engine = records_engine(exchange);
    const struct engine_query query = {.search = name, .page = 1, .per_page = CANDIDATES_MAX};
    json_t *list = NULL;
    enum err err = engine_list(&engine, &exchange->actor, def, &query, &list);
    if (err == ERR_NOT_FOUND) {
        /* Who does not see the register types whole names, which the engine knows. */
        document_put_str(input, field->name, name);
        return ERR_OK;
    }
    ERR_TRY(err);
    const json_t *items = json_object_get(list, "items");
    const json_t *one = only_one(items, name);
    if (one != NULL) {
        /* Where the form comes back for another fault, it names who was found. */
        document_put_str(input, field->name, document_get(one, "id"));
        put_behind(input, field->name, "-name", document_get(one, "title"));
    } else if (json_array_size(items) == 0) {
        /* A teacher may write down a worry about a child whom they do not teach: of those whom one
         * does not see, the engine knows whole names. */
        document_put_str(input, field->name, name);
    } else {
        document_put_str(faults, field->name,
                         document_is(list, "more")
                             ? STR("Many have this name. Choose one of these, or type more of it")
                             : STR("Several have this name. Choose one of them"));
        (void)json_object_setn_new(choices, field->name.p, field->name.len,
                                   candidates(exchange, def, items));
        document_put_str(input, field->name, STR(""));
    }
    json_decref(list);
    return ERR_OK;
}

enum err records_choose(struct web_exchange *exchange, const struct register_def *def,
                        json_t **ret_input, json_t *faults, json_t *choices)
{
    json_t *input = json_deep_copy(form_json(exchange));
    if (input == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < def->n_fields; i++) {
        const struct register_field *field = &def->fields[i];
        struct str name = sent(exchange, field->name, "-find");
        /* Chosen from what this very name found. */
        bool chosen = form_text(exchange, field->name).len != 0 &&
                      str_eq(name, sent(exchange, field->name, "-asked"));
        if (register_of(field->type) == NULL || name.len == 0 || chosen) {
            continue;
        }
        enum err err = look_for(exchange, field, name, input, faults, choices);
        if (err != ERR_OK) {
            json_decref(input);
            return err;
        }
    }
    *ret_input = input;
    return ERR_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was sent with a POST: an encoded form, a form with files, or JSON, all read into one shape.
 */
#include <string.h>

#include "wire/form.h"
#include "wire/multipart.h"
#include "wire/utf8.h"
#include "web/web_impl.h"

#define CSRF_FIELD STR("csrf")

struct str web_media_type(struct str content_type)
{
    return str_trim(str_sub(content_type, 0, str_index(content_type, ';')));
}

static bool is_type(const struct web_exchange *exchange, struct str type)
{
    return str_eq_nocase(web_media_type(exchange->request->content_type), type);
}

/* The first of several values holds. */
static enum err add_field(struct web_form *form, struct arena *arena, struct str name,
                          struct str value)
{
    if (str_eq(name, CSRF_FIELD)) {
        form->csrf = form->csrf.len == 0 ? value : form->csrf;
        return ERR_OK;
    }
    if (json_object_size(form->fields) == WEB_FORM_FIELDS_MAX) {
        return ERR_LIMIT;
    }
    struct str key = arena_dup(arena, name); /* ended by NUL */
    if (key.p == NULL) {
        return ERR_MEMORY;
    }
    if (json_object_get(form->fields, key.p) != NULL) {
        return ERR_OK;
    }
    return json_object_set_new(form->fields, key.p,
                               json_stringn(value.len != 0 ? value.p : "", value.len)) == 0
               ? ERR_OK
               : ERR_MEMORY;
}

static enum err read_encoded(struct web_exchange *exchange, struct web_form *form)
{
    struct str rest = exchange->request->body;
    struct form_pair pair;
    enum err err;
    while ((err = form_next(&rest, exchange->arena, &pair)) == ERR_OK) {
        ERR_TRY(add_field(form, exchange->arena, pair.name, pair.value));
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err add_file(struct web_form *form, const struct multipart_part *part)
{
    if (part->file_name.len == 0 && part->bytes.len == 0) {
        return ERR_OK; /* how a browser sends a field that was left empty */
    }
    if (form->n_files == WEB_FORM_FILES_MAX) {
        return ERR_LIMIT;
    }
    form->files[form->n_files++] = (struct web_form_file){
        .field = part->name,
        .file = {.name = part->file_name, .type = part->type, .bytes = part->bytes},
    };
    return ERR_OK;
}

static enum err read_multipart(struct web_exchange *exchange, struct web_form *form)
{
    struct multipart multipart;
    struct multipart_part part;
    enum err err;
    ERR_TRY(multipart_open(exchange->request->content_type, exchange->request->body, &multipart));
    while ((err = multipart_next(&multipart, exchange->arena, &part)) == ERR_OK) {
        if (part.is_file) {
            ERR_TRY(add_file(form, &part));
        } else if (!utf8_is_text(part.bytes)) {
            return ERR_INVALID;
        } else {
            ERR_TRY(add_field(form, exchange->arena, part.name, part.bytes));
        }
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* jansson reads what is nested by calling itself; so depth is bounded before it starts. */
static bool is_too_deep(struct str text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > WEB_JSON_DEPTH) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth != 0) {
            depth--;
        }
    }
    return false;
}

static enum err read_json(struct web_exchange *exchange, struct web_form *form)
{
    struct str body = exchange->request->body;
    if (is_too_deep(body)) {
        return ERR_LIMIT;
    }
    json_error_t why;
    json_t *fields = json_loadb(body.p, body.len, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(fields)) {
        json_decref(fields);
        return ERR_INVALID;
    }
    json_decref(form->fields);
    form->fields = fields;
    return ERR_OK;
}

enum err web_form_read(struct web_exchange *exchange)
{
    static const struct {
        struct str type;
        enum err (*read)(struct web_exchange *exchange, struct web_form *form);
    } rows[] = {
        {STR_INIT("application/x-www-form-urlencoded"), read_encoded},
        {STR_INIT("multipart/form-data"), read_multipart},
        {STR_INIT("application/json"), read_json},
    };
    struct web_form *form = arena_alloc(exchange->arena, sizeof(*form));
    if (form == NULL || (form->fields = json_object()) == NULL) {
        return ERR_MEMORY;
    }
    exchange->form = form;
    if (exchange->request->body.len == 0 && exchange->request->content_type.len == 0) {
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (is_type(exchange, rows[i].type)) {
            return rows[i].read(exchange, form);
        }
    }
    return ERR_RANGE;
}

static const json_t *field(const struct web_exchange *exchange, struct str name)
{
    char key[256];
    if (exchange->form == NULL || name.len >= sizeof(key)) {
        return NULL;
    }
    memcpy(key, name.p, name.len);
    key[name.len] = '\0';
    return json_object_get(exchange->form->fields, key);
}

struct str form_text(const struct web_exchange *exchange, struct str name)
{
    const json_t *value = field(exchange, name);
    return json_is_string(value) ? str_make(json_string_value(value), json_string_length(value))
                                 : str_make(NULL, 0);
}

bool form_has(const struct web_exchange *exchange, struct str name)
{
    return field(exchange, name) != NULL;
}

const json_t *form_json(const struct web_exchange *exchange)
{
    return exchange->form != NULL ? exchange->form->fields : NULL;
}

bool form_file(const struct web_exchange *exchange, struct str name, struct form_file *ret_file)
{
    size_t n = exchange->form != NULL ? exchange->form->n_files : 0;
    for (size_t i = 0; i < n; i++) {
        if (str_eq(exchange->form->files[i].field, name)) {
            *ret_file = exchange->form->files[i].file;
            return true;
        }
    }
    return false;
}

struct str query_text(const struct web_exchange *exchange, struct str name)
{
    struct str rest = exchange->request->query;
    struct form_pair pair;
    while (form_next(&rest, exchange->arena, &pair) == ERR_OK) {
        if (str_eq(pair.name, name)) {
            return pair.value;
        }
    }
    return str_make(NULL, 0);
}

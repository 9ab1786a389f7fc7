/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small steps in making and reading documents. */
#include "web/document.h"

json_t *document_text(struct str text)
{
    return json_stringn(text.len != 0 ? text.p : "", text.len);
}

void document_put(json_t *object, const char *name, struct str text)
{
    (void)json_object_set_new(object, name, document_text(text));
}

void document_put_str(json_t *object, struct str name, struct str text)
{
    (void)json_object_setn_new(object, name.len != 0 ? name.p : "", name.len, document_text(text));
}

void document_put_number(json_t *object, const char *name, int64_t number)
{
    (void)json_object_set_new(object, name, json_integer(number));
}

void document_put_bool(json_t *object, const char *name, bool truth)
{
    (void)json_object_set_new(object, name, json_boolean(truth));
}

json_t *document_object(json_t *object, const char *name)
{
    json_t *made = json_object();
    return json_object_set_new(object, name, made) == 0 ? made : NULL;
}

json_t *document_list(json_t *object, const char *name)
{
    json_t *made = json_array();
    return json_object_set_new(object, name, made) == 0 ? made : NULL;
}

json_t *document_add(json_t *list)
{
    json_t *made = json_object();
    return json_array_append_new(list, made) == 0 ? made : NULL;
}

static struct str text_of(const json_t *value)
{
    return json_is_string(value) ? str_make(json_string_value(value), json_string_length(value))
                                 : STR("");
}

struct str document_get(const json_t *object, const char *name)
{
    return text_of(json_object_get(object, name));
}

json_t *document_member(const json_t *object, struct str name)
{
    return json_object_getn(object, name.len != 0 ? name.p : "", name.len);
}

struct str document_get_str(const json_t *object, struct str name)
{
    return text_of(document_member(object, name));
}

bool document_is(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

int64_t document_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What compiled views are made of. */
#include "web/view.h"

#include <stdint.h>

#include "wire/html.h"

/* Room for the digits of a number. */
struct scalar {
    char digits[24];
};

/* A value as text; the empty slice for what cannot be written. */
static struct str text_of(const json_t *value, struct scalar *scratch)
{
    if (json_is_string(value)) {
        return str_make(json_string_value(value), json_string_length(value));
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? STR("true") : STR("false");
    }
    if (!json_is_integer(value)) {
        return STR("");
    }
    json_int_t number = json_integer_value(value);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t at = sizeof(scratch->digits);
    do {
        scratch->digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        scratch->digits[--at] = '-';
    }
    return str_make(scratch->digits + at, sizeof(scratch->digits) - at);
}

void view_text(struct buf *to, const json_t *value)
{
    struct scalar scratch;
    struct str rest = text_of(value, &scratch);
    while (rest.len != 0) {
        struct str line;
        (void)str_cut(rest, '\r', &line, &rest);
        html_text(to, line);
    }
}

void view_url_part(struct buf *to, const json_t *value)
{
    struct scalar scratch;
    html_url_part(to, text_of(value, &scratch));
}

void view_url_whole(struct buf *to, const json_t *value)
{
    struct scalar scratch;
    html_url_whole(to, text_of(value, &scratch));
}

bool view_is_true(const json_t *value)
{
    if (json_is_object(value)) {
        return json_object_size(value) != 0;
    }
    if (json_is_array(value)) {
        return json_array_size(value) != 0;
    }
    if (json_is_integer(value)) {
        return json_integer_value(value) != 0;
    }
    return json_is_true(value) || json_string_length(value) != 0;
}

bool view_equals(const json_t *value, struct str text)
{
    struct scalar scratch;
    return value != NULL && str_eq(text_of(value, &scratch), text);
}

bool view_same(const json_t *one, const json_t *other)
{
    struct scalar scratch;
    return one != NULL && other != NULL && view_equals(one, text_of(other, &scratch));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of fields, by their types. */
#include "records/field.h"

#include <stdarg.h>

#include "base/check.h"
#include "base/clock.h"
#include "records/field_impl.h"
#include "wire/fold.h"

enum { LABEL_IN_SENTENCE = 60, FAULT_MAX = 600, NAME_MAX_BYTES = 64 };

static void print_text(const struct register_field *field, const struct field_value *value,
                       struct buf *to)
{
    (void)field;
    buf_append(to, value->part[0].bytes);
}

static void print_held(const struct register_field *field, const struct field_value *value,
                       struct buf *to)
{
    (void)field;
    (void)value;
    buf_append(to, STR("On record"));
}

static const struct {
    read_fn *read;
    print_fn *print;
} TYPES[FIELD_COUNT] = {
    [FIELD_TEXT] = {read_text, print_text},
    [FIELD_LONG_TEXT] = {read_long_text, print_text},
    [FIELD_SEALED_TEXT] = {read_long_text, print_text},
    [FIELD_DATE] = {read_date, print_date},
    [FIELD_SPAN] = {read_span, print_span},
    [FIELD_NUMBER] = {read_number, print_number},
    [FIELD_MONEY] = {read_money, print_money},
    [FIELD_CHOICE] = {read_choice, print_choice},
    [FIELD_YES_NO] = {read_yes_no, print_yes_no},
    [FIELD_UPN] = {read_upn, print_held},
    [FIELD_PHONE] = {read_phone, print_phone},
    [FIELD_EMAIL] = {read_email, print_text},
    [FIELD_SITE] = {read_site, print_text},
    [FIELD_PERSON] = {read_reference, print_text},
    [FIELD_GROUP] = {read_reference, print_text},
    [FIELD_DEVICE] = {read_reference, print_text},
    [FIELD_FILE] = {read_reference, print_text},
};

/* ---- sentences ---- */

/* A label that is a question makes no sentence with "must be". */
static struct str subject(const struct register_field *field, const char *noun)
{
    bool question = str_ends(field->label, STR("?")) || field->label.len > LABEL_IN_SENTENCE;
    return question ? str_from(noun) : field->label;
}

static struct str sentence(struct arena *arena, const char *format, va_list arguments)
    PRINTF_LIKE(2, 0);
static struct str sentence(struct arena *arena, const char *format, va_list arguments)
{
    char text[FAULT_MAX];
    int n = vsnprintf(text, sizeof(text), format, arguments);
    CHECK(n > 0);
    size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    return arena_dup(arena, str_make(text, len));
}

static struct str said(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
static struct str said(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct str text = sentence(arena, format, arguments);
    va_end(arguments);
    return text;
}

enum err read_fault(struct reading *reading, const char *noun, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct str rest = sentence(reading->reader->arena, format, arguments);
    va_end(arguments);
    reading->fault = said(reading->reader->arena, "%.*s %.*s",
                          STR_ARG(subject(reading->field, noun)), STR_ARG(rest));
    return rest.p != NULL && reading->fault.p != NULL ? ERR_INVALID : ERR_MEMORY;
}

struct str field_missing(const struct register_field *field, struct arena *arena)
{
    switch (field->type) {
    case FIELD_CHOICE:
    case FIELD_YES_NO:
        return said(arena, "%.*s: choose an answer", STR_ARG(subject(field, "This question")));
    case FIELD_PERSON:
        return said(arena, "%.*s: choose a person", STR_ARG(subject(field, "This question")));
    case FIELD_GROUP:
        return said(arena, "%.*s: choose a group", STR_ARG(subject(field, "This question")));
    case FIELD_DEVICE:
        return said(arena, "%.*s: choose a device", STR_ARG(subject(field, "This question")));
    case FIELD_FILE:
        return said(arena, "%.*s: choose a file", STR_ARG(subject(field, "This question")));
    case FIELD_UNSET:
    case FIELD_COUNT:
    case FIELD_TEXT:
    case FIELD_LONG_TEXT:
    case FIELD_SEALED_TEXT:
    case FIELD_DATE:
    case FIELD_SPAN:
    case FIELD_NUMBER:
    case FIELD_MONEY:
    case FIELD_UPN:
    case FIELD_PHONE:
    case FIELD_EMAIL:
    case FIELD_SITE:
        break;
    }
    return said(arena, "%.*s must be filled in", STR_ARG(subject(field, "This")));
}

struct str field_taken(const struct register_field *field, struct arena *arena)
{
    return said(arena, "%.*s is already on another record. Check it, or open that record",
                STR_ARG(subject(field, "This")));
}

/* ---- reading ---- */

const json_t *read_member(const struct reading *reading, const char *suffix)
{
    char name[NAME_MAX_BYTES];
    int n = snprintf(name, sizeof(name), "%.*s%s", STR_ARG(reading->field->name), suffix);
    CHECK(n > 0 && (size_t)n < sizeof(name));
    return json_object_get(reading->input, name);
}

enum err read_word(struct reading *reading, const json_t *member, const char *noun,
                   struct str *ret_text)
{
    size_t characters = 0;
    if (member == NULL || json_is_null(member)) {
        *ret_text = (struct str){0};
        return ERR_OK;
    }
    if (!json_is_string(member)) {
        return read_fault(reading, noun, "must be written as text");
    }
    struct str text = str_make(json_string_value(member), json_string_length(member));
    if (fold_check(text, &characters) != FOLD_FINE) {
        return read_fault(reading, noun,
                          "holds a character that cannot be used. Type it again by hand");
    }
    *ret_text = str_trim_space(text);
    return ERR_OK;
}

enum err read_squeezed(struct reading *reading, struct str text, const char *without,
                       struct str *ret_text)
{
    char *to = arena_alloc(reading->reader->arena, text.len + 1);
    size_t len = 0;
    if (to == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool drop = text.p[i] == ' ' || text.p[i] == '\t' || strchr(without, text.p[i]) != NULL;
        if (!drop) {
            to[len++] = ascii_lower(text.p[i]);
        }
    }
    *ret_text = str_make(to, len);
    return ERR_OK;
}

static bool is_kept_unseen(const struct register_field *field)
{
    return field->type == FIELD_UPN || field->type == FIELD_SEALED_TEXT;
}

/* Empty text, and what field_json gives of a pupil number. */
static bool says_nothing(const json_t *json)
{
    return json_is_true(json) || (json_is_string(json) && json_string_length(json) == 0);
}

bool field_is_given(const struct register_field *field, const json_t *input)
{
    static const char *const parts[] = {"", "-day", "-month", "-year", "-from", "-until"};
    size_t first = field->type == FIELD_SPAN ? 4 : 1;
    size_t end = field->type == FIELD_DATE ? 4 : field->type == FIELD_SPAN ? 6 : 1;
    struct reading reading = {.field = field, .input = input};
    const json_t *whole = read_member(&reading, "");
    if (whole != NULL) {
        return !is_kept_unseen(field) || !says_nothing(whole);
    }
    for (size_t i = first; i < end; i++) {
        if (read_member(&reading, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

enum err field_read(const struct register_field *field, const json_t *input,
                    const struct field_reader *reader, struct field_value *ret_value,
                    struct str *ret_fault)
{
    CHECK(field->type > FIELD_UNSET && field->type < FIELD_COUNT);
    struct reading reading = {.field = field, .input = input, .reader = reader};
    struct field_value value = {0};
    reading.given = read_member(&reading, "");
    enum err err = TYPES[field->type].read(&reading, &value);
    if (err == ERR_OK) {
        *ret_value = value;
    } else if (err == ERR_INVALID) {
        CHECK(reading.fault.len != 0);
        *ret_fault = reading.fault;
    }
    return err;
}

/* ---- printing ---- */

void field_print(const struct register_field *field, const struct field_value *value,
                 struct buf *to)
{
    CHECK(field->type > FIELD_UNSET && field->type < FIELD_COUNT);
    if (!field_is_empty(value)) {
        TYPES[field->type].print(field, value, to);
    }
}

static void append_part(const struct store_value *part, struct buf *to)
{
    switch (part->kind) {
    case STORE_NULL:
        return;
    case STORE_NUMBER:
        buf_append_i64(to, part->number);
        return;
    case STORE_TEXT:
    case STORE_BLOB:
        buf_append(to, part->bytes);
        return;
    }
}

void field_canonical(const struct field_value *value, struct buf *to)
{
    append_part(&value->part[0], to);
    if (value->part[1].kind != STORE_NULL) {
        buf_append_byte(to, '/');
        append_part(&value->part[1], to);
    }
}

static json_t *json_minutes(const struct store_value *part)
{
    char text[CIVIL_TEXT_MAX];
    if (part->kind == STORE_NULL) {
        return json_null();
    }
    size_t len = civil_print_utc(part->number * MS_PER_MINUTE, text);
    return json_stringn(text, len);
}

static json_t *json_scaled(int64_t number, unsigned decimals)
{
    struct buf text;
    buf_init(&text, NAME_MAX_BYTES);
    number_print(number, decimals, false, &text);
    json_t *json = json_stringn(text.len != 0 ? text.p : "", text.len);
    buf_fini(&text);
    return json;
}

json_t *field_json(const struct register_field *field, const struct field_value *value)
{
    const struct store_value *part = value->part;
    if (field_is_empty(value)) {
        return json_null();
    }
    if (field->type == FIELD_SPAN) {
        return json_pack("{s:o, s:o}", "from", json_minutes(&part[0]), "until",
                         json_minutes(&part[1]));
    }
    if (field->type == FIELD_YES_NO) {
        return json_boolean(part->number != 0);
    }
    if (field->type == FIELD_UPN) {
        return json_true();
    }
    if (field->type == FIELD_MONEY) {
        return json_scaled(part->number, 2);
    }
    if (field->decimals != 0) {
        return json_scaled(part->number, field->decimals);
    }
    if (part->kind == STORE_NUMBER) {
        return json_integer(part->number);
    }
    return json_stringn(part->bytes.len != 0 ? part->bytes.p : "", part->bytes.len);
}

enum err field_key(const struct field_value *value, struct arena *arena,
                   struct store_value *ret_key)
{
    struct buf key;
    if (value->part[0].kind != STORE_TEXT) {
        *ret_key = store_null();
        return ERR_OK;
    }
    buf_init(&key, (size_t)1 << 20);
    enum err err = fold_key(value->part[0].bytes, &key);
    struct str text = err == ERR_OK ? arena_dup(arena, buf_str(&key)) : (struct str){0};
    buf_fini(&key);
    if (err == ERR_OK && text.p == NULL) {
        err = ERR_MEMORY;
    }
    if (err == ERR_OK) {
        *ret_key = store_text(text);
    }
    return err;
}

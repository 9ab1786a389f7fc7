/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A form from a register's fields alone: what each shows, with what was typed and its fault. */
#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"
#include "web/records_impl.h"

enum { NAME_MAX_BYTES = 128, SHORT_TEXT = 20, MIDDLE_TEXT = 60, ROWS_SHORT = 4, ROWS_LONG = 8 };

/* NAME-behind, in the arena. */
static struct str joined(struct web_exchange *exchange, struct str name, const char *behind)
{
    struct buf text;
    buf_init(&text, NAME_MAX_BYTES);
    buf_append(&text, name);
    buf_append(&text, str_from(behind));
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

static struct str typed_part(struct web_exchange *exchange, const struct records_form *form,
                             const struct register_field *field, const char *behind)
{
    return document_get_str(form->typed, joined(exchange, field->name, behind));
}

static const json_t *kept(const struct records_form *form, const struct register_field *field)
{
    return document_member(json_object_get(form->record, "fields"), field->name);
}

static struct str shown(const struct records_form *form, const struct register_field *field)
{
    return document_get_str(json_object_get(form->record, "shown"), field->name);
}

/* What a text box holds: what was typed, else what is kept, as one would type it. */
static struct str text_value(const struct records_form *form, const struct register_field *field)
{
    const json_t *value = kept(form, field);
    if (form->typed != NULL) {
        return document_get_str(form->typed, field->name);
    }
    if (field->type == FIELD_UPN) {
        return STR(""); /* never shown */
    }
    if (field->type == FIELD_PHONE) {
        return shown(form, field);
    }
    if (json_is_integer(value)) {
        return shown(form, field);
    }
    return json_is_string(value) ? str_make(json_string_value(value), json_string_length(value))
                                 : STR("");
}

/* ---- one field of each kind ---- */

typedef void add_values(struct web_exchange *exchange, const struct records_form *form,
                        const struct register_field *field, json_t *spec);

static void add_text(struct web_exchange *exchange, const struct records_form *form,
                     const struct register_field *field, json_t *spec)
{
    static const struct {
        enum field_type type;
        const char *name;
        struct str value;
    } hints[] = {
        {FIELD_EMAIL, "type", STR_INIT("email")},
        {FIELD_EMAIL, "autocomplete", STR_INIT("off")},
        {FIELD_PHONE, "type", STR_INIT("tel")},
        {FIELD_PHONE, "autocomplete", STR_INIT("off")},
        {FIELD_PHONE, "width", STR_INIT("20")},
        {FIELD_SITE, "inputmode", STR_INIT("url")},
        {FIELD_NUMBER, "inputmode", STR_INIT("decimal")},
        {FIELD_NUMBER, "width", STR_INIT("10")},
        {FIELD_MONEY, "inputmode", STR_INIT("decimal")},
        {FIELD_MONEY, "width", STR_INIT("10")},
        {FIELD_MONEY, "prefix", STR_INIT("£")},
        {FIELD_UPN, "width", STR_INIT("20")},
        {FIELD_UPN, "autocomplete", STR_INIT("off")},
    };
    (void)exchange;
    struct str value = text_value(form, field);
    if (field->type == FIELD_MONEY && str_starts(value, STR("£"))) {
        value = str_skip(value, sizeof("£") - 1);
    }
    document_put(spec, "value", value);
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (hints[i].type == field->type) {
            document_put(spec, hints[i].name, hints[i].value);
        }
    }
    if (field->type == FIELD_TEXT && field->max > 0 && field->max <= MIDDLE_TEXT) {
        document_put(spec, "width", field->max <= SHORT_TEXT ? STR("10") : STR("20"));
    }
    if (field->type == FIELD_UPN && json_is_true(kept(form, field))) {
        document_put(spec, "note",
                     STR("A number is on record. Leave this empty to keep it as it is."));
    }
}

static void add_lines(struct web_exchange *exchange, const struct records_form *form,
                      const struct register_field *field, json_t *spec)
{
    (void)exchange;
    document_put(spec, "value", text_value(form, field));
    document_put_number(spec, "rows",
                        field->max > 0 && field->max <= 1000 ? ROWS_SHORT : ROWS_LONG);
    if (field->max > 0) {
        document_put_number(spec, "maxlength", field->max);
    }
}

static void add_date(struct web_exchange *exchange, const struct records_form *form,
                     const struct register_field *field, json_t *spec)
{
    json_t *values = document_object(spec, "values");
    const json_t *value = kept(form, field);
    if (form->typed != NULL) {
        document_put(values, "day", typed_part(exchange, form, field, "-day"));
        document_put(values, "month", typed_part(exchange, form, field, "-month"));
        document_put(values, "year", typed_part(exchange, form, field, "-year"));
    } else if (json_string_length(value) == sizeof("2026-11-22") - 1) {
        struct str day = str_make(json_string_value(value), json_string_length(value));
        document_put(values, "day", str_sub(day, 8, 2));
        document_put(values, "month", str_sub(day, 5, 2));
        document_put(values, "year", str_sub(day, 0, 4));
    }
    document_put(spec, "day_name", joined(exchange, field->name, "-day"));
}

static void add_span(struct web_exchange *exchange, const struct records_form *form,
                     const struct register_field *field, json_t *spec)
{
    struct str from = typed_part(exchange, form, field, "-from");
    struct str until = typed_part(exchange, form, field, "-until");
    if (form->typed == NULL) {
        struct str whole = shown(form, field);
        size_t at = str_find(whole, STR(" to "));
        from = str_sub(whole, 0, at);
        until = str_skip(whole, at + (sizeof(" to ") - 1));
    }
    document_put(spec, "from_name", joined(exchange, field->name, "-from"));
    document_put(spec, "until_name", joined(exchange, field->name, "-until"));
    document_put(spec, "from", from);
    document_put(spec, "until", until);
}

static void add_item(json_t *items, struct str value, struct str label, struct str chosen)
{
    json_t *item = document_add(items);
    document_put(item, "value", value);
    document_put(item, "text", label);
    document_put_bool(item, "checked", str_eq(value, chosen) && value.len != 0);
    document_put_bool(item, "selected", str_eq(value, chosen));
}

/* Few choices are radio buttons, many a list. */
static void add_choices(struct web_exchange *exchange, const struct records_form *form,
                        const struct register_field *field, json_t *spec)
{
    enum { RADIOS_MAX = 7 };
    (void)exchange;
    json_t *items = document_list(spec, "items");
    struct str chosen = text_value(form, field);
    bool radios = field->n_choices <= RADIOS_MAX;
    document_put_bool(spec, "radios", radios);
    if (!radios || !field->required) {
        add_item(items, STR(""), radios ? STR("Not known") : STR("Choose"), chosen);
    }
    for (size_t i = 0; i < field->n_choices; i++) {
        add_item(items, field->choices[i].value, field->choices[i].label, chosen);
    }
}

static void add_yes_no(struct web_exchange *exchange, const struct records_form *form,
                       const struct register_field *field, json_t *spec)
{
    const json_t *value = kept(form, field);
    struct str chosen = form->typed != NULL    ? text_value(form, field)
                        : json_is_true(value)  ? STR("yes")
                        : json_is_false(value) ? STR("no")
                                               : STR("");
    (void)exchange;
    json_t *items = document_list(spec, "items");
    document_put_bool(spec, "radios", true);
    add_item(items, STR("yes"), STR("Yes"), chosen);
    add_item(items, STR("no"), STR("No"), chosen);
    if (!field->required) {
        add_item(items, STR(""), STR("Not known"), chosen);
    }
}

/* A name is typed and looked for; who was found, or is kept, is chosen by a radio button. */
static void add_reference(struct web_exchange *exchange, const struct records_form *form,
                          const struct register_field *field, json_t *spec)
{
    struct str chosen = text_value(form, field);
    const json_t *found = document_member(form->choices, field->name);
    json_t *items = document_list(spec, "items");
    size_t i;
    json_t *one;
    document_put(spec, "find_name", joined(exchange, field->name, "-find"));
    document_put(spec, "asked_name", joined(exchange, field->name, "-asked"));
    document_put(spec, "find", typed_part(exchange, form, field, "-find"));
    json_array_foreach(found, i, one)
    {
        json_t *item = document_add(items);
        document_put(item, "value", document_get(one, "value"));
        document_put(item, "text", document_get(one, "text"));
        document_put(document_object(item, "hint"), "text", document_get(one, "hint"));
        document_put_bool(item, "checked", str_eq(document_get(one, "value"), chosen));
    }
    if (json_array_size(found) != 0) {
        document_put(spec, "asked", document_get(spec, "find"));
        return;
    }
    struct str id = chosen.len != 0 ? chosen : STR("");
    if (id.len != 0) {
        const json_t *before = kept(form, field);
        bool same = json_is_string(before) && str_eq(str_from(json_string_value(before)), id);
        struct str typed_name = typed_part(exchange, form, field, "-name");
        struct str name = same ? shown(form, field) : typed_name;
        add_item(items, id, name.len != 0 ? name : STR("The one chosen before"), id);
        document_put(spec, "kept_name", joined(exchange, field->name, "-name"));
        document_put(spec, "kept", name);
        if (!field->required) {
            add_item(items, STR(""), field->type == FIELD_PERSON ? STR("Nobody") : STR("None"), id);
        }
    }
}

static void add_file(struct web_exchange *exchange, const struct records_form *form,
                     const struct register_field *field, json_t *spec)
{
    (void)exchange;
    document_put(spec, "value", shown(form, field));
}

static const struct {
    const char *widget;
    add_values *add;
} widgets[FIELD_COUNT] = {
    [FIELD_TEXT] = {"text", add_text},
    [FIELD_LONG_TEXT] = {"lines", add_lines},
    [FIELD_SEALED_TEXT] = {"lines", add_lines},
    [FIELD_DATE] = {"date", add_date},
    [FIELD_SPAN] = {"span", add_span},
    [FIELD_NUMBER] = {"text", add_text},
    [FIELD_MONEY] = {"text", add_text},
    [FIELD_CHOICE] = {"choice", add_choices},
    [FIELD_YES_NO] = {"choice", add_yes_no},
    [FIELD_UPN] = {"text", add_text},
    [FIELD_PHONE] = {"text", add_text},
    [FIELD_EMAIL] = {"text", add_text},
    [FIELD_SITE] = {"text", add_text},
    [FIELD_PERSON] = {"reference", add_reference},
    [FIELD_GROUP] = {"reference", add_reference},
    [FIELD_DEVICE] = {"reference", add_reference},
    [FIELD_FILE] = {"file", add_file},
};

/* ---- all fields ---- */

/* The first box of a field, for the summary's link. */
static struct str first_box(struct web_exchange *exchange, const struct register_field *field,
                            const json_t *spec)
{
    struct str name = field->name;
    if (field->type == FIELD_DATE) {
        name = joined(exchange, name, "-day");
    } else if (field->type == FIELD_SPAN) {
        name = joined(exchange, name, "-from");
    } else if (document_get(spec, "find_name").len != 0 &&
               json_array_size(json_object_get(spec, "items")) == 0) {
        name = document_get(spec, "find_name");
    }
    struct buf href;
    buf_init(&href, NAME_MAX_BYTES);
    buf_append_byte(&href, '#');
    buf_append(&href, name);
    struct str made = arena_dup(exchange->arena, buf_str(&href));
    buf_fini(&href);
    return made;
}

/* Where somebody else changed a field since the form was made, what it says now. */
static void add_now(const struct records_form *form, const struct register_field *field,
                    json_t *spec)
{
    if (form->typed != NULL && document_is(form->typed, "conflict")) {
        struct str now = shown(form, field);
        document_put(spec, "now", now.len != 0 ? now : STR("nothing"));
    }
}

/* How a day is typed: today's. */
static struct str day_hint(struct web_exchange *exchange)
{
    struct civil civil;
    struct buf text;
    civil_from_ms((int64_t)exchange->actor.today * MS_PER_DAY, &civil);
    buf_init(&text, NAME_MAX_BYTES);
    buf_printf(&text, "For example, %d %d %d", (int)civil.day, (int)civil.month, (int)civil.year);
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

static void add_field(struct web_exchange *exchange, const struct records_form *form, size_t i,
                      json_t *document)
{
    const struct register_field *field = &form->def->fields[i];
    json_t *spec = document_add(json_object_get(document, "fields"));
    struct str fault = document_get_str(form->faults, field->name);
    document_put(spec, "name", field->name);
    document_put(spec, "label", field->label);
    document_put_bool(spec, "required", field->required);
    document_put(spec, "optional",
                 field->required || form->only != 0 ? STR("") : STR(" (optional)"));
    struct str hint =
        field->hint.len == 0 && field->type == FIELD_DATE ? day_hint(exchange) : field->hint;
    if (hint.len != 0) {
        document_put(document_object(spec, "hint"), "text", hint);
    }
    document_put_bool(spec, widgets[field->type].widget, true);
    widgets[field->type].add(exchange, form, field, spec);
    add_now(form, field, spec);
    if (fault.len != 0) {
        document_put(document_object(spec, "errorMessage"), "text", fault);
        json_t *error = document_add(json_object_get(document, "errors"));
        document_put(error, "text", fault);
        document_put(error, "href", first_box(exchange, field, spec));
    }
}

static bool is_shown(const struct records_form *form, size_t i)
{
    const struct register_field *field = &form->def->fields[i];
    if (form->only != 0) {
        return (form->only & (1ULL << i)) != 0;
    }
    if (form->record != NULL) {
        /* What is closed until a look is neither shown nor changed: it is left out. */
        bool closed = str_eq(document_get(form->record, "look"), STR("needed")) &&
                      json_is_null(kept(form, field)) &&
                      document_member(json_object_get(form->record, "shown"), field->name) == NULL;
        /* But for what was typed while a look was open, which has ended since. */
        bool typed = document_get_str(form->typed, field->name).len != 0;
        return kept(form, field) != NULL && (!closed || typed);
    }
    return field->seen_by == 0 || (field->seen_by & form->roles) != 0;
}

void records_form_fill(struct web_exchange *exchange, json_t *document,
                       const struct records_form *form)
{
    (void)document_list(document, "fields");
    json_t *errors = json_object_get(document, "errors");
    if (errors == NULL) {
        errors = document_list(document, "errors");
    }
    struct str general = document_get(form->faults, "");
    if (general.len != 0) {
        document_put(document_add(errors), "text", general);
    }
    for (size_t i = 0; i < form->def->n_fields; i++) {
        if (is_shown(form, i)) {
            add_field(exchange, form, i, document);
        }
    }
}

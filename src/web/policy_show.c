/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy's table and times in words. */
#include <string.h>

#include "base/clock.h"
#include "web/policy_impl.h"

enum { WORDS_MAX = 4096, CRUMBS = 3 };

struct engine policy_engine(const struct web_exchange *exchange)
{
    const struct web_options *options = &exchange->web->options;
    return (struct engine){.store = options->store, .keys = options->keys};
}

struct str policy_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return str_make(json_string_value(value), json_string_length(value));
}

json_t *policy_text(struct str text)
{
    return json_stringn(text.p != NULL ? text.p : "", text.len);
}

struct str policy_label(const json_t *document, const char *list, struct str id)
{
    struct str label = policy_member(school_policy_item(document, list, id), "label");
    return label.len != 0 ? label : id;
}

json_t *policy_page(struct str title, struct str here)
{
    json_t *crumbs = json_pack("[{s:s, s:s}]", "text", "Start", "href", "/");
    if (here.len != 0) {
        json_array_append_new(crumbs,
                              json_pack("{s:s, s:s}", "text", "The policy", "href", "/policy"));
    }
    return json_pack("{s:o, s:o}", "title", policy_text(title), "crumbs", crumbs);
}

/* "22 November 2026", in Britain. */
static json_t *day_text(int64_t ms)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    struct civil civil;
    civil_from_ms((int64_t)clock_british_day(ms) * MS_PER_DAY, &civil);
    return json_sprintf("%d %s %d", (int)civil.day, months[civil.month - 1], (int)civil.year);
}

json_t *policy_head(const json_t *version)
{
    json_t *head = json_object();
    json_object_set(head, "number", json_object_get(version, "number"));
    json_object_set(head, "made_ms", json_object_get(version, "made_ms"));
    json_object_set(head, "by", json_object_get(version, "by"));
    json_object_set(head, "words", json_object_get(version, "words"));
    json_object_set(head, "last", json_object_get(version, "last"));
    json_object_set_new(head, "when",
                        day_text(json_integer_value(json_object_get(version, "made_ms"))));
    return head;
}

bool policy_may_change(const struct web_exchange *exchange, enum verb verb)
{
    return !exchange->web->options.policy_fixed &&
           permit_widest(exchange->actor.roles, AREA_policy, verb) >= SCOPE_SCHOOL;
}

/* ---- the table ---- */

/* The groups that hold no others: everybody is in one of them. */
static json_t *columns_of(const json_t *document)
{
    const json_t *groups = json_object_get(document, "groups");
    json_t *columns = json_array();
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        struct str id = policy_member(group, "id");
        bool outer = false;
        for (size_t k = 0; k < json_array_size(groups); k++) {
            outer = outer || str_eq(policy_member(json_array_get(groups, k), "in"), id);
        }
        if (!outer) {
            json_array_append_new(columns,
                                  json_pack("{s:o, s:o}", "id", policy_text(id), "label",
                                            policy_text(policy_label(document, "groups", id))));
        }
    }
    return columns;
}

static json_t *cell_of(struct web_exchange *exchange, const json_t *document, const json_t *row,
                       const json_t *column, bool change)
{
    struct str group = policy_member(column, "id");
    struct str own = {0};
    struct buf words;
    buf_init(&words, WORDS_MAX);
    const json_t *cell = school_policy_cell(document, row, group, &own);
    school_policy_words(document, cell, &words);
    json_t *shown =
        json_pack("{s:o, s:o, s:o, s:o}", "group", policy_text(group), "label",
                  policy_text(policy_member(column, "label")), "level",
                  policy_text(policy_member(cell, "level")), "words", policy_text(buf_str(&words)));
    if (change) {
        const struct str values[] = {policy_member(row, "id"), group};
        json_object_set_new(shown, "href",
                            policy_text(web_path(exchange, "/policy/rows/%/%", values, 2)));
    }
    buf_fini(&words);
    return shown;
}

static json_t *row_of(struct web_exchange *exchange, const json_t *document, const json_t *row,
                      const json_t *columns, bool change)
{
    json_t *cells = json_array();
    for (size_t i = 0; i < json_array_size(columns); i++) {
        json_array_append_new(cells,
                              cell_of(exchange, document, row, json_array_get(columns, i), change));
    }
    struct str label = policy_member(row, "label");
    return json_pack("{s:o, s:o, s:o, s:b, s:o}", "id", policy_text(policy_member(row, "id")),
                     "label", policy_text(label.len != 0 ? label : policy_member(row, "id")),
                     "note", policy_text(policy_member(row, "note")), "unenforced",
                     json_is_false(json_object_get(row, "enforced")) ? 1 : 0, "cells", cells);
}

/* ---- times ---- */

static void add_words(struct buf *to, struct str words)
{
    buf_append(to, to->len != 0 ? STR(", ") : STR(""));
    buf_append(to, words);
}

static struct str day_words(struct str days)
{
    static const struct {
        const char *days, *words;
    } rows[] = {
        {"school-day", "School days"}, {"weekend", "Weekends"},    {"holiday", "Holidays"},
        {"closed", "Closed days"},     {"every-day", "Every day"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(days, str_from(rows[i].days))) {
            return str_from(rows[i].words);
        }
    }
    return days;
}

static void write_days(const json_t *time, struct buf *to)
{
    const json_t *days = json_object_get(time, "days");
    struct str from = policy_member(time, "from");
    struct str until = policy_member(time, "to");
    if (json_is_string(days)) {
        add_words(to, day_words(policy_member(time, "days")));
    }
    for (size_t i = 0; i < json_array_size(days); i++) {
        const json_t *day = json_array_get(days, i);
        add_words(to, day_words(str_make(json_string_value(day), json_string_length(day))));
    }
    if (from.len != 0 || until.len != 0) {
        buf_printf(to, ", %.*s to %.*s", STR_ARG(from.len != 0 ? from : STR("00:00")),
                   STR_ARG(until.len != 0 ? until : STR("24:00")));
    }
}

json_t *policy_time_words(const json_t *document, const json_t *time)
{
    struct str not_of = policy_member(time, "not");
    const json_t *periods = json_object_get(time, "periods");
    struct buf words;
    buf_init(&words, WORDS_MAX);
    for (size_t i = 0; i < json_array_size(periods); i++) {
        const json_t *period = json_array_get(periods, i);
        add_words(&words, str_make(json_string_value(period), json_string_length(period)));
    }
    if (not_of.len != 0) {
        buf_append(&words, STR("Whenever it is not: "));
        buf_append(&words, policy_label(document, "times", not_of));
    } else if (periods == NULL) {
        write_days(time, &words);
    }
    json_t *text = policy_text(buf_str(&words));
    buf_fini(&words);
    return text;
}

static json_t *times_of(struct web_exchange *exchange, const json_t *document, bool change)
{
    const json_t *times = json_object_get(document, "times");
    json_t *shown = json_array();
    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *time = json_array_get(times, i);
        const struct str id = policy_member(time, "id");
        json_t *item = json_pack("{s:o, s:o, s:o}", "id", policy_text(id), "label",
                                 policy_text(policy_label(document, "times", id)), "words",
                                 policy_time_words(document, time));
        if (change && json_object_get(time, "not") == NULL) {
            json_object_set_new(item, "href",
                                policy_text(web_path(exchange, "/policy/times/%", &id, 1)));
        }
        json_array_append_new(shown, item);
    }
    return shown;
}

void policy_show_table(struct web_exchange *exchange, const json_t *document, bool change,
                       json_t *to)
{
    const json_t *table = json_object_get(document, "table");
    json_t *columns = columns_of(document);
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(table); i++) {
        json_array_append_new(
            rows, row_of(exchange, document, json_array_get(table, i), columns, change));
    }
    json_object_set_new(to, "policy_title", policy_text(policy_member(document, "title")));
    json_object_set_new(to, "groups", columns);
    json_object_set_new(to, "rows", rows);
    json_object_set_new(to, "times", times_of(exchange, document, change));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A policy document as people read it, and a change of one of its cells. */
#include <string.h>

#include "base/limits.h"
#include "records/school_policy.h"

static struct str member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return str_make(json_string_value(value), json_string_length(value));
}

json_t *school_policy_item(const json_t *document, const char *list, struct str id)
{
    const json_t *items = json_object_get(document, list);
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        if (str_eq(member(item, "id"), id)) {
            return item;
        }
    }
    return NULL;
}

const json_t *school_policy_cell(const json_t *document, const json_t *row, struct str group,
                                 struct str *ret_own)
{
    const json_t *cells = json_object_get(row, "cells");
    for (size_t i = 0; i < LIMIT_GROUPS && group.len != 0; i++) {
        const json_t *cell = json_object_getn(cells, group.p, group.len);
        if (cell != NULL) {
            *ret_own = group;
            return cell;
        }
        group = member(school_policy_item(document, "groups", group), "in");
    }
    return NULL;
}

static struct str label_of(const json_t *document, const char *list, struct str id)
{
    struct str label = member(school_policy_item(document, list, id), "label");
    return label.len != 0 ? label : id;
}

static void write_times(const json_t *document, const json_t *cell, struct buf *to)
{
    const json_t *times = json_object_get(cell, "times");
    for (size_t i = 0; i < json_array_size(times); i++) {
        const json_t *time = json_array_get(times, i);
        struct str id = str_make(json_string_value(time), json_string_length(time));
        buf_append(to, i == 0 ? STR(": ") : STR(", "));
        buf_append(to, label_of(document, "times", id));
    }
    if (json_array_size(times) == 0) {
        buf_append(to, STR(" (none named yet, so closed)"));
    }
}

void school_policy_words(const json_t *document, const json_t *cell, struct buf *to)
{
    static const struct {
        const char *level, *words;
    } rows[] = {
        {"acceptable", "Acceptable"},
        {"certain-times", "Acceptable at certain times"},
        {"nominated", "Acceptable for nominated users"},
        {"unacceptable", "Unacceptable"},
        {"illegal", "Unacceptable and illegal"},
    };
    struct str level = member(cell, "level");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(level, str_from(rows[i].level))) {
            buf_append(to, str_from(rows[i].words));
        }
    }
    if (cell == NULL) {
        buf_append(to, STR("As for sites without a row"));
    } else if (str_eq(level, STR("certain-times"))) {
        write_times(document, cell, to);
    } else if (str_eq(level, STR("nominated"))) {
        buf_append(to, STR(": "));
        buf_append(to, label_of(document, "nominated", member(cell, "nominated")));
    }
}

enum err school_policy_set_cell(json_t *document, struct str row, struct str group, json_t *cell)
{
    json_t *item = school_policy_item(document, "table", row);
    json_t *cells = json_object_get(item, "cells");
    if (cells == NULL || school_policy_item(document, "groups", group) == NULL) {
        json_decref(cell);
        return ERR_NOT_FOUND;
    }
    return json_object_setn_new(cells, group.p, group.len, cell) == 0 ? ERR_OK : ERR_MEMORY;
}

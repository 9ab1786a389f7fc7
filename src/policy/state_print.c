/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a state image back to its document: state_build of what this prints gives the same bytes. */
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "catalog/category.h"
#include "policy/state_impl.h"

static json_t *text_of(const struct state *state, struct state_text text)
{
    struct str s = state_str(state, text);
    return json_stringn(s.p, s.len);
}

/* An id without the prefix that makes it a rule's name. */
static json_t *id_of(const struct state *state, struct state_text text)
{
    struct str head = {0};
    struct str id = {0};
    str_cut(state_str(state, text), '/', &head, &id);
    return json_stringn(id.p, id.len);
}

static json_t *time_of(int64_t ms)
{
    char text[CIVIL_TEXT_MAX];
    size_t len = civil_print_utc(ms, text);
    return json_stringn(text, len);
}

static void set_text(json_t *object, const char *key, const struct state *state,
                     struct state_text text)
{
    if (text.len != 0) {
        json_object_set_new(object, key, text_of(state, text));
    }
}

static json_t *print_person(const struct state *state, const void *record)
{
    const struct state_person *person = record;
    json_t *agreement = json_object();
    json_object_set_new(agreement, "signed", json_boolean(person->flags & PERSON_SIGNED));
    json_object_set_new(agreement, "current", json_boolean(person->flags & PERSON_CURRENT));
    json_object_set_new(agreement, "parent", json_boolean(person->flags & PERSON_PARENT));
    json_object_set_new(agreement, "until", time_of(person->agreement_until));
    json_t *object = json_object();
    set_text(object, "id", state, person->id);
    if (!str_eq(state_str(state, person->log_on), state_str(state, person->id))) {
        set_text(object, "log_on", state, person->log_on);
    }
    if (person->credential != 0) {
        json_object_set_new(object, "credential", json_integer(person->credential));
    }
    set_text(object, "group", state, person->group);
    json_object_set_new(object, "agreement", agreement);
    return object;
}

static json_t *print_device(const struct state *state, const void *record)
{
    const struct state_device *device = record;
    json_t *object = json_object();
    set_text(object, "id", state, device->id);
    if ((device->flags & DEVICE_HAS_ADDRESS) != 0) {
        char text[ADDR_TEXT_MAX];
        size_t len = addr_print(&device->addr, text);
        json_object_set_new(object, "address", json_stringn(text, len));
    }
    set_text(object, "owner", state, device->owner);
    set_text(object, "class", state, device->class_id);
    set_text(object, "group", state, device->group);
    set_text(object, "supervisor", state, device->supervisor);
    if (device->class_id.len != 0) {
        json_object_set_new(object, "supervised_until", time_of(device->supervised_until));
    }
    return object;
}

static json_t *print_sign_in(const struct state *state, const void *record)
{
    const struct state_sign_in *sign_in = record;
    json_t *object = json_object();
    set_text(object, "device", state, sign_in->device);
    set_text(object, "person", state, sign_in->person);
    json_object_set_new(object, "until", time_of(sign_in->until));
    return object;
}

static json_t *print_ban(const struct state *state, const void *record)
{
    const struct state_ban *ban = record;
    json_t *object = json_object();
    json_object_set_new(object, "id", id_of(state, ban->id));
    set_text(object, ban->what == WHO_PERSON ? "person" : "device", state, ban->who);
    json_object_set_new(object, "until", time_of(ban->until));
    return object;
}

static json_t *print_refs(const struct state *state, struct state_range range)
{
    const struct state_text *refs = state_records(state, STATE_REFS);
    json_t *list = json_array();
    for (uint32_t i = 0; i < range.n; i++) {
        json_array_append_new(list, text_of(state, refs[range.first + i]));
    }
    return list;
}

static json_t *print_matches(const struct state *state, struct state_range range)
{
    const struct state_match *matches = state_records(state, STATE_MATCHES);
    json_t *list = json_array();
    for (uint32_t i = 0; i < range.n; i++) {
        json_array_append_new(list, text_of(state, matches[range.first + i].text));
    }
    return list;
}

static json_t *print_categories(const struct catset *set)
{
    json_t *list = json_array();
    for (unsigned c = catset_next(set, 0); c < LIMIT_CATEGORIES; c = catset_next(set, c + 1)) {
        const struct category_row *row = category_row(c);
        if (row != NULL) {
            json_array_append_new(list, json_stringn(row->name.p, row->name.len));
        }
    }
    return list;
}

static json_t *print_grant(const struct state *state, const void *record)
{
    const struct state_grant *grant = record;
    json_t *object = json_object();
    json_object_set_new(object, "id", id_of(state, grant->id));
    if (grant->kind != GRANT_OFF) {
        json_object_set_new(object, "kind",
                            json_string(grant->kind == GRANT_LESSON ? "lesson" : "override"));
    }
    json_object_set_new(object, "people", print_refs(state, grant->people));
    json_object_set_new(object, "groups", print_refs(state, grant->groups));
    json_object_set_new(object, "devices", print_refs(state, grant->devices));
    if (grant->kind == GRANT_OFF) {
        json_object_set_new(object, "all", json_boolean(grant->flags & GRANT_ALL));
    } else {
        json_object_set_new(object, "matches", print_matches(state, grant->matches));
        json_object_set_new(object, "categories", print_categories(&grant->categories));
    }
    json_object_set_new(object, "from", time_of(grant->from));
    json_object_set_new(object, "until", time_of(grant->until));
    return object;
}

static json_t *print_nominated(const struct state *state, const void *record)
{
    const struct state_nominated *nominated = record;
    json_t *object = json_object();
    set_text(object, "list", state, nominated->list);
    set_text(object, "person", state, nominated->person);
    return object;
}

static bool is_off(const void *record)
{
    return ((const struct state_grant *)record)->kind == GRANT_OFF;
}

static bool is_grant(const void *record)
{
    return !is_off(record);
}

static const struct {
    const char *key;
    enum state_section section;
    json_t *(*print)(const struct state *state, const void *record);
    bool (*takes)(const void *record); /* NULL: all */
} members[] = {
    {"people", STATE_PEOPLE, print_person, NULL},
    {"devices", STATE_DEVICES, print_device, NULL},
    {"sign_ins", STATE_SIGN_INS, print_sign_in, NULL},
    {"suspensions", STATE_SUSPENSIONS, print_ban, NULL},
    {"isolated", STATE_ISOLATED, print_ban, NULL},
    {"grants", STATE_GRANTS, print_grant, is_grant},
    {"filtering_off", STATE_GRANTS, print_grant, is_off},
    {"nominated", STATE_NOMINATED, print_nominated, NULL},
};

void state_print(const struct state *state, struct buf *json)
{
    json_t *root = json_object();
    json_object_set_new(root, "lodge_state", json_integer(1));
    for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
        json_t *list = json_array();
        const uint8_t *records = state_records(state, members[m].section);
        for (size_t i = 0; i < state_count(state, members[m].section); i++) {
            const void *record = records + i * state_record_size[members[m].section];
            if (members[m].takes == NULL || members[m].takes(record)) {
                json_array_append_new(list, members[m].print(state, record));
            }
        }
        json_object_set_new(root, members[m].key, list);
    }
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    buf_append(json, text != NULL ? str_from(text) : STR(""));
    buf_append_byte(json, '\n');
    free(text);
}

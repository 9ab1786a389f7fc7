/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether bytes are a whole state image: every offset, number and order that readers rely on. */
#include "crypto/fasthash.h"
#include "policy/state_impl.h"

static bool has_text(const struct state *state, struct state_text text)
{
    return (uint64_t)text.at + text.len <= state_count(state, STATE_TEXTS);
}

static bool has_range(const struct state *state, struct state_range range,
                      enum state_section section)
{
    return (uint64_t)range.first + range.n <= state_count(state, section);
}

static bool person_is_sound(const struct state *state, const void *record)
{
    const struct state_person *person = record;
    return has_text(state, person->id) && has_text(state, person->log_on) &&
           has_text(state, person->group) && (person->flags & ~(uint64_t)PERSON_FLAGS) == 0;
}

static bool device_is_sound(const struct state *state, const void *record)
{
    const struct state_device *device = record;
    return has_text(state, device->id) && has_text(state, device->owner) &&
           has_text(state, device->class_id) && has_text(state, device->group) &&
           has_text(state, device->supervisor) &&
           (device->flags & ~(uint64_t)DEVICE_HAS_ADDRESS) == 0;
}

static bool address_is_sound(const struct state *state, const void *record)
{
    return *(const uint64_t *)record < state_count(state, STATE_DEVICES);
}

static bool log_on_is_sound(const struct state *state, const void *record)
{
    return *(const uint64_t *)record < state_count(state, STATE_PEOPLE);
}

static bool sign_in_is_sound(const struct state *state, const void *record)
{
    const struct state_sign_in *sign_in = record;
    return has_text(state, sign_in->device) && has_text(state, sign_in->person);
}

static bool ban_is_sound(const struct state *state, const void *record)
{
    const struct state_ban *ban = record;
    return has_text(state, ban->id) && has_text(state, ban->who) && ban->what >= WHO_PERSON &&
           ban->what <= WHO_DEVICE;
}

static bool grant_is_sound(const struct state *state, const void *record)
{
    const struct state_grant *grant = record;
    return has_text(state, grant->id) && grant->kind >= GRANT_OFF &&
           grant->kind <= GRANT_OVERRIDE && (grant->flags & ~(uint32_t)GRANT_ALL) == 0 &&
           has_range(state, grant->people, STATE_REFS) &&
           has_range(state, grant->groups, STATE_REFS) &&
           has_range(state, grant->devices, STATE_REFS) &&
           has_range(state, grant->matches, STATE_MATCHES);
}

static bool nominated_is_sound(const struct state *state, const void *record)
{
    const struct state_nominated *nominated = record;
    return has_text(state, nominated->list) && has_text(state, nominated->person);
}

static bool ref_is_sound(const struct state *state, const void *record)
{
    return has_text(state, *(const struct state_text *)record);
}

static bool match_is_sound(const struct state *state, const void *record)
{
    const struct state_match *match = record;
    return has_text(state, match->text) && has_text(state, match->host) && match->host.len != 0 &&
           has_text(state, match->path) && has_text(state, match->query) && match->has_query <= 1;
}

static bool (*const record_is_sound[STATE_SECTIONS])(const struct state *, const void *) = {
    [STATE_PEOPLE] = person_is_sound,       [STATE_DEVICES] = device_is_sound,
    [STATE_ADDRESSES] = address_is_sound,   [STATE_LOG_ONS] = log_on_is_sound,
    [STATE_SIGN_INS] = sign_in_is_sound,    [STATE_SUSPENSIONS] = ban_is_sound,
    [STATE_ISOLATED] = ban_is_sound,        [STATE_GRANTS] = grant_is_sound,
    [STATE_NOMINATED] = nominated_is_sound, [STATE_REFS] = ref_is_sound,
    [STATE_MATCHES] = match_is_sound,
};

static int compare_texts(const struct state *state, struct state_text a, struct state_text b)
{
    return str_compare(state_str(state, a), state_str(state, b));
}

static int text_order(const struct state *state, const void *a, const void *b)
{
    return compare_texts(state, *(const struct state_text *)a, *(const struct state_text *)b);
}

static int address_order(const struct state *state, const void *a, const void *b)
{
    const struct state_device *devices = state_records(state, STATE_DEVICES);
    return memcmp(&devices[*(const uint64_t *)a].addr, &devices[*(const uint64_t *)b].addr,
                  sizeof(struct addr));
}

static int log_on_order(const struct state *state, const void *a, const void *b)
{
    const struct state_person *people = state_records(state, STATE_PEOPLE);
    return compare_texts(state, people[*(const uint64_t *)a].log_on,
                         people[*(const uint64_t *)b].log_on);
}

static int ban_order(const struct state *state, const void *a_any, const void *b_any)
{
    const struct state_ban *a = a_any;
    const struct state_ban *b = b_any;
    int order = a->what < b->what ? -1 : a->what > b->what;
    order = order != 0 ? order : compare_texts(state, a->who, b->who);
    return order != 0 ? order : compare_texts(state, a->id, b->id);
}

static int grant_order(const struct state *state, const void *a_any, const void *b_any)
{
    const struct state_grant *a = a_any;
    const struct state_grant *b = b_any;
    int order = a->kind < b->kind ? -1 : a->kind > b->kind;
    return order != 0 ? order : compare_texts(state, a->id, b->id);
}

static int nominated_order(const struct state *state, const void *a_any, const void *b_any)
{
    const struct state_nominated *a = a_any;
    const struct state_nominated *b = b_any;
    int order = compare_texts(state, a->list, b->list);
    return order != 0 ? order : compare_texts(state, a->person, b->person);
}

const state_order state_record_order[STATE_SECTIONS] = {
    [STATE_PEOPLE] = text_order,         [STATE_DEVICES] = text_order,
    [STATE_ADDRESSES] = address_order,   [STATE_LOG_ONS] = log_on_order,
    [STATE_SIGN_INS] = text_order,       [STATE_SUSPENSIONS] = ban_order,
    [STATE_ISOLATED] = ban_order,        [STATE_GRANTS] = grant_order,
    [STATE_NOMINATED] = nominated_order,
};

static bool section_lies_inside(const struct state *state, enum state_section section)
{
    struct state_place place = state->header->sections[section];
    if (place.at % 8 != 0 || place.at < sizeof(struct state_header) || place.at > state->size) {
        return false;
    }
    return place.count <= (state->size - place.at) / state_record_size[section];
}

static bool section_is_sound(const struct state *state, enum state_section section)
{
    const uint8_t *records = state_records(state, section);
    size_t size = state_record_size[section];
    for (size_t i = 0; record_is_sound[section] != NULL && i < state_count(state, section); i++) {
        if (!record_is_sound[section](state, records + i * size)) {
            return false;
        }
    }
    return true;
}

static bool section_is_sorted(const struct state *state, enum state_section section)
{
    const uint8_t *records = state_records(state, section);
    size_t size = state_record_size[section];
    for (size_t i = 1; state_record_order[section] != NULL && i < state_count(state, section);
         i++) {
        if (state_record_order[section](state, records + (i - 1) * size, records + i * size) >= 0) {
            return false;
        }
    }
    return true;
}

/* The lists of a grant are searched, too. */
static bool range_is_sorted(const struct state *state, struct state_range range)
{
    const struct state_text *refs =
        (const struct state_text *)state_records(state, STATE_REFS) + range.first;
    for (uint32_t i = 1; i < range.n; i++) {
        if (compare_texts(state, refs[i - 1], refs[i]) >= 0) {
            return false;
        }
    }
    return true;
}

static bool grants_are_sorted(const struct state *state)
{
    const struct state_grant *grants = state_records(state, STATE_GRANTS);
    for (size_t i = 0; i < state_count(state, STATE_GRANTS); i++) {
        if (!range_is_sorted(state, grants[i].people) ||
            !range_is_sorted(state, grants[i].groups) ||
            !range_is_sorted(state, grants[i].devices)) {
            return false;
        }
    }
    return true;
}

uint64_t state_checksum(const struct state *state)
{
    size_t from = offsetof(struct state_header, checksum) + sizeof(uint64_t);
    return fasthash64(str_make((const char *)state->bytes + from, state->size - from),
                      STATE_VERSION);
}

static const char *header_fault(const struct state *state)
{
    const struct state_header *header = state->header;
    if (memcmp(header->magic, "LODGESTA", sizeof(header->magic)) != 0) {
        return "this is no state image; make one with `lodge state build`";
    }
    if (header->version != STATE_VERSION || header->byte_order != STATE_BYTE_ORDER) {
        return "the state image is of another version or machine; build it again";
    }
    if (header->size != state->size) {
        return "the state image is cut short or has bytes too many; build it again";
    }
    if (header->checksum != state_checksum(state)) {
        return "the state image is damaged (its checksum differs); build it again";
    }
    return NULL;
}

const char *state_fault(const struct state *state)
{
    const char *fault = header_fault(state);
    for (enum state_section i = 0; fault == NULL && i < STATE_SECTIONS; i++) {
        fault = section_lies_inside(state, i) ? NULL : "a section lies outside the state image";
    }
    for (enum state_section i = 0; fault == NULL && i < STATE_SECTIONS; i++) {
        fault = section_is_sound(state, i) ? NULL : "a record of the state image is not valid";
    }
    for (enum state_section i = 0; fault == NULL && i < STATE_SECTIONS; i++) {
        fault = section_is_sorted(state, i) ? NULL : "a section of the state image is not sorted";
    }
    if (fault == NULL && !grants_are_sorted(state)) {
        fault = "a list of the state image is not sorted";
    }
    return fault;
}

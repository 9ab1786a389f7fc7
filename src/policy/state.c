/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state image: opened, checked whole, searched. */
#include "policy/state.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/check.h"
#include "crypto/fasthash.h"
#include "policy/state_impl.h"

const size_t state_record_size[STATE_SECTIONS] = {
    [STATE_PEOPLE] = sizeof(struct state_person),
    [STATE_DEVICES] = sizeof(struct state_device),
    [STATE_ADDRESSES] = sizeof(uint64_t),
    [STATE_LOG_ONS] = sizeof(uint64_t),
    [STATE_SIGN_INS] = sizeof(struct state_sign_in),
    [STATE_SUSPENSIONS] = sizeof(struct state_ban),
    [STATE_ISOLATED] = sizeof(struct state_ban),
    [STATE_GRANTS] = sizeof(struct state_grant),
    [STATE_NOMINATED] = sizeof(struct state_nominated),
    [STATE_REFS] = sizeof(struct state_text),
    [STATE_MATCHES] = sizeof(struct state_match),
    [STATE_TEXTS] = 1,
};

static enum err make_state(const uint8_t *bytes, size_t size, bool mapped, struct state **ret_state,
                           const char **ret_why)
{
    struct state *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        return ERR_MEMORY;
    }
    *state = (struct state){bytes, size, mapped, (const struct state_header *)(const void *)bytes};
    const char *fault = state_fault(state);
    if (fault != NULL) {
        free(state);
        *ret_why = fault;
        return ERR_INVALID;
    }
    *ret_state = state;
    return ERR_OK;
}

enum err state_open(int fd, struct state **ret_state, const char **ret_why)
{
    struct stat info = {0};
    if (fstat(fd, &info) != 0) {
        *ret_why = "the file cannot be looked at";
        return ERR_SYSTEM;
    }
    if (info.st_size < (off_t)sizeof(struct state_header) || info.st_size > STATE_BYTES_MAX) {
        *ret_why = "the file is too short or too long for a state image";
        return ERR_INVALID;
    }
    size_t size = (size_t)info.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        *ret_why = "the file cannot be mapped";
        return ERR_SYSTEM;
    }
    enum err err = make_state(bytes, size, true, ret_state, ret_why);
    if (err != ERR_OK) {
        munmap(bytes, size);
    }
    return err;
}

enum err state_open_copy(struct str bytes, struct state **ret_state, const char **ret_why)
{
    if (bytes.len < sizeof(struct state_header) || bytes.len > STATE_BYTES_MAX) {
        *ret_why = "too short or too long for a state image";
        return ERR_INVALID;
    }
    uint8_t *copy = malloc(bytes.len);
    if (copy == NULL) {
        return ERR_MEMORY;
    }
    memcpy(copy, bytes.p, bytes.len);
    enum err err = make_state(copy, bytes.len, false, ret_state, ret_why);
    if (err != ERR_OK) {
        free(copy);
    }
    return err;
}

void state_free(struct state *state)
{
    if (state == NULL) {
        return;
    }
    /* The bytes are ours, and were made const only for the readers. */
    void *bytes = NULL;
    memcpy(&bytes, &state->bytes, sizeof(bytes));
    if (state->mapped) {
        munmap(bytes, state->size);
    } else {
        free(bytes);
    }
    free(state);
}

uint64_t state_generation(const struct state *state)
{
    return state->header->checksum != 0 ? state->header->checksum : 1;
}

/* A binary search: the first of n records for which order(record) is not below what is looked for.
 */
typedef int (*order_fn)(const struct state *state, const void *record, const void *key);

static const void *find_first(const struct state *state, enum state_section section, order_fn order,
                              const void *key)
{
    const uint8_t *records = state_records(state, section);
    size_t size = state_record_size[section];
    size_t low = 0;
    size_t high = state_count(state, section);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(state, records + middle * size, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < state_count(state, section) && order(state, records + low * size, key) == 0;
    return found ? records + low * size : NULL;
}

/* All records that are searched by one text begin with it. */
static int order_text(const struct state *state, const void *record, const void *key)
{
    const struct state_text *text = record;
    return str_compare(state_str(state, *text), *(const struct str *)key);
}

const struct state_person *state_person_find(const struct state *state, struct str id)
{
    return find_first(state, STATE_PEOPLE, order_text, &id);
}

const struct state_device *state_device_find(const struct state *state, struct str id)
{
    return find_first(state, STATE_DEVICES, order_text, &id);
}

const struct state_sign_in *state_sign_in_find(const struct state *state, struct str device)
{
    return find_first(state, STATE_SIGN_INS, order_text, &device);
}

static int order_address(const struct state *state, const void *record, const void *key)
{
    const struct state_device *devices = state_records(state, STATE_DEVICES);
    return memcmp(devices[*(const uint64_t *)record].addr.bytes, ((const struct addr *)key)->bytes,
                  sizeof(struct addr));
}

const struct state_device *state_device_at(const struct state *state, const struct addr *addr)
{
    const struct state_device *devices = state_records(state, STATE_DEVICES);
    const uint64_t *index = find_first(state, STATE_ADDRESSES, order_address, addr);
    return index != NULL ? &devices[*index] : NULL;
}

static int order_log_on(const struct state *state, const void *record, const void *key)
{
    const struct state_person *people = state_records(state, STATE_PEOPLE);
    return str_compare(state_str(state, people[*(const uint64_t *)record].log_on),
                       *(const struct str *)key);
}

const struct state_person *state_log_on_find(const struct state *state, struct str log_on)
{
    const struct state_person *people = state_records(state, STATE_PEOPLE);
    const uint64_t *index = find_first(state, STATE_LOG_ONS, order_log_on, &log_on);
    return index != NULL ? &people[*index] : NULL;
}

struct who {
    uint64_t what;
    struct str id;
};

static int order_ban(const struct state *state, const void *record, const void *key)
{
    const struct state_ban *ban = record;
    const struct who *who = key;
    if (ban->what != who->what) {
        return ban->what < who->what ? -1 : 1;
    }
    return str_compare(state_str(state, ban->who), who->id);
}

const struct state_ban *state_ban_find(const struct state *state, enum state_section section,
                                       uint64_t what, struct str who, int64_t now_ms)
{
    struct who key = {what, who};
    const struct state_ban *ban = find_first(state, section, order_ban, &key);
    const struct state_ban *end =
        (const struct state_ban *)state_records(state, section) + state_count(state, section);
    const struct state_ban *longest = NULL;
    for (; ban != NULL && ban != end && order_ban(state, ban, &key) == 0; ban++) {
        if (ban->until > now_ms && (longest == NULL || ban->until > longest->until)) {
            longest = ban;
        }
    }
    return longest;
}

static int order_nominated(const struct state *state, const void *record, const void *key)
{
    const struct state_nominated *nominated = record;
    const struct str *pair = key;
    int order = str_compare(state_str(state, nominated->list), pair[0]);
    return order != 0 ? order : str_compare(state_str(state, nominated->person), pair[1]);
}

bool state_is_nominated(const struct state *state, struct str list, struct str person)
{
    const struct str pair[2] = {list, person};
    return find_first(state, STATE_NOMINATED, order_nominated, pair) != NULL;
}

bool state_range_has(const struct state *state, struct state_range range, struct str text)
{
    const struct state_text *refs =
        (const struct state_text *)state_records(state, STATE_REFS) + range.first;
    size_t low = 0;
    size_t high = range.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(state_str(state, refs[middle]), text);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

struct pattern state_pattern(const struct state *state, const struct state_match *match)
{
    return (struct pattern){state_str(state, match->host), state_str(state, match->path),
                            state_str(state, match->query), match->has_query != 0};
}

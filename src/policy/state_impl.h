/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of a state image, and what a decision asks of one.
 *
 * A header, then one section for each kind of record, each sorted so that it can be searched, then
 * the texts that records point at. Numbers are in the byte order of the machine, which the header
 * names: an image never leaves the node that built it. state_open checks all of it once, so that no
 * reader below can leave the image. Private to policy/.
 */
#ifndef LODGE_POLICY_STATE_IMPL_H
#define LODGE_POLICY_STATE_IMPL_H

#include "catalog/catset.h"
#include "policy/match_impl.h"
#include "policy/state.h"

enum {
    STATE_VERSION = 3,
    STATE_BYTE_ORDER = 0x01020304,
    STATE_BYTES_MAX = 256 * 1024 * 1024,
};

/* Sections, by the struct of their records. */
enum state_section {
    STATE_PEOPLE,
    STATE_DEVICES,
    STATE_ADDRESSES, /* numbers of devices, by address */
    STATE_LOG_ONS,   /* numbers of people, by log-on */
    STATE_SIGN_INS,
    STATE_SUSPENSIONS,
    STATE_ISOLATED,
    STATE_GRANTS,
    STATE_NOMINATED,
    STATE_REFS,    /* lists of texts that grants point at */
    STATE_MATCHES, /* sites that grants point at */
    STATE_TEXTS,   /* bytes */
    STATE_SECTIONS,
};

struct state_text {
    uint32_t at;
    uint32_t len;
};

struct state_range {
    uint32_t first;
    uint32_t n;
};

enum { PERSON_SIGNED = 1, PERSON_CURRENT = 2, PERSON_PARENT = 4, PERSON_FLAGS = 7 };

struct state_person { /* by id */
    struct state_text id;
    struct state_text log_on; /* the name of their credentials; the id where they have none */
    struct state_text group;
    uint64_t flags;
    int64_t agreement_until;
    int64_t credential; /* another one with each new password */
};

enum { DEVICE_HAS_ADDRESS = 1 };

struct state_device { /* by id */
    struct state_text id;
    struct state_text owner;
    struct state_text class_id;
    struct state_text group;
    struct state_text supervisor;
    struct addr addr;
    uint64_t flags;
    int64_t supervised_until;
};

struct state_sign_in { /* by device */
    struct state_text device;
    struct state_text person;
    int64_t until;
};

enum { WHO_PERSON = 1, WHO_DEVICE = 2 };

struct state_ban { /* by what, who, id */
    struct state_text id;
    struct state_text who;
    uint64_t what;
    int64_t until;
};

enum state_grant_kind { GRANT_UNSET, GRANT_OFF, GRANT_LESSON, GRANT_OVERRIDE };

enum { GRANT_ALL = 1 };

struct state_grant { /* by kind, id */
    struct state_text id;
    uint32_t kind;
    uint32_t flags;
    struct state_range people; /* in refs, each sorted */
    struct state_range groups;
    struct state_range devices;
    struct state_range matches;
    struct catset categories;
    int64_t from;
    int64_t until;
};

struct state_nominated { /* by list, person */
    struct state_text list;
    struct state_text person;
};

struct state_match {
    struct state_text text; /* as it was written */
    struct state_text host;
    struct state_text path;
    struct state_text query;
    uint64_t has_query;
};

struct state_place {
    uint64_t at; /* from the start of the image, a multiple of 8 */
    uint64_t count;
};

struct state_header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t size;
    uint64_t checksum; /* of everything behind this field */
    struct state_place sections[STATE_SECTIONS];
};

struct state {
    const uint8_t *bytes;
    size_t size;
    bool mapped; /* else allocated */
    const struct state_header *header;
};

extern const size_t state_record_size[STATE_SECTIONS];

/* How a section is sorted; NULL where it is not (the refs of a grant are, among themselves). */
typedef int (*state_order)(const struct state *state, const void *a, const void *b);
extern const state_order state_record_order[STATE_SECTIONS];

/* What stands before a ban's or grant's id in the image, so that a rule's name is there as one
 * text. */
#define STATE_PREFIX_SUSPENDED "suspended/"
#define STATE_PREFIX_ISOLATED "isolated/"
#define STATE_PREFIX_GRANT "grant/"
#define STATE_PREFIX_OFF "filtering-off/"

/* The records of a section; those after count must not be touched. */
static inline const void *state_records(const struct state *state, enum state_section section)
{
    return state->bytes + state->header->sections[section].at;
}

static inline size_t state_count(const struct state *state, enum state_section section)
{
    return (size_t)state->header->sections[section].count;
}

static inline struct str state_str(const struct state *state, struct state_text text)
{
    return (struct str){(const char *)state_records(state, STATE_TEXTS) + text.at, text.len};
}

uint64_t state_checksum(const struct state *state);

/* Checks a whole image; a sentence, or NULL where it may be used. */
const char *state_fault(const struct state *state);

/* The same as state_open, of a copy of bytes. */
MUST_USE enum err state_open_copy(struct str bytes, struct state **ret_state, const char **ret_why);

/* Each answers NULL where there is none. */
const struct state_person *state_person_find(const struct state *state, struct str id);
/* By the name that stands in credentials. */
const struct state_person *state_log_on_find(const struct state *state, struct str log_on);
const struct state_device *state_device_find(const struct state *state, struct str id);
const struct state_device *state_device_at(const struct state *state, const struct addr *addr);
const struct state_sign_in *state_sign_in_find(const struct state *state, struct str device);
/* The ban in the section with the latest end, where that lies after now. */
const struct state_ban *state_ban_find(const struct state *state, enum state_section section,
                                       uint64_t what, struct str who, int64_t now_ms);
bool state_is_nominated(const struct state *state, struct str list, struct str person);
bool state_range_has(const struct state *state, struct state_range range, struct str text);
struct pattern state_pattern(const struct state *state, const struct state_match *match);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events: what happened, for the school. Typed, complete, append-only (event.def fixes the fields).
 *
 * Every request leaves one event of kind request, or an open and a close with the same id where it
 * is a tunnel or its answer does not go out at once; those of kind audit are the clerk's. This file
 * is pure: struct to bytes and back, struct to JSON and to a line for people. Writing and reading
 * files is event/spool.h.
 */
#ifndef LODGE_EVENT_EVENT_H
#define LODGE_EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "catalog/catset.h"
#include "wire/addr.h"

enum { EVENT_VERSION = 3, EVENT_ID_LEN = 16 };

enum event_kind {
    EVENT_KIND_UNSET,
    EVENT_REQUEST,
    EVENT_OPEN,
    EVENT_CLOSE,
    EVENT_AUDIT, /* where a school's chain of acts ends (docs/audit.md); no request at all */
};

enum event_end {
    EVENT_END_UNSET,
    EVENT_END_DONE,
    EVENT_END_CLIENT,
    EVENT_END_ORIGIN,
    EVENT_END_TIMEOUT,
    EVENT_END_POLICY, /* an image changed, or a time came, and it is no longer allowed */
    EVENT_END_DRAIN,
    EVENT_END_ERROR,
};

struct event_id {
    uint8_t bytes[EVENT_ID_LEN];
};

#define EVENT_TYPE_U64 uint64_t
#define EVENT_TYPE_I64 int64_t
#define EVENT_TYPE_STR struct str
#define EVENT_TYPE_ID struct event_id
#define EVENT_TYPE_ADDR struct addr
#define EVENT_TYPE_CATS struct catset
#define EVENT_TYPE_ENUM unsigned
#define EVENT_TYPE_DETAIL struct str
#define EVENT_TYPE_FLAG bool
#define EVENT_TYPE_GENERATION uint64_t

struct event {
#define EVENT_FIELD(name, type, max, text) EVENT_TYPE_##type name;
#include "event/event.def"
#undef EVENT_FIELD
};

/* The most bytes that event_pack writes. */
enum {
    EVENT_PACKED_MAX = 16
#define EVENT_FIELD(name, type, max, text) +(max) + 16
#include "event/event.def"
#undef EVENT_FIELD
};

/* Writes the event to `to` and answers the length, at most EVENT_PACKED_MAX. Strings beyond their
 * maximum are cut, on a border of UTF-8, and end in "…". A sealed event's path, query and search
 * term are left out whatever the struct holds (I5, T8).
 *
 * The bytes: the version, then each field in the order of event.def. Numbers are base-128 varints,
 * lowest seven bits first (I64 in zigzag form); strings have their length as a varint before them;
 * ID, ADDR and CATS are 16 bytes, GENERATION 8, as they lie in memory. */
size_t event_pack(const struct event *event, uint8_t to[EVENT_PACKED_MAX]);

/* The inverse. Slices of *ret_event point into bytes. Fields that an event of an earlier version
 * did not have are unset; what stands behind the last field is ignored in an event of a later
 * version, and an error in any other. ERR_INVALID, ERR_TRUNCATED. */
MUST_USE enum err event_unpack(struct str bytes, struct event *ret_event);

/* One JSON object without a line end (docs/events.md): where, time, then every field by its name.
 * Numbers with names are given by name, categories by theirs, sealed ones only as "sealed", and for
 * a sealed hit nothing but that; what is empty or unset is null. where is "writer/segment/offset"
 * (spool.h). */
void event_print_json(const struct event *event, struct str where, struct buf *to);

/* One line for people, without a line end: time, action, kind, who, what, categories, rule. Bytes
 * that are not printable ASCII, and spaces inside a value, appear as %HH, so that nothing a site or
 * client sends can steer a terminal or feign a column. */
void event_print_line(const struct event *event, struct buf *to);

/* 32 hexadecimal digits. */
void event_id_print(const struct event_id *id, struct buf *to);

#endif

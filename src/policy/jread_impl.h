/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading documents that people write: every complaint says where, what and what to do.
 *
 * A struct place is a value and the way to it, so that a complaint can name
 * "table[3](shopping).cells". Readers complain and go on with a harmless value; the caller looks at
 * complaints and the arena at the end. What the reader does not know is a complaint, never passed
 * over. Private to policy/.
 */
#ifndef LODGE_POLICY_JREAD_IMPL_H
#define LODGE_POLICY_JREAD_IMPL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { JREAD_COMPLAINTS_MAX = 100, JREAD_TEXT_MAX = 4096 };

struct jread {
    struct buf *why;
    struct arena *arena; /* texts that are kept */
    size_t complaints;
};

struct place {
    json_t *value; /* NULL: absent */
    const struct place *outer;
    const char *key; /* NULL: an item of an array */
    size_t index;
};

/* The root of a document. ERR_INVALID, with a complaint, for bytes that are no JSON object, that
 * name a member twice, or over max bytes. *ret_json is the caller's, to be given to json_decref. */
MUST_USE enum err jread_load(struct jread *reader, struct str text, size_t max, json_t **ret_json);

/* One line: place, the words, a line end. After JREAD_COMPLAINTS_MAX only counted. */
void jread_complain(struct jread *reader, const struct place *at, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* False, with a complaint, unless the place is an object whose members are all among names
 * (separated by spaces). */
bool jread_object(struct jread *reader, const struct place *at, const char *names);

/* The member of an object; a place with value NULL where it is not there. */
struct place jread_member(const struct place *at, const char *key);
struct place jread_item(const struct place *at, size_t index);

/* How many items an array has; 0 for an absent one, and with a complaint for what is no array or
 * has more than max. */
size_t jread_count(struct jread *reader, const struct place *at, size_t max);

/* Texts, copied into the arena. The plain form demands the member. */
struct str jread_text(struct jread *reader, const struct place *at, const char *key);
struct str jread_text_or(struct jread *reader, const struct place *at, const char *key,
                         struct str fallback);
/* The text of this place itself. */
struct str jread_value(struct jread *reader, const struct place *at);
/* An id, as below. */
bool jread_is_id(struct str text);
/* An id: letters, digits, '-', '_', '.', at most LIMIT_ID_LEN; empty after a complaint. */
struct str jread_id(struct jread *reader, const struct place *at, const char *key);
struct str jread_id_or(struct jread *reader, const struct place *at, const char *key,
                       struct str fallback);
struct str jread_id_value(struct jread *reader, const struct place *at);
bool jread_bool(struct jread *reader, const struct place *at, const char *key, bool fallback);
int64_t jread_int(struct jread *reader, const struct place *at, const char *key, int64_t min,
                  int64_t max);

/* "2026-09-02" as days since 1970-01-01. */
int64_t jread_date(struct jread *reader, const struct place *at, const char *key);
/* "2026-03-29T01:00Z" as UTC ms; the 'Z' is demanded. */
int64_t jread_utc(struct jread *reader, const struct place *at, const char *key);
/* "08:50" as minutes of the day; "24:00" is its end. */
uint16_t jread_minute(struct jread *reader, const struct place *at, const char *key);

/* The number of a word in a table, or n with a complaint that lists them. */
size_t jread_word(struct jread *reader, const struct place *at, struct str word,
                  const struct str *words, size_t n);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading documents that people write. */
#include "policy/jread_impl.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/num.h"

enum { DEPTH_MAX = 16 };

static void print_step(struct buf *to, const struct place *at, bool first)
{
    if (at->key != NULL) {
        buf_printf(to, "%s%s", first ? "" : ".", at->key);
        return;
    }
    buf_printf(to, "[%zu]", at->index);
    const json_t *id = at->value != NULL ? json_object_get(at->value, "id") : NULL;
    id = id == NULL && at->value != NULL ? json_object_get(at->value, "match") : id;
    if (json_is_string(id)) {
        buf_printf(to, "(%.*s)", (int)LIMIT_ID_LEN, json_string_value(id));
    }
}

static void print_place(struct buf *to, const struct place *at)
{
    const struct place *steps[DEPTH_MAX];
    size_t n = 0;
    for (; at != NULL && at->outer != NULL && n < DEPTH_MAX; at = at->outer) {
        steps[n++] = at;
    }
    if (n == 0) {
        buf_append(to, STR("document"));
    }
    for (size_t i = n; i > 0; i--) {
        print_step(to, steps[i - 1], i == n);
    }
}

void jread_complain(struct jread *reader, const struct place *at, const char *format, ...)
{
    reader->complaints += 1;
    if (reader->complaints > JREAD_COMPLAINTS_MAX) {
        return;
    }
    print_place(reader->why, at);
    buf_append(reader->why, STR(": "));
    char words[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof(words) ? (size_t)n : sizeof(words) - 1;
    buf_append(reader->why, str_make(words, len));
    buf_append_byte(reader->why, '\n');
}

enum err jread_load(struct jread *reader, struct str text, size_t max, json_t **ret_json)
{
    if (text.len > max) {
        jread_complain(reader, NULL, "has %zu bytes; the most is %zu", text.len, max);
        return ERR_LIMIT;
    }
    json_error_t error = {0};
    json_t *json = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        jread_complain(reader, NULL, "line %d, column %d: %s; mend the JSON there", error.line,
                       error.column, error.text);
        return ERR_INVALID;
    }
    if (!json_is_object(json)) {
        json_decref(json);
        jread_complain(reader, NULL, "is no JSON object; it must begin with {");
        return ERR_INVALID;
    }
    *ret_json = json;
    return ERR_OK;
}

static bool is_among(const char *key, const char *names)
{
    struct str rest = str_from(names);
    while (rest.len != 0) {
        struct str name = {0};
        str_cut(rest, ' ', &name, &rest);
        if (str_eq(name, str_from(key))) {
            return true;
        }
    }
    return false;
}

bool jread_object(struct jread *reader, const struct place *at, const char *names)
{
    if (!json_is_object(at->value)) {
        jread_complain(reader, at, "%s; give an object with: %s",
                       at->value == NULL ? "is missing" : "is no object", names);
        return false;
    }
    bool known = true;
    void *iter = json_object_iter(at->value);
    for (; iter != NULL; iter = json_object_iter_next(at->value, iter)) {
        const char *key = json_object_iter_key(iter);
        if (!is_among(key, names)) {
            jread_complain(reader, at, "has an unknown member \"%.*s\"; the known ones are: %s",
                           (int)LIMIT_ID_LEN, key, names);
            known = false;
        }
    }
    return known;
}

struct place jread_member(const struct place *at, const char *key)
{
    return (struct place){json_object_get(at->value, key), at, key, 0};
}

struct place jread_item(const struct place *at, size_t index)
{
    return (struct place){json_array_get(at->value, index), at, NULL, index};
}

size_t jread_count(struct jread *reader, const struct place *at, size_t max)
{
    if (at->value == NULL) {
        return 0;
    }
    if (!json_is_array(at->value)) {
        jread_complain(reader, at, "is no list; write it in [ ]");
        return 0;
    }
    size_t n = json_array_size(at->value);
    if (n > max) {
        jread_complain(reader, at, "has %zu items; the most is %zu", n, max);
        return 0;
    }
    return n;
}

struct str jread_value(struct jread *reader, const struct place *at)
{
    if (!json_is_string(at->value)) {
        jread_complain(reader, at, "%s; give a text in quotes",
                       at->value == NULL ? "is missing" : "is no text");
        return STR("");
    }
    struct str text = {json_string_value(at->value), json_string_length(at->value)};
    if (text.len > JREAD_TEXT_MAX) {
        jread_complain(reader, at, "is longer than %d bytes; shorten it", (int)JREAD_TEXT_MAX);
        return STR("");
    }
    return arena_dup(reader->arena, text);
}

struct str jread_text(struct jread *reader, const struct place *at, const char *key)
{
    struct place member = jread_member(at, key);
    return jread_value(reader, &member);
}

struct str jread_text_or(struct jread *reader, const struct place *at, const char *key,
                         struct str fallback)
{
    struct place member = jread_member(at, key);
    return member.value != NULL ? jread_value(reader, &member) : fallback;
}

bool jread_is_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_' && c != '.') {
            return false;
        }
    }
    return text.len != 0 && text.len <= LIMIT_ID_LEN;
}

struct str jread_id_value(struct jread *reader, const struct place *at)
{
    size_t before = reader->complaints;
    struct str text = jread_value(reader, at);
    if (reader->complaints == before && !jread_is_id(text)) {
        jread_complain(reader, at, "is no id; use 1 to %d letters, digits, '-', '_' or '.'",
                       (int)LIMIT_ID_LEN);
        return STR("");
    }
    return text;
}

struct str jread_id(struct jread *reader, const struct place *at, const char *key)
{
    struct place member = jread_member(at, key);
    return jread_id_value(reader, &member);
}

struct str jread_id_or(struct jread *reader, const struct place *at, const char *key,
                       struct str fallback)
{
    struct place member = jread_member(at, key);
    return member.value != NULL ? jread_id_value(reader, &member) : fallback;
}

bool jread_bool(struct jread *reader, const struct place *at, const char *key, bool fallback)
{
    struct place member = jread_member(at, key);
    if (member.value != NULL && !json_is_boolean(member.value)) {
        jread_complain(reader, &member, "must be true or false");
    }
    return json_is_boolean(member.value) ? json_is_true(member.value) : fallback;
}

int64_t jread_int(struct jread *reader, const struct place *at, const char *key, int64_t min,
                  int64_t max)
{
    struct place member = jread_member(at, key);
    const json_t *value = key != NULL ? member.value : at->value;
    int64_t number = json_is_integer(value) ? json_integer_value(value) : min - 1;
    if (number < min || number > max) {
        jread_complain(reader, key != NULL ? &member : at,
                       "must be a whole number from %lld to %lld", (long long)min, (long long)max);
        return min;
    }
    return number;
}

/* A civil time of the shape that the caller needs, told by its length. */
static bool read_civil(struct jread *reader, const struct place *at, const char *key, bool is_date,
                       struct civil *ret_civil)
{
    struct place member = jread_member(at, key);
    size_t before = reader->complaints;
    struct str text = jread_value(reader, &member);
    if (reader->complaints != before) {
        return false;
    }
    bool shaped = is_date ? text.len == STR("2026-09-02").len : str_ends(text, STR("Z"));
    if (!shaped || civil_parse(text, ret_civil) != ERR_OK) {
        jread_complain(reader, &member, "is no %s; write it like %s", is_date ? "date" : "UTC time",
                       is_date ? "2026-09-02" : "2026-09-02T08:00Z");
        return false;
    }
    return true;
}

int64_t jread_date(struct jread *reader, const struct place *at, const char *key)
{
    struct civil civil = {0};
    return read_civil(reader, at, key, true, &civil)
               ? civil_days(civil.year, civil.month, civil.day)
               : 0;
}

int64_t jread_utc(struct jread *reader, const struct place *at, const char *key)
{
    struct civil civil = {0};
    return read_civil(reader, at, key, false, &civil) ? civil_to_ms(&civil) : 0;
}

uint16_t jread_minute(struct jread *reader, const struct place *at, const char *key)
{
    struct place member = jread_member(at, key);
    size_t before = reader->complaints;
    struct str text = jread_value(reader, &member);
    uint64_t hour = 0;
    uint64_t minute = 0;
    if (text.len != 5 || text.p[2] != ':' ||
        parse_u64(str_sub(text, 0, 2), 0, 24, &hour) != ERR_OK ||
        parse_u64(str_sub(text, 3, 2), 0, 59, &minute) != ERR_OK || hour * 60 + minute > 24 * 60) {
        if (reader->complaints == before) {
            jread_complain(reader, &member, "is no time of day; write it like 08:50");
        }
        return 0;
    }
    return (uint16_t)(hour * 60 + minute);
}

size_t jread_word(struct jread *reader, const struct place *at, struct str word,
                  const struct str *words, size_t n)
{
    char list[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (words[i].len != 0 && str_eq(words[i], word)) {
            return i;
        }
        if (words[i].len != 0 && len + words[i].len + 3 < sizeof(list)) {
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", len != 0 ? ", " : "",
                                    STR_ARG(words[i]));
        }
    }
    jread_complain(reader, at, "\"%.*s\" is not known; use one of: %s",
                   word.len < LIMIT_ID_LEN ? (int)word.len : (int)LIMIT_ID_LEN, word.p, list);
    return n;
}

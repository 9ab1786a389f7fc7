/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which acts somebody may read is worked out once, and said in the statement. */
#include "records/audit_list.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/num.h"
#include "records/audit.h"
#include "records/register.h"
#include "records/standing.h"

enum { NAMES_MAX = 64 * 1024 };

static const struct {
    struct str name;
    struct str label;
    enum area area;
} others[] = {
#define AUDIT_AREA(name, label, area) {STR_INIT(#name), STR_INIT(label), AREA_##area},
#include "records/audit_area.def"
#undef AUDIT_AREA
};

#define N_OTHERS (sizeof(others) / sizeof(others[0]))

/* What an actor reads of: ",person,post," each, for a statement. */
struct readable {
    struct buf all;
    struct buf passed;       /* where the subject holds one of passed_roles */
    struct str passed_roles; /* ",head," */
    json_t *areas;
};

static void add_name(struct buf *to, struct str name)
{
    buf_append(to, name);
    buf_append_byte(to, ',');
}

static void add_area(struct readable *readable, struct str name, struct str label)
{
    add_name(&readable->all, name);
    json_array_append_new(readable->areas, json_pack("{s:s%, s:s%}", "value", name.p, name.len,
                                                     "label", label.p, label.len));
}

static void add_registers(const struct actor *actor, struct arena *arena, struct readable *readable)
{
    struct standing_list list;
    for (size_t i = 0; i < N_REGISTERS; i++) {
        const struct register_def *def = REGISTERS[i];
        standing_list(actor, def, VERB_see, &list);
        struct str passed = str_from(list.passed);
        if (list.any && list.reach == REACH_SCHOOL) {
            add_area(readable, def->name, def->label_plural);
        } else if (!str_eq(passed, STR(",,"))) {
            bool first = readable->passed_roles.len == 0;
            readable->passed_roles = first ? arena_dup(arena, passed) : readable->passed_roles;
            if (str_eq(readable->passed_roles, passed)) {
                add_name(&readable->passed, def->name);
            }
        }
    }
}

/* The areas beside the registers; a look at an adult goes with the allegations. */
static void add_others(const struct actor *actor, struct readable *readable)
{
    for (size_t i = 0; i < N_OTHERS; i++) {
        enum scope scope = permit_widest(actor->roles, others[i].area, VERB_see);
        if (scope >= SCOPE_SCHOOL) {
            add_area(readable, others[i].name, others[i].label);
        } else if (others[i].area == AREA_allegations && readable->passed_roles.len != 0) {
            add_name(&readable->passed, others[i].name);
        }
    }
}

static void readable_fini(struct readable *readable)
{
    buf_fini(&readable->all);
    buf_fini(&readable->passed);
    json_decref(readable->areas);
}

static enum err readable_init(struct readable *readable, struct arena *arena,
                              const struct actor *actor, bool all)
{
    buf_init(&readable->all, NAMES_MAX);
    buf_init(&readable->passed, NAMES_MAX);
    readable->areas = json_array();
    readable->passed_roles = STR("");
    buf_append_byte(&readable->all, ',');
    buf_append_byte(&readable->passed, ',');
    if (all) {
        add_registers(actor, arena, readable);
        add_others(actor, readable);
    }
    enum err err = buf_err(&readable->all);
    err = err == ERR_OK ? buf_err(&readable->passed) : err;
    return err == ERR_OK && (readable->areas == NULL || arena->failed) ? ERR_MEMORY : err;
}

/* ---- what is asked ---- */

enum err audit_day_ms(struct str day, int64_t *ret_ms)
{
    struct civil civil;
    if (day.len != 10) {
        return ERR_INVALID;
    }
    ERR_TRY(civil_parse(day, &civil));
    int64_t ms = civil_days(civil.year, civil.month, civil.day) * MS_PER_DAY;
    bool summer = clock_british_day(ms - MS_PER_HOUR) == clock_british_day(ms);
    *ret_ms = summer ? ms - MS_PER_HOUR : ms;
    return ERR_OK;
}

enum err audit_day_end_ms(struct str day, int64_t *ret_ms)
{
    char next[DAY_TEXT_MAX];
    int64_t begin;
    ERR_TRY(audit_day_ms(day, &begin));
    /* 25 hours reach into the next day, and no further, on every day of the year. */
    int32_t after = clock_british_day(begin + 25 * (int64_t)MS_PER_HOUR);
    return audit_day_ms(day_print(after, next), ret_ms);
}

struct bounds {
    int64_t from_ms, until_ms, before;
};

static enum err read_bounds(const struct audit_query *query, struct bounds *ret_bounds,
                            struct str *ret_fault)
{
    struct bounds bounds = {0, INT64_MAX, INT64_MAX};
    if (query->from.len != 0 && audit_day_ms(query->from, &bounds.from_ms) != ERR_OK) {
        *ret_fault = STR("from");
        return ERR_INVALID;
    }
    if (query->until.len != 0 && audit_day_end_ms(query->until, &bounds.until_ms) != ERR_OK) {
        *ret_fault = STR("until");
        return ERR_INVALID;
    }
    *ret_bounds = bounds;
    return ERR_OK;
}

/* ---- where a page ends ---- */

/* A place in the list says when an act was, and how its hash begins, never its number: numbers that
 * are missing would tell of acts that hide from whoever reads. */
enum { PLACE_HASH_BYTES = 8, PLACE_MAX = 40 };

struct place {
    char text[PLACE_MAX]; /* empty: none */
};

static void place_print(int64_t ms, struct str hash, struct place *ret_place)
{
    char digits[2 * PLACE_HASH_BYTES + 1] = "";
    CHECK(hash.len >= PLACE_HASH_BYTES);
    for (size_t i = 0; i < PLACE_HASH_BYTES; i++) {
        (void)snprintf(&digits[2 * i], 3, "%02x", (unsigned char)hash.p[i]);
    }
    (void)snprintf(ret_place->text, sizeof(ret_place->text), "%lld-%s", (long long)ms, digits);
}

/* The number of the act at a place; ERR_INVALID: there is none. */
static enum err place_find(struct store *store, struct str school, struct str text,
                           int64_t *ret_seq)
{
    struct str digits, rest;
    struct store_rows *rows;
    struct place place;
    int64_t ms;
    int64_t seq = 0;
    enum err err;
    if (!str_cut(text, '-', &digits, &rest) || parse_i64(digits, 0, INT64_MAX, &ms) != ERR_OK) {
        return ERR_INVALID;
    }
    const struct store_value values[] = {store_text(school), store_number(ms)};
    ERR_TRY(store_query(store, STATEMENT_ACTS_AT, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        place_print(ms, store_rows_bytes(rows, 1), &place);
        seq = str_eq(text, str_from(place.text)) ? store_rows_number(rows, 0) : seq;
    }
    store_rows_free(rows);
    if (err == ERR_OK) {
        *ret_seq = seq;
    }
    return err == ERR_OK && seq == 0 ? ERR_INVALID : err;
}

static enum err read_place(struct store *store, const struct actor *actor,
                           const struct audit_query *query, struct bounds *bounds,
                           struct str *ret_fault)
{
    if (query->before.len == 0) {
        return ERR_OK;
    }
    enum err err = place_find(store, actor->school, query->before, &bounds->before);
    if (err == ERR_INVALID) {
        *ret_fault = STR("before");
    }
    return err;
}

/* ---- what is answered ---- */

static json_t *text(struct str value)
{
    return json_stringn(value.len != 0 ? value.p : "", value.len);
}

static json_t *person(struct str id, struct str name)
{
    return json_pack("{s:o, s:o}", "id", text(id), "name", text(name));
}

/* "phone:12ab needs:34cd" -> ["phone", "needs"] */
static json_t *field_names(struct str fields)
{
    json_t *names = json_array();
    for (struct str word = str_next_word(&fields); word.len != 0; word = str_next_word(&fields)) {
        json_array_append_new(names, text(str_sub(word, 0, str_index(word, ':'))));
    }
    return names;
}

static struct str area_text(struct str name, struct str *ret_plural)
{
    const struct register_def *def = register_find(name);
    if (def != NULL) {
        *ret_plural = def->plural;
        return def->label;
    }
    for (size_t i = 0; i < N_OTHERS; i++) {
        if (str_eq(others[i].name, name)) {
            return others[i].label;
        }
    }
    return name;
}

static json_t *item(const struct store_rows *rows)
{
    char when[CIVIL_TEXT_MAX];
    struct str plural = STR("");
    struct str name = store_rows_bytes(rows, 2);
    struct str area = store_rows_bytes(rows, 5);
    enum act act = act_find(name);
    struct str when_text = str_make(when, civil_print_utc(store_rows_number(rows, 1), when));
    struct str label = area_text(area, &plural);
    json_t *made = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "when",
        text(when_text), "act", text(name), "act_label",
        text(act != ACT_UNSET ? act_label(act) : name), "actor",
        person(store_rows_bytes(rows, 3), store_rows_bytes(rows, 11)), "client",
        text(store_rows_bytes(rows, 4)), "area", text(area), "area_label", text(label), "plural",
        text(plural), "record", text(store_rows_bytes(rows, 6)), "about",
        person(store_rows_bytes(rows, 7), store_rows_bytes(rows, 12)), "version",
        (json_int_t)store_rows_number(rows, 8), "fields", field_names(store_rows_bytes(rows, 9)),
        "words", text(store_rows_bytes(rows, 10)));
    return made;
}

static enum err collect(struct store_rows *rows, json_t *items, struct place *ret_next)
{
    enum err err;
    struct place last = {""};
    while (store_rows_next(rows, &err)) {
        if (json_array_size(items) == AUDIT_LIST_MAX) {
            *ret_next = last;
            break;
        }
        place_print(store_rows_number(rows, 1), store_rows_bytes(rows, 13), &last);
        if (json_array_append_new(items, item(rows)) != 0) {
            return ERR_MEMORY;
        }
    }
    return err;
}

/* From whose acts the list is found. Who may read of no register sees their own. */
static enum store_statement way_of(const struct audit_query *query, struct str person)
{
    return person.len != 0        ? STATEMENT_ACTS_SEEN_OF
           : query->area.len != 0 ? STATEMENT_ACTS_SEEN_IN
                                  : STATEMENT_ACTS_SEEN;
}

static enum err ask(struct store *store, const struct actor *actor, const struct readable *readable,
                    const struct audit_query *query, const struct bounds *bounds, json_t *items,
                    struct place *ret_next)
{
    char day[DAY_TEXT_MAX];
    bool own = readable->all.len <= 1 && readable->passed.len <= 1;
    struct str who = own && query->person.len == 0 ? actor->person : query->person;
    const struct store_value values[] = {store_text(actor->school),
                                         store_text(actor->person),
                                         store_text(day_print(actor->today, day)),
                                         store_text(buf_str(&readable->all)),
                                         store_text(buf_str(&readable->passed)),
                                         store_text(readable->passed_roles),
                                         store_text(who),
                                         store_text(query->area),
                                         store_number(bounds->from_ms),
                                         store_number(bounds->until_ms),
                                         store_number(bounds->before),
                                         store_number(AUDIT_LIST_MAX + 1)};
    struct store_rows *rows;
    ERR_TRY(
        store_query(store, way_of(query, who), values, sizeof(values) / sizeof(values[0]), &rows));
    enum err err = collect(rows, items, ret_next);
    store_rows_free(rows);
    return err;
}

enum err audit_list(struct store *store, struct arena *arena, const struct actor *actor,
                    const struct audit_query *query, json_t **ret_document, struct str *ret_fault)
{
    enum scope scope = permit_widest(actor->roles, AREA_audit, VERB_see);
    struct readable readable;
    struct bounds bounds;
    struct place next = {""};
    if (scope == SCOPE_NONE || actor->person.len == 0) {
        return ERR_DENIED;
    }
    ERR_TRY(read_bounds(query, &bounds, ret_fault));
    ERR_TRY(read_place(store, actor, query, &bounds, ret_fault));
    json_t *items = json_array();
    enum err err = readable_init(&readable, arena, actor, scope >= SCOPE_SCHOOL);
    if (err == ERR_OK) {
        err = ask(store, actor, &readable, query, &bounds, items, &next);
    }
    json_t *document = NULL;
    if (err == ERR_OK) {
        document = json_pack("{s:O, s:O, s:b}", "items", items, "areas", readable.areas, "all",
                             scope >= SCOPE_SCHOOL);
        err = document == NULL ? ERR_MEMORY : ERR_OK;
    }
    if (err == ERR_OK && next.text[0] != '\0') {
        json_object_set_new(document, "next", json_string(next.text));
    }
    readable_fini(&readable);
    json_decref(items);
    if (err == ERR_OK) {
        *ret_document = document;
    }
    return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small school in a store of its own, for tests of records/.
 *
 *     struct school at;
 *     school_open(&at);
 *     struct record_id ada = school_add(&at, "person", "{'name': 'Ada Price', 'kind': 'pupil'}");
 *     struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
 *     school_close(&at);
 *
 * JSON is written with ' in the place of ". Names of functions tell what a school does.
 */
#ifndef LODGE_TESTS_RECORDS_H
#define LODGE_TESTS_RECORDS_H

#include <stdarg.h>

#include "base/clock.h"
#include "lib/store.h"
#include "lib/test.h"
#include "records/engine.h"

enum { SCHOOL_DAY = 20600, SCHOOL_TEXT = 4096, SCHOOL_ARENA = 1 << 20 }; /* 2026-05-27 */

struct school {
    struct test_store store;
    struct keys *keys;
    struct engine engine;
    struct arena arena; /* of actors */
    struct str id;
    int64_t now_ms;
};

static inline struct actor school_operator(const struct school *at)
{
    return (struct actor){
        .school = at->id, .operator= true, .now_ms = at->now_ms, .today = SCHOOL_DAY};
}

static inline void school_found(struct school *at, const char *id)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(STR("Oak Primary")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    assert_ok(store_begin(at->store.store, STR(""), STORE_WRITE));
    assert_ok(store_run(at->store.store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
    assert_ok(store_commit(at->store.store));
}

static inline void school_open(struct school *at)
{
    struct buf why;
    buf_init(&why, 1024);
    *at = (struct school){.id = STR("oak"), .now_ms = (int64_t)SCHOOL_DAY * MS_PER_DAY};
    arena_init(&at->arena, SCHOOL_ARENA);
    test_store_open(&at->store);
    assert_ok(keys_open(at->store.folder, &at->keys, &why));
    at->engine = (struct engine){.store = at->store.store, .keys = at->keys};
    school_found(at, "oak");
    buf_fini(&why);
}

static inline void school_close(struct school *at)
{
    keys_close(at->keys);
    test_store_close(&at->store);
    arena_fini(&at->arena);
}

/* JSON from a text with ' for ". */
static inline json_t *school_json(const char *format, ...) PRINTF_LIKE(1, 2);
static inline json_t *school_json(const char *format, ...)
{
    char text[SCHOOL_TEXT];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_true(n >= 0 && n < (int)sizeof(text));
    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    json_t *json = json_loads(text, 0, NULL);
    if (json == NULL) {
        fail_msg("not JSON: %s", text);
    }
    return json;
}

static inline const struct register_def *school_register(const char *name)
{
    const struct register_def *def = register_find(str_from(name));
    assert_non_null(def);
    return def;
}

static inline struct str school_id(const struct record_id *id)
{
    return str_make(id->text, RECORD_ID_CHARS);
}

static inline void school_fail_faults(enum err err, json_t *faults)
{
    if (err != ERR_OK) {
        char *text = faults != NULL ? json_dumps(faults, 0) : NULL;
        fail_msg("ERR_%s: %s", err_name(err), text != NULL ? text : "");
    }
}

/* Makes a record on behalf of an actor; takes input over. */
static inline struct record_id school_make(struct school *at, const struct actor *actor,
                                           const char *name, json_t *input)
{
    struct record_id id;
    json_t *faults = NULL;
    school_fail_faults(engine_make(&at->engine, actor, school_register(name), input, &id, &faults),
                       faults);
    json_decref(input);
    return id;
}

/* The same by the operator. */
static inline struct record_id school_add(struct school *at, const char *name, json_t *input)
{
    const struct actor operator= school_operator(at);
    return school_make(at, &operator, name, input);
}

static inline struct actor school_actor(struct school *at, struct record_id person)
{
    struct actor actor = {.school = at->id, .now_ms = at->now_ms, .today = SCHOOL_DAY};
    assert_ok(store_begin(at->store.store, at->id, STORE_READ));
    assert_ok(actor_load(at->store.store, &at->arena, school_id(&person), &actor));
    assert_ok(store_commit(at->store.store));
    return actor;
}

static inline void school_give_role(struct school *at, struct record_id person, const char *role)
{
    (void)school_add(
        at, "post",
        school_json("{'person': '%s', 'role': '%s', 'from': '2020-09-01'}", person.text, role));
}

static inline struct record_id school_somebody(struct school *at, const char *name,
                                               const char *kind)
{
    return school_add(at, "person", school_json("{'name': '%s', 'kind': '%s'}", name, kind));
}

/* A person who holds a role (NULL: none), as an actor. */
static inline struct actor school_person(struct school *at, const char *name, const char *kind,
                                         const char *role)
{
    struct record_id id = school_somebody(at, name, kind);
    if (role != NULL) {
        school_give_role(at, id, role);
    }
    return school_actor(at, id);
}

static inline json_t *school_get(struct school *at, const struct actor *actor, const char *name,
                                 struct record_id id)
{
    json_t *record = NULL;
    assert_ok(engine_get(&at->engine, actor, school_register(name), school_id(&id), &record));
    return record;
}

/* A member of an object by its path: "fields.name". */
static inline const json_t *school_at(const json_t *json, const char *path)
{
    struct str rest = str_from(path);
    while (rest.len != 0 && json != NULL) {
        struct str name;
        (void)str_cut(rest, '.', &name, &rest);
        json = json_object_getn(json, name.p, name.len);
    }
    return json;
}

static inline struct str school_text(const json_t *json, const char *path)
{
    const json_t *at = school_at(json, path);
    return str_make(json_string_value(at), json_string_length(at));
}

#endif

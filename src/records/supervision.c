/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class log-ons: what runs, and what could. */
#include <string.h>

#include "policy/place.h"
#include "records/account_impl.h"
#include "records/supervision_impl.h"

enum { WHY_MAX = 64 * 1024, ARENA_BYTES = 256 * 1024, POSTS_MAX = 32 };

/* ---- permission ---- */

static enum scope scope_of(const struct actor *actor, enum verb verb)
{
    return permit_widest(actor->roles, AREA_supervision, verb);
}

static bool reaches(const struct actor *actor, enum verb verb, bool taught)
{
    enum scope scope = scope_of(actor, verb);
    return scope >= SCOPE_SCHOOL || (scope == SCOPE_CLASS && taught);
}

/* The sealed credential and the operator are nobody whom an event could name. */
bool supervision_may_start(const struct actor *actor, bool taught)
{
    return actor->person.len != 0 && actor->account.len != 0 && reaches(actor, VERB_make, taught);
}

bool supervision_may_end(const struct actor *actor, const struct supervision_running *running)
{
    return running->mine || reaches(actor, VERB_change, running->taught);
}

/* ---- words ---- */

struct str supervision_clock(int64_t ms, char to[CIVIL_TEXT_MAX])
{
    struct str text = str_make(to, clock_british_print(ms, to));
    size_t at = str_index(text, ',');
    return str_trim(str_skip(text, at < text.len ? at + 1 : 0));
}

static json_t *moment(int64_t ms)
{
    char at[CIVIL_TEXT_MAX];
    char clock[CIVIL_TEXT_MAX];
    (void)civil_print_utc(ms, at);
    struct str text = supervision_clock(ms, clock);
    return json_pack("{s:s, s:s%}", "at", at, "text", text.p, text.len);
}

static json_t *text_of(struct str text)
{
    return json_stringn(text.len != 0 ? text.p : "", text.len);
}

static void put(json_t *object, const char *name, struct str text)
{
    (void)json_object_set_new(object, name, text_of(text));
}

static void put_named(json_t *object, const char *name, struct str id, struct str text)
{
    (void)json_object_set_new(object, name,
                              json_pack("{s:o, s:o}", "id", text_of(id), "name", text_of(text)));
}

/* ---- the policy ---- */

enum err supervision_policy(struct engine *engine, const struct actor *actor,
                            struct policy **ret_policy)
{
    const struct store_value school = store_text(actor->school);
    struct store_rows *rows;
    struct buf why;
    enum err err;
    ERR_TRY(store_query(engine->store, STATEMENT_POLICY_LAST, &school, 1, &rows));
    if (store_rows_next(rows, &err)) {
        buf_init(&why, WHY_MAX);
        err = policy_parse(store_rows_bytes(rows, 1), ret_policy, &why);
        buf_fini(&why);
    } else if (err == ERR_OK) {
        err = ERR_NOT_FOUND;
    }
    store_rows_free(rows);
    return err;
}

/* The group of the policy that the actor has by a membership: the one that began last. */
static enum err network_group(struct engine *engine, const struct actor *actor,
                              const struct policy *policy, bool *ret_any, unsigned *ret_group)
{
    char day[DAY_TEXT_MAX];
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(day_print(actor->today, day))};
    struct store_rows *rows;
    enum err err;
    *ret_any = false;
    ERR_TRY(store_query(engine->store, STATEMENT_SUPERVISION_NETWORK, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        if (policy_group_find(policy, store_rows_bytes(rows, 0), ret_group) == ERR_OK) {
            *ret_any = true;
        }
    }
    store_rows_free(rows);
    return err;
}

static enum err place(struct engine *engine, const struct actor *actor, const struct policy *policy,
                      struct arena *arena, unsigned *ret_group)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person)};
    struct store_value columns[3];
    struct str roles[ROLE_COUNT];
    struct policy_member member = {.roles = roles};
    ERR_TRY(store_row(engine->store, STATEMENT_ACTOR_PERSON, values, 2, arena, columns, 3));
    member.kind = columns[1].bytes;
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if (actor_has(actor, (enum role)role) && role != ROLE_pupil && role != ROLE_parent) {
            roles[member.n_roles++] = role_name((enum role)role);
        }
    }
    return policy_place(policy, &member, ret_group);
}

enum err supervision_is_adult(struct engine *engine, const struct actor *actor,
                              const struct policy *policy, bool *ret_adult)
{
    struct arena arena;
    unsigned group = 0;
    bool any;
    enum err err = ERR_OK;
    ERR_TRY(network_group(engine, actor, policy, &any, &group));
    if (!any) {
        arena_init(&arena, ARENA_BYTES);
        err = place(engine, actor, policy, &arena, &group);
        arena_fini(&arena);
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    *ret_adult = err == ERR_OK && policy_group_is_adult(policy, group);
    return ERR_OK;
}

/* ---- what runs ---- */

enum err supervision_each(struct engine *engine, const struct actor *actor, void *context,
                          void (*take)(void *context, const struct supervision_running *running))
{
    char day[DAY_TEXT_MAX];
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(day_print(actor->today, day)),
                                         store_number(actor->now_ms)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(engine->store, STATEMENT_SUPERVISION_RUNNING, values, 4, &rows));
    while (store_rows_next(rows, &err)) {
        const struct supervision_running running = {
            .id = store_rows_bytes(rows, 0),
            .group = store_rows_bytes(rows, 1),
            .group_name = store_rows_bytes(rows, 2),
            .person = store_rows_bytes(rows, 3),
            .name = store_rows_bytes(rows, 4),
            .made_ms = store_rows_number(rows, 5),
            .until_ms = store_rows_number(rows, 6),
            .taught = store_rows_number(rows, 7) != 0,
            .mine = actor->person.len != 0 && str_eq(store_rows_bytes(rows, 3), actor->person),
        };
        if (running.mine || reaches(actor, VERB_see, running.taught)) {
            take(context, &running);
        }
    }
    store_rows_free(rows);
    return err;
}

struct finding {
    struct arena *arena;
    struct str id;
    struct supervision_running *found;
    bool any;
};

static void find_one(void *context, const struct supervision_running *running)
{
    struct finding *finding = context;
    if (!str_eq(running->id, finding->id)) {
        return;
    }
    *finding->found = *running;
    finding->found->id = arena_dup(finding->arena, running->id);
    finding->found->group = arena_dup(finding->arena, running->group);
    finding->found->group_name = arena_dup(finding->arena, running->group_name);
    finding->found->person = arena_dup(finding->arena, running->person);
    finding->found->name = arena_dup(finding->arena, running->name);
    finding->any = true;
}

enum err supervision_get(struct engine *engine, struct arena *arena, const struct actor *actor,
                         struct str id, struct supervision_running *ret_running)
{
    struct finding finding = {.arena = arena, .id = id, .found = ret_running};
    ERR_TRY(supervision_each(engine, actor, &finding, find_one));
    return arena->failed ? ERR_MEMORY : finding.any ? ERR_OK : ERR_NOT_FOUND;
}

/* ---- the page ---- */

struct showing {
    struct engine *engine;
    const struct actor *actor;
    json_t *running;
    json_t *classes;
};

static json_t *device_of(const struct store_rows *rows)
{
    static const char *const names[] = {"id", "tag", "kind", "room"};
    json_t *device = json_object();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        put(device, names[i], store_rows_bytes(rows, i));
    }
    return device;
}

static void show_running(void *context, const struct supervision_running *running)
{
    const struct showing *showing = context;
    const struct actor *actor = showing->actor;
    json_t *item = json_object();
    bool take_over = !running->mine && supervision_may_start(actor, running->taught);
    put(item, "id", running->id);
    put_named(item, "class", running->group, running->group_name);
    put_named(item, "by", running->person, running->name);
    json_object_set_new(item, "mine", json_boolean(running->mine));
    json_object_set_new(item, "began", moment(running->made_ms));
    json_object_set_new(item, "until", moment(running->until_ms));
    json_object_set_new(item, "may",
                        json_pack("{s:b, s:b, s:b}", "end",
                                  supervision_may_end(actor, running) ? 1 : 0, "prolong",
                                  running->mine ? 1 : 0, "take_over", take_over ? 1 : 0));
    json_array_append_new(showing->running, item);
}

/* Behind the rows of what runs: one statement has one set of rows open. */
static enum err add_devices_of(const struct showing *showing, json_t *item)
{
    const json_t *id = json_object_get(item, "id");
    const struct store_value values[] = {
        store_text(showing->actor->school),
        store_text(str_make(json_string_value(id), json_string_length(id)))};
    json_t *devices = json_array();
    struct store_rows *rows;
    enum err err;
    json_object_set_new(item, "devices", devices);
    ERR_TRY(
        store_query(showing->engine->store, STATEMENT_SUPERVISION_DEVICES_OF, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        json_array_append_new(devices, device_of(rows));
    }
    store_rows_free(rows);
    return err;
}

static enum err show_classes(const struct showing *showing)
{
    char day[DAY_TEXT_MAX];
    const struct actor *actor = showing->actor;
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(day_print(actor->today, day))};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(showing->engine->store, STATEMENT_SUPERVISION_CLASSES, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        if (supervision_may_start(actor, store_rows_number(rows, 3) != 0)) {
            json_t *item = json_object();
            put(item, "id", store_rows_bytes(rows, 0));
            put(item, "name", store_rows_bytes(rows, 1));
            json_object_set_new(item, "taught", json_boolean(store_rows_number(rows, 3) != 0));
            json_array_append_new(showing->classes, item);
        }
    }
    store_rows_free(rows);
    return err;
}

static json_t *with_of(const struct store_rows *rows, const struct actor *actor)
{
    if (store_rows_bytes(rows, 4).len == 0) {
        return json_null();
    }
    json_t *with = json_object();
    put(with, "name", store_rows_bytes(rows, 6));
    json_object_set_new(with, "mine",
                        json_boolean(str_eq(store_rows_bytes(rows, 5), actor->person)));
    json_object_set_new(with, "until", moment(store_rows_number(rows, 7)));
    return with;
}

static enum err add_devices(const struct showing *showing, json_t *item)
{
    const json_t *id = json_object_get(item, "id");
    const struct store_value values[] = {
        store_text(showing->actor->school),
        store_text(str_make(json_string_value(id), json_string_length(id))),
        store_number(showing->actor->now_ms)};
    json_t *devices = json_array();
    struct store_rows *rows;
    json_int_t n_free = 0;
    enum err err;
    json_object_set_new(item, "devices", devices);
    ERR_TRY(store_query(showing->engine->store, STATEMENT_SUPERVISION_DEVICES, values, 3, &rows));
    while (store_rows_next(rows, &err) && json_array_size(devices) < SUPERVISION_DEVICES_MAX) {
        json_t *device = device_of(rows);
        json_t *with = with_of(rows, showing->actor);
        n_free += json_is_null(with) ? 1 : 0;
        json_object_set_new(device, "with", with);
        json_array_append_new(devices, device);
    }
    store_rows_free(rows);
    json_object_set_new(item, "free", json_integer(n_free));
    return err;
}

static enum err show_all(const struct showing *showing)
{
    json_t *item;
    size_t i;
    ERR_TRY(supervision_each(showing->engine, showing->actor, (void *)(uintptr_t)showing,
                             show_running));
    json_array_foreach(showing->running, i, item)
    {
        ERR_TRY(add_devices_of(showing, item));
    }
    ERR_TRY(show_classes(showing));
    json_array_foreach(showing->classes, i, item)
    {
        ERR_TRY(add_devices(showing, item));
    }
    return ERR_OK;
}

static enum err show_ends(struct engine *engine, const struct actor *actor, json_t *document)
{
    struct policy *policy = NULL;
    struct supervision_ends ends = {0};
    json_t *list = json_array();
    json_object_set_new(document, "ends", list);
    enum err err = supervision_policy(engine, actor, &policy);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    supervision_ends(policy, actor->now_ms, &ends);
    for (size_t i = 0; i < ends.n; i++) {
        json_t *end = moment(ends.choices[i].ms);
        json_object_set(end, "value", json_object_get(end, "at"));
        json_object_del(end, "at");
        put(end, "lesson", ends.choices[i].lesson);
        json_array_append_new(list, end);
        if (i == ends.usual) {
            json_object_set(document, "usual", json_object_get(end, "value"));
        }
    }
    json_object_set_new(document, "outside", json_boolean(ends.outside));
    policy_free(policy);
    return ERR_OK;
}

enum err supervision_show(struct engine *engine, const struct actor *actor, bool brief,
                          json_t **ret_document)
{
    if (scope_of(actor, VERB_see) == SCOPE_NONE) {
        return ERR_DENIED;
    }
    struct showing showing = {
        .engine = engine, .actor = actor, .running = json_array(), .classes = json_array()};
    json_t *document =
        json_pack("{s:o, s:o}", "running", showing.running, "classes", showing.classes);
    if (document == NULL) {
        return ERR_MEMORY;
    }
    enum err err = store_begin(engine->store, actor->school, STORE_READ);
    if (err == ERR_OK) {
        err = show_all(&showing);
        if (err == ERR_OK && !brief) {
            err = show_ends(engine, actor, document);
        }
        err = account_finish(engine->store, err);
    }
    if (err != ERR_OK) {
        json_decref(document);
        return err;
    }
    *ret_document = document;
    return ERR_OK;
}

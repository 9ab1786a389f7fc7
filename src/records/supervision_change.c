/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Class log-ons: beginning, prolonging, taking over, ending. */
#include <string.h>

#include "records/account_impl.h"
#include "records/supervision_impl.h"
#include "store/attempt.h"

enum { ARENA_BYTES = 1024 * 1024, WORDS_MAX = 120, KEPT_DAYS = 30, ENDED_MAX = 100 };

/* One change; the transaction is open. */
struct changing {
    struct engine *engine;
    const struct actor *actor;
    struct arena *arena;
    struct supervision_fault *fault;
};

static enum err fault(const struct changing *changing, const char *field, const char *why)
{
    *changing->fault = (struct supervision_fault){field, why};
    return ERR_INVALID;
}

static enum err run(const struct changing *changing, enum store_statement statement,
                    const struct store_value *values, size_t n)
{
    return store_run(changing->engine->store, statement, values, n, NULL);
}

static enum err note(struct engine *engine, const struct actor *actor, enum act act, struct str id,
                     struct str person, struct str words)
{
    const struct act_entry entry = {
        .act = act, .area = STR("supervision"), .record = id, .about = person, .words = words};
    return audit_append(engine->store, engine->keys, actor, &entry, NULL);
}

/* "12 devices until 10:30am"; n 0: "until 10:30am". */
static struct str words_of(size_t n, int64_t until_ms, char to[WORDS_MAX])
{
    char clock[CIVIL_TEXT_MAX];
    struct str until = supervision_clock(until_ms, clock);
    int len = n == 0 ? snprintf(to, WORDS_MAX, "until %.*s", STR_ARG(until))
                     : snprintf(to, WORDS_MAX, "%zu %s until %.*s", n,
                                n == 1 ? "device" : "devices", STR_ARG(until));
    return str_make(to, len > 0 && len < WORDS_MAX ? (size_t)len : 0);
}

/* ---- ending ---- */

static enum err end_one(struct engine *engine, const struct actor *actor, struct str id,
                        struct str person, struct str why)
{
    const struct store_value values[] = {store_text(actor->school), store_text(id),
                                         store_number(actor->now_ms), store_text(actor->person),
                                         store_text(why)};
    ERR_TRY(store_run(engine->store, STATEMENT_SUPERVISION_RELEASE, values, 3, NULL));
    ERR_TRY(store_run(engine->store, STATEMENT_SUPERVISION_END, values, 5, NULL));
    return note(engine, actor, ACT_ended, id, person, why);
}

/* Ends what a statement finds: ids first, since each end writes. */
static enum err end_found(struct engine *engine, const struct actor *actor,
                          enum store_statement statement, const struct store_value *values,
                          size_t n_values, struct str why)
{
    struct found {
        struct str id, person;
    } found[ENDED_MAX];
    struct arena arena;
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    ERR_TRY(store_query(engine->store, statement, values, n_values, &rows));
    arena_init(&arena, ARENA_BYTES);
    while (store_rows_next(rows, &err) && n < ENDED_MAX) {
        found[n++] = (struct found){arena_dup(&arena, store_rows_bytes(rows, 0)),
                                    arena_dup(&arena, store_rows_bytes(rows, 1))};
    }
    store_rows_free(rows);
    err = err == ERR_OK && arena.failed ? ERR_MEMORY : err;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = end_one(engine, actor, found[i].id, found[i].person, why);
    }
    arena_fini(&arena);
    return err;
}

enum err supervision_end_person(struct engine *engine, const struct actor *actor, struct str person,
                                struct str why)
{
    const struct store_value values[] = {store_text(actor->school), store_text(person),
                                         store_number(actor->now_ms)};
    return person.len != 0 ? end_found(engine, actor, STATEMENT_SUPERVISION_OF, values, 3, why)
                           : ERR_OK;
}

static enum err end(const struct changing *changing, struct str id)
{
    struct supervision_running running;
    ERR_TRY(supervision_get(changing->engine, changing->arena, changing->actor, id, &running));
    if (!supervision_may_end(changing->actor, &running)) {
        return ERR_DENIED;
    }
    return end_one(changing->engine, changing->actor, running.id, running.person,
                   running.mine ? STR("by the adult beside it") : STR("by somebody else"));
}

/* ---- beginning ---- */

static enum err get_class(const struct changing *changing, struct str id,
                          struct supervision_class *ret_class)
{
    char day[DAY_TEXT_MAX];
    const struct actor *actor = changing->actor;
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(day_print(actor->today, day)), store_text(id)};
    struct store_value columns[4];
    ERR_TRY(store_row(changing->engine->store, STATEMENT_SUPERVISION_CLASS_GET, values, 4,
                      changing->arena, columns, 4));
    *ret_class = (struct supervision_class){.id = columns[0].bytes,
                                            .name = columns[1].bytes,
                                            .policy_group = columns[2].bytes,
                                            .taught = columns[3].number != 0};
    return supervision_may_start(actor, ret_class->taught) ? ERR_OK : ERR_NOT_FOUND;
}

/* What the gate would not take is said here, not by computers that stay closed. */
static enum err check_policy(const struct changing *changing, const struct supervision_class *class,
                             const struct policy *policy)
{
    unsigned group;
    bool adult;
    if (policy_group_find(policy, class->policy_group, &group) != ERR_OK ||
        policy_group_is_adult(policy, group)) {
        return fault(changing, "class",
                     "This class has no group of pupils in the policy yet, so its computers would "
                     "stay closed. Ask the technician to write it into the class’s record, as its "
                     "name in the policy.");
    }
    ERR_TRY(supervision_is_adult(changing->engine, changing->actor, policy, &adult));
    return adult ? ERR_OK
                 : fault(changing, "class",
                         "The policy does not count you among the school’s adults today, so the "
                         "computers would stay closed. Ask the technician.");
}

static enum err check_until(const struct changing *changing, const struct policy *policy,
                            int64_t until_ms)
{
    struct supervision_ends ends;
    supervision_ends(policy, changing->actor->now_ms, &ends);
    if (until_ms <= changing->actor->now_ms) {
        return fault(changing, "until", "Choose when it ends. That time has passed.");
    }
    if (until_ms <= ends.last_ms) {
        return ERR_OK;
    }
    return fault(changing, "until",
                 ends.outside ? "Choose an end within the next hour: school is over for today, and "
                                "you can add time later."
                              : "Choose an end within the next three hours and not behind the end "
                                "of the school day. You can add time later.");
}

static enum err check(const struct changing *changing, const struct supervision_class *class,
                      int64_t until_ms)
{
    struct policy *policy = NULL;
    enum err err = supervision_policy(changing->engine, changing->actor, &policy);
    if (err == ERR_NOT_FOUND) {
        return fault(changing, "class", "The school has no policy yet. Ask the technician.");
    }
    ERR_TRY(err);
    err = check_policy(changing, class, policy);
    if (err == ERR_OK) {
        err = check_until(changing, policy, until_ms);
    }
    policy_free(policy);
    return err;
}

static bool is_wanted(const struct supervision_new *wish, struct str device, bool held)
{
    for (size_t i = 0; i < wish->n_devices && !wish->all; i++) {
        if (str_eq(wish->devices[i], device)) {
            return true;
        }
    }
    return wish->all && !held;
}

/* Those of the class's devices that are wanted. */
static enum err choose(const struct changing *changing, const struct supervision_new *wish,
                       struct str *devices, size_t *ret_n)
{
    const struct store_value values[] = {store_text(changing->actor->school),
                                         store_text(wish->group),
                                         store_number(changing->actor->now_ms)};
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    ERR_TRY(store_query(changing->engine->store, STATEMENT_SUPERVISION_DEVICES, values, 3, &rows));
    while (store_rows_next(rows, &err) && n < SUPERVISION_DEVICES_MAX) {
        bool held = store_rows_bytes(rows, 4).len != 0 &&
                    !str_eq(store_rows_bytes(rows, 5), changing->actor->person);
        if (is_wanted(wish, store_rows_bytes(rows, 0), held)) {
            devices[n++] = arena_dup(changing->arena, store_rows_bytes(rows, 0));
        }
    }
    store_rows_free(rows);
    ERR_TRY(err);
    *ret_n = n;
    return changing->arena->failed ? ERR_MEMORY : ERR_OK;
}

/* Others tell nobody anything after a month; the acts stay. */
static enum err sweep(const struct changing *changing)
{
    const struct store_value values[] = {
        store_text(changing->actor->school),
        store_number(changing->actor->now_ms - KEPT_DAYS * (int64_t)MS_PER_DAY)};
    ERR_TRY(run(changing, STATEMENT_SUPERVISION_SWEEP_DEVICES, values, 2));
    return run(changing, STATEMENT_SUPERVISION_SWEEP, values, 2);
}

static enum err add_devices(const struct changing *changing, struct str id,
                            const struct str *devices, size_t n)
{
    const struct actor *actor = changing->actor;
    for (size_t i = 0; i < n; i++) {
        const struct store_value release[] = {store_text(actor->school), store_text(devices[i]),
                                              store_number(actor->now_ms)};
        const struct store_value add[] = {store_text(actor->school), store_text(id),
                                          store_text(devices[i])};
        ERR_TRY(run(changing, STATEMENT_SUPERVISION_DEVICE_RELEASE, release, 3));
        ERR_TRY(run(changing, STATEMENT_SUPERVISION_DEVICE_ADD, add, 3));
    }
    const struct store_value empty[] = {store_text(actor->school), store_number(actor->now_ms)};
    return end_found(changing->engine, actor, STATEMENT_SUPERVISION_EMPTIED, empty, 2,
                     STR("its devices went over to another"));
}

static enum err add(const struct changing *changing, const struct supervision_new *wish,
                    const struct str *devices, size_t n, struct record_id *id)
{
    const struct actor *actor = changing->actor;
    char words[WORDS_MAX];
    record_id_make(id);
    const struct store_value values[] = {
        store_text(actor->school),   store_text(str_from(id->text)), store_text(wish->group),
        store_text(actor->person),   store_text(actor->account),     store_number(actor->now_ms),
        store_number(wish->until_ms)};
    ERR_TRY(sweep(changing));
    ERR_TRY(run(changing, STATEMENT_SUPERVISION_ADD, values, 7));
    ERR_TRY(add_devices(changing, str_from(id->text), devices, n));
    return note(changing->engine, actor, ACT_started, str_from(id->text), actor->person,
                words_of(n, wish->until_ms, words));
}

static enum err start(const struct changing *changing, const struct supervision_new *wish,
                      struct record_id *ret_id)
{
    struct supervision_class class;
    struct str *devices = arena_array(changing->arena, SUPERVISION_DEVICES_MAX, sizeof(*devices));
    size_t n = 0;
    if (devices == NULL) {
        return ERR_MEMORY;
    }
    if (wish->group.len == 0) {
        return fault(changing, "class", "Choose a class.");
    }
    ERR_TRY(get_class(changing, wish->group, &class));
    ERR_TRY(check(changing, &class, wish->until_ms));
    ERR_TRY(choose(changing, wish, devices, &n));
    if (n == 0) {
        return fault(changing, "devices",
                     wish->all ? "All computers of this class are with another adult. Choose those "
                                 "that you take over."
                               : "Choose at least one computer.");
    }
    return add(changing, wish, devices, n, ret_id);
}

/* ---- what runs already ---- */

static enum err prolong(const struct changing *changing, struct str id, int64_t until_ms)
{
    struct supervision_running running;
    struct supervision_class class;
    char words[WORDS_MAX];
    ERR_TRY(supervision_get(changing->engine, changing->arena, changing->actor, id, &running));
    if (!running.mine) {
        return ERR_DENIED;
    }
    ERR_TRY(get_class(changing, running.group, &class));
    ERR_TRY(check(changing, &class, until_ms));
    const struct store_value values[] = {store_text(changing->actor->school), store_text(id),
                                         store_number(until_ms)};
    ERR_TRY(run(changing, STATEMENT_SUPERVISION_UNTIL, values, 3));
    return note(changing->engine, changing->actor, ACT_changed, id, running.person,
                words_of(0, until_ms, words));
}

static enum err devices_of(const struct changing *changing, struct str id, struct str *devices,
                           size_t *ret_n)
{
    const struct store_value values[] = {store_text(changing->actor->school), store_text(id)};
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    ERR_TRY(
        store_query(changing->engine->store, STATEMENT_SUPERVISION_DEVICES_OF, values, 2, &rows));
    while (store_rows_next(rows, &err) && n < SUPERVISION_DEVICES_MAX) {
        devices[n++] = arena_dup(changing->arena, store_rows_bytes(rows, 0));
    }
    store_rows_free(rows);
    *ret_n = n;
    return err;
}

static enum err take_over(const struct changing *changing, struct str id, struct record_id *ret_id)
{
    struct supervision_running running;
    struct str *devices = arena_array(changing->arena, SUPERVISION_DEVICES_MAX, sizeof(*devices));
    struct supervision_new wish = {.devices = devices};
    if (devices == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(supervision_get(changing->engine, changing->arena, changing->actor, id, &running));
    if (running.mine || !supervision_may_start(changing->actor, running.taught)) {
        return ERR_DENIED;
    }
    ERR_TRY(devices_of(changing, id, devices, &wish.n_devices));
    wish.group = running.group;
    wish.until_ms = running.until_ms;
    return start(changing, &wish, ret_id);
}

/* ---- one transaction each ---- */

struct request {
    enum { START, PROLONG, TAKE_OVER, END } what;
    const struct supervision_new *wish;
    struct str id;
    int64_t until_ms;
};

static enum err step(const struct changing *changing, const struct request *request,
                     struct record_id *ret_id)
{
    switch (request->what) {
    case START:
        return start(changing, request->wish, ret_id);
    case PROLONG:
        return prolong(changing, request->id, request->until_ms);
    case TAKE_OVER:
        return take_over(changing, request->id, ret_id);
    case END:
        break;
    }
    return end(changing, request->id);
}

static enum err change(struct engine *engine, const struct actor *actor,
                       const struct request *request, struct record_id *ret_id,
                       struct supervision_fault *ret_fault)
{
    struct arena arena;
    struct supervision_fault none;
    const struct changing changing = {engine, actor, &arena, ret_fault != NULL ? ret_fault : &none};
    if (permit_widest(actor->roles, AREA_supervision,
                      request->what == START ? VERB_make : VERB_see) == SCOPE_NONE) {
        return ERR_DENIED;
    }
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, step(&changing, request, ret_id));
    }
    arena_fini(&arena);
    return attempt.err;
}

enum err supervision_start(struct engine *engine, const struct actor *actor,
                           const struct supervision_new *wish, struct record_id *ret_id,
                           struct supervision_fault *ret_fault)
{
    const struct request request = {.what = START, .wish = wish};
    return change(engine, actor, &request, ret_id, ret_fault);
}

enum err supervision_prolong(struct engine *engine, const struct actor *actor, struct str id,
                             int64_t until_ms, struct supervision_fault *ret_fault)
{
    const struct request request = {.what = PROLONG, .id = id, .until_ms = until_ms};
    return change(engine, actor, &request, NULL, ret_fault);
}

enum err supervision_take_over(struct engine *engine, const struct actor *actor, struct str id,
                               struct record_id *ret_id, struct supervision_fault *ret_fault)
{
    const struct request request = {.what = TAKE_OVER, .id = id};
    return change(engine, actor, &request, ret_id, ret_fault);
}

enum err supervision_end(struct engine *engine, const struct actor *actor, struct str id)
{
    const struct request request = {.what = END, .id = id};
    return change(engine, actor, &request, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first run, as one transaction held over those of the parts. */
#include "records/first_run.h"

#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "records/account.h"
#include "records/school_policy.h"
#include "store/attempt.h"

enum { POLICY_WHY_MAX = 4096 };

struct first_maker {
    struct engine *engine;
    struct actor operator;
    struct first_run_fault *fault;
};

static enum err no_school(struct store *store, bool *ret_none)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows));
    bool some = store_rows_next(rows, &err);
    store_rows_free(rows);
    if (err == ERR_OK) {
        *ret_none = !some;
    }
    return err;
}

enum err first_run_is_open(struct store *store, bool *ret_open)
{
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    enum err err = no_school(store, ret_open);
    if (err == ERR_OK) {
        return store_commit(store);
    }
    store_rollback(store);
    return err;
}

static enum err put_school(struct first_maker *maker, const struct first_run *first)
{
    struct store *store = maker->engine->store;
    struct buf why;
    const struct store_value values[] = {store_text(maker->operator.school),
                                         store_text(first->name), store_text(first->kind),
                                         store_text(first->urn), store_number(first->now_ms)};
    bool none = false;
    buf_init(&why, POLICY_WHY_MAX);
    enum err err = no_school(store, &none);
    if (err == ERR_OK) {
        err = none ? store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL) : ERR_CONFLICT;
    }
    if (err == ERR_OK && first->policy.len != 0) {
        err = school_policy_keep_first(maker->engine, &maker->operator, first->policy,
                                       STR("The preset chosen at the first run"), &why);
    }
    buf_fini(&why);
    return err;
}

static enum err add_school(struct first_maker *maker, const struct first_run *first)
{
    struct store_attempt attempt =
        store_attempt(maker->engine->store, maker->operator.school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, put_school(maker, first));
    }
    return attempt.err;
}

/* Takes the faults over. */
static enum err make_record(struct first_maker *maker, const char *name, json_t *fields,
                            struct record_id *ret_id)
{
    json_t *faults = NULL;
    if (fields == NULL) {
        return ERR_MEMORY;
    }
    enum err err = engine_make(maker->engine, &maker->operator, register_find(str_from(name)),
                               fields, ret_id, &faults);
    const char *why = json_string_value(json_object_get(faults, "name"));
    if (err == ERR_INVALID && why != NULL) {
        maker->fault->field = "name";
        snprintf(maker->fault->why, sizeof(maker->fault->why), "%s", why);
    }
    json_decref(fields);
    json_decref(faults);
    return err;
}

static enum err make_account(struct first_maker *maker, const struct first_run_person *who,
                             const struct record_id *person, bool one_time,
                             struct record_id *ret_account)
{
    struct account_fault fault = {NULL, ""};
    const struct account_new fresh = {.person = str_from(person->text),
                                      .log_on = who->log_on,
                                      .hash = who->hash,
                                      .must_change = one_time};
    enum err err = account_make(maker->engine, &maker->operator, & fresh, ret_account, &fault);
    if (err == ERR_INVALID) {
        maker->fault->field = fault.field;
        snprintf(maker->fault->why, sizeof(maker->fault->why), "%s", fault.why);
    }
    return err;
}

static enum err make_person(struct first_maker *maker, const struct first_run_person *who,
                            const char *role, struct record_id *ret_person,
                            struct record_id *ret_account)
{
    char day[DAY_TEXT_MAX];
    struct record_id post;
    struct str today = day_print(maker->operator.today, day);
    bool technician = str_eq(str_from(role), STR("technician"));
    maker->fault->technician = technician;
    ERR_TRY(make_record(
        maker, "person",
        json_pack("{s:s%, s:s}", "name", who->name.p, who->name.len, "kind", "staff"), ret_person));
    ERR_TRY(make_record(maker, "post",
                        json_pack("{s:s, s:s, s:s%}", "person", ret_person->text, "role", role,
                                  "from", today.p, today.len),
                        &post));
    return make_account(maker, who, ret_person, technician, ret_account);
}

static enum err make_all(struct first_maker *maker, const struct first_run *first,
                         struct first_run_made *made)
{
    struct record_id technician;
    struct record_id account;
    ERR_TRY(add_school(maker, first));
    ERR_TRY(make_person(maker, &first->head, "head", &made->head, &made->head_account));
    return make_person(maker, &first->technician, "technician", &technician, &account);
}

enum err first_run_make(struct engine *engine, const struct first_run *first,
                        struct first_run_made *ret_made, struct first_run_fault *ret_fault)
{
    struct first_maker maker = {.engine = engine, .fault = ret_fault};
    *ret_fault = (struct first_run_fault){.field = NULL};
    record_id_make(&ret_made->school);
    maker.operator=(struct actor){.school = str_from(ret_made->school.text),
                                  .operator= true,
                                  .now_ms = first->now_ms,
                                  .today = clock_british_day(first->now_ms)};
    struct store_attempt attempt = store_attempt_hold(engine->store);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, make_all(&maker, first, ret_made));
    }
    return attempt.err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's transactions, and one record: what it holds for whoever asks, and its versions. */
#include "records/engine.h"

#include "records/engine_impl.h"
#include "store/attempt.h"

enum { HISTORY_MAX = 200 };

/* ---- transactions ---- */

static enum err run(struct engine *engine, const struct actor *actor,
                    const struct register_def *def, enum store_mode mode, work_step *step,
                    void *context, json_t **ret_faults)
{
    struct work work = {.engine = engine, .actor = actor, .def = def};
    struct store_attempt attempt = store_attempt(engine->store, actor->school, mode);
    arena_init(&work.arena, ENGINE_ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        json_decref(work.faults);
        work.faults = NULL;
        arena_reset(&work.arena);
        store_attempt_end(&attempt, step(&work, context));
    }
    if (attempt.err == ERR_INVALID && ret_faults != NULL && work.faults != NULL) {
        *ret_faults = work.faults;
        work.faults = NULL;
    }
    json_decref(work.faults);
    arena_fini(&work.arena);
    return attempt.err;
}

enum err work_read(struct engine *engine, const struct actor *actor, const struct register_def *def,
                   work_step *step, void *context)
{
    return run(engine, actor, def, STORE_READ, step, context, NULL);
}

enum err work_write(struct engine *engine, const struct actor *actor,
                    const struct register_def *def, work_step *step, void *context,
                    json_t **ret_faults)
{
    return run(engine, actor, def, STORE_WRITE, step, context, ret_faults);
}

enum err work_fault(struct work *work, struct str name, struct str sentence)
{
    if (work->faults == NULL) {
        work->faults = json_object();
    }
    if (work->faults == NULL) {
        return ERR_MEMORY;
    }
    if (json_object_getn(work->faults, name.p, name.len) != NULL) {
        return ERR_INVALID;
    }
    return json_put(work->faults, name, json_of(sentence)) ? ERR_INVALID : ERR_MEMORY;
}

bool json_put(json_t *object, struct str name, json_t *value)
{
    return json_object_setn_new(object, name.p != NULL ? name.p : "", name.len, value) == 0;
}

json_t *json_of(struct str text)
{
    return json_stringn(text.p != NULL ? text.p : "", text.len);
}

/* ---- one record ---- */

struct asked {
    struct str id;
    json_t *answer;
};

static json_t *move_json(const struct register_def *def, const struct register_move *move)
{
    json_t *demands = json_array();
    for (size_t i = 0; i < def->n_fields && demands != NULL; i++) {
        if ((move->demands & (1ULL << i)) != 0 &&
            json_array_append_new(demands, json_of(def->fields[i].name)) != 0) {
            json_decref(demands);
            return NULL;
        }
    }
    return json_pack("{s:s%, s:s%, s:b, s:o}", "name", move->name.p, move->name.len, "label",
                     move->label.p, move->label.len, "reason", move->reason, "demands", demands);
}

/* The moves that the actor may make now: none in their own case, as engine_move has it. */
static json_t *moves_json(const struct work *work, struct str state)
{
    const struct register_def *def = work->def;
    bool own_case = work->standing.self && !standing_may(&work->standing, def->area, VERB_change);
    json_t *moves = json_array();
    for (size_t i = 0; i < def->n_moves && moves != NULL && !own_case; i++) {
        if (move_is_open(work, &def->moves[i], state) &&
            json_array_append_new(moves, move_json(def, &def->moves[i])) != 0) {
            json_decref(moves);
            return NULL;
        }
    }
    return moves;
}

static enum err add_rights(struct work *work, const struct store_value *row, json_t *record)
{
    enum area area = work->def->area;
    bool undo;
    ERR_TRY(write_may_undo(work, row, &undo));
    json_t *may = json_pack(
        "{s:b, s:b, s:b, s:o, s:o}", "change", standing_may(&work->standing, area, VERB_change),
        "undo", undo, "dispose", standing_may(&work->standing, area, VERB_dispose), "moves",
        moves_json(work, row[COLUMN_STATE].bytes), "dispose_for", dispose_reasons_json());
    bool fine = json_put(record, STR("may"), may);
    if (work->looked) {
        fine = fine && json_put(record, STR("look"), json_string(work->closed ? "needed" : "open"));
    }
    return fine ? ERR_OK : ERR_MEMORY;
}

static enum err get_step(struct work *work, void *context)
{
    struct asked *asked = context;
    struct store_value *row;
    json_t *record;
    ERR_TRY(row_see(work, asked->id, &row));
    ERR_TRY(row_json(work, row, work->standing.roles, false, &record));
    enum err err = add_rights(work, row, record);
    if (err != ERR_OK) {
        json_decref(record);
        return err;
    }
    asked->answer = record;
    return ERR_OK;
}

enum err engine_get(struct engine *engine, const struct actor *actor,
                    const struct register_def *def, struct str id, json_t **ret_record)
{
    struct asked asked = {.id = id};
    ERR_TRY(work_read(engine, actor, def, get_step, &asked));
    *ret_record = asked.answer;
    return ERR_OK;
}

/* ---- history ---- */

/* The labels of the fields that a version touched, but for those that the actor may not see. */
static json_t *touched_json(const struct work *work, struct str names)
{
    json_t *touched = json_array();
    while (names.len != 0 && touched != NULL) {
        struct str name;
        (void)str_cut(names, ' ', &name, &names);
        size_t field = register_field_find(work->def, name);
        if (field == work->def->n_fields ||
            !field_is_seen(&work->def->fields[field], work->standing.roles)) {
            continue;
        }
        if (json_array_append_new(touched, json_of(work->def->fields[field].label)) != 0) {
            json_decref(touched);
            return NULL;
        }
    }
    return touched;
}

static json_t *version_json(const struct work *work, const struct store_rows *rows)
{
    struct str act = store_rows_bytes(rows, 1);
    struct str person = store_rows_bytes(rows, 3);
    struct str state = store_rows_bytes(rows, 4);
    struct str reason = work->closed ? STR("") : store_rows_bytes(rows, 6);
    struct str name = store_rows_bytes(rows, 7);
    return json_pack("{s:I, s:s%, s:I, s:s%, s:s%, s:s%, s:o, s:s%}", "version",
                     (json_int_t)store_rows_number(rows, 0), "act", act.p, act.len, "ms",
                     (json_int_t)store_rows_number(rows, 2), "by", text_of(person), person.len,
                     "name", text_of(name), name.len, "state", text_of(state), state.len, "fields",
                     touched_json(work, store_rows_bytes(rows, 5)), "reason", text_of(reason),
                     reason.len);
}

static enum err history_step(struct work *work, void *context)
{
    struct asked *asked = context;
    struct store_value *row;
    struct store_rows *rows;
    enum err err;
    ERR_TRY(row_see(work, asked->id, &row));
    const struct store_value values[] = {store_text(work->actor->school), store_text(asked->id),
                                         store_number(HISTORY_MAX)};
    ERR_TRY(store_query(work->engine->store, STATEMENT_PAST_LIST, values, 3, &rows));
    json_t *versions = json_array();
    while (store_rows_next(rows, &err)) {
        if (versions == NULL || json_array_append_new(versions, version_json(work, rows)) != 0) {
            err = ERR_MEMORY;
            break;
        }
    }
    store_rows_free(rows);
    if (err != ERR_OK) {
        json_decref(versions);
        return err;
    }
    asked->answer = versions;
    return ERR_OK;
}

enum err engine_history(struct engine *engine, const struct actor *actor,
                        const struct register_def *def, struct str id, json_t **ret_history)
{
    struct asked asked = {.id = id};
    ERR_TRY(work_read(engine, actor, def, history_step, &asked));
    *ret_history = asked.answer;
    return ERR_OK;
}

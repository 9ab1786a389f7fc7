/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of records: each is one transaction, with its words, its past version and its act. */
#include "records/engine_impl.h"

#include <string.h>

#include "base/check.h"

enum { REASON_MAX = 1000 };

/* ---- storing ---- */

static void stamp(const struct work *work, struct change *change)
{
    struct store_value *row = change->row;
    int64_t version = change->before != NULL ? change->before[COLUMN_VERSION].number + 1 : 1;
    row[COLUMN_VERSION] = store_number(version);
    row[COLUMN_CHANGED_MS] = store_number(work->actor->now_ms);
    row[COLUMN_CHANGED_BY] = store_text(work->actor->person);
}

/* Whom a record is about follows from its fields. */
static void set_about(const struct register_def *def, struct store_value *row)
{
    row[COLUMN_ABOUT] = def->about_itself            ? row[COLUMN_ID]
                        : def->about < def->n_fields ? row[def->fields[def->about].column]
                                                     : store_null();
}

static enum err put_row(struct work *work, const struct change *change)
{
    const struct register_def *def = work->def;
    struct store_value *values = arena_array(&work->arena, def->n_columns + 1, sizeof(*values));
    uint64_t changed;
    if (values == NULL) {
        return ERR_MEMORY;
    }
    memcpy(values, change->row, def->n_columns * sizeof(*values));
    if (change->before == NULL) {
        return store_run(work->engine->store, def->statements->insert, values, def->n_columns,
                         NULL);
    }
    values[def->n_columns] = change->before[COLUMN_VERSION];
    ERR_TRY(store_run(work->engine->store, def->statements->update, values, def->n_columns + 1,
                      &changed));
    return changed == 1 ? ERR_OK : ERR_CONFLICT;
}

static bool was_renamed(const struct register_def *def, const struct change *change)
{
    return change->before != NULL && (change->touched & (1ULL << def->title)) != 0;
}

static enum err attach_files(struct work *work, const struct change *change)
{
    for (size_t i = 0; i < work->def->n_fields; i++) {
        const struct register_field *field = &work->def->fields[i];
        struct str file = change->row[field->column].bytes;
        bool is_new = (change->touched & (1ULL << i)) != 0;
        if (field->type == FIELD_FILE && is_new && file.len != 0) {
            ERR_TRY(file_attach(work, file, change->row[COLUMN_ID].bytes));
        }
    }
    return ERR_OK;
}

enum err write_change(struct work *work, struct change *change)
{
    stamp(work, change);
    set_about(work->def, change->row);
    ERR_TRY(put_row(work, change));
    if (work->trying) {
        return ERR_OK;
    }
    ERR_TRY(attach_files(work, change));
    ERR_TRY(words_keep(work, change->row));
    if (was_renamed(work->def, change)) {
        ERR_TRY(words_renamed(work, change->row[COLUMN_ID].bytes));
    }
    ERR_TRY(past_add(work, change));
    return past_act(work, change);
}

/* ---- steps ---- */

struct order {
    struct str id;
    struct record_id made;
    uint64_t version;
    const json_t *input;
    struct str move;
    struct str reason;
};

static const struct register_field reason_field = {
    .name = STR_INIT("reason"),
    .label = STR_INIT("Why?"),
    .type = FIELD_LONG_TEXT,
    .max = REASON_MAX,
};

/* The reason as it is kept; a fault beside "reason" where it is missing and needed. */
static enum err read_reason(struct work *work, struct str typed, bool needed,
                            struct str *ret_reason)
{
    const struct field_reader reader = {.arena = &work->arena, .today = work->actor->today};
    struct field_value value;
    struct str fault;
    json_t *input = json_object();
    if (input == NULL || !json_put(input, reason_field.name, json_of(typed))) {
        json_decref(input);
        return typed.len != 0 ? work_fault(work, reason_field.name, STR("Type the reason again"))
                              : ERR_MEMORY;
    }
    enum err err = field_read(&reason_field, input, &reader, &value, &fault);
    if (err == ERR_INVALID) {
        err = work_fault(work, reason_field.name, fault);
    } else if (err == ERR_OK && needed && field_is_empty(&value)) {
        err = work_fault(work, reason_field.name, STR("Say why, in a few words"));
    } else if (err == ERR_OK) {
        *ret_reason = arena_dup(&work->arena, value.part[0].bytes);
        err = work->arena.failed ? ERR_MEMORY : ERR_OK;
    }
    json_decref(input);
    return err;
}

/* A row of its own, with the values of another (or none). */
static struct store_value *copy_row(struct work *work, const struct store_value *row)
{
    size_t width = row_width(work->def);
    struct store_value *copy = arena_array(&work->arena, width, sizeof(*copy));
    if (copy != NULL && row != NULL) {
        memcpy(copy, row, width * sizeof(*copy));
    }
    return copy;
}

/* Whether the actor may do it to the row as it will be. */
static enum err judge_new(struct work *work, struct store_value *row, enum verb verb)
{
    struct standing_facts facts;
    set_about(work->def, row);
    ERR_TRY(row_facts(work, row, &facts));
    facts.made_by = verb == VERB_make ? STR("") : facts.made_by;
    ERR_TRY(standing_of(work->engine->store, &work->arena, work->actor, work->def, &facts,
                        &work->standing));
    return standing_may(&work->standing, work->def->area, verb) ? ERR_OK : ERR_DENIED;
}

static enum err start_row(struct work *work, const struct record_id *id,
                          struct store_value **ret_row)
{
    const struct register_def *def = work->def;
    struct store_value *row = copy_row(work, NULL);
    if (row == NULL) {
        return ERR_MEMORY;
    }
    row[COLUMN_ID] = store_text(str_make(id->text, RECORD_ID_CHARS));
    row[COLUMN_SCHOOL] = store_text(work->actor->school);
    row[COLUMN_STATE] = store_text(def->n_states != 0 ? def->states[0].name : STR(""));
    row[COLUMN_MADE_MS] = store_number(work->actor->now_ms);
    row[COLUMN_MADE_BY] = store_text(work->actor->person);
    *ret_row = row;
    return ERR_OK;
}

enum err write_row_make(struct work *work, const struct record_id *id, const json_t *input)
{
    const struct actor *actor = work->actor;
    struct store_value *row;
    uint64_t touched;
    if (!actor->operator&& permit_widest(actor->roles, work->def->area, VERB_make) == SCOPE_NONE) {
        return ERR_DENIED;
    }
    work->standing.roles = actor->operator? ~0U : actor->roles;
    ERR_TRY(start_row(work, id, &row));
    ERR_TRY(input_read(work, input, NULL, row, &touched));
    ERR_TRY(judge_new(work, row, VERB_make));
    struct change change = {.act = ACT_made, .row = row, .touched = touched};
    return write_change(work, &change);
}

static enum err make_step(struct work *work, void *context)
{
    struct order *order = context;
    record_id_make(&order->made);
    return write_row_make(work, &order->made, order->input);
}

/* The row that the actor saw, which nobody changed since. */
static enum err seen_row(struct work *work, const struct order *order, struct store_value **ret_row)
{
    ERR_TRY(row_see(work, order->id, ret_row));
    return (uint64_t)(*ret_row)[COLUMN_VERSION].number == order->version ? ERR_OK : ERR_CONFLICT;
}

static enum err change_row(struct work *work, const struct store_value *before, const json_t *input,
                           struct str reason, uint64_t *ret_touched)
{
    struct change change = {.act = ACT_changed, .before = before, .row = copy_row(work, before)};
    if (!standing_may(&work->standing, work->def->area, VERB_change)) {
        return ERR_DENIED;
    }
    if (change.row == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(read_reason(work, reason, false, &change.reason));
    ERR_TRY(input_read(work, input, before, change.row, &change.touched));
    ERR_TRY(judge_new(work, change.row, VERB_change));
    *ret_touched = change.touched;
    return change.touched == 0 ? ERR_OK : write_change(work, &change);
}

enum err write_row_change(struct work *work, const struct store_value *before, const json_t *input,
                          uint64_t *ret_touched)
{
    return change_row(work, before, input, STR(""), ret_touched);
}

static enum err change_step(struct work *work, void *context)
{
    struct order *order = context;
    struct store_value *before;
    uint64_t touched;
    ERR_TRY(row_see(work, order->id, &before));
    if (!standing_may(&work->standing, work->def->area, VERB_change)) {
        return ERR_DENIED;
    }
    ERR_TRY(seen_row(work, order, &before));
    return change_row(work, before, order->input, order->reason, &touched);
}

/* ---- moves ---- */

static const struct register_move *find_move(const struct register_def *def, struct str name)
{
    for (size_t i = 0; i < def->n_moves; i++) {
        if (str_eq(def->moves[i].name, name)) {
            return &def->moves[i];
        }
    }
    return NULL;
}

/* Only what a move demands is changed by it. */
static enum err demanded(const struct register_def *def, const struct register_move *move,
                         const json_t *input, json_t **ret_input)
{
    static const char *const endings[] = {"", "-day", "-month", "-year", "-from", "-until"};
    json_t *only = json_object();
    for (size_t i = 0; i < def->n_fields && only != NULL; i++) {
        for (size_t e = 0; e < sizeof(endings) / sizeof(endings[0]); e++) {
            struct buf name;
            buf_init(&name, 256);
            buf_printf(&name, "%.*s%s", STR_ARG(def->fields[i].name), endings[e]);
            json_t *given = json_object_getn(input, name.p, name.len);
            bool takes = (move->demands & (1ULL << i)) != 0 && given != NULL;
            if (takes && !json_put(only, buf_str(&name), json_incref(given))) {
                json_decref(only);
                only = NULL;
            }
            buf_fini(&name);
            if (only == NULL) {
                return ERR_MEMORY;
            }
        }
    }
    *ret_input = only;
    return only != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err check_demands(struct work *work, const struct register_move *move,
                              const struct store_value *row)
{
    for (size_t i = 0; i < work->def->n_fields; i++) {
        struct field_value value;
        if ((move->demands & (1ULL << i)) != 0) {
            const struct register_field *field = &work->def->fields[i];
            ERR_TRY(row_value(work, row, i, false, &value));
            if (field_is_empty(&value)) {
                enum err err = work_fault(work, field->name, field_missing(field, &work->arena));
                if (err != ERR_INVALID) {
                    return err;
                }
            }
        }
    }
    return work->faults == NULL ? ERR_OK : ERR_INVALID;
}

static enum err read_move(struct work *work, const struct order *order,
                          const struct register_move *move, struct change *change)
{
    json_t *input = NULL;
    ERR_TRY(demanded(work->def, move, order->input, &input));
    enum err err = input_read(work, input, change->before, change->row, &change->touched);
    json_decref(input);
    enum err reason = read_reason(work, order->reason, move->reason, &change->reason);
    if (err == ERR_OK || err == ERR_INVALID) {
        enum err lacking = check_demands(work, move, change->row);
        err = lacking != ERR_OK ? lacking : err;
    }
    return err != ERR_OK ? err : reason;
}

static enum err move_step(struct work *work, void *context)
{
    struct order *order = context;
    const struct register_def *def = work->def;
    const struct register_move *move = find_move(def, order->move);
    struct change change = {.act = ACT_moved};
    struct store_value *before;
    if (move == NULL) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(row_see(work, order->id, &before));
    bool own_case = work->standing.self && !standing_may(&work->standing, def->area, VERB_change);
    if ((move->by & work->standing.roles) == 0 || own_case) {
        return ERR_DENIED;
    }
    ERR_TRY(seen_row(work, order, &before));
    if (!move_is_open(work, move, before[COLUMN_STATE].bytes)) {
        return ERR_CONFLICT;
    }
    change.before = before;
    change.row = copy_row(work, before);
    if (change.row == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(read_move(work, order, move, &change));
    change.row[COLUMN_STATE] = store_text(def->states[move->to].name);
    change.words = move->label;
    return write_change(work, &change);
}

/* ---- undo ---- */

/* The roles of the moves from one state to another; 0: there is none. */
static unsigned movers(const struct register_def *def, struct str from, struct str to)
{
    unsigned roles = 0;
    for (size_t i = 0; i < def->n_moves; i++) {
        for (size_t at = 0; at < def->n_states; at++) {
            bool leads = (def->moves[i].from & (1U << at)) != 0 &&
                         str_eq(def->states[at].name, from) &&
                         str_eq(def->states[def->moves[i].to].name, to);
            roles |= leads ? def->moves[i].by : 0;
        }
    }
    return roles;
}

/* Taking a move back is for whoever may make the move back; where there is none, for whoever may
 * make the move. */
static bool may_take_back(const struct work *work, struct str now, struct str then)
{
    unsigned back = movers(work->def, now, then);
    unsigned roles = back != 0 ? back : movers(work->def, then, now);
    return str_eq(now, then) || (roles & work->standing.roles) != 0;
}

/* All of the last change is taken back or nothing of it: what the actor may not see, or has not
 * opened, is not put back behind their back, and a record half put back would be one that nobody
 * ever wrote. */
static enum err check_undone(struct work *work, uint64_t touched)
{
    for (size_t i = 0; i < work->def->n_fields; i++) {
        bool back = (touched & (1ULL << i)) != 0;
        if (back && !field_is_seen(&work->def->fields[i], work->standing.roles)) {
            return work_fault(work, STR(""),
                              STR("The last change touched more than your role may see, so that it "
                                  "cannot be undone by you. Change back what you see, or ask "
                                  "somebody who sees all of it"));
        }
        if (back && work->closed && field_is_closed(work->def, i)) {
            return work_fault(work, STR(""),
                              STR("The last change touched what is hidden until a reason is "
                                  "given. Say why you are looking, then undo it"));
        }
    }
    return ERR_OK;
}

enum err write_may_undo(struct work *work, const struct store_value *row, bool *ret_may)
{
    bool changes = standing_may(&work->standing, work->def->area, VERB_change);
    int64_t version = row[COLUMN_VERSION].number;
    struct store_value *then = changes && version > 1 ? copy_row(work, row) : NULL;
    if (then == NULL) {
        *ret_may = false;
        return changes && version > 1 ? ERR_MEMORY : ERR_OK;
    }
    enum err err = past_restore(work, version - 1, then);
    if (err == ERR_OK) {
        *ret_may = may_take_back(work, row[COLUMN_STATE].bytes, then[COLUMN_STATE].bytes);
    } else if (err == ERR_NOT_FOUND) {
        *ret_may = false;
        err = ERR_OK;
    }
    return err;
}

static enum err undo_step(struct work *work, void *context)
{
    struct order *order = context;
    struct change change = {.act = ACT_undone};
    struct store_value *before;
    ERR_TRY(row_see(work, order->id, &before));
    if (!standing_may(&work->standing, work->def->area, VERB_change)) {
        return ERR_DENIED;
    }
    ERR_TRY(seen_row(work, order, &before));
    change.before = before;
    change.row = copy_row(work, before);
    if (change.row == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(past_restore(work, before[COLUMN_VERSION].number - 1, change.row));
    if (!may_take_back(work, before[COLUMN_STATE].bytes, change.row[COLUMN_STATE].bytes)) {
        return ERR_DENIED;
    }
    ERR_TRY(input_compare(work, before, change.row, &change.touched));
    ERR_TRY(check_undone(work, change.touched));
    ERR_TRY(input_check(work, change.row, change.touched));
    ERR_TRY(judge_new(work, change.row, VERB_change));
    return write_change(work, &change);
}

/* ---- what others call ---- */

enum err engine_make(struct engine *engine, const struct actor *actor,
                     const struct register_def *def, const json_t *input, struct record_id *ret_id,
                     json_t **ret_faults)
{
    struct order order = {.input = input};
    ERR_TRY(work_write(engine, actor, def, make_step, &order, ret_faults));
    *ret_id = order.made;
    return ERR_OK;
}

enum err engine_change(struct engine *engine, const struct actor *actor,
                       const struct register_def *def, struct str id, uint64_t version,
                       const json_t *input, struct str reason, json_t **ret_faults)
{
    struct order order = {.id = id, .version = version, .input = input, .reason = reason};
    return work_write(engine, actor, def, change_step, &order, ret_faults);
}

enum err engine_move(struct engine *engine, const struct actor *actor,
                     const struct register_def *def, struct str id, uint64_t version,
                     struct str move, const json_t *input, struct str reason, json_t **ret_faults)
{
    struct order order = {
        .id = id, .version = version, .input = input, .move = move, .reason = reason};
    return work_write(engine, actor, def, move_step, &order, ret_faults);
}

enum err engine_undo(struct engine *engine, const struct actor *actor,
                     const struct register_def *def, struct str id, uint64_t version,
                     json_t **ret_faults)
{
    struct order order = {.id = id, .version = version};
    return work_write(engine, actor, def, undo_step, &order, ret_faults);
}

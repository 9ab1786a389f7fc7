/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What whoever made a record is told of it: that it was received, and whom it reaches. */
#include "records/receipt.h"

#include "records/engine_impl.h"

enum { HOLDERS_MAX = 256 };

struct holder {
    struct str person, role, name;
    bool signs_in;
};

struct asked {
    struct str id;
    json_t *receipt;
};

static enum err read_holders(struct work *work, struct holder *holders, size_t *ret_n)
{
    char day[DAY_TEXT_MAX];
    const struct store_value values[] = {store_text(work->actor->school),
                                         store_text(day_print(work->actor->today, day))};
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    ERR_TRY(store_query(work->engine->store, STATEMENT_RECEIPT_HOLDERS, values, 2, &rows));
    while (n < HOLDERS_MAX && store_rows_next(rows, &err)) {
        holders[n++] = (struct holder){
            .person = arena_dup(&work->arena, store_rows_bytes(rows, 0)),
            .role = arena_dup(&work->arena, store_rows_bytes(rows, 1)),
            .name = arena_dup(&work->arena, store_rows_bytes(rows, 2)),
            .signs_in = store_rows_number(rows, 3) != 0,
        };
    }
    store_rows_free(rows);
    *ret_n = n;
    return n < HOLDERS_MAX && err != ERR_OK ? err : work->arena.failed ? ERR_MEMORY : ERR_OK;
}

/* Whether the record is theirs to work on: as one of the school, not as a parent. */
static enum err is_reached(struct work *work, const struct standing_facts *facts, struct str person,
                           bool *ret_reached)
{
    struct actor actor = {
        .school = work->actor->school, .now_ms = work->actor->now_ms, .today = work->actor->today};
    struct standing standing;
    struct store *store = work->engine->store;
    ERR_TRY(actor_load(store, &work->arena, person, &actor));
    ERR_TRY(standing_of(store, &work->arena, &actor, work->def, facts, &standing));
    *ret_reached = standing.nearest != SCOPE_NONE && !standing.as_parent && !standing.self &&
                   permit_widest(standing.roles, work->def->area, VERB_see) >= SCOPE_SCHOOL;
    return ERR_OK;
}

static bool has_text(const json_t *list, struct str text)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (str_eq(str_make(json_string_value(item), json_string_length(item)), text)) {
            return true;
        }
    }
    return false;
}

static enum err add_holder(const struct holder *holder, json_t *reaches, json_t *call)
{
    enum role role = role_find(holder->role);
    struct str label = role < ROLE_COUNT ? role_label(role) : holder->role;
    if (!holder->signs_in) {
        json_t *one =
            json_pack("{s:o, s:o}", "name", json_of(holder->name), "role", json_of(label));
        return json_array_append_new(call, one) == 0 ? ERR_OK : ERR_MEMORY;
    }
    if (has_text(reaches, label)) {
        return ERR_OK;
    }
    return json_array_append_new(reaches, json_of(label)) == 0 ? ERR_OK : ERR_MEMORY;
}

static enum err add_reached(struct work *work, const struct standing_facts *facts, json_t *receipt)
{
    struct holder *holders = arena_array(&work->arena, HOLDERS_MAX, sizeof(*holders));
    json_t *reaches = json_array();
    json_t *call = json_array();
    size_t n = 0;
    bool reached = false;
    bool put = json_put(receipt, STR("reaches"), reaches);
    put = json_put(receipt, STR("call"), call) && put;
    if (holders == NULL || !put) {
        return ERR_MEMORY;
    }
    ERR_TRY(read_holders(work, holders, &n));
    for (size_t i = 0; i < n; i++) {
        /* They come by person: one question each. */
        if (i == 0 || !str_eq(holders[i].person, holders[i - 1].person)) {
            ERR_TRY(is_reached(work, facts, holders[i].person, &reached));
        }
        bool first = i == 0 || !str_eq(holders[i].person, holders[i - 1].person);
        if (reached && (first || holders[i].signs_in)) {
            ERR_TRY(add_holder(&holders[i], reaches, call));
        }
    }
    return json_put(receipt, STR("nobody"), json_boolean(json_array_size(reaches) == 0))
               ? ERR_OK
               : ERR_MEMORY;
}

/* The local authority's designated officers of the register of contacts. */
static enum err add_officers(struct work *work, json_t *receipt)
{
    const struct store_value values[] = {store_text(work->actor->school)};
    json_t *officers = json_array();
    struct store_rows *rows;
    enum err err;
    if (!json_put(receipt, STR("officers"), officers)) {
        return ERR_MEMORY;
    }
    ERR_TRY(store_query(work->engine->store, STATEMENT_RECEIPT_OFFICERS, values, 1, &rows));
    while (store_rows_next(rows, &err)) {
        json_t *one = json_pack("{s:o, s:o, s:o}", "name", json_of(store_rows_bytes(rows, 0)),
                                "phone", json_of(store_rows_bytes(rows, 1)), "out_of_hours",
                                json_of(store_rows_bytes(rows, 2)));
        if (json_array_append_new(officers, one) != 0) {
            err = ERR_MEMORY;
            break;
        }
    }
    store_rows_free(rows);
    return err;
}

static enum err fill(struct work *work, const struct store_value *row, json_t *receipt)
{
    struct standing_facts facts;
    ERR_TRY(row_facts(work, row, &facts));
    bool put = json_put(receipt, STR("id"), json_of(row[COLUMN_ID].bytes));
    put = json_put(receipt, STR("made_ms"), json_integer(row[COLUMN_MADE_MS].number)) && put;
    put = json_put(receipt, STR("adult"), json_boolean(standing_hides(work->def))) && put;
    if (!put) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < facts.n_hidden_from; i++) {
        if (str_eq(facts.hidden_from[i], work->actor->person)) {
            return ERR_OK; /* they wrote it, and learn no more of it */
        }
    }
    ERR_TRY(add_reached(work, &facts, receipt));
    return standing_hides(work->def) ? add_officers(work, receipt) : ERR_OK;
}

static enum err receipt_step(struct work *work, void *context)
{
    struct asked *asked = context;
    struct store_value *row;
    ERR_TRY(row_get(work, asked->id, &row));
    if (work->actor->person.len == 0 || !str_eq(row[COLUMN_MADE_BY].bytes, work->actor->person)) {
        return ERR_NOT_FOUND;
    }
    json_t *receipt = json_object();
    enum err err = receipt != NULL ? fill(work, row, receipt) : ERR_MEMORY;
    if (err != ERR_OK) {
        json_decref(receipt);
        return err;
    }
    json_decref(asked->receipt);
    asked->receipt = receipt;
    return ERR_OK;
}

enum err receipt_get(struct engine *engine, const struct actor *actor,
                     const struct register_def *def, struct str id, json_t **ret_receipt)
{
    struct asked asked = {.id = id};
    ERR_TRY(work_read(engine, actor, def, receipt_step, &asked));
    *ret_receipt = asked.receipt;
    return ERR_OK;
}

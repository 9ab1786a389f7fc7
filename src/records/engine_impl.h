/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the engine share. A ROW is what the statements of a register answer
 * (tools/schema_sql.py): the table's columns, and behind them names. */
#ifndef LODGE_RECORDS_ENGINE_IMPL_H
#define LODGE_RECORDS_ENGINE_IMPL_H

#include "records/audit.h"
#include "records/engine.h"
#include "records/field.h"
#include "records/standing.h"

enum {
    ENGINE_ARENA_BYTES = 8 * 1024 * 1024,
    ENGINE_BUF_BYTES = 4 * 1024 * 1024,
    ENGINE_FIELDS_MAX = 64, /* tools/schema_model.py */
};

/* One piece of work: of one actor, on one register, in one transaction. */
struct work {
    struct engine *engine;
    const struct actor *actor;
    const struct register_def *def;
    struct arena arena;
    struct standing standing; /* to the record in hand */
    bool looked;              /* it holds what a look must be open for */
    bool closed;              /* and no look is open */
    bool importing; /* from a table: what is closed may be replaced, as none of it is seen */
    bool trying;    /* it will be rolled back: nothing is sealed and no act written */
    json_t *faults; /* NULL: none */
};

/* ---- transactions (engine.c) ---- */

typedef enum err work_step(struct work *work, void *context);
/* Runs step in a transaction that reads, or writes: again where another writer was in the way, so a
 * step begins anew each time. *ret_faults (may be NULL) gets the faults of ERR_INVALID. */
MUST_USE enum err work_read(struct engine *engine, const struct actor *actor,
                            const struct register_def *def, work_step *step, void *context);
MUST_USE enum err work_write(struct engine *engine, const struct actor *actor,
                             const struct register_def *def, work_step *step, void *context,
                             json_t **ret_faults);

/* {NAME: sentence}; the first one of a name stays. Answers ERR_INVALID, or ERR_MEMORY. */
MUST_USE enum err work_fault(struct work *work, struct str name, struct str sentence);

/* Takes value over, also on failure. False: out of memory. */
bool json_put(json_t *object, struct str name, json_t *value);
json_t *json_of(struct str text);
/* For jansson, which takes no NULL beside a length of 0. */
static inline const char *text_of(struct str text)
{
    return text.p != NULL ? text.p : "";
}

/* ---- rows (engine_row.c) ---- */

size_t row_width(const struct register_def *def);
/* The name of what a field of type person, group or device refers to. */
size_t row_name_column(const struct register_def *def, size_t field);
bool field_refers(const struct register_field *field);
/* Roles that see a field, of those that count. */
static inline bool field_is_seen(const struct register_field *field, unsigned roles)
{
    return field->seen_by == 0 || (field->seen_by & roles) != 0;
}
/* What is null until a look is open: the sensitive fields, and in a sensitive register all that its
 * list does not show. */
bool field_is_closed(const struct register_def *def, size_t field);

/* The row of a record in the work's arena; ERR_NOT_FOUND. */
MUST_USE enum err row_get(struct work *work, struct str id, struct store_value **ret_row);
/* Works out standing and closed for this row; ERR_NOT_FOUND where the actor may not see it. */
MUST_USE enum err row_judge(struct work *work, const struct store_value *row);
/* row_get and row_judge. */
MUST_USE enum err row_see(struct work *work, struct str id, struct store_value **ret_row);
/* What a row says about people. */
MUST_USE enum err row_facts(struct work *work, const struct store_value *row,
                            struct standing_facts *ret_facts);

/* Whether the move begins at this state and the actor's standing makes it. */
bool move_is_open(const struct work *work, const struct register_move *move, struct str state);

/* A field's value. open: unseals; else a sealed one is an empty text where there is something. */
MUST_USE enum err row_value(struct work *work, const struct store_value *row, size_t field,
                            bool open, struct field_value *ret_value);
/* Puts a value into a row: seals it, makes digest and key. */
MUST_USE enum err row_set(struct work *work, struct store_value *row, size_t field,
                          const struct field_value *value);

/* Only what a unique value is found by. */
MUST_USE enum err row_lookup(struct work *work, struct store_value *row, size_t field,
                             const struct field_value *value);
struct str row_state_label(const struct register_def *def, struct str name);

/* The record as the API and pages have it. roles: that count for this row; listed: only what lists
 * show. */
MUST_USE enum err row_json(struct work *work, const struct store_value *row, unsigned roles,
                           bool listed, json_t **ret_record);

/* ---- references (engine_input.c) ---- */

/* The register that a type refers to. */
const struct register_def *register_of(enum field_type type);
/* The name of what an id refers to, as it is now; ERR_NOT_FOUND. */
MUST_USE enum err reference_name(struct work *work, enum field_type type, struct str id,
                                 struct str *ret_name);

/* ---- input (engine_input.c) ---- */

/* Reads what is given into the row; *ret_touched: the fields whose values are others now. Faults:
 * ERR_INVALID, after all fields were read. before: the row as it was, NULL for a new one. */
MUST_USE enum err input_read(struct work *work, const json_t *input,
                             const struct store_value *before, struct store_value *row,
                             uint64_t *ret_touched);
/* The fields whose values differ. */
MUST_USE enum err input_compare(struct work *work, const struct store_value *before,
                                const struct store_value *row, uint64_t *ret_touched);
/* What only the store knows of the fields touched: that a value is unique, that what it refers to
 * is there, that a file is free. Faults as above. */
MUST_USE enum err input_check(struct work *work, const struct store_value *row, uint64_t touched);

/* ---- writing (engine_write.c) ---- */

struct change {
    enum act act;
    const struct store_value *before; /* NULL: it is new */
    struct store_value *row; /* with its new values; version, times and about are set here */
    uint64_t touched;
    struct str reason;
    struct str words; /* for the log */
};
/* Stores a row with its words, its past version and its act. */
MUST_USE enum err write_change(struct work *work, struct change *change);
/* Makes a record of this id; changes one (touched: the fields that are others now). The actor's
 * rights are asked for. */
MUST_USE enum err write_row_make(struct work *work, const struct record_id *id,
                                 const json_t *input);
MUST_USE enum err write_row_change(struct work *work, const struct store_value *before,
                                   const json_t *input, uint64_t *ret_touched);

/* Whether taking the last change back is the actor's to do; a look may still have to be opened. */
MUST_USE enum err write_may_undo(struct work *work, const struct store_value *row, bool *ret_may);

/* ---- past versions and acts (engine_past.c) ---- */

MUST_USE enum err past_add(struct work *work, const struct change *change);
MUST_USE enum err past_act(struct work *work, const struct change *change);
/* The values and the state of a version into the row; ERR_NOT_FOUND. */
MUST_USE enum err past_restore(struct work *work, int64_t version, struct store_value *row);
/* Whether a field's digests in acts are made under the record's key: short values could be guessed
 * from a plain one. */
bool past_is_private(const struct register_def *def, size_t field);
/* The person in the first field with hidden_from; empty: none. */
struct str past_hidden_from(const struct register_def *def, const struct store_value *row);

/* The reasons of disposal.def as [{"value", "label"}] (engine_dispose.c). */
json_t *dispose_reasons_json(void);

/* ---- words (engine_words.c) ---- */

enum { WORDS_ASKED = 4, WORD_BYTES = 48, WORDS_MAX = 400 };
/* The words of a row, kept for the search in place of those that were there. */
MUST_USE enum err words_keep(struct work *work, const struct store_value *row);
/* Keeps the words anew of all records that refer to this one, whose name is another now. */
MUST_USE enum err words_renamed(struct work *work, struct str id);
/* The words of a query as the statements take them: from and up to, 2 * WORDS_ASKED; *ret_n: how
 * many there are. The longest are asked for, the rarest first; *ret_rare: so few records have it
 * that they are best found from it, and else in the list's order. */
MUST_USE enum err words_asked(struct work *work, struct str query,
                              struct store_value values[2 * WORDS_ASKED], size_t *ret_n,
                              bool *ret_rare);

/* ---- files (engine_file.c) ---- */

/* The name under which a file was sent. */
MUST_USE enum err file_name_json(struct work *work, struct str file, json_t **ret_name);
/* Whether this file may be put into a field of this record: sent by this actor for this register,
 * and in no other record. */
MUST_USE enum err file_is_free(struct work *work, struct str file, struct str record,
                               bool *ret_free);
MUST_USE enum err file_attach(struct work *work, struct str file, struct str record);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disposal: the row, its past versions, words, files and keys. What refers to it is emptied, or
 * stands in the way where it must not be empty. The acts stay: they hold no values. What is done
 * behind the commit is noted in it (clearing.h). */
#include "records/engine_impl.h"

#include <string.h>

#include "records/clearing.h"

enum { REFERRING_MAX = 500, TABLE_BYTES = 80 };

static const struct {
    struct str name;
    struct str label;
} reasons[] = {
#define DISPOSAL(name, label) {STR_INIT(#name), STR_INIT(label)},
#include "records/disposal.def"
#undef DISPOSAL
};

json_t *dispose_reasons_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]) && list != NULL; i++) {
        json_t *reason = json_pack("{s:s%, s:s%}", "value", reasons[i].name.p, reasons[i].name.len,
                                   "label", reasons[i].label.p, reasons[i].label.len);
        if (json_array_append_new(list, reason) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

struct disposal {
    struct str id;
    uint64_t version;
    struct str reason;
};

static enum err note_table(struct work *work, struct str table)
{
    return clearing_note_table(work->engine->store, work->actor->school, table,
                               work->actor->now_ms);
}

/* A register's, whose rows or versions of rows are gone. */
static enum err note_register(struct work *work, const struct register_def *def)
{
    struct buf text;
    buf_init(&text, TABLE_BYTES);
    buf_printf(&text, "reg_%.*s", STR_ARG(def->name));
    enum err err = buf_err(&text);
    err = err == ERR_OK ? note_table(work, buf_str(&text)) : err;
    buf_fini(&text);
    return err;
}

/* ---- what refers to it ---- */

struct blocked {
    const struct register_def *by; /* one that the actor may see; NULL: none of those */
    bool any;
};

/* Empties one field of another record, by the engine's own right. */
static enum err empty_field(struct work *work, const struct register_def *def, size_t field,
                            struct str id)
{
    struct work other = {.engine = work->engine, .actor = work->actor, .def = def};
    const struct field_value nothing = {0};
    struct change change = {.act = ACT_changed, .touched = 1ULL << field};
    struct store_value *before;
    arena_init(&other.arena, ENGINE_ARENA_BYTES);
    enum err err = row_get(&other, id, &before);
    if (err == ERR_OK) {
        change.before = before;
        change.row = arena_array(&other.arena, row_width(def), sizeof(*change.row));
        err = change.row != NULL ? ERR_OK : ERR_MEMORY;
    }
    if (err == ERR_OK) {
        memcpy(change.row, before, row_width(def) * sizeof(*before));
        err = row_set(&other, change.row, field, &nothing);
    }
    err = err == ERR_OK ? write_change(&other, &change) : err;
    arena_fini(&other.arena);
    return err == ERR_OK ? note_register(work, def) : err;
}

/* Whether the actor sees any of the records that stand in the way: what they do not see is not
 * named. */
static enum err note_blocked(struct work *work, const struct register_def *def, struct str id,
                             struct blocked *blocked)
{
    struct work other = {.engine = work->engine, .actor = work->actor, .def = def};
    struct store_value *row;
    arena_init(&other.arena, ENGINE_ARENA_BYTES);
    enum err err = row_see(&other, id, &row);
    arena_fini(&other.arena);
    blocked->any = true;
    if (err == ERR_OK) {
        blocked->by = def;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err release(struct work *work, const struct register_def *def, size_t field,
                        struct str id, struct blocked *blocked)
{
    struct record_id *ids = arena_array(&work->arena, REFERRING_MAX, sizeof(*ids));
    const struct store_value values[] = {store_text(work->actor->school), store_text(id),
                                         store_number(REFERRING_MAX)};
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    if (ids == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(store_query(work->engine->store, def->statements->refers[field], values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        struct str found = store_rows_bytes(rows, 0);
        memcpy(ids[n++].text, found.p, RECORD_ID_CHARS);
    }
    store_rows_free(rows);
    bool blocks = def->fields[field].required || n == REFERRING_MAX;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        struct str other = str_make(ids[i].text, RECORD_ID_CHARS);
        bool itself = def == work->def && str_eq(other, id);
        if (itself) {
            continue;
        }
        err =
            blocks ? note_blocked(work, def, other, blocked) : empty_field(work, def, field, other);
        if (blocks && blocked->by != NULL) {
            break;
        }
    }
    return err;
}

static enum err release_all(struct work *work, struct str id)
{
    struct blocked blocked = {0};
    for (size_t r = 0; r < N_REGISTERS; r++) {
        const struct register_def *def = REGISTERS[r];
        for (size_t i = 0; i < def->n_fields; i++) {
            if (field_refers(&def->fields[i]) && register_of(def->fields[i].type) == work->def) {
                ERR_TRY(release(work, def, i, id, &blocked));
            }
        }
    }
    if (!blocked.any) {
        return ERR_OK;
    }
    struct buf text;
    buf_init(&text, 512);
    buf_printf(&text, "Other records refer to this one%s%.*s. Dispose of them first",
               blocked.by != NULL ? ", such as those in the register " : "",
               STR_ARG(blocked.by != NULL ? blocked.by->label_plural : STR("")));
    enum err err = work_fault(work, STR(""), buf_str(&text));
    buf_fini(&text);
    return err;
}

/* ---- the record itself ---- */

static enum err doom(struct work *work, struct str record)
{
    return clearing_note_key(work->engine->store, work->actor->school, record, work->actor->now_ms);
}

/* Notes whose keys go with it. */
static enum err doom_all(struct work *work, const struct disposal *disposal,
                         enum store_statement statement)
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(disposal->id)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(work->engine->store, statement, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        err = doom(work, store_rows_bytes(rows, 0));
        if (err != ERR_OK) {
            break;
        }
    }
    store_rows_free(rows);
    return err;
}

struct gone {
    enum store_statement statement;
    struct str table;
};

static enum err remove_of(struct work *work, const struct disposal *disposal,
                          const struct gone *gone, size_t n)
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(disposal->id)};
    for (size_t i = 0; i < n; i++) {
        uint64_t removed;
        ERR_TRY(store_run(work->engine->store, gone[i].statement, values, 2, &removed));
        if (removed != 0) {
            ERR_TRY(note_table(work, gone[i].table));
        }
    }
    return ERR_OK;
}

/* A person's accounts, sessions, sign-ins, mails, looks and what was announced of them. */
static enum err remove_person(struct work *work, const struct disposal *disposal)
{
    static const struct gone gone[] = {
        {STATEMENT_GONE_IDENTITIES, STR_INIT("identity")},
        {STATEMENT_GONE_FACTORS, STR_INIT("factor")},
        {STATEMENT_GONE_SHEETS, STR_INIT("sheet_code")},
        {STATEMENT_GONE_COMPUTERS, STR_INIT("computer")},
        {STATEMENT_GONE_SIGN_INS, STR_INIT("gate_sign_in")},
        {STATEMENT_GONE_MAILS, STR_INIT("outbox")},
        {STATEMENT_GONE_SESSIONS, STR_INIT("session")},
        {STATEMENT_GONE_ACCOUNT, STR_INIT("account")},
        {STATEMENT_GONE_NOTICES_SEEN, STR_INIT("notice_seen")},
        {STATEMENT_GONE_NOTICES_MAILED, STR_INIT("notice_mailed")},
        {STATEMENT_GONE_SEEN, STR_INIT("notice_seen")},
        {STATEMENT_GONE_NOTICES, STR_INIT("notice")},
        {STATEMENT_GONE_LOOKS_OF, STR_INIT("look")},
        {STATEMENT_GONE_LOOKS_AT, STR_INIT("look")},
        {STATEMENT_GONE_FILES_SENT, STR_INIT("file")},
        {STATEMENT_GONE_SUPERVISION_DEVICES, STR_INIT("supervision_device")},
        {STATEMENT_GONE_SUPERVISIONS, STR_INIT("supervision")},
    };
    ERR_TRY(doom_all(work, disposal, STATEMENT_GONE_ACCOUNTS));
    ERR_TRY(doom_all(work, disposal, STATEMENT_GONE_FILES_SENT_OF));
    return remove_of(work, disposal, gone, sizeof(gone) / sizeof(gone[0]));
}

/* Announcements say who did it by name. */
static enum err forget_name(struct work *work, const struct store_value *row)
{
    const struct store_value values[] = {store_text(work->actor->school),
                                         row[work->def->fields[work->def->title].column]};
    uint64_t emptied;
    ERR_TRY(store_run(work->engine->store, STATEMENT_GONE_NOTICE_WORDS, values, 2, &emptied));
    return emptied != 0 ? note_table(work, STR("notice")) : ERR_OK;
}

static enum err remove_all(struct work *work, const struct disposal *disposal,
                           const struct store_value *row)
{
    static const struct gone gone[] = {
        {STATEMENT_PAST_REMOVE, STR_INIT("past")},
        {STATEMENT_WORD_REMOVE, STR_INIT("word")},
        {STATEMENT_FILES_REMOVE, STR_INIT("file")},
    };
    const struct store_value values[] = {store_text(work->actor->school), store_text(disposal->id),
                                         store_number((int64_t)disposal->version)};
    uint64_t removed;
    ERR_TRY(doom(work, disposal->id));
    ERR_TRY(doom_all(work, disposal, STATEMENT_FILES_OF));
    ERR_TRY(store_run(work->engine->store, work->def->statements->remove, values, 3, &removed));
    if (removed != 1) {
        return ERR_CONFLICT;
    }
    ERR_TRY(note_register(work, work->def));
    ERR_TRY(remove_of(work, disposal, gone, sizeof(gone) / sizeof(gone[0])));
    if (!work->def->about_itself) {
        return ERR_OK;
    }
    ERR_TRY(forget_name(work, row));
    return remove_person(work, disposal);
}

static struct str reason_label(struct str name)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (str_eq(reasons[i].name, name)) {
            return reasons[i].label;
        }
    }
    return STR("");
}

static enum err note_act(struct work *work, const struct disposal *disposal,
                         const struct store_value *row)
{
    const struct act_entry entry = {
        .act = ACT_disposed,
        .area = work->def->name,
        .record = disposal->id,
        .about = row[COLUMN_ABOUT].bytes,
        .hidden_from = past_hidden_from(work->def, row),
        .version = disposal->version,
        .words = reason_label(disposal->reason),
    };
    return audit_append(work->engine->store, work->engine->keys, work->actor, &entry, NULL);
}

static enum err dispose_step(struct work *work, void *context)
{
    struct disposal *disposal = context;
    struct store_value *row;
    ERR_TRY(row_see(work, disposal->id, &row));
    if (!standing_may(&work->standing, work->def->area, VERB_dispose)) {
        return ERR_DENIED;
    }
    if (str_eq(disposal->id, work->actor->person)) {
        return work_fault(work, STR(""), STR("You cannot dispose of your own record"));
    }
    if ((uint64_t)row[COLUMN_VERSION].number != disposal->version) {
        return ERR_CONFLICT;
    }
    if (reason_label(disposal->reason).len == 0) {
        return work_fault(work, STR("reason"), STR("Choose why it is disposed of"));
    }
    ERR_TRY(release_all(work, disposal->id));
    ERR_TRY(remove_all(work, disposal, row));
    return note_act(work, disposal, row);
}

enum err engine_dispose(struct engine *engine, const struct actor *actor,
                        const struct register_def *def, struct str id, uint64_t version,
                        struct str reason, json_t **ret_faults)
{
    struct disposal disposal = {.id = id, .version = version, .reason = reason};
    ERR_TRY(work_write(engine, actor, def, dispose_step, &disposal, ret_faults));
    clearing_try(engine->store, engine->keys);
    return ERR_OK;
}

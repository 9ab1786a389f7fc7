/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A school's policy: versions in the store. */
#include "records/school_policy.h"

#include <stdlib.h>

#include "base/limits.h"
#include "policy/checker.h"
#include "policy/place.h"
#include "policy/policy.h"
#include "records/audit.h"
#include "records/permit.h"
#include "records/register.h"
#include "store/attempt.h"

enum { HISTORY_PAGE = 50, FINDINGS_MAX = 256 * 1024, WHY_MAX = 64 * 1024, LAST_COLUMNS = 5 };

static bool may(const struct actor *actor, enum verb verb)
{
    return actor->operator|| permit_widest(actor->roles, AREA_policy, verb) >= SCOPE_SCHOOL;
}

static json_t *text_of(struct str text)
{
    return json_stringn(text.p != NULL ? text.p : "", text.len);
}

/* ---- reading ---- */

static enum err read_version(struct engine *engine, const struct actor *actor, int64_t number,
                             struct arena *arena, struct store_value *columns)
{
    const struct store_value values[] = {store_text(actor->school), store_number(number)};
    return number == 0 ? store_row(engine->store, STATEMENT_POLICY_LAST, values, 1, arena, columns,
                                   LAST_COLUMNS)
                       : store_row(engine->store, STATEMENT_POLICY_GET, values, 2, arena, columns,
                                   LAST_COLUMNS);
}

/* Who made it, as others see them. */
static enum err name_of(struct engine *engine, const struct actor *actor, struct arena *arena,
                        struct str person, struct str *ret_name)
{
    struct actor other = {.school = actor->school, .today = actor->today};
    *ret_name = STR("");
    if (person.len == 0) {
        return ERR_OK;
    }
    enum err err = actor_load(engine->store, arena, person, &other);
    if (err == ERR_OK) {
        *ret_name = other.name;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err get_version(struct engine *engine, const struct actor *actor, int64_t number,
                            struct arena *arena, json_t **ret_version)
{
    struct store_value columns[LAST_COLUMNS];
    struct store_value last[LAST_COLUMNS];
    struct str by;
    ERR_TRY(read_version(engine, actor, number, arena, columns));
    ERR_TRY(read_version(engine, actor, 0, arena, last));
    ERR_TRY(name_of(engine, actor, arena, columns[3].bytes, &by));
    json_t *document = json_loadb(columns[1].bytes.p, columns[1].bytes.len, 0, NULL);
    json_t *version = json_pack(
        "{s:I, s:I, s:o, s:o, s:b, s:o*}", "number", (json_int_t)columns[0].number, "made_ms",
        (json_int_t)columns[2].number, "by", text_of(by), "words", text_of(columns[4].bytes),
        "last", columns[0].number == last[0].number, "document", document);
    if (version == NULL || document == NULL) {
        json_decref(version);
        return ERR_MEMORY;
    }
    *ret_version = version;
    return ERR_OK;
}

enum err school_policy_get(struct engine *engine, const struct actor *actor, int64_t number,
                           json_t **ret_version)
{
    struct arena arena;
    if (!may(actor, VERB_see)) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    arena_init(&arena, 2 * (size_t)LIMIT_POLICY_BYTES);
    enum err err = get_version(engine, actor, number, &arena, ret_version);
    arena_fini(&arena);
    store_rollback(engine->store);
    return err;
}

static enum err list_versions(struct engine *engine, const struct actor *actor, int64_t before,
                              json_t *items, bool *ret_more)
{
    const struct store_value values[] = {store_text(actor->school),
                                         store_number(before > 0 ? before : INT64_MAX),
                                         store_number(HISTORY_PAGE + 1)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(engine->store, STATEMENT_POLICY_HISTORY, values, 3, &rows));
    *ret_more = false;
    while (store_rows_next(rows, &err)) {
        *ret_more = json_array_size(items) == HISTORY_PAGE;
        if (!*ret_more) {
            json_array_append_new(items,
                                  json_pack("{s:I, s:I, s:o, s:o}", "number",
                                            (json_int_t)store_rows_number(rows, 0), "made_ms",
                                            (json_int_t)store_rows_number(rows, 1), "by",
                                            text_of(store_rows_bytes(rows, 4)), "words",
                                            text_of(store_rows_bytes(rows, 3))));
        }
    }
    store_rows_free(rows);
    return err;
}

enum err school_policy_history(struct engine *engine, const struct actor *actor, int64_t before,
                               json_t **ret_history)
{
    bool more = false;
    if (!may(actor, VERB_see)) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    json_t *items = json_array();
    enum err err = list_versions(engine, actor, before, items, &more);
    store_rollback(engine->store);
    if (err != ERR_OK) {
        json_decref(items);
        return err;
    }
    *ret_history = json_pack("{s:o, s:b}", "items", items, "more", more);
    return *ret_history != NULL ? ERR_OK : ERR_MEMORY;
}

/* ---- checking ---- */

static bool has_choice(const char *field, struct str word)
{
    const struct register_def *def = register_find(STR("person"));
    size_t at = register_field_find(def, str_from(field));
    for (size_t i = 0; i < def->fields[at].n_choices; i++) {
        if (str_eq(def->fields[at].choices[i].value, word)) {
            return true;
        }
    }
    return false;
}

struct checking {
    struct buf *why;
    bool bad;
};

static void check_word(void *context, struct str what, struct str word)
{
    struct checking *checking = context;
    bool known = str_eq(what, STR("kind"))    ? has_choice("kind", word)
                 : str_eq(what, STR("years")) ? has_choice("year", word)
                                              : role_find(word) != ROLE_COUNT;
    if (!known) {
        buf_printf(checking->why, "members: \"%.*s\" is none of the records' %.*s\n", STR_ARG(word),
                   STR_ARG(str_eq(what, STR("kind")) ? STR("kinds of people") : what));
        checking->bad = true;
    }
}

/* Into the form that is kept, or why it cannot be. */
static enum err check(struct str text, struct buf *canonical, struct buf *why)
{
    struct policy *policy;
    struct checking checking = {.why = why};
    ERR_TRY(policy_parse(text, &policy, why));
    policy_member_words(policy, check_word, &checking);
    policy_free(policy);
    return checking.bad ? ERR_INVALID : policy_canonical(text, canonical, why);
}

enum err school_policy_findings(const json_t *document, int64_t now_ms, json_t **ret_findings)
{
    struct policy *policy;
    struct buf lines;
    char *text = json_dumps(document, JSON_COMPACT);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    buf_init(&lines, FINDINGS_MAX);
    enum err err = policy_parse(str_from(text), &policy, &lines);
    free(text);
    if (err == ERR_OK) {
        json_t *findings = json_array();
        buf_clear(&lines);
        (void)policy_check(policy, now_ms, &lines);
        policy_free(policy);
        struct str rest = buf_str(&lines);
        while (rest.len != 0) {
            struct str line;
            (void)str_cut(rest, '\n', &line, &rest);
            json_array_append_new(findings, text_of(line));
        }
        *ret_findings = findings;
    }
    buf_fini(&lines);
    return err;
}

/* ---- keeping ---- */

static enum err last_number(struct engine *engine, const struct actor *actor, int64_t *ret_number)
{
    struct arena arena;
    struct store_value columns[LAST_COLUMNS];
    arena_init(&arena, 2 * (size_t)LIMIT_POLICY_BYTES);
    enum err err = read_version(engine, actor, 0, &arena, columns);
    *ret_number = err == ERR_OK ? columns[0].number : 0;
    arena_fini(&arena);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err add(struct engine *engine, const struct actor *actor,
                    const struct school_policy_change *change, int64_t number, struct str canonical)
{
    const struct store_value values[] = {
        store_text(actor->school),   store_number(number),      store_text(canonical),
        store_number(actor->now_ms), store_text(actor->person), store_text(change->words),
    };
    const struct act_field field = {.name = change->field, .value = change->value};
    const struct act_entry entry = {
        .act = number == 1 ? ACT_made : ACT_changed,
        .area = STR("policy"),
        .version = (uint64_t)number,
        .fields = &field,
        .n_fields = 1,
        .words = change->words,
    };
    ERR_TRY(audit_append(engine->store, engine->keys, actor, &entry, NULL));
    return store_run(engine->store, STATEMENT_POLICY_ADD, values, 6, NULL);
}

static enum err keep(struct engine *engine, const struct actor *actor,
                     const struct school_policy_change *change, struct str canonical,
                     int64_t *ret_number)
{
    int64_t number;
    ERR_TRY(last_number(engine, actor, &number));
    if (number != change->seen) {
        return ERR_CONFLICT;
    }
    *ret_number = number + 1;
    return add(engine, actor, change, number + 1, canonical);
}

static enum err keep_in_transaction(struct engine *engine, const struct actor *actor,
                                    const struct school_policy_change *change, struct str canonical,
                                    int64_t *ret_number)
{
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, keep(engine, actor, change, canonical, ret_number));
    }
    return attempt.err;
}

static enum err check_change(const struct school_policy_change *change, struct buf *canonical,
                             struct buf *why)
{
    if (str_trim_space(change->words).len == 0) {
        buf_append(why, STR("Say why, in a few words.\n"));
        return ERR_INVALID;
    }
    if (change->document == NULL) {
        return check(change->text, canonical, why);
    }
    char *text = json_dumps(change->document, JSON_COMPACT);
    enum err err = text != NULL ? check(str_from(text), canonical, why) : ERR_MEMORY;
    free(text);
    return err;
}

enum err school_policy_keep(struct engine *engine, const struct actor *actor,
                            const struct school_policy_change *change, int64_t *ret_number,
                            struct buf *why)
{
    struct buf canonical;
    if (!may(actor, change->verb)) {
        return ERR_DENIED;
    }
    buf_init(&canonical, LIMIT_POLICY_BYTES);
    enum err err = check_change(change, &canonical, why);
    if (err == ERR_OK) {
        err = keep_in_transaction(engine, actor, change, buf_str(&canonical), ret_number);
    }
    buf_fini(&canonical);
    return err;
}

enum err school_policy_keep_first(struct engine *engine, const struct actor *actor, struct str text,
                                  struct str words, struct buf *why)
{
    struct buf canonical;
    const struct school_policy_change change = {
        .text = text, .words = words, .field = STR("document"), .value = text};
    buf_init(&canonical, LIMIT_POLICY_BYTES);
    enum err err = check_change(&change, &canonical, why);
    if (err == ERR_OK) {
        err = add(engine, actor, &change, 1, buf_str(&canonical));
    }
    buf_fini(&canonical);
    return err;
}

static enum err add_if_other(struct engine *engine, const struct actor *actor,
                             const struct school_policy_change *change, struct str canonical)
{
    struct arena arena;
    struct store_value columns[LAST_COLUMNS];
    arena_init(&arena, 2 * (size_t)LIMIT_POLICY_BYTES);
    enum err err = read_version(engine, actor, 0, &arena, columns);
    bool none = err == ERR_NOT_FOUND;
    bool same = err == ERR_OK && str_eq(columns[1].bytes, canonical);
    int64_t number = none ? 0 : columns[0].number;
    arena_fini(&arena);
    if (same || (err != ERR_OK && !none)) {
        return err;
    }
    return add(engine, actor, change, number + 1, canonical);
}

enum err school_policy_keep_given(struct engine *engine, const struct actor *actor, struct str text,
                                  struct str words, struct buf *why)
{
    struct buf canonical;
    const struct school_policy_change change = {
        .text = text, .words = words, .field = STR("document"), .value = text};
    buf_init(&canonical, LIMIT_POLICY_BYTES);
    enum err err = check_change(&change, &canonical, why);
    if (err == ERR_OK) {
        struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
        while (store_attempt_begin(&attempt)) {
            store_attempt_end(&attempt, add_if_other(engine, actor, &change, buf_str(&canonical)));
        }
        err = attempt.err;
    }
    buf_fini(&canonical);
    return err;
}

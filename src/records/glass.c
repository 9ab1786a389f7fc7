/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sealed credential of the safe. */
#include "records/glass.h"

#include <string.h>

#include "base/check.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "records/account_impl.h"
#include "store/attempt.h"
#include "store/keys.h"
#include "wire/fold.h"

enum { PLAIN_CHARS = 28, GLASS_COLUMNS_N = 10 };

_Static_assert(GLASS_CODE_CHARS == PLAIN_CHARS + PLAIN_CHARS / 4 - 1, "groups of four");

static enum err note(struct engine *engine, const struct actor *actor, enum act act, struct str id,
                     struct str words)
{
    const struct act_entry entry = {.act = act, .area = STR("glass"), .record = id, .words = words};
    return audit_append(engine->store, engine->keys, actor, &entry, NULL);
}

/* ---- the list ---- */

static json_t *text_of(const struct store_rows *rows, size_t column)
{
    struct str text = store_rows_bytes(rows, column);
    return json_stringn(text.len > 0 ? text.p : "", text.len);
}

static enum err list(struct engine *engine, const struct actor *actor, json_t *items)
{
    const struct store_value school = store_text(actor->school);
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(engine->store, STATEMENT_GLASS_LIST, &school, 1, &rows));
    while (store_rows_next(rows, &err)) {
        json_t *item = json_object();
        json_object_set_new(item, "id", text_of(rows, 0));
        json_object_set_new(item, "state", text_of(rows, 2));
        json_object_set_new(item, "asked_by", text_of(rows, GLASS_COLUMNS_N));
        json_object_set_new(item, "asked", account_moment(store_rows_number(rows, 4)));
        json_object_set_new(item, "sealed_by", text_of(rows, GLASS_COLUMNS_N + 1));
        json_object_set_new(item, "sealed", account_moment(store_rows_number(rows, 6)));
        json_object_set_new(item, "used", account_moment(store_rows_number(rows, 7)));
        json_object_set_new(item, "used_name", text_of(rows, 8));
        json_object_set_new(item, "used_reason", text_of(rows, 9));
        json_array_append_new(items, item);
    }
    store_rows_free(rows);
    return err;
}

/* A session of the sealed credential itself makes no new one. */
static bool may_ask(const struct actor *actor)
{
    return actor->person.len > 0 && actor_has(actor, ROLE_technician);
}

static bool may_seal(const struct actor *actor)
{
    return actor->person.len > 0 && actor_has(actor, ROLE_head);
}

enum err glass_list(struct engine *engine, const struct actor *actor, json_t **ret_document)
{
    if (!may_ask(actor) && !may_seal(actor)) {
        return ERR_DENIED;
    }
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    json_t *items = json_array();
    enum err err = account_finish(engine->store, list(engine, actor, items));
    if (err != ERR_OK) {
        json_decref(items);
        return err;
    }
    *ret_document = json_pack("{s:o, s:{s:b, s:b}}", "items", items, "may", "ask", may_ask(actor),
                              "seal", may_seal(actor));
    return *ret_document != NULL ? ERR_OK : ERR_MEMORY;
}

/* ---- making ---- */

static enum err ask(struct engine *engine, const struct actor *actor, const struct record_id *id)
{
    const struct store_value values[] = {store_text(str_from(id->text)), store_text(actor->school),
                                         store_text(actor->person), store_number(actor->now_ms)};
    ERR_TRY(store_run(engine->store, STATEMENT_GLASS_ADD, values, 4, NULL));
    return note(engine, actor, ACT_made, values[0].bytes, STR("asked for a sealed credential"));
}

enum err glass_ask(struct engine *engine, const struct actor *actor)
{
    struct record_id id;
    if (!may_ask(actor)) {
        return ERR_DENIED;
    }
    record_id_make(&id);
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, ask(engine, actor, &id));
    }
    return attempt.err;
}

static void make_code(char plain[PLAIN_CHARS], char shown[GLASS_CODE_CHARS + 1])
{
    /* Without what is mistaken for another on paper; 9 stands twice to make them 32. */
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz234567899";
    uint8_t random[PLAIN_CHARS];
    size_t len = 0;
    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < PLAIN_CHARS; i++) {
        plain[i] = letters[random[i] & 31];
        if (i > 0 && i % 4 == 0) {
            shown[len++] = '-';
        }
        shown[len++] = plain[i];
    }
    shown[len] = '\0';
    secret_wipe(random, sizeof(random));
}

/* Under the box's key: a stolen store alone opens nothing. */
static enum err digest_code(struct engine *engine, const char plain[PLAIN_CHARS],
                            uint8_t ret_digest[KEYS_DIGEST_BYTES])
{
    char text[PLAIN_CHARS + 6] = "glass:";
    memcpy(text + 6, plain, PLAIN_CHARS);
    enum err err = keys_digest(engine->keys, STR(""), str_make(text, sizeof(text)), ret_digest);
    secret_wipe(text, sizeof(text));
    return err;
}

static enum err seal(struct engine *engine, const struct actor *actor, struct str id,
                     const uint8_t digest[KEYS_DIGEST_BYTES])
{
    const struct store_value values[] = {
        store_text(actor->school),
        store_text(id),
        store_blob(str_make((const char *)digest, KEYS_DIGEST_BYTES)),
        store_text(actor->person),
        store_number(actor->now_ms),
        store_number(actor->now_ms - GLASS_ASKED_MS)};
    uint64_t sealed;
    ERR_TRY(store_run(engine->store, STATEMENT_GLASS_SEAL, values, 6, &sealed));
    if (sealed == 0) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(store_run(engine->store, STATEMENT_GLASS_WITHDRAW_OTHERS, values, 2, NULL));
    ERR_TRY(note(engine, actor, ACT_changed, id, STR("sealed the credential for the safe")));
    return notice_add(engine->store, actor, NOTICE_sealed_glass, actor->person, id, STR(""));
}

enum err glass_seal(struct engine *engine, const struct actor *actor, struct str id,
                    char ret_code[GLASS_CODE_CHARS + 1])
{
    char plain[PLAIN_CHARS];
    uint8_t digest[KEYS_DIGEST_BYTES];
    if (!may_seal(actor)) {
        return ERR_DENIED;
    }
    make_code(plain, ret_code);
    enum err err = digest_code(engine, plain, digest);
    secret_wipe(plain, sizeof(plain));
    ERR_TRY(err);
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, seal(engine, actor, id, digest));
    }
    return attempt.err;
}

/* ---- breaking ---- */

static bool plain_of(struct str code, char ret_plain[PLAIN_CHARS])
{
    size_t n = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (code.p[i] == ' ' || code.p[i] == '-') {
            continue;
        }
        if (n == PLAIN_CHARS) {
            return false;
        }
        ret_plain[n++] = ascii_lower(code.p[i]);
    }
    return n == PLAIN_CHARS;
}

static enum err find(struct engine *engine, struct arena *arena, const char plain[PLAIN_CHARS],
                     struct store_value columns[GLASS_COLUMNS_N])
{
    uint8_t digest[KEYS_DIGEST_BYTES];
    ERR_TRY(digest_code(engine, plain, digest));
    const struct store_value value = store_blob(str_make((const char *)digest, sizeof(digest)));
    ERR_TRY(store_begin(engine->store, STR(""), STORE_READ));
    return account_finish(engine->store, store_row(engine->store, STATEMENT_GLASS_FIND, &value, 1,
                                                   arena, columns, GLASS_COLUMNS_N));
}

static enum err use(struct engine *engine, const struct actor *actor, struct str id,
                    struct str name, struct str reason, struct session_token *ret_token)
{
    const struct store_value values[] = {store_text(actor->school), store_text(id),
                                         store_number(actor->now_ms), store_text(name),
                                         store_text(reason)};
    uint64_t used;
    ERR_TRY(store_run(engine->store, STATEMENT_GLASS_USE, values, 5, &used));
    if (used == 0) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(session_begin_glass(engine->store, actor, id, ret_token));
    ERR_TRY(note(engine, actor, ACT_broke_glass, id, STR("")));
    return notice_add(engine->store, actor, NOTICE_broke_glass, STR(""), id, name);
}

static bool fits(struct str text, size_t most)
{
    size_t characters = 0;
    text = str_trim_space(text);
    return text.len != 0 && fold_check(text, &characters) == FOLD_FINE && characters <= most;
}

bool glass_is_name(struct str name)
{
    return fits(name, GLASS_NAME_MAX);
}

bool glass_is_reason(struct str reason)
{
    return fits(reason, GLASS_REASON_MAX);
}

enum err glass_break(struct engine *engine, struct arena *arena, const struct actor *actor,
                     struct str code, struct str name, struct str reason,
                     struct session_token *ret_token)
{
    char plain[PLAIN_CHARS] = {0};
    struct store_value columns[GLASS_COLUMNS_N];
    struct actor within = *actor;
    name = str_trim_space(name);
    reason = str_trim_space(reason);
    if (!glass_is_name(name) || !glass_is_reason(reason)) {
        return ERR_INVALID;
    }
    enum err err = plain_of(code, plain) ? find(engine, arena, plain, columns) : ERR_NOT_FOUND;
    secret_wipe(plain, sizeof(plain));
    ERR_TRY(err);
    within.school = columns[1].bytes;
    struct store_attempt attempt = store_attempt(engine->store, within.school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt,
                          use(engine, &within, columns[0].bytes, name, reason, ret_token));
    }
    return attempt.err;
}

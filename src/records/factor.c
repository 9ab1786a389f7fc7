/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Second factors: codes of an application and of a sheet, what an account has, how one ends. */
#include "records/factor.h"

#include <string.h>

#include "base/check.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "records/account_impl.h"
#include "records/factor_impl.h"
#include "store/attempt.h"
#include "store/keys.h"

enum { ARENA_BYTES = 64 * 1024, SEALED_MAX = 256 };

#define SECRET_FIELD STR("totp")

static struct account account_of(const struct actor *actor)
{
    return (struct account){.id = actor->account, .school = actor->school, .person = actor->person};
}

/* ---- what there is ---- */

enum err factor_rows(struct store *store, struct arena *arena, struct str school,
                     struct str account, struct factor_row rows[FACTOR_MAX], size_t *ret_n)
{
    const struct store_value values[] = {store_text(school), store_text(account)};
    struct store_rows *open;
    enum err err;
    size_t n = 0;
    ERR_TRY(store_query(store, STATEMENT_FACTOR_LIST, values, 2, &open));
    while (store_rows_next(open, &err) && n < FACTOR_MAX) {
        rows[n++] = (struct factor_row){
            .id = arena_dup(arena, store_rows_bytes(open, 0)),
            .kind = arena_dup(arena, store_rows_bytes(open, 1)),
            .active = str_eq(store_rows_bytes(open, 2), STR("active")),
            .label = arena_dup(arena, store_rows_bytes(open, 3)),
            .name = arena_dup(arena, store_rows_bytes(open, 4)),
            .secret = arena_dup(arena, store_rows_bytes(open, 5)),
            .last = store_rows_number(open, 6),
            .made_ms = store_rows_number(open, 7),
            .used_ms = store_rows_number(open, 8),
        };
    }
    store_rows_free(open);
    *ret_n = n;
    return err == ERR_OK && arena->failed ? ERR_MEMORY : err;
}

static enum err sheet_left(struct store *store, struct arena *arena, struct str school,
                           struct str account, int64_t *ret_left, int64_t *ret_made_ms)
{
    const struct store_value values[] = {store_text(school), store_text(account)};
    struct store_value columns[2];
    ERR_TRY(store_row(store, STATEMENT_SHEET_LEFT, values, 2, arena, columns, 2));
    *ret_left = columns[0].number;
    *ret_made_ms = columns[1].number;
    return ERR_OK;
}

enum err factors_in(struct store *store, struct arena *arena, const struct actor *actor,
                    struct factors *ret_factors)
{
    struct factor_row rows[FACTOR_MAX];
    struct factors factors = {0};
    int64_t made_ms;
    size_t n;
    ERR_TRY(factor_rows(store, arena, actor->school, actor->account, rows, &n));
    for (size_t i = 0; i < n; i++) {
        factors.totp |= rows[i].active && str_eq(rows[i].kind, STR("totp"));
        factors.passkey |= rows[i].active && str_eq(rows[i].kind, STR("passkey"));
    }
    ERR_TRY(sheet_left(store, arena, actor->school, actor->account, &factors.sheet_left, &made_ms));
    *ret_factors = factors;
    return ERR_OK;
}

enum err factors_of(struct engine *engine, const struct actor *actor, struct factors *ret_factors)
{
    struct arena arena;
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    arena_init(&arena, ARENA_BYTES);
    enum err err =
        account_finish(engine->store, factors_in(engine->store, &arena, actor, ret_factors));
    arena_fini(&arena);
    return err;
}

static json_t *text_of(struct str text)
{
    return json_stringn(text.len > 0 ? text.p : "", text.len);
}

static json_t *item_of(const struct factor_row *row)
{
    json_t *item = json_object();
    json_object_set_new(item, "id", text_of(row->id));
    json_object_set_new(item, "kind", text_of(row->kind));
    json_object_set_new(item, "label", text_of(row->label));
    json_object_set_new(item, "made", account_moment(row->made_ms));
    json_object_set_new(item, "used", account_moment(row->used_ms));
    return item;
}

static enum err list(struct engine *engine, struct arena *arena, struct str school,
                     struct str account, json_t *document)
{
    struct factor_row rows[FACTOR_MAX];
    int64_t left;
    int64_t made_ms;
    size_t n;
    json_t *items = json_array();
    json_t *sheet = json_object();
    json_object_set_new(document, "factors", items);
    json_object_set_new(document, "sheet", sheet);
    ERR_TRY(factor_rows(engine->store, arena, school, account, rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (rows[i].active) {
            json_array_append_new(items, item_of(&rows[i]));
        }
    }
    ERR_TRY(sheet_left(engine->store, arena, school, account, &left, &made_ms));
    json_object_set_new(sheet, "left", json_integer(left));
    json_object_set_new(sheet, "made", account_moment(made_ms));
    return ERR_OK;
}

enum err factor_list(struct engine *engine, struct str school, struct str account, json_t *document)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err err = list(engine, &arena, school, account, document);
    arena_fini(&arena);
    return err;
}

/* ---- the application ---- */

/* *ret_right: the code is good, and counted now for nobody else. */
static enum err judge_totp(struct engine *engine, const struct actor *actor,
                           const struct factor_row *row, struct str code, bool *ret_right)
{
    struct buf secret;
    int64_t step = 0;
    uint64_t counted = 0;
    buf_init(&secret, SEALED_MAX);
    enum err err =
        keys_open_sealed(engine->keys, actor->account, SECRET_FIELD, row->secret, &secret);
    bool right =
        err == ERR_OK && totp_verify(buf_str(&secret), code, actor->now_ms, row->last, &step);
    if (secret.p != NULL) {
        secret_wipe(secret.p, secret.len);
    }
    buf_fini(&secret);
    if (right) {
        const struct store_value values[] = {store_text(actor->school), store_text(row->id),
                                             store_text(actor->account), store_number(step),
                                             store_number(actor->now_ms)};
        ERR_TRY(store_run(engine->store, STATEMENT_FACTOR_USED, values, 5, &counted));
    }
    *ret_right = counted == 1;
    return err == ERR_NOT_FOUND || err == ERR_INVALID ? ERR_OK : err;
}

static enum err make_secret(struct engine *engine, const struct actor *actor,
                            uint8_t secret[TOTP_SECRET_BYTES])
{
    struct record_id id;
    struct buf sealed;
    const struct str plain = {(const char *)secret, TOTP_SECRET_BYTES};
    random_bytes(secret, TOTP_SECRET_BYTES);
    record_id_make(&id);
    buf_init(&sealed, SEALED_MAX);
    enum err err = keys_make(engine->keys, actor->account);
    if (err == ERR_OK) {
        err = keys_seal(engine->keys, actor->account, SECRET_FIELD, plain, &sealed);
    }
    if (err == ERR_OK) {
        const struct store_value values[] = {store_text(str_from(id.text)),
                                             store_text(actor->school),
                                             store_text(actor->account),
                                             store_text(STR("totp")),
                                             store_text(STR("awaited")),
                                             store_text(STR("Authenticator app")),
                                             store_blob(STR("")),
                                             store_blob(buf_str(&sealed)),
                                             store_number(0),
                                             store_number(actor->now_ms)};
        err = store_run(engine->store, STATEMENT_FACTOR_ADD, values, 10, NULL);
    }
    buf_fini(&sealed);
    return err;
}

static const struct factor_row *find_awaited(const struct factor_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].active && str_eq(rows[i].kind, STR("totp"))) {
            return &rows[i];
        }
    }
    return NULL;
}

static enum err totp_begin(struct engine *engine, const struct actor *actor, struct arena *arena,
                           uint8_t secret[TOTP_SECRET_BYTES])
{
    struct factor_row rows[FACTOR_MAX];
    struct buf plain;
    size_t n;
    ERR_TRY(factor_rows(engine->store, arena, actor->school, actor->account, rows, &n));
    const struct factor_row *row = find_awaited(rows, n);
    if (row == NULL) {
        return n == FACTOR_MAX ? ERR_LIMIT : make_secret(engine, actor, secret);
    }
    buf_init(&plain, SEALED_MAX);
    enum err err =
        keys_open_sealed(engine->keys, actor->account, SECRET_FIELD, row->secret, &plain);
    if (err == ERR_OK && plain.len == TOTP_SECRET_BYTES) {
        memcpy(secret, plain.p, TOTP_SECRET_BYTES);
    }
    if (plain.p != NULL) {
        secret_wipe(plain.p, plain.len);
    }
    buf_fini(&plain);
    return err;
}

enum err factor_totp_begin(struct engine *engine, const struct actor *actor,
                           uint8_t ret_secret[TOTP_SECRET_BYTES])
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, totp_begin(engine, actor, &arena, ret_secret));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

/* ---- judging ---- */

static enum err count(struct store *store, const struct actor *actor, bool right)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account),
                                         store_number(right ? 0 : 1), store_number(actor->now_ms),
                                         store_number(actor->now_ms - FACTOR_LOCK_MS)};
    return store_run(store, STATEMENT_ACCOUNT_WRONG_CODES, values, 5, NULL);
}

static enum err may_try(struct store *store, struct arena *arena, const struct actor *actor)
{
    struct account account;
    ERR_TRY(account_get(store, arena, actor->school, actor->account, &account));
    return account.wrong_codes >= FACTOR_WRONG_MAX &&
                   actor->now_ms - account.wrong_code_ms < FACTOR_LOCK_MS
               ? ERR_DENIED
               : ERR_OK;
}

static enum err judge_any(struct engine *engine, const struct actor *actor, struct arena *arena,
                          struct str code, bool *ret_right)
{
    struct factor_row rows[FACTOR_MAX];
    size_t n;
    ERR_TRY(factor_rows(engine->store, arena, actor->school, actor->account, rows, &n));
    for (size_t i = 0; i < n && !*ret_right; i++) {
        if (rows[i].active && str_eq(rows[i].kind, STR("totp"))) {
            ERR_TRY(judge_totp(engine, actor, &rows[i], code, ret_right));
        }
    }
    return *ret_right ? ERR_OK : sheet_judge(engine, actor, code, ret_right);
}

static enum err judge(struct engine *engine, const struct actor *actor, struct arena *arena,
                      struct str code, bool *ret_right)
{
    const struct account account = account_of(actor);
    *ret_right = false;
    ERR_TRY(may_try(engine->store, arena, actor));
    ERR_TRY(judge_any(engine, actor, arena, code, ret_right));
    ERR_TRY(count(engine->store, actor, *ret_right));
    return *ret_right ? ERR_OK
                      : account_note(engine, actor, ACT_refused, &account, NULL,
                                     STR("a wrong code as second factor"));
}

enum err factor_judge(struct engine *engine, const struct actor *actor, struct str code)
{
    struct arena arena;
    bool right = false;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    /* A wrong one is committed too: it counts. */
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, judge(engine, actor, &arena, code, &right));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err == ERR_OK && !right ? ERR_INVALID : err;
}

static enum err confirm(struct engine *engine, const struct actor *actor, struct arena *arena,
                        struct str code, bool *ret_right)
{
    struct factor_row rows[FACTOR_MAX];
    const struct account account = account_of(actor);
    size_t n;
    *ret_right = false;
    ERR_TRY(may_try(engine->store, arena, actor));
    ERR_TRY(factor_rows(engine->store, arena, actor->school, actor->account, rows, &n));
    const struct factor_row *row = find_awaited(rows, n);
    if (row == NULL) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(judge_totp(engine, actor, row, code, ret_right));
    ERR_TRY(count(engine->store, actor, *ret_right));
    return *ret_right ? account_note(engine, actor, ACT_changed, &account, "factor",
                                     STR("set up an authenticator app"))
                      : ERR_OK;
}

enum err factor_totp_confirm(struct engine *engine, const struct actor *actor, struct str code)
{
    struct arena arena;
    bool right = false;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, confirm(engine, actor, &arena, code, &right));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err == ERR_OK && !right ? ERR_INVALID : err;
}

/* ---- ending ---- */

static enum err remove_one(struct engine *engine, const struct actor *actor, struct arena *arena,
                           struct str id)
{
    struct factors left;
    uint64_t removed;
    const struct account account = account_of(actor);
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account),
                                         store_text(id)};
    ERR_TRY(store_run(engine->store, STATEMENT_FACTOR_REMOVE, values, 3, &removed));
    if (removed == 0) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(factors_in(engine->store, arena, actor, &left));
    if (permit_needs_factor(actor->roles) && !factors_any(&left)) {
        return ERR_CONFLICT;
    }
    return account_note(engine, actor, ACT_changed, &account, "factor",
                        STR("took a second factor off"));
}

enum err factor_remove(struct engine *engine, const struct actor *actor, struct str id)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, remove_one(engine, actor, &arena, id));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

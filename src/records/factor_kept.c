/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands for a second factor as something one has: the printed sheet, passkeys, a remembered
 * school computer. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "records/account_impl.h"
#include "records/factor_impl.h"
#include "store/attempt.h"
#include "store/keys.h"
#include "wire/addr.h"
#include "wire/base64.h"

enum { ARENA_BYTES = 64 * 1024, PLAIN_CHARS = SHEET_CODE_CHARS - 1, SALTED_MAX = 128 };

static struct account account_of(const struct actor *actor)
{
    return (struct account){.id = actor->account, .school = actor->school, .person = actor->person};
}

/* ---- the sheet ---- */

/* Under the box's key, so that a stolen store alone does not give the codes away. */
static enum err digest_code(struct engine *engine, const struct actor *actor, struct str code,
                            uint8_t ret_digest[KEYS_DIGEST_BYTES])
{
    char text[SALTED_MAX];
    CHECK(actor->account.len + code.len + 1 < sizeof(text));
    int len = snprintf(text, sizeof(text), "%.*s:%.*s", STR_ARG(actor->account), STR_ARG(code));
    enum err err = keys_digest(engine->keys, STR(""), str_make(text, (size_t)len), ret_digest);
    secret_wipe(text, sizeof(text));
    return err;
}

static enum err keep_code(struct engine *engine, const struct actor *actor, size_t number,
                          struct str code)
{
    uint8_t digest[KEYS_DIGEST_BYTES];
    ERR_TRY(digest_code(engine, actor, code, digest));
    const struct store_value values[] = {
        store_text(actor->account), store_number((int64_t)number), store_text(actor->school),
        store_blob(str_make((const char *)digest, sizeof(digest))), store_number(actor->now_ms)};
    return store_run(engine->store, STATEMENT_SHEET_ADD, values, 5, NULL);
}

static void make_code(char plain[PLAIN_CHARS], char shown[SHEET_CODE_CHARS + 1])
{
    /* Without what is mistaken for another on paper; 9 stands twice to make them 32. */
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz234567899";
    uint8_t random[PLAIN_CHARS];
    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < PLAIN_CHARS; i++) {
        plain[i] = letters[random[i] & 31];
    }
    memcpy(shown, plain, PLAIN_CHARS / 2);
    shown[PLAIN_CHARS / 2] = '-';
    memcpy(shown + PLAIN_CHARS / 2 + 1, plain + PLAIN_CHARS / 2, PLAIN_CHARS / 2);
    shown[SHEET_CODE_CHARS] = '\0';
    secret_wipe(random, sizeof(random));
}

static enum err make_sheet(struct engine *engine, const struct actor *actor, struct sheet *sheet)
{
    const struct account account = account_of(actor);
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account)};
    ERR_TRY(store_run(engine->store, STATEMENT_SHEET_REMOVE, values, 2, NULL));
    for (size_t i = 0; i < SHEET_CODES; i++) {
        char plain[PLAIN_CHARS];
        make_code(plain, sheet->codes[i]);
        enum err err = keep_code(engine, actor, i + 1, str_make(plain, sizeof(plain)));
        secret_wipe(plain, sizeof(plain));
        ERR_TRY(err);
    }
    return account_note(engine, actor, ACT_changed, &account, "sheet",
                        STR("printed a new sheet of codes"));
}

enum err sheet_make(struct engine *engine, const struct actor *actor, struct sheet *ret_sheet)
{
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, make_sheet(engine, actor, ret_sheet));
    }
    return attempt.err;
}

enum err sheet_judge(struct engine *engine, const struct actor *actor, struct str code,
                     bool *ret_right)
{
    char plain[PLAIN_CHARS];
    uint8_t digest[KEYS_DIGEST_BYTES];
    uint64_t used;
    size_t n = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (code.p[i] == ' ' || code.p[i] == '-') {
            continue;
        }
        if (n == PLAIN_CHARS) {
            return ERR_OK;
        }
        plain[n++] = ascii_lower(code.p[i]);
    }
    if (n != PLAIN_CHARS) {
        return ERR_OK;
    }
    ERR_TRY(digest_code(engine, actor, str_make(plain, n), digest));
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account),
                                         store_blob(str_make((const char *)digest, sizeof(digest))),
                                         store_number(actor->now_ms)};
    ERR_TRY(store_run(engine->store, STATEMENT_SHEET_USE, values, 4, &used));
    *ret_right = used == 1;
    return ERR_OK;
}

/* ---- passkeys ---- */

static enum err add_passkey(struct engine *engine, const struct actor *actor, struct arena *arena,
                            const struct factor_row *fresh)
{
    struct factor_row rows[FACTOR_MAX];
    struct record_id id;
    const struct account account = account_of(actor);
    size_t n;
    ERR_TRY(factor_rows(engine->store, arena, actor->school, actor->account, rows, &n));
    if (n == FACTOR_MAX) {
        return ERR_LIMIT;
    }
    record_id_make(&id);
    const struct store_value values[] = {
        store_text(str_from(id.text)), store_text(actor->school), store_text(actor->account),
        store_text(STR("passkey")),    store_text(STR("active")), store_text(fresh->label),
        store_blob(fresh->name),       store_blob(fresh->secret), store_number(fresh->last),
        store_number(actor->now_ms)};
    ERR_TRY(store_run(engine->store, STATEMENT_FACTOR_ADD, values, 10, NULL));
    return account_note(engine, actor, ACT_changed, &account, "factor", STR("added a passkey"));
}

enum err passkey_add(struct engine *engine, const struct actor *actor, struct str label,
                     struct str credential, struct str key, int64_t counter)
{
    struct arena arena;
    const struct factor_row fresh = {
        .label = label, .name = credential, .secret = key, .last = counter};
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, add_passkey(engine, actor, &arena, &fresh));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

static enum err rows_now(struct engine *engine, const struct actor *actor, struct arena *arena,
                         struct factor_row rows[FACTOR_MAX], size_t *ret_n)
{
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    return account_finish(engine->store, factor_rows(engine->store, arena, actor->school,
                                                     actor->account, rows, ret_n));
}

static bool is_passkey(const struct factor_row *row)
{
    return row->active && str_eq(row->kind, STR("passkey"));
}

enum err passkey_ids(struct engine *engine, const struct actor *actor, json_t **ret_ids)
{
    struct factor_row rows[FACTOR_MAX];
    struct arena arena;
    size_t n = 0;
    arena_init(&arena, ARENA_BYTES);
    enum err err = rows_now(engine, actor, &arena, rows, &n);
    json_t *ids = json_array();
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (is_passkey(&rows[i])) {
            struct buf text;
            buf_init(&text, 4096);
            base64url_encode(rows[i].name, &text);
            err = buf_err(&text);
            json_array_append_new(ids, json_stringn(text.len > 0 ? text.p : "", text.len));
            buf_fini(&text);
        }
    }
    arena_fini(&arena);
    if (err != ERR_OK) {
        json_decref(ids);
        return err;
    }
    *ret_ids = ids;
    return ERR_OK;
}

enum err passkey_find(struct engine *engine, const struct actor *actor, struct arena *arena,
                      struct str credential, struct str *ret_id, struct str *ret_key,
                      int64_t *ret_counter)
{
    struct factor_row rows[FACTOR_MAX];
    size_t n;
    ERR_TRY(rows_now(engine, actor, arena, rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (is_passkey(&rows[i]) && str_eq(rows[i].name, credential)) {
            *ret_id = rows[i].id;
            *ret_key = rows[i].secret;
            *ret_counter = rows[i].last;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err note_passkey(struct engine *engine, const struct actor *actor, struct str id,
                             int64_t counter_before, int64_t counter, uint64_t *ret_noted)
{
    const struct store_value counted[] = {store_text(actor->school), store_text(id),
                                          store_text(actor->account), store_number(counter),
                                          store_number(actor->now_ms)};
    const struct store_value uncounted[] = {counted[0], counted[1], counted[2], counted[4]};
    return counter == 0 && counter_before == 0
               ? store_run(engine->store, STATEMENT_FACTOR_USED_UNCOUNTED, uncounted, 4, ret_noted)
               : store_run(engine->store, STATEMENT_FACTOR_USED, counted, 5, ret_noted);
}

enum err passkey_used(struct engine *engine, const struct actor *actor, struct str id,
                      int64_t counter_before, int64_t counter)
{
    uint64_t noted = 0;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt,
                          note_passkey(engine, actor, id, counter_before, counter, &noted));
    }
    ERR_TRY(attempt.err);
    return noted == 1 ? ERR_OK : ERR_DENIED;
}

/* ---- remembered school computers ---- */

static enum err remember(struct engine *engine, const struct actor *actor,
                         const uint8_t digest[SESSION_DIGEST_BYTES])
{
    struct record_id id;
    struct addr addr;
    char client[ADDR_TEXT_MAX];
    const struct account account = account_of(actor);
    record_id_make(&id);
    memcpy(addr.bytes, actor->client, sizeof(addr.bytes));
    const struct store_value values[] = {
        store_text(str_from(id.text)),
        store_text(actor->school),
        store_text(actor->account),
        store_blob(str_make((const char *)digest, SESSION_DIGEST_BYTES)),
        store_text(str_make(client, addr_print(&addr, client))),
        store_number(actor->now_ms),
        store_number(actor->now_ms + COMPUTER_MS)};
    ERR_TRY(store_run(engine->store, STATEMENT_COMPUTER_ADD, values, 7, NULL));
    return account_note(engine, actor, ACT_changed, &account, "computer",
                        STR("this computer needs no second factor for 12 hours"));
}

enum err computer_remember(struct engine *engine, const struct actor *actor,
                           struct session_token *ret_token)
{
    uint8_t digest[SESSION_DIGEST_BYTES];
    session_token_make(ret_token, digest);
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, remember(engine, actor, digest));
    }
    return attempt.err;
}

enum err computer_is_known(struct engine *engine, const struct actor *actor, struct str token,
                           bool *ret_known)
{
    uint8_t digest[SESSION_DIGEST_BYTES];
    struct store_value column;
    struct arena arena;
    struct addr addr;
    char client[ADDR_TEXT_MAX];
    *ret_known = false;
    if (!session_token_digest(token, digest)) {
        return ERR_OK;
    }
    memcpy(addr.bytes, actor->client, sizeof(addr.bytes));
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account),
                                         store_blob(str_make((const char *)digest, sizeof(digest))),
                                         store_number(actor->now_ms),
                                         store_text(str_make(client, addr_print(&addr, client)))};
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    arena_init(&arena, 1024);
    enum err err = store_row(engine->store, STATEMENT_COMPUTER_FIND, values, 5, &arena, &column, 1);
    *ret_known = err == ERR_OK;
    err = account_finish(engine->store, err == ERR_NOT_FOUND ? ERR_OK : err);
    arena_fini(&arena);
    return err;
}

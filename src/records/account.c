/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts: finding them at sign-in, and what the files of accounts share. */
#include "records/account.h"

#include "base/check.h"
#include "records/account_impl.h"
#include "records/gate_sign_in.h"
#include "store/attempt.h"
#include "wire/fold.h"
#include "wire/utf8.h"

enum { FOLD_MAX = 64 * 1024 };

static const struct account_state_row {
    enum account_state state;
    struct str name;
} states[] = {
    {ACCOUNT_ACTIVE, STR_INIT("active")},
    {ACCOUNT_DISABLED, STR_INIT("disabled")},
    {ACCOUNT_COMPROMISED, STR_INIT("compromised")},
};

static enum account_state state_of(struct str name)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (str_eq(states[i].name, name)) {
            return states[i].state;
        }
    }
    return ACCOUNT_STATE_UNSET;
}

void account_from_columns(const struct store_value *columns, struct account *ret_account)
{
    *ret_account = (struct account){
        .id = columns[0].bytes,
        .school = columns[1].bytes,
        .person = columns[2].bytes,
        .class_group = columns[3].bytes,
        .log_on = columns[4].bytes,
        .hash = columns[5].bytes,
        .state = state_of(columns[6].bytes),
        .must_change = columns[7].number != 0,
        .password_ms = columns[8].number,
        .made_ms = columns[9].number,
        .changed_ms = columns[10].number,
        .wrong_codes = columns[11].number,
        .wrong_code_ms = columns[12].number,
    };
}

enum err account_get(struct store *store, struct arena *arena, struct str school, struct str id,
                     struct account *ret_account)
{
    const struct store_value values[] = {store_text(school), store_text(id)};
    struct store_value columns[ACCOUNT_COLUMNS_N];
    ERR_TRY(store_row(store, STATEMENT_ACCOUNT_GET, values, 2, arena, columns, ACCOUNT_COLUMNS_N));
    account_from_columns(columns, ret_account);
    return ERR_OK;
}

bool account_may(const struct actor *actor, enum verb verb)
{
    return actor->operator|| permit_widest(actor->roles, AREA_accounts, verb) >= SCOPE_SCHOOL;
}

enum err account_get_other(struct store *store, struct arena *arena, const struct actor *actor,
                           struct str id, struct account *ret_account)
{
    if (!account_may(actor, VERB_see)) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(account_get(store, arena, actor->school, id, ret_account));
    bool own = actor->person.len > 0 && str_eq(actor->person, ret_account->person);
    return own || !account_may(actor, VERB_change) ? ERR_DENIED : ERR_OK;
}

enum err account_finish(struct store *store, enum err err)
{
    if (err == ERR_OK) {
        return store_commit(store);
    }
    store_rollback(store);
    return err;
}

enum err account_note(struct engine *engine, const struct actor *actor, enum act act,
                      const struct account *account, const char *field, struct str words)
{
    /* A digest of nothing: a hash of a password is no matter of the audit's. */
    const struct act_field touched = {.name = str_from(field), .value = STR("")};
    const struct act_entry entry = {
        .act = act,
        .area = STR("account"),
        .record = account->id,
        .about = account->person,
        .fields = &touched,
        .n_fields = field != NULL ? 1 : 0,
        .words = words,
    };
    return audit_append(engine->store, engine->keys, actor, &entry, NULL);
}

enum err account_end_all(struct engine *engine, const struct actor *actor,
                         const struct account *account, struct str but, struct str why)
{
    const struct store_value values[] = {store_text(account->school), store_text(account->id),
                                         store_text(but), store_number(actor->now_ms),
                                         store_text(why)};
    ERR_TRY(store_run(engine->store, STATEMENT_SESSION_END_OTHERS, values, 5, NULL));
    ERR_TRY(store_run(engine->store, STATEMENT_COMPUTER_REMOVE_ALL, values, 2, NULL));
    return gate_sign_in_end_account(engine, actor, account->id, why);
}

enum err account_pattern(struct arena *arena, struct str part, struct str *ret_pattern)
{
    struct buf key;
    struct buf pattern;
    size_t characters;
    if (fold_check(part, &characters) != FOLD_FINE) {
        *ret_pattern = STR("%\n%"); /* no key has a line's end */
        return ERR_OK;
    }
    buf_init(&key, FOLD_MAX);
    buf_init(&pattern, FOLD_MAX);
    enum err err = fold_key(part, &key);
    buf_append_byte(&pattern, '%');
    for (size_t i = 0; i < key.len && err == ERR_OK; i++) {
        if (key.p[i] == '%' || key.p[i] == '_' || key.p[i] == '!') {
            buf_append_byte(&pattern, '!');
        }
        buf_append_byte(&pattern, key.p[i]);
    }
    buf_append_byte(&pattern, '%');
    err = err == ERR_OK ? buf_err(&pattern) : err;
    if (err == ERR_OK) {
        *ret_pattern = arena_dup(arena, buf_str(&pattern));
        err = arena->failed ? ERR_MEMORY : ERR_OK;
    }
    buf_fini(&key);
    buf_fini(&pattern);
    return err;
}

/* ---- signing in ---- */

struct str account_fold(struct arena *arena, struct str name)
{
    struct str copy = arena_dup(arena, utf8_head(str_trim_space(name), ACCOUNT_LOG_ON_MAX));
    char *text = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.len; i++) {
        text[i] = ascii_lower(text[i]);
    }
    return copy;
}

/* The only row; several are nobody's. address (else empty): only rows with just this one behind the
 * account's columns. */
static enum err only_row(struct store *store, struct arena *arena, enum store_statement statement,
                         const struct store_value *values, size_t n_values, struct str address,
                         struct account *ret_account)
{
    struct store_rows *rows;
    struct store_value columns[ACCOUNT_COLUMNS_N];
    enum err err;
    size_t n = 0;
    ERR_TRY(store_query(store, statement, values, n_values, &rows));
    while (store_rows_next(rows, &err)) {
        if (address.len != 0 &&
            !str_eq_nocase(store_rows_bytes(rows, ACCOUNT_COLUMNS_N), address)) {
            continue;
        }
        for (size_t i = 0; i < ACCOUNT_COLUMNS_N && n == 0; i++) {
            columns[i] = store_rows_value(rows, i);
            columns[i].bytes = arena_dup(arena, columns[i].bytes);
        }
        n++;
    }
    store_rows_free(rows);
    ERR_TRY(err);
    if (n != 1) {
        return ERR_NOT_FOUND;
    }
    if (arena->failed) {
        return ERR_MEMORY;
    }
    account_from_columns(columns, ret_account);
    return ERR_OK;
}

static enum err one_row(struct store *store, struct arena *arena, enum store_statement statement,
                        const struct store_value *values, size_t n_values,
                        struct account *ret_account)
{
    return only_row(store, arena, statement, values, n_values, STR(""), ret_account);
}

static enum err find_by_name(struct store *store, struct arena *arena, struct str folded,
                             struct account *ret_account)
{
    const struct store_value whole = store_text(folded);
    enum err err = one_row(store, arena, STATEMENT_ACCOUNT_BY_LOG_ON, &whole, 1, ret_account);
    size_t at = folded.len;
    while (at > 0 && folded.p[at - 1] != '@') {
        at--;
    }
    if (err != ERR_NOT_FOUND || at < 2) {
        return err;
    }
    const struct store_value parts[] = {store_text(str_sub(folded, 0, at - 1)),
                                        store_text(str_skip(folded, at))};
    return parts[1].bytes.len == 0
               ? ERR_NOT_FOUND
               : one_row(store, arena, STATEMENT_ACCOUNT_BY_LOG_ON_AT, parts, 2, ret_account);
}

static bool is_log_on_text(struct str text)
{
    bool good = text.len > 0 && text.len <= ACCOUNT_LOG_ON_MAX;
    for (size_t i = 0; i < text.len && good; i++) {
        good = text.p[i] > ' ' && text.p[i] < 0x7f;
    }
    return good;
}

static bool may_sign_in(const struct account *account, int64_t now_ms)
{
    const int64_t one_time_ms = (int64_t)ACCOUNT_ONE_TIME_DAYS * MS_PER_DAY;
    return account->state == ACCOUNT_ACTIVE &&
           (!account->must_change || now_ms - account->password_ms < one_time_ms);
}

enum err account_find(struct store *store, struct arena *arena, struct str name, int64_t now_ms,
                      struct account *ret_account)
{
    struct str folded = account_fold(arena, name);
    if (str_trim_space(name).len > ACCOUNT_LOG_ON_MAX || !is_log_on_text(folded)) {
        return arena->failed ? ERR_MEMORY : ERR_NOT_FOUND;
    }
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    enum err err = account_finish(store, find_by_name(store, arena, folded, ret_account));
    if (err == ERR_OK && !may_sign_in(ret_account, now_ms)) {
        ret_account->hash = STR("");
    }
    return err;
}

enum err account_find_at(struct engine *engine, struct arena *arena, struct str school,
                         struct str log_on, struct account *ret_account)
{
    const struct store_value values[] = {store_text(account_fold(arena, log_on)),
                                         store_text(school)};
    if (arena->failed || !is_log_on_text(values[0].bytes)) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(store_begin(engine->store, school, STORE_READ));
    return account_finish(
        engine->store,
        one_row(engine->store, arena, STATEMENT_ACCOUNT_BY_LOG_ON_AT, values, 2, ret_account));
}

enum err account_find_identity(struct store *store, struct arena *arena, struct str issuer,
                               struct str subject, struct account *ret_account)
{
    const struct store_value values[] = {store_text(issuer), store_text(subject)};
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    enum err err = account_finish(
        store, one_row(store, arena, STATEMENT_IDENTITY_FIND, values, 2, ret_account));
    return err == ERR_OK && ret_account->state != ACCOUNT_ACTIVE ? ERR_NOT_FOUND : err;
}

/* Marks tell mailboxes apart, so the folded address only finds whom to look at. */
static enum err find_match(struct store *store, struct arena *arena, struct str address,
                           struct str folded, struct account *ret_account)
{
    const struct store_value value = store_text(folded);
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    return account_finish(
        store, only_row(store, arena, STATEMENT_ACCOUNT_BY_EMAIL, &value, 1, address, ret_account));
}

enum err account_find_match(struct store *store, struct arena *arena, struct str address,
                            struct account *ret_account)
{
    struct buf folded;
    size_t characters;
    if (address.len == 0 || fold_check(address, &characters) != FOLD_FINE) {
        return ERR_NOT_FOUND;
    }
    buf_init(&folded, FOLD_MAX);
    enum err err = fold_key(address, &folded);
    if (err == ERR_OK) {
        err = find_match(store, arena, address, buf_str(&folded), ret_account);
    }
    buf_fini(&folded);
    return err == ERR_OK && ret_account->state != ACCOUNT_ACTIVE ? ERR_NOT_FOUND : err;
}

/* by_match: refused where the account is linked there already. */
static enum err link_identity(struct engine *engine, const struct actor *actor, struct arena *arena,
                              struct str issuer, struct str subject, bool by_match)
{
    struct account account;
    struct record_id id;
    struct store_value count;
    record_id_make(&id);
    ERR_TRY(account_get(engine->store, arena, actor->school, actor->account, &account));
    const struct store_value at[] = {store_text(account.school), store_text(account.id),
                                     store_text(issuer)};
    ERR_TRY(store_row(engine->store, STATEMENT_IDENTITY_AT, at, 3, arena, &count, 1));
    if (by_match && count.number != 0) {
        return ERR_CONFLICT;
    }
    const struct store_value values[] = {
        store_text(str_from(id.text)), store_text(account.school),
        store_text(account.id),        store_text(issuer),
        store_text(subject),           store_number(actor->now_ms)};
    ERR_TRY(store_run(engine->store, STATEMENT_IDENTITY_ADD, values, 6, NULL));
    return account_note(engine, actor, ACT_changed, &account, "identity",
                        STR("linked to single sign-on"));
}

static enum err try_link(struct engine *engine, const struct actor *actor, struct str issuer,
                         struct str subject, bool by_match)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, 8192);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt,
                          link_identity(engine, actor, &arena, issuer, subject, by_match));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

enum err account_link_identity(struct engine *engine, const struct actor *actor, struct str issuer,
                               struct str subject)
{
    return try_link(engine, actor, issuer, subject, false);
}

enum err account_link_match(struct engine *engine, const struct actor *actor, struct str issuer,
                            struct str subject)
{
    return try_link(engine, actor, issuer, subject, true);
}

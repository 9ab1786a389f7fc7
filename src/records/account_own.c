/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What somebody does to their own account. */
#include "base/limits.h"
#include "records/account_impl.h"
#include "records/factor.h"
#include "records/session.h"
#include "records/supervision.h"
#include "store/attempt.h"
#include "wire/utf8.h"

enum { ARENA_BYTES = 256 * 1024 };

static enum err mine_now(struct engine *engine, struct arena *arena, const struct actor *actor,
                         struct account *ret_account)
{
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    return account_finish(engine->store, account_get(engine->store, arena, actor->school,
                                                     actor->account, ret_account));
}

enum err account_awaits_password(struct engine *engine, const struct actor *actor, bool *ret_awaits)
{
    struct arena arena;
    struct account account = {0};
    arena_init(&arena, ARENA_BYTES);
    enum err err = actor->account.len > 0 ? mine_now(engine, &arena, actor, &account) : ERR_OK;
    arena_fini(&arena);
    ERR_TRY(err);
    *ret_awaits = account.must_change || account.state == ACCOUNT_COMPROMISED;
    return ERR_OK;
}

enum err account_log_on(struct engine *engine, struct arena *arena, const struct actor *actor,
                        struct str *ret_log_on, struct str *ret_hash)
{
    struct account account;
    ERR_TRY(mine_now(engine, arena, actor, &account));
    *ret_log_on = account.log_on;
    if (ret_hash != NULL) {
        *ret_hash = account.hash;
    }
    return ERR_OK;
}

static size_t count_characters(struct str text)
{
    size_t n = 0;
    while (text.len > 0) {
        size_t len = utf8_length(text);
        text = str_skip(text, len > 0 ? len : 1);
        n++;
    }
    return n;
}

static bool is_one_byte(struct str text)
{
    size_t i = 1;
    while (i < text.len && text.p[i] == text.p[0]) {
        i++;
    }
    return i >= text.len;
}

/* Whether a holds b, in any case of letters; b of four bytes or more. */
static bool holds(struct str a, struct str b)
{
    for (size_t i = 0; b.len >= 4 && i + b.len <= a.len; i++) {
        if (str_eq_nocase(str_sub(a, i, b.len), b)) {
            return true;
        }
    }
    return false;
}

/* What long passwords begin with that everybody tries first; shorter ones are refused anyway. */
static bool is_tried_first(struct str password)
{
    static const struct str firsts[] = {
        STR_INIT("password"),      STR_INIT("passw0rd"),  STR_INIT("letmein"),
        STR_INIT("welcome"),       STR_INIT("qwerty"),    STR_INIT("1234567"),
        STR_INIT("abcdefgh"),      STR_INIT("iloveyou"),  STR_INIT("changeme"),
        STR_INIT("teacher123"),    STR_INIT("school123"), STR_INIT("football"),
        STR_INIT("administrator"), STR_INIT("liverpool"), STR_INIT("manchester"),
    };
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        /* With a few digits or signs behind it is no better. */
        if (str_eq_nocase(str_sub(password, 0, firsts[i].len), firsts[i]) &&
            password.len <= firsts[i].len + 6) {
            return true;
        }
    }
    return false;
}

const char *account_password_fault(struct str password, struct str log_on, struct str name)
{
    struct str word;
    if (password.len > LIMIT_PASSWORD_LEN) {
        return "Choose a shorter password.";
    }
    if (count_characters(password) < ACCOUNT_PASSWORD_CHARS_MIN) {
        return "Use 10 characters or more. Three words that you can remember are a good password.";
    }
    if (is_one_byte(password) || is_tried_first(password)) {
        return "This is a password that people guess first. Choose another, such as three words.";
    }
    for (word = str_next_word(&name); word.len > 0; word = str_next_word(&name)) {
        if (holds(password, word)) {
            return "Your password must not hold your name. Choose another.";
        }
    }
    return holds(password, log_on) ? "Your password must not hold your log-on. Choose another."
                                   : NULL;
}

static enum err set_password(struct engine *engine, const struct actor *actor, struct arena *arena,
                             struct str hash)
{
    struct account account;
    ERR_TRY(account_get(engine->store, arena, actor->school, actor->account, &account));
    if (account.state == ACCOUNT_DISABLED) {
        return ERR_DENIED;
    }
    const struct store_value values[] = {
        store_text(account.school),  store_text(account.id),   store_text(hash), store_number(0),
        store_number(actor->now_ms), store_text(actor->person)};
    ERR_TRY(store_run(engine->store, STATEMENT_ACCOUNT_SET_HASH, values, 6, NULL));
    ERR_TRY(account_end_all(engine, actor, &account, actor->session, STR("a new password")));
    return account_note(engine, actor, ACT_changed, &account, "password",
                        STR("chose a new password"));
}

enum err account_set_password(struct engine *engine, const struct actor *actor, struct str hash)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, set_password(engine, actor, &arena, hash));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

/* Once an hour: whoever says it again and again must not bury what else is announced. */
static enum err announce_compromised(struct engine *engine, const struct actor *actor,
                                     struct arena *arena, const struct account *account)
{
    const struct store_value values[] = {store_text(account->school), store_text(account->id),
                                         store_number(actor->now_ms - MS_PER_HOUR)};
    struct store_value count;
    ERR_TRY(store_row(engine->store, STATEMENT_NOTICE_COMPROMISED, values, 3, arena, &count, 1));
    return count.number == 0 ? notice_add(engine->store, actor, NOTICE_compromised, account->person,
                                          account->id, STR(""))
                             : ERR_OK;
}

static enum err compromised(struct engine *engine, const struct actor *actor, struct arena *arena)
{
    struct account account;
    ERR_TRY(account_get(engine->store, arena, actor->school, actor->account, &account));
    if (account.state == ACCOUNT_DISABLED) {
        return ERR_DENIED;
    }
    const struct store_value values[] = {store_text(account.school), store_text(account.id),
                                         store_text(STR("compromised")),
                                         store_number(actor->now_ms), store_text(actor->person)};
    ERR_TRY(store_run(engine->store, STATEMENT_ACCOUNT_SET_STATE, values, 5, NULL));
    ERR_TRY(account_end_all(engine, actor, &account, actor->session,
                            STR("somebody may know the password")));
    ERR_TRY(supervision_end_person(engine, actor, account.person,
                                   STR("somebody may know the password")));
    ERR_TRY(account_note(engine, actor, ACT_changed, &account, "state",
                         STR("somebody may know the password")));
    return announce_compromised(engine, actor, arena, &account);
}

enum err account_compromised(struct engine *engine, const struct actor *actor)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, compromised(engine, actor, &arena));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err;
}

json_t *account_moment(int64_t ms)
{
    char utc[CIVIL_TEXT_MAX];
    char shown[CIVIL_TEXT_MAX];
    if (ms <= 0) {
        return json_null();
    }
    size_t utc_len = civil_print_utc(ms, utc);
    size_t len = clock_british_print(ms, shown);
    return json_pack("{s:s%, s:s%}", "at", utc, utc_len, "text", shown, len);
}

/* Rows as an array of objects: names of the columns, a '*' before those that are moments. */
static enum err rows_as_json(struct store *store, enum store_statement statement,
                             const struct store_value *values, size_t n_values,
                             const char *const *names, size_t n_names, json_t *to)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, statement, values, n_values, &rows));
    while (store_rows_next(rows, &err)) {
        json_t *item = json_object();
        for (size_t i = 0; i < n_names; i++) {
            bool moment = names[i][0] == '*';
            struct str bytes = moment ? STR("") : store_rows_bytes(rows, i);
            json_object_set_new(item, names[i] + (moment ? 1 : 0),
                                moment ? account_moment(store_rows_number(rows, i))
                                       : json_stringn(bytes.p != NULL ? bytes.p : "", bytes.len));
        }
        json_array_append_new(to, item);
    }
    store_rows_free(rows);
    return err;
}

static enum err add_lists(struct store *store, const struct actor *actor, json_t *document)
{
    static const char *const session_names[] = {"id",    "stage", "client",
                                                "*made", "*used", "*factor"};
    static const char *const computer_names[] = {"id", "client", "*made", "*until"};
    static const char *const identity_names[] = {"id", "issuer", "*made", "*used"};
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account),
                                         store_number(actor->now_ms),
                                         store_number(actor->now_ms - SESSION_IDLE_MS)};
    json_t *sessions = json_array();
    json_t *computers = json_array();
    json_t *identities = json_array();
    json_object_set_new(document, "sessions", sessions);
    json_object_set_new(document, "computers", computers);
    json_object_set_new(document, "identities", identities);
    ERR_TRY(rows_as_json(store, STATEMENT_SESSION_LIST, values, 4, session_names, 6, sessions));
    ERR_TRY(rows_as_json(store, STATEMENT_COMPUTER_LIST, values, 3, computer_names, 4, computers));
    ERR_TRY(rows_as_json(store, STATEMENT_IDENTITY_OF_ACCOUNT, values, 2, identity_names, 4,
                         identities));
    size_t i;
    json_t *item;
    json_array_foreach(sessions, i, item)
    {
        const char *id = json_string_value(json_object_get(item, "id"));
        json_object_set_new(item, "this", json_boolean(str_eq(str_from(id), actor->session)));
    }
    return ERR_OK;
}

static enum err mine(struct engine *engine, const struct actor *actor, struct arena *arena,
                     json_t *document)
{
    struct account account;
    ERR_TRY(account_get(engine->store, arena, actor->school, actor->account, &account));
    json_object_set_new(document, "log_on", json_stringn(account.log_on.p, account.log_on.len));
    json_object_set_new(document, "must_change", json_boolean(account.must_change));
    json_object_set_new(document, "password_changed", account_moment(account.password_ms));
    ERR_TRY(add_lists(engine->store, actor, document));
    return factor_list(engine, actor->school, actor->account, document);
}

enum err account_mine(struct engine *engine, const struct actor *actor, json_t **ret_document)
{
    struct arena arena;
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    arena_init(&arena, ARENA_BYTES);
    json_t *document = json_object();
    enum err err = account_finish(engine->store, mine(engine, actor, &arena, document));
    arena_fini(&arena);
    if (err != ERR_OK) {
        json_decref(document);
        return err;
    }
    *ret_document = document;
    return ERR_OK;
}

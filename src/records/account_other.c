/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What technician and head do to others' accounts, and the operator by `lodge user`. */
#include "base/check.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "records/account_impl.h"
#include "records/factor_impl.h"
#include "records/permit.h"
#include "records/supervision.h"
#include "store/attempt.h"
#include "wire/utf8.h"

enum { ARENA_BYTES = 256 * 1024, PER_PAGE = 50, PEOPLE_MAX = 50 };

/* ---- lists ---- */

static void set_text(json_t *object, const char *name, struct str text)
{
    json_object_set_new(object, name, json_stringn(text.len > 0 ? text.p : "", text.len));
}

static json_t *item_of(const struct store_rows *rows, const struct actor *actor)
{
    json_t *item = json_object();
    struct str person = store_rows_bytes(rows, 2);
    set_text(item, "id", store_rows_bytes(rows, 0));
    set_text(item, "log_on", store_rows_bytes(rows, 4));
    set_text(item, "state", store_rows_bytes(rows, 6));
    json_object_set_new(item, "must_change", json_boolean(store_rows_number(rows, 7) != 0));
    json_object_set_new(item, "made", account_moment(store_rows_number(rows, 9)));
    set_text(item, "person", person);
    set_text(item, "name", store_rows_bytes(rows, ACCOUNT_COLUMNS_N));
    set_text(item, "kind", store_rows_bytes(rows, ACCOUNT_COLUMNS_N + 1));
    json_object_set_new(item, "factors",
                        json_integer(store_rows_number(rows, ACCOUNT_COLUMNS_N + 2)));
    json_object_set_new(item, "sheet_left",
                        json_integer(store_rows_number(rows, ACCOUNT_COLUMNS_N + 3)));
    json_object_set_new(item, "last_used",
                        account_moment(store_rows_number(rows, ACCOUNT_COLUMNS_N + 4)));
    json_object_set_new(item, "mine",
                        json_boolean(actor->person.len > 0 && str_eq(person, actor->person)));
    return item;
}

static enum err list(struct engine *engine, const struct actor *actor, struct str pattern,
                     size_t page, json_t *document)
{
    const struct store_value values[] = {store_text(actor->school), store_text(pattern),
                                         store_number(PER_PAGE + 1),
                                         store_number((int64_t)(page - 1) * PER_PAGE)};
    struct store_rows *rows;
    json_t *items = json_array();
    bool more = false;
    enum err err;
    json_object_set_new(document, "items", items);
    ERR_TRY(store_query(engine->store, STATEMENT_ACCOUNT_LIST, values, 4, &rows));
    while (store_rows_next(rows, &err)) {
        more = json_array_size(items) == PER_PAGE;
        if (!more) {
            json_array_append_new(items, item_of(rows, actor));
        }
    }
    store_rows_free(rows);
    json_object_set_new(document, "more", json_boolean(more));
    return err;
}

enum err account_list(struct engine *engine, const struct actor *actor, struct str search,
                      size_t page, json_t **ret_document)
{
    struct arena arena;
    page = page == 0 || page > 100000 ? 1 : page;
    if (!account_may(actor, VERB_see)) {
        return ERR_DENIED;
    }
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    arena_init(&arena, ARENA_BYTES);
    search = str_trim_space(search);
    json_t *document = json_object();
    json_t *may = json_object();
    json_object_set_new(may, "make", json_boolean(account_may(actor, VERB_make)));
    json_object_set_new(may, "change", json_boolean(account_may(actor, VERB_change)));
    json_object_set_new(document, "may", may);
    json_object_set_new(document, "page", json_integer((json_int_t)page));
    set_text(document, "search", search);
    struct str pattern;
    enum err err = account_pattern(&arena, search, &pattern);
    err = account_finish(engine->store,
                         err == ERR_OK ? list(engine, actor, pattern, page, document) : err);
    arena_fini(&arena);
    if (err != ERR_OK) {
        json_decref(document);
        return err;
    }
    *ret_document = document;
    return ERR_OK;
}

static enum err show(struct engine *engine, const struct actor *actor, struct str id,
                     json_t *document)
{
    const struct store_value values[] = {store_text(actor->school), store_text(id)};
    struct store_rows *rows;
    enum err err;
    bool found = false;
    ERR_TRY(store_query(engine->store, STATEMENT_ACCOUNT_SHOW, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        json_t *item = item_of(rows, actor);
        json_object_update(document, item);
        json_decref(item);
        found = true;
    }
    store_rows_free(rows);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum err account_show(struct engine *engine, const struct actor *actor, struct str id,
                      json_t **ret_document)
{
    if (!account_may(actor, VERB_see)) {
        return ERR_DENIED;
    }
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    json_t *document = json_object();
    enum err err = account_finish(engine->store, show(engine, actor, id, document));
    if (err != ERR_OK) {
        json_decref(document);
        return err;
    }
    *ret_document = document;
    return ERR_OK;
}

static enum err people_without(struct engine *engine, const struct actor *actor, struct str pattern,
                               json_t *items)
{
    static const char *const names[] = {"id", "name", "kind", "log_on"};
    const struct store_value values[] = {store_text(actor->school), store_text(pattern),
                                         store_number(PEOPLE_MAX)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(engine->store, STATEMENT_ACCOUNT_PEOPLE_WITHOUT, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        json_t *item = json_object();
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            set_text(item, names[i], store_rows_bytes(rows, i));
        }
        json_array_append_new(items, item);
    }
    store_rows_free(rows);
    return err;
}

enum err account_people_without(struct engine *engine, const struct actor *actor, struct str search,
                                json_t **ret_document)
{
    struct arena arena;
    if (!account_may(actor, VERB_make)) {
        return ERR_DENIED;
    }
    ERR_TRY(store_begin(engine->store, actor->school, STORE_READ));
    arena_init(&arena, ARENA_BYTES);
    json_t *document = json_object();
    json_t *items = json_array();
    json_object_set_new(document, "items", items);
    set_text(document, "search", str_trim_space(search));
    struct str pattern;
    enum err err = account_pattern(&arena, search, &pattern);
    err = account_finish(engine->store,
                         err == ERR_OK ? people_without(engine, actor, pattern, items) : err);
    arena_fini(&arena);
    if (err != ERR_OK) {
        json_decref(document);
        return err;
    }
    *ret_document = document;
    return ERR_OK;
}

/* ---- making ---- */

void account_one_time(char ret_password[ACCOUNT_ONE_TIME_CHARS + 1])
{
    /* Without what is mistaken for another on paper; 9 stands twice to make them 32. */
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz234567899";
    uint8_t random[ACCOUNT_ONE_TIME_CHARS];
    _Static_assert(sizeof(letters) - 1 == 32, "a byte's five low bits choose one");
    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < ACCOUNT_ONE_TIME_CHARS; i++) {
        ret_password[i] = i % 5 == 4 ? '-' : letters[random[i] & 31];
    }
    ret_password[ACCOUNT_ONE_TIME_CHARS] = '\0';
    secret_wipe(random, sizeof(random));
}

static enum err fault(struct account_fault *ret_fault, const char *field, const char *why)
{
    *ret_fault = (struct account_fault){field, why};
    return ERR_INVALID;
}

static enum err check_new(struct str log_on, struct account_fault *ret_fault)
{
    if (log_on.len == 0) {
        return fault(ret_fault, "log_on", "Enter a log-on.");
    }
    if (log_on.len > ACCOUNT_LOG_ON_MAX) {
        return fault(ret_fault, "log_on", "A log-on has at most 64 characters.");
    }
    for (size_t i = 0; i < log_on.len; i++) {
        char c = log_on.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '-' && c != '_' &&
            c != '@' && c != '\'') {
            return fault(ret_fault, "log_on",
                         "Use letters without accents, digits, and . - _ @ ' only.");
        }
    }
    return ERR_OK;
}

/* The person must be at the school and without an account. */
static enum err check_person(struct store *store, struct arena *arena, const struct actor *actor,
                             struct str person, struct account_fault *ret_fault)
{
    const struct store_value values[] = {store_text(actor->school), store_text(person)};
    struct store_value columns[ACCOUNT_COLUMNS_N];
    enum err err = store_row(store, STATEMENT_ACCOUNT_PERSON, values, 2, arena, columns, 3);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !str_eq(columns[2].bytes, STR("here")))) {
        return fault(ret_fault, "person", "Choose somebody who is at the school.");
    }
    ERR_TRY(err);
    err =
        store_row(store, STATEMENT_ACCOUNT_OF_PERSON, values, 2, arena, columns, ACCOUNT_COLUMNS_N);
    if (err == ERR_OK) {
        return fault(ret_fault, "person", "This person has an account. Reset it instead.");
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Whether a change is worth a notice: the account has a second factor (an application, a passkey or
 * a sheet), or a role of the person's takes one, which whoever has the one-time password would else
 * set up unseen. */
static enum err is_guarded(struct store *store, const struct actor *actor,
                           const struct account *account, bool *ret_guarded)
{
    struct arena arena;
    struct factors factors = {0};
    struct actor other = {.school = account->school,
                          .account = account->id,
                          .now_ms = actor->now_ms,
                          .today = clock_british_day(actor->now_ms)};
    arena_init(&arena, ARENA_BYTES);
    enum err err = factors_in(store, &arena, &other, &factors);
    if (err == ERR_OK && account->person.len != 0) {
        err = actor_load(store, &arena, account->person, &other);
        err = err == ERR_NOT_FOUND ? ERR_OK : err; /* gone from the school: no role */
    }
    arena_fini(&arena);
    ERR_TRY(err);
    *ret_guarded = factors_any(&factors) || permit_needs_factor(other.roles);
    return ERR_OK;
}

static enum err make(struct engine *engine, const struct actor *actor, struct arena *arena,
                     const struct account_new *fresh, const struct record_id *id,
                     struct account_fault *ret_fault)
{
    struct str log_on = str_trim_space(fresh->log_on);
    bool guarded;
    ERR_TRY(check_person(engine->store, arena, actor, fresh->person, ret_fault));
    ERR_TRY(check_new(log_on, ret_fault));
    const struct store_value values[] = {
        store_text(str_from(id->text)),
        store_text(actor->school),
        store_text(fresh->person),
        store_text(STR("")),
        store_text(log_on),
        store_text(account_fold(arena, log_on)),
        store_text(fresh->hash),
        store_number(fresh->must_change),
        store_number(actor->now_ms),
        store_text(actor->person),
    };
    const struct account account = {
        .id = str_from(id->text), .school = actor->school, .person = fresh->person};
    enum err err = store_run(engine->store, STATEMENT_ACCOUNT_ADD, values, 10, NULL);
    if (err == ERR_CONFLICT) {
        return fault(ret_fault, "log_on", "Another account has this log-on. Choose another.");
    }
    ERR_TRY(err);
    ERR_TRY(account_note(engine, actor, ACT_made, &account, "log_on",
                         fresh->must_change ? STR("with a one-time password") : STR("")));
    ERR_TRY(is_guarded(engine->store, actor, &account, &guarded));
    /* The operator makes the first ones, before there is anybody to be told. */
    return guarded && actor->person.len != 0 ? notice_add(engine->store, actor, NOTICE_account_made,
                                                          account.person, account.id, actor->name)
                                             : ERR_OK;
}

enum err account_make(struct engine *engine, const struct actor *actor,
                      const struct account_new *fresh, struct record_id *ret_id,
                      struct account_fault *ret_fault)
{
    struct arena arena;
    struct record_id id;
    if (!account_may(actor, VERB_make)) {
        return ERR_DENIED;
    }
    if (!utf8_is_text(fresh->person)) {
        return fault(ret_fault, "person", "Choose somebody who is at the school.");
    }
    record_id_make(&id);
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, make(engine, actor, &arena, fresh, &id, ret_fault));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    if (err == ERR_OK) {
        *ret_id = id;
    }
    return err;
}

/* ---- changing ---- */

/* What is done to an account; the transaction is open. */
typedef enum err account_change(struct engine *engine, const struct actor *actor,
                                const struct account *account, struct str hash);

static enum err change(struct engine *engine, const struct actor *actor, struct str id,
                       account_change *what, struct str hash)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        struct account account;
        arena_reset(&arena);
        enum err err = account_get_other(engine->store, &arena, actor, id, &account);
        store_attempt_end(&attempt, err == ERR_OK ? what(engine, actor, &account, hash) : err);
    }
    arena_fini(&arena);
    return attempt.err;
}

static enum err set_state(struct engine *engine, const struct actor *actor,
                          const struct account *account, struct str state)
{
    const struct store_value values[] = {store_text(account->school), store_text(account->id),
                                         store_text(state), store_number(actor->now_ms),
                                         store_text(actor->person)};
    return store_run(engine->store, STATEMENT_ACCOUNT_SET_STATE, values, 5, NULL);
}

static enum err disable(struct engine *engine, const struct actor *actor,
                        const struct account *account, struct str hash)
{
    (void)hash;
    if (account->state == ACCOUNT_DISABLED) {
        return ERR_CONFLICT;
    }
    ERR_TRY(set_state(engine, actor, account, STR("disabled")));
    ERR_TRY(account_end_all(engine, actor, account, STR(""), STR("disabled")));
    ERR_TRY(supervision_end_person(engine, actor, account->person, STR("the account is disabled")));
    return account_note(engine, actor, ACT_changed, account, "state", STR("disabled"));
}

static enum err enable(struct engine *engine, const struct actor *actor,
                       const struct account *account, struct str hash)
{
    (void)hash;
    if (account->state != ACCOUNT_DISABLED) {
        return ERR_CONFLICT;
    }
    ERR_TRY(set_state(engine, actor, account, STR("active")));
    return account_note(engine, actor, ACT_changed, account, "state", STR("enabled"));
}

static enum err reset(struct engine *engine, const struct actor *actor,
                      const struct account *account, struct str hash)
{
    bool announced;
    const struct store_value values[] = {
        store_text(account->school), store_text(account->id),  store_text(hash), store_number(1),
        store_number(actor->now_ms), store_text(actor->person)};
    ERR_TRY(is_guarded(engine->store, actor, account, &announced));
    ERR_TRY(store_run(engine->store, STATEMENT_ACCOUNT_SET_HASH, values, 6, NULL));
    ERR_TRY(account_end_all(engine, actor, account, STR(""), STR("reset")));
    ERR_TRY(supervision_end_person(engine, actor, account->person, STR("the password is reset")));
    ERR_TRY(account_note(engine, actor, ACT_changed, account, "password",
                         STR("reset to a one-time password")));
    return announced ? notice_add(engine->store, actor, NOTICE_password_reset, account->person,
                                  account->id, actor->name)
                     : ERR_OK;
}

static enum err reset_factors(struct engine *engine, const struct actor *actor,
                              const struct account *account, struct str hash)
{
    const struct store_value values[] = {store_text(account->school), store_text(account->id)};
    (void)hash;
    ERR_TRY(store_run(engine->store, STATEMENT_FACTOR_REMOVE_ALL, values, 2, NULL));
    ERR_TRY(store_run(engine->store, STATEMENT_SHEET_REMOVE, values, 2, NULL));
    ERR_TRY(account_end_all(engine, actor, account, STR(""), STR("second factors reset")));
    ERR_TRY(account_note(engine, actor, ACT_changed, account, "factor",
                         STR("second factors taken off")));
    return notice_add(engine->store, actor, NOTICE_factors_reset, account->person, account->id,
                      actor->name);
}

enum err account_disable(struct engine *engine, const struct actor *actor, struct str id)
{
    return change(engine, actor, id, disable, STR(""));
}

enum err account_enable(struct engine *engine, const struct actor *actor, struct str id)
{
    return change(engine, actor, id, enable, STR(""));
}

enum err account_reset(struct engine *engine, const struct actor *actor, struct str id,
                       struct str hash)
{
    return change(engine, actor, id, reset, hash);
}

enum err account_reset_factors(struct engine *engine, const struct actor *actor, struct str id)
{
    return change(engine, actor, id, reset_factors, STR(""));
}

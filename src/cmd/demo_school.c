/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstration school's records: the operator makes them through the engine, row by row. */
#include "cmd/demo_school.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "records/account.h"
#include "records/factor.h"
#include "records/school_policy.h"
#include "records/supervision.h"
#include "store/attempt.h"

enum { PATH_BYTES = 4200, GROUP_LETTERS = 4, WHY_MAX = 4096, ARENA_MAX = 64 * 1024 };
enum { SHOWN_CODES = 3 };

struct making {
    struct engine engine;
    struct actor operator;
    json_t *made; /* {name: id} */
    struct demo_login *logins;
    size_t n;
    struct buf *guide;
};

static struct str member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return str_make(json_string_value(value), json_string_length(value));
}

static int fail(const struct making *making, struct str what, enum err err, const json_t *faults)
{
    char *why = faults != NULL ? json_dumps(faults, JSON_COMPACT) : NULL;
    int code = cmd_fail(EXIT_REFUSED, "serve", "demo/school.json, %.*s: %s %s %s", STR_ARG(what),
                        err_text(err), why != NULL ? why : "", store_why(making->engine.store));
    free(why);
    return code;
}

/* "kfme-x2pd-9qrt": easy to type, 60 bits. */
static void make_password(char to[DEMO_PASSWORD_BYTES])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    _Static_assert(sizeof(letters) - 1 == 32, "each letter is five bits");
    uint64_t random = random_u64();
    for (size_t i = 0; i < DEMO_PASSWORD_BYTES - 1; i++) {
        bool dash = i % (GROUP_LETTERS + 1) == GROUP_LETTERS;
        to[i] = dash ? '-' : letters[random & 31];
        random >>= dash ? 0 : 5;
    }
    to[DEMO_PASSWORD_BYTES - 1] = '\0';
}

/* ---- rows ---- */

/* "$ada" is the id of what was made as "ada". */
static json_t *fields_of(const struct making *making, const json_t *row)
{
    json_t *fields = json_deep_copy(json_object_get(row, "fields"));
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(fields, next, name, value)
    {
        struct str text = str_make(json_string_value(value), json_string_length(value));
        if (str_starts(text, STR("$"))) {
            (void)json_object_set(fields, name,
                                  json_object_getn(making->made, text.p + 1, text.len - 1));
        }
    }
    return fields;
}

static int make_record(struct making *making, const json_t *row)
{
    struct record_id id;
    json_t *faults = NULL;
    struct str name = member(row, "make");
    struct str as = member(row, "as");
    const struct register_def *def = register_find(name);
    json_t *fields = fields_of(making, row);
    enum err err = def != NULL
                       ? engine_make(&making->engine, &making->operator, def, fields, &id, &faults)
                       : ERR_NOT_FOUND;
    if (err == ERR_OK && as.len != 0) {
        json_object_setn_new(making->made, as.p, as.len, json_string(id.text));
    }
    int code = err == ERR_OK ? OPTIONS_GO_ON : fail(making, name, err, faults);
    json_decref(fields);
    json_decref(faults);
    return code;
}

static int move_record(struct making *making, const json_t *row)
{
    struct str of = member(row, "of");
    const json_t *id = json_object_getn(making->made, of.p, of.len);
    json_t *faults = NULL;
    json_t *none = json_object();
    enum err err =
        engine_move(&making->engine, &making->operator, register_find(member(row, "register")),
                    str_from(json_string_value(id)), 1, member(row, "move"), none,
                    member(row, "reason"), &faults);
    int code = err == ERR_OK ? OPTIONS_GO_ON : fail(making, of, err, faults);
    json_decref(none);
    json_decref(faults);
    return code;
}

/* ---- accounts ---- */

/* A sheet of codes for a role that asks for a second factor; its first ones into the guide. */
static enum err add_sheet(struct making *making, struct arena *arena, struct str person,
                          struct str account)
{
    struct actor actor = {.school = making->operator.school,
                          .now_ms = making->operator.now_ms,
                          .today = making->operator.today };
    struct sheet sheet;
    ERR_TRY(store_begin(making->engine.store, actor.school, STORE_READ));
    enum err err = actor_load(making->engine.store, arena, person, &actor);
    store_rollback(making->engine.store);
    ERR_TRY(err);
    if (!permit_needs_factor(actor.roles)) {
        return ERR_OK;
    }
    actor.account = account;
    ERR_TRY(sheet_make(&making->engine, &actor, &sheet));
    for (size_t i = 0; i < SHOWN_CODES; i++) {
        buf_printf(making->guide, "%s%s", i == 0 ? "             codes: " : "  ", sheet.codes[i]);
    }
    buf_append(making->guide, STR("\n"));
    secret_wipe(&sheet, sizeof(sheet));
    return ERR_OK;
}

static int make_account(struct making *making, const json_t *row)
{
    struct demo_login *login = &making->logins[making->n];
    char hash[PASSWORD_TEXT_MAX];
    struct record_id id;
    struct arena arena;
    struct account_fault fault = {"", ""};
    struct str key = member(row, "account");
    struct str log_on = member(row, "log_on");
    const json_t *person = json_object_getn(making->made, key.p, key.len);
    if (making->n == DEMO_LOGINS_MAX || log_on.len >= DEMO_LOG_ON_BYTES) {
        return fail(making, log_on, ERR_LIMIT, NULL);
    }
    memcpy(login->log_on, log_on.p, log_on.len);
    login->log_on[log_on.len] = '\0';
    make_password(login->password);
    const struct account_new fresh = {
        .person = str_from(json_string_value(person)), .log_on = log_on, .hash = str_make(hash, 0)};
    enum err err = password_hash(str_from(login->password), hash);
    struct account_new whole = fresh;
    whole.hash = str_from(hash);
    if (err == ERR_OK) {
        err = account_make(&making->engine, &making->operator, & whole, &id, &fault);
    }
    buf_printf(making->guide, "  %-10s %s   %.*s\n", login->log_on, login->password,
               STR_ARG(member(row, "what")));
    arena_init(&arena, ARENA_MAX);
    if (err == ERR_OK) {
        err = add_sheet(making, &arena, whole.person, str_from(id.text));
    }
    arena_fini(&arena);
    making->n++;
    return err == ERR_OK ? OPTIONS_GO_ON : fail(making, log_on, err, NULL);
}

/* ---- a class log-on that runs ---- */

/* The last end that is offered. */
static int64_t last_end(const json_t *shown)
{
    const json_t *ends = json_object_get(shown, "ends");
    size_t n = json_array_size(ends);
    struct civil civil;
    return n != 0 && civil_parse(member(json_array_get(ends, n - 1), "value"), &civil) == ERR_OK
               ? civil_to_ms(&civil)
               : 0;
}

static enum err supervise(struct making *making, const struct actor *actor, struct str class)
{
    struct supervision_new wish = {.group = class, .all = true};
    struct supervision_fault fault;
    struct record_id id;
    json_t *shown = NULL;
    ERR_TRY(supervision_show(&making->engine, actor, false, &shown));
    wish.until_ms = last_end(shown);
    json_decref(shown);
    return supervision_start(&making->engine, actor, &wish, &id, &fault);
}

/* As the adult does it who signs in. */
static int make_supervision(struct making *making, const json_t *row)
{
    struct arena arena;
    struct account account;
    struct str class = member(row, "supervise");
    struct actor actor = {.school = making->operator.school,
                          .now_ms = making->operator.now_ms,
                          .today = making->operator.today };
    arena_init(&arena, ARENA_MAX);
    enum err err =
        account_find_at(&making->engine, &arena, actor.school, member(row, "by"), &account);
    if (err == ERR_OK) {
        err = store_begin(making->engine.store, actor.school, STORE_READ);
    }
    if (err == ERR_OK) {
        actor.account = account.id;
        err = actor_load(making->engine.store, &arena, account.person, &actor);
        store_rollback(making->engine.store);
    }
    const json_t *id = json_object_getn(making->made, class.p, class.len);
    err = err == ERR_OK ? supervise(making, &actor, str_from(json_string_value(id))) : err;
    arena_fini(&arena);
    return err == ERR_OK ? OPTIONS_GO_ON : fail(making, class, err, NULL);
}

/* ---- the whole ---- */

static enum err put_school(struct making *making, const json_t *school, struct str policy)
{
    struct store *store = making->engine.store;
    const struct store_value values[] = {
        store_text(making->operator.school), store_text(member(school, "name")),
        store_text(member(school, "kind")), store_text(member(school, "urn")),
        store_number(making->operator.now_ms)};
    struct buf why;
    buf_init(&why, WHY_MAX);
    enum err err = store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL);
    if (err == ERR_OK) {
        err = school_policy_keep_first(&making->engine, &making->operator, policy,
                                       STR("The preset of the demonstration"), &why);
    }
    buf_fini(&why);
    return err;
}

static enum err add_school(struct making *making, const json_t *school, struct str policy)
{
    struct store_attempt attempt =
        store_attempt(making->engine.store, making->operator.school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, put_school(making, school, policy));
    }
    return attempt.err;
}

static int make_rows(struct making *making, const json_t *rows)
{
    static const struct {
        const char *key;
        int (*make)(struct making *making, const json_t *row);
    } makers[] = {{"make", make_record},
                  {"move", move_record},
                  {"account", make_account},
                  {"supervise", make_supervision}};
    int code = OPTIONS_GO_ON;
    for (size_t i = 0; i < json_array_size(rows) && code == OPTIONS_GO_ON; i++) {
        const json_t *row = json_array_get(rows, i);
        for (size_t m = 0; m < sizeof(makers) / sizeof(makers[0]); m++) {
            if (json_object_get(row, makers[m].key) != NULL) {
                code = makers[m].make(making, row);
                break;
            }
        }
    }
    return code;
}

/* What an earlier demonstration left. */
static void remove_old(int data_fd)
{
    static const char *const names[] = {
        "store/lodge.db", "store/lodge.db-wal", "store/lodge.db-shm", "keys/master.key",
        "keys/keys.db",   "keys/keys.db-wal",   "keys/keys.db-shm",   "keys/keys.db-journal"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlinkat(data_fd, names[i], 0);
    }
}

static enum err open_records(const char *data, struct making *making, struct buf *why)
{
    char path[PATH_BYTES];
    int data_fd;
    int keys_fd = -1;
    int n = snprintf(path, sizeof(path), "%s/" PLACE_STORE, data);
    if (n < 0 || n >= (int)sizeof(path)) {
        return ERR_LIMIT;
    }
    ERR_TRY(file_open_dir(AT_FDCWD, data, &data_fd));
    remove_old(data_fd);
    enum err err = file_make_dirs(data_fd, "store", 0770);
    if (err == ERR_OK) {
        err = file_make_dirs(data_fd, PLACE_KEYS, 0700);
    }
    if (err == ERR_OK) {
        err = file_open_dir(data_fd, PLACE_KEYS, &keys_fd);
    }
    close(data_fd);
    ERR_TRY(err);
    err = keys_open(keys_fd, &making->engine.keys, why);
    close(keys_fd);
    return err == ERR_OK ? store_open(path, &making->engine.store, why) : err;
}

static int fill(struct making *making, struct str rows, struct str policy)
{
    json_t *document = json_loadb(rows.p, rows.len, 0, NULL);
    enum err err = document != NULL
                       ? add_school(making, json_object_get(document, "school"), policy)
                       : ERR_INVALID;
    int code = err == ERR_OK ? make_rows(making, json_object_get(document, "rows"))
                             : fail(making, STR("school"), err, NULL);
    json_decref(document);
    return code;
}

int demo_school_make(const char *data, struct str rows, struct str policy,
                     struct demo_login *logins, size_t *ret_n, struct buf *guide)
{
    struct record_id school;
    struct buf why;
    struct making making = {.made = json_object(), .logins = logins, .guide = guide};
    record_id_make(&school);
    making.operator=(struct actor){
        .school = str_from(school.text), .operator= true, .now_ms = clock_utc_ms()};
    making.operator.today = clock_british_day(making.operator.now_ms);
    buf_init(&why, WHY_MAX);
    enum err err = open_records(data, &making, &why);
    int code = err == ERR_OK ? fill(&making, rows, policy)
                             : cmd_fail(EXIT_REFUSED, "serve", "%s: %s %.*s", data, err_text(err),
                                        STR_ARG(buf_str(&why)));
    buf_fini(&why);
    *ret_n = making.n;
    keys_close(making.engine.keys);
    store_close(making.engine.store);
    json_decref(making.made);
    return code;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sign-ins at the gate. */
#include "records/gate_sign_in.h"

#include "base/check.h"
#include "base/clock.h"
#include "records/account_impl.h"
#include "records/publish.h"
#include "store/attempt.h"
#include "wire/addr.h"

enum { COLUMNS = 7, ARENA_BYTES = 64 * 1024, WORDS_MAX = 256, KEPT_DAYS = 30 };

static struct str how_name(enum gate_how how)
{
    static const struct str names[] = {
        [GATE_HOW_SILENT] = STR_INIT("silent"),
        [GATE_HOW_PROVIDER] = STR_INIT("provider"),
        [GATE_HOW_PASSWORD] = STR_INIT("password"),
        [GATE_HOW_SESSION] = STR_INIT("session"),
    };
    CHECK(how > GATE_HOW_UNSET && (size_t)how < sizeof(names) / sizeof(names[0]));
    return names[how];
}

/* ---- devices ---- */

static bool is_at(struct str address, const uint8_t client[16])
{
    struct addr addr;
    return addr_parse(address, &addr) == ERR_OK &&
           memcmp(addr.bytes, client, sizeof(addr.bytes)) == 0;
}

/* Of two with one address the first counts, as in publishing. */
static enum err find_device(struct store *store, struct arena *arena, struct str school,
                            const uint8_t client[16], struct gate_device *ret_device)
{
    const struct store_value values[] = {store_text(school)};
    struct gate_device device = {.school = school};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_GATE_DEVICES, values, 1, &rows));
    while (store_rows_next(rows, &err)) {
        if (device.id.len == 0 && is_at(store_rows_bytes(rows, 2), client)) {
            device.id = arena_dup(arena, store_rows_bytes(rows, 0));
            device.isolated = str_eq(store_rows_bytes(rows, 1), STR("isolated"));
            device.tag = arena_dup(arena, store_rows_bytes(rows, 3));
            device.owned = store_rows_bytes(rows, 4).len != 0;
        }
    }
    store_rows_free(rows);
    ERR_TRY(err);
    if (arena->failed) {
        return ERR_MEMORY;
    }
    *ret_device = device;
    return device.id.len != 0 ? ERR_OK : ERR_NOT_FOUND;
}

static enum err find_school(struct store *store, struct arena *arena, struct str name,
                            struct str *ret_school)
{
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    return account_finish(store, publish_school(store, arena, name, ret_school));
}

enum err gate_device_at(struct store *store, struct arena *arena, struct str school_name,
                        const uint8_t client[16], struct gate_device *ret_device)
{
    struct str school;
    ERR_TRY(find_school(store, arena, school_name, &school));
    ERR_TRY(store_begin(store, school, STORE_READ));
    return account_finish(store, find_device(store, arena, school, client, ret_device));
}

/* ---- what is in force ---- */

static struct gate_sign_in from_rows(const struct store_rows *rows, struct arena *arena)
{
    return (struct gate_sign_in){
        .id = arena_dup(arena, store_rows_bytes(rows, 0)),
        .device = arena_dup(arena, store_rows_bytes(rows, 1)),
        .person = arena_dup(arena, store_rows_bytes(rows, 2)),
        .account = arena_dup(arena, store_rows_bytes(rows, 3)),
        .until_ms = store_rows_number(rows, 4),
        .name = arena_dup(arena, store_rows_bytes(rows, 5)),
        .tag = arena_dup(arena, store_rows_bytes(rows, 6)),
    };
}

/* The last one that a statement about one thing finds. */
static enum err find_last(struct store *store, struct arena *arena, enum store_statement statement,
                          struct str school, struct str which, int64_t now_ms,
                          struct gate_sign_in *ret_sign_in)
{
    const struct store_value values[] = {store_text(school), store_number(now_ms),
                                         store_text(which)};
    struct store_rows *rows;
    enum err err;
    bool found = false;
    ERR_TRY(store_query(store, statement, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        *ret_sign_in = from_rows(rows, arena);
        found = true;
    }
    store_rows_free(rows);
    if (err == ERR_OK && arena->failed) {
        return ERR_MEMORY;
    }
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum err gate_sign_in_at(struct store *store, struct arena *arena, const struct gate_device *device,
                         int64_t now_ms, struct gate_sign_in *ret_sign_in)
{
    ERR_TRY(store_begin(store, device->school, STORE_READ));
    return account_finish(store, find_last(store, arena, STATEMENT_GATE_SIGN_INS_OF_DEVICE,
                                           device->school, device->id, now_ms, ret_sign_in));
}

enum err gate_sign_ins_of(struct store *store, struct str school, struct str account,
                          int64_t now_ms, json_t *to)
{
    const struct store_value values[] = {store_text(school), store_number(now_ms),
                                         store_text(account)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_GATE_SIGN_INS_OF_ACCOUNT, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        struct str id = store_rows_bytes(rows, 0);
        struct str tag = store_rows_bytes(rows, 6);
        json_array_append_new(to, json_pack("{s:s%, s:s%, s:I}", "id", id.p, id.len, "tag",
                                            tag.p != NULL ? tag.p : "", tag.len, "until_ms",
                                            (json_int_t)store_rows_number(rows, 4)));
    }
    store_rows_free(rows);
    return err;
}

/* ---- ending ---- */

static enum err note(struct engine *engine, const struct actor *actor, enum act act,
                     const struct gate_sign_in *sign_in, struct str words)
{
    const struct act_entry entry = {
        .act = act,
        .area = STR("gate"),
        .record = sign_in->id,
        .about = sign_in->person,
        .words = words,
    };
    return audit_append(engine->store, engine->keys, actor, &entry, NULL);
}

static enum err end_one(struct engine *engine, const struct actor *actor,
                        const struct gate_sign_in *sign_in, struct str why)
{
    const struct store_value values[] = {store_text(actor->school), store_text(sign_in->id),
                                         store_number(actor->now_ms), store_text(why)};
    struct buf words;
    ERR_TRY(store_run(engine->store, STATEMENT_GATE_SIGN_IN_END, values, 4, NULL));
    buf_init(&words, WORDS_MAX);
    buf_printf(&words, "%.*s: %.*s", STR_ARG(sign_in->tag), STR_ARG(why));
    enum err err = note(engine, actor, ACT_signed_out, sign_in, buf_str(&words));
    buf_fini(&words);
    return err;
}

/* All that a statement finds; it is read to its end before anything is changed. */
static enum err end_all(struct engine *engine, const struct actor *actor,
                        enum store_statement statement, struct str which, struct str why)
{
    struct arena arena;
    struct gate_sign_in sign_in;
    enum err err = ERR_OK;
    arena_init(&arena, ARENA_BYTES);
    while (err == ERR_OK) {
        err = find_last(engine->store, &arena, statement, actor->school, which, actor->now_ms,
                        &sign_in);
        err = err == ERR_OK ? end_one(engine, actor, &sign_in, why) : err;
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err gate_sign_in_end_account(struct engine *engine, const struct actor *actor,
                                  struct str account, struct str why)
{
    return end_all(engine, actor, STATEMENT_GATE_SIGN_INS_OF_ACCOUNT, account, why);
}

static enum err end_own(struct engine *engine, const struct actor *actor, struct arena *arena,
                        struct str id)
{
    struct gate_sign_in sign_in;
    ERR_TRY(find_last(engine->store, arena, STATEMENT_GATE_SIGN_IN_GET, actor->school, id,
                      actor->now_ms, &sign_in));
    if (actor->account.len == 0 || !str_eq(sign_in.account, actor->account)) {
        return ERR_NOT_FOUND;
    }
    return end_one(engine, actor, &sign_in, STR("signed out by the person"));
}

enum err gate_sign_in_end(struct engine *engine, const struct actor *actor, struct str id)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, end_own(engine, actor, &arena, id));
    }
    arena_fini(&arena);
    return attempt.err;
}

static enum err end_here(struct engine *engine, const struct actor *actor, struct arena *arena)
{
    struct gate_device device;
    ERR_TRY(find_device(engine->store, arena, actor->school, actor->client, &device));
    return end_all(engine, actor, STATEMENT_GATE_SIGN_INS_OF_DEVICE, device.id,
                   STR("signed out at the device"));
}

static enum err try_end_here(struct engine *engine, const struct actor *actor)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, end_here(engine, actor, &arena));
    }
    arena_fini(&arena);
    return attempt.err;
}

enum err gate_sign_in_end_here(struct engine *engine, const struct actor *actor,
                               struct str school_name)
{
    struct arena arena;
    struct actor within = *actor;
    arena_init(&arena, ARENA_BYTES);
    enum err err = find_school(engine->store, &arena, school_name, &within.school);
    if (err == ERR_OK) {
        err = try_end_here(engine, &within);
    }
    arena_fini(&arena);
    return err;
}

/* ---- beginning ---- */

/* The account as it stands now, not as it was when the provider was asked. */
static enum err check_person(struct engine *engine, const struct actor *actor, struct arena *arena,
                             int64_t *ret_midnight_ms)
{
    struct account account;
    bool placed;
    enum err err = account_get(engine->store, arena, actor->school, actor->account, &account);
    if (err == ERR_NOT_FOUND ||
        (err == ERR_OK && (account.state != ACCOUNT_ACTIVE || account.must_change ||
                           account.person.len == 0 || !str_eq(account.person, actor->person)))) {
        return ERR_DENIED;
    }
    ERR_TRY(err);
    ERR_TRY(publish_places(engine->store, actor->school, actor->person, actor->now_ms, &placed,
                           ret_midnight_ms));
    return placed ? ERR_OK : ERR_DENIED;
}

static enum err add(struct engine *engine, const struct actor *actor,
                    const struct gate_device *device, enum gate_how how,
                    const struct gate_sign_in *sign_in)
{
    char client[ADDR_TEXT_MAX];
    char moment[CIVIL_TEXT_MAX];
    struct addr addr;
    struct buf words;
    memcpy(addr.bytes, actor->client, sizeof(addr.bytes));
    const struct store_value values[] = {
        store_text(sign_in->id),
        store_text(actor->school),
        store_text(device->id),
        store_text(actor->person),
        store_text(actor->account),
        store_text(how_name(how)),
        store_text(str_make(client, addr_print(&addr, client))),
        store_number(actor->now_ms),
        store_number(sign_in->until_ms),
    };
    ERR_TRY(store_run(engine->store, STATEMENT_GATE_SIGN_IN_ADD, values, 9, NULL));
    (void)clock_british_print(sign_in->until_ms, moment);
    buf_init(&words, WORDS_MAX);
    buf_printf(&words, "%.*s until %s, by %.*s", STR_ARG(device->tag), moment,
               STR_ARG(how_name(how)));
    enum err err = note(engine, actor, ACT_signed_in, sign_in, buf_str(&words));
    buf_fini(&words);
    return err;
}

static enum err begin(struct engine *engine, const struct actor *actor, struct arena *arena,
                      enum gate_how how, int64_t limit_ms, int64_t *ret_until_ms)
{
    struct gate_device device;
    struct record_id id;
    int64_t midnight_ms;
    const struct store_value old[] = {
        store_text(actor->school), store_number(actor->now_ms - KEPT_DAYS * (int64_t)MS_PER_DAY)};
    ERR_TRY(find_device(engine->store, arena, actor->school, actor->client, &device));
    if (device.owned || device.isolated) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(check_person(engine, actor, arena, &midnight_ms));
    ERR_TRY(store_run(engine->store, STATEMENT_GATE_SIGN_IN_SWEEP, old, 2, NULL));
    ERR_TRY(end_all(engine, actor, STATEMENT_GATE_SIGN_INS_OF_DEVICE, device.id,
                    STR("another sign-in on the device")));
    int64_t until_ms = actor->now_ms + limit_ms;
    until_ms = until_ms < midnight_ms ? until_ms : midnight_ms;
    record_id_make(&id);
    const struct gate_sign_in sign_in = {
        .id = str_from(id.text), .person = actor->person, .until_ms = until_ms};
    ERR_TRY(add(engine, actor, &device, how, &sign_in));
    *ret_until_ms = until_ms;
    return ERR_OK;
}

static enum err try_begin(struct engine *engine, const struct actor *actor, enum gate_how how,
                          int64_t limit_ms, int64_t *ret_until_ms)
{
    struct arena arena;
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, begin(engine, actor, &arena, how, limit_ms, ret_until_ms));
    }
    arena_fini(&arena);
    return attempt.err;
}

enum err gate_sign_in_begin(struct engine *engine, const struct actor *actor,
                            struct str school_name, enum gate_how how, int64_t limit_ms,
                            int64_t *ret_until_ms)
{
    struct arena arena;
    struct str school;
    arena_init(&arena, ARENA_BYTES);
    enum err err = find_school(engine->store, &arena, school_name, &school);
    if (err == ERR_OK) {
        /* Somebody of another school of the trust has no place in this one's policy. */
        err = str_eq(school, actor->school) ? try_begin(engine, actor, how, limit_ms, ret_until_ms)
                                            : ERR_DENIED;
    }
    arena_fini(&arena);
    return err;
}

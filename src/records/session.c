/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions of the console. */
#include "records/session.h"

#include <string.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "records/account_impl.h"
#include "records/supervision.h"
#include "store/attempt.h"
#include "wire/addr.h"
#include "wire/base64.h"

enum { TOKEN_BYTES = HASH_KEY_BYTES, COLUMNS = 10, TEXT_BYTES = 64 };

/* ---- tokens ---- */

/* What is derived from a token is useless for finding it: BLAKE2b with the token as the key. */
static void derive(const uint8_t token[TOKEN_BYTES], struct str what, uint8_t *ret_bytes)
{
    hash_keyed(token, what, ret_bytes, SESSION_DIGEST_BYTES);
}

static bool token_bytes(struct str token, uint8_t ret_bytes[TOKEN_BYTES])
{
    struct buf bytes;
    if (token.len != SESSION_TOKEN_CHARS) {
        return false;
    }
    buf_init(&bytes, TEXT_BYTES);
    bool good = base64url_decode(token, &bytes) == ERR_OK && bytes.len == TOKEN_BYTES;
    if (good) {
        memcpy(ret_bytes, bytes.p, TOKEN_BYTES);
    }
    if (bytes.p != NULL) {
        secret_wipe(bytes.p, bytes.len);
    }
    buf_fini(&bytes);
    return good;
}

static void print_token(const uint8_t bytes[TOKEN_BYTES], char to[SESSION_TOKEN_CHARS + 1])
{
    struct buf text;
    buf_init(&text, TEXT_BYTES);
    base64url_encode(str_make((const char *)bytes, TOKEN_BYTES), &text);
    CHECK(buf_err(&text) == ERR_OK && text.len == SESSION_TOKEN_CHARS);
    memcpy(to, text.p, text.len);
    to[text.len] = '\0';
    secret_wipe(text.p, text.len);
    buf_fini(&text);
}

bool session_token_digest(struct str token, uint8_t ret_digest[SESSION_DIGEST_BYTES])
{
    uint8_t bytes[TOKEN_BYTES];
    bool good = token_bytes(token, bytes);
    if (good) {
        derive(bytes, STR("lodge session"), ret_digest);
    }
    secret_wipe(bytes, sizeof(bytes));
    return good;
}

void session_token_make(struct session_token *ret_token, uint8_t ret_digest[SESSION_DIGEST_BYTES])
{
    uint8_t bytes[TOKEN_BYTES];
    random_bytes(bytes, sizeof(bytes));
    print_token(bytes, ret_token->text);
    derive(bytes, STR("lodge session"), ret_digest);
    secret_wipe(bytes, sizeof(bytes));
}

static void print_csrf(struct str token, char to[SESSION_TOKEN_CHARS + 1])
{
    uint8_t bytes[TOKEN_BYTES];
    uint8_t csrf[SESSION_DIGEST_BYTES];
    CHECK(token_bytes(token, bytes));
    derive(bytes, STR("lodge csrf"), csrf);
    print_token(csrf, to);
    secret_wipe(bytes, sizeof(bytes));
}

/* ---- finding ---- */

static struct store_value digest_value(const uint8_t digest[SESSION_DIGEST_BYTES])
{
    return store_blob(str_make((const char *)digest, SESSION_DIGEST_BYTES));
}

static enum err find(struct store *store, struct arena *arena,
                     const uint8_t digest[SESSION_DIGEST_BYTES], int64_t now_ms,
                     struct store_value columns[COLUMNS])
{
    const struct store_value values[] = {digest_value(digest), store_number(now_ms),
                                         store_number(now_ms - SESSION_IDLE_MS)};
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    return account_finish(
        store, store_row(store, STATEMENT_SESSION_FIND, values, 3, arena, columns, COLUMNS));
}

/* Not noted, for a disk that is full or another writer, it is found idle so much earlier: no reason
 * to refuse a page that only reads. */
static void note_use(struct store *store, const struct session *session, int64_t now_ms)
{
    const struct store_value values[] = {store_text(session->school), store_text(session->id),
                                         store_number(now_ms)};
    struct store_attempt attempt = store_attempt(store, session->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, store_run(store, STATEMENT_SESSION_USED, values, 3, NULL));
    }
}

/* A compromised account's last session may do nothing but choose a new password. */
static enum session_stage stage_of(struct str stage, struct str state)
{
    if (str_eq(state, STR("active"))) {
        return str_eq(stage, STR("whole")) ? SESSION_WHOLE : SESSION_PASSWORD;
    }
    return str_eq(state, STR("compromised")) ? SESSION_PASSWORD : SESSION_NONE;
}

enum err session_find(struct store *store, struct arena *arena, struct str token, int64_t now_ms,
                      struct session *ret_session)
{
    uint8_t digest[SESSION_DIGEST_BYTES];
    struct store_value columns[COLUMNS];
    *ret_session = (struct session){.stage = SESSION_NONE};
    if (!session_token_digest(token, digest)) {
        return ERR_OK;
    }
    enum err err = find(store, arena, digest, now_ms, columns);
    if (err == ERR_NOT_FOUND) {
        return ERR_OK;
    }
    ERR_TRY(err);
    const struct session session = {
        .stage = stage_of(columns[5].bytes, columns[9].bytes),
        .id = columns[0].bytes,
        .school = columns[1].bytes,
        .account = columns[2].bytes,
        .person = columns[3].bytes,
        .glass = columns[4].bytes,
        /* The sealed credential is as good as a factor for all of its hour. */
        .factor_ms = columns[4].bytes.len > 0 ? now_ms : columns[7].number,
    };
    if (session.stage == SESSION_NONE) {
        return ERR_OK;
    }
    if (now_ms - columns[6].number >= MS_PER_MINUTE) {
        note_use(store, &session, now_ms);
    }
    *ret_session = session;
    print_csrf(token, ret_session->csrf);
    return ERR_OK;
}

/* ---- who it is ---- */

static enum err end_person(struct engine *engine, const struct actor *actor, struct str why)
{
    const struct account account = {.id = actor->account, .person = actor->person};
    ERR_TRY(session_end_person(engine->store, actor->school, actor->person, actor->now_ms, why));
    ERR_TRY(supervision_end_person(engine, actor, actor->person, why));
    return account_note(engine, actor, ACT_signed_out, &account, NULL, why);
}

/* Somebody without a role is refused by each page, whether or not their sessions can be ended just
 * now. */
static void try_end_person(struct engine *engine, const struct actor *actor, struct str why)
{
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, end_person(engine, actor, why));
    }
}

enum err session_actor(struct engine *engine, struct arena *arena, const struct session *session,
                       struct actor *actor)
{
    actor->school = session->school;
    actor->account = session->account;
    actor->session = session->id;
    actor->factor_ms = session->factor_ms;
    if (session->glass.len > 0) {
        actor->person = STR("");
        actor->name = STR("Sealed credential");
        actor->roles = 1U << ROLE_head;
        return ERR_OK;
    }
    ERR_TRY(store_begin(engine->store, session->school, STORE_READ));
    enum err err =
        account_finish(engine->store, actor_load(engine->store, arena, session->person, actor));
    if (err == ERR_NOT_FOUND || (err == ERR_OK && actor->roles == 0)) {
        actor->person = session->person;
        try_end_person(engine, actor, STR("the last role ended"));
        return ERR_DENIED;
    }
    return err;
}

/* ---- beginning ---- */

static enum err add(struct store *store, const struct actor *actor, enum session_stage stage,
                    struct str glass, int64_t factor_ms, const struct record_id *id,
                    const uint8_t digest[SESSION_DIGEST_BYTES])
{
    char client[ADDR_TEXT_MAX];
    struct addr addr;
    memcpy(addr.bytes, actor->client, sizeof(addr.bytes));
    int64_t length_ms = glass.len > 0               ? SESSION_GLASS_MS
                        : stage == SESSION_PASSWORD ? SESSION_SIGNING_MS
                                                    : SESSION_MS;
    const struct store_value values[] = {
        store_text(str_from(id->text)),
        store_text(actor->school),
        store_text(actor->account),
        store_text(actor->person),
        store_text(glass),
        digest_value(digest),
        store_text(stage == SESSION_WHOLE ? STR("whole") : STR("password")),
        store_text(str_make(client, addr_print(&addr, client))),
        store_number(actor->now_ms),
        store_number(actor->now_ms + length_ms),
        store_number(factor_ms),
    };
    return store_run(store, STATEMENT_SESSION_ADD, values, 11, NULL);
}

static enum err end_one(struct store *store, const struct actor *actor, struct str id,
                        struct str why, uint64_t *ret_ended)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->account),
                                         store_text(id), store_number(actor->now_ms),
                                         store_text(why)};
    return store_run(store, STATEMENT_SESSION_END, values, 5, ret_ended);
}

/* Sessions of a month ago tell nobody anything; remembered computers whose time is over neither. */
static enum err sweep(struct store *store, const struct actor *actor)
{
    const struct store_value old[] = {store_text(actor->school),
                                      store_number(actor->now_ms - 30 * (int64_t)MS_PER_DAY)};
    const struct store_value over[] = {store_text(actor->school), store_number(actor->now_ms)};
    ERR_TRY(store_run(store, STATEMENT_SESSION_SWEEP, old, 2, NULL));
    return store_run(store, STATEMENT_COMPUTER_SWEEP, over, 2, NULL);
}

static enum err begin(struct engine *engine, const struct actor *actor, enum session_stage stage,
                      int64_t factor_ms, const uint8_t digest[SESSION_DIGEST_BYTES])
{
    struct record_id id;
    struct actor within = *actor;
    const struct account account = {.id = actor->account, .person = actor->person};
    record_id_make(&id);
    ERR_TRY(sweep(engine->store, actor));
    if (actor->session.len > 0) {
        ERR_TRY(end_one(engine->store, actor, actor->session, STR("went on"), NULL));
    }
    ERR_TRY(add(engine->store, actor, stage, STR(""), factor_ms, &id, digest));
    within.session = str_from(id.text);
    return stage == SESSION_WHOLE
               ? account_note(engine, &within, ACT_signed_in, &account, NULL, STR(""))
               : ERR_OK;
}

enum err session_begin(struct engine *engine, const struct actor *actor, enum session_stage stage,
                       int64_t factor_ms, struct session_token *ret_token)
{
    struct session_token token;
    uint8_t digest[SESSION_DIGEST_BYTES];
    CHECK(stage == SESSION_PASSWORD || stage == SESSION_WHOLE);
    session_token_make(&token, digest);
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, begin(engine, actor, stage, factor_ms, digest));
    }
    ERR_TRY(attempt.err);
    *ret_token = token;
    return ERR_OK;
}

enum err session_begin_glass(struct store *store, const struct actor *actor, struct str glass,
                             struct session_token *ret_token)
{
    struct record_id id;
    uint8_t digest[SESSION_DIGEST_BYTES];
    record_id_make(&id);
    session_token_make(ret_token, digest);
    return add(store, actor, SESSION_WHOLE, glass, actor->now_ms, &id, digest);
}

enum err session_show_factor(struct engine *engine, const struct actor *actor)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->session),
                                         store_number(actor->now_ms)};
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt,
                          store_run(engine->store, STATEMENT_SESSION_FACTOR, values, 3, NULL));
    }
    return attempt.err;
}

/* ---- ending ---- */

static enum err end(struct engine *engine, const struct actor *actor, struct str id)
{
    const struct account account = {.id = actor->account, .person = actor->person};
    bool this = str_eq(id, actor->session);
    uint64_t ended;
    ERR_TRY(end_one(engine->store, actor, id, this ? STR("signed out") : STR("ended by the person"),
                    &ended));
    if (ended == 0) {
        return ERR_NOT_FOUND;
    }
    return account_note(engine, actor, ACT_signed_out, &account, NULL,
                        this ? STR("") : STR("ended another session"));
}

enum err session_end(struct engine *engine, const struct actor *actor, struct str id)
{
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, end(engine, actor, id));
    }
    return attempt.err;
}

static enum err end_others(struct engine *engine, const struct actor *actor)
{
    const struct account account = {
        .id = actor->account, .school = actor->school, .person = actor->person};
    ERR_TRY(account_end_all(engine, actor, &account, actor->session, STR("signed out everywhere")));
    return account_note(engine, actor, ACT_signed_out, &account, NULL, STR("everywhere but here"));
}

enum err session_end_others(struct engine *engine, const struct actor *actor)
{
    struct store_attempt attempt = store_attempt(engine->store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, end_others(engine, actor));
    }
    return attempt.err;
}

enum err session_end_person(struct store *store, struct str school, struct str person,
                            int64_t now_ms, struct str why)
{
    const struct store_value values[] = {store_text(school), store_text(person),
                                         store_number(now_ms), store_text(why)};
    return store_run(store, STATEMENT_SESSION_END_PERSON, values, 4, NULL);
}

/* ---- challenges of passkeys ---- */

static enum err set_challenge(struct store *store, const struct actor *actor,
                              struct store_value challenge)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->session),
                                         challenge, store_number(actor->now_ms)};
    return store_run(store, STATEMENT_SESSION_CHALLENGE, values, 4, NULL);
}

enum err session_challenge_make(struct store *store, const struct actor *actor,
                                uint8_t ret_challenge[SESSION_CHALLENGE_BYTES])
{
    random_bytes(ret_challenge, SESSION_CHALLENGE_BYTES);
    struct str bytes = {(const char *)ret_challenge, SESSION_CHALLENGE_BYTES};
    struct store_attempt attempt = store_attempt(store, actor->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, set_challenge(store, actor, store_blob(bytes)));
    }
    return attempt.err;
}

static enum err take_challenge(struct store *store, const struct actor *actor, struct arena *arena,
                               uint8_t challenge[SESSION_CHALLENGE_BYTES], bool *ret_good)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->session)};
    struct store_value columns[2];
    ERR_TRY(store_row(store, STATEMENT_SESSION_CHALLENGE_GET, values, 2, arena, columns, 2));
    ERR_TRY(set_challenge(store, actor, store_null()));
    *ret_good = columns[0].bytes.len == SESSION_CHALLENGE_BYTES &&
                actor->now_ms - columns[1].number < SESSION_CHALLENGE_MS;
    if (*ret_good) {
        memcpy(challenge, columns[0].bytes.p, SESSION_CHALLENGE_BYTES);
    }
    return ERR_OK;
}

enum err session_challenge_take(struct store *store, const struct actor *actor,
                                uint8_t ret_challenge[SESSION_CHALLENGE_BYTES])
{
    struct arena arena;
    bool good = false;
    struct store_attempt attempt = store_attempt(store, actor->school, STORE_WRITE);
    arena_init(&arena, 1024);
    /* One that is too old is taken all the same. */
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, take_challenge(store, actor, &arena, ret_challenge, &good));
    }
    enum err err = attempt.err;
    arena_fini(&arena);
    return err == ERR_OK && !good ? ERR_NOT_FOUND : err;
}

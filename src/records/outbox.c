/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mails on their way: what is tried, and what becomes of it. Who is written to: outbox_make.c. */
#include "records/outbox.h"

#include "base/check.h"
#include "base/clock.h"
#include "records/account_impl.h"
#include "records/outbox_impl.h"
#include "store/attempt.h"
#include "wire/mail.h"

enum {
    ARENA_BYTES = 16 * 1024,
    AGAIN_MAX_MS = MS_PER_HOUR,
    REFUSED_MAX_MS = 12 * MS_PER_HOUR,
    DOUBLINGS_MAX = 20,
    NOTICE_AGAIN_DAYS = 7,
};

/* ---- the next ---- */

/* The arena's slices of the row are the mail's. */
static enum err read_next(struct store *store, struct arena *arena, int64_t now_ms,
                          struct outbox_mail *mail)
{
    const struct store_value now = store_number(now_ms);
    struct store_value columns[7];
    ERR_TRY(store_row(store, STATEMENT_OUTBOX_NEXT, &now, 1, arena, columns, 7));
    const struct store_value person[] = {columns[1], columns[2]};
    struct store_value address;
    *mail = (struct outbox_mail){
        .id = columns[0].bytes,
        .school = columns[1].bytes,
        .subject = columns[3].bytes,
        .body = columns[4].bytes,
        .made_ms = columns[5].number,
    };
    enum err err = store_row(store, STATEMENT_OUTBOX_ADDRESS, person, 2, arena, &address, 1);
    if (err == ERR_OK && mail_address_is_valid(address.bytes)) {
        mail->address = address.bytes;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err settle_as(struct store *store, const struct outbox_mail *mail, struct str state,
                          int64_t now_ms)
{
    const struct store_value values[] = {store_text(mail->school), store_text(mail->id),
                                         store_text(state), store_number(now_ms)};
    return store_run(store, STATEMENT_OUTBOX_SETTLE, values, 4, NULL);
}

static enum err settle_nobody(struct store *store, const struct outbox_mail *mail, int64_t now_ms)
{
    struct store_attempt attempt = store_attempt(store, mail->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, settle_as(store, mail, STR("nobody"), now_ms));
    }
    return attempt.err;
}

enum err outbox_next(struct store *store, struct arena *arena, int64_t now_ms,
                     struct outbox_mail *ret_mail)
{
    for (;;) {
        struct outbox_mail mail;
        ERR_TRY(store_begin(store, STR(""), STORE_READ));
        enum err err = read_next(store, arena, now_ms, &mail);
        store_rollback(store);
        ERR_TRY(err);
        if (mail.address.len != 0) {
            *ret_mail = mail;
            return ERR_OK;
        }
        ERR_TRY(settle_nobody(store, &mail, now_ms));
    }
}

enum err outbox_due(struct store *store, int64_t *ret_ms)
{
    struct store_value due;
    struct arena arena;
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    arena_init(&arena, ARENA_BYTES);
    enum err err = store_row(store, STATEMENT_OUTBOX_DUE, NULL, 0, &arena, &due, 1);
    arena_fini(&arena);
    store_rollback(store);
    ERR_TRY(err);
    *ret_ms = due.kind == STORE_NULL ? INT64_MAX : due.number;
    return ERR_OK;
}

/* ---- what became of it ---- */

static int64_t again_ms(enum outbox_result result, int64_t tries)
{
    int64_t first = result == OUTBOX_REFUSED ? OUTBOX_REFUSED_AGAIN_MS : OUTBOX_FIRST_AGAIN_MS;
    int64_t most = result == OUTBOX_REFUSED ? REFUSED_MAX_MS : AGAIN_MAX_MS;
    int64_t wait = first << (tries < DOUBLINGS_MAX ? tries : DOUBLINGS_MAX);
    return wait < most ? wait : most;
}

/* For the head and the technician; not with each mail that fails. */
static enum err announce_failure(struct store *store, struct arena *arena, struct str school,
                                 int64_t now_ms)
{
    const struct store_value values[] = {store_text(school), store_text(STR("mail_failed"))};
    const struct actor actor = {.school = school, .operator= true, .now_ms = now_ms};
    struct store_value latest;
    ERR_TRY(store_row(store, STATEMENT_NOTICE_LATEST, values, 2, arena, &latest, 1));
    if (latest.kind != STORE_NULL &&
        now_ms - latest.number < NOTICE_AGAIN_DAYS * (int64_t)MS_PER_DAY) {
        return ERR_OK;
    }
    return notice_add(store, &actor, NOTICE_mail_failed, STR(""), STR(""), STR(""));
}

static enum err settle(struct store *store, struct arena *arena, const struct outbox_mail *mail,
                       enum outbox_result result, int64_t now_ms)
{
    const struct store_value key[] = {store_text(mail->school), store_text(mail->id)};
    struct store_value columns[2]; /* made_ms, tries */
    enum err err = store_row(store, STATEMENT_OUTBOX_GET, key, 2, arena, columns, 2);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (result == OUTBOX_SENT) {
        return settle_as(store, mail, STR("sent"), now_ms);
    }
    bool given_up = now_ms - columns[0].number >= OUTBOX_GIVE_UP_MS;
    if (given_up || result == OUTBOX_REFUSED) {
        ERR_TRY(announce_failure(store, arena, mail->school, now_ms));
    }
    if (given_up) {
        return settle_as(store, mail, STR("given_up"), now_ms);
    }
    const struct store_value again[] = {key[0], key[1],
                                        store_number(now_ms + again_ms(result, columns[1].number))};
    return store_run(store, STATEMENT_OUTBOX_AGAIN, again, 3, NULL);
}

enum err outbox_settle(struct store *store, struct str school, struct str id,
                       enum outbox_result result, int64_t now_ms)
{
    const struct outbox_mail mail = {.school = school, .id = id};
    struct arena arena;
    CHECK(result > OUTBOX_RESULT_UNSET && result <= OUTBOX_REFUSED);
    struct store_attempt attempt = store_attempt(store, school, STORE_WRITE);
    arena_init(&arena, ARENA_BYTES);
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, settle(store, &arena, &mail, result, now_ms));
    }
    arena_fini(&arena);
    return attempt.err;
}

enum err outbox_last_sent(struct store *store, struct str school, enum mail_kind kind,
                          int64_t *ret_ms)
{
    const struct store_value values[] = {store_text(school), store_text(mail_kind_name(kind))};
    struct store_value latest;
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err err = store_row(store, STATEMENT_OUTBOX_SENT, values, 2, &arena, &latest, 1);
    arena_fini(&arena);
    ERR_TRY(err);
    *ret_ms = latest.kind == STORE_NULL ? 0 : latest.number;
    return ERR_OK;
}

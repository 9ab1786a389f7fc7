/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's mails. */
#include "proc/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "os/sock.h"
#include "outbound/post.h"
#include "proc/mail_line.h"
#include "proc/message.h"
#include "records/actor.h"
#include "records/outbox.h"
#include "wire/host.h"

enum {
    ARENA_MAX = 128 * 1024,
    AGAIN_MS = 1000,             /* a mailer or a store that is not there just now */
    LOOK_AGAIN_MS = MS_PER_HOUR, /* a wall clock that is set wakes nobody */
    SCHOOL_MAX = 64,
    PORT_HTTPS = 443,
};

struct dispatch {
    struct loop_io line; /* to the mailer; fd -1: none now */
    struct loop_timer timer;
    struct child *child;
    struct publisher *publisher;
    char address[LIMIT_HOST_LEN + 32]; /* of the console; empty: not known */
    char right[LIMIT_HOST_LEN + 1];    /* of Message-IDs */
    int32_t made_day;                  /* of the daily mails; 0: none yet */
    uint64_t ticket;
    char id[RECORD_ID_CHARS + 1]; /* of the mail in hand; empty: none */
    char school[SCHOOL_MAX + 1];
    enum outbox_result result; /* of the mail in hand, not noted yet */
    enum err last;             /* so that what goes on is told once */
};

/* ---- names ---- */

/* "https://lodge.school.example:8443": the first of the console's names, or the one address where
 * it listens. */
static void find_address(struct dispatch *dispatch)
{
    static const struct sock_addr all;
    const struct conf *conf = &dispatch->child->conf;
    struct str first, rest;
    struct sock_addr listens;
    struct addr addr;
    struct host host;
    if (sock_addr_parse(conf_str(&conf->console), &listens) != ERR_OK) {
        return;
    }
    (void)str_cut(conf_str(&conf->console_name), ',', &first, &rest);
    if (host_parse(str_trim_space(first), &host) != ERR_OK) {
        if (memcmp(listens.ip, all.ip, sizeof(all.ip)) == 0) {
            return;
        }
        memcpy(addr.bytes, listens.ip, sizeof(addr.bytes));
        host_from_addr(&addr, &host);
    }
    bool six = host.kind == HOST_IPV6;
    int n = snprintf(dispatch->address, sizeof(dispatch->address), "https://%s%s%s", six ? "[" : "",
                     host.text, six ? "]" : "");
    if (listens.port != PORT_HTTPS) {
        snprintf(dispatch->address + n, sizeof(dispatch->address) - (size_t)n, ":%u",
                 (unsigned)listens.port);
    }
}

/* The right side of a Message-ID is the sender's domain, which answers for it. */
static void find_right(struct dispatch *dispatch)
{
    struct str left, right;
    (void)str_cut(conf_str(&dispatch->child->conf.mail_from), '@', &left, &right);
    size_t n = right.len < LIMIT_HOST_LEN ? right.len : 0;
    memcpy(dispatch->right, right.p, n);
}

/* ---- one mail ---- */

static void wake_in(struct dispatch *dispatch, int64_t wait_ms)
{
    struct loop *loop = dispatch->child->loop;
    loop_timer_set(loop, &dispatch->timer, loop_mono_ms(loop) + wait_ms);
}

static enum err print(const struct dispatch *dispatch, const struct outbox_mail *from,
                      struct buf *text)
{
    char id[MAIL_ADDRESS_MAX + 1];
    int n = snprintf(id, sizeof(id), "%.*s@%s", STR_ARG(from->id), dispatch->right);
    const struct mail mail = {
        .from = conf_str(&dispatch->child->conf.mail_from),
        .from_name = STR("Lodge"),
        .to = from->address,
        .id = str_make(id, n < (int)sizeof(id) ? (size_t)n : 0),
        .subject = from->subject,
        .body = from->body,
        .date_ms = from->made_ms,
    };
    return mail_print(&mail, text);
}

static enum err hand_over(struct dispatch *dispatch, const struct outbox_mail *mail)
{
    struct mail_order order = {.ticket = ++dispatch->ticket};
    struct buf text;
    if (mail->id.len > RECORD_ID_CHARS || mail->school.len > SCHOOL_MAX) {
        return ERR_INVALID;
    }
    memcpy(order.to, mail->address.p, mail->address.len);
    buf_init(&text, MAIL_LINE_TEXT_MAX);
    enum err err = print(dispatch, mail, &text);
    if (err == ERR_OK) {
        err = mail_line_send_order(dispatch->line.fd, &order, buf_str(&text));
    }
    buf_fini(&text);
    ERR_TRY(err);
    snprintf(dispatch->id, sizeof(dispatch->id), "%.*s", STR_ARG(mail->id));
    snprintf(dispatch->school, sizeof(dispatch->school), "%.*s", STR_ARG(mail->school));
    return ERR_OK;
}

/* Notes what became of the mail in hand. */
static enum err note(struct dispatch *dispatch, struct store *store)
{
    if (dispatch->result == OUTBOX_RESULT_UNSET) {
        return ERR_OK;
    }
    ERR_TRY(outbox_settle(store, str_from(dispatch->school), str_from(dispatch->id),
                          dispatch->result, loop_utc_ms(dispatch->child->loop)));
    dispatch->result = OUTBOX_RESULT_UNSET;
    dispatch->id[0] = '\0';
    return ERR_OK;
}

/* Until one is with the mailer or none is due. One that cannot be printed is tried again later, so
 * that it holds up no other. */
static enum err send_due(struct dispatch *dispatch, struct store *store)
{
    struct arena arena;
    struct outbox_mail mail;
    int64_t now_ms = loop_utc_ms(dispatch->child->loop);
    enum err err = ERR_OK;
    while (err == ERR_OK && dispatch->id[0] == '\0' && dispatch->line.fd >= 0) {
        arena_init(&arena, ARENA_MAX);
        err = outbox_next(store, &arena, now_ms, &mail);
        if (err == ERR_OK && hand_over(dispatch, &mail) != ERR_OK) {
            log_line(LOG_ERROR, "mail-not-handed-over", "errno=%d", errno);
            err = outbox_settle(store, mail.school, mail.id, OUTBOX_LATER, now_ms);
        }
        arena_fini(&arena);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err sleep_until_due(struct dispatch *dispatch, struct store *store)
{
    int64_t due_ms;
    if (dispatch->id[0] != '\0' || dispatch->line.fd < 0) {
        return ERR_OK; /* its answer wakes, or its line */
    }
    ERR_TRY(outbox_due(store, &due_ms));
    int64_t wait_ms =
        due_ms == INT64_MAX ? LOOK_AGAIN_MS : due_ms - loop_utc_ms(dispatch->child->loop);
    wait_ms = wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS;
    wake_in(dispatch, wait_ms > 0 ? wait_ms : 0);
    return ERR_OK;
}

static enum err make_daily(struct dispatch *dispatch, struct store *store)
{
    int64_t now_ms = loop_utc_ms(dispatch->child->loop);
    int32_t today = clock_british_day(now_ms);
    if (dispatch->made_day != today) {
        ERR_TRY(outbox_daily(store, now_ms));
        dispatch->made_day = today;
    }
    return ERR_OK;
}

enum err dispatch_run(struct dispatch *dispatch, struct store *store)
{
    ERR_TRY(note(dispatch, store));
    ERR_TRY(make_daily(dispatch, store));
    ERR_TRY(
        outbox_announce(store, str_from(dispatch->address), loop_utc_ms(dispatch->child->loop)));
    ERR_TRY(send_due(dispatch, store));
    return sleep_until_due(dispatch, store);
}

static void run(struct dispatch *dispatch)
{
    struct store *store = publisher_store(dispatch->publisher);
    enum err err = store != NULL ? dispatch_run(dispatch, store) : ERR_GONE;
    if (err == ERR_GONE) {
        publisher_lose_store(dispatch->publisher);
    }
    if (err != ERR_OK) {
        wake_in(dispatch, AGAIN_MS);
    }
    if (err != dispatch->last) {
        log_line(err == ERR_OK ? LOG_INFO : LOG_ERROR, "mails", "err=%s", err_name(err));
        dispatch->last = err;
    }
}

static void on_timer(struct loop_timer *timer)
{
    run((struct dispatch *)(void *)((char *)timer - offsetof(struct dispatch, timer)));
}

/* ---- the mailer's line ---- */

static const enum outbox_result results[] = {
    [POST_SENT] = OUTBOX_SENT, [POST_LATER] = OUTBOX_LATER, [POST_REFUSED] = OUTBOX_REFUSED};

/* What it had in hand is tried again. */
static void drop_line(struct dispatch *dispatch)
{
    int fd = dispatch->line.fd;
    if (fd >= 0) {
        loop_remove(&dispatch->line);
        close(fd);
        dispatch->line.fd = -1;
    }
    if (dispatch->id[0] != '\0' && dispatch->result == OUTBOX_RESULT_UNSET) {
        dispatch->result = OUTBOX_LATER;
        wake_in(dispatch, 0);
    }
}

static enum err take_note(struct dispatch *dispatch)
{
    struct ipc_message message;
    struct mail_note note;
    ERR_TRY(message_receive(dispatch->line.fd, &message));
    enum err err = mail_line_read_note(&message, &note);
    ipc_message_fini(&message);
    ERR_TRY(err);
    if (note.ticket == dispatch->ticket && dispatch->id[0] != '\0') {
        dispatch->result = results[note.outcome];
        wake_in(dispatch, 0);
    }
    return ERR_OK;
}

static void on_line(struct loop_io *io, uint32_t events)
{
    struct dispatch *dispatch = (struct dispatch *)(void *)io;
    enum err err = ERR_OK;
    (void)events;
    while (err == ERR_OK) {
        err = take_note(dispatch);
    }
    if (err != ERR_AGAIN) {
        drop_line(dispatch);
    }
}

void dispatch_take_line(struct dispatch *dispatch, int fd)
{
    drop_line(dispatch);
    if (loop_add(dispatch->child->loop, &dispatch->line, fd, EPOLLIN) != ERR_OK) {
        close(fd);
    }
    wake_in(dispatch, 0);
}

struct dispatch *dispatch_new(struct child *child, struct publisher *publisher)
{
    static struct dispatch dispatch = {.line = {.fd = -1, .fn = on_line}, .timer.fn = on_timer};
    if (child->conf.mail_server.len == 0) {
        return NULL;
    }
    dispatch.child = child;
    dispatch.publisher = publisher;
    find_address(&dispatch);
    find_right(&dispatch);
    return &dispatch;
}

void dispatch_end(struct dispatch *dispatch)
{
    loop_timer_clear(&dispatch->timer);
}

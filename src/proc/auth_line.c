/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk's line to auth. */
#include "proc/auth_line.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "proc/auth_message.h"
#include "proc/message.h"

static const struct auth_line_answer BUSY = {.busy = true};

static void watch_patience(struct auth_line *line)
{
    if (line->n_asked > 0) {
        loop_timer_set(line->loop, &line->patience, line->asked[0].until_ms);
    } else {
        loop_timer_clear(&line->patience);
    }
}

static void take_out(struct auth_line *line, size_t i)
{
    CHECK(i < line->n_asked);
    line->n_asked--;
    memmove(&line->asked[i], &line->asked[i + 1], (line->n_asked - i) * sizeof(line->asked[0]));
}

static void on_patience(struct loop_timer *timer)
{
    struct auth_line *line =
        (struct auth_line *)(void *)((char *)timer - offsetof(struct auth_line, patience));
    int64_t now_ms = loop_mono_ms(line->loop);
    while (line->n_asked > 0 && line->asked[0].until_ms <= now_ms) {
        uint64_t ticket = line->asked[0].ticket;
        take_out(line, 0);
        line->answer(line->context, ticket, &BUSY);
    }
    watch_patience(line);
}

static void close_line(struct auth_line *line)
{
    int fd = line->io.fd;
    if (fd >= 0) {
        loop_remove(&line->io);
        close(fd);
    }
}

/* All that was asked is answered; what the callee asks meanwhile finds no line. */
static void drop(struct auth_line *line)
{
    close_line(line);
    while (line->n_asked > 0) {
        uint64_t ticket = line->asked[0].ticket;
        take_out(line, 0);
        line->answer(line->context, ticket, &BUSY);
    }
    watch_patience(line);
}

static enum err take_verdict(struct auth_line *line, const struct ipc_message *message)
{
    struct auth_verdict verdict;
    struct str hash;
    ERR_TRY(message_read_verdict(message, &verdict, &hash));
    for (size_t i = 0; i < line->n_asked; i++) {
        if (line->asked[i].ticket == verdict.ticket) {
            struct auth_line_answer answer = {.right = verdict.kind == AUTH_RIGHT,
                                              .locked = verdict.kind == AUTH_LOCKED,
                                              .busy = verdict.kind == AUTH_BUSY,
                                              .hash = hash};
            take_out(line, i);
            watch_patience(line);
            line->answer(line->context, verdict.ticket, &answer);
            return ERR_OK;
        }
    }
    return ERR_OK; /* patience was over */
}

static void on_message(struct loop_io *io, uint32_t events)
{
    struct auth_line *line = (struct auth_line *)(void *)io;
    enum err err = ERR_OK;
    (void)events;
    while (err == ERR_OK) {
        struct ipc_message message;
        err = message_receive(io->fd, &message);
        if (err == ERR_OK) {
            err = take_verdict(line, &message);
            secret_wipe(message.bytes, message.len);
            ipc_message_fini(&message);
        }
    }
    if (err != ERR_AGAIN) {
        if (err != ERR_NOT_FOUND) {
            log_line(LOG_ERROR, "auth-line-failed", "err=%s", err_name(err));
        }
        drop(line);
    }
}

void auth_line_init(struct auth_line *line, struct loop *loop)
{
    line->io = (struct loop_io){.fd = -1, .fn = on_message};
    line->patience.fn = on_patience;
    line->loop = loop;
    line->n_asked = 0;
}

void auth_line_fini(struct auth_line *line)
{
    close_line(line);
    loop_timer_clear(&line->patience);
    line->n_asked = 0;
}

void auth_line_take(struct auth_line *line, int fd)
{
    drop(line);
    if (loop_add(line->loop, &line->io, fd, EPOLLIN) != ERR_OK) {
        close(fd);
    }
}

static bool note(struct auth_line *line, uint64_t ticket, enum err err)
{
    if (err != ERR_OK) {
        return false; /* it does not read; or is gone, as the loop will say */
    }
    line->asked[line->n_asked++] =
        (struct auth_line_asked){ticket, loop_mono_ms(line->loop) + AUTH_LINE_PATIENCE_MS};
    watch_patience(line);
    return true;
}

bool auth_line_judge(struct auth_line *line, uint64_t ticket, struct str hash, struct str password,
                     struct str account, const uint8_t client[16])
{
    if (line->io.fd < 0 || line->n_asked == AUTH_LINE_WAITING_MAX) {
        return false;
    }
    return note(line, ticket,
                message_send_judge(line->io.fd, ticket, client, hash, account, password));
}

bool auth_line_make(struct auth_line *line, uint64_t ticket, struct str password)
{
    if (line->io.fd < 0 || line->n_asked == AUTH_LINE_WAITING_MAX) {
        return false;
    }
    return note(line, ticket, message_send_make(line->io.fd, ticket, password));
}

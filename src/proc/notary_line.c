/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker's line to the notary. */
#include "proc/notary_line.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "proc/message.h"

static struct notary_line *line_of(struct loop_timer *timer)
{
    return (struct notary_line *)(void *)((char *)timer - offsetof(struct notary_line, patience));
}

/* Nobody came back: all are told. What is asked meanwhile by the callee stays for later. */
static void on_patience(struct loop_timer *timer)
{
    struct notary_line *line = line_of(timer);
    for (size_t n = line->n_waiting; n > 0 && line->n_waiting > 0; n--) {
        struct host host = line->waiting[0];
        line->waiting[0] = line->waiting[--line->n_waiting];
        line->leaf(line->context, &host, STR(""));
    }
}

static void drop(struct notary_line *line)
{
    int fd = line->io.fd;
    if (fd >= 0) {
        loop_remove(&line->io);
        close(fd);
    }
    line->has_key = false;
    line->n_asked = 0;
    if (line->n_waiting > 0) {
        loop_timer_set(line->loop, &line->patience,
                       loop_mono_ms(line->loop) + NOTARY_LINE_PATIENCE_MS);
    }
}

/* As many of those that wait as the line takes now; the loop tells when it takes more. */
static enum err send_some(struct notary_line *line)
{
    while (line->n_asked < line->n_waiting) {
        enum err err = message_send_sign(line->io.fd, &line->waiting[line->n_asked]);
        if (err == ERR_AGAIN) {
            return loop_change(&line->io, EPOLLIN | EPOLLOUT);
        }
        ERR_TRY(err);
        line->n_asked++;
    }
    return loop_change(&line->io, EPOLLIN);
}

/* Takes one that was asked for out; the order of the others is no matter, but what was asked stands
 * before what was not. */
static void take_out(struct notary_line *line, size_t i)
{
    CHECK(i < line->n_asked);
    line->waiting[i] = line->waiting[--line->n_asked];
    line->waiting[line->n_asked] = line->waiting[--line->n_waiting];
}

static enum err take_key(struct notary_line *line, const struct ipc_message *message)
{
    struct str key;
    struct str secret;
    struct file_map chain;
    ERR_TRY(message_read_leaf_key(message, &key, &secret));
    ERR_TRY(file_map_fd(message->fds[0], &chain));
    bool good = line->key(line->context, key, chain.bytes, (const uint8_t *)secret.p);
    file_map_fini(&chain);
    if (!good) {
        return ERR_INVALID;
    }
    if (!line->has_key) {
        line->has_key = true;
        loop_timer_clear(&line->patience);
        return send_some(line);
    }
    return ERR_OK;
}

static enum err take_leaf(struct notary_line *line, const struct ipc_message *message)
{
    struct host host;
    struct str der;
    ERR_TRY(message_read_leaf(message, &host, &der));
    for (size_t i = 0; i < line->n_asked; i++) {
        if (host_eq(&line->waiting[i], &host)) {
            take_out(line, i);
            line->leaf(line->context, &host, der);
            return ERR_OK;
        }
    }
    return ERR_OK; /* answered already, over the line before */
}

static void on_message(struct loop_io *io, uint32_t events)
{
    struct notary_line *line = (struct notary_line *)(void *)io;
    enum err err = line->has_key && (events & EPOLLOUT) != 0 ? send_some(line) : ERR_OK;
    while (err == ERR_OK) {
        struct ipc_message message;
        err = message_receive(io->fd, &message);
        if (err == ERR_OK) {
            err = message.type == MESSAGE_LEAF_KEY ? take_key(line, &message)
                                                   : take_leaf(line, &message);
            secret_wipe(message.bytes, message.len);
            ipc_message_fini(&message);
        }
    }
    if (err != ERR_AGAIN) {
        if (err != ERR_NOT_FOUND) {
            log_line(LOG_ERROR, "notary-line-failed", "err=%s", err_name(err));
        }
        drop(line);
    }
}

enum err notary_line_init(struct notary_line *line, struct loop *loop)
{
    line->io = (struct loop_io){.fd = -1, .fn = on_message};
    line->patience.fn = on_patience;
    line->loop = loop;
    line->waiting = calloc(NOTARY_LINE_WAITING_MAX, sizeof(line->waiting[0]));
    return line->waiting != NULL ? ERR_OK : ERR_MEMORY;
}

void notary_line_fini(struct notary_line *line)
{
    line->n_waiting = 0;
    drop(line);
    loop_timer_clear(&line->patience);
    free(line->waiting);
    line->waiting = NULL;
}

void notary_line_take(struct notary_line *line, int fd)
{
    drop(line);
    if (loop_add(line->loop, &line->io, fd, EPOLLIN) != ERR_OK) {
        close(fd);
    }
}

bool notary_line_ask(struct notary_line *line, const struct host *host)
{
    bool now = line->has_key && line->n_asked == line->n_waiting;
    if (line->n_waiting == NOTARY_LINE_WAITING_MAX ||
        (now && message_send_sign(line->io.fd, host) != ERR_OK)) {
        return false; /* it does not read; or is gone, as the loop will say */
    }
    line->waiting[line->n_waiting++] = *host;
    line->n_asked += now;
    if (!line->has_key && line->n_waiting == 1) {
        loop_timer_set(line->loop, &line->patience,
                       loop_mono_ms(line->loop) + NOTARY_LINE_PATIENCE_MS);
    }
    return true;
}

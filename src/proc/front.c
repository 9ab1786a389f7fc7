/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Front: talks to browsers, checks and bounds what they send, and hands each request to the desk.
 * It opens no file, has no session and knows no person; what it holds is the console's own key. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "proc/front_certificate.h"
#include "proc/front_impl.h"
#include "proc/message.h"

enum {
    RENEW_EVERY_MS = 24 * 60 * 60 * 1000,
    FREED = 0x5a, /* what freed memory is overwritten with */
};

/* ---- the line to the desk ---- */

static void wait_add(struct front *front, struct visit *visit)
{
    visit->wait_prev = NULL;
    visit->wait_next = front->waiting;
    if (front->waiting != NULL) {
        front->waiting->wait_prev = visit;
    }
    front->waiting = visit;
    front->n_waiting++;
}

void front_forget(struct front *front, struct visit *visit)
{
    if (visit->ticket == 0) {
        return;
    }
    visit->ticket = 0;
    *(visit->wait_prev != NULL ? &visit->wait_prev->wait_next : &front->waiting) = visit->wait_next;
    if (visit->wait_next != NULL) {
        visit->wait_next->wait_prev = visit->wait_prev;
    }
    front->n_waiting--;
}

/* What somebody sent who then left counts on: else a desk that is busy would be given more and
 * more. */
static void fly(struct front *front, uint64_t ticket, size_t bytes)
{
    front->flights[front->n_flights++] = (struct flight){.ticket = ticket, .bytes = bytes};
    front->held += bytes;
}

static void land(struct front *front, uint64_t ticket)
{
    size_t i = 0;
    while (i < front->n_flights && front->flights[i].ticket != ticket) {
        i++;
    }
    if (i < front->n_flights) {
        front->held -= front->flights[i].bytes;
        front->flights[i] = front->flights[--front->n_flights];
    }
}

bool front_ask(struct front *front, struct visit *visit)
{
    struct buf frame;
    size_t bytes = visit->request.body.len;
    if (front->line.fd < 0 || front->n_flights == FRONT_WAITING_MAX ||
        front->held + bytes > FRONT_HELD_MAX) {
        return false;
    }
    buf_init(&frame, DESK_FRAME_MAX);
    enum err err = desk_pack_request(&visit->request, &frame);
    if (err == ERR_OK) {
        err = desk_send(front->line.fd, MESSAGE_ENQUIRY, front->last_ticket + 1, buf_str(&frame));
    }
    secret_wipe(frame.p, frame.cap);
    buf_fini(&frame);
    if (err != ERR_OK) {
        return false;
    }
    visit->ticket = ++front->last_ticket;
    fly(front, visit->ticket, bytes);
    wait_add(front, visit);
    return true;
}

static void drop_line(struct front *front)
{
    int fd = front->line.fd;
    if (fd >= 0) {
        loop_remove(&front->line);
        close(fd);
    }
    while (front->n_flights != 0) {
        land(front, front->flights[0].ticket);
    }
    while (front->waiting != NULL) {
        visit_lost(front->waiting);
    }
}

static void take_answer(struct front *front, uint64_t ticket, struct file_map *frame)
{
    struct visit *visit = front->waiting;
    land(front, ticket);
    while (visit != NULL && visit->ticket != ticket) {
        visit = visit->wait_next;
    }
    if (visit == NULL) {
        file_map_fini(frame); /* whoever asked has gone */
        return;
    }
    front_forget(front, visit);
    visit_answered(visit, frame);
}

static void on_line(struct loop_io *io, uint32_t events)
{
    struct front *front = (struct front *)(void *)((char *)io - offsetof(struct front, line));
    enum err err = ERR_OK;
    (void)events;
    while (err == ERR_OK && front->line.fd >= 0) {
        uint64_t ticket;
        struct file_map frame;
        err = desk_receive(front->line.fd, MESSAGE_REPLY, &ticket, &frame);
        if (err == ERR_OK) {
            take_answer(front, ticket, &frame);
        }
    }
    if (err != ERR_AGAIN && err != ERR_OK) {
        log_line(err == ERR_NOT_FOUND ? LOG_INFO : LOG_ERROR, "desk-lost", "err=%s waiting=%zu",
                 err_name(err), front->n_waiting);
        drop_line(front);
    }
}

/* ---- the end, and the certificate's ---- */

static void on_accept(struct loop_io *io, uint32_t events)
{
    (void)events;
    front_accept_all((struct front *)(void *)io);
}

void front_settle(struct front *front)
{
    if (front->draining) {
        if (front->n_peers == 0) {
            loop_stop(front->loop);
        }
        return;
    }
    if (!front->accepting && front->listener.fd >= 0) {
        front->accepting = true;
        (void)!loop_change(&front->listener, EPOLLIN);
    }
}

static void on_give_up(struct loop_timer *timer)
{
    struct front *front = (struct front *)(void *)((char *)timer - offsetof(struct front, give_up));
    loop_stop(front->loop);
}

static void drain_front(struct front *front)
{
    struct peer *next = NULL;
    if (front->draining) {
        return;
    }
    front->draining = true;
    loop_remove(&front->listener);
    loop_timer_set(front->loop, &front->give_up,
                   loop_mono_ms(front->loop) + front->child->conf.drain_timeout_ms);
    for (struct peer *peer = front->peers; peer != NULL; peer = next) {
        next = peer->next;
        peer_drain(peer);
    }
    front_settle(front);
}

static void close_vouch(struct child *child)
{
    if (child->vouch_fd >= 0) {
        close(child->vouch_fd);
        child->vouch_fd = -1;
    }
}

/* The notary is there again. Whoever is started after us asks it for what it did not give us. */
static void take_vouch(struct front *front)
{
    bool there = front->child->vouch_fd >= 0;
    close_vouch(front->child);
    if (there && front->certificate.from == CERTIFICATE_OURS) {
        drain_front(front);
    }
}

static void take_lines(struct child *child, bool go)
{
    struct front *front = child->work;
    (void)go;
    for (size_t i = 0; i < child->n_desk; i++) {
        drop_line(front); /* the last one handed over counts */
        if (loop_add(child->loop, &front->line, child->desk_fds[i], EPOLLIN) != ERR_OK) {
            close(child->desk_fds[i]);
        }
    }
    child->n_desk = 0;
    take_vouch(front);
}

static void drain(struct child *child)
{
    drain_front(child->work);
}

/* What was given up cannot be opened again: whoever is started after us makes a new one. */
static void on_renew(struct loop_timer *timer)
{
    struct front *front = (struct front *)(void *)((char *)timer - offsetof(struct front, renew));
    if (front->certificate.from != CERTIFICATE_SCHOOLS &&
        tls_leaf_until_ms(front->certificate.leaf) - loop_utc_ms(front->loop) < FRONT_RENEW_MS) {
        log_line(LOG_INFO, "console-certificate-due", "%s", "");
        drain_front(front);
        return;
    }
    loop_timer_set(front->loop, timer, loop_mono_ms(front->loop) + RENEW_EVERY_MS);
}

/* ---- the process ---- */

/* Everything that needs a file, before rights are given up. */
static enum err prepare(struct front *front)
{
    struct child *child = front->child;
    enum err err = front_names_find(&child->conf, &front->names);
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "console-name-refused",
                 "do=\"names separated by commas, as lodge.school.example,lodge\"");
        err = ERR_INVALID;
    } else {
        err = front_certificate_open(child->console_fd, child->vouch_fd, &child->conf,
                                     &front->names, loop_utc_ms(child->loop), &front->certificate);
        close_vouch(child);
    }
    if (err != ERR_OK) {
        child->hopeless = err == ERR_INVALID;
        return err;
    }
    close(child->console_fd);
    child->console_fd = -1;
    return tls_server_new(&front->tls);
}

static enum err begin(struct front *front)
{
    struct child *child = front->child;
    front->loop = child->loop;
    front->scratch = (struct http_scratch){.p = malloc(FRONT_SCRATCH), .size = FRONT_SCRATCH};
    if (front->scratch.p == NULL) {
        return ERR_MEMORY;
    }
    front->rates.seed = random_u64();
    front->rates.per_second = (int64_t)child->conf.console_rate;
    front->rates.sign_ins_per_minute = (int64_t)child->conf.console_sign_ins;
    CHECK(child->n_listeners == 1);
    front->accepting = true;
    ERR_TRY(loop_add(child->loop, &front->listener, child->listen_fds[0], EPOLLIN));
    loop_timer_set(child->loop, &front->renew, loop_mono_ms(child->loop) + RENEW_EVERY_MS);
    return ERR_OK;
}

enum err proc_front_start(struct child *child)
{
    static struct front front = {
        .listener = {.fd = -1, .fn = on_accept},
        .line = {.fd = -1, .fn = on_line},
        .renew.fn = on_renew,
        .give_up.fn = on_give_up,
    };
    front.child = child;
    child->work = &front;
    child->handed = take_lines;
    child->drain = drain;
    bool became;
    /* Before the key is read nobody may look into this process. */
    ERR_TRY(confine_user(NULL, &became));
    if (!secret_lock_memory()) {
        log_line(LOG_WARN, "not-locked", "do=\"raise the limit of locked memory (ulimit -l)\"");
    }
    /* What is freed held passwords: it is overwritten at once. */
    (void)mallopt(M_PERTURB, FREED);
    ERR_TRY(prepare(&front));
    ERR_TRY(child_become(child));
    ERR_TRY(child_confine(child, -1, false));
    ERR_TRY(begin(&front));
    take_lines(child, false);
    return child_ready(child);
}

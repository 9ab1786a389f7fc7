/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk: syncs the spool to the disk every second, and at once when the bell rings; keeps the
 * register of devices (devices.h); with a console, publishes the records to the gate
 * (publisher.h), notes each day where the acts end (noter.h) and, with a mail server, has mails
 * sent (dispatch.h). */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/spool.h"
#include "os/signals.h"
#include "proc/child.h"
#include "proc/devices.h"
#include "proc/dispatch.h"
#include "proc/noter.h"
#include "proc/publisher.h"

enum { SYNC_MS = MS_PER_SECOND };

struct clerk {
    struct loop_io bell;
    struct loop_timer timer;
    struct child *child;
    struct spool_sync *sync;
    struct devices *devices;
    struct publisher *publisher; /* NULL: no console */
    struct noter *noter;         /* the same */
    struct dispatch *dispatch;   /* NULL: no mail server */
    enum err last;               /* so that a failing disk is told once, not every second */
};

static void sync_spool(struct clerk *clerk)
{
    enum err err = spool_sync_run(clerk->sync);
    if (err != clerk->last) {
        log_line(err == ERR_OK ? LOG_INFO : LOG_ERROR, "spool-sync", "err=%s", err_name(err));
        clerk->last = err;
    }
    loop_timer_set(clerk->child->loop, &clerk->timer, loop_mono_ms(clerk->child->loop) + SYNC_MS);
}

static void on_timer(struct loop_timer *timer)
{
    sync_spool((struct clerk *)(void *)((char *)timer - offsetof(struct clerk, timer)));
}

static void on_bell(struct loop_io *io, uint32_t events)
{
    (void)events;
    bell_quieten(io->fd);
    sync_spool((struct clerk *)(void *)io);
}

static void drain(struct child *child)
{
    struct clerk *clerk = child->work;
    sync_spool(clerk);
    devices_save(clerk->devices);
    if (clerk->dispatch != NULL) {
        dispatch_end(clerk->dispatch);
    }
    if (clerk->publisher != NULL) {
        publisher_end(clerk->publisher);
    }
    loop_stop(child->loop);
}

static enum err after_publishing(void *context, struct store *store)
{
    struct clerk *clerk = context;
    ERR_TRY(noter_run(clerk->noter, store));
    return clerk->dispatch != NULL ? dispatch_run(clerk->dispatch, store) : ERR_OK;
}

/* With --policy FILE, who is in which group is that document's affair, and it may change. */
static void take_images(struct child *child)
{
    const struct clerk *clerk = child->work;
    struct file_map map = {{0}};
    int policy_fd = child->images[CHILD_POLICY];
    bool fixed = child->conf.policy.len != 0 && policy_fd >= 0 && clerk->publisher != NULL;
    if (fixed && file_map_fd(policy_fd, &map) == ERR_OK) {
        publisher_set_policy(clerk->publisher, map.bytes);
        file_map_fini(&map);
    }
    for (size_t i = 0; i < CHILD_IMAGES; i++) {
        if (child->images[i] >= 0) {
            close(child->images[i]);
            child->images[i] = -1;
        }
    }
}

static void take_lines(struct child *child, bool go)
{
    const struct clerk *clerk = child->work;
    if (go) {
        take_images(child);
    }
    for (size_t i = 0; i < child->n_clerk; i++) {
        devices_take_line(clerk->devices, child->clerk_fds[i]);
    }
    child->n_clerk = 0;
    for (size_t i = 0; i < child->n_mailer; i++) {
        dispatch_take_line(clerk->dispatch, child->mailer_fds[i]);
    }
    child->n_mailer = 0;
}

enum err proc_clerk_start(struct child *child)
{
    static struct clerk clerk = {.bell = {.fd = -1, .fn = on_bell}, .timer.fn = on_timer};
    clerk.child = child;
    child->work = &clerk;
    child->handed = take_lines;
    child->drain = drain;
    ERR_TRY(child_become(child));
    const struct confine_dir dirs[] = {
        {.fd = child->spool_fd, .write = false},    {.fd = child->devices_fd, .write = true},
        {.fd = child->published_fd, .write = true}, {.fd = child->store_fd, .write = true},
        {.fd = child->audit_fd, .write = true},     {.fd = child->spool_own_fd, .write = true},
    };
    bool records = child->store_fd >= 0;
    if (records && child->conf.database.len != 0) {
        child->calls |= CONFINE_TCP_UDP | CONFINE_LIBRARY; /* a server is dialled, and once more */
        child->dials = true;
    }
    if (records) {
        ERR_TRY(publisher_new(child, after_publishing, &clerk, &clerk.publisher));
        ERR_TRY(noter_new(child, &clerk.noter));
        clerk.dispatch = dispatch_new(child, clerk.publisher);
    }
    ERR_TRY(child_confine_dirs(child, dirs, records ? 6 : 2));
    ERR_TRY(devices_new(child->loop, child->devices_fd, &clerk.devices));
    ERR_TRY(spool_sync_new(child->spool_fd, &clerk.sync));
    ERR_TRY(loop_add(child->loop, &clerk.bell, child->bell_fd, EPOLLIN));
    sync_spool(&clerk);
    take_lines(child, true);
    if (records) {
        publisher_begin(clerk.publisher);
    }
    return child_ready(child);
}

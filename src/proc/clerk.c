/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk: syncs the spool to the disk every second, and at once when the bell rings; keeps the
 * register of devices (devices.h). */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/spool.h"
#include "os/signals.h"
#include "proc/child.h"
#include "proc/devices.h"

enum { SYNC_MS = MS_PER_SECOND };

struct clerk {
    struct loop_io bell;
    struct loop_timer timer;
    struct child *child;
    struct spool_sync *sync;
    struct devices *devices;
    enum err last; /* so that a failing disk is told once, not every second */
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
    loop_stop(child->loop);
}

static void take_lines(struct child *child, bool go)
{
    const struct clerk *clerk = child->work;
    (void)go;
    for (size_t i = 0; i < child->n_clerk; i++) {
        devices_take_line(clerk->devices, child->clerk_fds[i]);
    }
    child->n_clerk = 0;
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
        {.fd = child->spool_fd, .write = false},
        {.fd = child->devices_fd, .write = true},
    };
    ERR_TRY(child_confine_dirs(child, dirs, sizeof(dirs) / sizeof(dirs[0])));
    ERR_TRY(devices_new(child->loop, child->devices_fd, &clerk.devices));
    ERR_TRY(spool_sync_new(child->spool_fd, &clerk.sync));
    ERR_TRY(loop_add(child->loop, &clerk.bell, child->bell_fd, EPOLLIN));
    sync_spool(&clerk);
    take_lines(child, false);
    return child_ready(child);
}

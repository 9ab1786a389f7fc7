/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the supervisor is made of; private to supervisor.c and startup.c. */
#ifndef LODGE_PROC_SUPERVISOR_IMPL_H
#define LODGE_PROC_SUPERVISOR_IMPL_H

#include <sys/types.h>

#include "os/loop.h"
#include "os/signals.h"
#include "os/watch.h"
#include "proc/images.h"
#include "proc/proc.h"

enum { PUBLISHED_PATH_BYTES = 4096 };
enum { PUBLISHED_PATH_POLICY, PUBLISHED_PATH_STATE, PUBLISHED_PATH_PASSWORDS, PUBLISHED_PATHS };
enum { SLOTS_MAX = 80, WORKERS_MAX = 64, SLOT_NAME_BYTES = 24 };

/* A place for a process, and the process in it. */
struct slot {
    struct loop_io control;
    struct loop_io end; /* its pidfd */
    struct loop_timer again;
    struct supervisor *supervisor;
    const struct proc_row *row;
    enum proc proc;
    unsigned index;
    char name[SLOT_NAME_BYTES];
    pid_t pid; /* 0: none */
    bool ready;
    unsigned silent; /* rounds of the watchdog that it did not answer */
    int64_t started_ms;
    unsigned quick; /* deaths in a row, each soon after the start */
};

struct supervisor {
    const struct supervisor_setup *setup;
    const struct conf *conf;
    struct loop *loop;
    struct signals signals;
    struct watch_set watch;
    struct loop_timer settle;
    struct loop_timer give_up;
    struct loop_timer watchdog;
    struct images images;
    struct slot slots[SLOTS_MAX];
    size_t n_slots;
    int data_fd;
    int spool_fd;
    int passwords_fd;
    int devices_fd;
    int bell_fd;
    int ring_fd;
    int console_fd; /* where there is a console; else -1 */
    int audit_fd;   /* the same */
    int console_listen_fd;
    int store_fd;
    int keys_fd;
    int conf_fd;
    int hosts_fd; /* -1: none */
    int roots_fd;
    int origin_roots_fd;
    struct stat passwords_seen;                            /* of what the clerk published */
    char published[PUBLISHED_PATHS][PUBLISHED_PATH_BYTES]; /* in DIR/images */
    int listen_fds[WORKERS_MAX];                           /* each worker's own */
    size_t n_workers;
    bool all_ready;
    bool ending;
    int exit_code;
};

/* Opens everything that is handed over: folders, options, hosts, bell, listening socket. Says in
 * the log what is wrong, and what to do. False: cannot go on. */
bool supervisor_open(struct supervisor *supervisor, const char *data);

#endif

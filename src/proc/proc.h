/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The processes of `lodge serve`, and the table of their rights (proc.def). */
#ifndef LODGE_PROC_PROC_H
#define LODGE_PROC_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "conf/conf.h"
#include "os/ipc.h"

enum proc {
    PROC_UNSET,
#define PROCESS(name, count, user, calls, dials, handed) PROC_##name,
#include "proc/proc.def"
#undef PROCESS
    PROC_COUNT
};

enum proc_hand {
    HAND_HOSTS = 1 << 0,
    HAND_LOGIN = 1 << 1,
    HAND_SPOOL_WRITER = 1 << 2,
    HAND_PASSWORDS = 1 << 3,
    HAND_BELL = 1 << 4,
    HAND_LISTENER = 1 << 5,
    HAND_IMAGES = 1 << 6,
    HAND_AUTH = 1 << 7,
    HAND_CA = 1 << 8,
    HAND_NOTARY = 1 << 9,
    HAND_ROOTS = 1 << 10,
    HAND_DEVICES = 1 << 11,
    HAND_CLERK = 1 << 12,
    HAND_CONSOLE = 1 << 13,
    HAND_CONSOLE_LISTENER = 1 << 14,
    HAND_STORE = 1 << 15,
    HAND_DESK = 1 << 16,
    HAND_RING = 1 << 17,
    HAND_SIGNON = 1 << 18,
    HAND_PROVIDERS = 1 << 19,
    HAND_RECORDS = 1 << 20,
    HAND_PUBLISHED = 1 << 21,
    HAND_VOUCH = 1 << 22,
    HAND_MAILER = 1 << 23,
    HAND_LAST = HAND_MAILER,
};

/* The system group of those who read the records (desk and clerk); all users are in another one,
 * for the spool. */
#define PROC_STORE_GROUP "lodge-store"
/* Its number, where desk and clerk are both in it. ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_USE enum err proc_store_group(gid_t *ret_gid);

struct child;

struct proc_row {
    const char *name;
    bool per_worker; /* as many as the option `workers` says; else one */
    bool console;    /* only where there is a console */
    bool providers;  /* ... that has providers of single sign-on */
    bool mail;       /* ... that has a mail server */
    const char *user;
    unsigned calls;
    bool dials;
    unsigned handed; /* enum proc_hand, or-ed */
    /* Begins its work, once everything was handed over; sets the child's two functions. */
    enum err (*start)(struct child *child);
};

/* proc from PROC_UNSET + 1 to PROC_COUNT - 1. */
const struct proc_row *proc_row(enum proc proc);

#define PROCESS(name, count, user, calls, dials, handed) \
    MUST_USE enum err proc_##name##_start(struct child *child);
#include "proc/proc.def"
#undef PROCESS

/* A child is called `lodge process NAME-INDEX`, with this descriptor to the supervisor. */
enum { PROC_CONTROL_FD = 3 };

/* How a child ends that would fail again with what it was given. */
enum { PROC_EXIT_HOPELESS = 3 };

/* The main function of such a child; the exit code. 1 for a name that is none. */
int child_main(const char *name);

struct supervisor_setup {
    const struct conf *conf;
    const char *data; /* the data folder; made where absent */
    /* Called once, behind the line "ready"; may be NULL. */
    void (*ready)(void *context);
    void *ready_context;
};

/* `lodge serve`: the exit code, after SIGTERM or when it cannot go on. Logs to standard error, and
 * prints the one line "ready" there once every listener accepts. */
int supervisor_main(const struct supervisor_setup *setup);

#endif

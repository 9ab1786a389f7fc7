/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every process but the supervisor has: a loop, the line to the supervisor, its options and
 * what it was handed. When the supervisor is gone, the child ends. */
#ifndef LODGE_PROC_CHILD_H
#define LODGE_PROC_CHILD_H

#include "conf/conf.h"
#include "os/confine.h"
#include "os/file.h"
#include "os/loop.h"
#include "proc/front_names.h"
#include "proc/proc.h"

enum { CHILD_LISTENERS_MAX = 4 };

struct child {
    struct loop_io control;
    struct loop *loop;
    const struct proc_row *row;
    unsigned calls; /* the row's, and what a process adds before it gives up the rest */
    bool dials;
    unsigned index;
    const char *name; /* "proxy-0" */
    bool started;
    struct conf conf;
    struct file_map hosts; /* empty: none */
    int spool_fd;          /* -1: not handed over */
    int spool_own_fd;
    int passwords_fd;
    int devices_fd;
    int ca_fd;
    int published_fd; /* DIR/images */
    int bell_fd;
    int ring_fd;    /* behind a commit that concerns the gate */
    int console_fd; /* the folder of the console's certificate */
    int vouch_fd;   /* between front and the notary, newly handed over, or -1 */
    struct front_names vouch_names;
    int store_fd; /* the folders of the store and of the keys */
    int keys_fd;
    int audit_fd; /* the folder of the noted ends of the audit */
    int listen_fds[CHILD_LISTENERS_MAX];
    size_t n_listeners;
    int images[3];    /* CHILD_CATALOG ...: newly handed over, or -1 */
    int auth_fds[64]; /* ends of pairs with auth, newly handed over */
    size_t n_auth;
    int notary_fds[64]; /* the same with the notary */
    size_t n_notary;
    int clerk_fds[64]; /* ... with the clerk */
    size_t n_clerk;
    int desk_fds[64]; /* ... between front and desk */
    size_t n_desk;
    int signon_fds[64]; /* ... between desk and signon */
    size_t n_signon;
    int mailer_fds[64]; /* ... between clerk and mailer */
    size_t n_mailer;
    int login_fd;          /* the file of the mail server's login */
    int providers_fd;      /* the file of providers */
    struct file_map roots; /* PEM; empty: none */
    struct file_map origin_roots;
    bool hopeless; /* why start failed will not pass by itself */

    void *work; /* of the process at hand */
    /* After start: something new was handed over (images with GO, ends of pairs at once). */
    void (*handed)(struct child *child, bool go);
    void (*drain)(struct child *child); /* ends in loop_stop */
};

enum { CHILD_CATALOG, CHILD_POLICY, CHILD_STATE, CHILD_IMAGES };

/* Gives up rights by the table's row: dir_fd (or -1) is the one folder that stays usable. Logs what
 * holds. confine_user must have been called (child_become). */
MUST_USE enum err child_confine(struct child *child, int dir_fd, bool write);
/* The same with several folders. */
MUST_USE enum err child_confine_dirs(struct child *child, const struct confine_dir *dirs, size_t n);
MUST_USE enum err child_become(struct child *child);

/* Hears what the supervisor says, from inside of work that keeps the loop waiting. */
void child_attend(struct child *child);

/* Tells the supervisor that the work is done from now on. */
MUST_USE enum err child_ready(struct child *child);

#endif

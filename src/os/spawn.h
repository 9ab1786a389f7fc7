/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting our own binary again as another process, with just the descriptors it should have. */
#ifndef LODGE_OS_SPAWN_H
#define LODGE_OS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn_fd {
    int fd; /* ours */
    int as; /* its number there, from 3 on, each once */
};

enum { SPAWN_FDS_MAX = 8 };

/* Runs /proc/self/exe with argv (ended by NULL): descriptors 0 to 2 are inherited, those of the
 * table stand at their numbers, all others are closed, signals are as at a program's start. The
 * child is killed when this process (the thread that calls) dies. *ret_pidfd turns readable when
 * the child ends; it is the caller's to close, after spawn_wait. ERR_SYSTEM. */
MUST_USE enum err spawn_self(char *const argv[], const struct spawn_fd *fds, size_t n_fds,
                             pid_t *ret_pid, int *ret_pidfd);

/* Runs another program, given by its whole path, with our standard descriptors and no others, and
 * waits. For set-up by an administrator, never in the gate. ERR_NOT_FOUND where there is no such
 * program, ERR_SYSTEM where it failed. */
MUST_USE enum err spawn_program(char *const argv[]);

/* How a process ended. */
struct spawn_end {
    int status; /* exit status, where signal is 0 */
    int signal;
};

/* Takes the end of a child whose pidfd is readable. ERR_AGAIN where it still runs, ERR_SYSTEM. */
MUST_USE enum err spawn_wait(int pidfd, struct spawn_end *ret_end);

/* Sends a signal to a child; ERR_NOT_FOUND where it has ended. */
MUST_USE enum err spawn_signal(int pidfd, int signal);

#endif

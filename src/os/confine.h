/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up rights, as far as the kernel goes: the one place where a process does it (design
 * section 4). User, no core, no tracing and no new privileges; then Landlock and seccomp.
 *
 * A system call outside a process's groups fails with EPERM; those that only an intruder makes
 * (execve, ptrace, mount ...) kill. Landlock degrades by the kernel's ABI; what held is reported.
 */
#ifndef LODGE_OS_CONFINE_H
#define LODGE_OS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Groups of system calls beside what every process has (memory, time, epoll, open descriptors, Unix
 * pairs). */
enum confine_calls {
    CONFINE_TCP_UDP = 1 << 0, /* sockets of IPv4 and IPv6: accept, connect, splice */
    CONFINE_FILES = 1 << 1,   /* open, write, rename, sync files, where Landlock lets it */
    CONFINE_LIBRARY = 1 << 2, /* what a network library does for itself: threads, netlink */
    CONFINE_MEMORY = 1 << 3,  /* files in memory, to be handed over */
};

/* A folder, open, that stays usable below with this right. */
struct confine_dir {
    int fd;
    bool write;
};

struct confine {
    unsigned calls; /* enum confine_calls, or-ed */
    bool dial;      /* TCP connections out */
    const struct confine_dir *dirs;
    size_t n_dirs;
};

struct confine_report {
    int landlock; /* the ABI in force; 0: none */
    bool seccomp;
};

/* The first step: becomes this system user (NULL: none), with the groups that it is in, if started
 * as root and it exists
 * (*ret_done tells whether it was so), and forbids cores, tracing and new privileges in any case.
 * ERR_SYSTEM.
 */
MUST_USE enum err confine_user(const char *user, bool *ret_done);

/* The second, once everything outside the folders is open: Landlock and seccomp, for good. What the
 * kernel cannot do is left out and reported; what it can but refuses is ERR_SYSTEM. */
MUST_USE enum err confine_self(const struct confine *confine, struct confine_report *ret_report);

/* The Landlock ABI of the kernel, 0 for none; whether seccomp filters work. For `lodge doctor`. */
int confine_landlock_abi(void);
bool confine_has_seccomp(void);

/* A group's number. ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_USE enum err confine_find_group(const char *name, gid_t *ret_gid);
/* Whether this user is there and in this group. */
bool confine_has_group(const char *user, gid_t group);

/* A user's numbers. ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_USE enum err confine_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid);

#endif

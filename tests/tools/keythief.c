/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keythief WHO FOLDER ATTEMPT TARGET: takes the rights of one of our processes, then tries one way
 * to the CA's key. "got it" and 0: it worked; 1 and what the kernel said: it did not. A call that
 * kills ends it by its signal.
 *
 * WHO is a process of proc.def, the fetcher or the unpacker, or "anyone": no rights are given up.
 * FOLDER is the one that WHO keeps ("-": none). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/num.h"
#include "os/confine.h"
#include "os/file.h"
#include "proc/fetcher.h"
#include "proc/proc.h"

enum { GOT = 0, REFUSED = 1, WRONG = 2, FIRST_FD = 3, LAST_FD = 32, FOLDERS_MAX = FETCHER_DIRS };

struct rights {
    const char *user;
    struct confine rules;
    struct confine_dir dirs[FOLDERS_MAX];
};

static int say(long result)
{
    if (result >= 0) {
        puts("got it");
        return GOT;
    }
    printf("%s\n", strerror(errno));
    return REFUSED;
}

static int try_open(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return say(fd < 0 ? -1 : read(fd, &byte, 1));
}

static pid_t pid_of(const char *text)
{
    uint64_t pid = 0;
    return parse_u64(str_from(text), 1, INT32_MAX, &pid) == ERR_OK ? (pid_t)pid : 0;
}

/* What the notary has open. */
static int try_descriptors(const char *pid)
{
    char path[64];
    for (int fd = FIRST_FD; fd < LAST_FD; fd++) {
        snprintf(path, sizeof(path), "/proc/%s/fd/%d", pid, fd);
        int got = open(path, O_RDONLY | O_CLOEXEC);
        if (got >= 0) {
            return say(got);
        }
    }
    return say(-1);
}

static int try_memory(const char *pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%s/mem", pid);
    return say(open(path, O_RDONLY | O_CLOEXEC));
}

static int try_trace(const char *pid)
{
    return say(ptrace(PTRACE_SEIZE, pid_of(pid), NULL, NULL));
}

/* Address 0 is nobody's: EFAULT says that it might have read. */
static int try_vm(const char *pid)
{
    char byte;
    struct iovec here = {&byte, 1};
    struct iovec there = {NULL, 1};
    long n = process_vm_readv(pid_of(pid), &here, 1, &there, 1, 0);
    return say(n < 0 && errno == EFAULT ? 0 : n);
}

static int try_pidfd(const char *pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid_of(pid), 0);
    return say(pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, FIRST_FD, 0));
}

static const struct {
    const char *name;
    int (*attempt)(const char *target);
} attempts[] = {
    {"open", try_open},     {"descriptors", try_descriptors},
    {"memory", try_memory}, {"trace", try_trace},
    {"vm", try_vm},         {"pidfd", try_pidfd},
};

static bool find_rights(const char *who, struct rights *rights)
{
    rights->rules.dirs = rights->dirs;
    if (strcmp(who, "fetcher") == 0 || strcmp(who, "signon") == 0) {
        rights->user = strcmp(who, "fetcher") == 0 ? FETCHER_USER : proc_row(PROC_signon)->user;
        fetcher_rights(rights->dirs, &rights->rules);
        return true;
    }
    if (strcmp(who, "unpacker") == 0) {
        rights->rules.calls = CONFINE_FILES;
        rights->dirs[0].write = true;
        return true;
    }
    for (int i = PROC_UNSET + 1; i < PROC_COUNT; i++) {
        const struct proc_row *row = proc_row((enum proc)i);
        if (strcmp(row->name, who) == 0) {
            rights->user = row->user;
            rights->rules.calls = row->calls;
            rights->rules.dial = row->dials;
            rights->dirs[0].write = (row->handed & HAND_SPOOL_WRITER) != 0;
            return true;
        }
    }
    return false;
}

static bool give_up(struct rights *rights, const char *folder)
{
    struct confine_report report;
    bool became;
    int fd = -1;
    if (strcmp(folder, "-") != 0) {
        if (file_open_dir(AT_FDCWD, folder, &fd) != ERR_OK) {
            return false;
        }
        rights->dirs[0].fd = fd;
        rights->rules.n_dirs = 1;
    }
    return confine_user(rights->user, &became) == ERR_OK &&
           confine_self(&rights->rules, &report) == ERR_OK;
}

int main(int argc, char **argv)
{
    static struct rights rights;
    if (argc != 5) {
        return WRONG;
    }
    if (strcmp(argv[1], "anyone") != 0 &&
        (!find_rights(argv[1], &rights) || !give_up(&rights, argv[2]))) {
        fprintf(stderr, "cannot become %s: %s\n", argv[1], strerror(errno));
        return WRONG;
    }
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strcmp(attempts[i].name, argv[3]) == 0) {
            return attempts[i].attempt(argv[4]);
        }
    }
    return WRONG;
}

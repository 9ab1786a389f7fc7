/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting processes: fork and execve, so that each has an address layout of its own. */
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

enum { FIRST_FD = 3, PARKED_FROM = FIRST_FD + 2 * SPAWN_FDS_MAX, EXIT_NOT_STARTED = 127 };

/* In the child: first out of the way of all targets, then to their places. */
static bool place_fds(const struct spawn_fd *fds, size_t n_fds)
{
    int parked[SPAWN_FDS_MAX];
    for (size_t i = 0; i < n_fds; i++) {
        parked[i] = fcntl(fds[i].fd, F_DUPFD, PARKED_FROM);
        if (parked[i] < 0) {
            return false;
        }
    }
    (void)close_range(FIRST_FD, PARKED_FROM - 1, 0);
    for (size_t i = 0; i < n_fds; i++) {
        if (dup2(parked[i], fds[i].as) != fds[i].as) {
            return false;
        }
    }
    return close_range(PARKED_FROM, UINT_MAX, 0) == 0;
}

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action = {.sa_handler = SIG_DFL};
        (void)sigaction(number, &action, NULL); /* two of them cannot be set, nor need to be */
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(char *const argv[], const struct spawn_fd *fds, size_t n_fds,
                                pid_t parent)
{
    reset_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || !place_fds(fds, n_fds)) {
        _exit(EXIT_NOT_STARTED);
    }
    (void)execv("/proc/self/exe", argv);
    _exit(EXIT_NOT_STARTED);
}

enum err spawn_self(char *const argv[], const struct spawn_fd *fds, size_t n_fds, pid_t *ret_pid,
                    int *ret_pidfd)
{
    CHECK(n_fds <= SPAWN_FDS_MAX);
    for (size_t i = 0; i < n_fds; i++) {
        CHECK(fds[i].as >= FIRST_FD && fds[i].as < PARKED_FROM);
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        return ERR_SYSTEM;
    }
    if (pid == 0) {
        run_child(argv, fds, n_fds, parent);
    }
    int pidfd = pidfd_open(pid, 0); /* close-on-exec by itself */
    if (pidfd < 0) {
        int saved = errno;
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        errno = saved;
        return ERR_SYSTEM;
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    return ERR_OK;
}

enum err spawn_program(char *const argv[])
{
    int status = 0;
    pid_t pid = fork();
    if (pid < 0) {
        return ERR_SYSTEM;
    }
    if (pid == 0) {
        reset_signals();
        (void)close_range(FIRST_FD, UINT_MAX, 0);
        (void)execv(argv[0], argv);
        _exit(EXIT_NOT_STARTED);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return ERR_SYSTEM;
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_STARTED) {
        return ERR_NOT_FOUND;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err spawn_wait(int pidfd, struct spawn_end *ret_end)
{
    siginfo_t info = {0};
    int got;
    do {
        got = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    } while (got != 0 && errno == EINTR);
    if (got != 0) {
        return ERR_SYSTEM;
    }
    if (info.si_pid == 0) {
        return ERR_AGAIN;
    }
    bool exited = info.si_code == CLD_EXITED;
    *ret_end = (struct spawn_end){
        .status = exited ? info.si_status : 0,
        .signal = exited ? 0 : info.si_status,
    };
    return ERR_OK;
}

enum err spawn_signal(int pidfd, int signal)
{
    if (pidfd_send_signal(pidfd, signal, NULL, 0) == 0) {
        return ERR_OK;
    }
    return errno == ESRCH ? ERR_NOT_FOUND : ERR_SYSTEM;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals and bells: signalfd and eventfd. */
#include "os/signals.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_signal(struct loop_io *io, uint32_t events)
{
    struct signals *signals = (struct signals *)(void *)io;
    struct signalfd_siginfo info;
    (void)events;
    while (io->fd >= 0 && read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        signals->fn(signals, (int)info.ssi_signo);
    }
}

enum err signals_open(struct loop *loop, struct signals *signals, const int *numbers, size_t n)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < n; i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    signals->io = (struct loop_io){.fd = -1, .fn = on_signal};
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return ERR_SYSTEM;
    }
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    enum err err = loop_add(loop, &signals->io, fd, EPOLLIN);
    if (err != ERR_OK) {
        close(fd);
    }
    return err;
}

void signals_close(struct signals *signals)
{
    int fd = signals->io.fd;
    if (fd >= 0) {
        loop_remove(&signals->io);
        close(fd);
    }
}

void signals_ignore(const int *numbers, size_t n)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < n; i++) {
        (void)sigaction(numbers[i], &ignore, NULL);
    }
}

enum err bell_new(int *ret_fd)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    *ret_fd = fd;
    return ERR_OK;
}

void bell_ring(int fd)
{
    uint64_t one = 1;
    (void)!write(fd, &one, sizeof(one)); /* it can only fail where it rings already */
}

void bell_quieten(int fd)
{
    uint64_t count;
    (void)!read(fd, &count, sizeof(count)); /* it can only fail where it is quiet */
}

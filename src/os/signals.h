/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals as events of the loop, and bells: a wake-up between processes that carries nothing.
 */
#ifndef LODGE_OS_SIGNALS_H
#define LODGE_OS_SIGNALS_H

#include <stddef.h>

#include "base/err.h"
#include "os/loop.h"

struct signals {
    struct loop_io io;
    void (*fn)(struct signals *signals, int number);
};

/* From now on these signals interrupt nothing and come to fn (set before) in a turn of the loop.
 * Children started by spawn_self are not affected. ERR_SYSTEM. */
MUST_USE enum err signals_open(struct loop *loop, struct signals *signals, const int *numbers,
                               size_t n);
/* Stops it; the signals stay blocked. */
void signals_close(struct signals *signals);

/* These signals do nothing any more; for children, whom the supervisor tells what to do. */
void signals_ignore(const int *numbers, size_t n);

/* A bell: ring it from any process that has the descriptor; one that waits on it in its loop finds
 * it readable and quietens it before it looks at what was meant. */
MUST_USE enum err bell_new(int *ret_fd);
void bell_ring(int fd);
void bell_quieten(int fd);

#endif

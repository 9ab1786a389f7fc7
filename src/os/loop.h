/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop: epoll, edge-triggered, one per process; timers; work put off to the end of a
 * turn.
 *
 * A loop_io or loop_timer is embedded in its owner's struct. Callbacks may add, change and remove
 * any of them, their own included; an io removed during a turn gets no further call, even when its
 * event was already fetched. Owners free their memory by loop_defer, not inside a callback of the
 * same turn.
 */
#ifndef LODGE_OS_LOOP_H
#define LODGE_OS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

struct loop;
struct loop_io;
struct loop_timer;

typedef void loop_io_fn(struct loop_io *io, uint32_t events);
typedef void loop_timer_fn(struct loop_timer *timer);

struct loop_io {
    int fd; /* -1: not in the loop */
    loop_io_fn *fn;
    struct loop *loop;
};

struct loop_timer {
    loop_timer_fn *fn;
    struct loop *loop;
    int64_t due_ms; /* private: when the owner wants it; 0: not set */
    int64_t
        place_ms; /* private: where it stands; lazily moved, so that pushing a timer back is free */
    size_t index; /* private */
};

/* Work for the end of this turn, each at most once a turn. */
struct loop_defer {
    void (*fn)(struct loop_defer *defer);
    struct loop_defer *next; /* private */
    bool queued;             /* private */
};

MUST_USE enum err loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop);

/* Runs turns until loop_stop. */
MUST_USE enum err loop_run(struct loop *loop);
/* One turn, waiting at most wait_ms (-1: for ever); for tests. */
MUST_USE enum err loop_turn(struct loop *loop, int wait_ms);
void loop_stop(struct loop *loop);

/* The monotonic (boot) and UTC time as of the start of this turn: cheap. */
int64_t loop_mono_ms(const struct loop *loop);
int64_t loop_utc_ms(const struct loop *loop);

/* Watches fd, edge-triggered (EPOLLET is added unless events has EPOLLEXCLUSIVE), with fn set by
 * the owner before. */
MUST_USE enum err loop_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events);
MUST_USE enum err loop_change(struct loop_io *io, uint32_t events);
/* Stops watching; does not close the descriptor. Fine when not added. */
void loop_remove(struct loop_io *io);
/* Stops watching by closing the descriptor, which spares a system call; it must have no duplicate,
 * in this process or another, or its events would go on. Fine when not added. */
void loop_close(struct loop_io *io);

/* (Re)sets the timer to due_ms on loop_mono_ms's clock. Pushing one back is O(1). */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t due_ms);
void loop_timer_clear(struct loop_timer *timer);

void loop_defer_add(struct loop *loop, struct loop_defer *defer);

#endif

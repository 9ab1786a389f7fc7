/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop.
 *
 * Invariants: an io's fd is -1 or registered with epoll under the io's own address; events fetched
 * for an io that was removed meanwhile are blotted out (so its memory is never touched again); the
 * timers are a binary heap by place_ms, and place_ms <= due_ms, so that a timer is looked at no
 * later than it is due and is moved back only then.
 */
#include "os/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

enum { EVENTS_PER_TURN = 256, HEAP_FIRST = 64 };

struct loop {
    int epoll_fd;
    bool stopped;
    int64_t mono_ms;
    int64_t utc_ms;
    struct epoll_event events[EVENTS_PER_TURN];
    int event_at; /* the one in hand */
    int event_end;
    struct loop_timer **heap;
    size_t n_timers;
    size_t heap_cap;
    struct loop_defer *defer_head;
    struct loop_defer **defer_tail;
};

enum err loop_new(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        return ERR_MEMORY;
    }
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        free(loop);
        return ERR_SYSTEM;
    }
    loop->defer_tail = &loop->defer_head;
    loop->mono_ms = clock_mono_ms();
    loop->utc_ms = clock_utc_ms();
    *ret_loop = loop;
    return ERR_OK;
}

void loop_free(struct loop *loop)
{
    if (loop != NULL) {
        close(loop->epoll_fd);
        free(loop->heap);
        free(loop);
    }
}

int64_t loop_mono_ms(const struct loop *loop)
{
    return loop->mono_ms;
}

int64_t loop_utc_ms(const struct loop *loop)
{
    return loop->utc_ms;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

/* epoll refuses EPOLL_CTL_MOD and EPOLLEXCLUSIVE together, and an exclusive listener is shared by
 * processes, so it is level-triggered: who wakes may leave connections to the others. */
static uint32_t with_trigger(uint32_t events)
{
    return (events & EPOLLEXCLUSIVE) != 0 ? events : events | EPOLLET;
}

enum err loop_add(struct loop *loop, struct loop_io *io, int fd, uint32_t events)
{
    CHECK(io->fn != NULL && fd >= 0);
    struct epoll_event event = {.events = with_trigger(events), .data.ptr = io};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        return ERR_SYSTEM;
    }
    io->fd = fd;
    io->loop = loop;
    return ERR_OK;
}

enum err loop_change(struct loop_io *io, uint32_t events)
{
    CHECK(io->loop != NULL && io->fd >= 0);
    struct epoll_event event = {.events = with_trigger(events), .data.ptr = io};
    return epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == 0 ? ERR_OK : ERR_SYSTEM;
}

/* No event that was fetched already reaches it. */
static void forget(struct loop_io *io)
{
    struct loop *loop = io->loop;
    for (int i = loop->event_at + 1; i < loop->event_end; i++) {
        if (loop->events[i].data.ptr == io) {
            loop->events[i].data.ptr = NULL;
        }
    }
    io->fd = -1;
    io->loop = NULL;
}

void loop_remove(struct loop_io *io)
{
    struct loop *loop = io->loop;
    if (loop == NULL || io->fd < 0) {
        return;
    }
    CHECK(epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL) == 0); /* closed before removed? */
    forget(io);
}

void loop_close(struct loop_io *io)
{
    int fd = io->fd;
    if (io->loop == NULL || fd < 0) {
        return;
    }
    forget(io);
    close(fd); /* the last of its kind, so epoll lets go of it too (epoll(7)) */
}

/* ---- timers ---- */

static void heap_put(struct loop *loop, size_t at, struct loop_timer *timer)
{
    loop->heap[at] = timer;
    timer->index = at;
}

static void heap_up(struct loop *loop, size_t at)
{
    struct loop_timer *timer = loop->heap[at];
    while (at > 0 && loop->heap[(at - 1) / 2]->place_ms > timer->place_ms) {
        heap_put(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(loop, at, timer);
}

static void heap_down(struct loop *loop, size_t at)
{
    struct loop_timer *timer = loop->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= loop->n_timers) {
            break;
        }
        if (child + 1 < loop->n_timers &&
            loop->heap[child + 1]->place_ms < loop->heap[child]->place_ms) {
            child++;
        }
        if (loop->heap[child]->place_ms >= timer->place_ms) {
            break;
        }
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, timer);
}

static void heap_add(struct loop *loop, struct loop_timer *timer)
{
    if (loop->n_timers == loop->heap_cap) {
        size_t cap = loop->heap_cap == 0 ? HEAP_FIRST : 2 * loop->heap_cap;
        struct loop_timer **heap = reallocarray(loop->heap, cap, sizeof(struct loop_timer *));
        CHECK(heap != NULL); /* a lost time limit would be a connection held for ever */
        loop->heap = heap;
        loop->heap_cap = cap;
    }
    heap_put(loop, loop->n_timers, timer);
    loop->n_timers++;
    heap_up(loop, timer->index);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t due_ms)
{
    CHECK(timer->fn != NULL);
    due_ms = due_ms > 0 ? due_ms : 1; /* 0 means "not set" */
    if (timer->due_ms == 0) {
        timer->loop = loop;
        timer->due_ms = due_ms;
        timer->place_ms = due_ms;
        heap_add(loop, timer);
        return;
    }
    CHECK(timer->loop == loop);
    timer->due_ms = due_ms;
    if (due_ms < timer->place_ms) {
        timer->place_ms = due_ms;
        heap_up(loop, timer->index);
    }
}

void loop_timer_clear(struct loop_timer *timer)
{
    if (timer->due_ms == 0) {
        return;
    }
    struct loop *loop = timer->loop;
    size_t at = timer->index;
    loop->n_timers--;
    if (at != loop->n_timers) {
        struct loop_timer *last = loop->heap[loop->n_timers];
        heap_put(loop, at, last);
        heap_down(loop, at);
        heap_up(loop, last->index);
    }
    timer->due_ms = 0;
}

/* Fires what is due. A callback that sets timers into the past is met again in the next turn. */
static void run_timers(struct loop *loop)
{
    size_t left = loop->n_timers;
    while (left > 0 && loop->n_timers > 0 && loop->heap[0]->place_ms <= loop->mono_ms) {
        struct loop_timer *timer = loop->heap[0];
        left--;
        if (timer->due_ms > loop->mono_ms) {
            timer->place_ms = timer->due_ms;
            heap_down(loop, 0);
        } else {
            loop_timer_clear(timer);
            timer->fn(timer);
        }
    }
}

/* ---- turns ---- */

void loop_defer_add(struct loop *loop, struct loop_defer *defer)
{
    CHECK(defer->fn != NULL);
    if (!defer->queued) {
        defer->queued = true;
        defer->next = NULL;
        *loop->defer_tail = defer;
        loop->defer_tail = &defer->next;
    }
}

static void run_defers(struct loop *loop)
{
    struct loop_defer *defer = loop->defer_head;
    loop->defer_head = NULL;
    loop->defer_tail = &loop->defer_head;
    while (defer != NULL) {
        struct loop_defer *next = defer->next; /* fn may free its owner */
        defer->queued = false;
        defer->fn(defer);
        defer = next;
    }
}

static int wait_for(const struct loop *loop, int wait_ms)
{
    if (loop->defer_head != NULL) {
        return 0;
    }
    if (loop->n_timers == 0) {
        return wait_ms;
    }
    int64_t rest = loop->heap[0]->place_ms - clock_mono_ms();
    rest = rest < 0 ? 0 : rest > INT_MAX ? INT_MAX : rest;
    return wait_ms >= 0 && wait_ms < rest ? wait_ms : (int)rest;
}

enum err loop_turn(struct loop *loop, int wait_ms)
{
    int n = epoll_wait(loop->epoll_fd, loop->events, EVENTS_PER_TURN, wait_for(loop, wait_ms));
    if (n < 0 && errno != EINTR) {
        return ERR_SYSTEM;
    }
    loop->mono_ms = clock_mono_ms();
    loop->utc_ms = clock_utc_ms();
    loop->event_end = n > 0 ? n : 0;
    for (loop->event_at = 0; loop->event_at < loop->event_end; loop->event_at++) {
        const struct epoll_event *event = &loop->events[loop->event_at];
        struct loop_io *io = event->data.ptr;
        if (io != NULL) {
            io->fn(io, event->events);
        }
    }
    loop->event_end = 0;
    run_timers(loop);
    run_defers(loop);
    return ERR_OK;
}

enum err loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        ERR_TRY(loop_turn(loop, -1));
    }
    return ERR_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/loop.h"

#include <string.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/test.h"

enum { IOS = 24, TIMERS = 40 };

/* One watched eventfd, or one timer, and what the test knows of it. */
struct thing {
    struct loop_io io;
    struct loop_timer timer;
    struct loop_defer defer;
    int fd;
    bool rung;
    bool in_loop;
    int64_t due_ms; /* 0: not set */
    int calls;
};

static struct loop *loop;
static struct thing things[TIMERS];
static uint64_t random_state;
static int total_calls;

static unsigned pick(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state % n);
}

static void ring(struct thing *thing)
{
    uint64_t one = 1;
    assert_int_equal(write(thing->fd, &one, sizeof(one)), sizeof(one));
    thing->rung = true;
}

static void quiet(struct thing *thing)
{
    uint64_t value;
    assert_int_equal(read(thing->fd, &value, sizeof(value)), sizeof(value));
    thing->rung = false;
}

static void add(struct thing *thing)
{
    assert_ok(loop_add(loop, &thing->io, thing->fd, EPOLLIN));
    thing->in_loop = true;
}

static void take_out(struct thing *thing)
{
    loop_remove(&thing->io);
    thing->in_loop = false;
}

static void on_io(struct loop_io *io, uint32_t events);

static void begin(size_t n_io)
{
    assert_ok(loop_new(&loop));
    memset(things, 0, sizeof(things));
    for (size_t i = 0; i < n_io; i++) {
        things[i].fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        things[i].io = (struct loop_io){.fd = -1, .fn = on_io};
        assert_true(things[i].fd >= 0);
    }
}

static void end(size_t n_io)
{
    for (size_t i = 0; i < n_io; i++) {
        loop_remove(&things[i].io);
        close(things[i].fd);
    }
    loop_free(loop);
}

static void do_anything(void)
{
    struct thing *thing = &things[pick(IOS)];
    switch (pick(4)) {
    case 0:
        if (!thing->in_loop) {
            add(thing);
        }
        break;
    case 1:
        take_out(thing);
        break;
    case 2:
        if (!thing->rung) {
            ring(thing);
        }
        break;
    case 3:
        if (thing->in_loop) {
            assert_ok(loop_change(&thing->io, EPOLLIN));
        }
        break;
    }
}

static void on_io(struct loop_io *io, uint32_t events)
{
    struct thing *thing = (struct thing *)io;
    assert_true(thing->in_loop);
    assert_true(thing->rung);
    assert_int_equal(io->fd, thing->fd);
    assert_true((events & EPOLLIN) != 0);
    quiet(thing);
    thing->calls++;
    total_calls++;
    for (unsigned i = pick(5); i > 0; i--) {
        do_anything();
    }
}

TEST(any_interleaving_of_adds_and_removes_calls_only_what_is_watched_and_rung)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15U;
        total_calls = 0;
        begin(IOS);
        for (int turn = 0; turn < 300; turn++) {
            do_anything();
            assert_ok(loop_turn(loop, 0));
        }
        assert_true(total_calls > 20);
        /* Nothing that is watched and rung is forgotten. */
        for (size_t i = 0; i < IOS; i++) {
            take_out(&things[i]);
            if (!things[i].rung) {
                ring(&things[i]);
            }
            things[i].calls = 0;
        }
        random_state = 0; /* pick() now always gives 0: callbacks change nothing */
        for (size_t i = 0; i < IOS; i++) {
            add(&things[i]);
        }
        assert_ok(loop_turn(loop, 0));
        for (size_t i = 0; i < IOS; i++) {
            assert_int_equal(things[i].calls, 1);
        }
        end(IOS);
    }
}

static void remove_the_others(struct loop_io *io, uint32_t events)
{
    (void)events;
    total_calls++;
    for (size_t i = 0; i < IOS; i++) {
        if (&things[i].io != io) {
            loop_remove(&things[i].io);
            things[i].io.fn = NULL; /* a call would be a crash */
        }
    }
}

TEST(an_io_removed_by_another_callback_of_the_turn_is_not_called)
{
    begin(IOS);
    total_calls = 0;
    for (size_t i = 0; i < IOS; i++) {
        things[i].io.fn = remove_the_others;
        add(&things[i]);
        ring(&things[i]);
    }
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(total_calls, 1);
    end(IOS);
}

TEST(watching_is_edge_triggered)
{
    begin(1);
    random_state = 0;
    things[0].io.fn = on_io;
    add(&things[0]);
    ring(&things[0]);
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(things[0].calls, 1);
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(things[0].calls, 1);
    end(1);
}

static struct loop_io pair[2];
static unsigned pair_calls;

/* Whichever is called first closes the other. */
static void on_pair(struct loop_io *io, uint32_t events)
{
    (void)events;
    pair_calls++;
    loop_close(&pair[io == &pair[0] ? 1 : 0]);
}

TEST(closing_takes_a_descriptor_and_its_fetched_event_out)
{
    assert_ok(loop_new(&loop));
    int fds[2];
    pair_calls = 0;
    for (int i = 0; i < 2; i++) {
        fds[i] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
        pair[i] = (struct loop_io){.fd = -1, .fn = on_pair};
        assert_ok(loop_add(loop, &pair[i], fds[i], EPOLLIN));
    }
    assert_ok(loop_turn(loop, 0));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(pair_calls, 1);
    int closed = pair[0].fd == -1 ? 0 : 1;
    assert_int_equal(pair[closed].fd, -1);
    assert_int_equal(fcntl(fds[closed], F_GETFD), -1);
    loop_close(&pair[closed]); /* fine twice */
    loop_close(&pair[1 - closed]);
    loop_free(loop);
}

TEST(a_descriptor_that_cannot_be_watched_is_an_error)
{
    assert_ok(loop_new(&loop));
    struct loop_io io = {.fd = -1, .fn = on_io};
    int fd = eventfd(0, EFD_CLOEXEC);
    close(fd);
    assert_err(loop_add(loop, &io, fd, EPOLLIN), ERR_SYSTEM);
    assert_int_equal(io.fd, -1);
    loop_remove(&io);
    loop_free(loop);
}

static struct thing *thing_of(struct loop_timer *timer)
{
    return (struct thing *)(void *)((char *)timer - offsetof(struct thing, timer));
}

static void set_timer(struct thing *thing, int64_t due_ms)
{
    loop_timer_set(loop, &thing->timer, due_ms);
    thing->due_ms = due_ms;
}

static void clear_timer(struct thing *thing)
{
    loop_timer_clear(&thing->timer);
    thing->due_ms = 0;
}

/* Sets timers around the loop's time, which does not move during a turn. */
static void move_timers(void)
{
    struct thing *thing = &things[pick(TIMERS)];
    if (pick(3) == 0) {
        clear_timer(thing);
    } else if (pick(2) == 0) {
        set_timer(thing, loop_mono_ms(loop) + 1000000 + (int64_t)pick(1000));
    } else {
        set_timer(thing, loop_mono_ms(loop) - (int64_t)pick(50));
    }
}

static void on_timer(struct loop_timer *timer)
{
    struct thing *thing = thing_of(timer);
    assert_true(thing->due_ms != 0);
    assert_true(thing->due_ms <= loop_mono_ms(loop));
    thing->due_ms = 0;
    thing->calls++;
    move_timers();
}

TEST(timers_fire_when_due_and_only_then_whatever_callbacks_do)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15U;
        begin(0);
        for (size_t i = 0; i < TIMERS; i++) {
            things[i].timer.fn = on_timer;
        }
        for (int turn = 0; turn < 300; turn++) {
            move_timers();
            assert_ok(loop_turn(loop, 0));
        }
        for (size_t i = 0; i < TIMERS; i++) {
            clear_timer(&things[i]);
            things[i].calls = 0;
            things[i].timer.fn = on_timer;
        }
        random_state = 0;
        for (size_t i = 1; i < TIMERS; i++) {
            set_timer(&things[i], loop_mono_ms(loop) + (i % 2 == 0 ? 0 : 1000000));
        }
        assert_ok(loop_turn(loop, 0));
        for (size_t i = 1; i < TIMERS; i++) {
            assert_int_equal(things[i].calls, i % 2 == 0 ? 1 : 0);
        }
        end(0);
    }
}

static struct loop_timer *fired[4];
static int n_fired;

static void note_timer(struct loop_timer *timer)
{
    fired[n_fired++] = timer;
}

TEST(timers_fire_in_order_and_one_pushed_back_waits)
{
    begin(0);
    n_fired = 0;
    int64_t now = loop_mono_ms(loop);
    struct loop_timer a = {.fn = note_timer};
    struct loop_timer b = {.fn = note_timer};
    struct loop_timer c = {.fn = note_timer};
    loop_timer_set(loop, &a, now - 1);
    loop_timer_set(loop, &b, now - 2);
    loop_timer_set(loop, &c, now - 3);
    loop_timer_set(loop, &c, now + 1000000);
    loop_timer_set(loop, &a, now - 5);
    assert_ok(loop_turn(loop, -1));
    assert_int_equal(n_fired, 2);
    assert_ptr_equal(fired[0], &a);
    assert_ptr_equal(fired[1], &b);
    loop_timer_clear(&c);
    end(0);
}

TEST(a_timer_wakes_a_loop_that_waits_for_ever)
{
    begin(0);
    n_fired = 0;
    struct loop_timer timer = {.fn = note_timer};
    loop_timer_set(loop, &timer, loop_mono_ms(loop) + 5);
    while (n_fired == 0) {
        assert_ok(loop_turn(loop, -1));
    }
    assert_int_equal(n_fired, 1);
    end(0);
}

static void count_defer(struct loop_defer *defer)
{
    struct thing *thing = (struct thing *)(void *)((char *)defer - offsetof(struct thing, defer));
    thing->calls++;
    if (thing->calls < 3) {
        loop_defer_add(loop, defer);
    } else {
        loop_stop(loop);
    }
}

TEST(deferred_work_runs_once_a_turn_and_may_defer_itself)
{
    begin(0);
    things[0].defer.fn = count_defer;
    loop_defer_add(loop, &things[0].defer);
    loop_defer_add(loop, &things[0].defer);
    assert_ok(loop_turn(loop, -1));
    assert_int_equal(things[0].calls, 1);
    assert_ok(loop_run(loop));
    assert_int_equal(things[0].calls, 3);
    end(0);
}

static void free_owner(struct loop_defer *defer)
{
    free((char *)defer - offsetof(struct thing, defer));
    total_calls++;
}

TEST(deferred_work_may_free_its_owner)
{
    begin(0);
    total_calls = 0;
    for (int i = 0; i < 3; i++) {
        struct thing *thing = calloc(1, sizeof(*thing));
        assert_non_null(thing);
        thing->defer.fn = free_owner;
        loop_defer_add(loop, &thing->defer);
    }
    assert_ok(loop_turn(loop, -1));
    assert_int_equal(total_calls, 3);
    end(0);
}

TESTS_MAIN(unit(any_interleaving_of_adds_and_removes_calls_only_what_is_watched_and_rung),
           unit(an_io_removed_by_another_callback_of_the_turn_is_not_called),
           unit(watching_is_edge_triggered),
           unit(closing_takes_a_descriptor_and_its_fetched_event_out),
           unit(a_descriptor_that_cannot_be_watched_is_an_error),
           unit(timers_fire_when_due_and_only_then_whatever_callbacks_do),
           unit(timers_fire_in_order_and_one_pushed_back_waits),
           unit(a_timer_wakes_a_loop_that_waits_for_ever),
           unit(deferred_work_runs_once_a_turn_and_may_defer_itself),
           unit(deferred_work_may_free_its_owner))

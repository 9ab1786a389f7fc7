/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that change, signals and bells, each as an event of the loop. */
#include "os/watch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/file.h"
#include "os/signals.h"

static struct loop *loop;
static int calls;
static int last_signal;

static void on_files(struct watch_set *set)
{
    (void)set;
    calls++;
}

static void on_one(struct signals *signals, int number)
{
    (void)signals;
    calls++;
    last_signal = number;
}

TEST(a_file_renamed_or_written_into_place_is_noticed_and_others_are_not)
{
    char folder[] = "/tmp/lodge-watch-XXXXXX";
    char path[64];
    struct watch_set set = {.fn = on_files};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/wanted", folder);
    int dir_fd;
    assert_ok(file_open_dir(AT_FDCWD, folder, &dir_fd));
    assert_ok(loop_new(&loop));
    assert_ok(watch_open(loop, &set));
    assert_ok(watch_add(&set, path));
    calls = 0;
    assert_ok(file_write(dir_fd, "other", STR("x"), 0600));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(calls, 0);
    assert_ok(file_write(dir_fd, "wanted", STR("x"), 0600));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(calls, 1);
    int fd = openat(dir_fd, "wanted", O_WRONLY | O_CLOEXEC);
    assert_ok(file_write_all(fd, STR("y")));
    close(fd);
    assert_ok(file_write(dir_fd, "wanted", STR("x"), 0600));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(calls, 2); /* once for all at hand */
    assert_err(watch_add(&set, "/nonexistent/folder/file"), ERR_NOT_FOUND);
    watch_close(&set);
    watch_close(&set);
    loop_free(loop);
    assert_int_equal(unlinkat(dir_fd, "wanted", 0), 0);
    assert_int_equal(unlinkat(dir_fd, "other", 0), 0);
    close(dir_fd);
    assert_int_equal(rmdir(folder), 0);
}

TEST(signals_come_in_turns_of_the_loop)
{
    static const int numbers[] = {SIGHUP, SIGTERM};
    static const int ignored[] = {SIGUSR1};
    struct signals signals = {.fn = on_one};
    assert_ok(loop_new(&loop));
    assert_ok(signals_open(loop, &signals, numbers, 2));
    signals_ignore(ignored, 1);
    calls = 0;
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(calls, 0);
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(calls, 1);
    assert_int_equal(last_signal, SIGTERM);
    signals_close(&signals);
    signals_close(&signals);
    loop_free(loop);
}

static void on_bell(struct loop_io *io, uint32_t events)
{
    (void)events;
    bell_quieten(io->fd);
    calls++;
}

TEST(a_bell_rung_often_wakes_once_and_again_after_it_was_quietened)
{
    struct loop_io io = {.fd = -1, .fn = on_bell};
    int fd;
    assert_ok(bell_new(&fd));
    assert_ok(loop_new(&loop));
    assert_ok(loop_add(loop, &io, fd, EPOLLIN));
    calls = 0;
    bell_ring(fd);
    bell_ring(fd);
    assert_ok(loop_turn(loop, 0));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(calls, 1);
    bell_ring(fd);
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(calls, 2);
    loop_remove(&io);
    close(fd);
    loop_free(loop);
}

TESTS_MAIN(unit(a_file_renamed_or_written_into_place_is_noticed_and_others_are_not),
           unit(signals_come_in_turns_of_the_loop),
           unit(a_bell_rung_often_wakes_once_and_again_after_it_was_quietened))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test program runs itself: with an argument it is the child. */
#include "os/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/ipc.h"

enum { CONTROL_FD = 3, CHILD_SAW_OTHER_FDS = 40, CHILD_FAILED = 41 };

/* Tells what it sees through descriptor 3, then waits to be told to go, or for a signal. */
static int child(const char *what)
{
    struct ipc_message message = {.type = 1, .len = strlen(what)};
    for (int fd = CONTROL_FD + 1; fd < 256; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            return CHILD_SAW_OTHER_FDS;
        }
    }
    memcpy(message.bytes, what, message.len);
    if (ipc_send(CONTROL_FD, &message) != ERR_OK) {
        return CHILD_FAILED;
    }
    struct pollfd poll_fd = {.fd = CONTROL_FD, .events = POLLIN};
    while (poll(&poll_fd, 1, -1) < 0) {
    }
    return ipc_receive(CONTROL_FD, &message) == ERR_OK ? (int)message.type : 0;
}

static void wait_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, -1), 1);
}

static void start(const char *what, int *ret_control, int *ret_pidfd)
{
    static struct ipc_message message;
    static char words[2][32];
    char *argv[] = {words[0], words[1], NULL};
    int pair[2];
    pid_t pid;
    snprintf(words[0], sizeof(words[0]), "child");
    snprintf(words[1], sizeof(words[1]), "%s", what);
    assert_ok(ipc_pair(pair));
    struct spawn_fd fds[] = {{.fd = pair[1], .as = CONTROL_FD}};
    assert_ok(spawn_self(argv, fds, 1, &pid, ret_pidfd));
    close(pair[1]);
    wait_readable(pair[0]);
    assert_ok(ipc_receive(pair[0], &message));
    assert_str_eq(str_make((char *)message.bytes, message.len), str_from(what));
    *ret_control = pair[0];
}

TEST(a_child_has_its_arguments_and_only_the_descriptors_it_was_given)
{
    struct ipc_message go = {.type = 9};
    struct spawn_end end;
    int control;
    int pidfd;
    int spare = dup(STDIN_FILENO); /* not close-on-exec: must be closed all the same */
    start("hello there", &control, &pidfd);
    assert_err(spawn_wait(pidfd, &end), ERR_AGAIN);
    assert_ok(ipc_send(control, &go));
    wait_readable(pidfd);
    assert_ok(spawn_wait(pidfd, &end));
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.status, 9);
    assert_err(spawn_signal(pidfd, SIGTERM), ERR_NOT_FOUND);
    close(control);
    close(pidfd);
    close(spare);
}

TEST(a_killed_child_tells_the_signal)
{
    struct spawn_end end;
    int control;
    int pidfd;
    start("x", &control, &pidfd);
    assert_ok(spawn_signal(pidfd, SIGKILL));
    wait_readable(pidfd);
    assert_ok(spawn_wait(pidfd, &end));
    assert_int_equal(end.signal, SIGKILL);
    close(control);
    close(pidfd);
}

TEST(a_blocked_or_ignored_signal_of_ours_reaches_the_child)
{
    struct spawn_end end;
    int control;
    int pidfd;
    sigset_t set;
    sigset_t old;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    assert_int_equal(sigaction(SIGTERM, &ignore, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
    start("x", &control, &pidfd);
    assert_ok(spawn_signal(pidfd, SIGTERM));
    wait_readable(pidfd);
    assert_ok(spawn_wait(pidfd, &end));
    assert_int_equal(end.signal, SIGTERM);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    close(control);
    close(pidfd);
}

TEST(another_program_is_run_and_waited_for)
{
    char yes[] = "/bin/true";
    char no[] = "/bin/false";
    char none[] = "/nonexistent/program";
    assert_ok(spawn_program((char *[]){yes, NULL}));
    assert_err(spawn_program((char *[]){no, NULL}), ERR_SYSTEM);
    assert_err(spawn_program((char *[]){none, NULL}), ERR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        unit(a_child_has_its_arguments_and_only_the_descriptors_it_was_given),
        unit(a_killed_child_tells_the_signal),
        unit(a_blocked_or_ignored_signal_of_ours_reaches_the_child),
        unit(another_program_is_run_and_waited_for),
    };
    return argc > 1 ? child(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}

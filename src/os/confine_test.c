/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each case is a child that confines itself, tries one thing and exits with what came of it. What
 * the kernel of the machine cannot do is asked first, and the case then expects that it is
 * reported. */
#include "os/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/file.h"

enum { NOT_CONFINED = 200, WORKED = 201 };

static char folder[64];
static int dir_fd;

/* Runs `what` in a confined child; its exit status, or 128 plus the signal. */
static int confined_as(const char *user, struct confine rules, int (*what)(void))
{
    int landlock = confine_landlock_abi(); /* afterwards nobody may ask */
    bool seccomp = confine_has_seccomp();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct confine_report report;
        bool became;
        if (confine_user(user, &became) != ERR_OK || confine_self(&rules, &report) != ERR_OK ||
            report.landlock != landlock || report.seccomp != seccomp) {
            _exit(NOT_CONFINED);
        }
        _exit(what());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int confined(struct confine rules, int (*what)(void))
{
    return confined_as("lodge-no-such-user", rules, what);
}

static void begin(void)
{
    snprintf(folder, sizeof(folder), "/tmp/lodge-confine-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(file_open_dir(AT_FDCWD, folder, &dir_fd));
    assert_ok(file_write(dir_fd, "here", STR("x"), 0600));
}

static void end(void)
{
    (void)unlinkat(dir_fd, "new", 0);
    assert_int_equal(unlinkat(dir_fd, "here", 0), 0);
    close(dir_fd);
    assert_int_equal(rmdir(folder), 0);
}

static int result(int got)
{
    return got >= 0 ? WORKED : errno;
}

static int do_nothing(void)
{
    return WORKED;
}

static int do_exec(void)
{
    char *const argv[] = {folder, NULL};
    return result(execv("/bin/true", argv));
}

static int do_open_outside(void)
{
    return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int do_open_inside(void)
{
    return result(openat(dir_fd, "here", O_RDONLY | O_CLOEXEC));
}

static int do_create(void)
{
    return result(openat(dir_fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int do_socket(void)
{
    return result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int do_unix_socket(void)
{
    return result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int do_connect(void)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return result(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
}

static int do_signal_parent(void)
{
    return result(kill(getppid(), 0));
}

TEST(a_confined_process_works_on)
{
    assert_int_equal(confined((struct confine){0}, do_nothing), WORKED);
}

TEST(another_program_is_never_started)
{
    int want = confine_has_seccomp() ? 128 + SIGSYS : WORKED;
    assert_int_equal(confined((struct confine){.calls = CONFINE_FILES | CONFINE_TCP_UDP}, do_exec),
                     want);
}

TEST(sockets_need_their_group_and_other_families_are_refused)
{
    int refused = confine_has_seccomp() ? EPERM : WORKED;
    struct confine with = {.calls = CONFINE_TCP_UDP};
    assert_int_equal(confined((struct confine){0}, do_socket), refused);
    assert_int_equal(confined(with, do_socket), WORKED);
    assert_int_equal(confined(with, do_unix_socket), refused);
}

TEST(files_are_open_only_below_the_given_folders)
{
    begin();
    struct confine_dir read_only = {.fd = dir_fd};
    struct confine_dir writable = {.fd = dir_fd, .write = true};
    struct confine rules = {.calls = CONFINE_FILES};
    int refused = confine_landlock_abi() > 0 ? EACCES : WORKED;
    assert_int_equal(confined(rules, do_open_outside), refused);
    assert_int_equal(confined(rules, do_open_inside), refused);
    rules.dirs = &read_only;
    rules.n_dirs = 1;
    assert_int_equal(confined(rules, do_open_inside), WORKED);
    assert_int_equal(confined(rules, do_open_outside), refused);
    assert_int_equal(confined(rules, do_create), refused);
    rules.dirs = &writable;
    assert_int_equal(confined(rules, do_create), WORKED);
    end();
}

TEST(only_a_process_that_dials_may_dial)
{
    struct confine rules = {.calls = CONFINE_TCP_UDP};
    assert_int_equal(confined(rules, do_connect),
                     confine_landlock_abi() >= 4 ? EACCES : ECONNREFUSED);
    rules.dial = true;
    assert_int_equal(confined(rules, do_connect), ECONNREFUSED);
}

TEST(no_other_process_can_be_signalled)
{
    assert_int_equal(confined((struct confine){0}, do_signal_parent),
                     confine_has_seccomp() ? EPERM : WORKED);
}

TEST(a_user_who_does_not_exist_is_not_invented)
{
    uid_t uid;
    gid_t gid;
    assert_err(confine_find_user("lodge-no-such-user", &uid, &gid), ERR_NOT_FOUND);
    assert_ok(confine_find_user("root", &uid, &gid));
    assert_int_equal(uid, 0);
}

static int do_get_user(void)
{
    return getuid() == 0 ? 1 : WORKED;
}

TEST(root_becomes_the_system_user)
{
    assert_int_equal(confined_as("nobody", (struct confine){0}, do_get_user), WORKED);
}

TESTS_MAIN(unit(a_confined_process_works_on), unit(another_program_is_never_started),
           unit(sockets_need_their_group_and_other_families_are_refused),
           unit(files_are_open_only_below_the_given_folders),
           unit(only_a_process_that_dials_may_dial), unit(no_other_process_can_be_signalled),
           unit(a_user_who_does_not_exist_is_not_invented), unit(root_becomes_the_system_user))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/category.h"
#include "cmd/cmd.h"
#include "event/spool.h"
#include "lib/test.h"
#include "policy/decide.h"

struct folder {
    char path[64];
};

static struct folder folder_new(void)
{
    struct folder folder = {"/tmp/lodge-log-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void folder_free(struct folder *folder)
{
    assert_int_equal(nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static struct spool_writer *writer_of(const struct folder *folder)
{
    struct spool_writer *writer = NULL;
    char path[96];
    snprintf(path, sizeof(path), "%s/spool", folder->path);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir_fd >= 0);
    assert_ok(spool_writer_open(dir_fd, STR("proxy-0"), SPOOL_SEGMENT_MIN, &writer));
    return writer;
}

static void append(struct spool_writer *writer, const char *person, enum action action,
                   bool lifeline)
{
    static int64_t time = 1795428900000;
    struct event event = {
        .kind = EVENT_REQUEST,
        .utc_ms = time++,
        .person = str_from(person),
        .host = STR("www.example"),
        .action = action,
        .lifeline = lifeline,
    };
    assert_ok(spool_append(writer, &event));
}

/* `lodge log` in a process of its own; its standard output can be read from the answer. */
struct running {
    pid_t pid;
    FILE *out;
};

static struct running start(const struct folder *folder, const char *a, const char *b,
                            const char *c)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const char *words[] = {"log", "--data", folder->path, a, b, c};
        char copies[6][64];
        char *argv[7] = {NULL};
        int argc = 0;
        for (; argc < 6 && words[argc] != NULL; argc++) {
            snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc]);
            argv[argc] = copies[argc];
        }
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        int code = cmd_log(argc, argv);
        fflush(stdout);
        _exit(code);
    }
    close(fds[1]);
    FILE *out = fdopen(fds[0], "r");
    assert_non_null(out);
    return (struct running){pid, out};
}

static int end(struct running *running)
{
    int status = 0;
    fclose(running->out);
    assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_line(struct running *running, const char *part)
{
    char line[8192];
    assert_non_null(fgets(line, sizeof(line), running->out));
    if (strstr(line, part) == NULL) {
        fail_msg("\"%s\" is not in %s", part, line);
    }
}

static void expect_end(struct running *running)
{
    assert_int_equal(fgetc(running->out), EOF);
}

TEST(the_events_asked_for_are_printed_and_no_lifeline)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder);
    append(writer, "p-1", ACTION_ALLOW, false);
    append(writer, "p-2", ACTION_BLOCK, false);
    append(writer, "p-1", ACTION_ALLOW, true);
    append(writer, "p-1", ACTION_LIMITED, false);
    struct running log = start(&folder, NULL, NULL, NULL);
    expect_line(&log, " allow request - p-1 ");
    expect_line(&log, " block request - p-2 ");
    expect_line(&log, " limited request - p-1 ");
    expect_end(&log);
    assert_int_equal(end(&log), EXIT_DONE);
    log = start(&folder, "--blocked", "--person", "p-1");
    expect_line(&log, " limited request - p-1 ");
    expect_end(&log);
    assert_int_equal(end(&log), EXIT_DONE);
    log = start(&folder, "--json", "--person", "p-2");
    expect_line(&log, "{\"where\":\"proxy-0/1/");
    expect_end(&log);
    assert_int_equal(end(&log), EXIT_DONE);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(following_shows_each_event_as_it_comes_and_ends_at_a_signal)
{
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        struct folder folder = folder_new();
        struct spool_writer *writer = writer_of(&folder);
        append(writer, "p-1", ACTION_ALLOW, false);
        struct running log = start(&folder, "--follow", NULL, NULL);
        expect_line(&log, "p-1");
        append(writer, "p-2", ACTION_ALLOW, false);
        expect_line(&log, "p-2");
        assert_int_equal(kill(log.pid, signals[i]), 0);
        expect_end(&log);
        assert_int_equal(end(&log), EXIT_DONE);
        spool_writer_free(writer);
        folder_free(&folder);
    }
}

TEST(following_ends_when_nobody_reads_any_more)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder);
    append(writer, "p-1", ACTION_ALLOW, false);
    struct running log = start(&folder, "--follow", NULL, NULL);
    expect_line(&log, "p-1");
    assert_int_equal(end(&log), EXIT_DONE);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(a_folder_that_is_not_there_is_made_and_holds_nothing)
{
    struct folder folder = folder_new();
    struct running log = start(&folder, NULL, NULL, NULL);
    expect_end(&log);
    assert_int_equal(end(&log), EXIT_DONE);
    folder_free(&folder);
}

TEST(broken_parts_are_passed_over_and_told_by_the_exit_code)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder);
    char path[128];
    append(writer, "p-1", ACTION_ALLOW, false);
    spool_writer_free(writer);
    snprintf(path, sizeof(path), "%s/spool/proxy-0/0000000001.seg", folder.path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "?", 1, 140), 1);
    close(fd);
    writer = writer_of(&folder);
    append(writer, "p-2", ACTION_ALLOW, false);
    struct running log = start(&folder, NULL, NULL, NULL);
    expect_line(&log, "p-2");
    expect_end(&log);
    assert_int_equal(end(&log), EXIT_REFUSED);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(what_is_asked_wrongly_is_a_usage_error)
{
    static const char *cases[][2] = {{"--since", "yesterday"}, {"--category", "no-such"},
                                     {"--host", "a b"},        {"--id", "12"},
                                     {"--what", NULL},         {"stray", NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct folder folder = folder_new();
        struct running log = start(&folder, cases[i][0], cases[i][1], NULL);
        expect_end(&log);
        assert_int_equal(end(&log), EXIT_USAGE);
        folder_free(&folder);
    }
}

TESTS_MAIN(unit(the_events_asked_for_are_printed_and_no_lifeline),
           unit(following_shows_each_event_as_it_comes_and_ends_at_a_signal),
           unit(following_ends_when_nobody_reads_any_more),
           unit(a_folder_that_is_not_there_is_made_and_holds_nothing),
           unit(broken_parts_are_passed_over_and_told_by_the_exit_code),
           unit(what_is_asked_wrongly_is_a_usage_error))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * helperbench: lookups per second of a program that reads a URL per line and answers a line each.
 *
 *   helperbench --requests FILE [--squid] [--lockstep] [--count N] -- COMMAND ...
 *
 * --requests holds host names.  With --squid each is asked for in the form squid's rewriters get
 * ("URL address/- user METHOD"); without, the line is the URL.  --lockstep asks one at a time and
 * waits, as squid does with a helper without concurrency; otherwise questions are sent as fast as
 * the program takes them, which shows the engine rather than the pipe.  Prints one JSON line.
 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LINE_ROOM = 1024,
    READ_ROOM = 65536,
    /* Below the 64 KiB of a pipe, so that a write that poll() announced never waits long. */
    WRITE_CHUNK = 16384,
    PATIENCE_MS = 30000,
    /* A squidGuard answer of a pass is an empty line or "ERR"; a match names the new URL. */
    LONGEST_PASS = 4,
};

static struct {
    const char *requests;
    struct lines names;
    size_t count;
    bool squid;
    bool lockstep;
} options;

static struct {
    int to;
    int from;
    int gate; /* closed to let the program start */
    pid_t pid;
} helper;

static struct {
    size_t answers, hits, line_length;
    struct histogram latency;
} result;

/*
 * Forks for the program, which starts when the gate opens.  The fork is early because Linux counts
 * the memory of the forking process into the program's peak.
 */
static void prepare_helper(char **command)
{
    int questions[2];
    int answers[2];
    int gate[2];
    if (pipe2(questions, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0 ||
        pipe2(gate, O_CLOEXEC) != 0) {
        die("pipe");
    }
    helper.pid = fork();
    if (helper.pid < 0) {
        die("fork");
    }
    if (helper.pid == 0) {
        char nothing;
        close(gate[1]);
        if (read(gate[0], &nothing, 1) != 0) { /* 0: the other end was closed */
            _exit(127);
        }
        dup2(questions[0], STDIN_FILENO);
        dup2(answers[1], STDOUT_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    close(questions[0]);
    close(answers[1]);
    close(gate[0]);
    helper.gate = gate[1];
    helper.to = questions[1];
    helper.from = answers[0];
}

static size_t print_question(char *into, size_t number)
{
    const char *name = options.names.line[number % options.names.count];
    int length = options.squid
                     ? snprintf(into, LINE_ROOM, "http://%.512s/ 127.0.0.1/- - GET\n", name)
                     : snprintf(into, LINE_ROOM, "http://%.512s/\n", name);
    return (size_t)length;
}

/* Counts the answers in what was read. */
static void take_answers(const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] != '\n') {
            result.line_length++;
            continue;
        }
        result.answers++;
        result.hits += result.line_length > LONGEST_PASS;
        result.line_length = 0;
    }
}

/* Waits for answers; false: the program has closed its output. */
static bool read_answers(void)
{
    char data[READ_ROOM];
    struct pollfd wait = {.fd = helper.from, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) <= 0) {
        die("no answer for %d s", PATIENCE_MS / 1000);
    }
    ssize_t length = read(helper.from, data, sizeof data);
    if (length > 0) {
        take_answers(data, (size_t)length);
    }
    return length > 0;
}

static void ask_one(size_t number)
{
    char question[LINE_ROOM];
    size_t length = print_question(question, number);
    size_t wanted = result.answers + 1;
    int64_t began = now_us();
    if (write(helper.to, question, length) != (ssize_t)length) {
        die("write");
    }
    while (result.answers < wanted) {
        if (!read_answers()) {
            errno = 0;
            die("the program ended after %zu answers", result.answers);
        }
    }
    histogram_add(&result.latency, now_us() - began);
}

static char *all_questions(size_t first, size_t *ret_length)
{
    char line[LINE_ROOM];
    size_t length = 0;
    for (size_t i = first; i < options.count; i++) {
        length += print_question(line, i);
    }
    char *text = malloc(length + LINE_ROOM);
    if (text == NULL) {
        die("out of memory");
    }
    *ret_length = length;
    length = 0;
    for (size_t i = first; i < options.count; i++) {
        length += print_question(text + length, i);
    }
    return text;
}

/* Writes and reads at once, so that neither side waits for the other's pipe to empty. */
static void ask_in_stream(const char *text, size_t length)
{
    size_t sent = 0;
    fcntl(helper.to, F_SETFL, O_NONBLOCK);
    while (result.answers < options.count) {
        struct pollfd wait[2] = {{.fd = helper.from, .events = POLLIN},
                                 {.fd = helper.to, .events = POLLOUT}};
        if (poll(wait, sent < length ? 2 : 1, PATIENCE_MS) <= 0) {
            die("no answer for %d s", PATIENCE_MS / 1000);
        }
        if (wait[0].revents != 0 && !read_answers()) {
            return;
        }
        if (sent < length && wait[1].revents != 0) {
            size_t chunk = length - sent < WRITE_CHUNK ? length - sent : WRITE_CHUNK;
            ssize_t written = write(helper.to, text + sent, chunk);
            sent += written > 0 ? (size_t)written : 0;
            if (sent == length) {
                close(helper.to); /* a program may hold back answers until its input ends */
                helper.to = -1;
            }
        }
    }
}

static void ask_all(size_t first)
{
    if (options.lockstep) {
        for (size_t i = first; i < options.count; i++) {
            ask_one(i);
        }
        return;
    }
    size_t length;
    char *text = all_questions(first, &length);
    ask_in_stream(text, length);
    free(text);
}

/* CPU time of the running program so far, from the scheduler's own count. */
static double helper_cpu(void)
{
    char path[64];
    unsigned long long nanoseconds = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)helper.pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        char text[64] = "";
        if (fgets(text, sizeof text, file) != NULL) {
            for (const char *at = text; *at >= '0' && *at <= '9'; at++) {
                nanoseconds = nanoseconds * 10 + (unsigned long long)(*at - '0');
            }
        }
        fclose(file);
    }
    return (double)nanoseconds / 1e9;
}

static void read_options(int argc, char **argv)
{
    static const struct option table[] = {
        {"requests", required_argument, NULL, 'r'}, {"squid", no_argument, NULL, 's'},
        {"lockstep", no_argument, NULL, 'l'},       {"count", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", table, NULL)) != -1) {
        switch (option) {
        case 'r': options.requests = optarg; break;
        case 's': options.squid = true; break;
        case 'l': options.lockstep = true; break;
        case 'n': options.count = parse_number(optarg, 2, 1000000000, "--count"); break;
        default: exit(2);
        }
    }
    errno = 0;
    if (options.requests == NULL || optind >= argc) {
        die("usage: helperbench --requests FILE [--squid] [--lockstep] [--count N] -- COMMAND ...");
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prepare_helper(argv + optind);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    options.names = lines_read(options.requests);
    options.count = options.count == 0 ? options.names.count : options.count;
    int64_t began = now_us();
    close(helper.gate);
    size_t first = options.lockstep || options.squid ? 1 : 0;
    double first_s = 0;
    double cpu_before = 0;
    if (first > 0) {
        ask_one(0); /* the first answer carries the loading; it is not counted below */
        first_s = (double)(now_us() - began) / 1e6;
        cpu_before = helper_cpu();
        result.latency = (struct histogram){0};
        began = now_us();
    }
    ask_all(first);
    double wall_s = (double)(now_us() - began) / 1e6;
    if (helper.to >= 0) {
        close(helper.to);
    }
    struct rusage usage;
    int status;
    wait4(helper.pid, &status, 0, &usage);
    double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6 - cpu_before;
    double asked = (double)(result.answers - first);
    printf("{\"answers\": %zu, \"hits\": %zu, \"first_s\": %.3f, \"wall_s\": %.3f, "
           "\"cpu_s\": %.3f, \"per_s\": %.0f, \"per_cpu_s\": %.0f, \"p50_us\": %llu, "
           "\"p99_us\": %llu, \"max_rss_kb\": %ld}\n",
           result.answers, result.hits, first_s, wall_s, cpu_s, asked / wall_s,
           cpu_s > 0 ? asked / cpu_s : 0.0,
           (unsigned long long)histogram_percentile(&result.latency, 500),
           (unsigned long long)histogram_percentile(&result.latency, 990), usage.ru_maxrss);
    return result.answers == options.count ? 0 : 1;
}

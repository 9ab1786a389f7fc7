/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge log: what happened, from the event spool. It only reads, so it works beside `lodge serve`.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/log_filter.h"
#include "event/spool.h"
#include "os/file.h"

/* The longest event as JSON: EVENT_PACKED_MAX bytes, each at most six of "\u001b". */
enum { TEXT_MAX = 8 * EVENT_PACKED_MAX, FOLLOW_MS = 100, FOLDER_MODE = 0750 };

struct asked {
    const char *data;
    const char *since;
    const char *person;
    const char *group;
    const char *host;
    const char *category;
    const char *id;
    bool blocked;
    bool json;
    bool follow;
};

static const char details[] =
    "One line for each event, oldest first: time (UTC), action, kind, group, person, device,\n"
    "address, what was asked for, [ categories ], and name=value for the rest; \"-\" is nothing.\n"
    "An open and a close with the same id are the two ends of one tunnel or long answer.\n"
    "With --json, one object for each event; docs/events.md lists the fields.\n\n"
    "WHEN is a time in UTC (2026-11-23T10:15, or the date alone) or how long ago: 30s, 15m, 2h, "
    "1d.\n"
    "Visits to places of help are never shown, and of a sealed list only that it was one.\n\n"
    "Exit codes: 0 done; 1 the spool could not be read, or parts of it are broken; 2 the command\n"
    "line was wrong.\n\n"
    "Example: lodge log --data /var/lib/lodge --blocked --since 2h --follow";

/* Each complaint names the option and says what it takes. */
static int make_filter(const struct asked *asked, struct log_filter *filter)
{
    *filter = (struct log_filter){
        .since_ms = INT64_MIN,
        .person = str_from(asked->person),
        .group = str_from(asked->group),
        .blocked = asked->blocked,
    };
    if (asked->since != NULL &&
        log_since_parse(str_from(asked->since), clock_utc_ms(), &filter->since_ms) != ERR_OK) {
        return cmd_fail(EXIT_USAGE, "log",
                        "--since %s: give 2026-11-23T10:15 (UTC), or 15m, 2h, 1d", asked->since);
    }
    if (asked->host != NULL && host_parse(str_from(asked->host), &filter->host) != ERR_OK) {
        return cmd_fail(EXIT_USAGE, "log", "--host %s: not a host name", asked->host);
    }
    if (asked->category != NULL && log_category_find(str_from(asked->category), filter) != ERR_OK) {
        return cmd_fail(EXIT_USAGE, "log",
                        "--category %s: no such category; sealed ones are all called sealed",
                        asked->category);
    }
    if (asked->id != NULL && log_id_parse(str_from(asked->id), filter) != ERR_OK) {
        return cmd_fail(EXIT_USAGE, "log", "--id %s: give the 32 digits of the block page",
                        asked->id);
    }
    return OPTIONS_GO_ON;
}

static int open_reader(const char *data, struct spool_reader **ret_reader)
{
    char path[4096];
    int dir_fd = -1;
    int n = snprintf(path, sizeof(path), "%s/spool", data);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return cmd_fail(EXIT_USAGE, "log", "--data: the name is too long");
    }
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        (void)cmd_fail(OPTIONS_GO_ON, "log",
                       "nothing is recorded in %s yet; is it the data folder of `lodge serve`?",
                       data);
    }
    if (file_make_dirs(AT_FDCWD, path, FOLDER_MODE) != ERR_OK ||
        file_open_dir(AT_FDCWD, path, &dir_fd) != ERR_OK ||
        spool_reader_open(dir_fd, ret_reader) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "log", "%s cannot be read: %s", path, strerror(errno));
    }
    return OPTIONS_GO_ON;
}

/* ERR_NOT_FOUND at the end of what there is now; ERR_SYSTEM where nobody takes the output. */
static enum err print_next(struct spool_reader *reader, const struct log_filter *filter, bool json,
                           struct buf *text)
{
    struct event event;
    struct str where;
    ERR_TRY(spool_reader_next(reader, &event, &where));
    if (!log_filter_takes(filter, &event)) {
        return ERR_OK;
    }
    buf_clear(text);
    if (json) {
        event_print_json(&event, where, text);
    } else {
        event_print_line(&event, text);
    }
    buf_append_byte(text, '\n');
    ERR_TRY(buf_err(text));
    return fwrite(text->p, 1, text->len, stdout) == text->len ? ERR_OK : ERR_SYSTEM;
}

/* The signals that end following, like any other end of work. */
static sigset_t ending_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

/* Waits at most wait_ms; false once a signal came or nobody reads the output any more. */
static bool go_on(int wait_ms)
{
    sigset_t set = ending_signals();
    struct timespec wait = {.tv_nsec = wait_ms * 1000000L};
    struct pollfd output = {.fd = STDOUT_FILENO};
    return sigtimedwait(&set, NULL, &wait) < 0 && poll(&output, 1, 0) <= 0;
}

/* Prints to the end, or until it is told to stop. */
static enum err print_all(struct spool_reader *reader, const struct log_filter *filter,
                          const struct asked *asked, struct buf *text, bool *broken)
{
    enum err err = ERR_OK;
    do {
        err = print_next(reader, filter, asked->json, text);
        if (err == ERR_INVALID) {
            struct str where = spool_reader_where(reader);
            (void)cmd_fail(EXIT_REFUSED, "log", "%.*s is broken and was passed over",
                           STR_ARG(where));
            *broken = true;
            err = ERR_OK;
        }
        if (asked->follow && (err == ERR_OK || err == ERR_NOT_FOUND)) {
            err = go_on(err == ERR_OK ? 0 : FOLLOW_MS) ? ERR_OK : ERR_NOT_FOUND;
        }
    } while (err == ERR_OK);
    return err == ERR_NOT_FOUND && fflush(stdout) != 0 ? ERR_SYSTEM : err;
}

static int show(struct spool_reader *reader, const struct log_filter *filter,
                const struct asked *asked)
{
    struct buf text;
    bool broken = false;
    buf_init(&text, TEXT_MAX);
    if (asked->follow) {
        sigset_t set = ending_signals();
        sigprocmask(SIG_BLOCK, &set, NULL);
        (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    }
    enum err err = print_all(reader, filter, asked, &text, &broken);
    bool unread = err == ERR_SYSTEM && errno == EPIPE;
    buf_fini(&text);
    if (err != ERR_NOT_FOUND && !unread) {
        return cmd_fail(EXIT_REFUSED, "log", "stopped early: %s",
                        err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    }
    return broken ? EXIT_REFUSED : EXIT_DONE;
}

static int run(const struct asked *asked)
{
    struct log_filter filter;
    struct spool_reader *reader = NULL;
    int code = make_filter(asked, &filter);
    if (code == OPTIONS_GO_ON) {
        code = open_reader(asked->data, &reader);
    }
    if (code == OPTIONS_GO_ON) {
        code = show(reader, &filter, asked);
    }
    spool_reader_free(reader);
    return code;
}

int cmd_log(int argc, char **argv)
{
    struct asked asked = {0};
    const struct option_row options[] = {
        {"data", "DIR", "the data folder of `lodge serve`", &asked.data, NULL, true},
        {"follow", NULL, "go on as events come, until interrupted", NULL, &asked.follow, false},
        {"json", NULL, "one JSON object for each event", NULL, &asked.json, false},
        {"since", "WHEN", "only events from then on", &asked.since, NULL, false},
        {"person", "ID", "only this person's", &asked.person, NULL, false},
        {"group", "NAME", "only those that this group's cells decided", &asked.group, NULL, false},
        {"host", "NAME", "only this host and those below it", &asked.host, NULL, false},
        {"category", "NAME", "only hosts of this category", &asked.category, NULL, false},
        {"id", "ID", "only the event that a block page names", &asked.id, NULL, false},
        {"blocked", NULL, "only what was not allowed", NULL, &asked.blocked, false},
    };
    const struct usage usage = {
        .command = "log",
        .synopsis = "--data DIR [--follow] [--json] [--since WHEN] [--blocked] ...",
        .summary = "Shows the events of the gate: every request, who, when, what and why.",
        .details = details,
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    return code == OPTIONS_GO_ON ? run(&asked) : code;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fetcher and the unpacker: both ends of their messages.
 *
 * A message is one struct below, whole; a reply of another size or type ends the helper. Strings
 * end in a NUL that the receiver puts there itself.
 */
#include "proc/fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "os/confine.h"
#include "os/file.h"
#include "os/ipc.h"
#include "os/spawn.h"

enum message {
    MESSAGE_UNSET,
    MESSAGE_FETCH,    /* struct fetch_order, one descriptor to write to */
    MESSAGE_FETCHED,  /* struct fetch_reply */
    MESSAGE_PROGRESS, /* struct fetch_progress */
    MESSAGE_UNPACK,   /* struct unpack_limits, the archive and the folder */
    MESSAGE_UNPACKED, /* struct unpack_reply */
};

struct fetch_order {
    uint64_t max_bytes;
    int64_t timeout_ms;
    char etag[FETCH_TEXT_MAX];
    char modified[FETCH_TEXT_MAX];
    char address[FETCH_ADDRESS_MAX];
};

struct fetch_progress {
    uint64_t now;
    uint64_t total;
};

struct fetch_reply {
    uint32_t err;
    struct fetch_result result;
};

struct unpack_reply {
    uint32_t err;
    struct unpack_result result;
};

_Static_assert(sizeof(struct fetch_order) <= IPC_BYTES_MAX, "an order is one message");
_Static_assert(sizeof(struct fetch_reply) <= IPC_BYTES_MAX, "a reply is one message");

static void wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    while (poll(&poll_fd, 1, -1) < 0 && errno == EINTR) {
    }
}

static enum err send_message(int fd, uint32_t type, const void *body, size_t len, const int *fds,
                             size_t n_fds)
{
    struct ipc_message message = {.type = type, .n_fds = n_fds, .len = len};
    memcpy(message.bytes, body, len);
    for (size_t i = 0; i < n_fds; i++) {
        message.fds[i] = fds[i];
    }
    for (;;) {
        enum err err = ipc_send(fd, &message);
        if (err != ERR_AGAIN) {
            return err;
        }
        wait_for(fd, POLLOUT);
    }
}

static enum err receive_message(int fd, struct ipc_message *ret_message)
{
    for (;;) {
        enum err err = ipc_receive(fd, ret_message);
        if (err != ERR_AGAIN) {
            return err;
        }
        wait_for(fd, POLLIN);
    }
}

enum err fetcher_start(const char *process, struct fetcher *ret_fetcher)
{
    char lodge[] = "lodge";
    char word[] = "process";
    char name[32];
    int pair[2];
    snprintf(name, sizeof(name), "%s", process);
    char *argv[] = {lodge, word, name, NULL};
    ERR_TRY(ipc_pair(pair));
    struct spawn_fd fds[] = {{.fd = pair[1], .as = FETCHER_FD}};
    struct fetcher fetcher = {.fd = pair[0]};
    enum err err = spawn_self(argv, fds, 1, &fetcher.pid, &fetcher.pidfd);
    close(pair[1]);
    if (err != ERR_OK) {
        close(pair[0]);
        return err;
    }
    *ret_fetcher = fetcher;
    return ERR_OK;
}

void fetcher_stop(struct fetcher *fetcher)
{
    struct spawn_end end;
    if (fetcher->fd < 0) {
        return;
    }
    close(fetcher->fd); /* the helper ends at the end of its pair */
    fetcher->fd = -1;
    if (spawn_signal(fetcher->pidfd, SIGTERM) == ERR_OK) {
        wait_for(fetcher->pidfd, POLLIN);
    }
    if (spawn_wait(fetcher->pidfd, &end) == ERR_OK && end.signal != 0 && end.signal != SIGTERM) {
        log_line(LOG_WARN, "helper-killed", "signal=%d", end.signal);
    }
    close(fetcher->pidfd);
}

static bool copy_text(char *to, size_t size, const char *from)
{
    int n = snprintf(to, size, "%s", from != NULL ? from : "");
    return n >= 0 && (size_t)n < size;
}

/* Waits for a reply of this type and size; progress on the way goes to the job. */
static enum err await(struct fetcher *fetcher, uint32_t type, void *reply, size_t size,
                      const struct fetch_job *job)
{
    for (;;) {
        struct ipc_message message;
        ERR_TRY(receive_message(fetcher->fd, &message));
        ipc_message_fini(&message);
        struct fetch_progress progress;
        if (message.type == MESSAGE_PROGRESS && message.len == sizeof(progress) && job != NULL) {
            memcpy(&progress, message.bytes, sizeof(progress));
            if (job->progress != NULL) {
                job->progress(job->context, progress.now, progress.total);
            }
            continue;
        }
        if (message.type != type || message.len != size) {
            return ERR_INVALID;
        }
        memcpy(reply, message.bytes, size);
        return ERR_OK;
    }
}

enum err fetcher_fetch(struct fetcher *fetcher, const struct fetch_job *job,
                       struct fetch_result *ret_result)
{
    struct fetch_order order = {.max_bytes = job->max_bytes, .timeout_ms = job->timeout_ms};
    struct fetch_reply reply = {0};
    *ret_result = (struct fetch_result){0};
    if (!copy_text(order.address, sizeof(order.address), job->address) ||
        !copy_text(order.etag, sizeof(order.etag), job->etag) ||
        !copy_text(order.modified, sizeof(order.modified), job->modified)) {
        (void)copy_text(ret_result->why, sizeof(ret_result->why), "the address is too long");
        return ERR_LIMIT;
    }
    enum err err = send_message(fetcher->fd, MESSAGE_FETCH, &order, sizeof(order), &job->out_fd, 1);
    if (err == ERR_OK) {
        err = await(fetcher, MESSAGE_FETCHED, &reply, sizeof(reply), job);
    }
    if (err != ERR_OK || reply.err >= ERR_COUNT_) {
        (void)copy_text(ret_result->why, sizeof(ret_result->why), "the fetcher process died");
        return ERR_SYSTEM;
    }
    *ret_result = reply.result;
    ret_result->etag[FETCH_TEXT_MAX - 1] = '\0';
    ret_result->modified[FETCH_TEXT_MAX - 1] = '\0';
    ret_result->why[FETCH_TEXT_MAX - 1] = '\0';
    return (enum err)reply.err;
}

enum err fetcher_unpack(struct fetcher *unpacker, int archive_fd, int to_fd,
                        const struct unpack_limits *limits, struct unpack_result *ret_result)
{
    int fds[] = {archive_fd, to_fd};
    struct unpack_reply reply = {0};
    *ret_result = (struct unpack_result){0};
    enum err err = send_message(unpacker->fd, MESSAGE_UNPACK, limits, sizeof(*limits), fds, 2);
    if (err == ERR_OK) {
        err = await(unpacker, MESSAGE_UNPACKED, &reply, sizeof(reply), NULL);
    }
    if (err != ERR_OK || reply.err >= ERR_COUNT_) {
        (void)copy_text(ret_result->why, sizeof(ret_result->why), "the unpacker process died");
        return ERR_SYSTEM;
    }
    *ret_result = reply.result;
    ret_result->why[sizeof(ret_result->why) - 1] = '\0';
    return (enum err)reply.err;
}

static void report_progress(void *context, uint64_t now, uint64_t total)
{
    int *fd = context;
    struct fetch_progress progress = {.now = now, .total = total};
    struct ipc_message message = {.type = MESSAGE_PROGRESS, .len = sizeof(progress)};
    memcpy(message.bytes, &progress, sizeof(progress));
    enum err ignored = ipc_send(*fd, &message); /* progress may be lost */
    (void)ignored;
}

static enum err serve_fetch(int fd, const struct ipc_message *message)
{
    struct fetch_order order;
    struct fetch_reply reply = {0};
    if (message->type != MESSAGE_FETCH || message->len != sizeof(order) || message->n_fds != 1) {
        return ERR_INVALID;
    }
    memcpy(&order, message->bytes, sizeof(order));
    order.address[sizeof(order.address) - 1] = '\0';
    order.etag[sizeof(order.etag) - 1] = '\0';
    order.modified[sizeof(order.modified) - 1] = '\0';
    struct fetch_job job = {
        .address = order.address,
        .etag = order.etag,
        .modified = order.modified,
        .out_fd = message->fds[0],
        .max_bytes = order.max_bytes,
        .timeout_ms = order.timeout_ms,
        .progress = report_progress,
        .context = &fd,
    };
    reply.err = (uint32_t)fetch_run(&job, &reply.result);
    return send_message(fd, MESSAGE_FETCHED, &reply, sizeof(reply), NULL, 0);
}

static enum err serve_unpack(int fd, const struct ipc_message *message)
{
    struct unpack_limits limits;
    struct unpack_reply reply = {0};
    if (message->type != MESSAGE_UNPACK || message->len != sizeof(limits) || message->n_fds != 2) {
        return ERR_INVALID;
    }
    memcpy(&limits, message->bytes, sizeof(limits));
    reply.err = (uint32_t)unpack_run(message->fds[0], message->fds[1], &limits, &reply.result);
    return send_message(fd, MESSAGE_UNPACKED, &reply, sizeof(reply), NULL, 0);
}

/* Serves orders until the other side goes. */
static int serve(enum err (*order)(int fd, const struct ipc_message *message))
{
    for (;;) {
        struct ipc_message message;
        enum err err = receive_message(FETCHER_FD, &message);
        if (err == ERR_NOT_FOUND) {
            return 0;
        }
        if (err == ERR_OK) {
            err = order(FETCHER_FD, &message);
            ipc_message_fini(&message);
        }
        if (err != ERR_OK) {
            log_line(LOG_ERROR, "helper-ended", "err=%s", err_name(err));
            return 1;
        }
    }
}

void fetcher_rights(struct confine_dir dirs[FETCHER_DIRS], struct confine *ret_rules)
{
    /* Names, certificates and the libraries that glibc loads to look names up. */
    static const char *const names[FETCHER_DIRS] = {"/etc", "/usr", "/lib"};
    struct confine rules = {
        .calls = CONFINE_TCP_UDP | CONFINE_FILES | CONFINE_LIBRARY,
        .dial = true,
        .dirs = dirs,
    };
    for (size_t i = 0; i < FETCHER_DIRS; i++) {
        int fd = -1;
        if (file_open_dir(AT_FDCWD, names[i], &fd) == ERR_OK) {
            dirs[rules.n_dirs++] = (struct confine_dir){.fd = fd};
        }
    }
    *ret_rules = rules;
}

int fetcher_main(void)
{
    struct confine_dir dirs[FETCHER_DIRS];
    struct confine wanted;
    struct confine_report report;
    log_set_process("fetcher");
    fetcher_rights(dirs, &wanted);
    bool is_user = false;
    enum err err = fetch_init();
    if (err == ERR_OK) {
        err = confine_user(FETCHER_USER, &is_user);
    }
    if (err == ERR_OK) {
        err = confine_self(&wanted, &report);
    }
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "confine-failed", "err=%s", err_name(err));
        return 1;
    }
    int status = serve(serve_fetch);
    fetch_fini();
    return status;
}

int unpacker_main(void)
{
    struct ipc_message message;
    struct confine_report report;
    log_set_process("unpacker");
    if (receive_message(FETCHER_FD, &message) != ERR_OK) {
        return 0;
    }
    /* Landlock is told of the folder to fill, so rights go when the order has come and before a
     * byte of the archive is read. The user stays: the folder is his. */
    struct confine_dir dir = {.fd = message.n_fds == 2 ? message.fds[1] : -1, .write = true};
    struct confine wanted = {.calls = CONFINE_FILES, .dirs = &dir, .n_dirs = 1};
    bool is_user = false;
    enum err err = message.n_fds == 2 ? confine_user(NULL, &is_user) : ERR_INVALID;
    if (err == ERR_OK) {
        err = confine_self(&wanted, &report);
    }
    if (err == ERR_OK) {
        err = serve_unpack(FETCHER_FD, &message);
    }
    ipc_message_fini(&message);
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "unpacker-ended", "err=%s", err_name(err));
    }
    return err == ERR_OK ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The common part of our processes, and the table of them. */
#include "proc/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/num.h"
#include "os/confine.h"
#include "os/signals.h"
#include "proc/message.h"

enum count { COUNT_ONE, COUNT_WORKERS, COUNT_CONSOLE, COUNT_PROVIDERS, COUNT_MAIL };

static const struct proc_row rows[PROC_COUNT] = {
#define PROCESS(name, count, user, calls, dials, handed)                           \
    [PROC_##name] = {#name,                                                        \
                     COUNT_##count == COUNT_WORKERS,                               \
                     COUNT_##count != COUNT_ONE && COUNT_##count != COUNT_WORKERS, \
                     COUNT_##count == COUNT_PROVIDERS,                             \
                     COUNT_##count == COUNT_MAIL,                                  \
                     user,                                                         \
                     calls,                                                        \
                     dials,                                                        \
                     handed,                                                       \
                     proc_##name##_start},
#include "proc/proc.def"
#undef PROCESS
};

const struct proc_row *proc_row(enum proc proc)
{
    CHECK(proc > PROC_UNSET && proc < PROC_COUNT);
    return &rows[proc];
}

enum err child_become(struct child *child)
{
    bool done; /* told by child_confine, as the number of the user */
    return confine_user(child->row->user, &done);
}

enum err child_confine_dirs(struct child *child, const struct confine_dir *dirs, size_t n)
{
    struct confine_report report;
    struct confine rules = {
        .calls = child->calls,
        .dial = child->dials,
        .dirs = dirs,
        .n_dirs = n,
    };
    uid_t uid = geteuid();
    ERR_TRY(confine_self(&rules, &report));
    log_line(report.seccomp && report.landlock > 0 ? LOG_INFO : LOG_WARN, "confined",
             "uid=%u landlock=%d seccomp=%s", (unsigned)uid, report.landlock,
             report.seccomp ? "yes" : "no");
    return ERR_OK;
}

enum err child_confine(struct child *child, int dir_fd, bool write)
{
    struct confine_dir dir = {.fd = dir_fd, .write = write};
    return child_confine_dirs(child, &dir, dir_fd >= 0 ? 1 : 0);
}

enum err child_ready(struct child *child)
{
    return message_send(child->control.fd, MESSAGE_READY, -1, -1);
}

/* ---- what the supervisor says ---- */

static enum err take_conf(struct child *child, struct ipc_message *message)
{
    struct file_map map;
    ERR_TRY(file_map_fd(message->fds[0], &map));
    enum err err = map.bytes.len == sizeof(child->conf) ? ERR_OK : ERR_INVALID;
    if (err == ERR_OK) {
        memcpy(&child->conf, map.bytes.p, sizeof(child->conf));
    }
    file_map_fini(&map);
    return err;
}

static enum err take_hosts(struct child *child, struct ipc_message *message)
{
    file_map_fini(&child->hosts);
    return file_map_fd(message->fds[0], &child->hosts);
}

static void replace_fd(int *place, struct ipc_message *message, size_t index)
{
    if (*place >= 0) {
        close(*place);
    }
    *place = message_take_fd(message, index);
}

static enum err take_spool_writer(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->spool_fd, message, 0);
    replace_fd(&child->spool_own_fd, message, 1);
    return ERR_OK;
}

static enum err take_passwords(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->passwords_fd, message, 0);
    return ERR_OK;
}

static enum err take_bell(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->bell_fd, message, 0);
    return ERR_OK;
}

static enum err take_listener(struct child *child, struct ipc_message *message)
{
    if (child->n_listeners == CHILD_LISTENERS_MAX) {
        return ERR_LIMIT;
    }
    child->listen_fds[child->n_listeners++] = message_take_fd(message, 0);
    return ERR_OK;
}

static enum err take_catalog(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->images[CHILD_CATALOG], message, 0);
    return ERR_OK;
}

static enum err take_policy(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->images[CHILD_POLICY], message, 0);
    return ERR_OK;
}

static enum err take_state(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->images[CHILD_STATE], message, 0);
    return ERR_OK;
}

static enum err take_auth(struct child *child, struct ipc_message *message)
{
    if (child->n_auth == sizeof(child->auth_fds) / sizeof(child->auth_fds[0])) {
        return ERR_LIMIT;
    }
    child->auth_fds[child->n_auth++] = message_take_fd(message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_ca(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->ca_fd, message, 0);
    return ERR_OK;
}

static enum err take_notary(struct child *child, struct ipc_message *message)
{
    if (child->n_notary == sizeof(child->notary_fds) / sizeof(child->notary_fds[0])) {
        return ERR_LIMIT;
    }
    child->notary_fds[child->n_notary++] = message_take_fd(message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_devices(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->devices_fd, message, 0);
    return ERR_OK;
}

static enum err take_clerk(struct child *child, struct ipc_message *message)
{
    if (child->n_clerk == sizeof(child->clerk_fds) / sizeof(child->clerk_fds[0])) {
        return ERR_LIMIT;
    }
    child->clerk_fds[child->n_clerk++] = message_take_fd(message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_desk(struct child *child, struct ipc_message *message)
{
    if (child->n_desk == sizeof(child->desk_fds) / sizeof(child->desk_fds[0])) {
        return ERR_LIMIT;
    }
    child->desk_fds[child->n_desk++] = message_take_fd(message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_signon(struct child *child, struct ipc_message *message)
{
    if (child->n_signon == sizeof(child->signon_fds) / sizeof(child->signon_fds[0])) {
        return ERR_LIMIT;
    }
    child->signon_fds[child->n_signon++] = message_take_fd(message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_mailer(struct child *child, struct ipc_message *message)
{
    if (child->n_mailer == sizeof(child->mailer_fds) / sizeof(child->mailer_fds[0])) {
        return ERR_LIMIT;
    }
    child->mailer_fds[child->n_mailer++] = message_take_fd(message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_login(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->login_fd, message, 0);
    return ERR_OK;
}

static enum err take_providers(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->providers_fd, message, 0);
    return ERR_OK;
}

static enum err take_vouch(struct child *child, struct ipc_message *message)
{
    ERR_TRY(message_read_vouch(message, &child->vouch_names));
    replace_fd(&child->vouch_fd, message, 0);
    if (child->started && child->handed != NULL) {
        child->handed(child, false);
    }
    return ERR_OK;
}

static enum err take_console(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->console_fd, message, 0);
    return ERR_OK;
}

static enum err take_store(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->store_fd, message, 0);
    replace_fd(&child->keys_fd, message, 1);
    return ERR_OK;
}

static enum err take_records(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->store_fd, message, 0);
    replace_fd(&child->audit_fd, message, 1);
    return ERR_OK;
}

static enum err take_published(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->published_fd, message, 0);
    return ERR_OK;
}

static enum err take_ring(struct child *child, struct ipc_message *message)
{
    replace_fd(&child->ring_fd, message, 0);
    return ERR_OK;
}

static enum err take_roots(struct child *child, struct ipc_message *message)
{
    file_map_fini(&child->roots);
    file_map_fini(&child->origin_roots);
    ERR_TRY(file_map_fd(message->fds[0], &child->roots));
    return file_map_fd(message->fds[1], &child->origin_roots);
}

static enum err take_go(struct child *child, struct ipc_message *message)
{
    (void)message;
    if (!child->started) {
        child->started = true;
        enum err err = child->row->start(child);
        if (err != ERR_OK && !child->hopeless) {
            log_line(LOG_ERROR, "not-started", "err=%s errno=%d why=\"%s\" do=\"lodge doctor\"",
                     err_name(err), errno, strerror(errno));
        }
        return err;
    }
    if (child->handed != NULL) {
        child->handed(child, true);
    }
    return ERR_OK;
}

static enum err take_ping(struct child *child, struct ipc_message *message)
{
    (void)message;
    return message_send(child->control.fd, MESSAGE_PONG, -1, -1);
}

static enum err take_drain(struct child *child, struct ipc_message *message)
{
    (void)message;
    if (child->started && child->drain != NULL) {
        child->drain(child);
    } else {
        loop_stop(child->loop);
    }
    return ERR_OK;
}

/* What a child listens to; everything else ends it. */
static enum err (*const takers[MESSAGE_COUNT])(struct child *, struct ipc_message *) = {
    [MESSAGE_CONF] = take_conf,
    [MESSAGE_HOSTS] = take_hosts,
    [MESSAGE_SPOOL_WRITER] = take_spool_writer,
    [MESSAGE_PASSWORDS] = take_passwords,
    [MESSAGE_BELL] = take_bell,
    [MESSAGE_LISTENER] = take_listener,
    [MESSAGE_CATALOG] = take_catalog,
    [MESSAGE_POLICY] = take_policy,
    [MESSAGE_STATE] = take_state,
    [MESSAGE_AUTH] = take_auth,
    [MESSAGE_GO] = take_go,
    [MESSAGE_DRAIN] = take_drain,
    [MESSAGE_PING] = take_ping,
    [MESSAGE_CA] = take_ca,
    [MESSAGE_NOTARY] = take_notary,
    [MESSAGE_ROOTS] = take_roots,
    [MESSAGE_DEVICES] = take_devices,
    [MESSAGE_CLERK] = take_clerk,
    [MESSAGE_CONSOLE] = take_console,
    [MESSAGE_VOUCH] = take_vouch,
    [MESSAGE_STORE] = take_store,
    [MESSAGE_DESK] = take_desk,
    [MESSAGE_SIGNON] = take_signon,
    [MESSAGE_PROVIDERS] = take_providers,
    [MESSAGE_MAILER] = take_mailer,
    [MESSAGE_LOGIN] = take_login,
    [MESSAGE_RING] = take_ring,
    [MESSAGE_RECORDS] = take_records,
    [MESSAGE_PUBLISHED] = take_published,
};

static enum err take_one(struct child *child)
{
    struct ipc_message message;
    ERR_TRY(message_receive(child->control.fd, &message));
    enum err err = ERR_INVALID;
    if (takers[message.type] != NULL) {
        err = takers[message.type](child, &message);
    }
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "message-failed", "message=%s err=%s", message_name(message.type),
                 err_name(err));
        err = ERR_SYSTEM;
    }
    ipc_message_fini(&message);
    return err;
}

static void on_control(struct loop_io *io, uint32_t events)
{
    struct child *child = (struct child *)(void *)io;
    enum err err;
    (void)events;
    do {
        err = take_one(child);
    } while (err == ERR_OK);
    if (err != ERR_AGAIN) {
        int failure = child->hopeless ? PROC_EXIT_HOPELESS : EXIT_FAILURE;
        _exit(err == ERR_NOT_FOUND ? EXIT_SUCCESS : failure); /* gone, or not to be trusted */
    }
}

void child_attend(struct child *child)
{
    on_control(&child->control, EPOLLIN);
}

static bool find_row(struct child *child, const char *name)
{
    struct str process;
    struct str index;
    uint64_t number;
    if (!str_cut(str_from(name), '-', &process, &index) ||
        parse_u64(index, 0, UINT16_MAX, &number) != ERR_OK) {
        return false;
    }
    for (int i = PROC_UNSET + 1; i < PROC_COUNT; i++) {
        if (str_eq(process, str_from(rows[i].name))) {
            child->row = &rows[i];
            child->calls = rows[i].calls;
            child->dials = rows[i].dials;
            child->index = (unsigned)number;
            child->name = name;
            return true;
        }
    }
    return false;
}

int child_main(const char *name)
{
    /* The supervisor answers to the terminal and the service manager; its children to it. */
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    static struct child child = {
        .control = {.fd = -1, .fn = on_control},
        .spool_fd = -1,
        .spool_own_fd = -1,
        .passwords_fd = -1,
        .devices_fd = -1,
        .ca_fd = -1,
        .bell_fd = -1,
        .ring_fd = -1,
        .console_fd = -1,
        .vouch_fd = -1,
        .audit_fd = -1,
        .providers_fd = -1,
        .login_fd = -1,
        .store_fd = -1,
        .published_fd = -1,
        .keys_fd = -1,
        .images = {-1, -1, -1},
    };
    if (!find_row(&child, name)) {
        log_line(LOG_ERROR, "no-such-process", "%s", "");
        return EXIT_FAILURE;
    }
    log_set_process(name);
    signals_ignore(ignored, sizeof(ignored) / sizeof(ignored[0]));
    if (loop_new(&child.loop) != ERR_OK ||
        loop_add(child.loop, &child.control, PROC_CONTROL_FD, EPOLLIN) != ERR_OK) {
        log_line(LOG_ERROR, "not-started", "do=\"only lodge serve starts this\"");
        return EXIT_FAILURE;
    }
    return loop_run(child.loop) == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

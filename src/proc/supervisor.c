/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor: binds the ports, checks the images, starts the processes of proc.def, hands each
 * what its row says, starts again what dies, and ends them in order.
 *
 * It never reads a byte from a network. The listening sockets stay open here, so that a worker's
 * death refuses no connection. The order of ends: proxies drain, then the others go.
 */
#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "os/confine.h"
#include "os/file.h"
#include "os/spawn.h"
#include "proc/keeper.h"
#include "proc/message.h"
#include "proc/published.h"
#include "proc/supervisor_impl.h"

enum {
    WHY_MAX = 64 * 1024,
    LINE_MAX_BYTES = 2048,
    SETTLE_MS = 100, /* after a file changed, before it is read: editors write in steps */
    QUICK_MS = 1000, /* who dies sooner is not started again for ever without a pause */
    QUICK_FREE = 5,
    PAUSE_MS = 50,
    PAUSE_MAX_MS = 1000,
    WATCHDOG_ROUNDS = 3,
    DESK_ROUNDS = 8 * WATCHDOG_ROUNDS, /* it imports a school in one transaction */
    MESSAGES_AT_ONCE = 64,
    GRACE_MS = 2000, /* for a process that should have ended */
    ALL_IMAGES = (1 << IMAGE_COUNT) - 1,
};

/* ---- handing over ---- */

static enum err hand_spool_writer(struct supervisor *supervisor, struct slot *slot)
{
    char path[SLOT_NAME_BYTES + sizeof("spool/")];
    uid_t uid;
    gid_t gid;
    int fd;
    snprintf(path, sizeof(path), "spool/%s", slot->name);
    ERR_TRY(file_make_dirs(supervisor->data_fd, path, 0750));
    ERR_TRY(file_open_dir(supervisor->data_fd, path, &fd));
    enum err err = ERR_OK;
    if (geteuid() == 0 && confine_find_user(slot->row->user, &uid, &gid) == ERR_OK &&
        fchown(fd, uid, gid) != 0) {
        err = ERR_SYSTEM;
    }
    if (err == ERR_OK) {
        err = message_send(slot->control.fd, MESSAGE_SPOOL_WRITER, supervisor->spool_fd, fd);
    }
    close(fd);
    return err;
}

/* which: 1 << IMAGE_..., or-ed. */
static enum err hand_images(const struct supervisor *supervisor, const struct slot *slot,
                            unsigned which)
{
    static const enum message messages[IMAGE_COUNT] = {
        [IMAGE_CATALOG] = MESSAGE_CATALOG,
        [IMAGE_POLICY] = MESSAGE_POLICY,
        [IMAGE_STATE] = MESSAGE_STATE,
    };
    for (size_t i = 0; i < IMAGE_COUNT; i++) {
        int fd = supervisor->images.slots[i].fd;
        if (fd >= 0 && (which & 1U << i) != 0) {
            ERR_TRY(message_send(slot->control.fd, messages[i], fd, -1));
        }
    }
    return ERR_OK;
}

/* Whom the workers have a line to. */
static const struct line_row {
    enum proc to;
    enum proc_hand hand;
    enum message message;
} line_rows[] = {
    {PROC_auth, HAND_AUTH, MESSAGE_AUTH},       {PROC_notary, HAND_NOTARY, MESSAGE_NOTARY},
    {PROC_clerk, HAND_CLERK, MESSAGE_CLERK},    {PROC_desk, HAND_DESK, MESSAGE_DESK},
    {PROC_signon, HAND_SIGNON, MESSAGE_SIGNON}, {PROC_notary, HAND_VOUCH, MESSAGE_VOUCH},
    {PROC_mailer, HAND_MAILER, MESSAGE_MAILER},
};
enum { N_LINES = sizeof(line_rows) / sizeof(line_rows[0]) };

static struct slot *find_slot(struct supervisor *supervisor, enum proc proc)
{
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        if (supervisor->slots[i].proc == proc) {
            return &supervisor->slots[i];
        }
    }
    return NULL;
}

/* Front and the notary: both hear the console's names from us, so that front asks for none. */
static enum err send_ends(const struct supervisor *supervisor, const struct line_row *row,
                          const int controls[2], const int pair[2])
{
    struct front_names names;
    enum err err = ERR_OK;
    if (row->hand == HAND_VOUCH && front_names_find(supervisor->conf, &names) != ERR_OK) {
        return ERR_OK; /* as front will say */
    }
    for (size_t i = 0; i < 2 && err == ERR_OK; i++) {
        err = row->hand == HAND_VOUCH ? message_send_vouch(controls[i], pair[i], &names)
                                      : message_send(controls[i], row->message, pair[i], -1);
    }
    return err;
}

/* Puts a worker and the other in touch, where both are there. */
static enum err hand_line(struct supervisor *supervisor, const struct slot *slot,
                          const struct line_row *row)
{
    const struct slot *other = find_slot(supervisor, row->to);
    int pair[2];
    bool needless = row->hand == HAND_VOUCH && supervisor->conf->console_certificate.len != 0;
    if (other == NULL || other->pid == 0 || slot->pid == 0 || needless) {
        return ERR_OK;
    }
    ERR_TRY(ipc_pair(pair));
    const int controls[2] = {other->control.fd, slot->control.fd};
    enum err err = send_ends(supervisor, row, controls, pair);
    close(pair[0]);
    close(pair[1]);
    return err;
}

/* Opened anew each time: the supervisor keeps no way to the key open. */
static enum err hand_ca(struct supervisor *supervisor, const struct slot *slot)
{
    int fd;
    ERR_TRY(file_open_dir(supervisor->data_fd, KEEPER_FOLDER, &fd));
    enum err err = message_send(slot->control.fd, MESSAGE_CA, fd, -1);
    close(fd);
    return err;
}

/* Opened anew each time too: it holds secrets. Nothing where none is named. */
static enum err hand_secret(const struct slot *slot, const struct conf_text *path,
                            enum message message)
{
    if (path->len == 0) {
        return ERR_OK;
    }
    int fd = open(path->bytes, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    enum err err = message_send(slot->control.fd, message, fd, -1);
    close(fd);
    return err;
}

static enum err hand_one(struct supervisor *supervisor, struct slot *slot, enum proc_hand what)
{
    int control = slot->control.fd;
    switch (what) {
    case HAND_HOSTS:
        return supervisor->hosts_fd < 0
                   ? ERR_OK
                   : message_send(control, MESSAGE_HOSTS, supervisor->hosts_fd, -1);
    case HAND_SPOOL_WRITER:
        return hand_spool_writer(supervisor, slot);
    case HAND_PASSWORDS:
        return message_send(control, MESSAGE_PASSWORDS, supervisor->passwords_fd, -1);
    case HAND_BELL:
        return message_send(control, MESSAGE_BELL, supervisor->bell_fd, -1);
    case HAND_LISTENER:
        return message_send(control, MESSAGE_LISTENER, supervisor->listen_fds[slot->index], -1);
    case HAND_IMAGES:
        return hand_images(supervisor, slot, ALL_IMAGES);
    case HAND_AUTH:
        return hand_line(supervisor, slot, &line_rows[0]);
    case HAND_CA:
        return hand_ca(supervisor, slot);
    case HAND_NOTARY:
        return hand_line(supervisor, slot, &line_rows[1]);
    case HAND_ROOTS:
        return message_send(control, MESSAGE_ROOTS, supervisor->roots_fd,
                            supervisor->origin_roots_fd);
    case HAND_DEVICES:
        return message_send(control, MESSAGE_DEVICES, supervisor->devices_fd, -1);
    case HAND_CLERK:
        return hand_line(supervisor, slot, &line_rows[2]);
    case HAND_CONSOLE:
        return message_send(control, MESSAGE_CONSOLE, supervisor->console_fd, -1);
    case HAND_CONSOLE_LISTENER:
        return message_send(control, MESSAGE_LISTENER, supervisor->console_listen_fd, -1);
    case HAND_STORE:
        return message_send(control, MESSAGE_STORE, supervisor->store_fd, supervisor->keys_fd);
    case HAND_DESK:
        return hand_line(supervisor, slot, &line_rows[3]);
    case HAND_SIGNON:
        return hand_line(supervisor, slot, &line_rows[4]);
    case HAND_PROVIDERS:
        return hand_secret(slot, &supervisor->conf->single_sign_on, MESSAGE_PROVIDERS);
    case HAND_LOGIN:
        return hand_secret(slot, &supervisor->conf->mail_login, MESSAGE_LOGIN);
    case HAND_MAILER:
        return hand_line(supervisor, slot, &line_rows[6]);
    case HAND_VOUCH:
        return hand_line(supervisor, slot, &line_rows[5]);
    case HAND_RECORDS:
        return supervisor->store_fd < 0 ? ERR_OK
                                        : message_send(control, MESSAGE_RECORDS,
                                                       supervisor->store_fd, supervisor->audit_fd);
    case HAND_PUBLISHED:
        return message_send(control, MESSAGE_PUBLISHED, supervisor->images.folder_fd, -1);
    case HAND_RING:
        return message_send(control, MESSAGE_RING, supervisor->ring_fd, -1);
    }
    return ERR_INVALID;
}

static enum err hand_over(struct supervisor *supervisor, struct slot *slot)
{
    ERR_TRY(message_send(slot->control.fd, MESSAGE_CONF, supervisor->conf_fd, -1));
    for (unsigned bit = 1; bit <= HAND_LAST; bit <<= 1) {
        if ((slot->row->handed & bit) != 0) {
            ERR_TRY(hand_one(supervisor, slot, (enum proc_hand)bit));
        }
    }
    return message_send(slot->control.fd, MESSAGE_GO, -1, -1);
}

/* ---- a process's life ---- */

static void set_pause(struct slot *slot)
{
    unsigned over = slot->quick > QUICK_FREE ? slot->quick - QUICK_FREE : 0;
    int64_t pause = over == 0 ? 0 : over > 5 ? PAUSE_MAX_MS : (int64_t)PAUSE_MS << over;
    loop_timer_set(slot->supervisor->loop, &slot->again,
                   loop_mono_ms(slot->supervisor->loop) + pause);
}

static enum err spawn(struct slot *slot)
{
    static char program[] = "lodge";
    static char word[] = "process";
    char *argv[] = {program, word, slot->name, NULL};
    int pair[2];
    int pidfd;
    ERR_TRY(ipc_pair(pair));
    const struct spawn_fd fds[] = {{.fd = pair[1], .as = PROC_CONTROL_FD}};
    enum err err = spawn_self(argv, fds, 1, &slot->pid, &pidfd);
    close(pair[1]);
    if (err != ERR_OK) {
        close(pair[0]);
        return err;
    }
    CHECK(loop_add(slot->supervisor->loop, &slot->control, pair[0], EPOLLIN) == ERR_OK);
    CHECK(loop_add(slot->supervisor->loop, &slot->end, pidfd, EPOLLIN) == ERR_OK);
    slot->started_ms = loop_mono_ms(slot->supervisor->loop);
    return ERR_OK;
}

static void put_in_touch(struct supervisor *supervisor, const struct line_row *row)
{
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->pid != 0 && (slot->row->handed & row->hand) != 0 &&
            hand_line(supervisor, slot, row) != ERR_OK) {
            log_line(LOG_ERROR, "no-line", "name=%s to=%s", slot->name, proc_row(row->to)->name);
        }
    }
}

/* When auth or the notary comes back, every worker gets a new line to it. */
static void renew_lines(const struct slot *slot)
{
    for (size_t i = 0; i < N_LINES; i++) {
        if (line_rows[i].to == slot->proc) {
            put_in_touch(slot->supervisor, &line_rows[i]);
        }
    }
}

static void start(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    enum err err = spawn(slot);
    if (err == ERR_OK) {
        err = hand_over(supervisor, slot);
        if (err != ERR_OK) {
            log_line(LOG_ERROR, "not-handed-over", "name=%s err=%s errno=%d", slot->name,
                     err_name(err), errno);
            (void)!spawn_signal(slot->end.fd, SIGKILL); /* its end is noted, and it starts again */
        } else {
            renew_lines(slot);
        }
        return;
    }
    log_line(LOG_ERROR, "not-started", "name=%s errno=%d", slot->name, errno);
    slot->quick++;
    set_pause(slot);
}

static void on_again(struct loop_timer *timer)
{
    start((struct slot *)(void *)((char *)timer - offsetof(struct slot, again)));
}

static bool any_left(const struct supervisor *supervisor, bool proxies_only)
{
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        const struct slot *slot = &supervisor->slots[i];
        if (slot->pid != 0 && (!proxies_only || slot->row->per_worker)) {
            return true;
        }
    }
    return false;
}

static void tell(const struct slot *slot, enum message message)
{
    if (slot->pid != 0 && message_send(slot->control.fd, message, -1, -1) != ERR_OK) {
        (void)!spawn_signal(slot->end.fd, SIGKILL); /* it does not listen; its end is noted */
    }
}

/* Tells those in line to end; the rest follow when the proxies are gone. */
static void go_on_ending(struct supervisor *supervisor)
{
    if (any_left(supervisor, true)) {
        return;
    }
    if (!any_left(supervisor, false)) {
        loop_stop(supervisor->loop);
        return;
    }
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        if (!supervisor->slots[i].row->per_worker) {
            tell(&supervisor->slots[i], MESSAGE_DRAIN);
        }
    }
}

static void end(struct supervisor *supervisor, int exit_code)
{
    if (supervisor->ending) {
        return;
    }
    supervisor->ending = true;
    supervisor->exit_code = exit_code;
    for (size_t i = 0; i < supervisor->n_workers; i++) {
        close(supervisor->listen_fds[i]);
    }
    if (supervisor->console_listen_fd >= 0) {
        close(supervisor->console_listen_fd);
    }
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        struct slot *slot = &supervisor->slots[i];
        loop_timer_clear(&slot->again);
        if (slot->row->per_worker) {
            tell(slot, MESSAGE_DRAIN);
        }
    }
    loop_timer_set(supervisor->loop, &supervisor->give_up,
                   loop_mono_ms(supervisor->loop) + supervisor->conf->drain_timeout_ms + GRACE_MS);
    go_on_ending(supervisor);
}

static void kill_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        if (supervisor->slots[i].pid != 0) {
            log_line(LOG_WARN, "killed", "name=%s", supervisor->slots[i].name);
            (void)!spawn_signal(supervisor->slots[i].end.fd, SIGKILL);
        }
    }
}

static void on_give_up(struct loop_timer *timer)
{
    kill_all((struct supervisor *)(void *)((char *)timer - offsetof(struct supervisor, give_up)));
}

static void forget(struct slot *slot)
{
    struct loop_io *ios[] = {&slot->control, &slot->end};
    for (size_t i = 0; i < 2; i++) {
        int fd = ios[i]->fd;
        if (fd >= 0) {
            loop_remove(ios[i]);
            close(fd);
        }
    }
    slot->pid = 0;
    slot->ready = false;
    slot->silent = 0;
}

static void after_death(struct slot *slot, bool hopeless)
{
    struct supervisor *supervisor = slot->supervisor;
    if (supervisor->ending) {
        go_on_ending(supervisor);
        return;
    }
    if (!supervisor->all_ready && (hopeless || slot->quick > QUICK_FREE)) {
        log_line(LOG_ERROR, "gave-up", "name=%s do=\"see its lines above\"", slot->name);
        end(supervisor, EXIT_FAILURE);
        return;
    }
    set_pause(slot);
}

static void on_end(struct loop_io *io, uint32_t events)
{
    struct slot *slot = (struct slot *)(void *)((char *)io - offsetof(struct slot, end));
    struct supervisor *supervisor = slot->supervisor;
    struct spawn_end how;
    (void)events;
    if (spawn_wait(io->fd, &how) != ERR_OK) {
        return;
    }
    bool expected = supervisor->ending && how.signal == 0 && how.status == 0;
    int64_t lived_ms = loop_mono_ms(supervisor->loop) - slot->started_ms;
    log_line(expected ? LOG_INFO : LOG_ERROR, "child-ended",
             "name=%s child=%d signal=%d status=%d lived_ms=%lld", slot->name, (int)slot->pid,
             how.signal, how.status, (long long)lived_ms);
    if (supervisor->ending && !expected) {
        supervisor->exit_code = EXIT_FAILURE;
    }
    slot->quick = lived_ms < QUICK_MS ? slot->quick + 1 : 0;
    forget(slot);
    after_death(slot, how.signal == 0 && how.status == PROC_EXIT_HOPELESS);
}

static bool take_images(struct supervisor *supervisor);

static void check_ready(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        if (!supervisor->slots[i].ready) {
            return;
        }
    }
    if (!supervisor->all_ready) {
        if (supervisor->store_fd >= 0) {
            (void)take_images(supervisor); /* what the clerk published before it was ready */
        }
        supervisor->all_ready = true;
        (void)!write(STDERR_FILENO, "ready\n", sizeof("ready\n") - 1);
        if (supervisor->setup->ready != NULL) {
            supervisor->setup->ready(supervisor->setup->ready_context);
        }
    }
}

static void on_control(struct loop_io *io, uint32_t events)
{
    struct slot *slot = (struct slot *)(void *)io;
    struct ipc_message message;
    enum err err;
    (void)events;
    unsigned n = 0;
    while ((err = message_receive(io->fd, &message)) == ERR_OK) {
        ipc_message_fini(&message);
        slot->silent = 0;
        if (++n > MESSAGES_AT_ONCE) {
            err = ERR_INVALID; /* a child says little; this one would keep us from all others */
            break;
        }
        if (message.type == MESSAGE_READY) {
            slot->ready = true;
            check_ready(slot->supervisor);
        }
    }
    if (err == ERR_INVALID || err == ERR_SYSTEM) {
        log_line(LOG_ERROR, "bad-message", "name=%s", slot->name);
        (void)!spawn_signal(slot->end.fd, SIGKILL);
    }
}

/* Asks each process whether it is still there. Rounds are counted, not time, so that a machine that
 * slept harms nobody. */
static void on_watchdog(struct loop_timer *timer)
{
    struct supervisor *supervisor =
        (struct supervisor *)(void *)((char *)timer - offsetof(struct supervisor, watchdog));
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->pid == 0) {
            continue;
        }
        if (slot->silent >= (slot->proc == PROC_desk ? DESK_ROUNDS : WATCHDOG_ROUNDS)) {
            log_line(LOG_ERROR, "hung", "name=%s child=%d", slot->name, (int)slot->pid);
            (void)!spawn_signal(slot->end.fd, SIGKILL);
        } else {
            slot->silent++;
            tell(slot, MESSAGE_PING);
        }
    }
    loop_timer_set(supervisor->loop, timer,
                   loop_mono_ms(supervisor->loop) +
                       supervisor->conf->watchdog_ms / WATCHDOG_ROUNDS);
}

/* ---- images ---- */

static void log_refused(const struct image_slot *slot, enum image image, const struct buf *why)
{
    struct buf line;
    struct str rest = buf_str(why);
    do {
        struct str one;
        (void)str_cut(rest, '\n', &one, &rest);
        buf_init(&line, LINE_MAX_BYTES);
        buf_printf(&line, "kind=%s file=", image_name(image));
        log_quote(&line, str_from(slot->path));
        buf_append(&line, STR(" why="));
        log_quote(&line, one);
        log_line(LOG_ERROR, "image-refused", "%.*s", STR_ARG(buf_str(&line)));
        buf_fini(&line);
    } while (rest.len > 0);
}

static void hand_new_images(struct supervisor *supervisor, unsigned which)
{
    for (size_t i = 0; i < supervisor->n_slots; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->pid == 0 || (slot->row->handed & HAND_IMAGES) == 0) {
            continue;
        }
        if (hand_images(supervisor, slot, which) != ERR_OK) {
            (void)!spawn_signal(slot->end.fd, SIGKILL); /* its successor gets them */
        }
        tell(slot, MESSAGE_GO);
    }
}

/* The clerk's file of passwords becomes auth's. */
static bool take_passwords(struct supervisor *supervisor)
{
    if (supervisor->store_fd < 0) {
        return true;
    }
    enum err err = published_passwords_take(supervisor->images.folder_fd, supervisor->passwords_fd,
                                            &supervisor->passwords_seen);
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "passwords-refused", "err=%s do=\"the old ones stay\"", err_name(err));
    }
    return err == ERR_OK;
}

/* Looks at all files; false where one was refused. Workers are told of what is new. */
static bool take_images(struct supervisor *supervisor)
{
    bool all_good = true;
    unsigned new = 0;
    for (unsigned i = 0; i < IMAGE_COUNT; i++) {
        struct buf why;
        bool changed = false;
        buf_init(&why, WHY_MAX);
        struct image_slot *slot = &supervisor->images.slots[i];
        if (images_take(&supervisor->images, (enum image)i, &changed, &why) != ERR_OK) {
            log_refused(slot, (enum image)i, &why);
            all_good = false;
        }
        if (changed) {
            log_line(LOG_INFO, "image", "kind=%s generation=%016llx", image_name((enum image)i),
                     (unsigned long long)slot->generation);
            new |= 1U << i;
        }
        buf_fini(&why);
    }
    if (new != 0) {
        hand_new_images(supervisor, new);
    }
    return take_passwords(supervisor) && all_good;
}

static void on_files(struct watch_set *watch)
{
    struct supervisor *supervisor =
        (struct supervisor *)(void *)((char *)watch - offsetof(struct supervisor, watch));
    loop_timer_set(supervisor->loop, &supervisor->settle,
                   loop_mono_ms(supervisor->loop) + SETTLE_MS);
}

static void on_settle(struct loop_timer *timer)
{
    (void)take_images(
        (struct supervisor *)(void *)((char *)timer - offsetof(struct supervisor, settle)));
}

static void on_signal(struct signals *signals, int number)
{
    struct supervisor *supervisor =
        (struct supervisor *)(void *)((char *)signals - offsetof(struct supervisor, signals));
    if (number == SIGHUP) {
        for (size_t i = 0; i < IMAGE_COUNT; i++) {
            supervisor->images.slots[i].seen =
                (struct stat){0}; /* looks even at what is the same */
        }
        (void)take_images(supervisor);
    } else if (supervisor->ending) {
        kill_all(supervisor); /* asked twice */
    } else {
        end(supervisor, EXIT_SUCCESS);
    }
}

/* ---- the whole ---- */

static void add_slot(struct supervisor *supervisor, enum proc proc, unsigned index)
{
    CHECK(supervisor->n_slots < SLOTS_MAX);
    struct slot *slot = &supervisor->slots[supervisor->n_slots++];
    *slot = (struct slot){
        .control = {.fd = -1, .fn = on_control},
        .end = {.fd = -1, .fn = on_end},
        .again = {.fn = on_again},
        .supervisor = supervisor,
        .row = proc_row(proc),
        .proc = proc,
        .index = index,
    };
    snprintf(slot->name, sizeof(slot->name), "%s-%u", slot->row->name, index);
}

static void add_slots(struct supervisor *supervisor)
{
    for (int proc = PROC_UNSET + 1; proc < PROC_COUNT; proc++) {
        const struct proc_row *row = proc_row((enum proc)proc);
        bool wanted = (!row->console || supervisor->conf->console.len != 0) &&
                      (!row->providers || supervisor->conf->single_sign_on.len != 0) &&
                      (!row->mail || supervisor->conf->mail_server.len != 0);
        size_t n = row->per_worker ? supervisor->n_workers : wanted ? 1 : 0;
        for (size_t i = 0; i < n; i++) {
            add_slot(supervisor, (enum proc)proc, (unsigned)i);
        }
    }
}

static void watch_files(struct supervisor *supervisor)
{
    for (size_t i = 0; i < IMAGE_COUNT; i++) {
        const char *path = supervisor->images.slots[i].path;
        if (path[0] != '\0' && watch_add(&supervisor->watch, path) != ERR_OK) {
            log_line(LOG_WARN, "not-watched", "kind=%s errno=%d do=\"send SIGHUP after changes\"",
                     image_name((enum image)i), errno);
        }
    }
    if (supervisor->store_fd >= 0 &&
        watch_add(&supervisor->watch, supervisor->published[PUBLISHED_PATH_PASSWORDS]) != ERR_OK) {
        log_line(LOG_WARN, "not-watched", "kind=passwords errno=%d", errno);
    }
}

static bool begin(struct supervisor *supervisor, const char *data)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    static const int ignored[] = {SIGPIPE};
    bool became;
    signals_ignore(ignored, 1);
    if (loop_new(&supervisor->loop) != ERR_OK ||
        signals_open(supervisor->loop, &supervisor->signals, numbers, 3) != ERR_OK ||
        watch_open(supervisor->loop, &supervisor->watch) != ERR_OK ||
        confine_user(NULL, &became) != ERR_OK) {
        log_line(LOG_ERROR, "not-started", "errno=%d", errno);
        return false;
    }
    if (!supervisor_open(supervisor, data) || !take_images(supervisor)) {
        return false;
    }
    watch_files(supervisor);
    add_slots(supervisor);
    return true;
}

int supervisor_main(const struct supervisor_setup *setup)
{
    static struct supervisor supervisor = {
        .signals.fn = on_signal,
        .watch.fn = on_files,
        .settle.fn = on_settle,
        .give_up.fn = on_give_up,
        .watchdog.fn = on_watchdog,
        .hosts_fd = -1,
        .console_fd = -1,
        .audit_fd = -1,
        .console_listen_fd = -1,
        .store_fd = -1,
        .keys_fd = -1,
    };
    supervisor.setup = setup;
    supervisor.conf = setup->conf;
    log_set_process("supervisor");
    if (!begin(&supervisor, setup->data)) {
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < supervisor.n_slots; i++) {
        start(&supervisor.slots[i]);
    }
    on_watchdog(&supervisor.watchdog);
    return loop_run(supervisor.loop) == ERR_OK ? supervisor.exit_code : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's register of devices. */
#include "proc/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/confine.h"
#include "os/file.h"
#include "policy/enrolment.h"
#include "proc/message.h"
#include "proc/proc.h"
#include "proc/trust_note.h"

enum {
    LINES_MAX = 64,
    NOTES_AT_ONCE = 64,
    PUBLISH_MS = 20, /* several refusals of one page are one change */
    SAVE_MS = MS_PER_SECOND,
    SWEEP_MS = MS_PER_HOUR,
    FILE_MODE = 0640,
    FOLDER_MODE = 0750,
};

struct line {
    struct loop_io io; /* fd -1: free */
    struct devices *devices;
    bool waits; /* for our word */
};

struct devices {
    struct loop *loop;
    struct loop_timer publish;
    struct loop_timer save;
    struct loop_timer sweep;
    int folder_fd;
    struct enrolment *enrolment;
    struct line lines[LINES_MAX];
    struct buf told; /* what all workers were told last */
    bool publishing; /* its timer runs */
    bool saving;
    bool unsaved;
    enum err last_save;                  /* so that a failing disk is told once */
    size_t n_lost, n_enrolled, n_pinned; /* since the log was told */
};

/* ---- telling the workers ---- */

static void close_line(struct line *line)
{
    int fd = line->io.fd;
    loop_remove(&line->io);
    close(fd);
    line->io.fd = -1;
}

static void publish_in(struct devices *devices, int64_t ms)
{
    if (!devices->publishing) {
        devices->publishing = true;
        loop_timer_set(devices->loop, &devices->publish, loop_mono_ms(devices->loop) + ms);
    }
}

/* A worker that does not read now is told by and by: it waits. */
static void tell(struct line *line, int fd)
{
    enum err err = message_send(line->io.fd, MESSAGE_ENROLMENT, fd, -1);
    line->waits = err == ERR_AGAIN;
    if (err == ERR_AGAIN) {
        publish_in(line->devices, MS_PER_SECOND);
    } else if (err != ERR_OK) {
        close_line(line);
    }
}

static void publish(struct devices *devices)
{
    struct buf now;
    int fd = -1;
    buf_init(&now, ENROLMENT_DEVICES_MAX * sizeof(struct addr));
    enrolment_addresses(devices->enrolment, &now);
    enum err err = buf_err(&now);
    if (err == ERR_OK) {
        err = file_memory("enrolment", buf_str(&now), &fd);
    }
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "devices-not-told", "err=%s errno=%d", err_name(err), errno);
        buf_fini(&now);
        return;
    }
    bool changed = !str_eq(buf_str(&now), buf_str(&devices->told));
    for (size_t i = 0; i < LINES_MAX; i++) {
        struct line *line = &devices->lines[i];
        if (line->io.fd >= 0 && (changed || line->waits)) {
            tell(line, fd);
        }
    }
    close(fd);
    buf_fini(&devices->told);
    devices->told = now;
}

static void on_publish(struct loop_timer *timer)
{
    struct devices *devices =
        (struct devices *)(void *)((char *)timer - offsetof(struct devices, publish));
    devices->publishing = false;
    publish(devices);
}

/* ---- keeping it ---- */

/* How many, not who: the log is no register of children's devices. */
static void log_changes(struct devices *devices)
{
    if (devices->n_lost + devices->n_enrolled + devices->n_pinned != 0) {
        log_line(devices->n_lost != 0 ? LOG_WARN : LOG_INFO, "devices",
                 "not_enrolled=%zu enrolled_again=%zu pinned=%zu do=\"lodge devices --data DIR\"",
                 devices->n_lost, devices->n_enrolled, devices->n_pinned);
    }
    devices->n_lost = 0;
    devices->n_enrolled = 0;
    devices->n_pinned = 0;
}

static void save_soon(struct devices *devices)
{
    if (!devices->saving) {
        devices->saving = true;
        loop_timer_set(devices->loop, &devices->save, loop_mono_ms(devices->loop) + SAVE_MS);
    }
}

void devices_save(struct devices *devices)
{
    struct buf text;
    log_changes(devices);
    if (!devices->unsaved) {
        return;
    }
    buf_init(&text, ENROLMENT_FILE_MAX);
    enrolment_print(devices->enrolment, &text);
    enum err err = buf_err(&text);
    if (err == ERR_OK) {
        err = file_write(devices->folder_fd, DEVICES_NAME, buf_str(&text), FILE_MODE);
    }
    buf_fini(&text);
    devices->unsaved = err != ERR_OK;
    if (err != devices->last_save) {
        log_line(err == ERR_OK ? LOG_INFO : LOG_ERROR, "devices-saved", "err=%s errno=%d",
                 err_name(err), err == ERR_SYSTEM ? errno : 0);
        devices->last_save = err;
    }
    if (devices->unsaved) {
        save_soon(devices);
    }
}

static void on_save(struct loop_timer *timer)
{
    struct devices *devices =
        (struct devices *)(void *)((char *)timer - offsetof(struct devices, save));
    devices->saving = false;
    devices_save(devices);
}

static void touch(struct devices *devices)
{
    devices->unsaved = true;
    save_soon(devices);
}

static void on_sweep(struct loop_timer *timer)
{
    struct devices *devices =
        (struct devices *)(void *)((char *)timer - offsetof(struct devices, sweep));
    if (enrolment_sweep(devices->enrolment, loop_utc_ms(devices->loop))) {
        touch(devices);
        publish_in(devices, PUBLISH_MS);
    }
    loop_timer_set(devices->loop, timer, loop_mono_ms(devices->loop) + SWEEP_MS);
}

/* ---- what workers tell ---- */

static enum err take_note(struct line *line)
{
    struct devices *devices = line->devices;
    struct ipc_message message;
    struct trust_note note;
    enum enrolment_change change;
    ERR_TRY(message_receive(line->io.fd, &message));
    enum err err = trust_note_read(&message, &note);
    ipc_message_fini(&message);
    ERR_TRY(err);
    ERR_TRY(enrolment_note(devices->enrolment, &note.addr, trust_note_id(&note), &note.host,
                           note.seen, loop_utc_ms(devices->loop), &change));
    devices->n_lost += change == ENROLMENT_LOST ? 1 : 0;
    devices->n_enrolled += change == ENROLMENT_ENROLLED ? 1 : 0;
    devices->n_pinned += change == ENROLMENT_PINNED ? 1 : 0;
    if (change != ENROLMENT_SAME) {
        touch(devices);
    }
    line->waits = true;
    publish_in(devices, PUBLISH_MS);
    return ERR_OK;
}

static void on_line(struct loop_io *io, uint32_t events)
{
    struct line *line = (struct line *)(void *)io;
    enum err err = ERR_OK;
    (void)events;
    for (size_t i = 0; err == ERR_OK && i < NOTES_AT_ONCE; i++) {
        err = take_note(line);
    }
    if (err == ERR_OK) {
        err = loop_change(io, EPOLLIN); /* asks for the edge again; others first */
    }
    if (err != ERR_OK && err != ERR_AGAIN) {
        if (err != ERR_NOT_FOUND) {
            log_line(LOG_ERROR, "bad-note", "err=%s", err_name(err));
        }
        close_line(line);
    }
}

void devices_take_line(struct devices *devices, int fd)
{
    for (size_t i = 0; i < LINES_MAX; i++) {
        struct line *line = &devices->lines[i];
        if (line->io.fd < 0) {
            *line =
                (struct line){.io = {.fd = -1, .fn = on_line}, .devices = devices, .waits = true};
            if (loop_add(devices->loop, &line->io, fd, EPOLLIN) == ERR_OK) {
                publish(devices);
                return;
            }
            break;
        }
    }
    log_line(LOG_ERROR, "link-refused", "links=%d", LINES_MAX);
    close(fd);
}

/* ---- the start ---- */

/* A file that root wrote goes to the clerk's user: a plain file of one name only, for who has taken
 * over the clerk could put a link there. */
static void give_file(int folder_fd, uid_t uid, gid_t gid)
{
    struct stat stat;
    int fd = openat(folder_fd, DEVICES_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_nlink == 1 && stat.st_uid == 0) {
        (void)!fchown(fd, uid, gid); /* the clerk tells that it cannot read it */
    }
    close(fd);
}

enum err devices_open_folder(int data_fd, int *ret_fd)
{
    uid_t uid;
    gid_t gid;
    int fd;
    ERR_TRY(file_make_dirs(data_fd, DEVICES_FOLDER, FOLDER_MODE));
    ERR_TRY(file_open_dir(data_fd, DEVICES_FOLDER, &fd));
    if (geteuid() == 0 && confine_find_user(proc_row(PROC_clerk)->user, &uid, &gid) == ERR_OK) {
        if (fchown(fd, uid, gid) != 0) {
            close(fd);
            return ERR_SYSTEM;
        }
        give_file(fd, uid, gid);
    }
    *ret_fd = fd;
    return ERR_OK;
}

static enum err load(struct devices *devices)
{
    struct buf text;
    size_t line = 0;
    buf_init(&text, ENROLMENT_FILE_MAX);
    enum err err = file_read(devices->folder_fd, DEVICES_NAME, &text);
    if (err == ERR_OK) {
        err = enrolment_parse(buf_str(&text), &devices->enrolment, &line);
    }
    buf_fini(&text);
    if (err == ERR_OK) {
        return ERR_OK;
    }
    if (err != ERR_NOT_FOUND) {
        log_line(LOG_ERROR, "devices-refused",
                 "file=" DEVICES_FOLDER "/" DEVICES_NAME
                 " line=%zu err=%s do=\"a new one is begun; devices are found out again\"",
                 line, err_name(err));
    }
    return enrolment_new(&devices->enrolment);
}

enum err devices_new(struct loop *loop, int folder_fd, struct devices **ret_devices)
{
    struct devices *devices = calloc(1, sizeof(*devices));
    if (devices == NULL) {
        return ERR_MEMORY;
    }
    devices->loop = loop;
    devices->folder_fd = folder_fd;
    devices->publish.fn = on_publish;
    devices->save.fn = on_save;
    devices->sweep.fn = on_sweep;
    for (size_t i = 0; i < LINES_MAX; i++) {
        devices->lines[i].io.fd = -1;
    }
    enum err err = load(devices);
    if (err != ERR_OK) {
        free(devices);
        return err;
    }
    on_sweep(&devices->sweep);
    *ret_devices = devices;
    return ERR_OK;
}

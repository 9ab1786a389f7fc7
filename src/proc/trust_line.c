/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker's line to the clerk. */
#include "proc/trust_line.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "os/file.h"
#include "proc/message.h"

static const size_t SIZE = sizeof(struct addr);

static void drop(struct trust_line *line)
{
    int fd = line->io.fd;
    if (fd >= 0) {
        loop_remove(&line->io);
        close(fd);
    }
    line->n_asked = 0;
}

/* ---- what we tell ---- */

static void ask(struct trust_line *line, const struct addr *addr)
{
    for (size_t i = 0; i < line->n_asked; i++) {
        if (addr_eq(&line->asked[i], addr)) {
            return;
        }
    }
    if (line->n_asked < TRUST_LINE_WAITING_MAX) {
        line->asked[line->n_asked++] = *addr;
    }
}

/* As many as may go now; the rest after the pause. */
static void send_some(struct trust_line *line)
{
    size_t n = 0;
    if (line->io.fd < 0) {
        return;
    }
    while (n < line->n_waiting && n < TRUST_LINE_AT_ONCE &&
           trust_note_send(line->io.fd, &line->waiting[n]) == ERR_OK) {
        ask(line, &line->waiting[n].addr);
        n++;
    }
    line->n_waiting -= n;
    memmove(line->waiting, line->waiting + n, line->n_waiting * sizeof(line->waiting[0]));
    if (n != 0 || line->n_waiting != 0) {
        line->pausing = true;
        loop_timer_set(line->loop, &line->pause, loop_mono_ms(line->loop) + TRUST_LINE_PAUSE_MS);
    }
}

static void on_pause(struct loop_timer *timer)
{
    struct trust_line *line =
        (struct trust_line *)(void *)((char *)timer - offsetof(struct trust_line, pause));
    line->pausing = false;
    send_some(line);
}

void trust_line_tell(struct trust_line *line, const struct trust_note *note)
{
    if (line->n_waiting == TRUST_LINE_WAITING_MAX) {
        return;
    }
    line->waiting[line->n_waiting++] = *note;
    if (!line->pausing) {
        line->pausing = true;
        loop_timer_set(line->loop, &line->pause, loop_mono_ms(line->loop));
    }
}

/* ---- what we are told ---- */

static const struct addr *addr_at(struct str all, size_t i)
{
    return (const struct addr *)(const void *)(all.p + i * SIZE);
}

static bool holds(struct str all, const struct addr *addr)
{
    size_t low = 0;
    size_t high = all.len / SIZE;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(addr_at(all, middle), addr, SIZE);
        if (order == 0) {
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

static bool is_ascending(struct str all)
{
    for (size_t i = 1; i < all.len / SIZE; i++) {
        if (memcmp(addr_at(all, i - 1), addr_at(all, i), SIZE) >= 0) {
            return false;
        }
    }
    return all.len % SIZE == 0;
}

/* Those in one and not in the other. */
static void set_missing(struct trust_line *line, struct str one, struct str other, bool enrolled)
{
    for (size_t i = 0; i < one.len / SIZE; i++) {
        if (!holds(other, addr_at(one, i))) {
            line->set(line->context, addr_at(one, i), enrolled);
        }
    }
}

static enum err take_all(struct trust_line *line, struct str now)
{
    if (now.len > ENROLMENT_DEVICES_MAX * SIZE || !is_ascending(now)) {
        return ERR_INVALID;
    }
    set_missing(line, buf_str(&line->known), now, true);
    set_missing(line, now, buf_str(&line->known), false);
    for (size_t i = 0; i < line->n_asked; i++) {
        line->set(line->context, &line->asked[i], !holds(now, &line->asked[i]));
    }
    line->n_asked = 0;
    buf_clear(&line->known);
    buf_append(&line->known, now);
    return buf_err(&line->known);
}

static enum err take_message(struct trust_line *line)
{
    struct ipc_message message;
    struct file_map map;
    ERR_TRY(message_receive(line->io.fd, &message));
    enum err err = message.type == MESSAGE_ENROLMENT ? ERR_OK : ERR_INVALID;
    if (err == ERR_OK) {
        err = file_map_fd(message.fds[0], &map);
    }
    if (err == ERR_OK) {
        err = take_all(line, map.bytes);
        file_map_fini(&map);
    }
    ipc_message_fini(&message);
    return err;
}

static void on_message(struct loop_io *io, uint32_t events)
{
    struct trust_line *line = (struct trust_line *)(void *)io;
    enum err err;
    (void)events;
    do {
        err = take_message(line);
    } while (err == ERR_OK);
    if (err != ERR_AGAIN) {
        if (err != ERR_NOT_FOUND) {
            log_line(LOG_ERROR, "clerk-line-failed", "err=%s", err_name(err));
        }
        drop(line);
    }
}

void trust_line_init(struct trust_line *line, struct loop *loop)
{
    line->io = (struct loop_io){.fd = -1, .fn = on_message};
    line->pause = (struct loop_timer){.fn = on_pause};
    line->loop = loop;
    line->n_waiting = 0;
    line->n_asked = 0;
    buf_init(&line->known, ENROLMENT_DEVICES_MAX * SIZE);
}

void trust_line_fini(struct trust_line *line)
{
    drop(line);
    loop_timer_clear(&line->pause);
    buf_fini(&line->known);
}

void trust_line_take(struct trust_line *line, int fd)
{
    drop(line);
    if (loop_add(line->loop, &line->io, fd, EPOLLIN) != ERR_OK) {
        close(fd);
        return;
    }
    send_some(line);
}

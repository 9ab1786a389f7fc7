/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watching files: inotify on their folders. A queue that ran over counts as a change. */
#include "os/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { EVENTS_BYTES = 16 * 1024, PATH_BYTES = 4096 };

static bool concerns(const struct watch_set *set, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        return true;
    }
    for (size_t i = 0; i < set->n; i++) {
        if (event->len > 0 && set->files[i].folder == event->wd &&
            strcmp(set->files[i].name, event->name) == 0) {
            return true;
        }
    }
    return false;
}

static void on_change(struct loop_io *io, uint32_t events)
{
    struct watch_set *set = (struct watch_set *)(void *)io;
    union {
        struct inotify_event align;
        char bytes[EVENTS_BYTES];
    } got;
    bool changed = false;
    ssize_t n;
    (void)events;
    while ((n = read(io->fd, got.bytes, sizeof(got.bytes))) > 0) {
        struct inotify_event event;
        for (size_t at = 0; at < (size_t)n; at += sizeof(event) + event.len) {
            memcpy(&event, got.bytes + at, sizeof(event));
            const void *place = got.bytes + at;
            changed = changed || concerns(set, place);
        }
    }
    if (changed) {
        set->fn(set);
    }
}

enum err watch_open(struct loop *loop, struct watch_set *set)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    set->n = 0;
    set->io = (struct loop_io){.fd = -1, .fn = on_change};
    enum err err = loop_add(loop, &set->io, fd, EPOLLIN);
    if (err != ERR_OK) {
        close(fd);
    }
    return err;
}

void watch_close(struct watch_set *set)
{
    int fd = set->io.fd;
    if (fd >= 0) {
        loop_remove(&set->io);
        close(fd);
    }
}

enum err watch_add(struct watch_set *set, const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t len = slash != NULL ? (size_t)(name - path) : 1;
    if (set->n == WATCH_FILES_MAX || len >= sizeof(folder)) {
        return ERR_LIMIT;
    }
    memcpy(folder, slash != NULL ? path : ".", len);
    folder[len] = '\0';
    int number = inotify_add_watch(set->io.fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
    if (number < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    set->files[set->n++] = (struct watch_file){.folder = number, .name = name};
    return ERR_OK;
}

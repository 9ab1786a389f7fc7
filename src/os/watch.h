/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watching files for being replaced or rewritten. The folders are watched, so a file may be renamed
 * into place, be absent at first, or come back.
 */
#ifndef LODGE_OS_WATCH_H
#define LODGE_OS_WATCH_H

#include "base/err.h"
#include "os/loop.h"

enum { WATCH_FILES_MAX = 8 };

struct watch_file {
    int folder; /* private: inotify's number */
    const char *name;
};

struct watch_set {
    struct loop_io io;
    void (*fn)(struct watch_set *set); /* one of the files changed, once for all at hand */
    size_t n;
    struct watch_file files[WATCH_FILES_MAX];
};

/* Begins, with fn set. ERR_SYSTEM. */
MUST_USE enum err watch_open(struct loop *loop, struct watch_set *set);
void watch_close(struct watch_set *set);

/* Adds a file (path must outlive the set). ERR_NOT_FOUND where its folder is absent, ERR_LIMIT,
 * ERR_SYSTEM. */
MUST_USE enum err watch_add(struct watch_set *set, const char *path);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sync of a whole spool, by the process that has the time for it: writers never wait for a
 * disk. */
#include "event/spool.h"

#include <stdlib.h>
#include <unistd.h>

#include "event/segment.h"
#include "event/spool_folder.h"

/* More than one writer fills between two syncs (at 4 MiB each some 150,000 events); older segments
 * are on the disk already, and to sync those again would cost more with every day of logs. */
enum { SYNC_NEWEST = 8 };

static enum err sync_segment(int dir_fd, uint64_t number)
{
    int fd = -1;
    enum err err = segment_open(dir_fd, number, false, &fd);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err; /* removed since it was listed */
    }
    int failed = fdatasync(fd);
    close(fd);
    return failed == 0 ? ERR_OK : ERR_SYSTEM;
}

static void keep_first(enum err *first, enum err err)
{
    *first = *first != ERR_OK ? *first : err;
}

/* Its newest segments, then the folder, which holds their names. One that fails keeps no other from
 * its sync. */
static enum err sync_writer(void *context, struct str name, int dir_fd)
{
    enum err *first = context;
    uint64_t *numbers = NULL;
    size_t n = 0;
    (void)name;
    ERR_TRY(spool_folder_segments(dir_fd, &numbers, &n));
    for (size_t i = n > SYNC_NEWEST ? n - SYNC_NEWEST : 0; i < n; i++) {
        keep_first(first, sync_segment(dir_fd, numbers[i]));
    }
    free(numbers);
    keep_first(first, fsync(dir_fd) == 0 ? ERR_OK : ERR_SYSTEM);
    return ERR_OK;
}

enum err spool_sync_dir(int dir_fd)
{
    enum err first = ERR_OK;
    ERR_TRY(spool_folder_writers(dir_fd, sync_writer, &first));
    keep_first(&first, fsync(dir_fd) == 0 ? ERR_OK : ERR_SYSTEM);
    return first;
}

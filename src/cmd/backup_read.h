/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a backup back, as `lodge restore` and `lodge backup verify` do. */
#ifndef LODGE_CMD_BACKUP_READ_H
#define LODGE_CMD_BACKUP_READ_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/stream.h"
#include "store/dump.h"
#include "store/store.h"

/* Beside the backups; of each the newest. */
#define BACKUP_KEYS_NAME "keys.backup"

struct backup_read {
    const char *records; /* paths of the two archives */
    const char *keys;    /* NULL: BACKUP_KEYS_NAME beside the records */
    uint8_t secret[STREAM_KEY_BYTES];
    int folder_fd;     /* of an empty folder, which gets keys/ and the files of the data folder */
    const char *place; /* for store_open; an empty one */
    struct dump_report *report;
    struct buf *why;
};

/* Both archives. *ret_store is the store that was made. On an error *why names the archive and what
 * is wrong with it. ERR_DENIED: sealed to another key; ERR_TRUNCATED: cut off; ERR_INVALID: a byte
 * differs, or it is no backup. */
MUST_USE enum err backup_read(const struct backup_read *read, struct store **ret_store);

/* Removes a folder and all that is in it, two levels deep at most. */
MUST_USE enum err backup_remove(int parent_fd, const char *name);

/* dump_progress: on a terminal, a line now and then. argument: "written" or "read". */
void backup_progress(const void *argument, const char *table, uint64_t rows);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `lodge backup --keep N`: the oldest backups of this data folder go.
 *
 * DIR/backup/written has a line for each backup that was written: its name, its length, and the
 * SHA-256 of its first BACKUP_HEAD_BYTES, which hold a key of its own and so are in no other file.
 * Only a file of FOLDER that one of these lines describes, all three, is ever removed; what another
 * gate or a person put there stays, whatever it is called, and so does what was changed since.
 */
#ifndef LODGE_CMD_BACKUP_KEEP_H
#define LODGE_CMD_BACKUP_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define BACKUP_WRITTEN "backup/written"

enum { BACKUP_HEAD_BYTES = 4096, BACKUP_NAME_BYTES = 64, BACKUP_WRITTEN_MAX = 16 * 1024 * 1024 };

/* Notes one that was written. */
MUST_USE enum err backup_keep_note(int data_fd, int folder_fd, const char *name);

/* Removes all of folder_fd's but the newest n (1 or more), by the time in their names; never
 * `last`, which was just written. gone is called for each one, with whether it is gone. */
MUST_USE enum err backup_keep(int data_fd, int folder_fd, size_t n, const char *last,
                              void (*gone)(void *context, const char *name, bool gone),
                              void *context);

#endif

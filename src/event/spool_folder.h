/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies in the folders of a spool. Private to event/. */
#ifndef LODGE_EVENT_SPOOL_FOLDER_H
#define LODGE_EVENT_SPOOL_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Calls visit for every writer's folder in a spool, in no order, with the folder open (closed after
 * the call). Ends early with the first error that visit answers. ERR_SYSTEM. */
MUST_USE enum err spool_folder_writers(
    int spool_fd, enum err (*visit)(void *context, struct str name, int dir_fd), void *context);

/* The numbers of all segments in a writer's folder, ascending, in an array for free(); NULL and 0
 * for none. ERR_SYSTEM, ERR_MEMORY. */
MUST_USE enum err spool_folder_segments(int dir_fd, uint64_t **ret_numbers, size_t *ret_n);

/* Removes what segment_create leaves when the process is killed inside it. */
void spool_folder_clean(int dir_fd);

#endif

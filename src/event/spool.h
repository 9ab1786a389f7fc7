/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event spool (design section 2): preallocated segments mapped shared, one writer each.
 *
 * DIR/<writer>/<segment>.seg. A frame is written, then its commit word with release order, so a reader
 * (another process, or the writer's successor after kill -9) sees whole frames only, each once. Node,
 * writer, segment and offset name an event for ever. Layout and recovery: the head of spool.c.
 */
#ifndef LODGE_EVENT_SPOOL_H
#define LODGE_EVENT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

struct spool_writer;

/* Opens the place of one writer (a small name such as "proxy-0") below the spool's folder, which is
 * given as an open directory descriptor (taken over). Goes on behind the last committed frame of a
 * predecessor, so the caller must know that no other process writes there (a lock is taken; held
 * elsewhere: ERR_SYSTEM). segment_bytes: size of a new segment. Allocates the next segment ahead. */
MUST_USE enum err spool_writer_open(int dir_fd, struct str writer, size_t segment_bytes,
                                    struct spool_writer **ret_writer);
void spool_writer_free(struct spool_writer *writer);

/* Appends; when it returns ERR_OK the event survives kill -9 of this process. ERR_SYSTEM where no
 * segment could be allocated (disk full): nothing is written, the caller refuses the request and may
 * try again at any time (allocation is retried, at most once in 200 ms). */
MUST_USE enum err spool_append(struct spool_writer *writer, const struct event *event);

/* True while an append of any event would succeed without allocating: ask before a request is begun. */
bool spool_has_room(struct spool_writer *writer);

/* Flushes what was appended to the disk (fdatasync); what the clerk does every second, and at once for
 * the sealed tier. */
MUST_USE enum err spool_sync_dir(int dir_fd);

struct spool_reader;

/* Reads all writers of a spool folder, oldest event first as far as writers' order allows (merged by
 * utc_ms). */
MUST_USE enum err spool_reader_open(int dir_fd, struct spool_reader **ret_reader);
void spool_reader_free(struct spool_reader *reader);

/* The next committed event; ERR_NOT_FOUND when there is none now (call again later to follow). The
 * event's slices and *ret_where ("proxy-0/3/4096") hold until the next call. ERR_INVALID for a broken
 * frame: the rest of that segment is skipped and the reader goes on at the next call. */
MUST_USE enum err spool_reader_next(struct spool_reader *reader, struct event *ret_event,
                                    struct str *ret_where);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event spool (design section 2): preallocated segments mapped shared, one writer each.
 *
 * DIR/<writer>/<segment>.seg. A frame is written, then its commit word with release order, so a
 * reader (another process, or the writer's successor after kill -9) sees whole frames only, each
 * once. Node, writer, segment and offset name an event for ever. Layout: the head of segment.c.
 */
#ifndef LODGE_EVENT_SPOOL_H
#define LODGE_EVENT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

enum {
    SPOOL_SEGMENT_BYTES = 4 * 1024 * 1024, /* some 16,000 events; what serve uses */
    SPOOL_SEGMENT_MIN = 64 * 1024,
};

struct spool_writer;

/* Opens the place of one writer (a small name such as "proxy-0": 1 to 63 of a-z 0-9 . _ -) below
 * the spool's folder, which is given as an open directory descriptor (taken over, in failure too).
 * Goes on behind the last committed frame of a predecessor. A lock keeps a second process out; held
 * elsewhere: ERR_SYSTEM. segment_bytes, SPOOL_SEGMENT_MIN to 1 GiB: size of a new segment. A full
 * disk is no failure: the writer then has no room yet. ERR_INVALID, ERR_RANGE, ERR_MEMORY,
 * ERR_SYSTEM.
 *
 * System calls while it runs, for whoever confines the process: openat, fallocate, pwrite64, mmap,
 * munmap, renameat, unlinkat, close; while it opens also mkdirat, flock, fstat, getdents64. */
MUST_USE enum err spool_writer_open(int dir_fd, struct str writer, size_t segment_bytes,
                                    struct spool_writer **ret_writer);
void spool_writer_free(struct spool_writer *writer);

/* Appends; when it returns ERR_OK the event survives kill -9 of this process. ERR_SYSTEM where no
 * segment could be allocated (disk full) and what is left is kept for others: nothing is written,
 * the caller refuses the request and may try again at any time (allocation is retried, at most once
 * in 200 ms). The last quarter of a segment takes events of kind close only. */
MUST_USE enum err spool_append(struct spool_writer *writer, const struct event *event);

/* Ask before a request is begun. True while there is room ahead: appends will succeed for at least
 * half a segment more. False from when the next segment could not be allocated; a quarter of a
 * segment is then left for the events of requests in hand and refused, and a quarter for closes.
 * Tries the allocation again (at most once in 200 ms), so that it recovers without an append. */
bool spool_has_room(struct spool_writer *writer);

/* Flushes what all writers appended to the disk: what the clerk does every second, and at once for
 * the sealed tier. It remembers how far each writer is synced, so that a run in which nothing was
 * appended costs the disk nothing. */
struct spool_sync;

/* dir_fd, the spool's folder, stays the caller's and must outlive the sync. ERR_MEMORY. */
MUST_USE enum err spool_sync_new(int dir_fd, struct spool_sync **ret_sync);
void spool_sync_free(struct spool_sync *sync);
/* fdatasync of the segments that grew, fsync of the folders that did. ERR_SYSTEM (after trying all)
 * and ERR_MEMORY; what failed is tried again by the next run. */
MUST_USE enum err spool_sync_run(struct spool_sync *sync);

struct spool_reader;

/* Reads all writers of a spool folder (dir_fd is taken over, in failure too), those that come later
 * included, oldest event first as far as each writer's own order allows (merged by utc_ms). Gives
 * lifeline visits too: who shows events leaves them out. */
MUST_USE enum err spool_reader_open(int dir_fd, struct spool_reader **ret_reader);
/* The same of one writer alone, whether it has written yet or not. ERR_INVALID for a name that is
 * none. */
MUST_USE enum err spool_reader_open_writer(int dir_fd, struct str writer,
                                           struct spool_reader **ret_reader);
void spool_reader_free(struct spool_reader *reader);

/* The next committed event; ERR_NOT_FOUND when there is none now (call again later to follow). The
 * event's slices and *ret_where ("proxy-0/3/4096") hold until the next call. ERR_INVALID for broken
 * bytes: after a broken frame or header the rest of that segment is skipped, after an event that
 * does not unpack only the event, and the reader goes on at the next call. ERR_MEMORY, ERR_SYSTEM.
 */
MUST_USE enum err spool_reader_next(struct spool_reader *reader, struct event *ret_event,
                                    struct str *ret_where);

/* Where the last answer that was ERR_OK or ERR_INVALID came from; until the next call. */
struct str spool_reader_where(const struct spool_reader *reader);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One segment file of a spool: its layout, and the only code that touches its bytes. Private to
 * event/; who goes from segment to segment is spool_writer.c and spool_reader.c. Layout: segment.c.
 */
#ifndef LODGE_EVENT_SEGMENT_H
#define LODGE_EVENT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

enum {
    SEGMENT_HEADER_BYTES = 128,
    SEGMENT_WRITER_MAX = 63,
    SEGMENT_FRAME_HEAD = 8,
    /* The room a frame may need, and behind it that of the mark that ends a segment. */
    SEGMENT_FRAME_MAX = 2 * SEGMENT_FRAME_HEAD + (EVENT_PACKED_MAX + 7) / 8 * 8,
    SEGMENT_BYTES_MAX = 1 << 30,
};

/* How the file of a segment is called, and how until it is ready. */
#define SEGMENT_NAMED ".seg"
#define SEGMENT_UNNAMED ".new"
enum { SEGMENT_NAME_BYTES = 32 };
void segment_name(uint64_t number, const char *suffix, char to[SEGMENT_NAME_BYTES]);

/* A mapped segment; base is NULL where there is none. */
struct segment {
    uint8_t *base;
    size_t size;
    uint64_t number;
};

/* Makes segment `number` in a writer's folder: all its blocks allocated, then named, then mapped
 * for writing. ERR_SYSTEM where that fails (no space left): nothing stays behind. */
MUST_USE enum err segment_create(int dir_fd, struct str writer, uint64_t number, size_t size,
                                 struct segment *ret_segment);

/* Opens the file of one. ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_USE enum err segment_open(int dir_fd, uint64_t number, bool writable, int *ret_fd);

/* Maps an existing one. ERR_NOT_FOUND, ERR_INVALID (the header is not that of a whole segment of
 * this writer and number), ERR_SYSTEM. */
MUST_USE enum err segment_map(int dir_fd, struct str writer, uint64_t number, bool writable,
                              struct segment *ret_segment);
/* Safe where there is none. */
void segment_unmap(struct segment *segment);

/* True for what may be the name of a writer: 1 to 63 of a-z 0-9 . _ -, not a dot first. */
bool segment_writer_is_valid(struct str name);

enum frame {
    FRAME_UNSET,
    FRAME_NONE,   /* nothing committed here yet */
    FRAME_EVENT,  /* a whole frame */
    FRAME_END,    /* the writer went on to the next segment */
    FRAME_BROKEN, /* committed, but its bytes are not those that were written */
};

/* Makes pages from `from` on ready for stores, many at one price; what it answers is where to go
 * on. */
size_t segment_ready(const struct segment *segment, size_t from);
/* Where to begin with that for appends at offset. */
size_t segment_ready_before(size_t offset);

/* What stands at an offset (a multiple of 8, at least SEGMENT_HEADER_BYTES). *ret_payload is
 * written for FRAME_EVENT only and points into the mapping. */
enum frame segment_frame(const struct segment *segment, size_t offset, struct str *ret_payload);

/* How far the frame of a payload reaches. */
size_t segment_frame_bytes(size_t payload_len);

/* Commits the payload that stands at offset + SEGMENT_FRAME_HEAD already. */
void segment_commit(struct segment *segment, size_t offset, size_t payload_len);

/* Marks that nothing follows at offset or behind it. */
void segment_end(struct segment *segment, size_t offset);

/* Clears everything from offset on, as far as it is not clear. */
void segment_clear(struct segment *segment, size_t offset);

#endif

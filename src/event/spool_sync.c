/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sync of a whole spool, by the process that has the time for it: writers never wait for a
 * disk.
 *
 * A sync of a file that did not change still makes the disk flush its cache, so what is on the disk
 * already is remembered, for each writer as a place: all before it is. A run walks the frames from
 * there. Folders are synced when a segment or a writer is new, as they hold the names. */
#include "event/spool.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "event/segment.h"
#include "event/spool_folder.h"

/* How many of a writer's segments are synced when it is met first: a predecessor in this task may
 * have been killed before it came to them. Older ones the kernel has written long ago. */
enum { FIRST_NEWEST = 8 };

struct synced {
    char name[SEGMENT_WRITER_MAX];
    size_t name_len;
    uint64_t number; /* the place */
    size_t offset;
    uint64_t newest; /* of the folder's segments when it was synced */
};

struct spool_sync {
    int dir_fd;
    struct synced *writers;
    size_t n;
    bool grown;     /* a writer is new since the spool's folder was synced */
    enum err first; /* error of this run */
};

static void keep_first(struct spool_sync *sync, enum err err)
{
    sync->first = sync->first != ERR_OK ? sync->first : err;
}

static enum err sync_fd(int fd, bool data_only)
{
    return (data_only ? fdatasync(fd) : fsync(fd)) == 0 ? ERR_OK : ERR_SYSTEM;
}

static enum err sync_segment(int dir_fd, uint64_t number)
{
    int fd = -1;
    ERR_TRY(segment_open(dir_fd, number, false, &fd));
    enum err err = sync_fd(fd, true);
    close(fd);
    return err;
}

/* Where the frames of a segment end, from an offset on. */
static enum err walk(int dir_fd, struct str name, uint64_t number, size_t from, size_t *ret_end)
{
    struct segment segment = {0};
    struct str payload = {0};
    size_t end = from;
    ERR_TRY(segment_map(dir_fd, name, number, false, &segment));
    while (segment_frame(&segment, end, &payload) == FRAME_EVENT) {
        end += segment_frame_bytes(payload.len);
    }
    segment_unmap(&segment);
    *ret_end = end;
    return ERR_OK;
}

/* Syncs a segment where it has frames behind the place, and moves the place. */
static enum err catch_up(struct synced *writer, int dir_fd, uint64_t number)
{
    size_t from = number == writer->number ? writer->offset : SEGMENT_HEADER_BYTES;
    size_t end = from;
    ERR_TRY(walk(dir_fd, str_make(writer->name, writer->name_len), number, from, &end));
    if (end != from) {
        ERR_TRY(sync_segment(dir_fd, number));
        writer->number = number;
        writer->offset = end;
    }
    return ERR_OK;
}

static struct synced *find(struct spool_sync *sync, struct str name)
{
    for (size_t i = 0; i < sync->n; i++) {
        if (str_eq(str_make(sync->writers[i].name, sync->writers[i].name_len), name)) {
            return &sync->writers[i];
        }
    }
    struct synced *writers = reallocarray(sync->writers, sync->n + 1, sizeof(*writers));
    if (writers == NULL) {
        return NULL;
    }
    sync->writers = writers;
    sync->grown = true;
    writers[sync->n] = (struct synced){.name_len = name.len};
    memcpy(writers[sync->n].name, name.p, name.len);
    return &writers[sync->n++];
}

/* A segment that is gone by now, or has no valid header, holds nothing to sync. */
static enum err sync_writer(void *context, struct str name, int dir_fd)
{
    struct spool_sync *sync = context;
    struct synced *writer = find(sync, name);
    uint64_t *numbers = NULL;
    size_t n = 0;
    if (writer == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(spool_folder_segments(dir_fd, &numbers, &n));
    for (size_t i = writer->newest == 0 && n > FIRST_NEWEST ? n - FIRST_NEWEST : 0; i < n; i++) {
        enum err err = numbers[i] >= writer->number ? catch_up(writer, dir_fd, numbers[i]) : ERR_OK;
        keep_first(sync, err == ERR_NOT_FOUND || err == ERR_INVALID ? ERR_OK : err);
    }
    if (n != 0 && numbers[n - 1] != writer->newest) {
        enum err err = sync_fd(dir_fd, false);
        keep_first(sync, err);
        writer->newest = err == ERR_OK ? numbers[n - 1] : writer->newest;
    }
    free(numbers);
    return ERR_OK;
}

enum err spool_sync_run(struct spool_sync *sync)
{
    sync->first = ERR_OK;
    ERR_TRY(spool_folder_writers(sync->dir_fd, sync_writer, sync));
    if (sync->grown) {
        enum err err = sync_fd(sync->dir_fd, false);
        keep_first(sync, err);
        sync->grown = err != ERR_OK;
    }
    return sync->first;
}

enum err spool_sync_new(int dir_fd, struct spool_sync **ret_sync)
{
    CHECK(dir_fd >= 0);
    struct spool_sync *sync = calloc(1, sizeof(*sync));
    if (sync == NULL) {
        return ERR_MEMORY;
    }
    sync->dir_fd = dir_fd;
    *ret_sync = sync;
    return ERR_OK;
}

void spool_sync_free(struct spool_sync *sync)
{
    if (sync != NULL) {
        free(sync->writers);
        free(sync);
    }
}

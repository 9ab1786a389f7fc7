/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer of a spool.
 *
 * It holds the segment it appends to and, from half of that on, the next one, so that a full disk
 * is known while half a segment is still free. In that time spool_has_room says no, new requests
 * are refused, and the rest is for the events of those that are open. */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "event/segment.h"
#include "event/spool_folder.h"

enum { RETRY_MS = 200 };

struct spool_writer {
    int dir_fd;  /* of this writer's own folder */
    int lock_fd; /* closing it gives the lock back */
    char name[SEGMENT_WRITER_MAX];
    size_t name_len;
    size_t segment_bytes;
    struct segment current;
    struct segment next;
    size_t offset; /* of the next frame in current */
    size_t ready;  /* pages of current are made ready up to here */
    bool failed;   /* the last allocation failed, at failed_ms */
    int64_t failed_ms;
};

static struct str writer_name(const struct spool_writer *writer)
{
    return str_make(writer->name, writer->name_len);
}

/* Allocates the segment behind the newest one, unless that failed a moment ago. */
static bool allocate(struct spool_writer *writer, uint64_t number, struct segment *ret_segment)
{
    int64_t now = writer->failed ? clock_mono_ms() : 0;
    if (writer->failed && now - writer->failed_ms < RETRY_MS) {
        return false;
    }
    writer->failed = segment_create(writer->dir_fd, writer_name(writer), number,
                                    writer->segment_bytes, ret_segment) != ERR_OK;
    if (writer->failed) {
        writer->failed_ms = clock_mono_ms();
    }
    return !writer->failed;
}

static bool fits(const struct spool_writer *writer)
{
    return writer->current.base != NULL &&
           writer->current.size - writer->offset >= SEGMENT_FRAME_MAX;
}

static bool past_half(const struct spool_writer *writer)
{
    return writer->offset > writer->current.size / 2 || !fits(writer);
}

/* Whether the current segment may take this event. */
static bool takes(const struct spool_writer *writer, const struct event *event)
{
    size_t kept =
        writer->next.base == NULL && event->kind != EVENT_CLOSE ? writer->current.size / 4 : 0;
    return fits(writer) && writer->current.size - writer->offset - SEGMENT_FRAME_MAX >= kept;
}

static void look_ahead(struct spool_writer *writer)
{
    if (writer->current.base == NULL) {
        if (allocate(writer, writer->current.number + 1, &writer->current)) {
            writer->offset = SEGMENT_HEADER_BYTES;
            writer->ready = 0;
        }
    } else if (writer->next.base == NULL && past_half(writer)) {
        (void)allocate(writer, writer->current.number + 1, &writer->next);
    }
}

static void go_on_in_next(struct spool_writer *writer)
{
    segment_end(&writer->current, writer->offset);
    segment_unmap(&writer->current);
    writer->current = writer->next;
    writer->next = (struct segment){0};
    writer->offset = SEGMENT_HEADER_BYTES;
    writer->ready = 0;
}

enum err spool_append(struct spool_writer *writer, const struct event *event)
{
    if (!takes(writer, event)) {
        look_ahead(writer);
        if (!fits(writer) && writer->next.base != NULL) {
            go_on_in_next(writer);
        }
        if (!takes(writer, event)) {
            return ERR_SYSTEM;
        }
    }
    if (writer->ready < writer->offset + SEGMENT_FRAME_MAX) {
        writer->ready = segment_ready(&writer->current, writer->ready);
    }
    uint8_t *payload = writer->current.base + writer->offset + SEGMENT_FRAME_HEAD;
    size_t len = event_pack(event, payload);
    segment_commit(&writer->current, writer->offset, len);
    writer->offset += segment_frame_bytes(len);
    look_ahead(writer);
    return ERR_OK;
}

static bool has_reserve(const struct spool_writer *writer)
{
    return writer->current.base != NULL && (writer->next.base != NULL || !past_half(writer));
}

bool spool_has_room(struct spool_writer *writer)
{
    if (!has_reserve(writer)) {
        look_ahead(writer);
    }
    return has_reserve(writer);
}

enum found { FOUND_UNSET, FOUND_UNUSABLE, FOUND_UNUSED, FOUND_USED };

/* Walks the frames of a segment. Of FOUND_UNUSED and FOUND_USED, *ret_segment is mapped and
 * *ret_offset is where the next frame goes; an ended or broken one is FOUND_UNUSABLE. */
static enum found look_at(struct spool_writer *writer, uint64_t number, struct segment *ret_segment,
                          size_t *ret_offset)
{
    struct segment segment = {0};
    struct str payload = {0};
    size_t offset = SEGMENT_HEADER_BYTES;
    if (segment_map(writer->dir_fd, writer_name(writer), number, true, &segment) != ERR_OK) {
        return FOUND_UNUSABLE;
    }
    enum frame frame = segment_frame(&segment, offset, &payload);
    while (frame == FRAME_EVENT) {
        offset += segment_frame_bytes(payload.len);
        frame = segment_frame(&segment, offset, &payload);
    }
    if (frame != FRAME_NONE) {
        segment_unmap(&segment);
        return FOUND_UNUSABLE;
    }
    *ret_segment = segment;
    *ret_offset = offset;
    return offset == SEGMENT_HEADER_BYTES ? FOUND_UNUSED : FOUND_USED;
}

/* The newest segment may be one that was allocated ahead: then the one before it is looked at too.
 */
static void take_up(struct spool_writer *writer, uint64_t newest)
{
    struct segment before = {0};
    size_t offset = 0;
    enum found found = look_at(writer, newest, &writer->current, &writer->offset);
    if (found == FOUND_UNUSABLE) {
        writer->current = (struct segment){.number = newest};
        return;
    }
    if (found == FOUND_UNUSED && newest > 1 &&
        look_at(writer, newest - 1, &before, &offset) != FOUND_UNUSABLE) {
        writer->next = writer->current;
        writer->current = before;
        writer->offset = offset;
    }
    segment_clear(&writer->current, writer->offset);
    writer->ready = segment_ready_before(writer->offset);
}

static enum err recover(struct spool_writer *writer)
{
    uint64_t *numbers = NULL;
    size_t n = 0;
    spool_folder_clean(writer->dir_fd);
    ERR_TRY(spool_folder_segments(writer->dir_fd, &numbers, &n));
    if (n != 0) {
        take_up(writer, numbers[n - 1]);
    }
    free(numbers);
    look_ahead(writer);
    return ERR_OK;
}

/* The writer's own folder, made where it is missing. */
static enum err open_own_folder(struct spool_writer *writer, int spool_fd)
{
    char path[SEGMENT_WRITER_MAX + 1] = {0};
    memcpy(path, writer->name, writer->name_len);
    if (mkdirat(spool_fd, path, 0750) != 0 && errno != EEXIST) {
        return ERR_SYSTEM;
    }
    writer->dir_fd = openat(spool_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return writer->dir_fd >= 0 ? ERR_OK : ERR_SYSTEM;
}

static enum err take_lock(struct spool_writer *writer)
{
    writer->lock_fd =
        openat(writer->dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (writer->lock_fd < 0 || flock(writer->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return ERR_SYSTEM;
    }
    return ERR_OK;
}

static enum err writer_start(struct spool_writer *writer, int spool_fd)
{
    ERR_TRY(open_own_folder(writer, spool_fd));
    ERR_TRY(take_lock(writer));
    return recover(writer);
}

static enum err writer_new(struct str name, size_t segment_bytes, struct spool_writer **ret_writer)
{
    if (!segment_writer_is_valid(name)) {
        return ERR_INVALID;
    }
    if (segment_bytes < SPOOL_SEGMENT_MIN || segment_bytes > SEGMENT_BYTES_MAX) {
        return ERR_RANGE;
    }
    struct spool_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        return ERR_MEMORY;
    }
    writer->dir_fd = -1;
    writer->lock_fd = -1;
    memcpy(writer->name, name.p, name.len);
    writer->name_len = name.len;
    writer->segment_bytes = segment_bytes / 8 * 8;
    *ret_writer = writer;
    return ERR_OK;
}

enum err spool_writer_open(int dir_fd, struct str writer, size_t segment_bytes,
                           struct spool_writer **ret_writer)
{
    struct spool_writer *made = NULL;
    enum err err = writer_new(writer, segment_bytes, &made);
    if (err == ERR_OK) {
        err = writer_start(made, dir_fd);
    }
    close(dir_fd);
    if (err != ERR_OK) {
        spool_writer_free(made);
        return err;
    }
    *ret_writer = made;
    return ERR_OK;
}

void spool_writer_free(struct spool_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    segment_unmap(&writer->current);
    segment_unmap(&writer->next);
    if (writer->lock_fd >= 0) {
        close(writer->lock_fd);
    }
    if (writer->dir_fd >= 0) {
        close(writer->dir_fd);
    }
    free(writer);
}

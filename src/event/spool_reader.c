/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of a spool: one place for each writer, merged by the time of the events at their
 * heads.
 *
 * A segment is finished when its end is marked, when it is broken, or when a later one holds a
 * frame (its writer found it broken and left it). To look for that, and for new writers, costs
 * system calls, so it is done only where no place has an event. */
#include "event/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "event/segment.h"
#include "event/spool_folder.h"

enum { WHERE_MAX = 128, WRITERS_MAX = 4096 };

/* Where the reader stands with one writer. */
struct place {
    int dir_fd;
    char name[SEGMENT_WRITER_MAX];
    size_t name_len;
    uint64_t number;        /* of the segment read now or last; 0 before the first */
    struct segment segment; /* not mapped: one with a higher number is waited for */
    bool look;              /* there may be one */
    size_t offset;          /* of the frame at the head */
    size_t head_bytes;      /* of that frame; 0 where it is not read yet */
    struct event head;
};

struct spool_reader {
    int dir_fd;
    struct place *places;
    size_t n_places;
    struct place *given;               /* whose head the caller has */
    char only[SEGMENT_WRITER_MAX + 1]; /* this writer alone; empty: all */
    char where[WHERE_MAX];
};

static struct str place_name(const struct place *place)
{
    return str_make(place->name, place->name_len);
}

static void remember_where(struct spool_reader *reader, const struct place *place)
{
    struct str name = place_name(place);
    int n = snprintf(reader->where, WHERE_MAX, "%.*s/%llu/%zu", STR_ARG(name),
                     (unsigned long long)place->number, place->offset);
    CHECK(n > 0 && n < WHERE_MAX);
}

/* The lowest number above `after`; ERR_NOT_FOUND. */
static enum err number_after(int dir_fd, uint64_t after, uint64_t *ret_number)
{
    uint64_t *numbers = NULL;
    size_t n = 0;
    enum err err = ERR_NOT_FOUND;
    ERR_TRY(spool_folder_segments(dir_fd, &numbers, &n));
    for (size_t i = 0; i < n && err != ERR_OK; i++) {
        if (numbers[i] > after) {
            *ret_number = numbers[i];
            err = ERR_OK;
        }
    }
    free(numbers);
    return err;
}

static void leave_segment(struct place *place)
{
    segment_unmap(&place->segment);
    place->offset = 0;
    place->head_bytes = 0;
    place->look = true;
}

/* Maps the segment behind place->number. ERR_NOT_FOUND: none yet. ERR_INVALID: its header is
 * broken; the place then waits for the one behind it. */
static enum err enter_next(struct spool_reader *reader, struct place *place)
{
    uint64_t number = place->number + 1;
    place->look = false;
    enum err err = segment_map(place->dir_fd, place_name(place), number, false, &place->segment);
    if (err == ERR_NOT_FOUND) {
        ERR_TRY(number_after(place->dir_fd, place->number, &number));
        err = segment_map(place->dir_fd, place_name(place), number, false, &place->segment);
    }
    if (err == ERR_INVALID) {
        place->number = number;
        remember_where(reader, place);
        place->look = true;
    }
    ERR_TRY(err);
    place->number = number;
    place->offset = SEGMENT_HEADER_BYTES;
    return ERR_OK;
}

static enum err take_head(struct spool_reader *reader, struct place *place, struct str payload)
{
    size_t bytes = segment_frame_bytes(payload.len);
    enum err err = event_unpack(payload, &place->head);
    if (err != ERR_OK) {
        remember_where(reader, place);
        place->offset += bytes;
        return ERR_INVALID;
    }
    place->head_bytes = bytes;
    return ERR_OK;
}

/* Brings an event to the head of a place. ERR_NOT_FOUND: none now. ERR_INVALID: something broken
 * was met, and passed. */
static enum err peek(struct spool_reader *reader, struct place *place)
{
    struct str payload = {0};
    while (place->head_bytes == 0) {
        if (place->segment.base == NULL) {
            if (!place->look) {
                return ERR_NOT_FOUND;
            }
            ERR_TRY(enter_next(reader, place));
        }
        enum frame frame = segment_frame(&place->segment, place->offset, &payload);
        if (frame == FRAME_EVENT) {
            return take_head(reader, place, payload);
        }
        if (frame == FRAME_NONE) {
            return ERR_NOT_FOUND;
        }
        if (frame == FRAME_BROKEN) {
            remember_where(reader, place);
        }
        leave_segment(place);
        if (frame == FRAME_BROKEN) {
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

static enum err find_oldest(struct spool_reader *reader, struct place **ret_place)
{
    struct place *oldest = NULL;
    for (size_t i = 0; i < reader->n_places; i++) {
        struct place *place = &reader->places[i];
        enum err err = peek(reader, place);
        if (err == ERR_NOT_FOUND) {
            continue;
        }
        ERR_TRY(err);
        if (oldest == NULL || place->head.utc_ms < oldest->head.utc_ms) {
            oldest = place;
        }
    }
    if (oldest == NULL) {
        return ERR_NOT_FOUND;
    }
    *ret_place = oldest;
    return ERR_OK;
}

static enum err add_writer(void *context, struct str name, int dir_fd)
{
    struct spool_reader *reader = context;
    if (reader->only[0] != '\0' && !str_eq(name, str_from(reader->only))) {
        return ERR_OK;
    }
    for (size_t i = 0; i < reader->n_places; i++) {
        if (str_eq(place_name(&reader->places[i]), name)) {
            return ERR_OK;
        }
    }
    if (reader->n_places == WRITERS_MAX) {
        return ERR_LIMIT;
    }
    struct place *places =
        reallocarray(reader->places, reader->n_places + 1, sizeof(*reader->places));
    if (places == NULL) {
        return ERR_MEMORY;
    }
    reader->places = places;
    struct place *place = &places[reader->n_places];
    *place = (struct place){.name_len = name.len, .look = true};
    memcpy(place->name, name.p, name.len);
    place->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    if (place->dir_fd < 0) {
        return ERR_SYSTEM;
    }
    reader->n_places++;
    return ERR_OK;
}

static bool holds_frame(const struct place *place, uint64_t number)
{
    struct segment segment = {0};
    struct str payload = {0};
    if (segment_map(place->dir_fd, place_name(place), number, false, &segment) != ERR_OK) {
        return false;
    }
    bool holds = segment_frame(&segment, SEGMENT_HEADER_BYTES, &payload) != FRAME_NONE;
    segment_unmap(&segment);
    return holds;
}

/* Whether the writer left the segment of a place without marking its end. */
static enum err is_left(const struct place *place, bool *ret_left)
{
    uint64_t *numbers = NULL;
    size_t n = 0;
    bool left = false;
    struct str payload = {0};
    ERR_TRY(spool_folder_segments(place->dir_fd, &numbers, &n));
    for (size_t i = 0; i < n && !left; i++) {
        left = numbers[i] > place->number && holds_frame(place, numbers[i]);
    }
    free(numbers);
    /* Asked again, behind the later frame: what was appended here before that is here now. */
    *ret_left = left && segment_frame(&place->segment, place->offset, &payload) == FRAME_NONE;
    return ERR_OK;
}

/* What costs system calls, once no place has an event. */
static enum err refresh(struct spool_reader *reader)
{
    ERR_TRY(spool_folder_writers(reader->dir_fd, add_writer, reader));
    for (size_t i = 0; i < reader->n_places; i++) {
        struct place *place = &reader->places[i];
        bool left = false;
        if (place->segment.base != NULL) {
            ERR_TRY(is_left(place, &left));
        }
        if (left) {
            leave_segment(place);
        }
        place->look = place->segment.base == NULL;
    }
    return ERR_OK;
}

enum err spool_reader_next(struct spool_reader *reader, struct event *ret_event,
                           struct str *ret_where)
{
    struct place *place = reader->given;
    reader->given = NULL;
    if (place != NULL) {
        place->offset += place->head_bytes;
        place->head_bytes = 0;
    }
    enum err err = find_oldest(reader, &place);
    if (err == ERR_NOT_FOUND) {
        ERR_TRY(refresh(reader));
        err = find_oldest(reader, &place);
    }
    ERR_TRY(err);
    remember_where(reader, place);
    reader->given = place;
    *ret_event = place->head;
    *ret_where = spool_reader_where(reader);
    return ERR_OK;
}

struct str spool_reader_where(const struct spool_reader *reader)
{
    return str_from(reader->where);
}

static enum err reader_open(int dir_fd, struct str only, struct spool_reader **ret_reader)
{
    struct spool_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        close(dir_fd);
        return ERR_MEMORY;
    }
    reader->dir_fd = dir_fd;
    memcpy(reader->only, only.p, only.len);
    enum err err = spool_folder_writers(dir_fd, add_writer, reader);
    if (err != ERR_OK) {
        spool_reader_free(reader);
        return err;
    }
    *ret_reader = reader;
    return ERR_OK;
}

enum err spool_reader_open(int dir_fd, struct spool_reader **ret_reader)
{
    return reader_open(dir_fd, STR(""), ret_reader);
}

enum err spool_reader_open_writer(int dir_fd, struct str writer, struct spool_reader **ret_reader)
{
    if (!segment_writer_is_valid(writer)) {
        close(dir_fd);
        return ERR_INVALID;
    }
    return reader_open(dir_fd, writer, ret_reader);
}

void spool_reader_free(struct spool_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->n_places; i++) {
        segment_unmap(&reader->places[i].segment);
        close(reader->places[i].dir_fd);
    }
    free(reader->places);
    close(reader->dir_fd);
    free(reader);
}

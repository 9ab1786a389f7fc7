/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a segment: the reader ends, and a writer that comes after adds an event that is
 * read. An input that begins with 'h' stands behind a valid header, any other is the whole file. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "event/segment.h"
#include "event/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int root_fd = -1; /* a folder for all runs, removed at the end */
static char root[] = "/tmp/lodge-fuzz-XXXXXX";

static void leave(void)
{
    unlinkat(root_fd, "w/lock", 0);
    unlinkat(root_fd, "w", AT_REMOVEDIR);
    rmdir(root);
}

static void enter(void)
{
    if (root_fd < 0) {
        CHECK(mkdtemp(root) != NULL);
        root_fd = open(root, O_RDONLY | O_DIRECTORY);
        CHECK(root_fd >= 0 && mkdirat(root_fd, "w", 0700) == 0);
        atexit(leave);
    }
}

static void write_file(const uint8_t *data, size_t size)
{
    int dir_fd = openat(root_fd, "w", O_RDONLY | O_DIRECTORY);
    size_t at = 0;
    if (size != 0 && data[0] == 'h') {
        struct segment segment;
        at = SEGMENT_HEADER_BYTES;
        CHECK(segment_create(dir_fd, STR("w"), 1, at + (size + 7) / 8 * 8, &segment) == ERR_OK);
        segment_unmap(&segment);
        data++;
        size--;
    }
    int fd = openat(dir_fd, "0000000001.seg", O_WRONLY | O_CREAT, 0600);
    CHECK(pwrite(fd, data, size, (off_t)at) == (ssize_t)size);
    close(fd);
    close(dir_fd);
}

/* Reads to the end; whether the last event is number 4711. */
static bool read_all(void)
{
    struct spool_reader *reader = NULL;
    struct event event = {0};
    struct str where;
    int64_t last = 0;
    CHECK(spool_reader_open(dup(root_fd), &reader) == ERR_OK);
    enum err err = ERR_OK;
    while (err == ERR_OK || err == ERR_INVALID) {
        err = spool_reader_next(reader, &event, &where);
        last = err == ERR_OK ? event.mono_ms : last;
    }
    CHECK(err == ERR_NOT_FOUND);
    spool_reader_free(reader);
    return last == 4711;
}

static void append_one(void)
{
    struct spool_writer *writer = NULL;
    struct event event = {.mono_ms = 4711};
    CHECK(spool_writer_open(dup(root_fd), STR("w"), SPOOL_SEGMENT_MIN, &writer) == ERR_OK);
    CHECK(spool_append(writer, &event) == ERR_OK);
    spool_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enter();
    write_file(data, size);
    (void)read_all();
    append_one();
    CHECK(read_all());
    for (int i = 1; i <= 9; i++) {
        char name[] = "w/000000000?.seg";
        name[11] = (char)('0' + i);
        unlinkat(root_fd, name, 0);
    }
    return 0;
}

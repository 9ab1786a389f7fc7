/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One segment file of a spool.
 *
 *     WRITER/0000000003.seg    all blocks are allocated before it gets this name
 *       0     struct header    written before the file gets its name, never changed
 *       128   frames, each at a multiple of 8:
 *               u32 commit     0: nothing here yet; 0xE5 in the top byte and the payload's length;
 *                              0xED000000: nothing follows, go on in the next segment
 *               u32 checksum   of the payload and its length (XXH3, its low half)
 *               the payload    (event_pack), then zeros up to a multiple of 8
 *
 * Numbers are in the machine's byte order; the header says which.
 *
 * What holds, and why kill -9 neither loses nor doubles an event: the mapping is shared, so a store
 * is in the page cache, whatever becomes of the process. The payload is stored first, then the
 * commit word with release order, and that is the append. A reader loads the word with acquire
 * order. All behind the last frame is zero, so that the next commit word reads as "nothing"; a
 * process killed inside an append leaves bytes there, and its successor clears them (segment_clear)
 * before it appends.
 *
 * After a power cut pages may be lost that were written since the last sync. A page of zeros reads
 * as the end of the frames, one that is lost within a frame as FRAME_BROKEN: a writer leaves such a
 * segment as it is and starts another.
 *
 * Blocks are allocated before the segment is used, because a full disk met in a store is SIGBUS.
 * Where a file system cannot (fallocate says EOPNOTSUPP), zeros are written instead; one that also
 * copies on write keeps no promise there. */
#include "event/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/fasthash.h"

struct header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t number;
    uint64_t size;
    int64_t created_ms;
    char writer[SEGMENT_WRITER_MAX + 1];
    uint8_t reserved[16];
    uint64_t checksum; /* of all above */
};
_Static_assert(sizeof(struct header) == SEGMENT_HEADER_BYTES, "the layout on disk");

enum {
    SEGMENT_VERSION = 1,
    BYTE_ORDER_MARK = 0x01020304,
    LENGTH_MASK = 0x00FFFFFF,
    ZEROS_BYTES = 65536,
    READY_BYTES = 65536,
};
static const uint32_t event_mark = 0xE5000000u;
static const uint32_t end_mark = 0xED000000u;
static const char magic[8] = "LODGEspl";

void segment_name(uint64_t number, const char *suffix, char to[SEGMENT_NAME_BYTES])
{
    int n = snprintf(to, SEGMENT_NAME_BYTES, "%010llu%s", (unsigned long long)number, suffix);
    CHECK(n > 0 && n < SEGMENT_NAME_BYTES);
}

bool segment_writer_is_valid(struct str name)
{
    if (name.len == 0 || name.len > SEGMENT_WRITER_MAX || name.p[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool fine = (c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '.' || c == '_' || c == '-';
        if (!fine) {
            return false;
        }
    }
    return true;
}

static uint64_t header_checksum(const struct header *header)
{
    return fasthash64(str_make((const char *)header, offsetof(struct header, checksum)), 0);
}

static void header_fill(struct header *header, struct str writer, uint64_t number, size_t size)
{
    *header = (struct header){
        .version = SEGMENT_VERSION,
        .byte_order = BYTE_ORDER_MARK,
        .number = number,
        .size = size,
        .created_ms = clock_utc_ms(),
    };
    memcpy(header->magic, magic, sizeof(magic));
    memcpy(header->writer, writer.p, writer.len);
    header->checksum = header_checksum(header);
}

static bool header_is_valid(const struct header *header, struct str writer, uint64_t number,
                            size_t size)
{
    char name[SEGMENT_WRITER_MAX + 1] = {0};
    memcpy(name, writer.p, writer.len);
    return memcmp(header->magic, magic, sizeof(magic)) == 0 &&
           header->checksum == header_checksum(header) && header->version == SEGMENT_VERSION &&
           header->byte_order == BYTE_ORDER_MARK && header->number == number &&
           header->size == size && memcmp(header->writer, name, sizeof(name)) == 0;
}

static bool write_zeros(int fd, size_t size)
{
    static const uint8_t zeros[ZEROS_BYTES];
    for (size_t at = 0; at < size;) {
        size_t want = size - at < ZEROS_BYTES ? size - at : ZEROS_BYTES;
        ssize_t n = pwrite(fd, zeros, want, (off_t)at);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Not posix_fallocate: that writes zeros of its own accord, without saying whether it had to. */
static bool allocate(int fd, size_t size)
{
    int failed = fallocate(fd, 0, 0, (off_t)size);
    while (failed != 0 && errno == EINTR) {
        failed = fallocate(fd, 0, 0, (off_t)size);
    }
    return failed == 0 || (errno == EOPNOTSUPP && write_zeros(fd, size));
}

static enum err map_fd(int fd, size_t size, bool writable, uint64_t number,
                       struct segment *ret_segment)
{
    int rights = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *base = mmap(NULL, size, rights, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        return ERR_SYSTEM;
    }
    *ret_segment = (struct segment){.base = base, .size = size, .number = number};
    return ERR_OK;
}

/* Everything but the name. */
static enum err fill_file(int fd, struct str writer, uint64_t number, size_t size,
                          struct segment *ret_segment)
{
    struct header header;
    header_fill(&header, writer, number, size);
    if (!allocate(fd, size) || pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
        return ERR_SYSTEM;
    }
    return map_fd(fd, size, true, number, ret_segment);
}

enum err segment_create(int dir_fd, struct str writer, uint64_t number, size_t size,
                        struct segment *ret_segment)
{
    CHECK(segment_writer_is_valid(writer) && size % 8 == 0 && size <= SEGMENT_BYTES_MAX);
    char unnamed[SEGMENT_NAME_BYTES];
    char name[SEGMENT_NAME_BYTES];
    struct segment segment = {0};
    segment_name(number, SEGMENT_UNNAMED, unnamed);
    segment_name(number, SEGMENT_NAMED, name);
    int fd = openat(dir_fd, unnamed, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    enum err err = fill_file(fd, writer, number, size, &segment);
    if (err == ERR_OK && renameat(dir_fd, unnamed, dir_fd, name) != 0) {
        err = ERR_SYSTEM;
    }
    close(fd);
    if (err != ERR_OK) {
        segment_unmap(&segment);
        unlinkat(dir_fd, unnamed, 0);
        return err;
    }
    *ret_segment = segment;
    return ERR_OK;
}

static enum err map_checked(int fd, struct str writer, uint64_t number, bool writable,
                            struct segment *ret_segment)
{
    struct stat info;
    struct segment segment = {0};
    if (fstat(fd, &info) != 0) {
        return ERR_SYSTEM;
    }
    if (!S_ISREG(info.st_mode) || info.st_size < SEGMENT_HEADER_BYTES || info.st_size % 8 != 0 ||
        info.st_size > SEGMENT_BYTES_MAX) {
        return ERR_INVALID;
    }
    ERR_TRY(map_fd(fd, (size_t)info.st_size, writable, number, &segment));
    if (!header_is_valid((const struct header *)segment.base, writer, number, segment.size)) {
        segment_unmap(&segment);
        return ERR_INVALID;
    }
    *ret_segment = segment;
    return ERR_OK;
}

enum err segment_open(int dir_fd, uint64_t number, bool writable, int *ret_fd)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(number, SEGMENT_NAMED, name);
    /* O_NONBLOCK: a pipe of that name must not stop us. */
    int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = openat(dir_fd, name, flags);
    if (fd < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err segment_map(int dir_fd, struct str writer, uint64_t number, bool writable,
                     struct segment *ret_segment)
{
    CHECK(segment_writer_is_valid(writer));
    int fd = -1;
    ERR_TRY(segment_open(dir_fd, number, writable, &fd));
    enum err err = map_checked(fd, writer, number, writable, ret_segment);
    close(fd);
    return err;
}

void segment_unmap(struct segment *segment)
{
    if (segment->base != NULL) {
        munmap(segment->base, segment->size);
    }
    *segment = (struct segment){0};
}

size_t segment_frame_bytes(size_t payload_len)
{
    return SEGMENT_FRAME_HEAD + (payload_len + 7) / 8 * 8;
}

size_t segment_ready(const struct segment *segment, size_t from)
{
    size_t n = segment->size - from < READY_BYTES ? segment->size - from : READY_BYTES;
    /* A kernel before 5.14 refuses, and each page is then a fault of its own. */
    (void)madvise(segment->base + from, n, MADV_POPULATE_WRITE);
    return from + n;
}

size_t segment_ready_before(size_t offset)
{
    return offset / READY_BYTES * READY_BYTES;
}

static uint32_t *word_at(const struct segment *segment, size_t offset)
{
    CHECK(offset % 8 == 0 && offset >= SEGMENT_HEADER_BYTES &&
          offset + SEGMENT_FRAME_HEAD <= segment->size);
    return (uint32_t *)(void *)(segment->base + offset);
}

/* The length goes in as the seed, so that a changed length shows even where all bytes are zero. */
static uint32_t frame_checksum(struct str payload)
{
    return (uint32_t)fasthash64(payload, payload.len);
}

enum frame segment_frame(const struct segment *segment, size_t offset, struct str *ret_payload)
{
    if (segment->size - offset < SEGMENT_FRAME_HEAD) {
        return FRAME_END;
    }
    uint32_t *word = word_at(segment, offset);
    uint32_t commit = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    if (commit == 0) {
        return FRAME_NONE;
    }
    if (commit == end_mark) {
        return FRAME_END;
    }
    size_t len = commit & LENGTH_MASK;
    if ((commit & ~(uint32_t)LENGTH_MASK) != event_mark ||
        len > segment->size - offset - SEGMENT_FRAME_HEAD) {
        return FRAME_BROKEN;
    }
    struct str payload = {(const char *)(word + 2), len};
    if (word[1] != frame_checksum(payload)) {
        return FRAME_BROKEN;
    }
    *ret_payload = payload;
    return FRAME_EVENT;
}

void segment_commit(struct segment *segment, size_t offset, size_t payload_len)
{
    uint32_t *word = word_at(segment, offset);
    CHECK(segment_frame_bytes(payload_len) <= segment->size - offset);
    word[1] = frame_checksum(str_make((const char *)(word + 2), payload_len));
    __atomic_store_n(word, event_mark | (uint32_t)payload_len, __ATOMIC_RELEASE);
}

void segment_end(struct segment *segment, size_t offset)
{
    __atomic_store_n(word_at(segment, offset), end_mark, __ATOMIC_RELEASE);
}

void segment_clear(struct segment *segment, size_t offset)
{
    for (size_t at = offset; at < segment->size; at += 8) {
        uint64_t *word = (uint64_t *)(void *)(segment->base + at);
        /* A store would make a clean page dirty. */
        if (*word != 0) {
            *word = 0;
        }
    }
}

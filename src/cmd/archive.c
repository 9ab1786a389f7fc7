/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Backups as files. */
#include "cmd/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"

#define LETTERS STR("LODGEBK1")

enum { LETTERS_LEN = 8 };

static void append_number(char *to, uint64_t number, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (char)(number >> (8 * i) & 0xff);
    }
}

bool archive_name_is_fine(struct str name)
{
    size_t parts = 1;
    char before = '/';
    bool fine = name.len != 0 && name.len < ARCHIVE_NAME_MAX;
    for (size_t i = 0; i < name.len && fine; i++) {
        char c = name.p[i];
        parts += c == '/' ? 1 : 0;
        /* No part is empty or begins with a dot. */
        fine = before == '/' ? ascii_is_alpha(c) || ascii_is_digit(c)
                             : ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' ||
                                   c == '.' || c == '/';
        before = c;
    }
    return fine && parts <= 2 && before != '/';
}

/* ---- writing ---- */

struct archive_out {
    struct file_new file;
    struct stream_writer *stream;
};

static enum err put_file(void *to, struct str bytes)
{
    struct archive_out *archive = to;
    return file_write_all(archive->file.fd, bytes);
}

static void free_out(struct archive_out *archive)
{
    stream_writer_free(archive->stream);
    free(archive);
}

enum err archive_new(int folder_fd, const char *name, const uint8_t public[STREAM_KEY_BYTES],
                     struct archive_out **ret_archive)
{
    struct archive_out *archive = calloc(1, sizeof(*archive));
    if (archive == NULL) {
        return ERR_MEMORY;
    }
    enum err err = file_new_open(folder_fd, name, 0600, &archive->file);
    if (err != ERR_OK) {
        free_out(archive);
        return err;
    }
    err = put_file(archive, LETTERS);
    if (err == ERR_OK) {
        err = stream_writer_new(public, put_file, archive, &archive->stream);
    }
    if (err != ERR_OK) {
        archive_drop(archive);
        return err;
    }
    *ret_archive = archive;
    return ERR_OK;
}

enum err archive_put(void *to, struct str bytes)
{
    struct archive_out *archive = to;
    return stream_write(archive->stream, bytes);
}

static enum err put_kind(struct archive_out *archive, enum archive_kind kind)
{
    char byte = (char)kind;
    return stream_write(archive->stream, str_make(&byte, 1));
}

enum err archive_begin_store(struct archive_out *archive)
{
    return put_kind(archive, ARCHIVE_STORE);
}

enum err archive_add_file(struct archive_out *archive, const char *name, struct str bytes)
{
    char number[8];
    struct str text = str_from(name);
    CHECK(archive_name_is_fine(text));
    ERR_TRY(put_kind(archive, ARCHIVE_FILE));
    append_number(number, text.len, 4);
    ERR_TRY(stream_write(archive->stream, str_make(number, 4)));
    ERR_TRY(stream_write(archive->stream, text));
    append_number(number, bytes.len, 8);
    ERR_TRY(stream_write(archive->stream, str_make(number, 8)));
    return stream_write(archive->stream, bytes);
}

enum err archive_commit(struct archive_out *archive)
{
    enum err err = put_kind(archive, ARCHIVE_END);
    if (err == ERR_OK) {
        err = stream_end(archive->stream);
    }
    if (err != ERR_OK) {
        archive_drop(archive);
        return err;
    }
    err = file_new_commit(&archive->file);
    free_out(archive);
    return err;
}

void archive_drop(struct archive_out *archive)
{
    if (archive != NULL) {
        file_new_drop(&archive->file);
        free_out(archive);
    }
}

/* ---- reading ---- */

struct archive_in {
    int fd;
    struct stream_reader *stream;
};

static enum err get_file(void *from, void *bytes, size_t n, size_t *ret_n)
{
    const struct archive_in *archive = from;
    ssize_t got;
    do {
        got = read(archive->fd, bytes, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return ERR_SYSTEM;
    }
    *ret_n = (size_t)got;
    return ERR_OK;
}

static enum err open_stream(struct archive_in *archive, const uint8_t secret[STREAM_KEY_BYTES])
{
    char letters[LETTERS_LEN];
    size_t n = 0;
    for (size_t at = 0; at < sizeof(letters); at += n) {
        ERR_TRY(get_file(archive, letters + at, sizeof(letters) - at, &n));
        if (n == 0) {
            return ERR_INVALID;
        }
    }
    if (!str_eq(str_make(letters, sizeof(letters)), LETTERS)) {
        return ERR_INVALID;
    }
    return stream_reader_new(secret, get_file, archive, &archive->stream);
}

enum err archive_open(const char *path, const uint8_t secret[STREAM_KEY_BYTES],
                      struct archive_in **ret_archive)
{
    struct archive_in *archive = calloc(1, sizeof(*archive));
    if (archive == NULL) {
        return ERR_MEMORY;
    }
    archive->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    enum err err = archive->fd >= 0  ? open_stream(archive, secret)
                   : errno == ENOENT ? ERR_NOT_FOUND
                                     : ERR_SYSTEM;
    if (err != ERR_OK) {
        int saved = errno;
        archive_close(archive);
        errno = saved;
        return err;
    }
    *ret_archive = archive;
    return ERR_OK;
}

enum err archive_next(struct archive_in *archive, enum archive_kind *ret_kind)
{
    char kind = 0;
    ERR_TRY(stream_read(archive->stream, &kind, 1));
    switch (kind) {
    case ARCHIVE_END:
        ERR_TRY(stream_read_end(archive->stream));
        *ret_kind = ARCHIVE_END;
        return ERR_OK;
    case ARCHIVE_STORE:
    case ARCHIVE_FILE:
        *ret_kind = (enum archive_kind)kind;
        return ERR_OK;
    default:
        return ERR_INVALID;
    }
}

enum err archive_get(void *from, void *bytes, size_t n)
{
    struct archive_in *archive = from;
    return stream_read(archive->stream, bytes, n);
}

static enum err get_number(struct archive_in *archive, size_t n, uint64_t max, size_t *ret_number)
{
    uint8_t bytes[8];
    uint64_t number = 0;
    ERR_TRY(stream_read(archive->stream, bytes, n));
    for (size_t i = n; i-- > 0;) {
        number = number << 8 | bytes[i];
    }
    *ret_number = (size_t)number;
    return number <= max ? ERR_OK : ERR_INVALID;
}

enum err archive_get_file(struct archive_in *archive, char ret_name[ARCHIVE_NAME_MAX],
                          struct buf *bytes)
{
    size_t n;
    ERR_TRY(get_number(archive, 4, ARCHIVE_NAME_MAX - 1, &n));
    ERR_TRY(stream_read(archive->stream, ret_name, n));
    ret_name[n] = '\0';
    if (!archive_name_is_fine(str_make(ret_name, n))) {
        return ERR_INVALID;
    }
    ERR_TRY(get_number(archive, 8, ARCHIVE_FILE_MAX, &n));
    buf_clear(bytes);
    char *place = buf_reserve(bytes, n);
    ERR_TRY(buf_err(bytes));
    ERR_TRY(stream_read(archive->stream, place, n));
    buf_commit(bytes, n);
    return ERR_OK;
}

void archive_close(struct archive_in *archive)
{
    if (archive != NULL) {
        stream_reader_free(archive->stream);
        if (archive->fd >= 0) {
            close(archive->fd);
        }
        free(archive);
    }
}

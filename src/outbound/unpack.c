/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unpacking by libarchive's streaming reader; what it says of paths and kinds is not trusted. */
#include "outbound/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"

enum { READ_BLOCK = 65536, DEPTH_MAX = 3, NAME_MAX_LEN = 100 };

struct unpack {
    struct archive *archive;
    int to_fd;
    const struct unpack_limits *limits;
    struct unpack_result *result;
};

static enum err fail(struct unpack *unpack, enum err err, const char *why)
{
    snprintf(unpack->result->why, sizeof(unpack->result->why), "%s", why != NULL ? why : "broken");
    return err;
}

static bool is_plain_name(struct str name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN || name.p[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

/* Whether every part of the path is a plain name, and there are not too many: asked first, so that
 * nothing is made for a path that is passed over. */
static bool is_plain_path(struct str path)
{
    bool more = true;
    for (int depth = 0; more && depth < DEPTH_MAX; depth++) {
        struct str name;
        more = str_cut(path, '/', &name, &path);
        if (!is_plain_name(name)) {
            return false;
        }
    }
    return !more;
}

/* Opens the folder for a path's file, making folders on the way; the file's name goes to ret_name.
 * ERR_NOT_FOUND where the path is one we pass over. */
static enum err open_folder(struct unpack *unpack, struct str path, int *ret_fd,
                            char ret_name[NAME_MAX_LEN + 1])
{
    if (str_starts(path, STR("./"))) {
        path = str_skip(path, 2);
    }
    if (!is_plain_path(path)) {
        return ERR_NOT_FOUND;
    }
    int folder = dup(unpack->to_fd);
    while (folder >= 0) {
        struct str name;
        bool more = str_cut(path, '/', &name, &path);
        memcpy(ret_name, name.p, name.len);
        ret_name[name.len] = '\0';
        if (!more) {
            *ret_fd = folder;
            return ERR_OK;
        }
        int next = -1;
        if (mkdirat(folder, ret_name, 0700) == 0 || errno == EEXIST) {
            next = openat(folder, ret_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        close(folder);
        folder = next;
    }
    return ERR_SYSTEM;
}

static enum err write_all(int fd, const char *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t written = write(fd, bytes + done, n - done);
        if (written <= 0) {
            return ERR_SYSTEM;
        }
        done += (size_t)written;
    }
    return ERR_OK;
}

static enum err copy_file(struct unpack *unpack, int fd)
{
    for (;;) {
        char block[READ_BLOCK];
        la_ssize_t n = archive_read_data(unpack->archive, block, sizeof(block));
        if (n == 0) {
            return ERR_OK;
        }
        if (n < 0) {
            return fail(unpack, ERR_INVALID, archive_error_string(unpack->archive));
        }
        if ((uint64_t)n > unpack->limits->max_bytes - unpack->result->bytes) {
            return fail(unpack, ERR_LIMIT, "the archive holds more bytes than allowed");
        }
        unpack->result->bytes += (uint64_t)n;
        if (write_all(fd, block, (size_t)n) != ERR_OK) {
            return fail(unpack, ERR_SYSTEM, strerror(errno));
        }
    }
}

static enum err take_entry(struct unpack *unpack, struct archive_entry *entry)
{
    char name[NAME_MAX_LEN + 1];
    int folder = -1;
    const char *path = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR) {
        return ERR_OK;
    }
    if (path == NULL || archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != NULL) {
        unpack->result->passed_over++;
        return ERR_OK;
    }
    if (unpack->result->files == unpack->limits->max_files) {
        return fail(unpack, ERR_LIMIT, "the archive holds more files than allowed");
    }
    enum err err = open_folder(unpack, str_from(path), &folder, name);
    if (err == ERR_NOT_FOUND) {
        unpack->result->passed_over++;
        return ERR_OK;
    }
    if (err != ERR_OK) {
        return fail(unpack, err, strerror(errno));
    }
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    close(folder);
    if (fd < 0 && errno == EEXIST) {
        return fail(unpack, ERR_INVALID, "the archive holds a file twice");
    }
    if (fd < 0) {
        return fail(unpack, ERR_SYSTEM, strerror(errno));
    }
    err = copy_file(unpack, fd);
    if (close(fd) != 0 && err == ERR_OK) {
        err = fail(unpack, ERR_SYSTEM, strerror(errno));
    }
    unpack->result->files += err == ERR_OK;
    return err;
}

static enum err run(struct unpack *unpack)
{
    for (;;) {
        struct archive_entry *entry = NULL;
        int code = archive_read_next_header(unpack->archive, &entry);
        if (code == ARCHIVE_EOF) {
            break;
        }
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
            return fail(unpack, ERR_INVALID, archive_error_string(unpack->archive));
        }
        ERR_TRY(take_entry(unpack, entry));
    }
    if (unpack->result->files == 0) {
        return fail(unpack, ERR_INVALID, "the archive holds no file that a list could be");
    }
    return ERR_OK;
}

enum err unpack_run(int fd, int to_fd, const struct unpack_limits *limits,
                    struct unpack_result *ret_result)
{
    CHECK(fd >= 0 && to_fd >= 0);
    *ret_result = (struct unpack_result){0};
    struct unpack unpack = {
        .archive = archive_read_new(),
        .to_fd = to_fd,
        .limits = limits,
        .result = ret_result,
    };
    if (unpack.archive == NULL) {
        return fail(&unpack, ERR_MEMORY, err_text(ERR_MEMORY));
    }
    (void)archive_read_support_format_tar(unpack.archive);
    (void)archive_read_support_format_zip_streamable(unpack.archive);
    (void)archive_read_support_filter_gzip(unpack.archive);
    (void)archive_read_support_filter_bzip2(unpack.archive);
    (void)archive_read_support_filter_xz(unpack.archive);
    (void)archive_read_support_filter_zstd(unpack.archive);
    enum err err = ERR_OK;
    if (archive_read_open_fd(unpack.archive, fd, READ_BLOCK) != ARCHIVE_OK) {
        err = fail(&unpack, ERR_INVALID, archive_error_string(unpack.archive));
    } else {
        err = run(&unpack);
    }
    archive_read_free(unpack.archive);
    return err;
}

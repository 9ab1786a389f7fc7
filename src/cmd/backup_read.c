/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading backups. */
#include "cmd/backup_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/archive.h"
#include "crypto/secret.h"
#include "os/file.h"

enum { PATH_BYTES = 4200 };

void backup_progress(const void *argument, const char *table, uint64_t rows)
{
    static const uint64_t worth_telling = 10000;
    if (rows >= worth_telling && isatty(STDERR_FILENO) != 0) {
        fprintf(stderr, "%s: %llu rows %s\n", table, (unsigned long long)rows,
                (const char *)argument);
    }
}

static enum err write_file(const struct backup_read *read, const char *name, struct str bytes)
{
    char folder[ARCHIVE_NAME_MAX];
    const char *slash = strchr(name, '/');
    if (slash != NULL) {
        size_t len = (size_t)(slash - name);
        memcpy(folder, name, len);
        folder[len] = '\0';
        ERR_TRY(file_make_dirs(read->folder_fd, folder, 0700));
    }
    return file_write(read->folder_fd, name, bytes, 0600);
}

static enum err read_file(const struct backup_read *read, struct archive_in *archive)
{
    char name[ARCHIVE_NAME_MAX];
    struct buf bytes;
    buf_init(&bytes, ARCHIVE_FILE_MAX);
    enum err err = archive_get_file(archive, name, &bytes);
    if (err == ERR_OK) {
        err = write_file(read, name, buf_str(&bytes));
    }
    secret_wipe(bytes.p, bytes.len);
    buf_fini(&bytes);
    return err;
}

static enum err read_store(const struct backup_read *read, struct archive_in *archive,
                           struct store **ret_store)
{
    const struct dump_from from = {
        .get = archive_get, .from = archive, .progress = backup_progress, .argument = "read"};
    if (*ret_store != NULL) {
        return ERR_INVALID;
    }
    return store_load(read->place, &from, ret_store, read->report, read->why);
}

/* *ret_store stays NULL where the archive has none; whoever calls closes it, also on an error. */
static enum err read_archive(const struct backup_read *read, const char *path,
                             struct store **ret_store)
{
    struct archive_in *archive;
    enum archive_kind kind = ARCHIVE_UNSET;
    ERR_TRY(archive_open(path, read->secret, &archive));
    enum err err = archive_next(archive, &kind);
    while (err == ERR_OK && kind != ARCHIVE_END) {
        err =
            kind == ARCHIVE_STORE ? read_store(read, archive, ret_store) : read_file(read, archive);
        if (err == ERR_OK) {
            err = archive_next(archive, &kind);
        }
    }
    int saved = errno;
    archive_close(archive);
    errno = saved;
    return err;
}

static enum err explain(const struct backup_read *read, const char *path, enum err err)
{
    if (read->why->len == 0) {
        buf_printf(read->why, "%s: %s", path,
                   err == ERR_DENIED      ? "it was sealed to another key"
                   : err == ERR_TRUNCATED ? "it is cut off"
                   : err == ERR_INVALID   ? "it is no backup, or a byte of it differs"
                   : err == ERR_SYSTEM    ? strerror(errno)
                                          : err_text(err));
    }
    return err;
}

static enum err keys_path(const struct backup_read *read, char ret_path[PATH_BYTES])
{
    const char *slash = strrchr(read->records, '/');
    int folder = slash != NULL ? (int)(slash - read->records) + 1 : 0;
    int n = read->keys != NULL
                ? snprintf(ret_path, PATH_BYTES, "%s", read->keys)
                : snprintf(ret_path, PATH_BYTES, "%.*s" BACKUP_KEYS_NAME, folder, read->records);
    return n > 0 && n < PATH_BYTES ? ERR_OK : ERR_LIMIT;
}

static enum err read_both(const struct backup_read *read, struct store **ret_store)
{
    char keys[PATH_BYTES];
    struct store *more = NULL;
    ERR_TRY(keys_path(read, keys));
    enum err err = read_archive(read, keys, &more);
    if (err != ERR_OK || more != NULL) {
        store_close(more);
        return explain(read, keys, err != ERR_OK ? err : ERR_INVALID);
    }
    err = read_archive(read, read->records, ret_store);
    if (err == ERR_OK && *ret_store == NULL) {
        err = ERR_INVALID;
    }
    return err == ERR_OK ? ERR_OK : explain(read, read->records, err);
}

enum err backup_read(const struct backup_read *read, struct store **ret_store)
{
    struct store *store = NULL;
    enum err err = read_both(read, &store);
    if (err != ERR_OK) {
        store_close(store);
        return err;
    }
    *ret_store = store;
    return ERR_OK;
}

/* ---- removing ---- */

static enum err remove_files(int parent_fd, const char *name, bool folders_too)
{
    int fd;
    ERR_TRY(file_open_dir(parent_fd, name, &fd));
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        close(fd);
        return ERR_MEMORY;
    }
    enum err err = ERR_OK;
    struct dirent *entry;
    while (err == ERR_OK && (entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(fd, entry->d_name, 0) != 0) {
            err = errno == EISDIR && folders_too ? remove_files(fd, entry->d_name, false)
                                                 : ERR_SYSTEM;
        }
    }
    closedir(entries);
    return err == ERR_OK && unlinkat(parent_fd, name, AT_REMOVEDIR) != 0 ? ERR_SYSTEM : err;
}

enum err backup_remove(int parent_fd, const char *name)
{
    return remove_files(parent_fd, name, true);
}

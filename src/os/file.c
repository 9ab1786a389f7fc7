/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files. A new file's temporary name begins with a dot and ends in random letters; what a killed
 * process leaves behind harms nobody. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

enum { READ_STEP = 16 * 1024, COPY_STEP = 16 * 1024 * 1024, PATH_BYTES = 4096 };

static enum err from_errno(void)
{
    return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
}

static enum err close_and_return(int fd, enum err err)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}

enum err file_read_fd(int fd, struct buf *to)
{
    char step[READ_STEP];
    for (;;) {
        ssize_t n = read(fd, step, sizeof(step));
        if (n == 0) {
            return buf_err(to);
        }
        if (n > 0) {
            buf_append(to, str_make(step, (size_t)n));
            ERR_TRY(buf_err(to));
        } else if (errno != EINTR) {
            return errno == EISDIR ? ERR_INVALID : ERR_SYSTEM;
        }
    }
}

enum err file_read(int dir_fd, const char *path, struct buf *to)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return from_errno();
    }
    return close_and_return(fd, file_read_fd(fd, to));
}

enum err file_map_fd(int fd, struct file_map *ret_map)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0) {
        return ERR_SYSTEM;
    }
    if (!S_ISREG(stat.st_mode)) {
        return ERR_INVALID;
    }
    if (stat.st_size == 0) {
        *ret_map = (struct file_map){.bytes = STR("")};
        return ERR_OK;
    }
    void *place = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (place == MAP_FAILED) {
        return ERR_SYSTEM;
    }
    ret_map->bytes = str_make(place, (size_t)stat.st_size);
    return ERR_OK;
}

enum err file_map_sealed(int fd, size_t max, struct file_map *ret_map)
{
    const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    struct file_map map;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & wanted) != wanted) {
        return ERR_INVALID;
    }
    ERR_TRY(file_map_fd(fd, &map));
    if (map.bytes.len > max) {
        file_map_fini(&map);
        return ERR_LIMIT;
    }
    *ret_map = map;
    return ERR_OK;
}

void file_map_fini(struct file_map *map)
{
    if (map->bytes.len != 0) {
        CHECK(munmap((void *)(uintptr_t)map->bytes.p, map->bytes.len) == 0);
    }
    *map = (struct file_map){.bytes = STR("")};
}

enum err file_write_all(int fd, struct str bytes)
{
    while (bytes.len != 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n >= 0) {
            bytes = str_skip(bytes, (size_t)n);
        } else if (errno != EINTR) {
            return ERR_SYSTEM;
        }
    }
    return ERR_OK;
}

/* Opens the folder that path lies in; *ret_name is the last part. */
static enum err open_parent(int dir_fd, const char *path, const char **ret_name, int *ret_fd)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    *ret_name = slash != NULL ? slash + 1 : path;
    if (slash == NULL) {
        return file_open_dir(dir_fd, ".", ret_fd);
    }
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    if (len >= sizeof(folder)) {
        return ERR_INVALID;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    return file_open_dir(dir_fd, folder, ret_fd);
}

static enum err open_temporary(struct file_new *file, mode_t mode)
{
    uint64_t random;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return ERR_SYSTEM;
    }
    snprintf(file->temporary, sizeof(file->temporary), ".%s.%016llx", file->name,
             (unsigned long long)random);
    file->fd = openat(file->dir_fd, file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file->fd < 0) {
        return from_errno();
    }
    /* Whatever the umask: who asks for a mode means it. */
    if (fchmod(file->fd, mode) != 0) {
        (void)unlinkat(file->dir_fd, file->temporary, 0);
        return close_and_return(file->fd, ERR_SYSTEM);
    }
    return ERR_OK;
}

enum err file_new_open(int dir_fd, const char *path, mode_t mode, struct file_new *ret_file)
{
    struct file_new file;
    const char *name;
    ERR_TRY(open_parent(dir_fd, path, &name, &file.dir_fd));
    size_t len = strlen(name);
    if (len == 0 || len >= sizeof(file.name)) {
        return close_and_return(file.dir_fd, ERR_INVALID);
    }
    memcpy(file.name, name, len + 1);
    enum err err = open_temporary(&file, mode);
    if (err != ERR_OK) {
        return close_and_return(file.dir_fd, err);
    }
    *ret_file = file;
    return ERR_OK;
}

static void close_new(struct file_new *file)
{
    int saved = errno;
    close(file->fd);
    close(file->dir_fd);
    *file = (struct file_new){.fd = -1, .dir_fd = -1};
    errno = saved;
}

enum err file_new_commit(struct file_new *file)
{
    if (fsync(file->fd) != 0 ||
        renameat(file->dir_fd, file->temporary, file->dir_fd, file->name) != 0) {
        file_new_drop(file);
        return ERR_SYSTEM;
    }
    int failed = fsync(file->dir_fd);
    close_new(file);
    return failed == 0 ? ERR_OK : ERR_SYSTEM;
}

void file_new_drop(struct file_new *file)
{
    int saved = errno;
    (void)unlinkat(file->dir_fd, file->temporary, 0);
    errno = saved;
    close_new(file);
}

enum err file_give(int fd, int folder_fd)
{
    struct stat folder;
    return fstat(folder_fd, &folder) == 0 &&
                   (geteuid() != 0 || fchown(fd, folder.st_uid, folder.st_gid) == 0)
               ? ERR_OK
               : ERR_SYSTEM;
}

static enum err write_new(int dir_fd, const char *path, struct str bytes, mode_t mode, bool give)
{
    struct file_new file;
    ERR_TRY(file_new_open(dir_fd, path, mode, &file));
    enum err err = file_write_all(file.fd, bytes);
    if (err == ERR_OK && give) {
        err = file_give(file.fd, file.dir_fd);
    }
    if (err != ERR_OK) {
        file_new_drop(&file);
        return err;
    }
    return file_new_commit(&file);
}

enum err file_write(int dir_fd, const char *path, struct str bytes, mode_t mode)
{
    return write_new(dir_fd, path, bytes, mode, false);
}

enum err file_write_given(int dir_fd, const char *path, struct str bytes, mode_t mode)
{
    return write_new(dir_fd, path, bytes, mode, true);
}

enum err file_copy_fd(int from_fd, int to_fd)
{
    for (;;) {
        ssize_t n = copy_file_range(from_fd, NULL, to_fd, NULL, COPY_STEP, 0);
        if (n < 0 && errno != EINTR && errno != ENOSPC) {
            n = sendfile(to_fd, from_fd, NULL, COPY_STEP); /* across file systems, old kernels */
        }
        if (n == 0) {
            return ERR_OK;
        }
        if (n < 0 && errno != EINTR) {
            return ERR_SYSTEM;
        }
    }
}

enum err file_make_dirs(int dir_fd, const char *path, mode_t mode)
{
    char part[PATH_BYTES];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part)) {
        return ERR_INVALID;
    }
    for (size_t i = 1; i <= len; i++) {
        if (i < len && path[i] != '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdirat(dir_fd, part, mode) != 0 && errno != EEXIST) {
            return from_errno();
        }
    }
    return ERR_OK;
}

enum err file_open_dir(int dir_fd, const char *path, int *ret_fd)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return from_errno();
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err file_memory(const char *name, struct str bytes, int *ret_fd)
{
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    if (file_write_all(fd, bytes) != ERR_OK || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, seals) != 0) {
        return close_and_return(fd, ERR_SYSTEM);
    }
    *ret_fd = fd;
    return ERR_OK;
}

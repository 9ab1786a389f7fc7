/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files, as images and secrets need them: read whole, or written to a new name, synced and renamed.
 *
 * dir_fd is an open directory, or AT_FDCWD, and path is relative to it. Where an answer is
 * ERR_SYSTEM, errno says why. Descriptors are close-on-exec.
 */
#ifndef LODGE_OS_FILE_H
#define LODGE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends a whole file (or what a pipe brings until its end) to `to`. ERR_NOT_FOUND, ERR_SYSTEM;
 * ERR_LIMIT or ERR_MEMORY from the buffer. A folder is ERR_INVALID. */
MUST_USE enum err file_read(int dir_fd, const char *path, struct buf *to);
/* The same from a descriptor, from its current place on. */
MUST_USE enum err file_read_fd(int fd, struct buf *to);

/* A file mapped read-only, whole. The mapping outlives descriptor and name, and has nothing to do
 * with the descriptor's place in the file, which processes may share. */
struct file_map {
    struct str bytes;
};
/* Not taken over: fd. An empty file is an empty slice. */
MUST_USE enum err file_map_fd(int fd, struct file_map *ret_map);
/* The same of what another process made by file_memory: ERR_INVALID where it is not sealed, and so
 * could change or shrink under the reader; ERR_LIMIT for more than max bytes. */
MUST_USE enum err file_map_sealed(int fd, size_t max, struct file_map *ret_map);
/* Safe on a zeroed struct. */
void file_map_fini(struct file_map *map);

/* Puts a file in place as a whole: new name beside it, write, fsync, rename, fsync of the folder.
 * After an error the old file is untouched. */
MUST_USE enum err file_write(int dir_fd, const char *path, struct str bytes, mode_t mode);

/* The same for a file that another process reads: written by root, it belongs to whom its folder
 * belongs to. */
MUST_USE enum err file_write_given(int dir_fd, const char *path, struct str bytes, mode_t mode);
/* As root: gives an open file to whom that folder belongs to. */
MUST_USE enum err file_give(int fd, int folder_fd);

/* The same in steps, for big files: write to file->fd, then commit or drop (one of them, always).
 */
struct file_new {
    int fd;
    int dir_fd; /* private: the folder of the file */
    char name[256];
    char temporary[280];
};
MUST_USE enum err file_new_open(int dir_fd, const char *path, mode_t mode,
                                struct file_new *ret_file);
MUST_USE enum err file_new_commit(struct file_new *file);
void file_new_drop(struct file_new *file);

/* Writes all of it, however many calls that takes. */
MUST_USE enum err file_write_all(int fd, struct str bytes);

/* Copies the rest of one file into another, in the kernel where it can. */
MUST_USE enum err file_copy_fd(int from_fd, int to_fd);

/* Makes a folder and those above it, where absent, with this mode. An existing one stays as it is.
 */
MUST_USE enum err file_make_dirs(int dir_fd, const char *path, mode_t mode);

/* Opens a folder. ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_USE enum err file_open_dir(int dir_fd, const char *path, int *ret_fd);

/* A file in memory with these bytes, at its beginning, sealed against every change. */
MUST_USE enum err file_memory(const char *name, struct str bytes, int *ret_fd);

#endif

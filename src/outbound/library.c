/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lists that a school has fetched, on its disk. */
#include "outbound/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "os/file.h"

enum { DEPTH_MAX = 4, KEY_BYTES = 8, META_BYTES_MAX = 4096 };

void library_key(struct str address, char ret_key[LIBRARY_KEY_MAX])
{
    uint8_t hash[SHA256_BYTES];
    sha256(address, hash);
    for (size_t i = 0; i < KEY_BYTES; i++) {
        snprintf(ret_key + 2 * i, 3, "%02x", (unsigned)hash[i]);
    }
}

bool library_is_archive(struct str address)
{
    static const struct str ends[] = {
        STR_INIT(".tar.gz"),  STR_INIT(".tgz"), STR_INIT(".tar.xz"), STR_INIT(".tar.bz2"),
        STR_INIT(".tar.zst"), STR_INIT(".tar"), STR_INIT(".zip"),
    };
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (str_ends(address, ends[i])) {
            return true;
        }
    }
    return false;
}

enum err library_open(const char *data, struct library *ret_library)
{
    char path[LIBRARY_PATH_MAX];
    struct library library = {.dir_fd = -1, .quarantine_fd = -1, .lock_fd = -1};
    int n = snprintf(path, sizeof(path), "%s/lists/quarantine", data);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return ERR_LIMIT;
    }
    ERR_TRY(file_make_dirs(AT_FDCWD, path, 0700));
    ERR_TRY(file_open_dir(AT_FDCWD, path, &library.quarantine_fd));
    enum err err = file_open_dir(library.quarantine_fd, "..", &library.dir_fd);
    if (err == ERR_OK) {
        library.lock_fd = openat(library.dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        err = library.lock_fd >= 0 ? ERR_OK : ERR_SYSTEM;
    }
    if (err == ERR_OK && flock(library.lock_fd, LOCK_EX | LOCK_NB) != 0) {
        err = errno == EWOULDBLOCK ? ERR_AGAIN : ERR_SYSTEM;
    }
    if (err != ERR_OK) {
        library_close(&library);
        return err;
    }
    *ret_library = library;
    return ERR_OK;
}

static void close_if_open(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

void library_close(struct library *library)
{
    close_if_open(library->dir_fd);
    close_if_open(library->quarantine_fd);
    close_if_open(library->lock_fd);
    *library = (struct library){.dir_fd = -1, .quarantine_fd = -1, .lock_fd = -1};
}

static int open_folder(int dir_fd, const char *name)
{
    return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Removes a tree made by us, whose depth is bounded: the walk keeps its own stack. */
static void remove_tree(int dir_fd, const char *name)
{
    DIR *stack[DEPTH_MAX];
    char names[DEPTH_MAX][NAME_MAX + 1];
    int depth = 0;
    int fd = open_folder(dir_fd, name);
    stack[0] = fd >= 0 ? fdopendir(fd) : NULL;
    while (stack[0] != NULL && depth >= 0) {
        struct dirent *entry = readdir(stack[depth]);
        if (entry == NULL) {
            closedir(stack[depth]);
            depth--;
            if (depth >= 0) {
                (void)unlinkat(dirfd(stack[depth]), names[depth + 1], AT_REMOVEDIR);
            }
            continue;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            unlinkat(dirfd(stack[depth]), entry->d_name, 0) == 0 || depth + 1 == DEPTH_MAX) {
            continue;
        }
        fd = open_folder(dirfd(stack[depth]), entry->d_name);
        DIR *inner = fd >= 0 ? fdopendir(fd) : NULL;
        if (inner != NULL) {
            snprintf(names[depth + 1], sizeof(names[0]), "%s", entry->d_name);
            stack[++depth] = inner;
        }
    }
    (void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

void library_drop(const struct library *library, const char *key)
{
    remove_tree(library->quarantine_fd, key);
}

bool library_has(const struct library *library, const char *key)
{
    return faccessat(library->dir_fd, key, F_OK, 0) == 0;
}

enum err library_quarantine(const struct library *library, const char *key, int *ret_dir,
                            int *ret_raw)
{
    library_drop(library, key);
    if (mkdirat(library->quarantine_fd, key, 0700) != 0) {
        return ERR_SYSTEM;
    }
    int dir = open_folder(library->quarantine_fd, key);
    int raw = dir >= 0 ? openat(dir, "raw", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (raw < 0) {
        close_if_open(dir);
        return ERR_SYSTEM;
    }
    *ret_dir = dir;
    *ret_raw = raw;
    return ERR_OK;
}

/* One line "name value" of meta into a field of FETCH_TEXT_MAX bytes. */
static void take_meta(struct str text, struct str name, char *to)
{
    while (text.len != 0) {
        struct str line;
        struct str key;
        (void)str_cut(text, '\n', &line, &text);
        if (str_cut(line, ' ', &key, &line) && str_eq(key, name) && line.len < FETCH_TEXT_MAX) {
            memcpy(to, line.p, line.len);
            to[line.len] = '\0';
        }
    }
}

void library_meta_read(const struct library *library, const char *key,
                       struct library_meta *ret_meta)
{
    char path[LIBRARY_PATH_MAX];
    struct buf text;
    buf_init(&text, META_BYTES_MAX);
    *ret_meta = (struct library_meta){0};
    snprintf(path, sizeof(path), "%s/meta", key);
    if (file_read(library->dir_fd, path, &text) == ERR_OK) {
        take_meta(buf_str(&text), STR("etag"), ret_meta->etag);
        take_meta(buf_str(&text), STR("modified"), ret_meta->modified);
    }
    buf_fini(&text);
}

enum err library_accept(const struct library *library, const char *key,
                        const struct library_meta *meta)
{
    char path[LIBRARY_PATH_MAX];
    struct buf text;
    buf_init(&text, META_BYTES_MAX);
    buf_printf(&text, "etag %s\nmodified %s\n", meta->etag, meta->modified);
    snprintf(path, sizeof(path), "%s/meta", key);
    enum err err = buf_err(&text);
    if (err == ERR_OK) {
        err = file_write(library->quarantine_fd, path, buf_str(&text), 0600);
    }
    buf_fini(&text);
    if (err != ERR_OK) {
        return err;
    }
    unsigned how = library_has(library, key) ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (renameat2(library->quarantine_fd, key, library->dir_fd, key, how) != 0) {
        return ERR_SYSTEM;
    }
    library_drop(library, key);
    return ERR_OK;
}

static enum err add_file(int dir_fd, const char *name, enum list_format format, bool sealed,
                         struct lines *lines)
{
    struct file_map map = {0};
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    enum err err = file_map_fd(fd, &map);
    close(fd);
    if (err == ERR_OK) {
        err = lines_add(lines, format, sealed, map.bytes);
    }
    file_map_fini(&map);
    return err;
}

/* The files of a UT1 folder that give entries. */
static enum err add_folder(int dir_fd, const char *name, bool sealed, struct lines *lines)
{
    int fd = open_folder(dir_fd, name);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    enum err err = ERR_OK;
    bool any = false;
    if (folder == NULL) {
        close_if_open(fd);
        return ERR_NOT_FOUND;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL && err == ERR_OK;
         entry = readdir(folder)) {
        enum list_format format = list_ut1_part(str_from(entry->d_name));
        if (format != LIST_UNSET) {
            err = add_file(dirfd(folder), entry->d_name, format, sealed, lines);
            any = true;
        }
    }
    closedir(folder);
    return err == ERR_OK && !any ? ERR_NOT_FOUND : err;
}

enum err library_lines(const struct library *library, bool quarantined,
                       const struct library_list *list, struct lines *lines)
{
    char path[LIBRARY_PATH_MAX];
    int root = quarantined ? library->quarantine_fd : library->dir_fd;
    if (faccessat(root, list->key, F_OK, 0) != 0) {
        return ERR_OK;
    }
    int n = list->archive
                ? snprintf(path, sizeof(path), "%s/files/%.*s", list->key, STR_ARG(list->member))
                : snprintf(path, sizeof(path), "%s/raw", list->key);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return ERR_LIMIT;
    }
    return list->format == LIST_UT1 ? add_folder(root, path, list->sealed, lines)
                                    : add_file(root, path, list->format, list->sealed, lines);
}

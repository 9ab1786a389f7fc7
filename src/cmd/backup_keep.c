/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which backups this data folder wrote, and removing the oldest. */
#include "cmd/backup_keep.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "crypto/hash.h"
#include "os/file.h"

/* ---- one file ---- */

struct written {
    struct str name;
    uint64_t bytes;
    struct str head; /* SHA-256, in hexadecimal */
};

/* lodge-20261122T021500Z.backup, of a time that there is. */
static bool is_name(struct str name)
{
    char text[] = "0000-00-00T00:00:00Z";
    struct civil civil;
    struct str time = str_skip(name, sizeof("lodge-") - 1);
    if (name.len != sizeof("lodge-20261122T021500Z.backup") - 1 ||
        !str_starts(name, STR("lodge-")) || !str_ends(name, STR("Z.backup")) || time.p[8] != 'T') {
        return false;
    }
    memcpy(text, time.p, 4);
    memcpy(text + 5, time.p + 4, 2);
    memcpy(text + 8, time.p + 6, 2);
    memcpy(text + 11, time.p + 9, 2);
    memcpy(text + 14, time.p + 11, 2);
    memcpy(text + 17, time.p + 13, 2);
    return civil_parse(str_from(text), &civil) == ERR_OK;
}

/* A line of the list; false for what is none. */
static bool read_line(struct str line, struct written *ret_written)
{
    struct str rest;
    struct str bytes;
    uint8_t hash[SHA256_BYTES];
    return str_cut(line, ' ', &ret_written->name, &rest) &&
           str_cut(rest, ' ', &bytes, &ret_written->head) && is_name(ret_written->name) &&
           parse_u64(bytes, 1, INT64_MAX, &ret_written->bytes) == ERR_OK &&
           sha256_parse(ret_written->head, hash) == ERR_OK;
}

/* What stands in a folder under a name. ERR_NOT_FOUND for nothing, and for what is no plain file.
 */
static enum err describe(int folder_fd, const char *name, char head[SHA256_TEXT_MAX],
                         uint64_t *ret_bytes)
{
    char bytes[BACKUP_HEAD_BYTES];
    uint8_t hash[SHA256_BYTES];
    struct stat stat;
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return ERR_NOT_FOUND;
    }
    ssize_t n =
        fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) ? pread(fd, bytes, sizeof(bytes), 0) : -1;
    close(fd);
    if (n <= 0) {
        return ERR_NOT_FOUND;
    }
    sha256(str_make(bytes, (size_t)n), hash);
    sha256_print(hash, head);
    *ret_bytes = (uint64_t)stat.st_size;
    return ERR_OK;
}

static bool is_as_written(int folder_fd, const struct written *written)
{
    char name[BACKUP_NAME_BYTES];
    char head[SHA256_TEXT_MAX];
    uint64_t bytes;
    memcpy(name, written->name.p, written->name.len);
    name[written->name.len] = '\0';
    return describe(folder_fd, name, head, &bytes) == ERR_OK && bytes == written->bytes &&
           str_eq(written->head, str_from(head));
}

/* ---- the list ---- */

static enum err read_list(int data_fd, struct buf *list)
{
    enum err err = file_read(data_fd, BACKUP_WRITTEN, list);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err backup_keep_note(int data_fd, int folder_fd, const char *name)
{
    char head[SHA256_TEXT_MAX];
    uint64_t bytes;
    struct buf list;
    ERR_TRY(describe(folder_fd, name, head, &bytes));
    buf_init(&list, BACKUP_WRITTEN_MAX);
    enum err err = read_list(data_fd, &list);
    if (err == ERR_OK) {
        buf_printf(&list, "%s %llu %s\n", name, (unsigned long long)bytes, head);
        err = buf_err(&list);
    }
    if (err == ERR_OK) {
        err = file_write(data_fd, BACKUP_WRITTEN, buf_str(&list), 0600);
    }
    buf_fini(&list);
    return err;
}

/* ---- removing ---- */

struct keeping {
    int folder_fd;
    struct str last;
    void (*gone)(void *context, const char *name, bool gone);
    void *context;
    struct str *names; /* of files that are there as they were written */
    size_t n;
};

static int newest_first(const void *a, const void *b)
{
    return str_compare(*(const struct str *)b, *(const struct str *)a);
}

static enum err find(struct keeping *keeping, struct str list)
{
    size_t n_lines = 0;
    struct str line;
    for (size_t i = 0; i < list.len; i++) {
        n_lines += list.p[i] == '\n';
    }
    keeping->names = calloc(n_lines + 1, sizeof(*keeping->names));
    if (keeping->names == NULL) {
        return ERR_MEMORY;
    }
    while (list.len != 0 && keeping->n < n_lines) {
        struct written written;
        (void)str_cut(list, '\n', &line, &list);
        if (read_line(line, &written) && !str_eq(written.name, keeping->last) &&
            is_as_written(keeping->folder_fd, &written)) {
            keeping->names[keeping->n++] = written.name;
        }
    }
    qsort(keeping->names, keeping->n, sizeof(*keeping->names), newest_first);
    return ERR_OK;
}

/* A name stands twice where somebody wrote into the list. */
static void remove_from(const struct keeping *keeping, size_t first)
{
    for (size_t i = first; i < keeping->n; i++) {
        char name[BACKUP_NAME_BYTES];
        memcpy(name, keeping->names[i].p, keeping->names[i].len);
        name[keeping->names[i].len] = '\0';
        keeping->gone(keeping->context, name, unlinkat(keeping->folder_fd, name, 0) == 0);
    }
}

enum err backup_keep(int data_fd, int folder_fd, size_t n, const char *last,
                     void (*gone)(void *context, const char *name, bool gone), void *context)
{
    struct keeping keeping = {
        .folder_fd = folder_fd, .last = str_from(last), .gone = gone, .context = context};
    struct buf list;
    buf_init(&list, BACKUP_WRITTEN_MAX);
    enum err err = read_list(data_fd, &list);
    if (err == ERR_OK) {
        err = find(&keeping, buf_str(&list));
    }
    if (err == ERR_OK) {
        remove_from(&keeping, n - 1);
        err = fsync(folder_fd) == 0 ? ERR_OK : ERR_SYSTEM;
    }
    free(keeping.names);
    buf_fini(&list);
    return err;
}

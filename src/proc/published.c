/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the clerk's file of passwords to auth's. */
#include "proc/published.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "os/file.h"
#include "proc/passwords.h"
#include "proc/publisher.h"

/* Whoever has taken over the clerk could put a link or a pipe there. */
static enum err read_plain(int images_fd, struct stat *ret_stat, struct buf *to)
{
    int fd = openat(images_fd, PUBLISHED_PASSWORDS,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    enum err err = fstat(fd, ret_stat) == 0 ? ERR_OK : ERR_SYSTEM;
    if (err == ERR_OK) {
        err = S_ISREG(ret_stat->st_mode) ? file_read_fd(fd, to) : ERR_INVALID;
    }
    close(fd);
    return err;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum err published_passwords_take(int images_fd, int passwords_fd, struct stat *seen)
{
    struct stat now = {0};
    struct buf text;
    buf_init(&text, PASSWORDS_FILE_MAX);
    enum err err = read_plain(images_fd, &now, &text);
    if (err == ERR_OK && !is_same(&now, seen)) {
        err = passwords_replace(passwords_fd, buf_str(&text));
        if (err != ERR_SYSTEM) {
            *seen = now; /* no use to try again before it changes */
        }
    }
    if (text.p != NULL) {
        secret_wipe(text.p, text.cap);
    }
    buf_fini(&text);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

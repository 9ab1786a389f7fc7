/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The password file. */
#include "proc/passwords.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/password.h"
#include "os/confine.h"
#include "os/file.h"
#include "policy/state.h"
#include "proc/proc.h"

enum { PATH_BYTES = 4096 };

bool passwords_id_is_valid(struct str id)
{
    return state_log_on_is_valid(id);
}

bool passwords_find(struct str text, struct str id, struct str *ret_hash)
{
    while (text.len != 0) {
        struct str line;
        struct str name;
        struct str hash;
        (void)str_cut(text, '\n', &line, &text);
        if (str_cut(line, ':', &name, &hash) && str_eq(name, id)) {
            *ret_hash = hash;
            return true;
        }
    }
    return false;
}

static void put_line(struct buf *to, struct str id, struct str hash)
{
    if (hash.len != 0) {
        buf_append(to, id);
        buf_append_byte(to, ':');
        buf_append(to, hash);
        buf_append_byte(to, '\n');
    }
}

enum err passwords_change(struct str text, struct str id, struct str hash, struct buf *to,
                          bool *ret_known)
{
    bool known = false;
    bool put = false;
    if (!passwords_id_is_valid(id)) {
        return ERR_INVALID;
    }
    while (text.len != 0) {
        struct str line;
        struct str name;
        struct str old;
        (void)str_cut(text, '\n', &line, &text);
        if (!str_cut(line, ':', &name, &old) || !passwords_id_is_valid(name) || old.len == 0) {
            return ERR_INVALID;
        }
        known = known || str_eq(name, id);
        if (!put && str_compare(name, id) >= 0) {
            put_line(to, id, hash);
            put = true;
        }
        if (!str_eq(name, id)) {
            put_line(to, name, old);
        }
    }
    if (!put) {
        put_line(to, id, hash);
    }
    *ret_known = known;
    return buf_err(to);
}

/* A file written as root before there were users goes to auth's. A plain file of one name only: who
 * has taken over auth could put a link there. */
static void give_file(int folder_fd, uid_t uid, gid_t gid)
{
    struct stat stat;
    int fd = openat(folder_fd, PASSWORDS_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_nlink == 1 && stat.st_uid == 0) {
        (void)!fchown(fd, uid, gid); /* auth tells that it cannot read it */
    }
    close(fd);
}

enum err passwords_open_folder(const char *data, int *ret_fd)
{
    char path[PATH_BYTES];
    uid_t uid;
    gid_t gid;
    int fd;
    int n = snprintf(path, sizeof(path), "%s/" PASSWORDS_FOLDER, data);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return ERR_LIMIT;
    }
    ERR_TRY(file_make_dirs(AT_FDCWD, path, 0700));
    ERR_TRY(file_open_dir(AT_FDCWD, path, &fd));
    enum err err = ERR_OK;
    if (geteuid() == 0 && confine_find_user(proc_row(PROC_auth)->user, &uid, &gid) == ERR_OK) {
        err = fchown(fd, uid, gid) == 0 ? ERR_OK : ERR_SYSTEM;
        give_file(fd, uid, gid);
    }
    if (err == ERR_OK && fchmod(fd, 0700) != 0) {
        err = ERR_SYSTEM;
    }
    if (err != ERR_OK) {
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return ERR_OK;
}

static enum err change_file(int folder_fd, struct str id, struct str hash)
{
    struct buf old;
    struct buf new;
    bool known = false;
    buf_init(&old, PASSWORDS_FILE_MAX);
    buf_init(&new, PASSWORDS_FILE_MAX);
    enum err err = file_read(folder_fd, PASSWORDS_NAME, &old);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        err = passwords_change(buf_str(&old), id, hash, &new, &known);
    }
    if (err == ERR_OK && hash.len == 0 && !known) {
        err = ERR_NOT_FOUND;
    }
    if (err == ERR_OK) {
        err = file_write_given(folder_fd, PASSWORDS_NAME, buf_str(&new), 0600);
    }
    buf_fini(&old);
    buf_fini(&new);
    return err;
}

enum err passwords_set(int folder_fd, struct str id, struct str password)
{
    char hash[PASSWORD_TEXT_MAX] = "";
    if (!passwords_id_is_valid(id)) {
        return ERR_INVALID;
    }
    if (password.len != 0) {
        if (password.len < PASSWORD_CHARS_MIN) {
            return ERR_RANGE;
        }
        ERR_TRY(password_hash(password, hash));
    }
    /* Two changes at a time would lose one of them. */
    if (flock(folder_fd, LOCK_EX) != 0) {
        return ERR_SYSTEM;
    }
    enum err err = change_file(folder_fd, id, str_from(hash));
    (void)flock(folder_fd, LOCK_UN);
    return err;
}

static bool is_sound(struct str text)
{
    struct str last = {0};
    while (text.len != 0) {
        struct str line;
        struct str id;
        struct str hash;
        bool whole = str_cut(text, '\n', &line, &text);
        if (!whole || !str_cut(line, ':', &id, &hash) || !passwords_id_is_valid(id) ||
            hash.len == 0 || (last.len != 0 && str_compare(last, id) >= 0)) {
            return false;
        }
        last = id;
    }
    return true;
}

enum err passwords_replace(int folder_fd, struct str text)
{
    if (!is_sound(text)) {
        return ERR_INVALID;
    }
    if (flock(folder_fd, LOCK_EX) != 0) {
        return ERR_SYSTEM;
    }
    enum err err = file_write_given(folder_fd, PASSWORDS_NAME, text, 0600);
    (void)flock(folder_fd, LOCK_UN);
    return err;
}

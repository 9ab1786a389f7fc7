/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge doctor --fix: makes what a package would have made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/doctor_impl.h"
#include "os/confine.h"
#include "os/file.h"
#include "os/spawn.h"
#include "proc/proc.h"

enum { PATH_BYTES = 4096, WORD_BYTES = 64, WRITERS_MAX = 64 };

const struct folder_row folder_rows[] = {
    {"", 0750, NULL, "lodge-clerk"},
    {"spool", 0750, NULL, "lodge-clerk"},
    {"images", 0750, NULL, NULL},
    {"auth", 0700, "lodge-auth", "lodge-auth"},
    {"devices", 0750, "lodge-clerk", "lodge-clerk"},
    {"store", 0770, "lodge-desk", PROC_STORE_GROUP},
    {"keys", 0700, "lodge-desk", "lodge-desk"},
    {"audit", 0700, "lodge-clerk", "lodge-clerk"},
    {"console", 0700, "lodge-front", "lodge-front"},
    {"ca", 0700, NULL, NULL}, /* the notary reads it before it becomes its user */
};
const size_t n_folder_rows = sizeof(folder_rows) / sizeof(folder_rows[0]);

const char *const user_names[] = {"lodge-proxy",  "lodge-auth",    "lodge-clerk",
                                  "lodge-notary", "lodge-fetcher", "lodge-desk",
                                  "lodge-front",  "lodge-signon",  "lodge-mailer"};
const size_t n_user_names = sizeof(user_names) / sizeof(user_names[0]);

bool folder_path(const char *data, const char *name, char *to, size_t size)
{
    int n = snprintf(to, size, "%s%s%s", data, name[0] != '\0' ? "/" : "", name);
    return n >= 0 && (size_t)n < size;
}

static void run(const char *what, char *const argv[])
{
    enum err err = spawn_program(argv);
    if (err == ERR_OK) {
        printf("made  %s\n", what);
    } else {
        (void)cmd_fail(EXIT_REFUSED, "doctor", "%s: %s %s", what, argv[0],
                       err == ERR_NOT_FOUND ? "is not installed (package passwd)" : "failed");
    }
    fflush(stdout);
}

/* execv takes writable words. */
struct words {
    char text[12][WORD_BYTES];
    char *argv[13];
};

static void set_words(struct words *words, const char *const *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(words->text[i], WORD_BYTES, "%s", from[i]);
        words->argv[i] = words->text[i];
    }
    words->argv[n] = NULL;
}

static void make_users(void)
{
    struct words words;
    uid_t uid;
    gid_t gid;
    bool any_missing = false;
    for (size_t i = 0; i < n_user_names; i++) {
        any_missing = any_missing || confine_find_user(user_names[i], &uid, &gid) != ERR_OK;
    }
    if (!any_missing) {
        return;
    }
    const char *const group[] = {"/usr/sbin/groupadd", "--system", "--force", LODGE_GROUP};
    set_words(&words, group, sizeof(group) / sizeof(group[0]));
    run("group " LODGE_GROUP, words.argv);
    for (size_t i = 0; i < n_user_names; i++) {
        const char *const user[] = {"/usr/sbin/useradd", "--system",   "--gid",        LODGE_GROUP,
                                    "--no-create-home",  "--home-dir", "/nonexistent", "--shell",
                                    "/usr/sbin/nologin", user_names[i]};
        if (confine_find_user(user_names[i], &uid, &gid) != ERR_OK) {
            set_words(&words, user, sizeof(user) / sizeof(user[0]));
            run(user_names[i], words.argv);
        }
    }
}

/* Desk and clerk alone come to the records' file. */
static void make_store_group(void)
{
    static const char *const members[] = {"lodge-desk", "lodge-clerk"};
    struct words words;
    gid_t gid;
    if (confine_find_group(PROC_STORE_GROUP, &gid) != ERR_OK) {
        const char *const group[] = {"/usr/sbin/groupadd", "--system", "--force", PROC_STORE_GROUP};
        set_words(&words, group, sizeof(group) / sizeof(group[0]));
        run("group " PROC_STORE_GROUP, words.argv);
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *const member[] = {"/usr/sbin/usermod", "--append", "--groups", PROC_STORE_GROUP,
                                      members[i]};
        if (confine_find_group(PROC_STORE_GROUP, &gid) == ERR_OK &&
            !confine_has_group(members[i], gid)) {
            set_words(&words, member, sizeof(member) / sizeof(member[0]));
            run(PROC_STORE_GROUP " for one more", words.argv);
        }
    }
}

static bool fix_folder(const char *path, const struct folder_row *row)
{
    struct stat stat;
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1;
    uid_t ignored;
    if (file_make_dirs(AT_FDCWD, path, row->mode) != ERR_OK || lstat(path, &stat) != 0) {
        return false;
    }
    if (!S_ISDIR(stat.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    if (row->user != NULL && confine_find_user(row->user, &uid, &gid) != ERR_OK) {
        uid = (uid_t)-1;
    }
    if (row->group_of != NULL && confine_find_group(row->group_of, &gid) != ERR_OK &&
        confine_find_user(row->group_of, &ignored, &gid) != ERR_OK) {
        gid = (gid_t)-1;
    }
    return (geteuid() != 0 || chown(path, uid, gid) == 0) && chmod(path, row->mode) == 0;
}

/* What was written as root before there were users, or restored, goes to the user. Plain files of
 * one name only: who has taken over a process could put a link there. */
static void give_files(int folder_fd, uid_t uid, gid_t gid)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        struct stat stat;
        int file = openat(fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file >= 0) {
            if (fstat(file, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_nlink == 1 &&
                stat.st_uid == 0 && fchown(file, uid, gid) != 0) {
                (void)cmd_fail(EXIT_REFUSED, "doctor", "%s: %s", entry->d_name, strerror(errno));
            }
            close(file);
        }
    }
    closedir(list);
}

static void give_spool(const char *data)
{
    char path[PATH_BYTES];
    uid_t uid;
    gid_t gid;
    if (geteuid() != 0 || confine_find_user("lodge-proxy", &uid, &gid) != ERR_OK) {
        return;
    }
    for (unsigned i = 0; i < WRITERS_MAX; i++) {
        char name[WORD_BYTES];
        int fd;
        snprintf(name, sizeof(name), "spool/proxy-%u", i);
        if (folder_path(data, name, path, sizeof(path)) &&
            file_open_dir(AT_FDCWD, path, &fd) == ERR_OK) {
            if (fchown(fd, uid, gid) != 0) {
                (void)cmd_fail(EXIT_REFUSED, "doctor", "%s: %s", path, strerror(errno));
            }
            give_files(fd, uid, gid);
            close(fd);
        }
    }
}

/* Of a restored folder (lodge restore). */
static void give_restored(const char *data)
{
    static const struct {
        const char *folder, *user;
    } rows[] = {{"store", "lodge-desk"},    {"keys", "lodge-desk"},
                {"audit", "lodge-clerk"},   {"spool/clerk-0", "lodge-clerk"},
                {"devices", "lodge-clerk"}, {"console", "lodge-front"},
                {"auth", "lodge-auth"}};
    char path[PATH_BYTES];
    uid_t uid;
    gid_t gid;
    int fd;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && geteuid() == 0; i++) {
        if (confine_find_user(rows[i].user, &uid, &gid) == ERR_OK &&
            folder_path(data, rows[i].folder, path, sizeof(path)) &&
            file_open_dir(AT_FDCWD, path, &fd) == ERR_OK) {
            give_files(fd, uid, gid);
            close(fd);
        }
    }
}

void doctor_fix(const struct doctor *doctor)
{
    char path[PATH_BYTES];
    if (geteuid() == 0) {
        make_users();
        make_store_group();
    } else {
        (void)cmd_fail(EXIT_REFUSED, "doctor", "only root can make the system users; folders only");
    }
    for (size_t i = 0; i < n_folder_rows; i++) {
        errno = ENAMETOOLONG;
        if (!folder_path(doctor->data, folder_rows[i].name, path, sizeof(path)) ||
            !fix_folder(path, &folder_rows[i])) {
            (void)cmd_fail(EXIT_REFUSED, "doctor", "%s: %s", path, strerror(errno));
        }
    }
    give_spool(doctor->data);
    give_restored(doctor->data);
}

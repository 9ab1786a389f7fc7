/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor's images. */
#include "proc/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "os/file.h"
#include "policy/policy.h"
#include "policy/state.h"

/* Not to wait: whoever opens a FIFO for reading waits for its writer, with the whole gate. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };
enum { IMAGE_MODE = 0640, NAME_BYTES = 64, LINE_BYTES = 2048 };

static enum err check_catalog(int fd, uint64_t *ret_generation, struct buf *why)
{
    struct catalog *catalog;
    const char *text = "";
    enum err err = catalog_open(fd, &catalog, &text);
    if (err == ERR_OK) {
        err = catalog_verify(catalog, &text);
        *ret_generation = catalog_generation(catalog);
        catalog_free(catalog);
    }
    if (err != ERR_OK) {
        buf_printf(why, "%s; make it anew with lodge catalog build",
                   err == ERR_INVALID ? text : err_text(err));
    }
    return err;
}

static enum err check_policy(int fd, uint64_t *ret_generation, struct buf *why)
{
    struct file_map map;
    struct policy *policy;
    enum err err = file_map_fd(fd, &map);
    if (err != ERR_OK) {
        buf_append(why, str_from(err_text(err)));
        return err;
    }
    err = policy_parse(map.bytes, &policy, why);
    if (err == ERR_OK) {
        *ret_generation = policy_generation(policy);
        policy_free(policy);
    }
    file_map_fini(&map);
    return err;
}

static enum err check_state(int fd, uint64_t *ret_generation, struct buf *why)
{
    struct state *state;
    const char *text = "";
    enum err err = state_open(fd, &state, &text);
    if (err == ERR_OK) {
        *ret_generation = state_generation(state);
        state_free(state);
    } else {
        buf_printf(why, "%s; make it anew with lodge state build",
                   err == ERR_INVALID ? text : err_text(err));
    }
    return err;
}

static const struct image_row {
    const char *name;
    const char *suffix;
    bool keep_all;
    enum err (*check)(int fd, uint64_t *ret_generation, struct buf *why);
} rows[IMAGE_COUNT] = {
    [IMAGE_CATALOG] = {"catalog", "img", false, check_catalog},
    [IMAGE_POLICY] = {"policy", "json", true, check_policy},
    [IMAGE_STATE] = {"state", "img", true, check_state},
};

const char *image_name(enum image image)
{
    return rows[image].name;
}

static void name_of(enum image image, uint64_t generation, char to[NAME_BYTES])
{
    snprintf(to, NAME_BYTES, "%s-%016llx.%s", rows[image].name, (unsigned long long)generation,
             rows[image].suffix);
}

/* Drops catalogs but the two given: they are big, and hold nothing that lists do not. */
static void drop_others(const struct images *images, enum image image, uint64_t now,
                        uint64_t before)
{
    char keep[2][NAME_BYTES];
    name_of(image, now, keep[0]);
    name_of(image, before, keep[1]);
    int fd = openat(images->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    size_t len = strlen(rows[image].name);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        const char *name = entry->d_name;
        if (strncmp(name, rows[image].name, len) == 0 && name[len] == '-' &&
            strcmp(name, keep[0]) != 0 && strcmp(name, keep[1]) != 0) {
            (void)unlinkat(images->folder_fd, name, 0);
        }
    }
    closedir(list);
}

static void put_in_force(struct images *images, enum image image, int fd, uint64_t generation)
{
    struct image_slot *slot = &images->slots[image];
    if (slot->fd >= 0) {
        close(slot->fd);
    }
    if (!rows[image].keep_all) {
        drop_others(images, image, generation, slot->generation);
    }
    slot->fd = fd;
    slot->generation = generation;
}

/* A copy in DIR/images, checked and named by its generation; its descriptor cannot write. */
static enum err keep_copy(struct images *images, enum image image, int from_fd,
                          uint64_t *ret_generation, int *ret_fd, struct buf *why)
{
    struct file_new file;
    uint64_t generation;
    char name[NAME_BYTES];
    enum err err = file_new_open(images->folder_fd, rows[image].name, IMAGE_MODE, &file);
    if (err != ERR_OK) {
        buf_printf(why, "it cannot be copied to DIR/images: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    err = file_copy_fd(from_fd, file.fd);
    if (err != ERR_OK) {
        buf_printf(why, "it cannot be copied to DIR/images: %s", strerror(errno));
        file_new_drop(&file);
        return ERR_SYSTEM;
    }
    err = rows[image].check(file.fd, &generation, why);
    if (err != ERR_OK) {
        file_new_drop(&file);
        return err == ERR_SYSTEM ? ERR_INVALID : err;
    }
    name_of(image, generation, name);
    CHECK(sizeof(name) <= sizeof(file.name));
    memcpy(file.name, name, sizeof(name));
    err = file_new_commit(&file);
    int fd = err == ERR_OK ? openat(images->folder_fd, name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        buf_printf(why, "it cannot be kept in DIR/images: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    *ret_generation = generation;
    *ret_fd = fd;
    return ERR_OK;
}

/* Takes it from an open file. Where the disk has no room for a copy, at the start the file itself
 * has to do: a school without a filter is worse. Later the old image is there. */
static enum err take(struct images *images, enum image image, int from_fd, bool *ret_changed,
                     struct buf *why)
{
    struct image_slot *slot = &images->slots[image];
    uint64_t generation;
    int fd;
    enum err err = keep_copy(images, image, from_fd, &generation, &fd, why);
    if (err == ERR_SYSTEM && slot->fd < 0) {
        buf_clear(why);
        log_line(LOG_WARN, "image-not-kept", "kind=%s do=\"make room on the disk\"",
                 rows[image].name);
        fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 0);
        err = fd >= 0 ? rows[image].check(fd, &generation, why) : ERR_SYSTEM;
        if (err != ERR_OK && fd >= 0) {
            close(fd);
        }
    }
    if (err != ERR_OK) {
        return err;
    }
    *ret_changed = slot->fd < 0 || generation != slot->generation;
    if (*ret_changed) {
        put_in_force(images, image, fd, generation);
    } else {
        close(fd);
    }
    return ERR_OK;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What is wrong may be many lines, with quotes of what a policy says: the first, as one word. */
static void log_forgiven(enum image image, struct str why)
{
    struct buf line;
    struct str first;
    struct str rest;
    (void)str_cut(why, '\n', &first, &rest);
    buf_init(&line, LINE_BYTES);
    log_quote(&line, first);
    log_line(LOG_WARN, "image-refused", "kind=%s why=%.*s do=\"the clerk makes it anew\"",
             rows[image].name, STR_ARG(buf_str(&line)));
    buf_fini(&line);
}

enum err images_take(struct images *images, enum image image, bool *ret_changed, struct buf *why)
{
    struct image_slot *slot = &images->slots[image];
    struct stat stat;
    *ret_changed = false;
    if (slot->path[0] == '\0') {
        return ERR_OK;
    }
    int fd = open(slot->path, OPEN_FLAGS);
    if (fd < 0 && errno == ENOENT && slot->optional) {
        return ERR_OK;
    }
    if (fd < 0 || fstat(fd, &stat) != 0) {
        buf_append(why, str_from(strerror(errno)));
        if (fd >= 0) {
            close(fd);
        }
        return ERR_SYSTEM;
    }
    enum err err = ERR_OK;
    if (!S_ISREG(stat.st_mode)) {
        buf_append(why, STR("it is no ordinary file"));
        err = ERR_INVALID;
    } else if (!same_file(&stat, &slot->seen)) {
        err = take(images, image, fd, ret_changed, why);
        if (err != ERR_SYSTEM) {
            slot->seen = stat; /* no use to try again before it changes */
        }
    }
    close(fd);
    if (err == ERR_INVALID && slot->optional && slot->fd < 0) {
        /* Of an older program, say: whoever starts the new one shall not have to remove it. */
        log_forgiven(image, buf_str(why));
        buf_clear(why);
        return ERR_OK;
    }
    return err;
}

enum err image_check(enum image image, const char *path, struct buf *why)
{
    uint64_t generation;
    int fd = open(path, OPEN_FLAGS);
    if (fd < 0) {
        buf_append(why, str_from(strerror(errno)));
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    enum err err = rows[image].check(fd, &generation, why);
    close(fd);
    return err;
}

/* ---- past images ---- */

struct pruning {
    int folder_fd;
    int64_t before_ms;
    const char *name; /* of the kind, with its dash */
    char last[NAME_BYTES];
    int64_t last_ms; /* of the one that was used last */
    bool drop;
};

static void prune_one(struct pruning *pruning, const char *name)
{
    struct stat stat;
    size_t len = strlen(pruning->name);
    if (strncmp(name, pruning->name, len) != 0 || strlen(name) >= NAME_BYTES ||
        fstatat(pruning->folder_fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
        return;
    }
    int64_t used_ms = (int64_t)stat.st_mtim.tv_sec * 1000;
    if (!pruning->drop) {
        if (used_ms >= pruning->last_ms) {
            pruning->last_ms = used_ms;
            memcpy(pruning->last, name, strlen(name) + 1);
        }
    } else if (used_ms < pruning->before_ms && strcmp(name, pruning->last) != 0) {
        (void)unlinkat(pruning->folder_fd, name, 0);
    }
}

static void each_name(struct pruning *pruning)
{
    int fd = openat(pruning->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        prune_one(pruning, entry->d_name);
    }
    closedir(list);
}

void images_prune(int folder_fd, int64_t before_ms)
{
    static const char *const kinds[] = {"policy-", "state-"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct pruning pruning = {.folder_fd = folder_fd, .before_ms = before_ms, .name = kinds[i]};
        each_name(&pruning);
        pruning.drop = true;
        each_name(&pruning);
    }
}

void images_close(struct images *images)
{
    for (size_t i = 0; i < IMAGE_COUNT; i++) {
        if (images->slots[i].fd >= 0) {
            close(images->slots[i].fd);
            images->slots[i].fd = -1;
        }
    }
    close(images->folder_fd);
}

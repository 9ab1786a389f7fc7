/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies in the folders of a spool. Names that are none of ours are passed over. */
#include "event/spool_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "event/segment.h"

/* A stream of its own, so that dir_fd keeps no position. */
static DIR *open_list(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL && fd >= 0) {
        close(fd);
    }
    return list;
}

enum err spool_folder_writers(int spool_fd,
                              enum err (*visit)(void *context, struct str name, int dir_fd),
                              void *context)
{
    enum err err = ERR_OK;
    DIR *list = open_list(spool_fd);
    if (list == NULL) {
        return ERR_SYSTEM;
    }
    for (struct dirent *entry = readdir(list); entry != NULL && err == ERR_OK;
         entry = readdir(list)) {
        struct str name = str_from(entry->d_name);
        if (!segment_writer_is_valid(name)) {
            continue;
        }
        int fd = openat(spool_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            err = visit(context, name, fd);
            close(fd);
        }
    }
    closedir(list);
    return err;
}

static bool number_of_name(const char *name, uint64_t *ret_number)
{
    struct str text = str_from(name);
    struct str suffix = STR(SEGMENT_NAMED);
    char again[SEGMENT_NAME_BYTES];
    if (!str_ends(text, suffix) || parse_u64(str_sub(text, 0, text.len - suffix.len), 1,
                                             UINT64_MAX - 1, ret_number) != ERR_OK) {
        return false;
    }
    segment_name(*ret_number, SEGMENT_NAMED, again);
    return str_eq(text, str_from(again));
}

struct numbers {
    uint64_t *at;
    size_t n;
    size_t cap;
};

static enum err numbers_add(struct numbers *numbers, uint64_t number)
{
    if (numbers->n == numbers->cap) {
        size_t cap = numbers->cap != 0 ? numbers->cap * 2 : 16;
        uint64_t *at = reallocarray(numbers->at, cap, sizeof(*at));
        if (at == NULL) {
            return ERR_MEMORY;
        }
        numbers->at = at;
        numbers->cap = cap;
    }
    numbers->at[numbers->n++] = number;
    return ERR_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

enum err spool_folder_segments(int dir_fd, uint64_t **ret_numbers, size_t *ret_n)
{
    struct numbers numbers = {0};
    uint64_t number = 0;
    enum err err = ERR_OK;
    DIR *list = open_list(dir_fd);
    if (list == NULL) {
        return ERR_SYSTEM;
    }
    for (struct dirent *entry = readdir(list); entry != NULL && err == ERR_OK;
         entry = readdir(list)) {
        if (number_of_name(entry->d_name, &number)) {
            err = numbers_add(&numbers, number);
        }
    }
    closedir(list);
    if (err != ERR_OK) {
        free(numbers.at);
        return err;
    }
    if (numbers.n != 0) {
        qsort(numbers.at, numbers.n, sizeof(*numbers.at), compare_numbers);
    }
    *ret_numbers = numbers.at;
    *ret_n = numbers.n;
    return ERR_OK;
}

void spool_folder_clean(int dir_fd)
{
    DIR *list = open_list(dir_fd);
    if (list == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (str_ends(str_from(entry->d_name), STR(SEGMENT_UNNAMED))) {
            unlinkat(dir_fd, entry->d_name, 0);
        }
    }
    closedir(list);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening the records for a command. */
#include "cmd/place.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/file.h"

enum { PATH_BYTES = 4200, WHY_MAX = 2048 };

static int open_store(const char *command, const char *data, const char *database,
                      struct place *place)
{
    char path[PATH_BYTES];
    struct buf why;
    if (database == NULL) {
        int n = snprintf(path, sizeof(path), "%s/" PLACE_STORE, data);
        if (n < 0 || n >= (int)sizeof(path)) {
            return cmd_fail(EXIT_USAGE, command, "--data: the name is too long");
        }
        if (access(path, F_OK) != 0) {
            return cmd_fail(EXIT_REFUSED, command,
                            "%s: no records; is %s the data folder of `lodge serve`?", path, data);
        }
    }
    buf_init(&why, WHY_MAX);
    enum err err = store_open(database != NULL ? database : path, &place->store, &why);
    int code = err == ERR_OK
                   ? OPTIONS_GO_ON
                   : cmd_fail(EXIT_REFUSED, command, "the records: %.*s", STR_ARG(buf_str(&why)));
    buf_fini(&why);
    return code;
}

static int open_keys(const char *command, const char *data, struct place *place)
{
    struct buf why;
    int fd;
    if (file_open_dir(place->data_fd, PLACE_KEYS, &fd) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "%s/" PLACE_KEYS " cannot be opened", data);
    }
    buf_init(&why, WHY_MAX);
    enum err err = keys_open(fd, &place->keys, &why);
    int code = err == ERR_OK ? OPTIONS_GO_ON
                             : cmd_fail(EXIT_REFUSED, command, "%s/" PLACE_KEYS ": %.*s", data,
                                        STR_ARG(buf_str(&why)));
    buf_fini(&why);
    close(fd);
    return code;
}

int place_open(const char *command, const char *data, const char *database, bool with_keys,
               struct place *ret_place)
{
    struct place place = {.data_fd = -1};
    if (file_open_dir(AT_FDCWD, data, &place.data_fd) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "%s cannot be opened", data);
    }
    int code = open_store(command, data, database, &place);
    if (code == OPTIONS_GO_ON && with_keys) {
        code = open_keys(command, data, &place);
    }
    if (code != OPTIONS_GO_ON) {
        place_close(&place);
        return code;
    }
    *ret_place = place;
    return OPTIONS_GO_ON;
}

void place_close(struct place *place)
{
    keys_close(place->keys);
    store_close(place->store);
    if (place->data_fd >= 0) {
        close(place->data_fd);
    }
    *place = (struct place){.data_fd = -1};
}

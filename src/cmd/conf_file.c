/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of options in the data folder. */
#include "cmd/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"

enum { PATH_BYTES = 4096 };

enum err conf_file_read(const char *data, struct conf *conf, struct buf *why)
{
    char path[PATH_BYTES];
    struct buf text;
    if (snprintf(path, sizeof(path), "%s/lodge.conf", data) >= (int)sizeof(path)) {
        buf_append(why, STR("the data folder's name is too long"));
        return ERR_INVALID;
    }
    buf_init(&text, CONF_FILE_MAX);
    enum err err = file_read(AT_FDCWD, path, &text);
    if (err == ERR_OK) {
        buf_printf(why, "%s: ", path);
        err = conf_read(conf, buf_str(&text), why);
    } else if (err == ERR_NOT_FOUND) {
        err = ERR_OK;
    } else {
        buf_printf(why, "%s: %s", path, err == ERR_SYSTEM ? strerror(errno) : err_text(err));
        err = ERR_SYSTEM;
    }
    buf_fini(&text);
    return err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images from files, for commands. */
#include "cmd/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/cmd.h"
#include "os/file.h"

enum { WHY_MAX = 1 << 20, IMAGE_MAX = 256 * 1024 * 1024, DATA_MODE = 0750 };

static int fail_file(const char *command, const char *path, enum err err)
{
    const char *why = err == ERR_SYSTEM ? strerror(errno) : err_text(err);
    why = err == ERR_INVALID ? "is not a file" : why;
    return cmd_fail(EXIT_REFUSED, command, "%s: %s", path, why);
}

static int fail_no_catalog(const char *command, const char *path)
{
    return cmd_fail(EXIT_REFUSED, command, "%s: %s; `lodge catalog build` makes one", path,
                    strerror(errno));
}

int load_text(const char *command, const char *path, struct buf *text)
{
    enum err err =
        strcmp(path, "-") == 0 ? file_read_fd(STDIN_FILENO, text) : file_read(AT_FDCWD, path, text);
    return err == ERR_OK ? OPTIONS_GO_ON : fail_file(command, path, err);
}

int fail_document(const char *command, const char *path, enum err err, const struct buf *why)
{
    struct str rest = buf_str(why);
    while (rest.len != 0) {
        struct str line = {0};
        str_cut(rest, '\n', &line, &rest);
        fprintf(stderr, "%s: %.*s\n", path, STR_ARG(line));
    }
    return cmd_fail(EXIT_REFUSED, command, "%s is refused: %s", path, err_text(err));
}

int parse_policy(const char *command, const char *path, const struct buf *text,
                 struct policy **ret_policy)
{
    struct buf why = {0};
    buf_init(&why, WHY_MAX);
    enum err err = policy_parse(buf_str(text), ret_policy, &why);
    int code = err == ERR_OK ? OPTIONS_GO_ON : fail_document(command, path, err, &why);
    buf_fini(&why);
    return code;
}

int load_policy(const char *command, const char *path, struct policy **ret_policy)
{
    struct buf text = {0};
    buf_init(&text, LIMIT_POLICY_BYTES);
    int code = load_text(command, path, &text);
    if (code == OPTIONS_GO_ON) {
        code = parse_policy(command, path, &text, ret_policy);
    }
    buf_fini(&text);
    return code;
}

int load_catalog(const char *command, const char *path, struct catalog **ret_catalog)
{
    const char *why = NULL;
    struct catalog *catalog = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_no_catalog(command, path);
    }
    enum err err = catalog_open(fd, &catalog, &why);
    (void)close(fd);
    if (err == ERR_OK) {
        err = catalog_verify(catalog, &why);
    }
    if (err != ERR_OK) {
        catalog_free(catalog);
        return cmd_fail(EXIT_REFUSED, command, "%s: %s", path, why != NULL ? why : err_text(err));
    }
    *ret_catalog = catalog;
    return OPTIONS_GO_ON;
}

/* A document becomes an image in memory, so that both are read through the same door. */
static int open_state(const char *command, const char *path, const struct buf *bytes,
                      struct state **ret_state)
{
    int fd = -1;
    const char *why = NULL;
    enum err err = file_memory("state", buf_str(bytes), &fd);
    if (err == ERR_OK) {
        err = state_open(fd, ret_state, &why);
        (void)close(fd);
    }
    if (err == ERR_OK) {
        return OPTIONS_GO_ON;
    }
    return cmd_fail(EXIT_REFUSED, command, "%s: %s", path, why != NULL ? why : err_text(err));
}

int load_state(const char *command, const char *path, struct state **ret_state)
{
    struct buf text = {0};
    struct buf image = {0};
    struct buf why = {0};
    buf_init(&text, IMAGE_MAX);
    buf_init(&image, IMAGE_MAX);
    buf_init(&why, WHY_MAX);
    int code = load_text(command, path, &text);
    if (code == OPTIONS_GO_ON && str_starts(str_trim_space(buf_str(&text)), STR("{"))) {
        enum err err = state_build(buf_str(&text), &image, &why);
        code = err == ERR_OK ? open_state(command, path, &image, ret_state)
                             : fail_document(command, path, err, &why);
    } else if (code == OPTIONS_GO_ON) {
        code = open_state(command, path, &text, ret_state);
    }
    buf_fini(&text);
    buf_fini(&image);
    buf_fini(&why);
    return code;
}

int make_data(const char *command, const char *data)
{
    enum err err = data != NULL ? file_make_dirs(AT_FDCWD, data, DATA_MODE) : ERR_OK;
    return err == ERR_OK ? OPTIONS_GO_ON : fail_file(command, data, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge version */
#include <gnu/libc-version.h>
#include <stdio.h>

#include "cmd/cmd.h"

int cmd_version(int argc, char **argv)
{
    static const struct usage usage = {
        .command = "version",
        .synopsis = "",
        .summary = "Prints the version.",
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    printf("lodge " LODGE_VERSION " (libc %s)\n", gnu_get_libc_version());
    return EXIT_DONE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge version */
#include <gnu/libc-version.h>
#include <stdio.h>

#include "cmd/cmd.h"

int cmd_version(int argc, char **argv)
{
    const char *data = NULL;
    const struct option_row options[] = {{"data", "DIR", "not needed here", &data, NULL, false}};
    const struct usage usage = {
        .command = "version",
        .synopsis = "",
        .summary = "Prints the version.",
        .details = "Exit codes: 0 printed; 2 the command line was wrong.",
        .options = options,
        .n_options = 1,
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    printf("lodge " LODGE_VERSION " (libc %s)\n", gnu_get_libc_version());
    return EXIT_DONE;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The URLs that a command is asked about: words of the command line, and for "-" the lines of
 * standard input. */
#ifndef LODGE_CMD_URLS_H
#define LODGE_CMD_URLS_H

#include "base/buf.h"
#include "base/str.h"

struct urls_task {
    const char *command;
    void *ctx;
    /* Appends the answer to `out`. */
    void (*answer)(void *ctx, struct str url, struct buf *out);
};

/* Has each answered, in order, and prints the answers on standard output; what has come of standard
 * input is answered before more is waited for. A line's end may be CR LF. EXIT_DONE, or
 * EXIT_REFUSED after a message where input or output fails, or a line or answer is beyond 64 MiB.
 */
int urls_answer(const struct urls_task *task, int n, char **words);

#endif

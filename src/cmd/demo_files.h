/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the demonstration school, put into the program by tools/embed.py, so that
 * `lodge serve --demo` needs nothing but the program. */
#ifndef LODGE_CMD_DEMO_FILES_H
#define LODGE_CMD_DEMO_FILES_H

#include "base/str.h"

struct demo_file {
    const char *name; /* "demo/people.json" */
    struct str bytes;
};

extern const struct demo_file demo_files[];
extern const size_t n_demo_files;

#endif

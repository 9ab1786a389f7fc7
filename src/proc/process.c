/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our processes by name. */
#include "proc/process.h"

#include <stddef.h>
#include <string.h>

#include "proc/fetcher.h"
#include "proc/proc.h"

static const struct {
    const char *name;
    int (*run)(void);
} processes[] = {
    {"fetcher", fetcher_main},
    {"unpacker", unpacker_main},
};

int process_run(const char *name)
{
    for (size_t i = 0; i < sizeof(processes) / sizeof(processes[0]); i++) {
        if (strcmp(processes[i].name, name) == 0) {
            return processes[i].run();
        }
    }
    return child_main(name);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `lodge audit`: what its commands share. */
#ifndef LODGE_CMD_AUDIT_IMPL_H
#define LODGE_CMD_AUDIT_IMPL_H

#include "base/str.h"
#include "cmd/place.h"

enum { SCHOOLS_MAX = 4096 };

struct school {
    struct str id;
    struct str name;
};

/* The schools of the store, or the one with this id (NULL: all), in the arena. OPTIONS_GO_ON, or an
 * exit code after a message. */
int audit_schools(const char *command, struct place *place, const char *only, struct arena *arena,
                  struct school **ret_schools, size_t *ret_n);

int audit_export(int argc, char **argv);

#endif

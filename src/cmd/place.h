/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a data folder, as commands open them. */
#ifndef LODGE_CMD_PLACE_H
#define LODGE_CMD_PLACE_H

#include "cmd/cmd.h"
#include "proc/desk_line.h"
#include "store/keys.h"
#include "store/store.h"

/* Below the data folder. */
#define PLACE_STORE "store/" DESK_DATABASE
#define PLACE_KEYS "keys"

struct place {
    struct store *store;
    struct keys *keys; /* NULL where not asked for */
    int data_fd;
};

/* Opens what is there and makes nothing: a folder without records is refused. database: the
 * option's value, NULL for the file in the data folder. OPTIONS_GO_ON, or an exit code after a
 * message. */
int place_open(const char *command, const char *data, const char *database, bool with_keys,
               struct place *ret_place);
void place_close(struct place *place);

#endif

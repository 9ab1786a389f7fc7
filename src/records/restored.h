/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of backups, as the register restore_test keeps them (S4). */
#ifndef LODGE_RECORDS_RESTORED_H
#define LODGE_RECORDS_RESTORED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/engine.h"

struct restored {
    struct str backup; /* the file's name */
    bool whole;
    uint64_t rows; /* that were compared */
    struct str notes;
};

/* One record and its act in each school of the store, by the operator. */
MUST_USE enum err restored_note(struct engine *engine, const struct restored *test, int64_t now_ms);

/* The act of a restore, in each school of the store that was made, by the operator: when, from
 * which backup (the file's name), and who was signed in at the machine. */
MUST_USE enum err restored_note_back(struct store *store, struct str backup, struct str who,
                                     int64_t now_ms);

/* The ids of all schools, in the arena. Opens its own transaction. */
MUST_USE enum err restored_schools(struct store *store, struct arena *arena, struct str **ret_ids,
                                   size_t *ret_n);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ends of the chains, noted outside of the database (docs/audit.md): DIR/audit/heads, one line
 * for each note, "time school number hash", which is only appended to. Whoever cuts a chain's tail
 * off must write this file anew too, and what was sent on from it. */
#ifndef LODGE_RECORDS_AUDIT_HEADS_H
#define LODGE_RECORDS_AUDIT_HEADS_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "records/audit.h"
#include "store/store.h"

#define AUDIT_FOLDER "audit"
#define AUDIT_HEADS_NAME "heads"

/* Ends of one chain that stand somewhere. */
struct audit_ends {
    struct audit_head *at;
    size_t n;
    size_t cap;
    bool damaged; /* something there could not be read */
};

void audit_ends_fini(struct audit_ends *ends);
MUST_USE enum err audit_ends_add(struct audit_ends *ends, const struct audit_head *head);

/* Adds all notes of a school. A line that is damaged is passed over and told. */
MUST_USE enum err audit_heads_read(int folder_fd, struct str school, struct audit_ends *ends);

/* The last note of a school. folder_fd: DIR/audit. A file that is not there has none; ERR_INVALID:
 * a line of the school's is damaged; ERR_SYSTEM. */
MUST_USE enum err audit_heads_last(int folder_fd, struct str school, struct audit_head *ret_head);

/* Notes where the school's chain ends, in an open transaction; synced before it returns. Nothing is
 * written where the last note says the same. */
MUST_USE enum err audit_heads_note(struct store *store, int folder_fd, struct str school,
                                   int64_t now_ms);
/* The same for all schools, each in a transaction of its own; `noted` (may be NULL) is told of each
 * school that has acts, in that transaction, and its error ends it. */
typedef enum err (*audit_noted)(void *context, struct str school, const struct audit_head *head);
MUST_USE enum err audit_heads_note_all(struct store *store, int folder_fd, int64_t now_ms,
                                       audit_noted noted, void *context);

#endif

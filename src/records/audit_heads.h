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

struct audit_head {
    int64_t seq; /* 0: none was noted */
    uint8_t hash[AUDIT_HASH_BYTES];
};

/* The last note of a school. folder_fd: DIR/audit. A file that is not there has none; ERR_INVALID:
 * a line of the school's is damaged; ERR_SYSTEM. */
MUST_USE enum err audit_heads_last(int folder_fd, struct str school, struct audit_head *ret_head);

/* Notes where the school's chain ends, in an open transaction; synced before it returns. Nothing is
 * written where the last note says the same. */
MUST_USE enum err audit_heads_note(struct store *store, int folder_fd, struct str school,
                                   int64_t now_ms);
/* The same for all schools, each in a transaction of its own. */
MUST_USE enum err audit_heads_note_all(struct store *store, int folder_fd, int64_t now_ms);

#endif

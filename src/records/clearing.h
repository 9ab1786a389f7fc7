/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a disposal leaves to be done behind its commit: keys to destroy, and tables whose deleted
 * rows still lie in the database's files. It is noted in the transaction that removes the records,
 * so that it is done even where the process dies or a file is busy: by the disposal itself, by the
 * desk at its start and every minute, by the clerk (tables), and by each backup before it copies
 * the keys. */
#ifndef LODGE_RECORDS_CLEARING_H
#define LODGE_RECORDS_CLEARING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/keys.h"
#include "store/store.h"

/* ---- in the disposal's transaction ---- */

MUST_USE enum err clearing_note_key(struct store *store, struct str school, struct str record,
                                    int64_t now_ms);
/* On SQLite all tables are swept as one. */
MUST_USE enum err clearing_note_table(struct store *store, struct str school, struct str table,
                                      int64_t now_ms);

/* ---- not in a transaction ---- */

/* Right behind the commit: does what can be done now. What cannot stays noted, and whoever called
 * has nothing to tell of it. PostgreSQL's tables are left to the clerk. */
void clearing_try(struct store *store, struct keys *keys);

/* Destroys the keys that are noted, of all schools, and takes the notes off. On an error, ERR_BUSY
 * too, what is left stays noted. */
MUST_USE enum err clearing_keys(struct store *store, struct keys *keys);

/* The same, and copies the keys (keys_copy) before another disposal can be committed: what was
 * disposed of has no key in the copy. */
MUST_USE enum err clearing_copy_keys(struct store *store, struct keys *keys, struct buf *to);

enum { CLEARING_WAIT_MS = 1000 };

/* Sweeps one table that was noted until then; *ret_more: perhaps there is another one.
 * PostgreSQL sweeps nothing that an open transaction may see: until_ms is CLEARING_WAIT_MS ago
 * there, and an older transaction is ERR_BUSY. */
MUST_USE enum err clearing_sweep(struct store *store, int64_t until_ms, bool *ret_more);

#endif

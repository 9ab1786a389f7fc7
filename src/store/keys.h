/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of sealed records: one key for each record, in a file of their own (design section 6),
 * wrapped by the box's master key.
 *
 * DIR/keys holds master.key (32 bytes, mode 0600, made at the first run) and keys.db, a file of
 * SQLite's that several processes may have open. Destroying a record's key is what makes its sealed
 * values unreadable, wherever copies of them lie; a backup keeps only the latest copy of the keys
 * file. A key is on the disk before keys_make returns: a record is never sealed under a key that a
 * crash can lose. A key without its record (a crash between the two) does no harm.
 *
 * ERR_BUSY, from every function that writes: another process held on too long. ERR_SYSTEM: the disk
 * (keys_why).
 */
#ifndef LODGE_STORE_KEYS_H
#define LODGE_STORE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* In the folder. */
#define KEYS_FILE "keys.db"
#define KEYS_MASTER_FILE "master.key"

struct keys;

/* folder_fd: DIR/keys, which stays the caller's. Files are made where there are none.
 * ERR_NOT_FOUND: there are keys and no master key; ERR_CONFLICT: the master key is another one's.
 * *why gets a sentence on failure. */
MUST_USE enum err keys_open(int folder_fd, struct keys **ret_keys, struct buf *why);
void keys_close(struct keys *keys); /* fine on NULL */

/* The reason of the last failure, for the operator's log. The keys' memory. */
const char *keys_why(const struct keys *keys);

/* A key for this record; one that is there already stays. */
MUST_USE enum err keys_make(struct keys *keys, struct str record);
/* The same for many, all or none, at the price of one: for imports. */
MUST_USE enum err keys_make_all(struct keys *keys, const struct str *records, size_t n_records);

/* Seals plain for one field of a record (appended to *ret): the record's id and the field's name
 * are authenticated with it, so that a value moved elsewhere does not open. ERR_NOT_FOUND: no key.
 */
MUST_USE enum err keys_seal(struct keys *keys, struct str record, struct str field,
                            struct str plain, struct buf *ret);
/* ERR_NOT_FOUND: the key was destroyed; ERR_INVALID: not what was sealed. */
MUST_USE enum err keys_open_sealed(struct keys *keys, struct str record, struct str field,
                                   struct str sealed, struct buf *ret);

/* 32 bytes that match equal words without telling them, under a key that never leaves this file:
 * for values that are looked up and never shown (a UPN, K16), and for the audit's hashes of sealed
 * values when the record is named (its key then salts the hash, and is destroyed with it). */
enum { KEYS_DIGEST_BYTES = 32 };
MUST_USE enum err keys_digest(struct keys *keys, struct str record_or_empty, struct str text,
                              unsigned char ret_digest[KEYS_DIGEST_BYTES]);

/* Destroys the record's key: overwritten, and the journal truncated, before this returns. Fine
 * where there is none. ERR_BUSY: it is destroyed, but its bytes may still stand in the journal,
 * until the next call or keys_open. */
MUST_USE enum err keys_destroy(struct keys *keys, struct str record);
/* The same for many, all or none, at the price of one. */
MUST_USE enum err keys_destroy_all(struct keys *keys, const struct str *records, size_t n_records);

/* The keys file as a backup holds it (still wrapped; the master key is a file beside it). */
MUST_USE enum err keys_copy(struct keys *keys, struct buf *to);
/* Whether every key unwraps, and how many there are. ERR_INVALID: one does not. */
MUST_USE enum err keys_check(struct keys *keys, uint64_t *ret_n);

#endif

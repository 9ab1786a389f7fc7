/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's publishing: from the records to DIR/images (records/publish.h), within a second of
 * the change.
 *
 * It is rung by the desk behind each commit that concerns the gate, and by commands, which write
 * the file PUBLISHER_RING; it wakes by itself at the school's
 * midnight. What was not changed is not written. Passwords go first, then the policy, then the
 * state, each under its name by rename; the supervisor takes them from there. An image that would
 * be refused is not written, and stands as a fault in the records.
 */
#ifndef LODGE_PROC_PUBLISHER_H
#define LODGE_PROC_PUBLISHER_H

#include "base/err.h"
#include "base/str.h"
#include "proc/child.h"
#include "store/store.h"

#define PUBLISHED_POLICY "policy.json"
#define PUBLISHED_STATE "state.img"
#define PUBLISHED_PASSWORDS "passwd"

#define PUBLISHER_RING "store/ring" /* below the data folder */

struct publisher;

/* What else is done behind each publishing and, at the latest, at the school's midnight. Its error
 * is as the publishing's: both are done again soon. */
typedef enum err (*publisher_then)(void *context, struct store *store);

/* Opens the records and what rings; before the child gives up its rights. The publisher is the
 * process's. ERR_GONE, ERR_SYSTEM: told in the log. */
MUST_USE enum err publisher_new(struct child *child, publisher_then then, void *context,
                                struct publisher **ret_publisher);

/* The records, opened where they were not; NULL where they cannot be reached just now. */
struct store *publisher_store(struct publisher *publisher);
/* After ERR_GONE: they are opened anew by whoever asks next. */
void publisher_lose_store(struct publisher *publisher);

/* The policy that comes from elsewhere (--policy FILE), whenever a new one is in force. */
void publisher_set_policy(struct publisher *publisher, struct str document);

/* The first publishing, behind giving up rights and before the process is ready: whoever waits for
 * "ready" finds a gate that knows its people. */
void publisher_begin(struct publisher *publisher);

/* The last thing before the process ends. */
void publisher_end(struct publisher *publisher);

/* Rings from another process: a command that changed the records below this data folder. */
MUST_USE enum err publisher_ring(const char *data);

#endif

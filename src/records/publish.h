/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a school's records to its gate: the policy, the state document (docs/state.md) and the
 * passwords, as the clerk publishes them.
 *
 * Of a person the gate learns an opaque id, the log-on, the policy's group and whether an agreement
 * is signed; never a name, a need, a family tie or why. Who is where today decides: a post or a
 * membership that has ended counts no more from the school's next midnight on. Whoever no rule of
 * the policy places ("members") is left out, and so is a log-on whose account is disabled,
 * compromised or waits for its owner's own password.
 *
 * One record that the gate cannot take (an address that is none, say) is left out and told as a
 * fault; it keeps nothing else back.
 */
#ifndef LODGE_RECORDS_PUBLISH_H
#define LODGE_RECORDS_PUBLISH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

enum { PUBLISH_BYTES_MAX = 64 * 1024 * 1024 };

struct published {
    struct buf policy;    /* the document; empty: there is none, and so no state either */
    struct buf state;     /* the document */
    struct buf passwords; /* a line "LOG-ON:HASH" for each, sorted; wiped by published_fini */
    json_t *faults;       /* [{"register", "record", "person", "words"}] */
    int64_t next_ms;      /* when all this is to be read again, whatever happens */
};

void published_init(struct published *published);
/* Safe on a zeroed struct. */
void published_fini(struct published *published);

/* Which school of the store a gate serves: the only one, or the one of this name. ERR_NOT_FOUND for
 * none: no school yet, or several and none of this name. The id is in the arena. */
MUST_USE enum err publish_school(struct store *store, struct arena *arena, struct str name,
                                 struct str *ret_school);

/* Reads all of it in one snapshot, in a transaction of its own. policy: a document that comes from
 * elsewhere (--policy FILE); empty: the store's last version. ERR_INVALID where the policy is none
 * (it was checked before it was stored); the store's errors. */
MUST_USE enum err publish_read(struct store *store, struct str school, struct str policy,
                               int64_t now_ms, struct published *published);

/* Whether the policy in force (the store's last version) places this person of the school today,
 * and when the school's next day begins; without a policy nobody is placed. In an open transaction.
 */
MUST_USE enum err publish_places(struct store *store, struct str school, struct str person,
                                 int64_t now_ms, bool *ret_placed, int64_t *ret_next_ms);

/* Keeps the faults for the console, in a transaction of its own; what stood there before goes. */
MUST_USE enum err publish_note(struct store *store, struct str school, const json_t *faults,
                               int64_t now_ms);

/* [{"register", "record", "words", "noted_ms"}], in the open transaction. */
MUST_USE enum err publish_faults(struct store *store, struct str school, json_t **ret_faults);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transactions that are tried again. A database itself waits some seconds for another's lock; what
 * is tried again at once are deadlocks and serialization failures. */
#include "store/attempt.h"

#include "base/check.h"
#include "base/clock.h"
#include "store/store_impl.h"

enum {
    TRIES = 4,
    BUSY_MS = 3000, /* nobody else is served meanwhile */
};

struct store_attempt store_attempt(struct store *store, struct str school, enum store_mode mode)
{
    return (struct store_attempt){.store = store, .school = school, .mode = mode};
}

struct store_attempt store_attempt_hold(struct store *store)
{
    return (struct store_attempt){.store = store, .held = true};
}

/* What is a part of something larger fails with it, which is then tried again. */
static bool may_try(const struct store_attempt *attempt)
{
    bool part = attempt->store->held && !attempt->held;
    return attempt->tries == 0 || (attempt->err == ERR_BUSY && !part && attempt->tries < TRIES &&
                                   clock_mono_ms() <= attempt->until_ms);
}

bool store_attempt_begin(struct store_attempt *attempt)
{
    if (attempt->tries == 0) {
        attempt->until_ms = clock_mono_ms() + BUSY_MS;
    }
    while (may_try(attempt)) {
        attempt->tries++;
        attempt->err = attempt->held ? store_hold(attempt->store)
                                     : store_begin(attempt->store, attempt->school, attempt->mode);
        if (attempt->err == ERR_OK) {
            return true;
        }
    }
    return false;
}

void store_attempt_end(struct store_attempt *attempt, enum err err)
{
    if (attempt->held) {
        attempt->err = store_settle(attempt->store, err);
    } else if (err == ERR_OK) {
        attempt->err = store_commit(attempt->store);
    } else {
        store_rollback(attempt->store);
        attempt->err = err;
    }
}

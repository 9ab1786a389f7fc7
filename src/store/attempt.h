/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transaction that is tried again where another writer was in its way (ERR_BUSY): the one place
 * that does it. What stands between begin and end is run anew each time, so it may keep nothing of
 * the last time: an arena is reset, what is returned is written over.
 *
 *     struct store_attempt attempt = store_attempt(store, school, STORE_WRITE);
 *     while (store_attempt_begin(&attempt)) {
 *         store_attempt_end(&attempt, work(store));
 *     }
 *     return attempt.err;
 */
#ifndef LODGE_STORE_ATTEMPT_H
#define LODGE_STORE_ATTEMPT_H

#include "store/store.h"

struct store_attempt {
    struct store *store;
    struct str school;
    enum store_mode mode;
    bool held; /* between store_hold and store_settle; tried again as a whole */
    int tries;
    int64_t until_ms;
    enum err err; /* of the last try */
};

/* As store_begin takes them. */
struct store_attempt store_attempt(struct store *store, struct str school, enum store_mode mode);
/* Of what store_hold binds together. Inside of it an attempt is made once. */
struct store_attempt store_attempt_hold(struct store *store);

/* Opens the transaction. False: there is nothing left to try, and attempt.err tells how it ended.
 */
bool store_attempt_begin(struct store_attempt *attempt);
/* Commits where err is ERR_OK, else rolls back. */
void store_attempt_end(struct store_attempt *attempt, enum err err);

#endif

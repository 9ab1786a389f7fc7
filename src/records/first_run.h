/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first run: a school, its head, its technician and its policy, in a store that has none. */
#ifndef LODGE_RECORDS_FIRST_RUN_H
#define LODGE_RECORDS_FIRST_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/engine.h"

enum { FIRST_RUN_WHY_MAX = 256 };

struct first_run {
    struct str name, urn, kind; /* the school's */
    struct first_run_person {
        struct str name, log_on, hash;
    } head, technician; /* the technician's password is a one-time one */
    struct str policy;  /* a document; empty: it comes from elsewhere (--policy) */
    int64_t now_ms;
};

struct first_run_made {
    struct record_id school, head, head_account;
};

/* Which part was refused, and why: a sentence for beside the field. */
struct first_run_fault {
    bool technician;
    const char *field; /* "name", "log_on"; NULL: none */
    char why[FIRST_RUN_WHY_MAX];
};

/* Whether the store has no school. A transaction of its own. */
MUST_USE enum err first_run_is_open(struct store *store, bool *ret_open);

/* Makes all of it in one transaction, by the operator: whoever is cut off in the middle begins
 * again. ERR_CONFLICT: there is a school; ERR_INVALID: ret_fault says what was refused. */
MUST_USE enum err first_run_make(struct engine *engine, const struct first_run *first,
                                 struct first_run_made *ret_made,
                                 struct first_run_fault *ret_fault);

#endif

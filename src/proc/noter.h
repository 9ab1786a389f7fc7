/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's daily note of where each school's chain of acts ends, outside of the database
 * (docs/audit.md): in DIR/audit/heads and in the event spool. */
#ifndef LODGE_PROC_NOTER_H
#define LODGE_PROC_NOTER_H

#include "base/err.h"
#include "proc/child.h"
#include "store/store.h"

struct noter;

/* Opens the clerk's place in the spool; before the child gives up its rights. The noter is the
 * process's. Errors of spool_writer_open. */
MUST_USE enum err noter_new(struct child *child, struct noter **ret_noter);

/* At the first call and then once each day; in between it does nothing. What failed is done again
 * by the next call. */
MUST_USE enum err noter_run(struct noter *noter, struct store *store);

#endif

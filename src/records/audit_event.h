/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ends of the chains in the event spool (design section 6): events of kind audit, which the
 * clerk alone writes, in a folder of its own. Whoever cuts a chain must find them too. */
#ifndef LODGE_RECORDS_AUDIT_EVENT_H
#define LODGE_RECORDS_AUDIT_EVENT_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "event/spool.h"
#include "records/audit_heads.h"

/* Who writes them: what another process puts into its own folder is nobody's witness. */
#define AUDIT_EVENT_WRITER "clerk-0"

/* One event: the school, where its chain ends, and when that was so. Errors of spool_append. */
MUST_USE enum err audit_event_append(struct spool_writer *writer, struct str node,
                                     struct str school, const struct audit_head *head,
                                     int64_t utc_ms, int64_t mono_ms);

/* Adds what the clerk's events say of a school. spool_fd, the spool's folder, is taken over. What
 * is broken is passed over and told. ERR_MEMORY, ERR_SYSTEM. */
MUST_USE enum err audit_event_read(int spool_fd, struct str school, struct audit_ends *ends);

#endif

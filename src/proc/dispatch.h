/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's mails (records/outbox.h): makes them, hands them to the mailer one at a time, and
 * notes what became of each.
 *
 * It is called behind each publishing and wakes by itself when a mail is due again. A mailer that
 * dies has not sent what it had in hand, as far as is known: it is sent again. */
#ifndef LODGE_PROC_DISPATCH_H
#define LODGE_PROC_DISPATCH_H

#include "base/err.h"
#include "proc/child.h"
#include "proc/publisher.h"
#include "store/store.h"

struct dispatch;

/* NULL where no mail server is set. The dispatch is the process's. */
struct dispatch *dispatch_new(struct child *child, struct publisher *publisher);

/* Takes over an end of a pair with the mailer; the last one counts. */
void dispatch_take_line(struct dispatch *dispatch, int fd);

/* Makes what is to be made and sends what is due. Errors of the store. */
MUST_USE enum err dispatch_run(struct dispatch *dispatch, struct store *store);

void dispatch_end(struct dispatch *dispatch);

#endif

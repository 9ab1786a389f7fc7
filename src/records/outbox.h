/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mails on their way: what they say, to whom they go and when they are tried again.
 *
 * A mail is kept before it is sent, and noted as sent behind it: it goes out at least once, and
 * twice only where the power goes between the two; its id, and with it its Message-ID, is then the
 * same. It is to a person: the address is read from the register when it is sent, so that nobody
 * who has left is written to. Texts are mail.def's. */
#ifndef LODGE_RECORDS_OUTBOX_H
#define LODGE_RECORDS_OUTBOX_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

enum mail_kind {
    MAIL_UNSET,
#define MAIL(name, subject, body) MAIL_##name,
#include "records/mail.def"
#undef MAIL
    MAIL_COUNT
};

enum {
    OUTBOX_FIRST_AGAIN_MS = 5000,             /* and then twice that, and so on up to an hour */
    OUTBOX_REFUSED_AGAIN_MS = 60 * 60 * 1000, /* ... up to twelve, where the server said never */
    OUTBOX_GIVE_UP_MS = 3 * 24 * 60 * 60 * 1000,
    OUTBOX_BUNDLE_MS = 60 * 60 * 1000, /* what waits is announced to a person once in this time */
};

/* All of these open transactions of their own. */

/* The mails of the day, for every school: where the chain of acts ends, to whoever is its head
 * today. To each at most one a British day. What was settled long ago is swept. */
MUST_USE enum err outbox_daily(struct store *store, int64_t now_ms);

/* One mail to each of those for whom notices wait that no mail has announced yet, if they may sign
 * in: that something waits, and at `address` (empty: not said). */
MUST_USE enum err outbox_announce(struct store *store, struct str address, int64_t now_ms);

struct outbox_mail {
    struct str id;
    struct str school;
    struct str address; /* a valid one (wire/mail.h) */
    struct str subject;
    struct str body;
    int64_t made_ms;
};

/* The next that is due, in the arena; ERR_NOT_FOUND for none. Mails to those who have left or have
 * no address are settled on the way. */
MUST_USE enum err outbox_next(struct store *store, struct arena *arena, int64_t now_ms,
                              struct outbox_mail *ret_mail);
/* When the next is due; INT64_MAX where none waits. */
MUST_USE enum err outbox_due(struct store *store, int64_t *ret_ms);

enum outbox_result {
    OUTBOX_RESULT_UNSET,
    OUTBOX_SENT,
    OUTBOX_LATER,   /* no server, or it says that it cannot now */
    OUTBOX_REFUSED, /* it says that it never will; a person may mend that */
};

/* Notes what became of a try. A mail that was refused, or that is given up, is announced on the
 * start pages, at most once a week. Fine for one that is settled already. */
MUST_USE enum err outbox_settle(struct store *store, struct str school, struct str id,
                                enum outbox_result result, int64_t now_ms);

/* When a mail of this kind went out last, in an open transaction; 0: never. */
MUST_USE enum err outbox_last_sent(struct store *store, struct str school, enum mail_kind kind,
                                   int64_t *ret_ms);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of mails share. */
#ifndef LODGE_RECORDS_OUTBOX_IMPL_H
#define LODGE_RECORDS_OUTBOX_IMPL_H

#include "records/outbox.h"

struct str mail_kind_name(enum mail_kind kind);

#endif

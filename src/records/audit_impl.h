/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of the table `act`, and the bytes of it that the chain is made of (docs/audit.md). */
#ifndef LODGE_RECORDS_AUDIT_IMPL_H
#define LODGE_RECORDS_AUDIT_IMPL_H

#include <stdint.h>

#include "base/buf.h"
#include "crypto/hash.h"
#include "records/audit.h"

/* In the order of the table's columns behind `school`, without the hash. */
struct act_row {
    int64_t seq;
    int64_t made_ms;
    struct str act;
    struct str actor;
    struct str account;
    struct str session;
    struct str client;
    struct str area;
    struct str record;
    struct str about;
    struct str hidden_from;
    int64_t version;
    struct str fields;
    struct str words;
    struct str private_words; /* sealed */
};

enum { ACT_COLUMNS = 16, ACT_COLUMN_HASH = 15 };

/* The row under `rows`, as STATEMENT_ACTS answers it; borrowed until the next one. */
struct act_row act_row_read(const struct store_rows *rows);

/* The hash of the row in the school's chain, behind an act with the hash `before` (zeros for the
 * first). bytes is scratch; its error is the answer's. */
MUST_USE enum err act_row_hash(const struct act_row *row, struct str school,
                               const uint8_t before[BLAKE2B_BYTES], struct buf *bytes,
                               uint8_t ret_hash[BLAKE2B_BYTES]);

#endif

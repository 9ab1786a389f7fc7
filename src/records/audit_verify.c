/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain is made again from its rows and compared with the hashes that they hold. */
#include <string.h>

#include "base/check.h"
#include "records/audit.h"
#include "records/audit_impl.h"

enum { BYTES_MAX = 1 << 22 };

struct walk {
    struct str school;
    int64_t head_seq;
    struct str head_hash;
    uint8_t before[BLAKE2B_BYTES];
    struct buf bytes;
};

static bool is_hash(const uint8_t hash[BLAKE2B_BYTES], struct str bytes)
{
    return bytes.len == BLAKE2B_BYTES && memcmp(hash, bytes.p, BLAKE2B_BYTES) == 0;
}

static void say(struct audit_verdict *verdict, int64_t seq, struct str why)
{
    verdict->whole = false;
    verdict->broken_seq = seq;
    verdict->why = why;
}

static enum err check_row(struct walk *walk, const struct act_row *row, struct str hash,
                          struct audit_verdict *verdict)
{
    uint8_t made[BLAKE2B_BYTES];
    int64_t want = verdict->acts + 1;
    if (row->seq != want) {
        say(verdict, want, STR("an act is missing"));
        return ERR_OK;
    }
    ERR_TRY(act_row_hash(row, walk->school, walk->before, &walk->bytes, made));
    if (!is_hash(made, hash)) {
        say(verdict, row->seq, STR("the act is not as it was written"));
        return ERR_OK;
    }
    if (walk->head_hash.len != 0 && row->seq == walk->head_seq && !is_hash(made, walk->head_hash)) {
        say(verdict, row->seq, STR("another act stands where the noted head was"));
        return ERR_OK;
    }
    memcpy(walk->before, made, sizeof(made));
    verdict->acts = row->seq;
    return ERR_OK;
}

static enum err walk_rows(struct store *store, struct walk *walk, struct audit_verdict *verdict)
{
    struct store_value id = store_text(walk->school);
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_ACTS, &id, 1, &rows));
    while (store_rows_next(rows, &err)) {
        struct act_row row = act_row_read(rows);
        err = check_row(walk, &row, store_rows_bytes(rows, ACT_COLUMN_HASH), verdict);
        if (err != ERR_OK || !verdict->whole) {
            break;
        }
    }
    store_rows_free(rows);
    return err;
}

enum err audit_verify(struct store *store, struct str school, int64_t head_seq,
                      struct str head_hash, struct audit_verdict *ret_verdict)
{
    struct walk walk = {.school = school, .head_seq = head_seq, .head_hash = head_hash};
    struct audit_verdict verdict = {.whole = true, .why = STR("")};
    uint8_t end[AUDIT_HASH_BYTES];
    int64_t end_seq;
    CHECK(head_hash.len == 0 || head_hash.len == AUDIT_HASH_BYTES);
    buf_init(&walk.bytes, BYTES_MAX);
    enum err err = walk_rows(store, &walk, &verdict);
    buf_fini(&walk.bytes);
    ERR_TRY(err);
    ERR_TRY(audit_head(store, school, &end_seq, end));
    if (verdict.whole && head_hash.len != 0 && verdict.acts < head_seq) {
        say(&verdict, verdict.acts + 1, STR("the chain is cut: a later head was noted"));
    } else if (verdict.whole && (verdict.acts != end_seq || memcmp(end, walk.before, 32) != 0)) {
        say(&verdict, verdict.acts + 1, STR("the chain is cut: it ended later"));
    }
    *ret_verdict = verdict;
    return ERR_OK;
}

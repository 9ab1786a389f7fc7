/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain is made again from its rows and compared with the hashes that they hold, and with the
 * ends that were noted. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "records/audit.h"
#include "records/audit_impl.h"

enum { BYTES_MAX = 1 << 22 };

struct walk {
    struct str school;
    const struct audit_head *next; /* the noted ends that the walk has not reached yet */
    const struct audit_head *end;
    uint8_t before[BLAKE2B_BYTES];
    struct buf bytes;
};

static bool is_hash(const uint8_t hash[BLAKE2B_BYTES], struct str bytes)
{
    return bytes.len == BLAKE2B_BYTES && memcmp(hash, bytes.p, BLAKE2B_BYTES) == 0;
}

static void say(struct audit_verdict *verdict, int64_t seq, struct str why, const char *noted)
{
    verdict->whole = false;
    verdict->broken_seq = seq;
    verdict->why = why;
    verdict->noted = noted;
}

/* Those that were noted at this act. */
static void check_noted(struct walk *walk, int64_t seq, const uint8_t made[BLAKE2B_BYTES],
                        struct audit_verdict *verdict)
{
    while (verdict->whole && walk->next < walk->end && walk->next->seq <= seq) {
        const struct audit_head *head = walk->next++;
        if (head->seq == seq && memcmp(head->hash, made, sizeof(head->hash)) != 0) {
            say(verdict, seq, STR("another act stands where the noted head was"), head->noted);
        }
    }
}

static enum err check_row(struct walk *walk, const struct act_row *row, struct str hash,
                          struct audit_verdict *verdict)
{
    uint8_t made[BLAKE2B_BYTES];
    int64_t want = verdict->acts + 1;
    if (row->seq != want) {
        say(verdict, want, STR("an act is missing"), NULL);
        return ERR_OK;
    }
    ERR_TRY(act_row_hash(row, walk->school, walk->before, &walk->bytes, made));
    if (!is_hash(made, hash)) {
        say(verdict, row->seq, STR("the act is not as it was written"), NULL);
        return ERR_OK;
    }
    check_noted(walk, row->seq, made, verdict);
    if (verdict->whole) {
        memcpy(walk->before, made, sizeof(made));
        verdict->acts = row->seq;
    }
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

static int compare_heads(const void *a, const void *b)
{
    int64_t x = ((const struct audit_head *)a)->seq;
    int64_t y = ((const struct audit_head *)b)->seq;
    return x < y ? -1 : x > y;
}

enum err audit_verify_against(struct store *store, struct str school, struct audit_head *heads,
                              size_t n_heads, struct audit_verdict *ret_verdict)
{
    struct walk walk = {.school = school, .next = heads, .end = heads + n_heads};
    struct audit_verdict verdict = {.whole = true, .why = STR("")};
    uint8_t end[AUDIT_HASH_BYTES];
    int64_t end_seq;
    if (n_heads != 0) {
        qsort(heads, n_heads, sizeof(*heads), compare_heads);
    }
    buf_init(&walk.bytes, BYTES_MAX);
    enum err err = walk_rows(store, &walk, &verdict);
    buf_fini(&walk.bytes);
    ERR_TRY(err);
    ERR_TRY(audit_head(store, school, &end_seq, end));
    if (verdict.whole && walk.next < walk.end) {
        say(&verdict, verdict.acts + 1, STR("the chain is cut: a later head was noted"),
            walk.end[-1].noted);
    } else if (verdict.whole && (verdict.acts != end_seq || memcmp(end, walk.before, 32) != 0)) {
        say(&verdict, verdict.acts + 1, STR("the chain is cut: it ended later"), NULL);
    }
    *ret_verdict = verdict;
    return ERR_OK;
}

enum err audit_verify(struct store *store, struct str school, int64_t head_seq,
                      struct str head_hash, struct audit_verdict *ret_verdict)
{
    struct audit_head head = {.seq = head_seq};
    CHECK(head_hash.len == 0 || head_hash.len == AUDIT_HASH_BYTES);
    if (head_hash.len != 0) {
        memcpy(head.hash, head_hash.p, sizeof(head.hash));
    }
    return audit_verify_against(store, school, &head, head_hash.len != 0 ? 1 : 0, ret_verdict);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Acts are appended to their school's chain. */
#include "records/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "records/audit_impl.h"
#include "wire/addr.h"

enum { BYTES_MAX = 1 << 20, ARENA_MAX = 4096 };

_Static_assert((int)AUDIT_HASH_BYTES == (int)BLAKE2B_BYTES, "a head is a hash of the chain");

static const struct {
    struct str name;
    struct str label;
} acts[ACT_COUNT] = {
#define ACT(name, label) [ACT_##name] = {STR_INIT(#name), STR_INIT(label)},
#include "records/act.def"
#undef ACT
};

struct str act_name(enum act act)
{
    CHECK(act > ACT_UNSET && act < ACT_COUNT);
    return acts[act].name;
}

struct str act_label(enum act act)
{
    CHECK(act > ACT_UNSET && act < ACT_COUNT);
    return acts[act].label;
}

enum act act_find(struct str name)
{
    for (enum act act = ACT_UNSET + 1; act < ACT_COUNT; act++) {
        if (str_eq(acts[act].name, name)) {
            return act;
        }
    }
    return ACT_UNSET;
}

/* ---- the bytes of an act ---- */

/* "5:words," : each value with its length, so that no two rows have the same bytes. */
static void put(struct buf *to, struct str value)
{
    buf_append_u64(to, value.len);
    buf_append_byte(to, ':');
    buf_append(to, value);
    buf_append_byte(to, ',');
}

static void put_number(struct buf *to, int64_t value)
{
    char digits[32];
    int n = snprintf(digits, sizeof(digits), "%lld", (long long)value);
    CHECK(n > 0 && n < (int)sizeof(digits));
    put(to, str_make(digits, (size_t)n));
}

enum err act_row_hash(const struct act_row *row, struct str school,
                      const uint8_t before[BLAKE2B_BYTES], struct buf *bytes,
                      uint8_t ret_hash[BLAKE2B_BYTES])
{
    const struct str front[] = {row->act,  row->actor,  row->account, row->session,    row->client,
                                row->area, row->record, row->about,   row->hidden_from};
    const struct str back[] = {row->fields, row->words, row->private_words};
    buf_clear(bytes);
    buf_append(bytes, str_make((const char *)before, BLAKE2B_BYTES));
    put(bytes, STR("lodge act 1"));
    put(bytes, school);
    put_number(bytes, row->seq);
    put_number(bytes, row->made_ms);
    for (size_t i = 0; i < sizeof(front) / sizeof(front[0]); i++) {
        put(bytes, front[i]);
    }
    put_number(bytes, row->version);
    for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
        put(bytes, back[i]);
    }
    ERR_TRY(buf_err(bytes));
    blake2b(buf_str(bytes), ret_hash);
    return ERR_OK;
}

struct act_row act_row_read(const struct store_rows *rows)
{
    return (struct act_row){
        .seq = store_rows_number(rows, 0),
        .made_ms = store_rows_number(rows, 1),
        .act = store_rows_bytes(rows, 2),
        .actor = store_rows_bytes(rows, 3),
        .account = store_rows_bytes(rows, 4),
        .session = store_rows_bytes(rows, 5),
        .client = store_rows_bytes(rows, 6),
        .area = store_rows_bytes(rows, 7),
        .record = store_rows_bytes(rows, 8),
        .about = store_rows_bytes(rows, 9),
        .hidden_from = store_rows_bytes(rows, 10),
        .version = store_rows_number(rows, 11),
        .fields = store_rows_bytes(rows, 12),
        .words = store_rows_bytes(rows, 13),
        .private_words = store_rows_bytes(rows, 14),
    };
}

/* ---- appending ---- */

/* Under the record's key where it has one, so that the digest tells nothing once that is destroyed;
 * else under the box's. */
static enum err digest(struct keys *keys, struct str record, const struct act_field *field,
                       struct buf *scratch, uint8_t ret_digest[KEYS_DIGEST_BYTES])
{
    buf_clear(scratch);
    put(scratch, record);
    put(scratch, field->name);
    put(scratch, field->value);
    ERR_TRY(buf_err(scratch));
    enum err err = keys_digest(keys, record, buf_str(scratch), ret_digest);
    if (err == ERR_NOT_FOUND && !field->sealed) {
        err = keys_digest(keys, STR(""), buf_str(scratch), ret_digest);
    }
    return err;
}

/* Without keys only the names: a digest that anybody can make would tell a short value. */
static enum err put_fields(struct keys *keys, const struct act_entry *entry, struct buf *scratch,
                           struct buf *to)
{
    uint8_t hash[KEYS_DIGEST_BYTES];
    char digits[SHA256_TEXT_MAX];
    for (size_t i = 0; i < entry->n_fields; i++) {
        const struct act_field *field = &entry->fields[i];
        CHECK(keys != NULL || !field->sealed);
        if (i != 0) {
            buf_append_byte(to, ' ');
        }
        buf_append(to, field->name);
        if (keys != NULL) {
            ERR_TRY(digest(keys, entry->record, field, scratch, hash));
            sha256_print(hash, digits);
            buf_append_byte(to, ':');
            buf_append(to, str_from(digits));
        }
    }
    return buf_err(to);
}

static enum err put_private(struct keys *keys, const struct act_entry *entry, struct buf *to)
{
    if (entry->private_words.len == 0) {
        return ERR_OK;
    }
    CHECK(keys != NULL && entry->record.len != 0);
    ERR_TRY(keys_seal(keys, entry->record, AUDIT_SEALED_FIELD, entry->private_words, to));
    return buf_err(to);
}

/* The number of the next act and the hash before it; from here on the chain is ours alone. */
static enum err take_chain(struct store *store, struct str school, int64_t *ret_seq,
                           uint8_t ret_before[BLAKE2B_BYTES])
{
    static const uint8_t zeros[BLAKE2B_BYTES];
    struct store_value values[2] = {store_text(school),
                                    store_blob(str_make((const char *)zeros, sizeof(zeros)))};
    struct store_value columns[2];
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum err err = store_row(store, STATEMENT_CHAIN_NEXT, values, 1, &arena, columns, 2);
    if (err == ERR_NOT_FOUND) {
        err = store_run(store, STATEMENT_CHAIN_START, values, 2, NULL);
        if (err == ERR_OK) {
            err = store_row(store, STATEMENT_CHAIN_NEXT, values, 1, &arena, columns, 2);
        }
    }
    if (err == ERR_OK && columns[1].bytes.len != BLAKE2B_BYTES) {
        err = ERR_INVALID;
    }
    if (err == ERR_OK) {
        *ret_seq = columns[0].number;
        memcpy(ret_before, columns[1].bytes.p, BLAKE2B_BYTES);
    }
    arena_fini(&arena);
    return err;
}

static enum err keep(struct store *store, struct str school, const struct act_row *row,
                     const uint8_t hash[BLAKE2B_BYTES])
{
    struct store_value end = store_blob(str_make((const char *)hash, BLAKE2B_BYTES));
    const struct store_value values[] = {store_text(school),
                                         store_number(row->seq),
                                         store_number(row->made_ms),
                                         store_text(row->act),
                                         store_text(row->actor),
                                         store_text(row->account),
                                         store_text(row->session),
                                         store_text(row->client),
                                         store_text(row->area),
                                         store_text(row->record),
                                         store_text(row->about),
                                         store_text(row->hidden_from),
                                         store_number(row->version),
                                         store_text(row->fields),
                                         store_text(row->words),
                                         store_blob(row->private_words),
                                         end};
    const struct store_value last[] = {values[0], end};
    ERR_TRY(store_run(store, STATEMENT_ACT_ADD, values, sizeof(values) / sizeof(values[0]), NULL));
    return store_run(store, STATEMENT_CHAIN_END, last, 2, NULL);
}

static struct str client_text(const struct actor *actor, char to[ADDR_TEXT_MAX])
{
    struct addr addr;
    if (actor->operator) {
        return STR("");
    }
    memcpy(addr.bytes, actor->client, sizeof(addr.bytes));
    return str_make(to, addr_print(&addr, to));
}

struct parts {
    struct buf fields, sealed, scratch;
    char client[ADDR_TEXT_MAX];
};

static enum err append(struct store *store, struct keys *keys, const struct actor *actor,
                       const struct act_entry *entry, struct parts *parts, int64_t *ret_seq)
{
    uint8_t before[BLAKE2B_BYTES];
    uint8_t hash[BLAKE2B_BYTES];
    int64_t seq;
    ERR_TRY(put_fields(keys, entry, &parts->scratch, &parts->fields));
    ERR_TRY(put_private(keys, entry, &parts->sealed));
    ERR_TRY(take_chain(store, actor->school, &seq, before));
    const struct act_row row = {
        .seq = seq,
        .made_ms = actor->now_ms,
        .act = act_name(entry->act),
        .actor = actor->person,
        .account = actor->account,
        .session = actor->session,
        .client = client_text(actor, parts->client),
        .area = entry->area,
        .record = entry->record,
        .about = entry->about,
        .hidden_from = entry->hidden_from,
        .version = (int64_t)entry->version,
        .fields = buf_str(&parts->fields),
        .words = entry->words,
        .private_words = buf_str(&parts->sealed),
    };
    ERR_TRY(act_row_hash(&row, actor->school, before, &parts->scratch, hash));
    ERR_TRY(keep(store, actor->school, &row, hash));
    if (ret_seq != NULL) {
        *ret_seq = seq;
    }
    return ERR_OK;
}

enum err audit_append(struct store *store, struct keys *keys, const struct actor *actor,
                      const struct act_entry *entry, int64_t *ret_seq)
{
    struct parts parts;
    CHECK(actor->school.len != 0 && entry->area.len != 0);
    buf_init(&parts.fields, BYTES_MAX);
    buf_init(&parts.sealed, BYTES_MAX);
    buf_init(&parts.scratch, 4 * BYTES_MAX);
    enum err err = append(store, keys, actor, entry, &parts, ret_seq);
    buf_fini(&parts.fields);
    buf_fini(&parts.sealed);
    buf_fini(&parts.scratch);
    return err;
}

enum err audit_head(struct store *store, struct str school, int64_t *ret_seq,
                    uint8_t ret_hash[AUDIT_HASH_BYTES])
{
    struct store_value id = store_text(school);
    struct store_value columns[2];
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum err err = store_row(store, STATEMENT_CHAIN_GET, &id, 1, &arena, columns, 2);
    if (err == ERR_NOT_FOUND) {
        *ret_seq = 0;
        memset(ret_hash, 0, AUDIT_HASH_BYTES);
        err = ERR_OK;
    } else if (err == ERR_OK && columns[1].bytes.len == AUDIT_HASH_BYTES) {
        *ret_seq = columns[0].number;
        memcpy(ret_hash, columns[1].bytes.p, AUDIT_HASH_BYTES);
    } else if (err == ERR_OK) {
        err = ERR_INVALID;
    }
    arena_fini(&arena);
    return err;
}

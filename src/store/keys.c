/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of records. Two keys come from the master key: one wraps, one digests. The table `box`
 * holds a word wrapped under the first, so that a master key of another box is noticed before
 * anything is sealed under it. */
#include "store/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "store/sqlite_impl.h"

#define BOX_WORD STR("lodge keys 1")

enum { WAL_PAGES = 256, WRAPPED_BYTES = SEAL_KEY_BYTES + SEAL_EXTRA_BYTES, CONTEXT_MAX = 512 };
enum { WHY_BYTES = 256 };

_Static_assert((int)KEYS_DIGEST_BYTES == (int)HASH_KEY_BYTES, "a digest can be a key");
_Static_assert((int)SEAL_KEY_BYTES == (int)HASH_KEY_BYTES, "a record's key can make another");

enum sql {
    SQL_GET,
    SQL_ADD,
    SQL_DELETE,
    SQL_BOX_GET,
    SQL_BOX_SET,
    SQL_ALL,
    SQL_COUNT,
};

static const char *const texts[SQL_COUNT] = {
    [SQL_GET] = "SELECT wrapped FROM record_key WHERE record = ?1",
    [SQL_ADD] = "INSERT INTO record_key (record, wrapped) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    [SQL_DELETE] = "DELETE FROM record_key WHERE record = ?1",
    [SQL_BOX_GET] = "SELECT word FROM box WHERE id = 1",
    [SQL_ALL] = "SELECT record, wrapped FROM record_key",
    [SQL_BOX_SET] = "INSERT INTO box (id, word) VALUES (1, ?2)",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS record_key (record TEXT PRIMARY KEY, wrapped BLOB NOT NULL) "
    "STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS box (id INTEGER PRIMARY KEY, word BLOB NOT NULL) STRICT;";

struct keys {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    uint8_t wrap[SEAL_KEY_BYTES];
    uint8_t digest[HASH_KEY_BYTES];
    char why[WHY_BYTES];
};

static enum err fail(struct keys *keys)
{
    snprintf(keys->why, sizeof(keys->why), "keys: %s", sqlite3_errmsg(keys->db));
    return sqlite_err(sqlite3_extended_errcode(keys->db));
}

const char *keys_why(const struct keys *keys)
{
    return keys->why;
}

static enum err script(struct keys *keys, const char *sql)
{
    return sqlite3_exec(keys->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : fail(keys);
}

/* ---- statements ---- */

/* Binds what the statement has of the two and makes the first step. Whoever calls resets it. */
static int run(struct keys *keys, enum sql sql, struct str record, struct str blob)
{
    sqlite3_stmt *statement = keys->statements[sql];
    int n = sqlite3_bind_parameter_count(statement);
    int code = SQLITE_OK;
    if (n >= 1 && sql != SQL_BOX_SET) {
        code = sqlite3_bind_text64(statement, 1, record.p, record.len, SQLITE_STATIC, SQLITE_UTF8);
    }
    if (code == SQLITE_OK && n >= 2) {
        code = sqlite3_bind_blob64(statement, 2, blob.p, blob.len, SQLITE_STATIC);
    }
    return code == SQLITE_OK ? sqlite3_step(statement) : code;
}

static void done(struct keys *keys, enum sql sql)
{
    (void)sqlite3_reset(keys->statements[sql]);
    (void)sqlite3_clear_bindings(keys->statements[sql]);
}

static enum err change(struct keys *keys, enum sql sql, struct str record, struct str blob)
{
    int code = run(keys, sql, record, blob);
    enum err err = code == SQLITE_DONE ? ERR_OK : fail(keys);
    done(keys, sql);
    return err;
}

static struct str column(struct keys *keys, enum sql sql, int i)
{
    const char *bytes = sqlite3_column_blob(keys->statements[sql], i);
    return str_make(bytes, (size_t)sqlite3_column_bytes(keys->statements[sql], i));
}

/* Appends the first row's value; ERR_NOT_FOUND for no row. */
static enum err get(struct keys *keys, enum sql sql, struct str record, struct buf *to)
{
    int code = run(keys, sql, record, STR(""));
    enum err err = code == SQLITE_ROW ? ERR_OK : code == SQLITE_DONE ? ERR_NOT_FOUND : fail(keys);
    if (err == ERR_OK) {
        buf_append(to, column(keys, sql, 0));
        err = buf_err(to);
    }
    done(keys, sql);
    return err;
}

/* ---- keys of records ---- */

/* One slice that no other pair of slices makes. */
static enum err pair(struct str first, struct str second, struct buf *to)
{
    buf_append(to, first);
    buf_append_byte(to, '\0');
    buf_append(to, second);
    return buf_err(to);
}

static enum err wrap(struct keys *keys, struct str record, struct str plain, struct buf *to)
{
    struct buf context = {0};
    buf_init(&context, CONTEXT_MAX);
    enum err err = pair(STR("lodge record key"), record, &context);
    if (err == ERR_OK) {
        seal(keys->wrap, buf_str(&context), plain, to);
        err = buf_err(to);
    }
    buf_fini(&context);
    return err;
}

static enum err unwrap(struct keys *keys, struct str record, struct str wrapped, struct buf *to)
{
    struct buf context = {0};
    buf_init(&context, CONTEXT_MAX);
    enum err err = pair(STR("lodge record key"), record, &context);
    if (err == ERR_OK) {
        err = seal_open(keys->wrap, buf_str(&context), wrapped, to);
    }
    buf_fini(&context);
    return err;
}

static enum err load(struct keys *keys, struct str record, uint8_t ret_key[SEAL_KEY_BYTES])
{
    struct buf wrapped = {0};
    struct buf plain = {0};
    buf_init(&wrapped, WRAPPED_BYTES);
    buf_init(&plain, SEAL_KEY_BYTES);
    enum err err = get(keys, SQL_GET, record, &wrapped);
    if (err == ERR_OK) {
        err = unwrap(keys, record, buf_str(&wrapped), &plain);
    }
    if (err == ERR_OK) {
        err = plain.len == SEAL_KEY_BYTES ? ERR_OK : ERR_INVALID;
    }
    if (err == ERR_OK) {
        memcpy(ret_key, plain.p, SEAL_KEY_BYTES);
    }
    secret_wipe(plain.p, plain.len);
    buf_fini(&plain);
    buf_fini(&wrapped);
    return err;
}

static enum err add_key(struct keys *keys, struct str record)
{
    uint8_t key[SEAL_KEY_BYTES];
    struct buf wrapped = {0};
    CHECK(record.len != 0);
    buf_init(&wrapped, WRAPPED_BYTES);
    random_bytes(key, sizeof(key));
    enum err err = wrap(keys, record, str_make((const char *)key, sizeof(key)), &wrapped);
    if (err == ERR_OK) {
        err = change(keys, SQL_ADD, record, buf_str(&wrapped));
    }
    secret_wipe(key, sizeof(key));
    buf_fini(&wrapped);
    return err;
}

static enum err end(struct keys *keys, enum err err)
{
    if (err == ERR_OK) {
        err = script(keys, "COMMIT");
    }
    if (err != ERR_OK && sqlite3_get_autocommit(keys->db) == 0) {
        CHECK(sqlite3_exec(keys->db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    }
    return err;
}

enum err keys_make_all(struct keys *keys, const struct str *records, size_t n_records)
{
    enum err err = ERR_OK;
    ERR_TRY(script(keys, "BEGIN IMMEDIATE"));
    for (size_t i = 0; i < n_records && err == ERR_OK; i++) {
        err = add_key(keys, records[i]);
    }
    return end(keys, err);
}

enum err keys_make(struct keys *keys, struct str record)
{
    return keys_make_all(keys, &record, 1);
}

static enum err truncate_journal(struct keys *keys)
{
    return sqlite3_wal_checkpoint_v2(keys->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
                   SQLITE_OK
               ? ERR_OK
               : fail(keys);
}

enum err keys_destroy_all(struct keys *keys, const struct str *records, size_t n_records)
{
    enum err err = ERR_OK;
    ERR_TRY(script(keys, "BEGIN IMMEDIATE"));
    for (size_t i = 0; i < n_records && err == ERR_OK; i++) {
        err = change(keys, SQL_DELETE, records[i], STR(""));
    }
    ERR_TRY(end(keys, err));
    return truncate_journal(keys);
}

enum err keys_destroy(struct keys *keys, struct str record)
{
    return keys_destroy_all(keys, &record, 1);
}

/* ---- all keys ---- */

enum err keys_copy(struct keys *keys, struct buf *to)
{
    sqlite3_int64 n = 0;
    unsigned char *bytes = sqlite3_serialize(keys->db, "main", &n, 0);
    if (bytes == NULL) {
        return ERR_MEMORY;
    }
    buf_append(to, str_make((const char *)bytes, (size_t)n));
    sqlite3_free(bytes);
    return buf_err(to);
}

static enum err check_row(struct keys *keys)
{
    struct buf plain = {0};
    buf_init(&plain, SEAL_KEY_BYTES);
    enum err err = unwrap(keys, column(keys, SQL_ALL, 0), column(keys, SQL_ALL, 1), &plain);
    secret_wipe(plain.p, plain.len);
    buf_fini(&plain);
    return err;
}

enum err keys_check(struct keys *keys, uint64_t *ret_n)
{
    uint64_t n = 0;
    enum err err = ERR_OK;
    int code = run(keys, SQL_ALL, STR(""), STR(""));
    while (code == SQLITE_ROW && err == ERR_OK) {
        err = check_row(keys);
        n++;
        code = sqlite3_step(keys->statements[SQL_ALL]);
    }
    if (err == ERR_OK && code != SQLITE_DONE) {
        err = fail(keys);
    }
    done(keys, SQL_ALL);
    if (err == ERR_OK) {
        *ret_n = n;
    }
    return err;
}

/* ---- values ---- */

enum err keys_seal(struct keys *keys, struct str record, struct str field, struct str plain,
                   struct buf *ret)
{
    uint8_t key[SEAL_KEY_BYTES];
    struct buf context = {0};
    ERR_TRY(load(keys, record, key));
    buf_init(&context, CONTEXT_MAX);
    enum err err = pair(record, field, &context);
    if (err == ERR_OK) {
        seal(key, buf_str(&context), plain, ret);
        err = buf_err(ret);
    }
    secret_wipe(key, sizeof(key));
    buf_fini(&context);
    return err;
}

enum err keys_open_sealed(struct keys *keys, struct str record, struct str field, struct str sealed,
                          struct buf *ret)
{
    uint8_t key[SEAL_KEY_BYTES];
    struct buf context = {0};
    ERR_TRY(load(keys, record, key));
    buf_init(&context, CONTEXT_MAX);
    enum err err = pair(record, field, &context);
    if (err == ERR_OK) {
        err = seal_open(key, buf_str(&context), sealed, ret);
    }
    secret_wipe(key, sizeof(key));
    buf_fini(&context);
    return err;
}

enum err keys_digest(struct keys *keys, struct str record_or_empty, struct str text,
                     unsigned char ret_digest[KEYS_DIGEST_BYTES])
{
    if (record_or_empty.len == 0) {
        hash_keyed(keys->digest, text, ret_digest, KEYS_DIGEST_BYTES);
        return ERR_OK;
    }
    uint8_t key[SEAL_KEY_BYTES];
    uint8_t digest_key[HASH_KEY_BYTES];
    ERR_TRY(load(keys, record_or_empty, key));
    hash_keyed(key, STR("lodge digest"), digest_key, sizeof(digest_key));
    hash_keyed(digest_key, text, ret_digest, KEYS_DIGEST_BYTES);
    secret_wipe(key, sizeof(key));
    secret_wipe(digest_key, sizeof(digest_key));
    return ERR_OK;
}

/* ---- opening ---- */

static enum err write_master(int folder_fd, struct buf *master)
{
    char *place = buf_reserve(master, SEAL_KEY_BYTES);
    ERR_TRY(buf_err(master));
    random_bytes(place, SEAL_KEY_BYTES);
    buf_commit(master, SEAL_KEY_BYTES);
    return file_write(folder_fd, KEYS_MASTER_FILE, buf_str(master), 0600);
}

static enum err read_master(int folder_fd, bool may_make, struct buf *master, struct buf *why)
{
    enum err err = file_read(folder_fd, KEYS_MASTER_FILE, master);
    if (err == ERR_NOT_FOUND && may_make) {
        err = write_master(folder_fd, master);
    }
    if (err == ERR_OK && master->len != SEAL_KEY_BYTES) {
        err = ERR_INVALID;
    }
    if (err != ERR_OK) {
        buf_printf(why, "%s: %s", KEYS_MASTER_FILE, err_text(err));
    }
    return err;
}

static enum err check_box(struct keys *keys, bool is_new, struct str word, struct buf *why)
{
    struct buf wrapped = {0};
    buf_init(&wrapped, WRAPPED_BYTES);
    enum err err = ERR_OK;
    if (is_new) {
        err = wrap(keys, STR("box"), BOX_WORD, &wrapped);
        if (err == ERR_OK) {
            err = change(keys, SQL_BOX_SET, STR(""), buf_str(&wrapped));
        }
    } else if (unwrap(keys, STR("box"), word, &wrapped) != ERR_OK) {
        buf_printf(why, "%s does not belong to these keys", KEYS_MASTER_FILE);
        err = ERR_CONFLICT;
    }
    buf_fini(&wrapped);
    return err;
}

/* In the transaction that keeps every other process from making a master key. */
static enum err take_master(struct keys *keys, int folder_fd, struct buf *why)
{
    struct buf word = {0};
    struct buf master = {0};
    buf_init(&word, WRAPPED_BYTES);
    buf_init(&master, SEAL_KEY_BYTES + 1);
    enum err err = get(keys, SQL_BOX_GET, STR(""), &word);
    bool is_new = err == ERR_NOT_FOUND;
    if (err == ERR_OK || is_new) {
        err = read_master(folder_fd, is_new, &master, why);
    }
    if (err == ERR_OK) {
        const uint8_t *key = (const uint8_t *)master.p;
        hash_keyed(key, STR("lodge keys: wrap"), keys->wrap, sizeof(keys->wrap));
        hash_keyed(key, STR("lodge keys: digest"), keys->digest, sizeof(keys->digest));
        err = check_box(keys, is_new, buf_str(&word), why);
    }
    secret_wipe(master.p, master.len);
    buf_fini(&master);
    buf_fini(&word);
    return err;
}

static enum err prepare_all(struct keys *keys)
{
    ERR_TRY(script(keys, schema));
    for (size_t i = 0; i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(keys->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &keys->statements[i], NULL) != SQLITE_OK) {
            return fail(keys);
        }
    }
    return ERR_OK;
}

static enum err set_up(struct keys *keys, int folder_fd, struct buf *why)
{
    (void)sqlite3_wal_autocheckpoint(keys->db, WAL_PAGES);
    ERR_TRY(prepare_all(keys));
    ERR_TRY(script(keys, "BEGIN IMMEDIATE"));
    ERR_TRY(end(keys, take_master(keys, folder_fd, why)));
    /* What a crash behind a destroyed key left; another process that reads just now does no harm.
     */
    enum err err = truncate_journal(keys);
    return err == ERR_BUSY ? ERR_OK : err;
}

/* SQLite opens by path. */
static enum err path_of(int folder_fd, char ret_path[PATH_MAX], struct buf *why)
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", folder_fd);
    ssize_t n = readlink(link, ret_path, PATH_MAX - sizeof("/" KEYS_FILE));
    if (n < 0) {
        buf_printf(why, "%s: %s", link, strerror(errno));
        return ERR_SYSTEM;
    }
    memcpy(ret_path + n, "/" KEYS_FILE, sizeof("/" KEYS_FILE));
    return ERR_OK;
}

enum err keys_open(int folder_fd, struct keys **ret_keys, struct buf *why)
{
    char path[PATH_MAX];
    ERR_TRY(path_of(folder_fd, path, why));
    struct keys *keys = calloc(1, sizeof(*keys));
    if (keys == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sqlite_file_open(path, &keys->db, why);
    if (err == ERR_OK) {
        err = set_up(keys, folder_fd, why);
    }
    if (err != ERR_OK) {
        if (why->len == 0) {
            buf_append(why, str_from(keys->why));
        }
        keys_close(keys);
        return err;
    }
    *ret_keys = keys;
    return ERR_OK;
}

void keys_close(struct keys *keys)
{
    if (keys == NULL) {
        return;
    }
    for (size_t i = 0; i < SQL_COUNT; i++) {
        (void)sqlite3_finalize(keys->statements[i]);
    }
    CHECK(sqlite3_close(keys->db) == SQLITE_OK);
    secret_wipe(keys, sizeof(*keys));
    free(keys);
}

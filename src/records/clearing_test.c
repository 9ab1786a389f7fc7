/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/clearing.h"

#include "lib/records.h"
#include "os/file.h"

enum { COPY_MAX = 1 << 20, MANY = 300 };

static void note(struct school *at, struct str record)
{
    assert_ok(store_begin(at->store.store, at->id, STORE_WRITE));
    assert_ok(clearing_note_key(at->store.store, at->id, record, at->now_ms));
    assert_ok(store_commit(at->store.store));
}

static bool has_key(struct school *at, struct str record)
{
    struct buf sealed;
    buf_init(&sealed, 1024);
    enum err err = keys_seal(at->keys, record, STR("a"), STR("a"), &sealed);
    buf_fini(&sealed);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    return err == ERR_OK;
}

static size_t n_noted(struct school *at, enum store_statement statement, int64_t parameter)
{
    const struct store_value value = store_number(parameter);
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    assert_ok(store_begin(at->store.store, STR(""), STORE_READ));
    assert_ok(store_query(at->store.store, statement, &value, 1, &rows));
    while (store_rows_next(rows, &err)) {
        n++;
    }
    assert_ok(err);
    store_rows_free(rows);
    assert_ok(store_commit(at->store.store));
    return n;
}

TEST(keys_that_a_disposal_noted_are_destroyed_later_too)
{
    struct school at;
    school_open(&at);
    assert_ok(keys_make(at.keys, STR("kept")));
    for (int i = 0; i < MANY; i++) {
        char id[24];
        snprintf(id, sizeof(id), "record-%d", i);
        assert_ok(keys_make(at.keys, str_from(id)));
        note(&at, str_from(id));
    }
    assert_ok(clearing_keys(at.store.store, at.keys));
    assert_false(has_key(&at, STR("record-0")));
    assert_false(has_key(&at, STR("record-299")));
    assert_true(has_key(&at, STR("kept")));
    assert_int_equal(n_noted(&at, STATEMENT_DOOMED_KEYS, 10), 0);
    assert_ok(clearing_keys(at.store.store, at.keys));
    school_close(&at);
}

TEST(a_key_is_noted_only_with_the_disposal)
{
    struct school at;
    school_open(&at);
    assert_ok(keys_make(at.keys, STR("a")));
    assert_ok(store_begin(at.store.store, at.id, STORE_WRITE));
    assert_ok(clearing_note_key(at.store.store, at.id, STR("a"), at.now_ms));
    store_rollback(at.store.store);
    assert_ok(clearing_keys(at.store.store, at.keys));
    assert_true(has_key(&at, STR("a")));
    school_close(&at);
}

/* Into a folder beside it, as a restore would. */
static struct keys *open_copy(struct school *at, struct str copy)
{
    struct keys *keys = NULL;
    struct buf bytes;
    struct buf why;
    int folder;
    buf_init(&bytes, COPY_MAX);
    buf_init(&why, 1024);
    assert_ok(file_make_dirs(at->store.folder, "copy", 0700));
    assert_ok(file_open_dir(at->store.folder, "copy", &folder));
    assert_ok(file_write(folder, KEYS_FILE, copy, 0600));
    assert_ok(file_read(at->store.folder, KEYS_MASTER_FILE, &bytes));
    assert_ok(file_write(folder, KEYS_MASTER_FILE, buf_str(&bytes), 0600));
    assert_ok(keys_open(folder, &keys, &why));
    close(folder);
    buf_fini(&bytes);
    buf_fini(&why);
    return keys;
}

TEST(a_backup_holds_no_key_that_is_to_be_destroyed)
{
    struct school at;
    struct buf copy;
    struct buf sealed;
    school_open(&at);
    assert_ok(keys_make(at.keys, STR("gone")));
    assert_ok(keys_make(at.keys, STR("kept")));
    note(&at, STR("gone"));
    buf_init(&copy, COPY_MAX);
    buf_init(&sealed, 1024);
    assert_ok(clearing_copy_keys(at.store.store, at.keys, &copy));
    struct keys *keys = open_copy(&at, buf_str(&copy));
    assert_err(keys_seal(keys, STR("gone"), STR("a"), STR("a"), &sealed), ERR_NOT_FOUND);
    assert_ok(keys_seal(keys, STR("kept"), STR("a"), STR("a"), &sealed));
    assert_int_equal(n_noted(&at, STATEMENT_DOOMED_KEYS, 10), 0);
    keys_close(keys);
    buf_fini(&copy);
    buf_fini(&sealed);
    school_close(&at);
}

static void note_table(struct school *at, const char *name, int64_t now_ms)
{
    assert_ok(store_begin(at->store.store, at->id, STORE_WRITE));
    assert_ok(clearing_note_table(at->store.store, at->id, str_from(name), now_ms));
    assert_ok(store_commit(at->store.store));
}

TEST(tables_are_swept_one_at_a_time_and_what_is_too_new_waits)
{
    struct school at;
    bool more = false;
    size_t swept = 0;
    school_open(&at);
    bool postgres = store_kind(at.store.store) == STORE_POSTGRES;
    note_table(&at, "reg_person", 1000);
    note_table(&at, "past", 1000);
    note_table(&at, "past", 1500);
    note_table(&at, "word", 3000);
    for (bool again = true; again; again = more) {
        assert_ok(clearing_sweep(at.store.store, 2000, &more));
        swept += more;
    }
    assert_int_equal(swept, postgres ? 2 : 0);
    assert_int_equal(n_noted(&at, STATEMENT_UNSWEPT_NEXT, INT64_MAX), 1);
    assert_ok(clearing_sweep(at.store.store, INT64_MAX, &more));
    assert_true(more);
    assert_ok(clearing_sweep(at.store.store, INT64_MAX, &more));
    assert_false(more);
    school_close(&at);
}

TESTS_MAIN(unit(keys_that_a_disposal_noted_are_destroyed_later_too),
           unit(a_key_is_noted_only_with_the_disposal),
           unit(a_backup_holds_no_key_that_is_to_be_destroyed),
           unit(tables_are_swept_one_at_a_time_and_what_is_too_new_waits))

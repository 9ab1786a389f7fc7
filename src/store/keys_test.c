/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/keys.h"

#include <sys/stat.h>

#include "base/arena.h"
#include "crypto/seal.h"
#include "lib/folder.h"

#define RECORD STR("aaaaaaaaaaaaaaaaaaaaaaaaaa")
#define OTHER STR("bbbbbbbbbbbbbbbbbbbbbbbbbb")

static struct keys *open_keys(const struct test_folder *at)
{
    struct keys *keys = NULL;
    struct buf why;
    buf_init(&why, 1024);
    enum err err = keys_open(at->fd, &keys, &why);
    if (err != ERR_OK) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    return keys;
}

static void refuse_keys(const struct test_folder *at, enum err want, const char *words)
{
    struct keys *keys = NULL;
    struct buf why;
    buf_init(&why, 1024);
    assert_err(keys_open(at->fd, &keys, &why), want);
    if (strstr(buf_cstr(&why), words) == NULL) {
        fail_msg("%s", buf_cstr(&why));
    }
    buf_fini(&why);
}

static void seal_worry(struct keys *keys, struct buf *sealed)
{
    buf_init(sealed, 4096);
    assert_ok(keys_make(keys, RECORD));
    assert_ok(keys_seal(keys, RECORD, STR("words"), STR("a worry"), sealed));
}

static bool folder_holds(const struct test_folder *at, struct str bytes)
{
    static const char *const names[] = {"keys.db", "keys.db-wal"};
    bool held = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf file;
        buf_init(&file, 1 << 24);
        enum err err = file_read(at->fd, names[i], &file);
        assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
        held = held || str_find(buf_str(&file), bytes) < file.len;
        buf_fini(&file);
    }
    return held;
}

TEST(what_is_sealed_opens_after_the_keys_were_closed)
{
    struct test_folder at;
    struct buf sealed;
    struct buf plain;
    test_folder_open(&at);
    struct keys *keys = open_keys(&at);
    seal_worry(keys, &sealed);
    keys_close(keys);
    keys = open_keys(&at);
    buf_init(&plain, 4096);
    assert_ok(keys_open_sealed(keys, RECORD, STR("words"), buf_str(&sealed), &plain));
    assert_str_eq(buf_str(&plain), STR("a worry"));
    keys_close(keys);
    buf_fini(&sealed);
    buf_fini(&plain);
    test_folder_close(&at);
}

TEST(a_value_moved_to_another_field_or_record_does_not_open)
{
    struct test_folder at;
    struct buf sealed;
    struct buf plain;
    test_folder_open(&at);
    struct keys *keys = open_keys(&at);
    seal_worry(keys, &sealed);
    buf_init(&plain, 4096);
    assert_err(keys_open_sealed(keys, RECORD, STR("other"), buf_str(&sealed), &plain), ERR_INVALID);
    assert_err(keys_open_sealed(keys, OTHER, STR("words"), buf_str(&sealed), &plain),
               ERR_NOT_FOUND);
    assert_ok(keys_make(keys, OTHER));
    assert_err(keys_open_sealed(keys, OTHER, STR("words"), buf_str(&sealed), &plain), ERR_INVALID);
    assert_int_equal(plain.len, 0);
    keys_close(keys);
    buf_fini(&sealed);
    buf_fini(&plain);
    test_folder_close(&at);
}

TEST(making_a_key_twice_keeps_the_first)
{
    const struct str records[] = {OTHER, RECORD};
    struct test_folder at;
    struct buf sealed;
    struct buf plain;
    test_folder_open(&at);
    struct keys *keys = open_keys(&at);
    seal_worry(keys, &sealed);
    assert_ok(keys_make_all(keys, records, 2));
    buf_init(&plain, 4096);
    assert_ok(keys_open_sealed(keys, RECORD, STR("words"), buf_str(&sealed), &plain));
    assert_ok(keys_seal(keys, OTHER, STR("words"), STR("another"), &plain));
    keys_close(keys);
    buf_fini(&sealed);
    buf_fini(&plain);
    test_folder_close(&at);
}

TEST(a_destroyed_key_is_in_no_file_and_nothing_opens)
{
    struct test_folder at;
    struct buf sealed;
    struct buf plain;
    test_folder_open(&at);
    struct keys *keys = open_keys(&at);
    struct keys *other = open_keys(&at);
    seal_worry(keys, &sealed);
    assert_true(folder_holds(&at, RECORD));
    assert_ok(keys_destroy(keys, RECORD));
    /* The row's first column stands beside the wrapped key, and goes with it. */
    assert_false(folder_holds(&at, RECORD));
    buf_init(&plain, 4096);
    assert_err(keys_open_sealed(keys, RECORD, STR("words"), buf_str(&sealed), &plain),
               ERR_NOT_FOUND);
    assert_err(keys_open_sealed(other, RECORD, STR("words"), buf_str(&sealed), &plain),
               ERR_NOT_FOUND);
    assert_ok(keys_destroy(keys, RECORD));
    keys_close(other);
    keys_close(keys);
    buf_fini(&sealed);
    buf_fini(&plain);
    test_folder_close(&at);
}

TEST(K16_a_digest_matches_equal_words_and_no_others)
{
    unsigned char one[KEYS_DIGEST_BYTES];
    unsigned char two[KEYS_DIGEST_BYTES];
    struct test_folder at;
    test_folder_open(&at);
    struct keys *keys = open_keys(&at);
    assert_ok(keys_make(keys, RECORD));
    assert_ok(keys_digest(keys, STR(""), STR("A123"), one));
    assert_ok(keys_digest(keys, STR(""), STR("A123"), two));
    assert_memory_equal(one, two, sizeof(one));
    assert_ok(keys_digest(keys, STR(""), STR("A124"), two));
    assert_memory_not_equal(one, two, sizeof(one));
    assert_ok(keys_digest(keys, RECORD, STR("A123"), two));
    assert_memory_not_equal(one, two, sizeof(one));
    assert_err(keys_digest(keys, OTHER, STR("A123"), two), ERR_NOT_FOUND);
    keys_close(keys);
    test_folder_close(&at);
}

TEST(a_copy_opens_beside_the_master_key_and_holds_no_destroyed_one)
{
    struct test_folder at;
    struct test_folder to;
    struct buf sealed;
    struct buf file;
    uint64_t n = 0;
    test_folder_open(&at);
    test_folder_open(&to);
    struct keys *keys = open_keys(&at);
    seal_worry(keys, &sealed);
    assert_ok(keys_make(keys, OTHER));
    assert_ok(keys_destroy(keys, OTHER));
    buf_init(&file, 1 << 24);
    assert_ok(keys_copy(keys, &file));
    assert_true(str_find(buf_str(&file), OTHER) == file.len);
    assert_ok(file_write(to.fd, KEYS_FILE, buf_str(&file), 0600));
    buf_clear(&file);
    assert_ok(file_read(at.fd, KEYS_MASTER_FILE, &file));
    assert_ok(file_write(to.fd, KEYS_MASTER_FILE, buf_str(&file), 0600));
    keys_close(keys);
    keys = open_keys(&to);
    assert_ok(keys_check(keys, &n));
    assert_int_equal(n, 1);
    buf_clear(&file);
    assert_ok(keys_open_sealed(keys, RECORD, STR("words"), buf_str(&sealed), &file));
    assert_str_eq(buf_str(&file), STR("a worry"));
    keys_close(keys);
    buf_fini(&file);
    buf_fini(&sealed);
    test_folder_close(&to);
    test_folder_close(&at);
}

TEST(the_files_are_their_owners_alone)
{
    static const char *const names[] = {"master.key", "keys.db", "keys.db-wal"};
    struct test_folder at;
    test_folder_open(&at);
    struct keys *keys = open_keys(&at);
    assert_ok(keys_make(keys, RECORD));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stat stat;
        assert_int_equal(fstatat(at.fd, names[i], &stat, 0), 0);
        assert_int_equal(stat.st_mode & 0777, 0600);
    }
    keys_close(keys);
    test_folder_close(&at);
}

TEST(keys_without_their_master_key_are_refused_and_no_new_one_is_made)
{
    struct test_folder at;
    test_folder_open(&at);
    keys_close(open_keys(&at));
    assert_int_equal(unlinkat(at.fd, "master.key", 0), 0);
    refuse_keys(&at, ERR_NOT_FOUND, "master.key: not found");
    assert_int_equal(faccessat(at.fd, "master.key", F_OK, 0), -1);
    assert_ok(file_write(at.fd, "master.key", STR("0123456789abcdef0123456789abcdef"), 0600));
    refuse_keys(&at, ERR_CONFLICT, "does not belong to these keys");
    assert_ok(file_write(at.fd, "master.key", STR("short"), 0600));
    refuse_keys(&at, ERR_INVALID, "master.key");
    test_folder_close(&at);
}

TESTS_MAIN(unit(what_is_sealed_opens_after_the_keys_were_closed),
           unit(a_value_moved_to_another_field_or_record_does_not_open),
           unit(making_a_key_twice_keeps_the_first),
           unit(a_destroyed_key_is_in_no_file_and_nothing_opens),
           unit(K16_a_digest_matches_equal_words_and_no_others),
           unit(a_copy_opens_beside_the_master_key_and_holds_no_destroyed_one),
           unit(the_files_are_their_owners_alone),
           unit(keys_without_their_master_key_are_refused_and_no_new_one_is_made))

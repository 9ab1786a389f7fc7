/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/passwords.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/password.h"
#include "lib/test.h"
#include "os/file.h"

TEST(a_line_is_added_replaced_or_removed_in_its_place)
{
    static const struct {
        const char *text, *id, *hash, *want;
        bool known;
    } cases[] = {
        {"", "b", "h", "b:h\n", false},
        {"a:1\nc:3\n", "b", "2", "a:1\nb:2\nc:3\n", false},
        {"a:1\nb:2\nc:3\n", "b", "9", "a:1\nb:9\nc:3\n", true},
        {"a:1\nb:2\nc:3\n", "b", "", "a:1\nc:3\n", true},
        {"a:1\n", "b", "", "a:1\n", false},
        {"a:1\nb:2\n", "c", "3", "a:1\nb:2\nc:3\n", false},
        {"a:1\nb:2", "a", "$x:y", "a:$x:y\nb:2\n", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf to;
        bool known = false;
        buf_init(&to, 1024);
        assert_ok(passwords_change(str_from(cases[i].text), str_from(cases[i].id),
                                   str_from(cases[i].hash), &to, &known));
        assert_str_eq(buf_str(&to), str_from(cases[i].want));
        assert_int_equal(known, cases[i].known);
        buf_fini(&to);
    }
}

TEST(ids_and_files_that_are_none_are_refused)
{
    static const char *const ids[] = {"", "a b", "a:b", "a\n", "\xc3\xa9"};
    struct buf to;
    bool known;
    buf_init(&to, 1024);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_err(passwords_change(STR(""), str_from(ids[i]), STR("h"), &to, &known), ERR_INVALID);
    }
    char longest[65];
    memset(longest, 'a', sizeof(longest));
    assert_true(passwords_id_is_valid(str_make(longest, 64)));
    assert_false(passwords_id_is_valid(str_make(longest, 65)));
    assert_err(passwords_change(STR("what\n"), STR("a"), STR("h"), &to, &known), ERR_INVALID);
    assert_err(passwords_change(STR("b:\n"), STR("a"), STR("h"), &to, &known), ERR_INVALID);
    buf_fini(&to);
}

TEST(S2_a_password_that_was_set_is_kept_hashed_in_a_file_of_mode_600)
{
    char folder[] = "/tmp/lodge-passwords-XXXXXX";
    struct buf text;
    struct str hash;
    struct stat stat;
    int dir_fd;
    assert_non_null(mkdtemp(folder));
    assert_ok(passwords_open_folder(folder, &dir_fd));
    assert_int_equal(fstat(dir_fd, &stat), 0);
    assert_int_equal(stat.st_mode & 07777, 0700);
    assert_err(passwords_set(dir_fd, STR("p-1"), STR("short")), ERR_RANGE);
    assert_err(passwords_set(dir_fd, STR("p-1"), STR("")), ERR_NOT_FOUND);
    assert_ok(passwords_set(dir_fd, STR("p-1"), STR("three random words")));
    buf_init(&text, 4096);
    assert_ok(file_read(dir_fd, PASSWORDS_NAME, &text));
    assert_true(str_find(buf_str(&text), STR("random")) == text.len);
    assert_true(passwords_find(buf_str(&text), STR("p-1"), &hash));
    assert_true(password_verify(STR("three random words"), hash));
    assert_false(passwords_find(buf_str(&text), STR("p-"), &hash));
    assert_int_equal(fstatat(dir_fd, PASSWORDS_NAME, &stat, 0), 0);
    assert_int_equal(stat.st_mode & 07777, 0600);
    assert_ok(passwords_set(dir_fd, STR("p-1"), STR("")));
    buf_clear(&text);
    assert_ok(file_read(dir_fd, PASSWORDS_NAME, &text));
    assert_int_equal(text.len, 0);
    buf_fini(&text);
    assert_int_equal(unlinkat(dir_fd, PASSWORDS_NAME, 0), 0);
    close(dir_fd);
    int parent;
    assert_ok(file_open_dir(AT_FDCWD, folder, &parent));
    assert_int_equal(unlinkat(parent, PASSWORDS_FOLDER, AT_REMOVEDIR), 0);
    close(parent);
    assert_int_equal(rmdir(folder), 0);
}

TESTS_MAIN(unit(a_line_is_added_replaced_or_removed_in_its_place),
           unit(ids_and_files_that_are_none_are_refused),
           unit(S2_a_password_that_was_set_is_kept_hashed_in_a_file_of_mode_600))

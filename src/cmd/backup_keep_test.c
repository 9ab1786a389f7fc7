/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which backups go, and which are nobody's business. */
#include "cmd/backup_keep.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/test.h"
#include "os/file.h"

struct rig {
    struct test_folder data, to;
    char gone[256];
};

static void open_rig(struct rig *rig)
{
    *rig = (struct rig){0};
    test_folder_open(&rig->data);
    test_folder_open(&rig->to);
    assert_ok(file_make_dirs(rig->data.fd, "backup", 0700));
}

static void close_rig(struct rig *rig)
{
    test_folder_close(&rig->data);
    test_folder_close(&rig->to);
}

/* A backup of a day, noted; its bytes tell it from others. */
static void write_one(struct rig *rig, int day)
{
    char name[BACKUP_NAME_BYTES];
    snprintf(name, sizeof(name), "lodge-202611%02dT021500Z.backup", day);
    assert_ok(file_write(rig->to.fd, name, str_from(name), 0600));
    assert_ok(backup_keep_note(rig->data.fd, rig->to.fd, name));
}

static void tell(void *context, const char *name, bool gone)
{
    struct rig *rig = context;
    size_t len = strlen(rig->gone);
    snprintf(rig->gone + len, sizeof(rig->gone) - len, "%s%.2s", gone ? "" : "!", name + 12);
}

static void assert_gone(struct rig *rig, size_t n, const char *last, const char *want)
{
    rig->gone[0] = '\0';
    assert_ok(backup_keep(rig->data.fd, rig->to.fd, n, last, tell, rig));
    assert_string_equal(rig->gone, want);
}

static bool is_there(const struct rig *rig, const char *name)
{
    return faccessat(rig->to.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

TEST(the_newest_stay_and_the_others_go)
{
    struct rig rig;
    open_rig(&rig);
    for (int day = 10; day <= 14; day++) {
        write_one(&rig, day);
    }
    assert_gone(&rig, 9, "lodge-20261114T021500Z.backup", "");
    assert_gone(&rig, 3, "lodge-20261114T021500Z.backup", "1110");
    assert_false(is_there(&rig, "lodge-20261110T021500Z.backup"));
    assert_true(is_there(&rig, "lodge-20261112T021500Z.backup"));
    assert_gone(&rig, 1, "lodge-20261114T021500Z.backup", "1312");
    close_rig(&rig);
}

TEST(the_last_one_stays_also_where_the_clock_was_set_back)
{
    struct rig rig;
    open_rig(&rig);
    write_one(&rig, 20);
    write_one(&rig, 21);
    write_one(&rig, 3);
    assert_gone(&rig, 1, "lodge-20261103T021500Z.backup", "2120");
    assert_true(is_there(&rig, "lodge-20261103T021500Z.backup"));
    close_rig(&rig);
}

TEST(what_this_folder_did_not_write_or_what_was_changed_since_stays)
{
    static const char *const others[] = {"lodge-20261101T021500Z.backup", "keys.backup",
                                         "lodge-20261102T021500Z.backup.old", "letter.txt"};
    struct rig rig;
    struct buf bytes;
    open_rig(&rig);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_ok(file_write(rig.to.fd, others[i], STR("another's"), 0600));
    }
    write_one(&rig, 10);
    write_one(&rig, 11);
    write_one(&rig, 12);
    write_one(&rig, 13);
    /* Longer; other bytes of the same length; a link in its place. */
    assert_ok(file_write(rig.to.fd, "lodge-20261110T021500Z.backup",
                         STR("lodge-20261110T021500Z.backup and more"), 0600));
    assert_ok(file_write(rig.to.fd, "lodge-20261111T021500Z.backup",
                         STR("lodge-20261110T021500Z.backup"), 0600));
    assert_int_equal(unlinkat(rig.to.fd, "lodge-20261112T021500Z.backup", 0), 0);
    assert_int_equal(symlinkat("letter.txt", rig.to.fd, "lodge-20261112T021500Z.backup"), 0);
    assert_gone(&rig, 1, "lodge-20261113T021500Z.backup", "");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(is_there(&rig, others[i]));
    }
    /* A list that somebody wrote into describes nothing but backups. */
    buf_init(&bytes, 4096);
    assert_ok(file_read(rig.data.fd, BACKUP_WRITTEN, &bytes));
    buf_append(&bytes, STR("letter.txt 9 "
                           "0000000000000000000000000000000000000000000000000000000000000000\n"
                           "../../etc/passwd 1 x\n\nlodge-20261399T021500Z.backup 1 y\n \n"));
    assert_ok(file_write(rig.data.fd, BACKUP_WRITTEN, buf_str(&bytes), 0600));
    assert_gone(&rig, 1, "lodge-20261113T021500Z.backup", "");
    buf_fini(&bytes);
    close_rig(&rig);
}

TESTS_MAIN(unit(the_newest_stay_and_the_others_go),
           unit(the_last_one_stays_also_where_the_clock_was_set_back),
           unit(what_this_folder_did_not_write_or_what_was_changed_since_stays))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outbound/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/test.h"

struct entry {
    const char *path;
    unsigned kind;
    const char *data;
    const char *link;
};

struct place {
    char folder[64];
    int folder_fd;
    int archive_fd;
};

static void place_init(struct place *place)
{
    snprintf(place->folder, sizeof(place->folder), "/tmp/lodge-unpack-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->folder_fd = open(place->folder, O_RDONLY | O_DIRECTORY);
    assert_true(place->folder_fd >= 0);
    place->archive_fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_true(place->archive_fd >= 0);
}

static void place_fini(struct place *place)
{
    static const char *const known[] = {"adult/domains", "adult/urls", "domains", "a/b/list",
                                        "a/b",           "adult",      "a"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        (void)unlinkat(place->folder_fd, known[i], 0);
        (void)unlinkat(place->folder_fd, known[i], AT_REMOVEDIR);
    }
    assert_int_equal(rmdir(place->folder), 0); /* nothing else was made */
    close(place->folder_fd);
    close(place->archive_fd);
}

static void pack(struct place *place, const struct entry *entries, size_t n)
{
    struct archive *archive = archive_write_new();
    assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_gnutar(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_fd(archive, place->archive_fd), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        size_t size = entries[i].data != NULL ? strlen(entries[i].data) : 0;
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, entries[i].path);
        archive_entry_set_filetype(entry, entries[i].kind);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)size);
        if (entries[i].kind == AE_IFLNK) {
            archive_entry_set_symlink(entry, entries[i].link);
        } else if (entries[i].link != NULL) {
            archive_entry_set_hardlink(entry, entries[i].link);
        }
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(archive, entries[i].data, size), (int)size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    assert_int_equal(lseek(place->archive_fd, 0, SEEK_SET), 0);
}

static enum err unpack(struct place *place, uint64_t max_bytes, size_t max_files,
                       struct unpack_result *result)
{
    struct unpack_limits limits = {.max_bytes = max_bytes, .max_files = max_files};
    return unpack_run(place->archive_fd, place->folder_fd, &limits, result);
}

TEST(lists_are_taken_and_everything_else_is_passed_over)
{
    static const struct entry entries[] = {
        {"adult/", AE_IFDIR, NULL, NULL},
        {"adult/domains", AE_IFREG, "a.example\n", NULL},
        {"./adult/urls", AE_IFREG, "b.example/x\n", NULL},
        {"domains", AE_IFREG, "c.example\n", NULL},
        {"a/b/list", AE_IFREG, "d.example\n", NULL},
        {"a/b/c/deep", AE_IFREG, "x", NULL},
        {"../escape", AE_IFREG, "x", NULL},
        {"adult/../../escape", AE_IFREG, "x", NULL},
        {"/tmp/lodge-escape", AE_IFREG, "x", NULL},
        {"adult/link", AE_IFLNK, NULL, "/etc/passwd"},
        {"adult/hard", AE_IFREG, NULL, "adult/domains"},
        {"adult/.hidden", AE_IFREG, "x", NULL},
        {"adult/sp ace", AE_IFREG, "x", NULL},
        {"adult/fifo", AE_IFIFO, NULL, NULL},
    };
    struct place place;
    struct unpack_result result;
    place_init(&place);
    pack(&place, entries, sizeof(entries) / sizeof(entries[0]));
    assert_ok(unpack(&place, 1 << 20, 100, &result));
    assert_int_equal(result.files, 4);
    assert_int_equal(result.passed_over, 9);
    char got[64];
    int fd = openat(place.folder_fd, "adult/domains", O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, got, sizeof(got));
    close(fd);
    assert_str_eq(str_make(got, (size_t)n), STR("a.example\n"));
    assert_int_not_equal(access("/tmp/lodge-escape", F_OK), 0);
    place_fini(&place);
}

TEST(limits_hold)
{
    static const struct entry entries[] = {
        {"adult/domains", AE_IFREG, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"adult/urls", AE_IFREG, "b", NULL},
    };
    struct place place;
    struct unpack_result result;
    place_init(&place);
    pack(&place, entries, 2);
    assert_err(unpack(&place, 16, 100, &result), ERR_LIMIT);
    assert_non_null(strstr(result.why, "more bytes"));
    place_fini(&place);
    place_init(&place);
    pack(&place, entries, 2);
    assert_err(unpack(&place, 1000, 1, &result), ERR_LIMIT);
    assert_non_null(strstr(result.why, "more files"));
    place_fini(&place);
}

TEST(what_is_no_archive_or_holds_nothing_is_refused)
{
    static const struct entry none[] = {{"adult/", AE_IFDIR, NULL, NULL}};
    static const struct entry twice[] = {
        {"domains", AE_IFREG, "a", NULL},
        {"domains", AE_IFREG, "b", NULL},
    };
    struct place place;
    struct unpack_result result;
    place_init(&place);
    assert_int_equal(write(place.archive_fd, "<html>not found</html>", 22), 22);
    assert_int_equal(lseek(place.archive_fd, 0, SEEK_SET), 0);
    assert_err(unpack(&place, 1000, 10, &result), ERR_INVALID);
    assert_true(result.why[0] != '\0');
    place_fini(&place);
    place_init(&place);
    pack(&place, none, 1);
    assert_err(unpack(&place, 1000, 10, &result), ERR_INVALID);
    place_fini(&place);
    place_init(&place);
    pack(&place, twice, 2);
    assert_err(unpack(&place, 1000, 10, &result), ERR_INVALID);
    place_fini(&place);
}

TEST(a_cut_archive_is_refused)
{
    static const struct entry entries[] = {{"domains", AE_IFREG, "a.example\nb.example\n", NULL}};
    struct place place;
    struct unpack_result result;
    place_init(&place);
    pack(&place, entries, 1);
    off_t size = lseek(place.archive_fd, 0, SEEK_END);
    assert_int_equal(ftruncate(place.archive_fd, size / 2), 0);
    assert_int_equal(lseek(place.archive_fd, 0, SEEK_SET), 0);
    assert_err(unpack(&place, 1000, 10, &result), ERR_INVALID);
    place_fini(&place);
}

TESTS_MAIN(unit(lists_are_taken_and_everything_else_is_passed_over), unit(limits_hold),
           unit(what_is_no_archive_or_holds_nothing_is_refused), unit(a_cut_archive_is_refused))

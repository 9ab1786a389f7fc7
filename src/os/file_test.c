/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/test.h"

static char folder[64];
static int dir_fd;

static void begin(void)
{
    snprintf(folder, sizeof(folder), "/tmp/lodge-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(file_open_dir(AT_FDCWD, folder, &dir_fd));
}

static size_t count_entries(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        n++;
    }
    closedir(dir);
    return n - 2;
}

static void end(void)
{
    assert_int_equal(count_entries(), 0);
    close(dir_fd);
    assert_int_equal(rmdir(folder), 0);
}

static void expect(const char *path, struct str want)
{
    struct buf got;
    buf_init(&got, 1 << 20);
    assert_ok(file_read(dir_fd, path, &got));
    assert_str_eq(buf_str(&got), want);
    buf_fini(&got);
}

TEST(a_file_is_put_in_place_as_a_whole)
{
    struct stat stat;
    begin();
    assert_ok(file_write(dir_fd, "a", STR("one"), 0640));
    expect("a", STR("one"));
    assert_ok(file_write(dir_fd, "a", STR(""), 0600));
    expect("a", STR(""));
    assert_int_equal(fstatat(dir_fd, "a", &stat, 0), 0);
    assert_int_equal(stat.st_mode & 0777, 0600);
    assert_int_equal(count_entries(), 1);
    assert_int_equal(unlinkat(dir_fd, "a", 0), 0);
    end();
}

TEST(a_dropped_file_leaves_the_old_one_and_nothing_else)
{
    struct file_new file;
    begin();
    assert_ok(file_write(dir_fd, "a", STR("old"), 0600));
    assert_ok(file_new_open(dir_fd, "a", 0600, &file));
    assert_ok(file_write_all(file.fd, STR("new")));
    expect("a", STR("old"));
    file_new_drop(&file);
    expect("a", STR("old"));
    assert_int_equal(count_entries(), 1);
    assert_int_equal(unlinkat(dir_fd, "a", 0), 0);
    end();
}

TEST(what_cannot_be_read_or_written_is_an_error)
{
    struct buf got;
    struct file_new file;
    begin();
    buf_init(&got, 4);
    assert_err(file_read(dir_fd, "absent", &got), ERR_NOT_FOUND);
    assert_err(file_read(dir_fd, ".", &got), ERR_INVALID);
    assert_err(file_new_open(dir_fd, "absent/a", 0600, &file), ERR_NOT_FOUND);
    assert_err(file_new_open(dir_fd, "x/", 0600, &file), ERR_NOT_FOUND);
    assert_err(file_new_open(dir_fd, "", 0600, &file), ERR_INVALID);
    assert_ok(file_write(dir_fd, "a", STR("12345"), 0600));
    assert_err(file_read(dir_fd, "a", &got), ERR_LIMIT);
    assert_ok(file_write(dir_fd, "a", STR("1234"), 0600));
    buf_clear(&got);
    assert_ok(file_read(dir_fd, "a", &got));
    assert_str_eq(buf_str(&got), STR("1234"));
    buf_fini(&got);
    assert_int_equal(unlinkat(dir_fd, "a", 0), 0);
    end();
}

TEST(a_mapping_outlives_name_and_descriptor)
{
    struct file_map map;
    begin();
    assert_ok(file_write(dir_fd, "a", STR("mapped"), 0600));
    int fd = openat(dir_fd, "a", O_RDONLY | O_CLOEXEC);
    assert_ok(file_map_fd(fd, &map));
    close(fd);
    assert_int_equal(unlinkat(dir_fd, "a", 0), 0);
    assert_str_eq(map.bytes, STR("mapped"));
    file_map_fini(&map);
    file_map_fini(&map);
    assert_ok(file_write(dir_fd, "a", STR(""), 0600));
    fd = openat(dir_fd, "a", O_RDONLY | O_CLOEXEC);
    assert_ok(file_map_fd(fd, &map));
    assert_int_equal(map.bytes.len, 0);
    file_map_fini(&map);
    close(fd);
    assert_err(file_map_fd(dir_fd, &map), ERR_INVALID);
    assert_int_equal(unlinkat(dir_fd, "a", 0), 0);
    end();
}

TEST(folders_are_made_with_those_above_them)
{
    begin();
    assert_ok(file_make_dirs(dir_fd, "a/b//c", 0700));
    assert_ok(file_make_dirs(dir_fd, "a/b/c", 0700));
    assert_ok(file_write(dir_fd, "a/b/c/d", STR("deep"), 0600));
    expect("a/b/c/d", STR("deep"));
    assert_err(file_make_dirs(dir_fd, "a/b/c/d/e", 0700), ERR_SYSTEM);
    assert_int_equal(errno, ENOTDIR);
    assert_err(file_make_dirs(dir_fd, "", 0700), ERR_INVALID);
    assert_int_equal(unlinkat(dir_fd, "a/b/c/d", 0), 0);
    assert_int_equal(unlinkat(dir_fd, "a/b/c", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(dir_fd, "a/b", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(dir_fd, "a", AT_REMOVEDIR), 0);
    end();
}

TEST(a_copy_has_the_same_bytes_also_across_file_systems)
{
    static char bytes[300000];
    struct file_new file;
    int fd;
    begin();
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7 + i / 251);
    }
    assert_ok(file_memory("test", str_make(bytes, sizeof(bytes)), &fd));
    assert_ok(file_new_open(dir_fd, "a", 0600, &file));
    assert_ok(file_copy_fd(fd, file.fd));
    assert_ok(file_new_commit(&file));
    close(fd);
    expect("a", str_make(bytes, sizeof(bytes)));
    fd = openat(dir_fd, "a", O_RDONLY | O_CLOEXEC);
    assert_ok(file_new_open(dir_fd, "b", 0600, &file));
    assert_ok(file_copy_fd(fd, file.fd));
    assert_ok(file_new_commit(&file));
    close(fd);
    expect("b", str_make(bytes, sizeof(bytes)));
    assert_int_equal(unlinkat(dir_fd, "a", 0), 0);
    assert_int_equal(unlinkat(dir_fd, "b", 0), 0);
    end();
}

TEST(a_file_in_memory_cannot_be_changed)
{
    int fd;
    assert_ok(file_memory("test", STR("fixed"), &fd));
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
    struct file_map map; /* whole, wherever somebody else has read to */
    assert_ok(file_map_fd(fd, &map));
    assert_str_eq(map.bytes, STR("fixed"));
    file_map_fini(&map);
    close(fd);
}

TEST(only_what_is_sealed_and_small_enough_is_mapped_as_another_made_it)
{
    struct file_map map;
    int fd;
    assert_ok(file_memory("test", STR("fixed"), &fd));
    assert_ok(file_map_sealed(fd, 5, &map));
    assert_str_eq(map.bytes, STR("fixed"));
    file_map_fini(&map);
    assert_err(file_map_sealed(fd, 4, &map), ERR_LIMIT);
    close(fd);
    fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_err(file_map_sealed(fd, 5, &map), ERR_INVALID);
    close(fd);
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    assert_err(file_map_sealed(pair[0], 5, &map), ERR_INVALID);
    close(pair[0]);
    close(pair[1]);
}

TESTS_MAIN(unit(only_what_is_sealed_and_small_enough_is_mapped_as_another_made_it),
           unit(a_file_is_put_in_place_as_a_whole),
           unit(a_dropped_file_leaves_the_old_one_and_nothing_else),
           unit(what_cannot_be_read_or_written_is_an_error),
           unit(a_mapping_outlives_name_and_descriptor),
           unit(folders_are_made_with_those_above_them),
           unit(a_copy_has_the_same_bytes_also_across_file_systems),
           unit(a_file_in_memory_cannot_be_changed))

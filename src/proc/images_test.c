/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/images.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/file.h"
#include "policy/state.h"

static char folder[64];
static char path[128];
static struct images images;
static struct buf why;
static struct buf image;
static int dir_fd;

static void begin(void)
{
    snprintf(folder, sizeof(folder), "/tmp/lodge-images-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(file_open_dir(AT_FDCWD, folder, &dir_fd));
    assert_ok(file_make_dirs(dir_fd, "images", 0700));
    snprintf(path, sizeof(path), "%s/state.img", folder);
    buf_init(&why, 4096);
    buf_init(&image, 65536);
    for (size_t i = 0; i < IMAGE_COUNT; i++) {
        images.slots[i] = (struct image_slot){.path = "", .fd = -1};
    }
    images.slots[IMAGE_STATE].path = path;
    assert_ok(file_open_dir(dir_fd, "images", &images.folder_fd));
}

/* The number of files in DIR/images; removes them where asked. */
static size_t count_kept(bool remove)
{
    char inner[80];
    size_t n = 0;
    snprintf(inner, sizeof(inner), "%s/images", folder);
    DIR *list = opendir(inner);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            n++;
            if (remove) {
                assert_int_equal(unlinkat(dirfd(list), entry->d_name, 0), 0);
            }
        }
    }
    closedir(list);
    return n;
}

static void end(void)
{
    images_close(&images);
    (void)count_kept(true);
    (void)unlinkat(dir_fd, "state.img", 0);
    assert_int_equal(unlinkat(dir_fd, "images", AT_REMOVEDIR), 0);
    close(dir_fd);
    assert_int_equal(rmdir(folder), 0);
    buf_fini(&why);
    buf_fini(&image);
}

/* Puts a state image of one person in place. */
static void put_state(const char *person)
{
    struct buf json;
    buf_init(&json, 4096);
    buf_printf(
        &json,
        "{\"lodge_state\": 1, \"people\": [{\"id\": \"%s\", \"group\": \"g\", \"agreement\": "
        "{\"signed\": true, \"current\": true, \"parent\": true, \"until\": "
        "\"2099-01-01T00:00Z\"}}]}",
        person);
    buf_clear(&image);
    assert_ok(state_build(buf_str(&json), &image, &why));
    assert_ok(file_write(dir_fd, "state.img", buf_str(&image), 0600));
    buf_fini(&json);
}

static bool take(enum err want)
{
    bool changed = false;
    buf_clear(&why);
    assert_err(images_take(&images, IMAGE_STATE, &changed, &why), want);
    return changed;
}

TEST(an_image_is_taken_once_and_again_when_its_contents_change)
{
    begin();
    put_state("a");
    assert_true(take(ERR_OK));
    uint64_t first = images.slots[IMAGE_STATE].generation;
    assert_false(take(ERR_OK));
    put_state("a"); /* another file, the same contents */
    assert_false(take(ERR_OK));
    put_state("b");
    assert_true(take(ERR_OK));
    assert_true(images.slots[IMAGE_STATE].generation != first);
    assert_int_equal(count_kept(false), 2); /* past states are kept */
    end();
}

TEST(an_image_that_the_clerk_has_not_published_yet_may_be_absent)
{
    begin();
    assert_false(take(ERR_SYSTEM));
    images.slots[IMAGE_STATE].optional = true;
    assert_false(take(ERR_OK));
    put_state("a");
    assert_true(take(ERR_OK));
    images.slots[IMAGE_STATE].optional = false;
    end();
}

TEST(an_image_of_the_clerk_that_an_older_program_made_does_not_stop_the_start)
{
    begin();
    images.slots[IMAGE_STATE].optional = true;
    assert_ok(file_write(dir_fd, "state.img", STR("an older form"), 0600));
    assert_false(take(ERR_OK));
    assert_int_equal(why.len, 0); /* for the next image's */
    assert_int_equal(images.slots[IMAGE_STATE].fd, -1);
    put_state("a");
    assert_true(take(ERR_OK));
    assert_ok(file_write(dir_fd, "state.img", STR("and once more"), 0600));
    assert_false(take(ERR_INVALID)); /* with one in force it is a fault that must be told */
    images.slots[IMAGE_STATE].optional = false;
    end();
}

TEST(past_images_go_when_they_are_old_but_the_last_never)
{
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    static const char *const names[] = {"state-1.img", "state-2.img", "policy-1.json",
                                        "catalog-1.img"};
    begin();
    for (size_t i = 0; i < 4; i++) {
        assert_ok(file_write(images.folder_fd, names[i], STR("x"), 0600));
        old[1].tv_sec = 1000 + (time_t)i;
        assert_int_equal(utimensat(images.folder_fd, names[i], old, 0), 0);
    }
    images_prune(images.folder_fd, 999 * 1000);
    assert_int_equal(count_kept(false), 4);
    images_prune(images.folder_fd, 2000 * 1000);
    assert_int_equal(count_kept(false), 3);
    assert_int_equal(faccessat(images.folder_fd, "state-1.img", F_OK, 0), -1);
    assert_int_equal(faccessat(images.folder_fd, "state-2.img", F_OK, 0), 0);
    end();
}

TEST(a_damaged_image_is_refused_with_the_reason_and_the_old_one_stays)
{
    begin();
    put_state("a");
    assert_true(take(ERR_OK));
    int fd = images.slots[IMAGE_STATE].fd;
    struct str whole = buf_str(&image);
    for (size_t len = 0; len < whole.len; len += 7) {
        assert_ok(file_write(dir_fd, "state.img", str_sub(whole, 0, len), 0600));
        assert_false(take(ERR_INVALID));
        assert_true(why.len > 0);
        assert_int_equal(images.slots[IMAGE_STATE].fd, fd);
        assert_false(take(ERR_OK)); /* looked at once, not at every turn */
    }
    assert_int_equal(count_kept(false), 1); /* nothing of them stays */
    end();
}

TEST(what_is_in_force_does_not_follow_a_file_written_in_place)
{
    struct state *state;
    const char *text;
    begin();
    put_state("a");
    assert_true(take(ERR_OK));
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    close(fd);
    assert_ok(state_open(images.slots[IMAGE_STATE].fd, &state, &text));
    state_free(state);
    assert_int_equal(write(images.slots[IMAGE_STATE].fd, "x", 1), -1);
    end();
}

TEST(a_missing_file_is_told_and_none_named_is_fine)
{
    bool changed;
    begin();
    assert_false(take(ERR_SYSTEM));
    assert_str_eq(buf_str(&why), STR("No such file or directory"));
    put_state("a");
    assert_true(take(ERR_OK)); /* it came later */
    assert_ok(images_take(&images, IMAGE_POLICY, &changed, &why));
    assert_false(changed);
    images.slots[IMAGE_STATE].path = folder;
    assert_false(take(ERR_INVALID));
    end();
}

TEST(a_policy_is_checked_by_its_own_reader)
{
    char preset[512];
    const char *source = getenv("LODGE_SOURCE");
    assert_non_null(source);
    begin();
    snprintf(preset, sizeof(preset), "%s/presets/church-primary.json", source);
    assert_ok(image_check(IMAGE_POLICY, preset, &why));
    put_state("a");
    assert_err(image_check(IMAGE_POLICY, path, &why), ERR_INVALID);
    assert_err(image_check(IMAGE_CATALOG, path, &why), ERR_INVALID);
    assert_ok(image_check(IMAGE_STATE, path, &why));
    assert_err(image_check(IMAGE_STATE, "/nonexistent", &why), ERR_NOT_FOUND);
    end();
}

TESTS_MAIN(unit(an_image_that_the_clerk_has_not_published_yet_may_be_absent),
           unit(an_image_of_the_clerk_that_an_older_program_made_does_not_stop_the_start),
           unit(past_images_go_when_they_are_old_but_the_last_never),
           unit(an_image_is_taken_once_and_again_when_its_contents_change),
           unit(a_damaged_image_is_refused_with_the_reason_and_the_old_one_stays),
           unit(what_is_in_force_does_not_follow_a_file_written_in_place),
           unit(a_missing_file_is_told_and_none_named_is_fine),
           unit(a_policy_is_checked_by_its_own_reader))

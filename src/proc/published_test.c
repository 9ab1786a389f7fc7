/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/published.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/folder.h"
#include "lib/test.h"
#include "os/file.h"
#include "proc/passwords.h"
#include "proc/publisher.h"

struct rig {
    struct test_folder folder;
    int images, passwords;
    struct stat seen;
};

static void begin(struct rig *rig)
{
    *rig = (struct rig){0};
    test_folder_open(&rig->folder);
    assert_ok(file_make_dirs(rig->folder.fd, "images", 0700));
    assert_ok(file_make_dirs(rig->folder.fd, "auth", 0700));
    assert_ok(file_open_dir(rig->folder.fd, "images", &rig->images));
    assert_ok(file_open_dir(rig->folder.fd, "auth", &rig->passwords));
}

static void end(struct rig *rig)
{
    close(rig->images);
    close(rig->passwords);
    test_folder_close(&rig->folder);
}

static void expect(const struct rig *rig, const char *want)
{
    struct buf text;
    buf_init(&text, 4096);
    enum err err = file_read(rig->passwords, PASSWORDS_NAME, &text);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    assert_str_eq(buf_str(&text), str_from(want));
    buf_fini(&text);
}

static enum err publish(struct rig *rig, const char *text)
{
    assert_ok(file_write(rig->images, PUBLISHED_PASSWORDS, str_from(text), 0600));
    return published_passwords_take(rig->images, rig->passwords, &rig->seen);
}

TEST(what_the_clerk_publishes_becomes_auths_file)
{
    struct rig rig;
    begin(&rig);
    assert_ok(published_passwords_take(rig.images, rig.passwords, &rig.seen)); /* nothing yet */
    expect(&rig, "");
    assert_ok(publish(&rig, "amara:$a$\nzoe:$b$\n"));
    expect(&rig, "amara:$a$\nzoe:$b$\n");
    assert_ok(publish(&rig, ""));
    expect(&rig, "");
    end(&rig);
}

TEST(what_is_no_file_of_passwords_is_refused_and_the_old_one_stays)
{
    static const char *const bad[] = {"zoe:$b$\namara:$a$\n",
                                      "amara:$a$\namara:$b$\n",
                                      "amara\n",
                                      "amara:\n",
                                      "a b:$a$\n",
                                      "amara:$a$"};
    struct rig rig;
    begin(&rig);
    assert_ok(publish(&rig, "amara:$a$\n"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_err(publish(&rig, bad[i]), ERR_INVALID);
        expect(&rig, "amara:$a$\n");
    }
    end(&rig);
}

TEST(a_link_in_its_place_is_not_followed)
{
    struct rig rig;
    begin(&rig);
    assert_ok(file_write(rig.images, "other", STR("amara:$a$\n"), 0600));
    assert_int_equal(symlinkat("other", rig.images, PUBLISHED_PASSWORDS), 0);
    assert_err(published_passwords_take(rig.images, rig.passwords, &rig.seen), ERR_SYSTEM);
    expect(&rig, "");
    end(&rig);
}

TESTS_MAIN(unit(what_the_clerk_publishes_becomes_auths_file),
           unit(what_is_no_file_of_passwords_is_refused_and_the_old_one_stays),
           unit(a_link_in_its_place_is_not_followed))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder of its own for a test, which goes with all that is in it.
 *
 *     struct test_folder at;
 *     test_folder_open(&at);     ... at.fd, at.path
 *     test_folder_close(&at);
 */
#ifndef LODGE_TESTS_FOLDER_H
#define LODGE_TESTS_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/file.h"

enum { TEST_PATH_BYTES = 256 };

struct test_folder {
    int fd;
    char path[TEST_PATH_BYTES];
};

static int test_folder_remove(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void test_folder_open(struct test_folder *at)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(at->path, sizeof(at->path), "%s/lodge-test-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(at->path));
    assert_ok(file_open_dir(AT_FDCWD, at->path, &at->fd));
}

static inline void test_folder_close(struct test_folder *at)
{
    close(at->fd);
    assert_int_equal(nftw(at->path, test_folder_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif

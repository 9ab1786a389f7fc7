/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store of its own for each test, new and with all migrations.
 *
 *     struct test_store at;
 *     test_store_open(&at);       ... at.store, in folder at.folder (a descriptor, for keys too)
 *     test_store_close(&at);
 */
#ifndef LODGE_TESTS_STORE_H
#define LODGE_TESTS_STORE_H

#include "base/buf.h"
#include "lib/folder.h"
#include "lib/test.h"
#include "store/store.h"

enum { TEST_PLACE_BYTES = 512 };

struct test_store {
    struct store *store;
    int folder; /* of in, for short */
    struct test_folder in;
    char place[TEST_PLACE_BYTES]; /* as store_open takes it */
};

/* Opens the store that test_store_open made once more, beside it or behind its store_close. */
static inline struct store *test_store_again(const struct test_store *at)
{
    struct store *store = NULL;
    struct buf why;
    buf_init(&why, 1024);
    enum err err = store_open(at->place, &store, &why);
    if (err != ERR_OK) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    return store;
}

static inline void test_store_open(struct test_store *at)
{
    test_folder_open(&at->in);
    at->folder = at->in.fd;
    assert_true(snprintf(at->place, sizeof(at->place), "%s/store.db", at->in.path) <
                (int)sizeof(at->place));
    at->store = test_store_again(at);
}

static inline void test_store_close(struct test_store *at)
{
    store_close(at->store);
    test_folder_close(&at->in);
}

#endif

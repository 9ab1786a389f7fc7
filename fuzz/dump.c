/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the tables of a dump: what loads is a store that opens, and what does not says why.
 * The migrations in front of the tables are those of this program. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "store/dump.h"

enum { ROOM = 1 << 20, PATH_BYTES = 256, MIGRATION_BYTES = 1 + 4 + SHA256_BYTES };

static char folder[PATH_BYTES];
static char place[PATH_BYTES + 16];
static struct buf head;

static enum err put(void *to, struct str bytes)
{
    buf_append(to, bytes);
    return buf_err(to);
}

static enum err get(void *from, void *bytes, size_t n)
{
    struct str *rest = from;
    if (rest->len < n) {
        return ERR_TRUNCATED;
    }
    memcpy(bytes, rest->p, n);
    *rest = str_skip(*rest, n);
    return ERR_OK;
}

static void clear(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[PATH_BYTES + 32];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", place, ends[i]);
        (void)unlink(path);
    }
}

static void leave(void)
{
    clear();
    buf_fini(&head);
    CHECK(rmdir(folder) == 0);
}

/* The migrations are what an empty store's dump begins with. */
static void start(void)
{
    static struct dump_report report;
    struct store *store;
    struct buf whole, why;
    const char *temporary = getenv("TMPDIR");
    const struct dump_to to = {.put = put, .to = &whole};
    buf_init(&whole, ROOM);
    buf_init(&why, 1024);
    buf_init(&head, ROOM);
    snprintf(folder, sizeof(folder), "%s/lodge-fuzz-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    CHECK(mkdtemp(folder) != NULL && atexit(leave) == 0);
    snprintf(place, sizeof(place), "%s/store.db", folder);
    CHECK(store_open(place, &store, &why) == ERR_OK);
    CHECK(store_dump(store, &to, &report, &why) == ERR_OK);
    store_close(store);
    size_t n = 0;
    while (whole.p[n] == 'M') {
        n += MIGRATION_BYTES;
    }
    buf_append(&head, str_sub(buf_str(&whole), 0, n));
    buf_fini(&whole);
    buf_fini(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dump_report report;
    struct store *store = NULL;
    struct buf text, why;
    if (folder[0] == '\0') {
        start();
    }
    clear();
    buf_init(&why, 4096);
    buf_init(&text, 2 * (size_t)ROOM);
    buf_append(&text, buf_str(&head));
    buf_append(&text, str_make((const char *)data, size));
    struct str rest = buf_str(&text);
    const struct dump_from from = {.get = get, .from = &rest};
    enum err err = store_load(place, &from, &store, &report, &why);
    CHECK(err == ERR_OK || err == ERR_TRUNCATED || err == ERR_LIMIT || why.len != 0);
    store_close(store);
    buf_fini(&text);
    buf_fini(&why);
    return 0;
}

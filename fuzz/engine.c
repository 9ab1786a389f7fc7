/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes what reaches the register engine from outside: an object of JSON, or a table. What is
 * refused has a sentence; what is taken can be read, and its own values change nothing. The first
 * byte chooses a register and which of the two the rest is. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"
#include "records/engine.h"

enum { TODAY = 20779, PATH_BYTES = 256 };

static char folder[PATH_BYTES];
static struct engine engine;

static const struct actor someone = {
    .school = STR_INIT("oak"), .operator= true, .now_ms = 1, .today = TODAY};

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

static void leave(void)
{
    store_close(engine.store);
    keys_close(engine.keys);
    CHECK(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void start(void)
{
    char place[PATH_BYTES + 16];
    const char *temporary = getenv("TMPDIR");
    const struct store_value school[] = {store_text(STR("oak")), store_text(STR("Oak")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    struct buf why;
    int fd;
    buf_init(&why, 1024);
    snprintf(folder, sizeof(folder), "%s/lodge-fuzz-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(file_open_dir(AT_FDCWD, folder, &fd) == ERR_OK);
    snprintf(place, sizeof(place), "%s/store.db", folder);
    CHECK(store_open(place, &engine.store, &why) == ERR_OK);
    CHECK(keys_open(fd, &engine.keys, &why) == ERR_OK);
    CHECK(atexit(leave) == 0);
    CHECK(store_begin(engine.store, STR(""), STORE_WRITE) == ERR_OK);
    CHECK(store_run(engine.store, STATEMENT_SCHOOL_ADD, school, 5, NULL) == ERR_OK);
    CHECK(store_commit(engine.store) == ERR_OK);
    close(fd);
    buf_fini(&why);
}

static void check_made(const struct register_def *def, const struct record_id *made)
{
    struct str id = str_make(made->text, RECORD_ID_CHARS);
    json_t *record = NULL;
    json_t *again = NULL;
    CHECK(engine_get(&engine, &someone, def, id, &record) == ERR_OK);
    json_t *fields = json_object_get(record, "fields");
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(fields, next, name, value)
    {
        /* Closed ones. */
        if (json_is_null(value)) {
            json_object_del(fields, name);
        }
    }
    CHECK(engine_change(&engine, &someone, def, id, 1, fields, STR(""), NULL) == ERR_OK);
    CHECK(engine_get(&engine, &someone, def, id, &again) == ERR_OK);
    CHECK(json_integer_value(json_object_get(again, "version")) == 1);
    json_decref(record);
    json_decref(again);
}

static void try_object(const struct register_def *def, struct str text)
{
    struct record_id id;
    json_t *faults = NULL;
    json_t *input = json_loadb(text.len != 0 ? text.p : "", text.len, 0, NULL);
    if (!json_is_object(input)) {
        json_decref(input);
        return;
    }
    enum err err = engine_make(&engine, &someone, def, input, &id, &faults);
    CHECK(err == ERR_OK || (err == ERR_INVALID && json_object_size(faults) != 0));
    if (err == ERR_OK) {
        check_made(def, &id);
    }
    json_decref(faults);
    json_decref(input);
}

static void try_table(const struct register_def *def, struct str text)
{
    json_t *report = NULL;
    json_t *plan = json_object();
    const struct engine_import asked = {
        .csv = text, .plan = text.len % 2 == 0 ? plan : NULL, .dry = true};
    enum err err = engine_import_csv(&engine, &someone, def, &asked, &report);
    size_t faults = json_array_size(json_object_get(report, "faults"));
    CHECK((err == ERR_OK && faults == 0) || (err == ERR_INVALID && faults != 0));
    json_decref(report);
    json_decref(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (engine.store == NULL) {
        start();
    }
    if (size == 0) {
        return 0;
    }
    const struct register_def *def = REGISTERS[data[0] / 2 % N_REGISTERS];
    struct str rest = str_make((const char *)data + 1, size - 1);
    if (data[0] % 2 == 0) {
        try_object(def, rest);
    } else {
        try_table(def, rest);
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A school in a data folder that nothing serves yet: schoolseed DIR < lines of JSON.
 *
 *     {"make": "person", "as": "ada", "fields": {"name": "Ada Price", "kind": "pupil"}}
 *     {"make": "post", "fields": {"person": "$ada", ...}}     $name: the id of what was made so
 *     {"account": "ada", "log_on": "ada.price", "password": "..."}
 *
 * All by the operator, as `lodge user` and the first run do it. Driven by tests/lib/school.py. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/password.h"
#include "records/account.h"
#include "records/engine.h"
#include "web/document.h"

enum { SEED_ARENA = 1 << 20 };

struct seed {
    struct engine engine;
    struct actor operator;
    json_t *made; /* {name: id} */
};

static void fail(const char *what, enum err err, const char *why)
{
    fprintf(stderr, "schoolseed: %s: ERR_%s: %s\n", what, err_name(err), why);
    exit(1);
}

/* "$ada" is the id of what was made as "ada". */
static json_t *fields_of(const struct seed *seed, const json_t *line)
{
    json_t *fields = json_deep_copy(json_object_get(line, "fields"));
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(fields, next, name, value)
    {
        struct str text = document_get(fields, name);
        if (str_starts(text, STR("$"))) {
            (void)json_object_set(fields, name, document_member(seed->made, str_skip(text, 1)));
        }
    }
    return fields;
}

static void make(struct seed *seed, const json_t *line)
{
    struct record_id id;
    json_t *faults = NULL;
    json_t *fields = fields_of(seed, line);
    const struct register_def *def = register_find(document_get(line, "make"));
    enum err err = def == NULL
                       ? ERR_NOT_FOUND
                       : engine_make(&seed->engine, &seed->operator, def, fields, &id, &faults);
    if (err != ERR_OK) {
        char *why = json_dumps(faults, JSON_ENCODE_ANY);
        fail(document_get(line, "make").p, err, why != NULL ? why : "");
    }
    json_decref(fields);
    json_decref(faults);
    document_put_str(seed->made, document_get(line, "as"), str_from(id.text));
}

static void add_account(struct seed *seed, const json_t *line)
{
    char hash[PASSWORD_TEXT_MAX];
    struct record_id id;
    struct account_fault fault = {"", ""};
    enum err err = password_hash(document_get(line, "password"), hash);
    const struct account_new fresh = {
        .person = document_get_str(seed->made, document_get(line, "account")),
        .log_on = document_get(line, "log_on"),
        .hash = str_from(hash),
    };
    if (err == ERR_OK) {
        err = account_make(&seed->engine, &seed->operator, & fresh, &id, &fault);
    }
    if (err != ERR_OK) {
        fail(fresh.log_on.p, err, fault.why);
    }
}

static void add_school(struct seed *seed)
{
    const struct store_value values[] = {store_text(seed->operator.school),
                                         store_text(STR("Oak Primary")), store_text(STR("primary")),
                                         store_text(STR("123456")), store_number(1)};
    enum err err = store_begin(seed->engine.store, STR(""), STORE_WRITE);
    if (err == ERR_OK) {
        err = store_run(seed->engine.store, STATEMENT_SCHOOL_ADD, values, 5, NULL);
    }
    if (err == ERR_OK) {
        err = store_commit(seed->engine.store);
    }
    if (err != ERR_OK) {
        fail("the school", err, store_why(seed->engine.store));
    }
}

static void open_folder(struct seed *seed, const char *folder)
{
    char path[4096];
    struct buf why;
    buf_init(&why, 1024);
    snprintf(path, sizeof(path), "%s/store", folder);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/keys", folder);
    (void)mkdir(path, 0700);
    int keys = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/store/lodge.db", folder);
    enum err err = store_open(path, &seed->engine.store, &why);
    if (err == ERR_OK) {
        err = keys_open(keys, &seed->engine.keys, &why);
    }
    if (err != ERR_OK) {
        fail(folder, err, buf_cstr(&why));
    }
    close(keys);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    if (argc != 2) {
        return 2;
    }
    struct seed seed = {.made = json_object()};
    seed.operator=(struct actor){.school = STR("school"), .operator= true };
    seed.operator.now_ms = clock_utc_ms();
    seed.operator.today = clock_british_day(seed.operator.now_ms);
    open_folder(&seed, argv[1]);
    add_school(&seed);
    while (getline(&line, &size, stdin) > 0) {
        json_t *read = json_loads(line, 0, NULL);
        if (json_object_get(read, "make") != NULL) {
            make(&seed, read);
        } else {
            add_account(&seed, read);
        }
        json_decref(read);
    }
    free(line);
    (void)json_dumpf(seed.made, stdout, 0);
    json_decref(seed.made);
    keys_close(seed.engine.keys);
    store_close(seed.engine.store);
    return 0;
}

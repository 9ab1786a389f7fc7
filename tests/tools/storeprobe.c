/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lets a test fill a store from outside, as the operator: storeprobe PLACE KEYS-FOLDER SCHOOL WORDS
 *     found                       the school
 *     make REGISTER JSON          a record; prints its id
 *     list REGISTER               its records, as JSON
 *     dispose REGISTER ID VERSION
 *     acts                        how many the school's chain has, once it is found whole
 * Exit code 0, or 1 with the error's name. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/num.h"
#include "os/file.h"
#include "records/audit.h"
#include "records/engine.h"

struct probe {
    struct engine engine;
    struct actor actor;
    char **words;
};

static enum err found(struct probe *probe)
{
    struct store *store = probe->engine.store;
    const struct store_value values[] = {
        store_text(probe->actor.school), store_text(probe->actor.school),
        store_text(STR("primary")), store_text(STR("")), store_number(probe->actor.now_ms)};
    ERR_TRY(store_begin(store, STR(""), STORE_WRITE));
    ERR_TRY(store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
    return store_commit(store);
}

static enum err make(struct probe *probe)
{
    struct record_id id;
    json_t *faults = NULL;
    json_t *input = json_loads(probe->words[1], 0, NULL);
    CHECK(input != NULL);
    enum err err = engine_make(&probe->engine, &probe->actor,
                               register_find(str_from(probe->words[0])), input, &id, &faults);
    if (err == ERR_OK) {
        puts(id.text);
    } else if (faults != NULL) {
        json_dumpf(faults, stderr, 0);
    }
    json_decref(faults);
    json_decref(input);
    return err;
}

static enum err list(struct probe *probe)
{
    json_t *document = NULL;
    ERR_TRY(engine_list(&probe->engine, &probe->actor, register_find(str_from(probe->words[0])),
                        &(struct engine_query){0}, &document));
    json_dumpf(document, stdout, 0);
    json_decref(document);
    return ERR_OK;
}

static enum err dispose(struct probe *probe)
{
    json_t *faults = NULL;
    uint64_t version = 0;
    ERR_TRY(parse_u64(str_from(probe->words[2]), 1, UINT64_MAX, &version));
    enum err err =
        engine_dispose(&probe->engine, &probe->actor, register_find(str_from(probe->words[0])),
                       str_from(probe->words[1]), version, STR("due"), &faults);
    json_decref(faults);
    return err;
}

static enum err acts(struct probe *probe)
{
    struct audit_verdict verdict = {0};
    ERR_TRY(store_begin(probe->engine.store, probe->actor.school, STORE_READ));
    enum err err = audit_verify(probe->engine.store, probe->actor.school, 0, STR(""), &verdict);
    store_rollback(probe->engine.store);
    printf("%lld\n", (long long)verdict.acts);
    return err == ERR_OK && !verdict.whole ? ERR_INVALID : err;
}

static const struct {
    const char *name;
    int n_words;
    enum err (*run)(struct probe *probe);
} verbs[] = {{"found", 0, found},
             {"make", 2, make},
             {"list", 1, list},
             {"dispose", 3, dispose},
             {"acts", 0, acts}};

static enum err run(struct probe *probe, const char *name, int n_words)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0 && verbs[i].n_words == n_words) {
            return verbs[i].run(probe);
        }
    }
    return ERR_NOT_FOUND;
}

int main(int argc, char **argv)
{
    struct probe probe = {.actor = {.operator= true, .now_ms = clock_utc_ms()}};
    struct buf why;
    int fd;
    CHECK(argc >= 5);
    buf_init(&why, 4096);
    probe.actor.school = str_from(argv[3]);
    probe.actor.today = clock_british_day(probe.actor.now_ms);
    probe.words = argv + 5;
    enum err err = file_make_dirs(AT_FDCWD, argv[2], 0700);
    if (err == ERR_OK) {
        err = file_open_dir(AT_FDCWD, argv[2], &fd);
    }
    if (err == ERR_OK) {
        err = keys_open(fd, &probe.engine.keys, &why);
        close(fd);
    }
    if (err == ERR_OK) {
        err = store_open(argv[1], &probe.engine.store, &why);
    }
    if (err == ERR_OK) {
        err = run(&probe, argv[4], argc - 5);
        store_close(probe.engine.store);
    }
    keys_close(probe.engine.keys);
    if (err != ERR_OK) {
        fprintf(stderr, "%s %.*s\n", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    return err == ERR_OK ? 0 : 1;
}

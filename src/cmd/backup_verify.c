/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge backup verify: restores a backup into a folder that goes again, compares all of it with
 * what the backup says of itself and the audit's chains with those of today, and notes the test
 * (S4). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/backup_key.h"
#include "cmd/backup_read.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "records/audit.h"
#include "records/restored.h"

enum { PATH_BYTES = 4200, WHY_MAX = 2048, SCHOOLS_MAX = 4096, ARENA_MAX = 1024 * 1024 };

static const char details[] =
    "FILE is a backup; " BACKUP_KEYS_NAME
    " is taken from beside it, or from --keys. KEY holds the\n"
    "private half of the key: bring it from the safe on a stick and take it away again. All rows\n"
    "are read back into a folder below DIR, counted, compared by their digests, every record's "
    "key\n"
    "is opened, and the audit's chain of each school is walked and compared with today's. The\n"
    "folder is removed, and the test noted as a record of each school.\n"
    "\n"
    "Exit codes: 0 whole; 1 broken, or it could not be tested; 2 the command line was wrong.";

struct job {
    struct place live;
    struct backup_read read;
    char scratch[PATH_BYTES];
    char store_path[PATH_BYTES];
    struct store *store; /* what came back */
    uint64_t n_keys;
    struct buf why;
};

/* ---- the audit ---- */

static enum err walk(struct store *store, struct str school, int64_t seq, struct str hash,
                     struct audit_verdict *ret_verdict)
{
    ERR_TRY(store_begin(store, school, STORE_READ));
    enum err err = audit_verify(store, school, seq, hash, ret_verdict);
    store_rollback(store);
    return err;
}

static enum err head_of(struct store *store, struct str school, int64_t *ret_seq,
                        uint8_t ret_hash[AUDIT_HASH_BYTES])
{
    ERR_TRY(store_begin(store, school, STORE_READ));
    enum err err = audit_head(store, school, ret_seq, ret_hash);
    store_rollback(store);
    return err;
}

static enum err broken(struct job *job, const char *which, const struct audit_verdict *verdict)
{
    buf_printf(&job->why, "the audit's chain %s: act %lld: %.*s", which,
               (long long)verdict->broken_seq, STR_ARG(verdict->why));
    return ERR_INVALID;
}

/* The backup's chain is whole, and today's goes on from where it ended. */
static enum err check_school(struct job *job, struct str school)
{
    struct audit_verdict verdict = {0};
    uint8_t hash[AUDIT_HASH_BYTES];
    int64_t seq = 0;
    ERR_TRY(walk(job->store, school, 0, STR(""), &verdict));
    if (!verdict.whole) {
        return broken(job, "in the backup", &verdict);
    }
    ERR_TRY(head_of(job->store, school, &seq, hash));
    if (seq == 0) {
        return ERR_OK;
    }
    ERR_TRY(
        walk(job->live.store, school, seq, str_make((const char *)hash, sizeof(hash)), &verdict));
    return verdict.whole ? ERR_OK : broken(job, "of today", &verdict);
}

static enum err check_schools(struct job *job)
{
    struct arena arena;
    struct str *schools;
    size_t n = 0;
    arena_init(&arena, ARENA_MAX);
    enum err err = restored_schools(job->store, &arena, &schools, &n);
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        err = check_school(job, schools[i]);
    }
    arena_fini(&arena);
    return err;
}

/* ---- the keys ---- */

static enum err check_keys(struct job *job)
{
    struct keys *keys;
    int fd;
    ERR_TRY(file_open_dir(job->read.folder_fd, "keys", &fd));
    enum err err = keys_open(fd, &keys, &job->why);
    if (err == ERR_OK) {
        err = keys_check(keys, &job->n_keys);
        keys_close(keys);
    }
    close(fd);
    return err;
}

/* ---- the whole ---- */

static int make_scratch(struct job *job, const char *data)
{
    int n = snprintf(job->scratch, sizeof(job->scratch), "%s/" BACKUP_FOLDER "/test-XXXXXX", data);
    if (n < 0 || n >= (int)sizeof(job->scratch) - 32) {
        job->scratch[0] = '\0';
        return cmd_fail(EXIT_USAGE, "backup verify", "--data: the name is too long");
    }
    if (file_make_dirs(job->live.data_fd, BACKUP_FOLDER, 0700) != ERR_OK ||
        mkdtemp(job->scratch) == NULL) {
        job->scratch[0] = '\0';
        return cmd_fail(EXIT_REFUSED, "backup verify", "%s: %s", data, strerror(errno));
    }
    (void)snprintf(job->store_path, sizeof(job->store_path), "%.*s/test.db", PATH_BYTES - 32,
                   job->scratch);
    return file_open_dir(AT_FDCWD, job->scratch, &job->read.folder_fd) == ERR_OK
               ? OPTIONS_GO_ON
               : cmd_fail(EXIT_REFUSED, "backup verify", "%s: %s", job->scratch, strerror(errno));
}

static enum err compare(struct job *job)
{
    job->read.place = job->store_path;
    ERR_TRY(backup_read(&job->read, &job->store));
    ERR_TRY(check_keys(job));
    return check_schools(job);
}

static int note(struct job *job, enum err result)
{
    const char *slash = strrchr(job->read.records, '/');
    struct engine engine = {.store = job->live.store, .keys = job->live.keys};
    const struct restored test = {
        .backup = str_from(slash != NULL ? slash + 1 : job->read.records),
        .whole = result == ERR_OK,
        .rows = job->read.report->rows,
        .notes = result == ERR_OK ? STR("") : str_from(err_text(result)),
    };
    enum err err = restored_note(&engine, &test, clock_utc_ms());
    return err == ERR_OK ? EXIT_DONE
                         : cmd_fail(EXIT_REFUSED, "backup verify", "the test is not noted: %s",
                                    err_text(err));
}

/* Another key, or another path, is a slip of the person's and says nothing of the backup. */
static int judge(struct job *job)
{
    enum err err = compare(job);
    if (err == ERR_DENIED || err == ERR_NOT_FOUND) {
        return cmd_fail(EXIT_REFUSED, "backup verify", "%s", buf_cstr(&job->why));
    }
    int code = note(job, err);
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "backup verify", "broken: %s",
                        job->why.len != 0 ? buf_cstr(&job->why) : err_text(err));
    }
    printf("whole: %llu rows of %zu tables, %llu keys\n",
           (unsigned long long)job->read.report->rows, job->read.report->n_tables,
           (unsigned long long)job->n_keys);
    return code;
}

static int run(struct job *job, const char *data, const char *database)
{
    int code = place_open("backup verify", data, database, true, &job->live);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    code = make_scratch(job, data);
    if (code == OPTIONS_GO_ON) {
        code = judge(job);
        close(job->read.folder_fd);
    }
    store_close(job->store);
    if (job->scratch[0] != '\0' && backup_remove(AT_FDCWD, job->scratch) != ERR_OK) {
        code = cmd_fail(EXIT_REFUSED, "backup verify", "%s is left: delete it", job->scratch);
    }
    place_close(&job->live);
    return code;
}

static const char *data;
static const char *key;
static const char *keys;
static const char *database;
static const struct option_row rows[] = {
    {"data", "DIR", "the data folder", &data, NULL, true},
    {"key", "KEY", "the private half of the backup's key", &key, NULL, true},
    {"keys", "FILE", "the keys of records; else beside the backup", &keys, NULL, false},
    {"database", "URI", "the store's place, as for serve", &database, NULL, false},
};

int backup_verify(int argc, char **argv)
{
    static const struct usage usage = {
        .command = "backup verify",
        .synopsis = "FILE --key KEY --data DIR",
        .summary = "Reads a backup back, compares, and notes the test.",
        .details = details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    int first;
    struct job job = {.live = {.data_fd = -1}};
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = backup_key_read("backup verify", key, true, job.read.secret);
    }
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    buf_init(&job.why, WHY_MAX);
    job.read.records = argv[first];
    job.read.keys = keys;
    job.read.why = &job.why;
    job.read.report = calloc(1, sizeof(*job.read.report));
    code = job.read.report != NULL
               ? run(&job, data, database)
               : cmd_fail(EXIT_REFUSED, "backup verify", "%s", err_text(ERR_MEMORY));
    secret_wipe(job.read.secret, sizeof(job.read.secret));
    free(job.read.report);
    buf_fini(&job.why);
    return code;
}

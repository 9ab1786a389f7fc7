/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge restore: makes a data folder of a backup. It is made beside the place where it belongs and
 * put there when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/backup_key.h"
#include "cmd/backup_read.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "records/restored.h"
#include "wire/utf8.h"

enum { PATH_BYTES = 4200, WHY_MAX = 2048, WHO_BYTES = 200 };

static const char details[] =
    "FILE is a backup; " BACKUP_KEYS_NAME
    " is taken from beside it, or from --keys. KEY holds the\n"
    "private half of the key (lodge backup key). DIR must be absent or empty, and the database of\n"
    "--database without tables: nothing that is there is ever replaced. A backup of SQLite may go\n"
    "into PostgreSQL and the other way round.\n"
    "\n"
    "Behind it: lodge doctor --fix (which gives the files to their processes), a catalogue (lodge "
    "catalog update), lodge serve.\n"
    "\n"
    "Exit codes: 0 restored; 1 refused or failed, and nothing is there; 2 wrong command line.";

struct job {
    struct backup_read read;
    const char *data;
    const char *database;
    char beside[PATH_BYTES]; /* where it is made */
    char store[PATH_BYTES];
    struct buf why;
};

static int refuse(const struct job *job, const char *what)
{
    return cmd_fail(EXIT_REFUSED, "restore", "%s: %s", job->data, what);
}

/* rmdir itself looks whether it is empty, so nothing can come between. */
static int make_room(struct job *job)
{
    if (rmdir(job->data) != 0 && errno != ENOENT) {
        return refuse(job, errno == ENOTEMPTY || errno == EEXIST
                               ? "it is not empty, and may be in use; restore into another folder"
                               : strerror(errno));
    }
    return OPTIONS_GO_ON;
}

static int make_beside(struct job *job)
{
    size_t len = strlen(job->data);
    while (len > 1 && job->data[len - 1] == '/') {
        len--;
    }
    int n = snprintf(job->beside, sizeof(job->beside), "%.*s.restore-XXXXXX", (int)len, job->data);
    if (n < 0 || n >= (int)sizeof(job->beside) - 32) {
        return refuse(job, "the name is too long");
    }
    if (mkdtemp(job->beside) == NULL) {
        return refuse(job, strerror(errno));
    }
    (void)snprintf(job->store, sizeof(job->store), "%.*s/" PLACE_STORE, PATH_BYTES - 32,
                   job->beside);
    if (file_open_dir(AT_FDCWD, job->beside, &job->read.folder_fd) != ERR_OK ||
        file_make_dirs(job->read.folder_fd, "store", 0770) != ERR_OK) {
        return refuse(job, strerror(errno));
    }
    return OPTIONS_GO_ON;
}

/* As the desk makes it: the clerk, of the same group, reads it too. */
static bool share_store(const struct job *job)
{
    return job->database != NULL || fchmodat(job->read.folder_fd, PLACE_STORE, 0660, 0) == 0;
}

static struct str name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_from(slash != NULL ? slash + 1 : path);
    return utf8_is_text(name) ? name : STR("a file");
}

/* "root (sudo: anna)"; what SUDO_USER says is no proof, but it is what there is. */
static const char *who(char text[WHO_BYTES])
{
    const struct passwd *user = getpwuid(getuid());
    const char *sudo = getenv("SUDO_USER");
    const char *name = user != NULL ? user->pw_name : "a user without a name";
    bool said = sudo != NULL && sudo[0] != '\0' && utf8_is_text(str_from(sudo));
    (void)snprintf(text, WHO_BYTES, "%.90s%s%.90s%s", name, said ? " (sudo: " : "",
                   said ? sudo : "", said ? ")" : "");
    return text;
}

static int fill(struct job *job)
{
    char text[WHO_BYTES];
    struct store *store;
    job->read.place = job->database != NULL ? job->database : job->store;
    enum err err = backup_read(&job->read, &store);
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "restore", "%s", buf_cstr(&job->why));
    }
    err =
        restored_note_back(store, name_of(job->read.records), str_from(who(text)), clock_utc_ms());
    store_close(store);
    if (err != ERR_OK) {
        return refuse(job, "the restore could not be noted in the audit");
    }
    int code = share_store(job) ? make_room(job) : refuse(job, strerror(errno));
    if (code == OPTIONS_GO_ON && rename(job->beside, job->data) != 0) {
        code = refuse(job, strerror(errno));
    }
    if (code == OPTIONS_GO_ON) {
        printf("%s: %llu rows of %zu tables\n", job->data,
               (unsigned long long)job->read.report->rows, job->read.report->n_tables);
    }
    return code == OPTIONS_GO_ON ? EXIT_DONE : code;
}

static int restore(struct job *job)
{
    int code = make_room(job);
    if (code == OPTIONS_GO_ON) {
        code = make_beside(job);
    }
    if (code == OPTIONS_GO_ON) {
        code = fill(job);
    }
    if (job->read.folder_fd >= 0) {
        close(job->read.folder_fd);
    }
    if (code != EXIT_DONE && job->beside[0] != '\0' &&
        backup_remove(AT_FDCWD, job->beside) != ERR_OK) {
        (void)cmd_fail(code, "restore", "%s is left, and may be deleted", job->beside);
    }
    return code;
}

int cmd_restore(int argc, char **argv)
{
    static const char *data;
    static const char *key;
    static const char *keys;
    static const char *database;
    static const struct option_row rows[] = {
        {"data", "DIR", "the data folder to make", &data, NULL, true},
        {"key", "KEY", "the private half of the backup's key", &key, NULL, true},
        {"keys", "FILE", "the keys of records; else beside the backup", &keys, NULL, false},
        {"database", "URI", "PostgreSQL instead of a file in DIR", &database, NULL, false},
    };
    static const struct usage usage = {
        .command = "restore",
        .synopsis = "FILE --key KEY --data DIR",
        .summary = "Makes a data folder of a backup.",
        .details = details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    int first;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    struct job job = {.data = data, .database = database};
    code = backup_key_read("restore", key, true, job.read.secret);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    buf_init(&job.why, WHY_MAX);
    job.read.records = argv[first];
    job.read.keys = keys;
    job.read.folder_fd = -1;
    job.read.why = &job.why;
    job.read.report = calloc(1, sizeof(*job.read.report));
    code = job.read.report != NULL ? restore(&job) : refuse(&job, err_text(ERR_MEMORY));
    secret_wipe(job.read.secret, sizeof(job.read.secret));
    free(job.read.report);
    buf_fini(&job.why);
    return code;
}

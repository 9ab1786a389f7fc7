/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge backup: writes all that the school has recorded, while Lodge runs, sealed to a key whose
 * other half the gate does not have (S4). Two files: one for this backup, and one, always the same,
 * for the keys of records, so that a record whose key was destroyed is gone from the backups before
 * too. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "cmd/archive.h"
#include "cmd/backup_keep.h"
#include "cmd/backup_key.h"
#include "cmd/backup_read.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "records/clearing.h"
#include "store/dump.h"

enum { NAME_BYTES = BACKUP_NAME_BYTES, WHY_MAX = 2048, KEEP_MAX = 100000 };

static const char details[] =
    "Make the pair of keys first (lodge backup key). The school may go on working meanwhile; the\n"
    "backup shows one moment. FOLDER gets two files:\n"
    "  lodge-TIME.backup   the records, the configuration, the CA\n"
    "  " BACKUP_KEYS_NAME "         the keys of sealed records; each backup replaces it\n"
    "With --keep N the newest N backups that this data folder wrote stay in FOLDER; older ones of\n"
    "its own go. What it did not write, or what was changed since, is never removed.\n"
    "Keep the newest " BACKUP_KEYS_NAME
    " only, wherever copies go: it is what makes a record that was\n"
    "disposed of unreadable in every backup. Not in a backup: events, the catalogue, the log.\n"
    "\n"
    "  lodge backup key      make the pair of keys\n"
    "  lodge backup verify   read a backup back and compare (every term, S4)\n"
    "  lodge restore         make a data folder of a backup\n"
    "\n"
    "Exit codes: 0 written; 1 refused or failed; 2 the command line was wrong.";

/* Of the data folder, where they are there. A folder: the files in it. */
static const char *const kept_files[] = {"lodge.conf", "images/policy.json", "images/state",
                                         BACKUP_PUBLIC};
static const char *const kept_folders[] = {"auth", "ca", "console"};

/* ---- files ---- */

static enum err add_file(struct archive_out *archive, int data_fd, const char *name)
{
    struct buf bytes;
    buf_init(&bytes, ARCHIVE_FILE_MAX);
    enum err err = file_read(data_fd, name, &bytes);
    if (err == ERR_OK) {
        err = archive_add_file(archive, name, buf_str(&bytes));
    }
    secret_wipe(bytes.p, bytes.len);
    buf_fini(&bytes);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err add_entry(struct archive_out *archive, int data_fd, const char *folder,
                          const char *entry)
{
    char name[ARCHIVE_NAME_MAX];
    struct stat stat;
    int n = snprintf(name, sizeof(name), "%s/%s", folder, entry);
    if (n < 0 || n >= (int)sizeof(name) || !archive_name_is_fine(str_from(name)) ||
        fstatat(data_fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(stat.st_mode)) {
        return ERR_OK; /* a socket, or what a killed process left */
    }
    return add_file(archive, data_fd, name);
}

static enum err add_folder(struct archive_out *archive, int data_fd, const char *folder)
{
    int fd;
    enum err err = file_open_dir(data_fd, folder, &fd);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        close(fd);
        return ERR_MEMORY;
    }
    struct dirent *entry;
    while (err == ERR_OK && (entry = readdir(entries)) != NULL) {
        err = add_entry(archive, data_fd, folder, entry->d_name);
    }
    closedir(entries);
    return err;
}

static enum err add_files(struct archive_out *archive, int data_fd)
{
    for (size_t i = 0; i < sizeof(kept_files) / sizeof(kept_files[0]); i++) {
        ERR_TRY(add_file(archive, data_fd, kept_files[i]));
    }
    for (size_t i = 0; i < sizeof(kept_folders) / sizeof(kept_folders[0]); i++) {
        ERR_TRY(add_folder(archive, data_fd, kept_folders[i]));
    }
    return ERR_OK;
}

/* ---- the two archives ---- */

struct job {
    struct place place;
    int folder_fd;
    uint8_t public[STREAM_KEY_BYTES];
    char name[NAME_BYTES];
    struct dump_report *report;
    struct buf why;
};

static enum err fill_records(struct job *job, struct archive_out *archive)
{
    const struct dump_to to = {
        .put = archive_put, .to = archive, .progress = backup_progress, .argument = "written"};
    ERR_TRY(archive_begin_store(archive));
    ERR_TRY(store_dump(job->place.store, &to, job->report, &job->why));
    return add_files(archive, job->place.data_fd);
}

static enum err fill_keys(struct job *job, struct archive_out *archive)
{
    struct buf bytes;
    buf_init(&bytes, ARCHIVE_FILE_MAX);
    enum err err = clearing_copy_keys(job->place.store, job->place.keys, &bytes);
    if (err == ERR_OK) {
        err = archive_add_file(archive, "keys/" KEYS_FILE, buf_str(&bytes));
    }
    buf_fini(&bytes);
    return err == ERR_OK ? add_file(archive, job->place.data_fd, "keys/" KEYS_MASTER_FILE) : err;
}

static enum err write_archive(struct job *job, const char *name,
                              enum err (*fill)(struct job *, struct archive_out *))
{
    struct archive_out *archive;
    ERR_TRY(archive_new(job->folder_fd, name, job->public, &archive));
    enum err err = fill(job, archive);
    if (err != ERR_OK) {
        int saved = errno;
        archive_drop(archive);
        errno = saved;
        return err;
    }
    return archive_commit(archive);
}

/* The records before the keys: a key that no record has does no harm, a record without its key
 * does. */
static int write_both(struct job *job, const char *folder)
{
    char time[CIVIL_TEXT_MAX];
    (void)civil_print_utc(clock_utc_ms(), time);
    /* 2026-11-22T10:15:30.250Z */
    (void)snprintf(job->name, sizeof(job->name), "lodge-%.4s%.2s%.2sT%.2s%.2s%.2sZ.backup", time,
                   time + 5, time + 8, time + 11, time + 14, time + 17);
    enum err err = faccessat(job->folder_fd, job->name, F_OK, 0) == 0 ? ERR_CONFLICT : ERR_OK;
    if (err == ERR_OK) {
        err = write_archive(job, job->name, fill_records);
    }
    if (err == ERR_OK) {
        err = write_archive(job, BACKUP_KEYS_NAME, fill_keys);
    }
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "backup", "%s/%s: %s", folder, job->name,
                        job->why.len != 0   ? buf_cstr(&job->why)
                        : err == ERR_SYSTEM ? strerror(errno)
                                            : err_text(err));
    }
    printf("%s/%s: %llu rows of %zu tables\n", folder, job->name,
           (unsigned long long)job->report->rows, job->report->n_tables);
    return EXIT_DONE;
}

/* ---- those of before ---- */

struct removing {
    const char *folder;
    bool failed;
};

static void tell_gone(void *context, const char *name, bool gone)
{
    struct removing *removing = context;
    if (gone) {
        printf("%s/%s: removed\n", removing->folder, name);
        return;
    }
    (void)cmd_fail(EXIT_REFUSED, "backup", "%s/%s could not be removed: %s", removing->folder, name,
                   strerror(errno));
    removing->failed = true;
}

/* keep 0: all of them. */
static int settle(const struct job *job, const char *folder, uint64_t keep)
{
    struct removing removing = {.folder = folder};
    enum err err = backup_keep_note(job->place.data_fd, job->folder_fd, job->name);
    if (err == ERR_OK && keep != 0) {
        err = backup_keep(job->place.data_fd, job->folder_fd, (size_t)keep, job->name, tell_gone,
                          &removing);
    }
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "backup",
                        "the backup is written, but " BACKUP_WRITTEN
                        " could not be: %s. It will not be removed by --keep",
                        err_text(err));
    }
    return removing.failed ? EXIT_REFUSED : EXIT_DONE;
}

/* ---- the command ---- */

static int read_public(struct job *job, const char *data)
{
    char path[4200];
    int n = snprintf(path, sizeof(path), "%s/" BACKUP_PUBLIC, data);
    if (n < 0 || n >= (int)sizeof(path)) {
        return cmd_fail(EXIT_USAGE, "backup", "--data: the name is too long");
    }
    if (access(path, F_OK) != 0) {
        return cmd_fail(EXIT_REFUSED, "backup",
                        "there is no key to seal with; make one: lodge backup key --data %s", data);
    }
    return backup_key_read("backup", path, false, job->public);
}

static int run(const char *data, const char *folder, const char *database, uint64_t keep)
{
    struct job job = {.folder_fd = -1};
    int code = read_public(&job, data);
    if (code == OPTIONS_GO_ON) {
        code = place_open("backup", data, database, true, &job.place);
    }
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    job.report = calloc(1, sizeof(*job.report));
    buf_init(&job.why, WHY_MAX);
    if (job.report == NULL || file_make_dirs(AT_FDCWD, folder, 0700) != ERR_OK ||
        file_open_dir(AT_FDCWD, folder, &job.folder_fd) != ERR_OK) {
        code = cmd_fail(EXIT_REFUSED, "backup", "%s: %s", folder, strerror(errno));
    } else {
        code = write_both(&job, folder);
        code = code == EXIT_DONE ? settle(&job, folder, keep) : code;
        close(job.folder_fd);
    }
    buf_fini(&job.why);
    free(job.report);
    place_close(&job.place);
    return code;
}

static int write_backup(int argc, char **argv)
{
    static const char *data;
    static const char *folder;
    static const char *database;
    static const char *keep_text;
    static const struct option_row rows[] = {
        {"data", "DIR", "the data folder", &data, NULL, true},
        {"to", "FOLDER", "where backups go; made where absent", &folder, NULL, true},
        {"keep", "N", "how many of its own stay; else all", &keep_text, NULL, false},
        {"database", "URI", "the store's place, as for serve", &database, NULL, false},
    };
    static const struct usage usage = {
        .command = "backup",
        .synopsis = "--data DIR --to FOLDER [--keep N]",
        .summary = "Writes a backup of the records, sealed so that this machine cannot read it.",
        .details = details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
    };
    int first;
    uint64_t keep = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON && keep_text != NULL &&
        parse_u64(str_from(keep_text), 1, KEEP_MAX, &keep) != ERR_OK) {
        return cmd_fail(EXIT_USAGE, "backup", "--keep: a number from 1 on");
    }
    return code == OPTIONS_GO_ON ? run(data, folder, database, keep) : code;
}

int cmd_backup(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"key", backup_key, "make the pair of keys that backups are sealed with"},
        {"verify", backup_verify, "read a backup back and compare"},
    };
    bool is_option = argc > 1 && argv[1][0] == '-';
    return argc > 1 && !is_option
               ? subcommand_run("backup", rows, sizeof(rows) / sizeof(rows[0]), argc, argv)
               : write_backup(argc, argv);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a file of SQLite's, and its errors. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/sqlite_impl.h"
#include "store/store_impl.h"

enum err sqlite_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
        return ERR_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CANTOPEN:
        return ERR_GONE;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_CONSTRAINT:
        break;
    default:
        return ERR_SYSTEM;
    }
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return ERR_CONFLICT;
    default:
        return ERR_SYSTEM;
    }
}

/* secure_delete: what is deleted is overwritten in the file. recursive_triggers: REPLACE fires the
 * triggers that refuse DELETE. temp_store: no record's words in files of /tmp. */
static const char settings[] = "PRAGMA journal_mode=WAL;"
                               "PRAGMA synchronous=FULL;"
                               "PRAGMA wal_autocheckpoint=0;"
                               "PRAGMA foreign_keys=ON;"
                               "PRAGMA secure_delete=ON;"
                               "PRAGMA recursive_triggers=ON;"
                               "PRAGMA case_sensitive_like=ON;"
                               "PRAGMA trusted_schema=OFF;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA mmap_size=0;"
                               "PRAGMA cache_size=-16384;";

/* Made by us, so that it and its WAL, which takes its mode, are the owner's alone. */
static bool make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static int configure(sqlite3 *db)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, STORE_BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    return sqlite3_exec(db, settings, NULL, NULL, NULL);
}

enum err sqlite_file_open(const char *path, sqlite3 **ret_db, struct buf *why)
{
    sqlite3 *db = NULL;
    if (!make_file(path)) {
        buf_printf(why, "%s: %s", path, strerror(errno));
        return ERR_GONE;
    }
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = configure(db);
    }
    if (code != SQLITE_OK) {
        buf_printf(why, "%s: %s", path, sqlite3_errmsg(db));
        (void)sqlite3_close(db);
        return sqlite_err(code);
    }
    *ret_db = db;
    return ERR_OK;
}

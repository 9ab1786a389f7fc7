/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all files of SQLite's have in common: the store, and the keys of records. */
#ifndef LODGE_STORE_SQLITE_IMPL_H
#define LODGE_STORE_SQLITE_IMPL_H

#include <sqlite3.h>

#include "base/buf.h"
#include "base/err.h"

/* Opens a file, made where absent for the owner alone: WAL, every commit on the disk, what is
 * deleted overwritten, no checkpoint but our own, a bounded wait for other writers. */
MUST_USE enum err sqlite_file_open(const char *path, sqlite3 **ret_db, struct buf *why);

/* For one of SQLite's (extended) result codes. */
enum err sqlite_err(int code);

#endif

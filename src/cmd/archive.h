/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup's file: eight letters, and behind them a stream sealed to a public key (crypto/stream.h)
 * that holds the store's dump and files of the data folder, in any order, and an end. */
#ifndef LODGE_CMD_ARCHIVE_H
#define LODGE_CMD_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/stream.h"

enum { ARCHIVE_NAME_MAX = 200, ARCHIVE_FILE_MAX = 256 * 1024 * 1024 };

enum archive_kind {
    ARCHIVE_UNSET,
    ARCHIVE_STORE = 'S', /* store/dump.h's text follows */
    ARCHIVE_FILE = 'F',  /* a name's length (4 bytes), the name, the length (8), the bytes */
    ARCHIVE_END = 'Z',
};

/* ---- writing ---- */

struct archive_out;

/* The file appears under its name with archive_commit, and not before. */
MUST_USE enum err archive_new(int folder_fd, const char *name,
                              const uint8_t public[STREAM_KEY_BYTES],
                              struct archive_out **ret_archive);
/* For dump_to; behind archive_begin_store. */
MUST_USE enum err archive_put(void *archive, struct str bytes);
MUST_USE enum err archive_begin_store(struct archive_out *archive);
MUST_USE enum err archive_add_file(struct archive_out *archive, const char *name, struct str bytes);
/* Ends it, on the disk. Frees it, whatever the answer. */
MUST_USE enum err archive_commit(struct archive_out *archive);
void archive_drop(struct archive_out *archive); /* fine on NULL */

/* ---- reading ---- */

struct archive_in;

/* ERR_INVALID: no backup; ERR_DENIED: another key; ERR_NOT_FOUND, ERR_SYSTEM: errno. */
MUST_USE enum err archive_open(const char *path, const uint8_t secret[STREAM_KEY_BYTES],
                               struct archive_in **ret_archive);
/* What comes next; ARCHIVE_END has looked whether the file ends there too. */
MUST_USE enum err archive_next(struct archive_in *archive, enum archive_kind *ret_kind);
/* For dump_from, behind ARCHIVE_STORE. */
MUST_USE enum err archive_get(void *archive, void *bytes, size_t n);
/* Behind ARCHIVE_FILE. The name is relative, of plain letters, two parts at most. */
MUST_USE enum err archive_get_file(struct archive_in *archive, char ret_name[ARCHIVE_NAME_MAX],
                                   struct buf *bytes);
void archive_close(struct archive_in *archive); /* fine on NULL */

bool archive_name_is_fine(struct str name);

#endif

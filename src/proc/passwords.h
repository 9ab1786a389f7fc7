/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The password file: DIR/auth/passwd, one line "ID:HASH" a person, sorted by id. Its folder has
 * mode 0700 and belongs to the auth process's user; `lodge passwd` replaces the file, auth reads
 * it.
 */
#ifndef LODGE_PROC_PASSWORDS_H
#define LODGE_PROC_PASSWORDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { PASSWORDS_FILE_MAX = 16 * 1024 * 1024, PASSWORD_CHARS_MIN = 8 };

#define PASSWORDS_FOLDER "auth"
#define PASSWORDS_NAME "passwd"

/* Whether this can be a person's id here: 1 to LIMIT_ID_LEN printable ASCII characters, no space,
 * no colon. */
bool passwords_id_is_valid(struct str id);

/* The hash of a person in the file's text; false where there is none. */
bool passwords_find(struct str text, struct str id, struct str *ret_hash);

/* Writes to `to` the text with the person's line replaced or added (an empty hash: removed;
 * *ret_known tells whether there was one). Errors of buf_err; ERR_INVALID for an id or a text that
 * is none. */
MUST_USE enum err passwords_change(struct str text, struct str id, struct str hash, struct buf *to,
                                   bool *ret_known);

/* Makes DIR/auth where absent and opens it; as root it is given to auth's user, where that exists.
 */
MUST_USE enum err passwords_open_folder(const char *data, int *ret_fd);

/* Sets (password) or removes (empty) a person's password in the folder. ERR_NOT_FOUND for removing
 * one who has none, ERR_RANGE for a password shorter than PASSWORD_CHARS_MIN, ERR_LIMIT,
 * ERR_INVALID, ERR_SYSTEM. */
MUST_USE enum err passwords_set(int folder_fd, struct str id, struct str password);

/* Puts a whole text in place of the file. ERR_INVALID for one that is none: every line is
 * "ID:HASH", sorted, each id once; ERR_SYSTEM. */
MUST_USE enum err passwords_replace(int folder_fd, struct str text);

#endif

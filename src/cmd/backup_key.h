/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two halves of a backup's key, as people keep them: 64 hexadecimal digits in groups, and four
 * that notice a slip of the pen and tell one half from the other. */
#ifndef LODGE_CMD_BACKUP_KEY_H
#define LODGE_CMD_BACKUP_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/stream.h"

/* The gate's half, below the data folder. */
#define BACKUP_FOLDER "backup"
#define BACKUP_PUBLIC "backup/public.key"

enum { BACKUP_KEY_FILE_MAX = 4096 };

/* The groups alone, in one line. */
void backup_key_print(const uint8_t key[STREAM_KEY_BYTES], bool secret, struct buf *to);

/* Lines that begin with '#' are passed over, and so are spaces, line ends and '-'. ERR_INVALID: no
 * key, or a slip; ERR_DENIED: the other half. */
MUST_USE enum err backup_key_parse(struct str text, bool secret, uint8_t ret_key[STREAM_KEY_BYTES]);

/* `lodge backup key` and `lodge backup verify`. */
int backup_key(int argc, char **argv);
int backup_verify(int argc, char **argv);

/* Reads a half from its file; OPTIONS_GO_ON, or an exit code after a message. */
int backup_key_read(const char *command, const char *path, bool secret,
                    uint8_t ret_key[STREAM_KEY_BYTES]);

#endif

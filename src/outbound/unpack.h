/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unpacking an archive of lists (UT1's tar.gz) into a quarantine folder.
 *
 * Only regular files are taken, at most two folders deep, with plain names (letters, digits, '.',
 * '_',
 * '-'); links, devices, absolute paths and ".." are passed over and counted. Files, bytes and the
 * ratio are bounded. Runs in a confined process: it parses bytes from a server.
 */
#ifndef LODGE_OUTBOUND_UNPACK_H
#define LODGE_OUTBOUND_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct unpack_limits {
    uint64_t max_bytes; /* of all files together */
    size_t max_files;
};

struct unpack_result {
    size_t files;
    size_t passed_over;
    uint64_t bytes;
    char why[256]; /* on failure */
};

/* Reads the archive from fd (tar, zip; plain, gzip, bzip2, xz, zstd) and writes below the folder
 * to_fd, which must be empty. ERR_INVALID for what is no archive or a broken one, ERR_LIMIT,
 * ERR_SYSTEM; files written so far stay for the caller to remove. *ret_result is always written. */
MUST_USE enum err unpack_run(int fd, int to_fd, const struct unpack_limits *limits,
                             struct unpack_result *ret_result);

#endif

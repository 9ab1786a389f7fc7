/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching and unpacking lists, each in a confined process of its own.
 *
 * The fetcher dials out and sees no file but the one it writes; the unpacker parses an archive and
 * sees no network and no folder but the one it fills. `lodge catalog update` drives both and waits
 * for them, one job at a time.
 */
#ifndef LODGE_PROC_FETCHER_H
#define LODGE_PROC_FETCHER_H

#include <sys/types.h>

#include "base/err.h"
#include "os/confine.h"
#include "outbound/fetch.h"
#include "outbound/unpack.h"

/* A helper process and our end of its pair. */
struct fetcher {
    pid_t pid;
    int pidfd;
    int fd;
};

/* Starts "fetcher" or "unpacker". ERR_SYSTEM. */
MUST_USE enum err fetcher_start(const char *process, struct fetcher *ret_fetcher);
/* Ends it and waits. Fine on a zeroed struct with fd -1. */
void fetcher_stop(struct fetcher *fetcher);

/* As fetch_run and unpack_run, there. A helper that died is ERR_SYSTEM with why. job->address, etag
 * and modified must be shorter than FETCH_ADDRESS_MAX, FETCH_TEXT_MAX: ERR_LIMIT. */
MUST_USE enum err fetcher_fetch(struct fetcher *fetcher, const struct fetch_job *job,
                                struct fetch_result *ret_result);
/* An unpacker takes one order and ends. */
MUST_USE enum err fetcher_unpack(struct fetcher *unpacker, int archive_fd, int to_fd,
                                 const struct unpack_limits *limits,
                                 struct unpack_result *ret_result);

/* What the fetcher may: its rules, for confine_self, with the folders that it reads, open. */
#define FETCHER_USER "lodge-fetcher"
enum { FETCHER_DIRS = 3 };
void fetcher_rights(struct confine_dir dirs[FETCHER_DIRS], struct confine *ret_rules);

/* What the processes run: the pair is descriptor FETCHER_FD. The exit status. */
enum { FETCHER_FD = 3 };
int fetcher_main(void);
int unpacker_main(void);

#endif

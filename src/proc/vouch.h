/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The notary's line to front: the CA vouches for the console, and for nothing else.
 *
 * Front sends the public half of its key and no name: the names are those that the supervisor told
 * the notary with the line. A line is good for one certificate and is closed behind it, so that a
 * front that was taken over gets none for another site, and not one after another.
 */
#ifndef LODGE_PROC_VOUCH_H
#define LODGE_PROC_VOUCH_H

#include "os/loop.h"
#include "proc/front_names.h"
#include "tls/authority.h"

struct vouch {
    struct loop_io io; /* fd -1: no line now */
    struct loop *loop;
    const struct authority *authority;
    struct front_names names;
};

/* The line is the first thing that comes; loop and authority outlive it. */
void vouch_init(struct vouch *vouch, struct loop *loop, const struct authority *authority);
void vouch_fini(struct vouch *vouch);

/* Takes over a descriptor from the supervisor, instead of the one before, and sends the CA's chain
 * (chain_fd stays the caller's) over it. */
void vouch_take(struct vouch *vouch, int fd, const struct front_names *names, int chain_fd);

#endif

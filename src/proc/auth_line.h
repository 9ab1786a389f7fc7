/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk's line to auth: has passwords judged and hashed.
 *
 * An auth that dies is started again within moments and a new line is handed over; what was asked
 * over the old one is answered "busy", and whoever waits asks again. The password is copied into
 * the message only, and wiped there.
 */
#ifndef LODGE_PROC_AUTH_LINE_H
#define LODGE_PROC_AUTH_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "os/loop.h"

/* Patience is longer than auth holds a guess back (proc/guesses.h). */
enum { AUTH_LINE_WAITING_MAX = 128, AUTH_LINE_PATIENCE_MS = 20000 };

struct auth_line_answer {
    bool right;
    bool locked;     /* too many wrong ones for this account from this address (S2) */
    bool busy;       /* auth is not there, or has too much to do */
    struct str hash; /* of a password that was to be hashed; empty: it cannot be (its length) */
};

struct auth_line_asked {
    uint64_t ticket;
    int64_t until_ms; /* of the loop's clock */
};

struct auth_line {
    struct loop_io io; /* fd -1: no line now */
    struct loop_timer patience;
    struct loop *loop;
    struct auth_line_asked asked[AUTH_LINE_WAITING_MAX]; /* in the order in which they were asked */
    size_t n_asked;

    void *context;
    /* Once for each question that was taken, never from inside a call that asks. The slice holds
     * during the call. */
    void (*answer)(void *context, uint64_t ticket, const struct auth_line_answer *answer);
};

/* context and answer are set by the owner. */
void auth_line_init(struct auth_line *line, struct loop *loop);

/* Nobody is told. Safe on a zeroed struct whose io.fd is -1. */
void auth_line_fini(struct auth_line *line);

/* Takes over a descriptor from the supervisor (MESSAGE_AUTH); the last one counts. */
void auth_line_take(struct auth_line *line, int fd);

/* Is this password the one that was hashed? hash empty: nobody's, which costs the same and is never
 * right. account: who is guessed at (any text up to LIMIT_ID_LEN; empty: nobody is, wrong ones are
 * not counted for an account). True: `answer` will be called. False: no line, too many wait, or too
 * long; the caller answers "busy". Tickets are the caller's, each once at a time. */
bool auth_line_judge(struct auth_line *line, uint64_t ticket, struct str hash, struct str password,
                     struct str account, const uint8_t client[16]);

/* Hashes a password. As above. */
bool auth_line_make(struct auth_line *line, uint64_t ticket, struct str password);

#endif

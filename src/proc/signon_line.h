/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line between desk and signon, the process that talks to providers of single sign-on: both
 * ends' messages, and the desk's end of it.
 *
 * The desk makes the attempt (state, nonce, verifier) and keeps it with the browser; signon knows
 * the client's secret, fetches, and judges the token. What comes back is who it is, or why not.
 */
#ifndef LODGE_PROC_SIGNON_LINE_H
#define LODGE_PROC_SIGNON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/ipc.h"
#include "os/loop.h"
#include "outbound/oidc.h"

enum { SIGNON_WHY_MAX = 128, SIGNON_WAITING_MAX = 64 };

/* What the desk asks: where to send the browser (code empty), or who came back with this code. */
struct signon_question {
    uint64_t ticket;
    uint32_t provider; /* index in the list of providers */
    bool silent;
    char redirect[OIDC_TEXT_MAX];
    struct oidc_attempt attempt;
    char code[OIDC_CODE_MAX];
};

struct signon_answer {
    uint64_t ticket;
    bool good;
    char why[SIGNON_WHY_MAX]; /* of what is not: for the log and a page; no values */
    char address[OIDC_ADDRESS_MAX];
    char issuer[OIDC_TEXT_MAX];
    struct oidc_who who;
};

/* What a page may know of the providers. */
struct signon_providers {
    uint32_t n;
    struct signon_provider {
        char name[OIDC_NAME_MAX + 1];
        char label[OIDC_LABEL_MAX + 1];
    } providers[OIDC_PROVIDERS_MAX];
};

_Static_assert(sizeof(struct signon_question) <= IPC_BYTES_MAX, "a question is one message");
_Static_assert(sizeof(struct signon_answer) <= IPC_BYTES_MAX, "an answer is one message");
_Static_assert(sizeof(struct signon_providers) <= IPC_BYTES_MAX, "the list is one message");

/* Sends and reads one of them. Reading puts a NUL at the end of every text. Errors of ipc_send;
 * ERR_INVALID for another size, a truth that is neither 0 nor 1, or an address that could not stand
 * in a line. A question's copy is wiped. */
MUST_USE enum err signon_send_question(int fd, const struct signon_question *question);
MUST_USE enum err signon_read_question(const struct ipc_message *message,
                                       struct signon_question *ret_question);
MUST_USE enum err signon_send_answer(int fd, const struct signon_answer *answer);
MUST_USE enum err signon_read_answer(const struct ipc_message *message,
                                     struct signon_answer *ret_answer);
MUST_USE enum err signon_send_providers(int fd, const struct signon_providers *providers);
MUST_USE enum err signon_read_providers(const struct ipc_message *message,
                                        struct signon_providers *ret_providers);

/* ---- the desk's end ---- */

struct signon_line {
    struct loop_io io; /* fd -1: no line now */
    struct loop *loop;
    uint64_t waiting[SIGNON_WAITING_MAX];
    size_t n_waiting;

    void *context;
    /* Never called from inside signon_line_ask. good false for all that wait where signon is gone.
     */
    void (*answer)(void *context, const struct signon_answer *answer);
    /* Once for each line that is taken. */
    void (*providers)(void *context, const struct signon_providers *providers);
};

/* context and the two functions are set by the owner. */
void signon_line_init(struct signon_line *line, struct loop *loop);
/* Takes over a descriptor from the supervisor; the last one counts. Who waits is told no. */
void signon_line_take(struct signon_line *line, int fd);
/* True where `answer` will be called for this ticket, once. */
bool signon_line_ask(struct signon_line *line, const struct signon_question *question);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the desk and auth say to each other (JUDGE, MAKE and VERDICT of message.def). Whoever
 * receives checks: the other side may have been taken over. */
#ifndef LODGE_PROC_AUTH_MESSAGE_H
#define LODGE_PROC_AUTH_MESSAGE_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/ipc.h"

enum auth_verdict_kind {
    AUTH_VERDICT_UNSET,
    AUTH_WRONG,
    AUTH_RIGHT,
    AUTH_LOCKED, /* not compared: too many wrong ones for this account from this address */
    AUTH_BUSY,   /* not compared: too much to do */
    AUTH_MADE,   /* with a hash; without one the password cannot be hashed */
    AUTH_VERDICT_COUNT,
};

/* A received question; slices point into the message. make: only ticket and password count. */
struct auth_ask {
    bool make;
    uint64_t ticket;
    uint8_t client[16];
    struct str hash, account, password;
};

struct auth_verdict {
    uint64_t ticket;
    enum auth_verdict_kind kind;
};

/* ERR_LIMIT for a hash (128 bytes), account (LIMIT_ID_LEN) or password (LIMIT_PASSWORD_LEN) that is
 * too long; else as ipc_send. Copies of the password are wiped. */
MUST_USE enum err message_send_judge(int fd, uint64_t ticket, const uint8_t client[16],
                                     struct str hash, struct str account, struct str password);
MUST_USE enum err message_send_make(int fd, uint64_t ticket, struct str password);
/* Reads a received JUDGE or MAKE. ERR_INVALID. */
MUST_USE enum err message_read_ask(const struct ipc_message *message, struct auth_ask *ret_ask);

/* hash: of AUTH_MADE, else empty. */
MUST_USE enum err message_send_verdict(int fd, uint64_t ticket, enum auth_verdict_kind kind,
                                       struct str hash);
MUST_USE enum err message_read_verdict(const struct ipc_message *message,
                                       struct auth_verdict *ret_verdict, struct str *ret_hash);

#endif

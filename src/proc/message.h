/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What our processes say to each other (message.def), over os/ipc.h. */
#ifndef LODGE_PROC_MESSAGE_H
#define LODGE_PROC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/ipc.h"
#include "proc/front_names.h"
#include "tls/server.h"
#include "wire/host.h"

enum message {
    MESSAGE_UNSET,
#define MESSAGE(name, fds, text) MESSAGE_##name,
#include "proc/message.def"
#undef MESSAGE
    MESSAGE_COUNT
};

/* For the log; "?" for what is none. */
const char *message_name(uint32_t type);

/* Sends one with up to two descriptors (-1: none), which stay the caller's. Errors of ipc_send. */
MUST_USE enum err message_send(int fd, enum message type, int fd_1, int fd_2);

/* Receives one and checks its type and number of descriptors. Errors of ipc_receive. */
MUST_USE enum err message_receive(int fd, struct ipc_message *ret_message);

/* A descriptor out of a received message: the caller's from now on. */
int message_take_fd(struct ipc_message *message, size_t index);

/* One that is bytes alone. ERR_LIMIT for more than a message holds; else as ipc_send. */
MUST_USE enum err message_send_bytes(int fd, enum message type, struct str bytes);

/* A worker's question and auth's answer. The person's id and the password follow the question. */
struct auth_question {
    uint64_t ticket;
    uint8_t client[16];
    uint16_t person_len;
    uint16_t password_len;
};

struct auth_answer {
    uint64_t ticket;
    bool accepted;
};

/* ERR_LIMIT for ids or passwords that are too long (limits.h); else as ipc_send. The copy of the
 * password is wiped. */
MUST_USE enum err message_send_question(int fd, uint64_t ticket, const uint8_t client[16],
                                        struct str person, struct str password);

/* Reads a received ASK; the slices point into the message. ERR_INVALID. */
MUST_USE enum err message_read_question(const struct ipc_message *message,
                                        struct auth_question *ret_question, struct str *ret_person,
                                        struct str *ret_password);

MUST_USE enum err message_send_answer(int fd, uint64_t ticket, bool accepted);
MUST_USE enum err message_read_answer(const struct ipc_message *message,
                                      struct auth_answer *ret_answer);

/* ---- between a worker and the notary ---- */

/* Which leaf is wanted. Errors of ipc_send. */
MUST_USE enum err message_send_sign(int fd, const struct host *host);
/* Reads a received SIGN. ERR_INVALID for another, or a host that is not canonical. */
MUST_USE enum err message_read_sign(const struct ipc_message *message, struct host *ret_host);

/* The leaf (DER), or none: refused. ERR_LIMIT for one that no message holds; else as ipc_send. */
MUST_USE enum err message_send_leaf(int fd, const struct host *host, struct str der);
/* The slice points into the message. ERR_INVALID. */
MUST_USE enum err message_read_leaf(const struct ipc_message *message, struct host *ret_host,
                                    struct str *ret_der);

/* The key under all leaves from now on (PKCS #8, DER), the secret of tickets, and the chain behind
 * every leaf as a descriptor. ERR_LIMIT; else as ipc_send. Copies of the key are wiped. */
MUST_USE enum err message_send_leaf_key(int fd, struct str key,
                                        const uint8_t secret[TLS_TICKET_SECRET_BYTES],
                                        int chain_fd);
/* The slices point into the message, as does the descriptor (message_take_fd). ERR_INVALID. */
MUST_USE enum err message_read_leaf_key(const struct ipc_message *message, struct str *ret_key,
                                        struct str *ret_secret);

/* ---- between front and the notary, put in touch by the supervisor ---- */

/* An end of their pair (stays the caller's), and the console's names. ERR_LIMIT; else as ipc_send.
 */
MUST_USE enum err message_send_vouch(int fd, int end_fd, const struct front_names *names);
/* The descriptor stays in the message (message_take_fd). ERR_INVALID. */
MUST_USE enum err message_read_vouch(const struct ipc_message *message,
                                     struct front_names *ret_names);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What our processes say to each other (message.def), over os/ipc.h. */
#ifndef LODGE_PROC_MESSAGE_H
#define LODGE_PROC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/ipc.h"

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

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages between our processes: SOCK_SEQPACKET pairs, one typed message a packet, with
 * descriptors.
 *
 * Non-blocking, close-on-exec. A message arrives whole or not at all. Both ends are our own binary,
 * but one of them may have been taken over: whoever receives checks as with any outside input.
 */
#ifndef LODGE_OS_IPC_H
#define LODGE_OS_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* A leaf under a school's own CA of RSA-8192, with long names, is below 3 KiB. */
enum { IPC_BYTES_MAX = 4096, IPC_FDS_MAX = 4 };

struct ipc_message {
    uint32_t type;
    size_t n_fds;
    int fds[IPC_FDS_MAX]; /* received: close-on-exec, the receiver's to close */
    size_t len;
    uint8_t bytes[IPC_BYTES_MAX];
};

MUST_USE enum err ipc_pair(int ret_fds[2]);

/* Sends type, bytes and descriptors (which stay the caller's). ERR_AGAIN where the other side does
 * not read, ERR_NOT_FOUND where it is gone, ERR_SYSTEM. */
MUST_USE enum err ipc_send(int fd, const struct ipc_message *message);

/* Takes the next message. ERR_AGAIN for none now, ERR_NOT_FOUND where the other side is gone,
 * ERR_INVALID for one that is not of this shape (its descriptors are closed), ERR_SYSTEM. */
MUST_USE enum err ipc_receive(int fd, struct ipc_message *ret_message);

/* Closes the descriptors of a received message that nobody took (those that are not -1). */
void ipc_message_fini(struct ipc_message *message);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages between our processes. On the wire: the type in host order, then the bytes. */
#include "os/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

enum err ipc_pair(int ret_fds[2])
{
    int type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
    return socketpair(AF_UNIX, type, 0, ret_fds) == 0 ? ERR_OK : ERR_SYSTEM;
}

static enum err from_errno(void)
{
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
        return ERR_AGAIN;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return ERR_NOT_FOUND;
    default:
        return ERR_SYSTEM;
    }
}

enum err ipc_send(int fd, const struct ipc_message *message)
{
    union control control;
    uint32_t type = message->type;
    CHECK(message->len <= IPC_BYTES_MAX && message->n_fds <= IPC_FDS_MAX);
    struct iovec parts[2] = {
        {.iov_base = &type, .iov_len = sizeof(type)},
        {.iov_base = (void *)(uintptr_t)message->bytes, .iov_len = message->len},
    };
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    if (message->n_fds > 0) {
        memset(&control, 0, sizeof(control));
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(message->n_fds * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(message->n_fds * sizeof(int));
        memcpy(CMSG_DATA(part), message->fds, message->n_fds * sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n >= 0 ? ERR_OK : from_errno();
}

static void take_fds(struct msghdr *header, struct ipc_message *message)
{
    message->n_fds = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n && message->n_fds < IPC_FDS_MAX; i++) {
            memcpy(&message->fds[message->n_fds], CMSG_DATA(part) + i * sizeof(int), sizeof(int));
            message->n_fds++;
        }
    }
}

enum err ipc_receive(int fd, struct ipc_message *ret_message)
{
    union control control;
    uint32_t type = 0;
    struct iovec parts[2] = {
        {.iov_base = &type, .iov_len = sizeof(type)},
        {.iov_base = ret_message->bytes, .iov_len = sizeof(ret_message->bytes)},
    };
    struct msghdr header = {
        .msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes),
    };
    ssize_t n;
    do {
        n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return from_errno();
    }
    if (n == 0) {
        return ERR_NOT_FOUND; /* no message of ours is empty */
    }
    take_fds(&header, ret_message);
    if ((size_t)n < sizeof(type) || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        ipc_message_fini(ret_message);
        return ERR_INVALID;
    }
    ret_message->type = type;
    ret_message->len = (size_t)n - sizeof(type);
    return ERR_OK;
}

void ipc_message_fini(struct ipc_message *message)
{
    for (size_t i = 0; i < message->n_fds; i++) {
        if (message->fds[i] >= 0) {
            close(message->fds[i]);
        }
    }
    message->n_fds = 0;
}

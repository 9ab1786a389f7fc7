/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Front's end of its line to the notary. */
#include "proc/front_vouch.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "proc/message.h"

enum { PUBLIC_MAX = 1024 };

static enum err receive(int fd, enum message type, struct ipc_message *ret_message)
{
    int64_t until_ms = clock_mono_ms() + FRONT_VOUCH_PATIENCE_MS;
    enum err err = message_receive(fd, ret_message);
    while (err == ERR_AGAIN) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int64_t left_ms = until_ms - clock_mono_ms();
        if (left_ms <= 0) {
            return ERR_TIMEOUT;
        }
        if (poll(&poll_fd, 1, (int)left_ms) < 0 && errno != EINTR) {
            return ERR_SYSTEM;
        }
        err = message_receive(fd, ret_message);
    }
    if (err == ERR_OK && ret_message->type != type) {
        ipc_message_fini(ret_message);
        err = ERR_INVALID;
    }
    return err;
}

enum err front_vouch_issuer(int fd, struct file_map *ret_chain)
{
    struct ipc_message message;
    ERR_TRY(receive(fd, MESSAGE_ISSUER, &message));
    enum err err = file_map_fd(message.fds[0], ret_chain);
    ipc_message_fini(&message);
    return err;
}

enum err front_vouch_ask(int fd, const struct tls_key *key, struct buf *ret_der)
{
    struct buf public_key;
    struct ipc_message message;
    buf_init(&public_key, PUBLIC_MAX);
    enum err err = tls_key_print_public(key, &public_key);
    if (err == ERR_OK) {
        err = message_send_bytes(fd, MESSAGE_PUBLIC_KEY, buf_str(&public_key));
    }
    buf_fini(&public_key);
    ERR_TRY(err);
    ERR_TRY(receive(fd, MESSAGE_CERTIFICATE, &message));
    buf_append(ret_der, str_make((const char *)message.bytes, message.len));
    err = message.len != 0 ? buf_err(ret_der) : ERR_INVALID;
    ipc_message_fini(&message);
    return err;
}

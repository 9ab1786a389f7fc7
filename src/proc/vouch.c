/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The notary's line to front. */
#include "proc/vouch.h"

#include <unistd.h>

#include "base/log.h"
#include "proc/leaves.h"
#include "proc/message.h"

enum { DER_MAX = 64 * 1024 };

static void drop(struct vouch *vouch)
{
    int fd = vouch->io.fd;
    if (fd >= 0) {
        loop_remove(&vouch->io);
        close(fd);
    }
}

static enum err sign(const struct vouch *vouch, struct str public_key, struct buf *der)
{
    struct tls_key *key;
    for (size_t i = 0; i < vouch->names.n; i++) {
        if (!leaves_may_hold(&vouch->names.hosts[i])) {
            return ERR_INVALID;
        }
    }
    ERR_TRY(tls_key_read_public(public_key, &key));
    enum err err = authority_sign_server(vouch->authority, vouch->names.hosts, vouch->names.n, key,
                                         loop_utc_ms(vouch->loop), der);
    tls_key_free(key);
    return err;
}

static enum err answer(const struct vouch *vouch, struct str public_key)
{
    struct buf der;
    buf_init(&der, DER_MAX);
    enum err err = sign(vouch, public_key, &der);
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "console-not-vouched", "err=%s names=%zu", err_name(err),
                 vouch->names.n);
        buf_clear(&der);
    }
    err = message_send_bytes(vouch->io.fd, MESSAGE_CERTIFICATE, buf_str(&der));
    buf_fini(&der);
    return err;
}

static void on_question(struct loop_io *io, uint32_t events)
{
    struct vouch *vouch = (struct vouch *)(void *)io;
    struct ipc_message message;
    (void)events;
    enum err err = message_receive(io->fd, &message);
    if (err == ERR_AGAIN) {
        return;
    }
    if (err == ERR_OK) {
        err = message.type == MESSAGE_PUBLIC_KEY
                  ? answer(vouch, str_make((const char *)message.bytes, message.len))
                  : ERR_INVALID;
        ipc_message_fini(&message);
    }
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        log_line(LOG_ERROR, "bad-question", "from=front err=%s", err_name(err));
    }
    drop(vouch);
}

void vouch_init(struct vouch *vouch, struct loop *loop, const struct authority *authority)
{
    *vouch =
        (struct vouch){.io = {.fd = -1, .fn = on_question}, .loop = loop, .authority = authority};
}

void vouch_fini(struct vouch *vouch)
{
    drop(vouch);
}

void vouch_take(struct vouch *vouch, int fd, const struct front_names *names, int chain_fd)
{
    drop(vouch);
    vouch->names = *names;
    enum err err = message_send(fd, MESSAGE_ISSUER, chain_fd, -1);
    if (err == ERR_OK) {
        err = loop_add(vouch->loop, &vouch->io, fd, EPOLLIN);
    }
    if (err != ERR_OK) {
        close(fd); /* front is gone, or will see that nobody answers */
    }
}

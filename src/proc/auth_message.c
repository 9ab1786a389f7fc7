/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the desk and auth say to each other: a head of fixed size, then the texts one behind the
 * other. */
#include "proc/auth_message.h"

#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "crypto/password.h"
#include "crypto/secret.h"
#include "proc/message.h"

struct ask_head {
    uint64_t ticket;
    uint8_t client[16];
    uint16_t hash_len;
    uint16_t account_len;
    uint16_t password_len;
    uint16_t zero; /* no padding goes out */
};

struct verdict_head {
    uint64_t ticket;
    uint32_t kind;
    uint32_t hash_len;
};

_Static_assert(sizeof(struct ask_head) == 32, "no padding");
_Static_assert(sizeof(struct verdict_head) == 16, "no padding");
_Static_assert(sizeof(struct ask_head) + PASSWORD_TEXT_MAX + LIMIT_ID_LEN + LIMIT_PASSWORD_LEN <=
                   IPC_BYTES_MAX,
               "a question fits");

static void put(struct ipc_message *message, const void *bytes, size_t n)
{
    CHECK(n <= sizeof(message->bytes) - message->len);
    if (n > 0) {
        memcpy(message->bytes + message->len, bytes, n);
    }
    message->len += n;
}

static enum err send_ask(int fd, enum message type, const uint8_t client[16],
                         const struct auth_ask *ask)
{
    struct ask_head head = {.ticket = ask->ticket};
    struct ipc_message message = {.type = type};
    if (ask->hash.len > PASSWORD_TEXT_MAX || ask->account.len > LIMIT_ID_LEN ||
        ask->password.len > LIMIT_PASSWORD_LEN) {
        return ERR_LIMIT;
    }
    if (client != NULL) {
        memcpy(head.client, client, sizeof(head.client));
    }
    head.hash_len = (uint16_t)ask->hash.len;
    head.account_len = (uint16_t)ask->account.len;
    head.password_len = (uint16_t)ask->password.len;
    put(&message, &head, sizeof(head));
    put(&message, ask->hash.p, ask->hash.len);
    put(&message, ask->account.p, ask->account.len);
    put(&message, ask->password.p, ask->password.len);
    enum err err = ipc_send(fd, &message);
    secret_wipe(message.bytes, message.len);
    return err;
}

enum err message_send_judge(int fd, uint64_t ticket, const uint8_t client[16], struct str hash,
                            struct str account, struct str password)
{
    const struct auth_ask ask = {
        .ticket = ticket, .hash = hash, .account = account, .password = password};
    return send_ask(fd, MESSAGE_JUDGE, client, &ask);
}

enum err message_send_make(int fd, uint64_t ticket, struct str password)
{
    const struct auth_ask ask = {.make = true, .ticket = ticket, .password = password};
    return send_ask(fd, MESSAGE_MAKE, NULL, &ask);
}

enum err message_read_ask(const struct ipc_message *message, struct auth_ask *ret_ask)
{
    struct ask_head head;
    if ((message->type != MESSAGE_JUDGE && message->type != MESSAGE_MAKE) ||
        message->len < sizeof(head)) {
        return ERR_INVALID;
    }
    memcpy(&head, message->bytes, sizeof(head));
    if (head.hash_len > PASSWORD_TEXT_MAX || head.account_len > LIMIT_ID_LEN ||
        head.password_len > LIMIT_PASSWORD_LEN ||
        message->len !=
            sizeof(head) + head.hash_len + head.account_len + (size_t)head.password_len) {
        return ERR_INVALID;
    }
    const char *text = (const char *)message->bytes + sizeof(head);
    ret_ask->make = message->type == MESSAGE_MAKE;
    ret_ask->ticket = head.ticket;
    memcpy(ret_ask->client, head.client, sizeof(head.client));
    ret_ask->hash = str_make(text, head.hash_len);
    ret_ask->account = str_make(text + head.hash_len, head.account_len);
    ret_ask->password = str_make(text + head.hash_len + head.account_len, head.password_len);
    return ERR_OK;
}

enum err message_send_verdict(int fd, uint64_t ticket, enum auth_verdict_kind kind, struct str hash)
{
    struct verdict_head head = {.ticket = ticket, .kind = kind, .hash_len = (uint32_t)hash.len};
    struct ipc_message message = {.type = MESSAGE_VERDICT};
    CHECK(kind > AUTH_VERDICT_UNSET && kind < AUTH_VERDICT_COUNT && hash.len <= PASSWORD_TEXT_MAX);
    put(&message, &head, sizeof(head));
    put(&message, hash.p, hash.len);
    return ipc_send(fd, &message);
}

enum err message_read_verdict(const struct ipc_message *message, struct auth_verdict *ret_verdict,
                              struct str *ret_hash)
{
    struct verdict_head head;
    if (message->type != MESSAGE_VERDICT || message->len < sizeof(head)) {
        return ERR_INVALID;
    }
    memcpy(&head, message->bytes, sizeof(head));
    if (head.kind <= AUTH_VERDICT_UNSET || head.kind >= AUTH_VERDICT_COUNT ||
        head.hash_len > PASSWORD_TEXT_MAX || message->len != sizeof(head) + head.hash_len ||
        (head.hash_len > 0 && head.kind != AUTH_MADE)) {
        return ERR_INVALID;
    }
    ret_verdict->ticket = head.ticket;
    ret_verdict->kind = (enum auth_verdict_kind)head.kind;
    *ret_hash = str_make((const char *)message->bytes + sizeof(head), head.hash_len);
    return ERR_OK;
}

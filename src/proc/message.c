/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What our processes say to each other. */
#include "proc/message.h"

#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "crypto/secret.h"

static const struct message_row {
    const char *name;
    size_t n_fds;
} rows[MESSAGE_COUNT] = {
    [MESSAGE_UNSET] = {"?", 0},
#define MESSAGE(name, fds, text) [MESSAGE_##name] = {#name, fds},
#include "proc/message.def"
#undef MESSAGE
};

const char *message_name(uint32_t type)
{
    return rows[type < MESSAGE_COUNT ? type : MESSAGE_UNSET].name;
}

enum err message_send(int fd, enum message type, int fd_1, int fd_2)
{
    struct ipc_message message = {.type = type, .fds = {fd_1, fd_2}};
    message.n_fds = (fd_1 >= 0 ? 1U : 0U) + (fd_2 >= 0 ? 1U : 0U);
    CHECK(message.n_fds == rows[type].n_fds);
    return ipc_send(fd, &message);
}

enum err message_receive(int fd, struct ipc_message *ret_message)
{
    ERR_TRY(ipc_receive(fd, ret_message));
    if (ret_message->type == MESSAGE_UNSET || ret_message->type >= MESSAGE_COUNT ||
        ret_message->n_fds != rows[ret_message->type].n_fds) {
        ipc_message_fini(ret_message);
        return ERR_INVALID;
    }
    return ERR_OK;
}

int message_take_fd(struct ipc_message *message, size_t index)
{
    CHECK(index < message->n_fds && message->fds[index] >= 0);
    int fd = message->fds[index];
    message->fds[index] = -1;
    return fd;
}

static void put(struct ipc_message *message, const void *bytes, size_t n)
{
    CHECK(n <= sizeof(message->bytes) - message->len);
    if (n != 0) { /* an empty slice may point nowhere */
        memcpy(message->bytes + message->len, bytes, n);
    }
    message->len += n;
}

enum err message_send_bytes(int fd, enum message type, struct str bytes)
{
    struct ipc_message message = {.type = type};
    CHECK(rows[type].n_fds == 0);
    if (bytes.len > sizeof(message.bytes)) {
        return ERR_LIMIT;
    }
    put(&message, bytes.p, bytes.len);
    return ipc_send(fd, &message);
}

enum err message_send_question(int fd, uint64_t ticket, const uint8_t client[16], struct str person,
                               struct str password)
{
    struct auth_question question = {.ticket = ticket};
    struct ipc_message message = {.type = MESSAGE_ASK};
    if (person.len > LIMIT_ID_LEN || password.len > LIMIT_PASSWORD_LEN) {
        return ERR_LIMIT;
    }
    memcpy(question.client, client, sizeof(question.client));
    question.person_len = (uint16_t)person.len;
    question.password_len = (uint16_t)password.len;
    memcpy(message.bytes, &question, sizeof(question));
    message.len = sizeof(question);
    memcpy(message.bytes + message.len, person.p, person.len);
    message.len += person.len;
    memcpy(message.bytes + message.len, password.p, password.len);
    message.len += password.len;
    enum err err = ipc_send(fd, &message);
    secret_wipe(message.bytes, sizeof(message.bytes));
    return err;
}

enum err message_read_question(const struct ipc_message *message,
                               struct auth_question *ret_question, struct str *ret_person,
                               struct str *ret_password)
{
    struct auth_question question;
    if (message->type != MESSAGE_ASK || message->len < sizeof(question)) {
        return ERR_INVALID;
    }
    memcpy(&question, message->bytes, sizeof(question));
    if (question.person_len > LIMIT_ID_LEN || question.password_len > LIMIT_PASSWORD_LEN ||
        message->len != sizeof(question) + question.person_len + question.password_len) {
        return ERR_INVALID;
    }
    const char *text = (const char *)message->bytes + sizeof(question);
    *ret_question = question;
    *ret_person = str_make(text, question.person_len);
    *ret_password = str_make(text + question.person_len, question.password_len);
    return ERR_OK;
}

enum err message_send_answer(int fd, uint64_t ticket, bool accepted)
{
    struct auth_answer answer;
    struct ipc_message message = {.type = MESSAGE_ANSWER, .len = sizeof(answer)};
    memset(&answer, 0, sizeof(answer)); /* the padding too goes out */
    answer.ticket = ticket;
    answer.accepted = accepted;
    memcpy(message.bytes, &answer, sizeof(answer));
    return ipc_send(fd, &message);
}

enum err message_read_answer(const struct ipc_message *message, struct auth_answer *ret_answer)
{
    if (message->type != MESSAGE_ANSWER || message->len != sizeof(*ret_answer) ||
        message->bytes[offsetof(struct auth_answer, accepted)] > 1) {
        return ERR_INVALID;
    }
    memcpy(ret_answer, message->bytes, sizeof(*ret_answer));
    return ERR_OK;
}

/* ---- between a worker and the notary ---- */

enum err message_send_sign(int fd, const struct host *host)
{
    struct ipc_message message = {.type = MESSAGE_SIGN};
    put(&message, host->text, host->len);
    return ipc_send(fd, &message);
}

enum err message_read_sign(const struct ipc_message *message, struct host *ret_host)
{
    if (message->type != MESSAGE_SIGN) {
        return ERR_INVALID;
    }
    return host_parse_canonical(str_make((const char *)message->bytes, message->len), ret_host);
}

/* One byte that says how long the host is, the host, the leaf. */
enum err message_send_leaf(int fd, const struct host *host, struct str der)
{
    struct ipc_message message = {.type = MESSAGE_LEAF};
    if (1U + host->len + der.len > sizeof(message.bytes)) {
        return ERR_LIMIT;
    }
    put(&message, &host->len, 1);
    put(&message, host->text, host->len);
    put(&message, der.p, der.len);
    return ipc_send(fd, &message);
}

enum err message_read_leaf(const struct ipc_message *message, struct host *ret_host,
                           struct str *ret_der)
{
    struct str rest = str_make((const char *)message->bytes, message->len);
    if (message->type != MESSAGE_LEAF || rest.len < 1 || message->bytes[0] >= rest.len) {
        return ERR_INVALID;
    }
    size_t host_len = message->bytes[0];
    ERR_TRY(host_parse_canonical(str_make(rest.p + 1, host_len), ret_host));
    *ret_der = str_make(rest.p + 1 + host_len, rest.len - 1 - host_len);
    return ERR_OK;
}

enum err message_send_leaf_key(int fd, struct str key,
                               const uint8_t secret[TLS_TICKET_SECRET_BYTES], int chain_fd)
{
    struct ipc_message message = {.type = MESSAGE_LEAF_KEY, .n_fds = 1, .fds = {chain_fd}};
    if (key.len == 0 || key.len > sizeof(message.bytes) - TLS_TICKET_SECRET_BYTES) {
        return ERR_LIMIT;
    }
    put(&message, secret, TLS_TICKET_SECRET_BYTES);
    put(&message, key.p, key.len);
    enum err err = ipc_send(fd, &message);
    secret_wipe(message.bytes, sizeof(message.bytes));
    return err;
}

enum err message_read_leaf_key(const struct ipc_message *message, struct str *ret_key,
                               struct str *ret_secret)
{
    if (message->type != MESSAGE_LEAF_KEY || message->len <= TLS_TICKET_SECRET_BYTES) {
        return ERR_INVALID;
    }
    const char *bytes = (const char *)message->bytes;
    *ret_secret = str_make(bytes, TLS_TICKET_SECRET_BYTES);
    *ret_key = str_make(bytes + TLS_TICKET_SECRET_BYTES, message->len - TLS_TICKET_SECRET_BYTES);
    return ERR_OK;
}

/* ---- between front and the notary ---- */

enum err message_send_vouch(int fd, int end_fd, const struct front_names *names)
{
    struct ipc_message message = {.type = MESSAGE_VOUCH, .n_fds = 1, .fds = {end_fd}};
    for (size_t i = 0; i < names->n; i++) {
        struct str name = host_str(&names->hosts[i]);
        if (message.len + name.len + 1 > sizeof(message.bytes)) {
            return ERR_LIMIT;
        }
        put(&message, name.p, name.len);
        put(&message, "\n", 1);
    }
    return ipc_send(fd, &message);
}

enum err message_read_vouch(const struct ipc_message *message, struct front_names *ret_names)
{
    struct front_names names = {.n = 0};
    struct str rest = str_make((const char *)message->bytes, message->len);
    struct str one;
    if (message->type != MESSAGE_VOUCH) {
        return ERR_INVALID;
    }
    while (rest.len != 0) {
        if (names.n == FRONT_NAMES_MAX || !str_cut(rest, '\n', &one, &rest)) {
            return ERR_INVALID;
        }
        ERR_TRY(host_parse_canonical(one, &names.hosts[names.n++]));
    }
    *ret_names = names;
    return names.n != 0 ? ERR_OK : ERR_INVALID;
}

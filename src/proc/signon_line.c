/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line between desk and signon. */
#include "proc/signon_line.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "proc/message.h"

static enum err send_struct(int fd, enum message type, const void *bytes, size_t len)
{
    struct ipc_message message = {.type = type, .len = len};
    memcpy(message.bytes, bytes, len);
    enum err err = ipc_send(fd, &message);
    secret_wipe(message.bytes, len);
    return err;
}

static enum err read_struct(const struct ipc_message *message, enum message type, void *to,
                            size_t len)
{
    if (message->type != type || message->len != len) {
        return ERR_INVALID;
    }
    memcpy(to, message->bytes, len);
    return ERR_OK;
}

/* A truth that is neither 0 nor 1 must not be read as one. */
static bool is_truth(const struct ipc_message *message, size_t at)
{
    return at < message->len && message->bytes[at] <= 1;
}

#define END_TEXT(text) (text)[sizeof(text) - 1] = '\0'

enum err signon_send_question(int fd, const struct signon_question *question)
{
    return send_struct(fd, MESSAGE_SIGNON_ASK, question, sizeof(*question));
}

enum err signon_read_question(const struct ipc_message *message,
                              struct signon_question *ret_question)
{
    if (!is_truth(message, offsetof(struct signon_question, silent))) {
        return ERR_INVALID;
    }
    ERR_TRY(read_struct(message, MESSAGE_SIGNON_ASK, ret_question, sizeof(*ret_question)));
    END_TEXT(ret_question->redirect);
    END_TEXT(ret_question->attempt.state);
    END_TEXT(ret_question->attempt.nonce);
    END_TEXT(ret_question->attempt.verifier);
    END_TEXT(ret_question->code);
    return ERR_OK;
}

/* What becomes a line of an answer's head. */
static bool is_address(const char *text)
{
    size_t i = 0;
    while (text[i] > ' ' && text[i] <= '~') {
        i++;
    }
    return text[i] == '\0';
}

enum err signon_send_answer(int fd, const struct signon_answer *answer)
{
    return send_struct(fd, MESSAGE_SIGNON_ANSWER, answer, sizeof(*answer));
}

enum err signon_read_answer(const struct ipc_message *message, struct signon_answer *ret_answer)
{
    if (!is_truth(message, offsetof(struct signon_answer, good)) ||
        !is_truth(message, offsetof(struct signon_answer, who.mfa))) {
        return ERR_INVALID;
    }
    ERR_TRY(read_struct(message, MESSAGE_SIGNON_ANSWER, ret_answer, sizeof(*ret_answer)));
    END_TEXT(ret_answer->why);
    END_TEXT(ret_answer->address);
    END_TEXT(ret_answer->issuer);
    END_TEXT(ret_answer->who.subject);
    END_TEXT(ret_answer->who.match);
    END_TEXT(ret_answer->who.name);
    return is_address(ret_answer->address) ? ERR_OK : ERR_INVALID;
}

enum err signon_send_providers(int fd, const struct signon_providers *providers)
{
    return send_struct(fd, MESSAGE_SIGNON_PROVIDERS, providers, sizeof(*providers));
}

enum err signon_read_providers(const struct ipc_message *message,
                               struct signon_providers *ret_providers)
{
    ERR_TRY(read_struct(message, MESSAGE_SIGNON_PROVIDERS, ret_providers, sizeof(*ret_providers)));
    if (ret_providers->n > OIDC_PROVIDERS_MAX) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
        END_TEXT(ret_providers->providers[i].name);
        END_TEXT(ret_providers->providers[i].label);
    }
    return ERR_OK;
}

/* ---- the desk's end ---- */

/* Whoever waits is told no; what is asked meanwhile by the callee waits anew. */
static void refuse_all(struct signon_line *line)
{
    uint64_t tickets[SIGNON_WAITING_MAX];
    size_t n = line->n_waiting;
    memcpy(tickets, line->waiting, n * sizeof(tickets[0]));
    line->n_waiting = 0;
    for (size_t i = 0; i < n; i++) {
        const struct signon_answer answer = {.ticket = tickets[i],
                                             .why = "single sign-on is starting; try again"};
        line->answer(line->context, &answer);
    }
}

static void drop(struct signon_line *line)
{
    int fd = line->io.fd;
    if (fd >= 0) {
        loop_remove(&line->io);
        close(fd);
    }
    refuse_all(line);
}

static void take_answer(struct signon_line *line, const struct signon_answer *answer)
{
    for (size_t i = 0; i < line->n_waiting; i++) {
        if (line->waiting[i] == answer->ticket) {
            line->waiting[i] = line->waiting[--line->n_waiting];
            line->answer(line->context, answer);
            return;
        }
    }
}

static enum err take_message(struct signon_line *line, const struct ipc_message *message)
{
    struct signon_answer answer;
    struct signon_providers providers;
    if (message->type == MESSAGE_SIGNON_PROVIDERS) {
        ERR_TRY(signon_read_providers(message, &providers));
        line->providers(line->context, &providers);
        return ERR_OK;
    }
    ERR_TRY(signon_read_answer(message, &answer));
    take_answer(line, &answer);
    return ERR_OK;
}

static void on_message(struct loop_io *io, uint32_t events)
{
    struct signon_line *line = (struct signon_line *)(void *)io;
    enum err err = ERR_OK;
    (void)events;
    while (err == ERR_OK) {
        struct ipc_message message;
        err = message_receive(io->fd, &message);
        if (err == ERR_OK) {
            err = take_message(line, &message);
            ipc_message_fini(&message);
        }
    }
    if (err != ERR_AGAIN) {
        if (err != ERR_NOT_FOUND) {
            log_line(LOG_ERROR, "signon-line-failed", "err=%s", err_name(err));
        }
        drop(line);
    }
}

void signon_line_init(struct signon_line *line, struct loop *loop)
{
    line->io = (struct loop_io){.fd = -1, .fn = on_message};
    line->loop = loop;
    line->n_waiting = 0;
}

void signon_line_take(struct signon_line *line, int fd)
{
    drop(line);
    if (loop_add(line->loop, &line->io, fd, EPOLLIN) != ERR_OK) {
        close(fd);
    }
}

bool signon_line_ask(struct signon_line *line, const struct signon_question *question)
{
    if (line->io.fd < 0 || line->n_waiting == SIGNON_WAITING_MAX ||
        signon_send_question(line->io.fd, question) != ERR_OK) {
        return false;
    }
    line->waiting[line->n_waiting++] = question->ticket;
    return true;
}

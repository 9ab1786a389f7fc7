/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a message between our processes: the first byte is its type. Whoever reads it takes
 * slices of it, or refuses it; texts have an end, truths are 0 or 1. */
#include <string.h>

#include "base/check.h"
#include "proc/auth_message.h"
#include "proc/message.h"
#include "proc/signon_line.h"
#include "proc/trust_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ipc_message message;

static void look_within(struct str part)
{
    const char *bytes = (const char *)message.bytes;
    CHECK(part.p >= bytes && part.p + part.len <= bytes + message.len);
}

static void read_asked(void)
{
    struct auth_question question;
    struct auth_ask ask;
    struct str person, password;
    if (message_read_question(&message, &question, &person, &password) == ERR_OK) {
        look_within(person);
        look_within(password);
    }
    if (message_read_ask(&message, &ask) == ERR_OK) {
        look_within(ask.hash);
        look_within(ask.account);
        look_within(ask.password);
    }
}

static void read_answered(void)
{
    struct auth_answer answer;
    struct auth_verdict verdict;
    struct str hash;
    if (message_read_answer(&message, &answer) == ERR_OK) {
        CHECK(answer.accepted || !answer.accepted);
    }
    if (message_read_verdict(&message, &verdict, &hash) == ERR_OK) {
        CHECK(verdict.kind < AUTH_VERDICT_COUNT);
        look_within(hash);
    }
}

static void read_notary(void)
{
    struct host host;
    struct str one, two;
    (void)!message_read_sign(&message, &host);
    if (message_read_leaf(&message, &host, &one) == ERR_OK) {
        look_within(one);
    }
    if (message_read_leaf_key(&message, &one, &two) == ERR_OK) {
        look_within(one);
        look_within(two);
    }
}

static void read_signon(void)
{
    static struct signon_question question;
    static struct signon_answer answer;
    static struct signon_providers providers;
    if (signon_read_question(&message, &question) == ERR_OK) {
        CHECK(strlen(question.code) < sizeof(question.code));
        CHECK(question.silent || !question.silent);
    }
    if (signon_read_answer(&message, &answer) == ERR_OK) {
        struct signon_answer copy = answer;
        CHECK(copy.good || !copy.good || copy.who.mfa);
        CHECK(strchr(answer.address, '\n') == NULL);
    }
    if (signon_read_providers(&message, &providers) == ERR_OK) {
        CHECK(providers.n <= OIDC_PROVIDERS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trust_note note;
    if (size == 0 || size - 1 > IPC_BYTES_MAX) {
        return 0;
    }
    /* Behind the end lies what no reader may take for a part of it. */
    memset(&message, 0xa5, sizeof(message));
    message.type = data[0];
    message.n_fds = 0;
    message.len = size - 1;
    memcpy(message.bytes, data + 1, size - 1);
    read_asked();
    read_answered();
    read_notary();
    read_signon();
    if (trust_note_read(&message, &note) == ERR_OK) {
        CHECK(note.id_len <= sizeof(note.id));
    }
    return 0;
}

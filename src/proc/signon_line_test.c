/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/signon_line.h"

#include <unistd.h>

#include "lib/test.h"
#include "proc/message.h"

static struct ipc_message got;

/* What `sent` sends, as it is received. */
static void receive(enum err (*send)(int fd, const void *what), const void *what)
{
    int fds[2];
    assert_ok(ipc_pair(fds));
    assert_ok(send(fds[0], what));
    assert_ok(message_receive(fds[1], &got));
    close(fds[0]);
    close(fds[1]);
}

static enum err send_question(int fd, const void *what)
{
    return signon_send_question(fd, what);
}

static enum err send_answer(int fd, const void *what)
{
    return signon_send_answer(fd, what);
}

static enum err send_providers(int fd, const void *what)
{
    return signon_send_providers(fd, what);
}

static const struct signon_answer answer = {
    .ticket = 7,
    .good = true,
    .address = "https://id.example/a?b=c",
    .issuer = "https://id.example",
    .who = {.subject = "1", .mfa = true},
};

TEST(what_is_sent_is_read)
{
    struct signon_question question = {.ticket = 5, .provider = 1, .silent = true, .code = "c"};
    struct signon_question asked;
    struct signon_answer answered;
    receive(send_question, &question);
    assert_ok(signon_read_question(&got, &asked));
    assert_int_equal(asked.ticket, 5);
    assert_true(asked.silent);
    assert_string_equal(asked.code, "c");
    receive(send_answer, &answer);
    assert_err(signon_read_question(&got, &asked), ERR_INVALID);
    assert_ok(signon_read_answer(&got, &answered));
    assert_true(answered.good && answered.who.mfa);
    assert_string_equal(answered.address, answer.address);
}

TEST(a_truth_that_is_none_is_refused)
{
    static const size_t places[] = {offsetof(struct signon_answer, good),
                                    offsetof(struct signon_answer, who.mfa)};
    struct signon_question question = {.ticket = 5};
    struct signon_question asked;
    struct signon_answer answered;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        receive(send_answer, &answer);
        got.bytes[places[i]] = 2;
        assert_err(signon_read_answer(&got, &answered), ERR_INVALID);
    }
    receive(send_question, &question);
    got.bytes[offsetof(struct signon_question, silent)] = 0xff;
    assert_err(signon_read_question(&got, &asked), ERR_INVALID);
}

TEST(an_address_that_is_no_line_is_refused)
{
    static const char *const addresses[] = {"https://a\r\nSet-Cookie: b", "https://a b",
                                            "https://\xc3\xa9/", "\x7f"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct signon_answer bad = answer;
        struct signon_answer answered;
        snprintf(bad.address, sizeof(bad.address), "%s", addresses[i]);
        receive(send_answer, &bad);
        assert_err(signon_read_answer(&got, &answered), ERR_INVALID);
    }
}

TEST(texts_without_an_end_are_ended)
{
    struct signon_providers list = {.n = OIDC_PROVIDERS_MAX};
    struct signon_providers listed;
    memset(list.providers, 'a', sizeof(list.providers));
    receive(send_providers, &list);
    assert_ok(signon_read_providers(&got, &listed));
    assert_int_equal(strlen(listed.providers[OIDC_PROVIDERS_MAX - 1].label), OIDC_LABEL_MAX);
    list.n = OIDC_PROVIDERS_MAX + 1;
    receive(send_providers, &list);
    assert_err(signon_read_providers(&got, &listed), ERR_INVALID);
}

TESTS_MAIN(unit(what_is_sent_is_read), unit(a_truth_that_is_none_is_refused),
           unit(an_address_that_is_no_line_is_refused), unit(texts_without_an_end_are_ended))

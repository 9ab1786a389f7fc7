/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/message.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "lib/test.h"

static int fds[2];
static struct ipc_message got;
static const uint8_t client[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7};

static void begin(void)
{
    assert_ok(ipc_pair(fds));
}

static void end(void)
{
    close(fds[0]);
    close(fds[1]);
}

TEST(a_question_and_its_answer_arrive_as_they_were_sent)
{
    struct auth_question question;
    struct auth_answer answer;
    struct str person;
    struct str password;
    begin();
    assert_ok(message_send_question(fds[0], 77, client, STR("p-1"), STR("three\0words")));
    assert_ok(message_receive(fds[1], &got));
    assert_ok(message_read_question(&got, &question, &person, &password));
    assert_int_equal(question.ticket, 77);
    assert_memory_equal(question.client, client, 16);
    assert_str_eq(person, STR("p-1"));
    assert_str_eq(password, STR("three\0words"));
    assert_ok(message_send_answer(fds[1], 77, true));
    assert_ok(message_receive(fds[0], &got));
    assert_ok(message_read_answer(&got, &answer));
    assert_int_equal(answer.ticket, 77);
    assert_true(answer.accepted);
    end();
}

TEST(ids_and_passwords_that_are_too_long_are_not_sent)
{
    static char longest[LIMIT_PASSWORD_LEN + 1];
    memset(longest, 'a', sizeof(longest));
    begin();
    assert_ok(message_send_question(fds[0], 1, client, str_make(longest, LIMIT_ID_LEN),
                                    str_make(longest, LIMIT_PASSWORD_LEN)));
    assert_err(
        message_send_question(fds[0], 1, client, str_make(longest, LIMIT_ID_LEN + 1), STR("x")),
        ERR_LIMIT);
    assert_err(
        message_send_question(fds[0], 1, client, STR("x"), str_make(longest, sizeof(longest))),
        ERR_LIMIT);
    end();
}

TEST(a_question_or_answer_of_another_shape_is_refused)
{
    struct auth_question question;
    struct auth_answer answer;
    struct str person;
    struct str password;
    begin();
    assert_ok(message_send_question(fds[0], 1, client, STR("p-1"), STR("word")));
    assert_ok(message_receive(fds[1], &got));
    assert_err(message_read_answer(&got, &answer), ERR_INVALID);
    for (size_t len = 0; len < got.len; len++) {
        struct ipc_message cut = got;
        cut.len = len;
        assert_err(message_read_question(&cut, &question, &person, &password), ERR_INVALID);
    }
    got.len++;
    assert_err(message_read_question(&got, &question, &person, &password), ERR_INVALID);
    got.len--;
    memset(got.bytes + offsetof(struct auth_question, person_len), 0xff, 2);
    assert_err(message_read_question(&got, &question, &person, &password), ERR_INVALID);
    struct ipc_message bad = {.type = MESSAGE_ANSWER, .len = sizeof(answer)};
    assert_ok(message_read_answer(&bad, &answer));
    bad.bytes[offsetof(struct auth_answer, accepted)] = 2; /* no bool has this value */
    assert_err(message_read_answer(&bad, &answer), ERR_INVALID);
    end();
}

TEST(a_message_has_the_number_of_descriptors_that_its_row_says)
{
    begin();
    assert_ok(message_send(fds[0], MESSAGE_BELL, fds[0], -1));
    assert_ok(message_receive(fds[1], &got));
    int taken = message_take_fd(&got, 0);
    assert_true(taken >= 0);
    ipc_message_fini(&got);
    assert_int_equal(close(taken), 0);
    struct ipc_message wrong = {.type = MESSAGE_BELL};
    assert_ok(ipc_send(fds[0], &wrong));
    assert_err(message_receive(fds[1], &got), ERR_INVALID);
    wrong.type = MESSAGE_COUNT;
    assert_ok(ipc_send(fds[0], &wrong));
    assert_err(message_receive(fds[1], &got), ERR_INVALID);
    wrong.type = MESSAGE_UNSET;
    assert_ok(ipc_send(fds[0], &wrong));
    assert_err(message_receive(fds[1], &got), ERR_INVALID);
    end();
}

TESTS_MAIN(unit(a_question_and_its_answer_arrive_as_they_were_sent),
           unit(ids_and_passwords_that_are_too_long_are_not_sent),
           unit(a_question_or_answer_of_another_shape_is_refused),
           unit(a_message_has_the_number_of_descriptors_that_its_row_says))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/auth_message.h"

#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "proc/message.h"

static const uint8_t room[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7};
static int pair[2];
static struct ipc_message message;

static void open_pair(void)
{
    assert_ok(ipc_pair(pair));
}

static void take(void)
{
    assert_ok(message_receive(pair[1], &message));
    close(pair[0]);
    close(pair[1]);
}

TEST(a_question_arrives_as_it_was_asked)
{
    struct auth_ask ask;
    open_pair();
    assert_ok(message_send_judge(pair[0], 7, room, STR("$argon2id$x"), STR("someone"),
                                 STR("a password")));
    take();
    assert_ok(message_read_ask(&message, &ask));
    assert_false(ask.make);
    assert_int_equal(ask.ticket, 7);
    assert_memory_equal(ask.client, room, sizeof(room));
    assert_str_eq(ask.hash, STR("$argon2id$x"));
    assert_str_eq(ask.account, STR("someone"));
    assert_str_eq(ask.password, STR("a password"));
    message.len--;
    assert_err(message_read_ask(&message, &ask), ERR_INVALID);
    message.len += 2;
    assert_err(message_read_ask(&message, &ask), ERR_INVALID);
    message.len = 3;
    assert_err(message_read_ask(&message, &ask), ERR_INVALID);
}

TEST(a_password_to_hash_arrives)
{
    struct auth_ask ask;
    open_pair();
    assert_ok(message_send_make(pair[0], 8, STR("another")));
    take();
    assert_ok(message_read_ask(&message, &ask));
    assert_true(ask.make);
    assert_str_eq(ask.password, STR("another"));
    assert_int_equal(ask.hash.len, 0);
}

TEST(what_is_too_long_is_not_sent)
{
    static char text[LIMIT_PASSWORD_LEN + 1];
    struct str all = {text, sizeof(text)};
    open_pair();
    assert_err(message_send_make(pair[0], 1, all), ERR_LIMIT);
    assert_err(message_send_judge(pair[0], 1, room, all, STR("a"), STR("b")), ERR_LIMIT);
    assert_err(message_send_judge(pair[0], 1, room, STR(""), all, STR("b")), ERR_LIMIT);
    close(pair[0]);
    close(pair[1]);
}

TEST(a_verdict_arrives_and_a_wrong_one_is_refused)
{
    struct auth_verdict verdict;
    struct str hash;
    open_pair();
    assert_ok(message_send_verdict(pair[0], 9, AUTH_MADE, STR("$argon2id$y")));
    take();
    assert_ok(message_read_verdict(&message, &verdict, &hash));
    assert_int_equal(verdict.ticket, 9);
    assert_int_equal(verdict.kind, AUTH_MADE);
    assert_str_eq(hash, STR("$argon2id$y"));
    message.len--;
    assert_err(message_read_verdict(&message, &verdict, &hash), ERR_INVALID);
    message.len++;
    message.bytes[8] = AUTH_RIGHT; /* has no hash */
    assert_err(message_read_verdict(&message, &verdict, &hash), ERR_INVALID);
    message.bytes[8] = AUTH_VERDICT_COUNT;
    assert_err(message_read_verdict(&message, &verdict, &hash), ERR_INVALID);
    message.bytes[8] = 0;
    assert_err(message_read_verdict(&message, &verdict, &hash), ERR_INVALID);
}

TESTS_MAIN(unit(a_question_arrives_as_it_was_asked), unit(a_password_to_hash_arrives),
           unit(what_is_too_long_is_not_sent), unit(a_verdict_arrives_and_a_wrong_one_is_refused))

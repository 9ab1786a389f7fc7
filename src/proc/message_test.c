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

static struct host host_of(const char *text)
{
    struct host host;
    assert_ok(host_parse(str_from(text), &host));
    return host;
}

TEST(a_wanted_leaf_and_the_leaf_arrive_as_they_were_sent)
{
    static const char *const hosts[] = {"a.example", "192.0.2.7", "[2001:db8::7]"};
    static char der[3000];
    begin();
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct host host = host_of(hosts[i]);
        struct host read;
        struct str leaf;
        assert_ok(message_send_sign(fds[0], &host));
        assert_ok(message_receive(fds[1], &got));
        assert_ok(message_read_sign(&got, &read));
        assert_true(host_eq(&read, &host));
        assert_err(message_read_leaf(&got, &read, &leaf), ERR_INVALID);
        assert_ok(message_send_leaf(fds[1], &host, str_make(der, sizeof(der))));
        assert_ok(message_receive(fds[0], &got));
        assert_ok(message_read_leaf(&got, &read, &leaf));
        assert_true(host_eq(&read, &host));
        assert_str_eq(leaf, str_make(der, sizeof(der)));
        assert_err(message_send_leaf(fds[1], &host, str_make(der, IPC_BYTES_MAX)), ERR_LIMIT);
    }
    end();
}

TEST(a_host_that_is_not_canonical_or_a_message_cut_short_is_refused)
{
    static const char *const bad[] = {"",
                                      "A.example",
                                      "a.example.",
                                      "0x7f.1",
                                      "[2001:db8::7]",
                                      "2001:DB8::7",
                                      "::ffff:192.0.2.1",
                                      "a b",
                                      "a.example:443"};
    struct host read;
    struct str leaf;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ipc_message message = {.type = MESSAGE_SIGN, .len = strlen(bad[i])};
        memcpy(message.bytes, bad[i], message.len);
        assert_err(message_read_sign(&message, &read), ERR_INVALID);
    }
    struct ipc_message message = {.type = MESSAGE_LEAF, .len = 4, .bytes = {3, 'a', '.', 'b'}};
    assert_ok(message_read_leaf(&message, &read, &leaf));
    for (message.len = 0; message.len < 4; message.len++) {
        assert_err(message_read_leaf(&message, &read, &leaf), ERR_INVALID);
    }
    struct ipc_message longest = {.type = MESSAGE_SIGN, .len = IPC_BYTES_MAX};
    memset(longest.bytes, 'a', sizeof(longest.bytes));
    assert_err(message_read_sign(&longest, &read), ERR_INVALID);
}

TEST(the_leaf_key_arrives_with_its_secret_and_its_chain)
{
    uint8_t secret[TLS_TICKET_SECRET_BYTES];
    struct str key;
    struct str read;
    memset(secret, 7, sizeof(secret));
    begin();
    assert_ok(message_send_leaf_key(fds[0], STR("key"), secret, fds[0]));
    assert_ok(message_receive(fds[1], &got));
    assert_ok(message_read_leaf_key(&got, &key, &read));
    assert_str_eq(key, STR("key"));
    assert_memory_equal(read.p, secret, sizeof(secret));
    got.len = TLS_TICKET_SECRET_BYTES; /* no key */
    assert_err(message_read_leaf_key(&got, &key, &read), ERR_INVALID);
    ipc_message_fini(&got);
    assert_err(message_send_leaf_key(fds[0], STR(""), secret, fds[0]), ERR_LIMIT);
    end();
}

TEST(the_console_s_names_arrive_as_they_were_sent)
{
    static const struct str bad[] = {STR_INIT(""),          STR_INIT("\n"),
                                     STR_INIT("localhost"), STR_INIT("Localhost\n"),
                                     STR_INIT("a\n\n"),     STR_INIT("a b\n")};
    struct front_names names;
    struct front_names read;
    begin();
    assert_ok(front_names_parse(STR("lodge.example,[2001:db8::1]"), &names));
    assert_ok(message_send_vouch(fds[0], fds[1], &names));
    assert_ok(message_receive(fds[1], &got));
    assert_ok(message_read_vouch(&got, &read));
    assert_int_equal(read.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(host_eq(&read.hosts[i], &names.hosts[i]));
    }
    ipc_message_fini(&got);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        got = (struct ipc_message){.type = MESSAGE_VOUCH, .len = bad[i].len};
        memcpy(got.bytes, bad[i].p, bad[i].len);
        assert_err(message_read_vouch(&got, &read), ERR_INVALID);
    }
    end();
}

TESTS_MAIN(unit(a_question_and_its_answer_arrive_as_they_were_sent),
           unit(ids_and_passwords_that_are_too_long_are_not_sent),
           unit(a_question_or_answer_of_another_shape_is_refused),
           unit(a_message_has_the_number_of_descriptors_that_its_row_says),
           unit(a_wanted_leaf_and_the_leaf_arrive_as_they_were_sent),
           unit(a_host_that_is_not_canonical_or_a_message_cut_short_is_refused),
           unit(the_leaf_key_arrives_with_its_secret_and_its_chain),
           unit(the_console_s_names_arrive_as_they_were_sent))

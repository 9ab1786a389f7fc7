/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk's end against an auth played by the test. */
#include "proc/auth_line.h"

#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "proc/auth_message.h"
#include "proc/message.h"

static const uint8_t room[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7};
static struct loop *loop;
static struct auth_line line;
static int auth; /* the other end */
static unsigned n_answers;
static uint64_t last_ticket;
static struct auth_line_answer last;
static char last_hash[64];

static void take_answer(void *context, uint64_t ticket, const struct auth_line_answer *answer)
{
    assert_ptr_equal(context, &line);
    n_answers++;
    last_ticket = ticket;
    last = *answer;
    assert_true(answer->hash.len < sizeof(last_hash));
    memcpy(last_hash, answer->hash.p != NULL ? answer->hash.p : "", answer->hash.len);
    last.hash.p = last_hash;
}

static void connect_line(void)
{
    int pair[2];
    assert_ok(ipc_pair(pair));
    auth = pair[0];
    auth_line_take(&line, pair[1]);
}

static void begin(void)
{
    n_answers = 0;
    assert_ok(loop_new(&loop));
    auth_line_init(&line, loop);
    line.context = &line;
    line.answer = take_answer;
}

static void end(void)
{
    auth_line_fini(&line);
    loop_free(loop);
}

static bool ask(uint64_t ticket)
{
    return auth_line_judge(&line, ticket, STR("$argon2id$x"), STR("secret"), STR("someone"), room);
}

TEST(without_a_line_nothing_is_taken)
{
    begin();
    assert_false(ask(1));
    assert_false(auth_line_make(&line, 2, STR("secret")));
    assert_int_equal(n_answers, 0);
    end();
}

TEST(verdicts_find_their_questions_in_any_order)
{
    struct ipc_message message;
    struct auth_ask asked;
    begin();
    connect_line();
    assert_true(ask(1));
    assert_true(auth_line_make(&line, 2, STR("another")));
    assert_ok(message_receive(auth, &message));
    assert_ok(message_read_ask(&message, &asked));
    assert_int_equal(asked.ticket, 1);
    assert_ok(message_send_verdict(auth, 2, AUTH_MADE, STR("$argon2id$new")));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(last_ticket, 2);
    assert_str_eq(last.hash, STR("$argon2id$new"));
    assert_false(last.right);
    assert_ok(message_send_verdict(auth, 1, AUTH_RIGHT, STR("")));
    assert_ok(message_send_verdict(auth, 1, AUTH_RIGHT, STR(""))); /* nobody asked twice */
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(n_answers, 2);
    assert_true(last.right);
    assert_false(last.locked || last.busy);
    close(auth);
    end();
}

TEST(who_waits_when_auth_dies_is_told_that_it_is_busy)
{
    begin();
    connect_line();
    assert_true(ask(1));
    assert_true(ask(2));
    close(auth);
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(n_answers, 2);
    assert_true(last.busy);
    assert_false(last.right);
    assert_false(ask(3));
    connect_line();
    assert_true(ask(3));
    close(auth);
    end();
}

TEST(a_line_that_speaks_nonsense_is_given_up)
{
    begin();
    connect_line();
    assert_true(ask(1));
    assert_ok(message_send(auth, MESSAGE_PING, -1, -1));
    assert_ok(loop_turn(loop, 0));
    assert_int_equal(n_answers, 1);
    assert_true(last.busy);
    assert_false(ask(2));
    close(auth);
    end();
}

TEST(too_many_questions_are_not_taken)
{
    struct ipc_message message;
    begin();
    connect_line();
    for (uint64_t i = 0; i < AUTH_LINE_WAITING_MAX; i++) {
        assert_true(ask(i));
        assert_ok(message_receive(auth, &message));
    }
    assert_false(ask(AUTH_LINE_WAITING_MAX));
    assert_ok(message_send_verdict(auth, 0, AUTH_LOCKED, STR("")));
    assert_ok(loop_turn(loop, 0));
    assert_true(last.locked);
    assert_true(ask(AUTH_LINE_WAITING_MAX));
    close(auth);
    end();
}

TESTS_MAIN(unit(without_a_line_nothing_is_taken), unit(verdicts_find_their_questions_in_any_order),
           unit(who_waits_when_auth_dies_is_told_that_it_is_busy),
           unit(a_line_that_speaks_nonsense_is_given_up), unit(too_many_questions_are_not_taken))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker's end against a notary played by the test. */
#include "proc/notary_line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "lib/test.h"
#include "os/file.h"
#include "proc/message.h"

static struct loop *loop;
static struct notary_line line;
static int notary; /* the other end */
static unsigned n_keys;
static unsigned n_leaves;
static struct host last_host;
static char last_der[64];
static size_t last_len;
static bool key_is_good;

static bool take_key(void *context, struct str key, struct str chain,
                     const uint8_t secret[TLS_TICKET_SECRET_BYTES])
{
    assert_ptr_equal(context, &line);
    assert_str_eq(key, STR("the key"));
    assert_str_eq(chain, STR("the chain"));
    assert_int_equal(secret[TLS_TICKET_SECRET_BYTES - 1], 9);
    n_keys++;
    return key_is_good;
}

static void take_leaf(void *context, const struct host *host, struct str der)
{
    assert_ptr_equal(context, &line);
    n_leaves++;
    last_host = *host;
    last_len = der.len;
    assert_true(der.len <= sizeof(last_der));
    memcpy(last_der, der.p, der.len);
}

static struct host host_of(const char *text)
{
    struct host host;
    assert_ok(host_parse(str_from(text), &host));
    return host;
}

static void connect_line(void)
{
    int pair[2];
    assert_ok(ipc_pair(pair));
    notary = pair[0];
    notary_line_take(&line, pair[1]);
}

static void turn(void)
{
    assert_ok(loop_turn(loop, 0));
}

static void send_key(void)
{
    uint8_t secret[TLS_TICKET_SECRET_BYTES] = {[TLS_TICKET_SECRET_BYTES - 1] = 9};
    int fd;
    assert_ok(file_memory("chain", STR("the chain"), &fd));
    assert_ok(message_send_leaf_key(notary, STR("the key"), secret, fd));
    close(fd);
    turn();
}

static void begin(void)
{
    n_keys = n_leaves = 0;
    key_is_good = true;
    assert_ok(loop_new(&loop));
    line = (struct notary_line){.context = &line, .key = take_key, .leaf = take_leaf};
    assert_ok(notary_line_init(&line, loop));
    connect_line();
}

static void end(void)
{
    notary_line_fini(&line);
    close(notary);
    loop_free(loop);
}

static void expect_question(const char *want)
{
    struct ipc_message message;
    struct host host;
    assert_ok(message_receive(notary, &message));
    assert_ok(message_read_sign(&message, &host));
    assert_string_equal(host.text, want);
}

static void expect_no_question(void)
{
    struct ipc_message message;
    assert_err(message_receive(notary, &message), ERR_AGAIN);
}

/* More than the socket holds: what was asked while there was no key goes by and by. */
TEST(all_that_wait_for_a_key_are_asked_for_however_many_they_are)
{
    static bool asked[NOTARY_LINE_WAITING_MAX];
    struct ipc_message message;
    struct host host;
    size_t n = 0;
    begin();
    for (size_t i = 0; i < NOTARY_LINE_WAITING_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%zu.example", i);
        host = host_of(name);
        assert_true(notary_line_ask(&line, &host));
    }
    send_key();
    for (int i = 0; i < 100 && n < NOTARY_LINE_WAITING_MAX; i++) {
        while (message_receive(notary, &message) == ERR_OK) {
            uint64_t at = 0;
            assert_ok(message_read_sign(&message, &host));
            assert_ok(parse_u64(str_sub(host_str(&host), 0, str_index(host_str(&host), '.')), 0,
                                NOTARY_LINE_WAITING_MAX - 1, &at));
            assert_false(asked[at]);
            asked[at] = true;
            n++;
            /* An answer to one that was asked, while others are not yet. */
            assert_ok(message_send_leaf(notary, &host, STR("leaf")));
            turn();
        }
        turn();
    }
    assert_int_equal(n, NOTARY_LINE_WAITING_MAX);
    assert_int_equal(n_leaves, NOTARY_LINE_WAITING_MAX);
    host = host_of("a.example");
    assert_true(notary_line_ask(&line, &host));
    expect_question("a.example");
    end();
}

TEST(the_key_comes_first_and_then_leaves_are_asked_for_and_taken)
{
    struct host a = host_of("a.example");
    struct host v6 = host_of("[2001:db8::1]");
    begin();
    assert_true(notary_line_ask(&line, &a));
    expect_no_question();
    send_key();
    assert_int_equal(n_keys, 1);
    expect_question("a.example");
    assert_true(notary_line_ask(&line, &v6));
    expect_question("2001:db8::1");
    assert_ok(message_send_leaf(notary, &v6, STR("leaf")));
    turn();
    assert_int_equal(n_leaves, 1);
    assert_true(host_eq(&last_host, &v6));
    assert_str_eq(str_make(last_der, last_len), STR("leaf"));
    assert_ok(message_send_leaf(notary, &a, STR("")));
    assert_ok(message_send_leaf(notary, &a, STR("twice"))); /* nobody waits for it */
    turn();
    assert_int_equal(n_leaves, 2);
    assert_int_equal(last_len, 0);
    end();
}

TEST(who_waits_when_the_notary_dies_is_asked_for_again_over_the_next_line)
{
    struct host a = host_of("a.example");
    begin();
    send_key();
    assert_true(notary_line_ask(&line, &a));
    close(notary);
    turn();
    assert_int_equal(n_leaves, 0);
    struct host b = host_of("b.example");
    assert_true(notary_line_ask(&line, &b));
    connect_line();
    expect_no_question();
    send_key();
    expect_question("a.example");
    expect_question("b.example");
    assert_ok(message_send_leaf(notary, &b, STR("leaf")));
    turn();
    assert_true(host_eq(&last_host, &b));
    end();
}

TEST(where_no_notary_comes_back_all_are_told_that_there_is_no_leaf)
{
    struct host a = host_of("a.example");
    struct host b = host_of("b.example");
    begin();
    send_key();
    assert_true(notary_line_ask(&line, &a));
    assert_true(notary_line_ask(&line, &b));
    close(notary);
    turn();
    /* As if its time had come. */
    loop_timer_set(loop, &line.patience, loop_mono_ms(loop));
    turn();
    assert_int_equal(n_leaves, 2);
    assert_int_equal(last_len, 0);
    connect_line();
    send_key();
    expect_no_question();
    end();
}

TEST(a_bounded_number_waits_and_more_are_refused_at_once)
{
    begin();
    char text[32];
    for (unsigned i = 0; i < NOTARY_LINE_WAITING_MAX; i++) {
        snprintf(text, sizeof(text), "h%u.example", i);
        struct host host = host_of(text);
        assert_true(notary_line_ask(&line, &host));
    }
    struct host more = host_of("more.example");
    assert_false(notary_line_ask(&line, &more));
    end();
}

TEST(a_key_that_cannot_be_used_or_a_message_of_another_kind_ends_the_line)
{
    struct host a = host_of("a.example");
    begin();
    key_is_good = false;
    send_key();
    assert_int_equal(line.io.fd, -1);
    close(notary);
    key_is_good = true;
    connect_line();
    send_key();
    assert_ok(message_send_sign(notary, &a)); /* a question, to a worker */
    turn();
    assert_int_equal(line.io.fd, -1);
    end();
}

TESTS_MAIN(unit(all_that_wait_for_a_key_are_asked_for_however_many_they_are),
           unit(the_key_comes_first_and_then_leaves_are_asked_for_and_taken),
           unit(who_waits_when_the_notary_dies_is_asked_for_again_over_the_next_line),
           unit(where_no_notary_comes_back_all_are_told_that_there_is_no_leaf),
           unit(a_bounded_number_waits_and_more_are_refused_at_once),
           unit(a_key_that_cannot_be_used_or_a_message_of_another_kind_ends_the_line))

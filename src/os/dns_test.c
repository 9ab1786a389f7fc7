/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resolver against a small DNS server in the same loop. */
#include "os/dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/test.h"

enum { PACKET = 512, TYPE_A = 1, TYPE_AAAA = 28, RANDOM_PORTS = 64 };

/* What the server says of a name, by its first label. */
static const struct zone_row {
    const char *label;
    int rcode;
    uint32_t ttl;
    unsigned n_a, n_aaaa;
    bool mute_a, mute_aaaa;
} zone[] = {
    {.label = "both", .ttl = 300, .n_a = 2, .n_aaaa = 1},
    {.label = "four", .ttl = 300, .n_a = 1},
    {.label = "six", .ttl = 300, .n_aaaa = 1},
    {.label = "many", .ttl = 300, .n_a = 12, .n_aaaa = 12},
    {.label = "brief", .ttl = 0, .n_a = 1},
    {.label = "none", .ttl = 300},
    {.label = "gone", .rcode = 3},
    {.label = "broken", .rcode = 2},
    {.label = "mute", .mute_a = true, .mute_aaaa = true},
    {.label = "slow6", .ttl = 300, .n_a = 1, .n_aaaa = 1, .mute_aaaa = true},
};

static struct loop *loop;
static struct dns *dns;
static int server_fd;
static struct loop_io server_io;
static unsigned n_questions;
static uint16_t ports[RANDOM_PORTS];
static size_t n_ports;

static size_t put16(uint8_t *to, size_t at, unsigned value)
{
    to[at] = (uint8_t)(value >> 8);
    to[at + 1] = (uint8_t)value;
    return at + 2;
}

static size_t put_record(uint8_t *to, size_t at, unsigned type, uint32_t ttl, unsigned n)
{
    size_t len = type == TYPE_A ? 4 : 16;
    at = put16(to, at, 0xc00c); /* the name of the question */
    at = put16(to, at, type);
    at = put16(to, at, 1);
    at = put16(to, at, ttl >> 16);
    at = put16(to, at, ttl & 0xffff);
    at = put16(to, at, (unsigned)len);
    memset(to + at, 0, len);
    to[at] = type == TYPE_A ? 192 : 0x20;
    to[at + len - 1] = (uint8_t)(n + 1);
    return at + len;
}

static const struct zone_row *find_row(const uint8_t *packet)
{
    struct str label = str_make((const char *)packet + 13, packet[12]);
    for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
        if (str_starts(label, str_from(zone[i].label))) {
            return &zone[i];
        }
    }
    fail_msg("the zone does not know %.*s", STR_ARG(label));
    return NULL;
}

/* Makes the question in packet its answer; 0: say nothing. */
static size_t answer_question(uint8_t packet[PACKET])
{
    size_t at = 12;
    const struct zone_row *row = find_row(packet);
    while (packet[at] != 0) {
        at += packet[at] + 1U;
    }
    unsigned type = packet[at + 2];
    at += 5;
    if (type == TYPE_A ? row->mute_a : row->mute_aaaa) {
        return 0;
    }
    unsigned n = type == TYPE_A ? row->n_a : row->n_aaaa;
    (void)put16(packet, 2, 0x8180U | (unsigned)row->rcode);
    (void)put16(packet, 6, n);
    (void)put16(packet, 8, 0);
    (void)put16(packet, 10, 0);
    for (unsigned i = 0; i < n; i++) {
        at = put_record(packet, at, type, row->ttl, i);
    }
    return at;
}

static void on_server(struct loop_io *io, uint32_t events)
{
    (void)events;
    for (;;) {
        uint8_t packet[PACKET];
        struct sockaddr_in from;
        socklen_t from_len = sizeof(from);
        ssize_t n =
            recvfrom(io->fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &from_len);
        if (n < 12) {
            return;
        }
        n_questions++;
        if (n_ports < RANDOM_PORTS && (n_ports == 0 || ports[n_ports - 1] != from.sin_port)) {
            ports[n_ports++] = from.sin_port;
        }
        size_t len = answer_question(packet);
        if (len > 0) {
            (void)!sendto(io->fd, packet, len, 0, (struct sockaddr *)&from, from_len);
        }
    }
}

static void begin(struct str hosts, struct dns_options options)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    char servers[32];
    assert_ok(loop_new(&loop));
    server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(getsockname(server_fd, (struct sockaddr *)&addr, &len), 0);
    server_io = (struct loop_io){.fd = -1, .fn = on_server};
    assert_ok(loop_add(loop, &server_io, server_fd, EPOLLIN));
    snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(addr.sin_port));
    options.servers = str_from(servers);
    assert_ok(dns_new(loop, hosts, &options, &dns));
    n_questions = 0;
    n_ports = 0;
}

static void end(void)
{
    dns_free(dns);
    loop_remove(&server_io);
    close(server_fd);
    loop_free(loop);
}

/* A query and its answer. */
struct waiter {
    struct dns_query query;
    struct dns_answer answer;
    int calls;
};

static int total_calls;

static void on_answer(struct dns_query *query, const struct dns_answer *answer)
{
    struct waiter *waiter = (struct waiter *)query;
    waiter->answer = *answer;
    waiter->calls++;
    total_calls++;
}

static void run_until(int calls)
{
    while (total_calls < calls) {
        assert_ok(loop_turn(loop, -1));
    }
}

static struct dns_answer ask(const char *name)
{
    struct waiter waiter = {.query.fn = on_answer};
    total_calls = 0;
    dns_start(dns, &waiter.query, str_from(name));
    assert_int_equal(waiter.calls, 0); /* never from inside */
    run_until(1);
    return waiter.answer;
}

TEST(a_name_has_the_addresses_of_both_families)
{
    begin(STR(""), (struct dns_options){0});
    struct dns_answer answer = ask("both.example");
    assert_ok(answer.err);
    assert_int_equal(answer.n, 3);
    assert_int_equal(answer.ip[0][0], 0x20);
    assert_int_equal(answer.ip[1][12], 192);
    assert_int_equal(answer.ip[2][12], 192);
    assert_false(answer.from_hosts);
    assert_int_equal(n_questions, 2);
    assert_int_equal(ask("four.example").n, 1);
    assert_int_equal(ask("six.example").n, 1);
    answer = ask("many.example");
    assert_int_equal(answer.n, DNS_ADDRESSES_MAX);
    end();
}

TEST(what_is_known_is_not_asked_again)
{
    struct dns_answer answer;
    begin(STR(""), (struct dns_options){0});
    assert_false(dns_find(dns, STR("both.example"), &answer));
    assert_int_equal(ask("both.example").n, 3);
    assert_true(dns_find(dns, STR("both.example"), &answer));
    assert_int_equal(answer.n, 3);
    assert_int_equal(ask("both.example").n, 3);
    assert_int_equal(n_questions, 2);
    end();
}

TEST(a_ttl_of_nothing_is_raised_to_the_least)
{
    struct dns_answer answer;
    begin(STR(""), (struct dns_options){.ttl_min_ms = MS_PER_HOUR});
    assert_int_equal(ask("brief.example").n, 1);
    assert_true(dns_find(dns, STR("brief.example"), &answer));
    end();
}

TEST(what_does_not_exist_is_remembered_too)
{
    struct dns_answer answer;
    begin(STR(""), (struct dns_options){.negative_ms = MS_PER_HOUR});
    assert_err(ask("gone.example").err, ERR_NOT_FOUND);
    assert_err(ask("none.example").err, ERR_NOT_FOUND);
    assert_true(dns_find(dns, STR("gone.example"), &answer));
    assert_err(answer.err, ERR_NOT_FOUND);
    assert_int_equal(answer.n, 0);
    end();
}

TEST(a_failing_server_is_not_a_missing_name)
{
    begin(STR(""), (struct dns_options){0});
    assert_err(ask("broken.example").err, ERR_SYSTEM);
    end();
}

TEST(a_silent_server_ends_in_a_timeout)
{
    begin(STR(""), (struct dns_options){.timeout_ms = 40});
    assert_err(ask("mute.example").err, ERR_TIMEOUT);
    end();
}

TEST(one_slow_family_does_not_hold_the_other_up)
{
    begin(STR(""), (struct dns_options){.timeout_ms = 3600000});
    struct dns_answer answer = ask("slow6.example");
    assert_ok(answer.err);
    assert_int_equal(answer.n, 1);
    end();
}

TEST(questions_for_one_name_share_a_look_up_and_can_be_cancelled)
{
    struct waiter waiters[20] = {{.calls = 0}};
    begin(STR(""), (struct dns_options){0});
    total_calls = 0;
    for (size_t i = 0; i < 20; i++) {
        waiters[i].query.fn = on_answer;
        dns_start(dns, &waiters[i].query, STR("both.example"));
    }
    for (size_t i = 0; i < 20; i += 3) {
        dns_cancel(&waiters[i].query);
        dns_cancel(&waiters[i].query);
    }
    run_until(13);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(waiters[i].calls, i % 3 == 0 ? 0 : 1);
    }
    assert_int_equal(n_questions, 2);
    end();
}

static struct waiter chain[2];

static void cancel_and_restart(struct dns_query *query, const struct dns_answer *answer)
{
    struct waiter *waiter = (struct waiter *)query;
    waiter->calls++;
    total_calls++;
    waiter->answer = *answer;
    dns_cancel(&chain[query == &chain[0].query ? 1 : 0].query);
    if (waiter->calls < 3) {
        dns_start(dns, query, waiter->calls == 1 ? STR("both.example") : STR("four.example"));
    }
}

TEST(an_answer_may_cancel_others_and_ask_again)
{
    begin(STR(""), (struct dns_options){0});
    total_calls = 0;
    for (size_t i = 0; i < 2; i++) {
        chain[i] = (struct waiter){.query.fn = cancel_and_restart};
        dns_start(dns, &chain[i].query, STR("both.example"));
    }
    run_until(3);
    assert_int_equal(chain[0].calls * chain[1].calls, 0);
    assert_int_equal(n_questions, 4);
    end();
}

TEST(too_many_look_ups_are_refused)
{
    struct waiter waiters[8] = {{.calls = 0}};
    begin(STR(""), (struct dns_options){.max_in_hand = 8, .timeout_ms = 40});
    total_calls = 0;
    for (size_t i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof(name), "mute%zu.example", i);
        waiters[i].query.fn = on_answer;
        dns_start(dns, &waiters[i].query, str_from(name));
    }
    run_until(4);
    for (size_t i = 4; i < 8; i++) {
        assert_err(waiters[i].answer.err, ERR_LIMIT);
    }
    run_until(8);
    end();
}

TEST(overrides_come_first_and_special_names_are_never_asked)
{
    begin(STR("192.0.2.9 both.example\n192.0.2.8 my.localhost\n"), (struct dns_options){0});
    struct dns_answer answer = ask("both.example");
    assert_true(answer.from_hosts);
    assert_int_equal(answer.n, 1);
    assert_int_equal(ask("my.localhost").ip[0][15], 8);
    assert_int_equal(ask("localhost").n, 2);
    assert_err(ask("x.onion").err, ERR_NOT_FOUND);
    assert_err(ask("x.invalid").err, ERR_NOT_FOUND);
    assert_err(ask("a..example").err, ERR_INVALID);
    assert_err(ask("").err, ERR_INVALID);
    assert_int_equal(n_questions, 0);
    end();
}

TEST(many_questions_do_not_all_come_from_one_port)
{
    struct waiter held = {.query.fn = on_answer};
    begin(STR(""), (struct dns_options){.timeout_ms = 3600000});
    dns_start(dns, &held.query, STR("mute.example")); /* keeps a channel from ever resting */
    for (unsigned i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof(name), "four%u.example", i);
        assert_ok(ask(name).err);
    }
    assert_true(n_ports > 1);
    dns_cancel(&held.query);
    end();
}

TEST(bad_servers_and_bad_hosts_are_refused)
{
    assert_ok(loop_new(&loop));
    struct dns_options options = {.servers = STR_INIT("not an address")};
    assert_err(dns_new(loop, STR(""), &options, &dns), ERR_INVALID);
    assert_err(dns_new(loop, STR("what\n"), NULL, &dns), ERR_INVALID);
    loop_free(loop);
}

TESTS_MAIN(unit(a_name_has_the_addresses_of_both_families), unit(what_is_known_is_not_asked_again),
           unit(a_ttl_of_nothing_is_raised_to_the_least),
           unit(what_does_not_exist_is_remembered_too),
           unit(a_failing_server_is_not_a_missing_name), unit(a_silent_server_ends_in_a_timeout),
           unit(one_slow_family_does_not_hold_the_other_up),
           unit(questions_for_one_name_share_a_look_up_and_can_be_cancelled),
           unit(an_answer_may_cancel_others_and_ask_again), unit(too_many_look_ups_are_refused),
           unit(overrides_come_first_and_special_names_are_never_asked),
           unit(many_questions_do_not_all_come_from_one_port),
           unit(bad_servers_and_bad_hosts_are_refused))

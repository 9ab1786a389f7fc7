/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker over time: who asks, new images, slow clients, too many clients, a full record, the end.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/proxy_rig.h"
#include "lib/test.h"
#include "base/clock.h"
#include "os/sock.h"
#include "proxy/proxy_impl.h"

static const char GET_A[] = "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
static const char OK_5[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/* p-1:secret */
static const char GET_AS_P1[] = "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                                "Proxy-Authorization: Basic cC0xOnNlY3JldA==\r\n\r\n";

#define PEOPLE(group)                                                                          \
    "{\"lodge_state\":1,\"people\":[{\"id\":\"p-1\",\"group\":\"" group "\"}],\"devices\":[]," \
    "\"sign_ins\":[],\"suspensions\":[],\"isolated\":[],\"grants\":[],\"filtering_off\":[],"   \
    "\"nominated\":[]}"

static void answer_all(struct rig *rig, bool accepted)
{
    size_t n = rig->n_tickets;
    uint64_t tickets[RIG_TICKETS_MAX];
    memcpy(tickets, rig->tickets, sizeof(tickets));
    rig->n_tickets = 0;
    for (size_t i = 0; i < n; i++) {
        proxy_auth_answer(rig->proxy, tickets[i], accepted);
    }
    rig_settle(rig);
}

TEST(F26_credentials_say_who_asks_and_go_no_further)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_state(&rig, PEOPLE("staff"));
    int client = rig_ask(&rig, GET_AS_P1);
    int origin = -1;
    assert_int_equal(rig.n_tickets, 1);
    assert_false(rig_origin_comes(&rig, &origin));
    answer_all(&rig, true);
    origin = rig_origin(&rig);
    assert_lacks(rig_read(&rig, origin, "\r\n\r\n"), "Authorization");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    assert_string_equal(rig_last(&rig)->person, "p-1");
    rig_say(&rig, client, GET_AS_P1); /* remembered */
    assert_int_equal(rig.n_tickets, 0);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(wrong_credentials_are_asked_for_again_and_recorded)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_AS_P1);
    answer_all(&rig, false);
    struct str answer = rig_read(&rig, client, "</html>");
    assert_has(answer, "HTTP/1.1 407 ");
    assert_has(answer, "Proxy-Authenticate: Basic realm=");
    assert_int_equal(rig_last(&rig)->status, 407);
    rig_say(&rig, client, GET_AS_P1); /* a refusal is not remembered: auth counts */
    assert_int_equal(rig.n_tickets, 1);
    close(client);
    rig_free(&rig);
}

TEST(a_refused_pair_is_not_accepted_for_the_request_behind_it)
{
    struct rig rig;
    char both[400];
    int origin = -1;
    rig_new(&rig);
    snprintf(both, sizeof(both), "%s%s", GET_AS_P1, GET_AS_P1);
    int client = rig_ask(&rig, both);
    assert_int_equal(rig.n_tickets, 1);
    answer_all(&rig, false);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 407 ");
    assert_false(rig_origin_comes(&rig, &origin));
    assert_int_equal(rig.n_tickets, 1); /* asked for itself */
    answer_all(&rig, false);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 407 ");
    close(client);
    rig_free(&rig);
}

TEST(credentials_that_cannot_be_read_are_refused_without_asking)
{
    static const char *const bad[] = {"Basic !!!", "Basic cC0x", "Bearer x", "Basic", "Basic OnB3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rig rig;
        char request[200];
        rig_new(&rig);
        snprintf(request, sizeof(request),
                 "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nProxy-Authorization: %s\r\n\r\n",
                 bad[i]);
        int client = rig_ask(&rig, request);
        assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 407 ");
        assert_int_equal(rig.n_tickets, 0);
        close(client);
        rig_free(&rig);
    }
}

TEST(the_same_pair_on_many_connections_is_asked_once)
{
    struct rig rig;
    int clients[4];
    rig_new(&rig);
    rig_set_state(&rig, PEOPLE("staff"));
    for (int i = 0; i < 4; i++) {
        clients[i] = rig_ask(&rig, GET_AS_P1);
    }
    assert_int_equal(rig.n_tickets, 1);
    sock_set_reset(clients[3]); /* one gives up meanwhile */
    close(clients[3]);
    rig_settle(&rig);
    answer_all(&rig, true);
    for (int i = 0; i < 3; i++) {
        int origin = rig_origin(&rig);
        rig_read(&rig, origin, "\r\n\r\n");
        rig_say(&rig, origin,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        close(origin);
    }
    for (int i = 0; i < 3; i++) {
        rig_read(&rig, clients[i], "hello");
        close(clients[i]);
    }
    rig_free(&rig);
}

TEST(a_remembered_pair_is_dropped_when_the_persons_state_changes)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_state(&rig, PEOPLE("staff"));
    int client = rig_ask(&rig, GET_AS_P1);
    answer_all(&rig, true);
    int origin = rig_origin(&rig);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_set_state(&rig, PEOPLE("staff")); /* nothing about this person */
    rig_say(&rig, client, GET_AS_P1);
    assert_int_equal(rig.n_tickets, 0);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_set_state(&rig, PEOPLE("pupils-ks2"));
    rig_say(&rig, client, GET_AS_P1);
    assert_int_equal(rig.n_tickets, 1);
    close(client);
    close(origin);
    rig_free(&rig);
}

#define PEOPLE_WITH(group, credential)                                                      \
    "{\"lodge_state\":1,\"people\":[{\"id\":\"p-1\",\"group\":\"" group                     \
    "\",\"credential\":" credential "}],\"devices\":[],\"sign_ins\":[],\"suspensions\":[]," \
    "\"isolated\":[],\"grants\":[],\"filtering_off\":[],\"nominated\":[]}"

TEST(S2_a_remembered_pair_is_dropped_when_the_password_is_another)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_state(&rig, PEOPLE_WITH("staff", "1"));
    int client = rig_ask(&rig, GET_AS_P1);
    answer_all(&rig, true);
    int origin = rig_origin(&rig);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_set_state(&rig, PEOPLE_WITH("staff", "1"));
    rig_say(&rig, client, GET_AS_P1);
    assert_int_equal(rig.n_tickets, 0);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_set_state(&rig, PEOPLE_WITH("staff", "2"));
    rig_say(&rig, client, GET_AS_P1);
    assert_int_equal(rig.n_tickets, 1);
    /* One that changes while auth is asked is answered, and not remembered. */
    rig_set_state(&rig, PEOPLE_WITH("staff", "3"));
    answer_all(&rig, true);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_set_state(&rig, PEOPLE_WITH("staff", "3"));
    rig_say(&rig, client, GET_AS_P1);
    assert_int_equal(rig.n_tickets, 1);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(S2_a_tunnel_that_an_older_password_opened_is_nobodys)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "visitors");
    rig_set_state(&rig, PEOPLE_WITH("open", "1"));
    int client = rig_ask(&rig, "CONNECT a.test:%O HTTP/1.1\r\nHost: x\r\n"
                               "Proxy-Authorization: Basic cC0xOnNlY3JldA==\r\n\r\n");
    answer_all(&rig, true);
    int origin = rig_origin(&rig);
    rig_read(&rig, client, "established");
    rig_say(&rig, client, "anything, as this group may");
    rig_read(&rig, origin, "may");
    rig_set_state(&rig, PEOPLE_WITH("open", "1"));
    rig_say(&rig, client, "more, as it may");
    rig_read(&rig, origin, "more, as it may");
    rig_set_state(&rig, PEOPLE_WITH("open", "2"));
    assert_true(rig_is_closed(&rig, client));
    assert_int_equal(rig_last(&rig)->end, EVENT_END_POLICY);
    assert_string_equal(rig_last(&rig)->person, "p-1");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(where_auth_is_busy_the_request_is_refused_for_now)
{
    struct rig rig;
    rig_new(&rig);
    rig.auth_busy = true;
    int client = rig_ask(&rig, GET_AS_P1);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 503 ");
    close(client);
    rig_free(&rig);
}

TEST(the_credentials_of_a_connect_hold_for_its_tunnel)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_state(&rig, PEOPLE("open"));
    int client = rig_ask(&rig, "CONNECT a.test:%O HTTP/1.1\r\nHost: x\r\n"
                               "Proxy-Authorization: Basic cC0xOnNlY3JldA==\r\n\r\n");
    answer_all(&rig, true);
    int origin = rig_origin(&rig);
    rig_read(&rig, client, "established");
    rig_say(&rig, client, "anything, as this group may");
    rig_read(&rig, origin, "may");
    rig_set_state(&rig, PEOPLE("visitors")); /* and as this one may not */
    assert_true(rig_is_closed(&rig, client));
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(event->end, EVENT_END_POLICY);
    assert_string_equal(event->person, "p-1");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_stream_that_new_images_forbid_is_cut_and_one_they_allow_goes_on)
{
    static const char *const groups[] = {"pupils-ks2", "signers"};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_new(&rig);
        int client = rig_ask(&rig, GET_A);
        int origin = rig_origin(&rig);
        rig_say(&rig, origin, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun");
        rig_read(&rig, client, "begun");
        rig_set_unknown(&rig, groups[i]);
        if (i == 0) {
            rig_say(&rig, origin, " and on");
            rig_read(&rig, client, " and on");
        } else {
            assert_true(rig_is_closed(&rig, client));
            assert_int_equal(rig_last(&rig)->end, EVENT_END_POLICY);
        }
        close(client);
        close(origin);
        rig_free(&rig);
    }
}

TEST(a_request_in_hand_that_new_images_forbid_gets_the_page)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_set_unknown(&rig, "signers");
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
    assert_true(rig_is_closed(&rig, origin));
    assert_int_equal(rig_last(&rig)->action, ACTION_LIMITED);
    assert_int_equal(rig.n_events, 1);
    close(client);
    close(origin);
    rig_free(&rig);
}

/* A grant that ends in 2048, and a worker for which it is 2049. */
TEST(an_answer_is_decided_again_when_its_time_has_come)
{
    static const char state[] =
        "{\"lodge_state\":1,\"people\":[{\"id\":\"p-9\",\"group\":\"staff\"}],\"devices\":[{\"id\":"
        "\"d-1\",\"address\":\"127.0.0.1\","
        "\"class\":\"c\",\"group\":\"pupils-ks2\",\"supervisor\":\"p-9\","
        "\"supervised_until\":\"2049-06-01T00:00Z\"}],\"sign_ins\":[],\"suspensions\":[],"
        "\"isolated\":[],\"grants\":[{\"id\":\"g-1\",\"kind\":\"lesson\",\"people\":[],"
        "\"groups\":[],\"devices\":[\"d-1\"],\"matches\":[\"games.test\"],\"categories\":[],"
        "\"from\":\"2020-01-01T00:00Z\",\"until\":\"2048-01-01T00:00Z\"}],"
        "\"filtering_off\":[],\"nominated\":[]}";
    static const char ask[] = "GET http://%s:%%O/ HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char begun[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun";
    struct rig rig;
    char request[100];
    rig_new(&rig);
    rig_set_state(&rig, state);
    snprintf(request, sizeof(request), ask, "games.test");
    int lesson = rig_ask(&rig, request);
    int lesson_origin = rig_origin(&rig);
    rig_say(&rig, lesson_origin, begun);
    rig_read(&rig, lesson, "begun");
    int other = rig_ask(&rig, GET_A);
    int other_origin = rig_origin(&rig);
    rig_say(&rig, other_origin, begun);
    rig_read(&rig, other, "begun");
    assert_false(rig_is_closed(&rig, lesson));
    rig.proxy->base_utc_ms = civil_days(2049, 1, 1) * MS_PER_DAY;
    loop_timer_set(rig.loop, &rig.proxy->tick, 1);
    assert_true(rig_is_closed(&rig, lesson));
    assert_int_equal(rig_last(&rig)->end, EVENT_END_POLICY);
    rig_say(&rig, other_origin, " and on");
    rig_read(&rig, other, " and on");
    close(lesson);
    close(lesson_origin);
    close(other);
    close(other_origin);
    rig_free(&rig);
}

TEST(an_address_that_refuses_is_followed_by_the_next)
{
    struct rig rig;
    rig_new(&rig); /* the origin listens on 127.0.0.1 alone; six.test is ::1 too */
    int client = rig_ask(&rig, "GET http://six.test:%O/ HTTP/1.1\r\nHost: x\r\n\r\n");
    int origin = rig_origin(&rig);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    close(client);
    close(origin);
    rig_free(&rig);
}

/* RFC 8305: the first address takes connections into a queue that is full, so nobody answers. */
TEST(an_address_that_does_not_answer_is_overtaken_by_the_next)
{
    struct rig rig;
    struct sock_addr addr;
    char text[32];
    int fillers[4];
    rig_new(&rig);
    snprintf(text, sizeof(text), "127.0.0.9:%u", (unsigned)rig.origin_port);
    assert_ok(sock_addr_parse(str_from(text), &addr));
    int deaf = -1;
    assert_ok(sock_listen(&addr, &deaf));
    assert_int_equal(listen(deaf, 0), 0);
    for (int i = 0; i < 4; i++) {
        assert_ok(sock_connect(&addr, &fillers[i]));
    }
    int client = rig_ask(&rig, "GET http://slow.test:%O/ HTTP/1.1\r\nHost: x\r\n\r\n");
    int origin = -1;
    for (int i = 0; i < 100 && origin < 0; i++) {
        if (!rig_origin_comes(&rig, &origin)) {
            origin = -1;
        }
    }
    assert_true(origin >= 0);
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(deaf);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_head_that_drips_is_answered_when_its_time_is_up)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.head_timeout_ms = 60;
    rig_start(&rig);
    int client = rig_ask(&rig, "GET http://a.test/ HT");
    for (int i = 0; i < 100 && rig_is_quiet(&rig, client); i++) {
        rig_say(&rig, client, "T"); /* each byte in time, but not the head */
    }
    assert_has(rig_read_end(&rig, client), "HTTP/1.1 4");
    rig_events(&rig);
    assert_int_equal(rig.n_events, 1);
    close(client);
    rig_free(&rig);
}

TEST(a_connection_without_a_request_is_closed_in_time)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.head_timeout_ms = 20;
    rig.options.idle_timeout_ms = 20;
    rig_start(&rig);
    int fresh = rig_client(&rig);
    assert_int_equal(rig_read_end(&rig, fresh).len, 0);
    int served = rig_ask(&rig, "GET http://games.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_read(&rig, served, "</html>");
    assert_int_equal(rig_read_end(&rig, served).len, 0);
    close(fresh);
    close(served);
    rig_free(&rig);
}

TEST(an_origin_that_says_nothing_becomes_trouble_in_time)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.body_timeout_ms = 20;
    rig_start(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 504 ");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(at_the_limit_the_connection_quiet_for_longest_gives_way)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.max_connections = 3;
    rig_start(&rig);
    int busy = rig_ask(&rig, GET_A);
    int first = rig_client(&rig);
    int second = rig_client(&rig);
    int third = rig_ask(&rig, "GET http://games.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(rig_read(&rig, third, "</html>"), "HTTP/1.1 403 ");
    assert_true(rig_is_closed(&rig, first));
    assert_true(rig_is_quiet(&rig, second));
    assert_true(rig_is_quiet(&rig, busy));
    close(busy);
    close(first);
    close(second);
    close(third);
    rig_free(&rig);
}

TEST(at_the_limit_of_busy_ones_a_client_waits_its_turn)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.max_connections = 1;
    rig_start(&rig);
    int busy = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    int waiting = rig_ask(&rig, "GET http://games.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(rig_is_quiet(&rig, waiting));
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin, "HTTP/1.0 200 OK\r\n\r\nbye");
    close(origin);
    rig_read(&rig, busy, "bye");
    assert_has(rig_read(&rig, waiting, "</html>"), "HTTP/1.1 403 ");
    close(busy);
    close(waiting);
    rig_free(&rig);
}

TEST(draining_finishes_what_is_in_hand_and_stops_the_loop)
{
    struct rig rig;
    rig_new(&rig);
    int idle = rig_client(&rig);
    int busy = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    proxy_drain(rig.proxy);
    assert_true(rig_is_closed(&rig, idle));
    rig_say(&rig, origin, OK_5);
    struct str answer = rig_read_end(&rig, busy);
    assert_has(answer, "Connection: close\r\n");
    assert_true(str_ends(answer, STR("hello")));
    assert_ok(loop_run(rig.loop)); /* ends by itself */
    close(idle);
    close(busy);
    close(origin);
    rig_free(&rig);
}

TEST(draining_waits_no_longer_than_it_may)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.drain_timeout_ms = 50;
    rig_start(&rig);
    int busy = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    proxy_drain(rig.proxy);
    assert_ok(loop_run(rig.loop));
    assert_true(rig_is_closed(&rig, busy));
    close(busy);
    close(origin);
    rig_free(&rig);
}

/* A file that may not grow stands for a disk that is full. */
TEST(a_full_record_refuses_requests_and_recovers)
{
    struct rig rig;
    struct rlimit before;
    rig_new(&rig);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit none = {.rlim_cur = 1, .rlim_max = before.rlim_max};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGXFSZ, &ignore, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    bool refused = false;
    for (int i = 0; i < 2000 && !refused; i++) {
        int client = rig_ask(&rig, "GET http://games.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
        refused = rig_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 503 ");
        close(client);
        rig_events(&rig);
        rig.n_events = 0;
    }
    assert_true(refused);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    bool open = false;
    for (int i = 0; i < 200 && !open; i++) {
        int client = rig_ask(&rig, "GET http://games.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
        open = rig_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
        close(client);
        assert_ok(loop_turn(rig.loop, 5)); /* the spool tries again a few times a second */
    }
    assert_true(open);
    rig_free(&rig);
}

TESTS_MAIN(unit(F26_credentials_say_who_asks_and_go_no_further),
           unit(wrong_credentials_are_asked_for_again_and_recorded),
           unit(a_refused_pair_is_not_accepted_for_the_request_behind_it),
           unit(credentials_that_cannot_be_read_are_refused_without_asking),
           unit(the_same_pair_on_many_connections_is_asked_once),
           unit(a_remembered_pair_is_dropped_when_the_persons_state_changes),
           unit(S2_a_remembered_pair_is_dropped_when_the_password_is_another),
           unit(S2_a_tunnel_that_an_older_password_opened_is_nobodys),
           unit(where_auth_is_busy_the_request_is_refused_for_now),
           unit(the_credentials_of_a_connect_hold_for_its_tunnel),
           unit(a_stream_that_new_images_forbid_is_cut_and_one_they_allow_goes_on),
           unit(a_request_in_hand_that_new_images_forbid_gets_the_page),
           unit(an_answer_is_decided_again_when_its_time_has_come),
           unit(an_address_that_refuses_is_followed_by_the_next),
           unit(an_address_that_does_not_answer_is_overtaken_by_the_next),
           unit(a_head_that_drips_is_answered_when_its_time_is_up),
           unit(a_connection_without_a_request_is_closed_in_time),
           unit(an_origin_that_says_nothing_becomes_trouble_in_time),
           unit(at_the_limit_the_connection_quiet_for_longest_gives_way),
           unit(at_the_limit_of_busy_ones_a_client_waits_its_turn),
           unit(draining_finishes_what_is_in_hand_and_stops_the_loop),
           unit(draining_waits_no_longer_than_it_may),
           unit(a_full_record_refuses_requests_and_recovers))

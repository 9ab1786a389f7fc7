/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxy whole: requests relayed, refused and recorded. Tunnels: tunnel_test.c; credentials,
 * images and draining: worker_test.c. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/proxy_rig.h"
#include "lib/test.h"
#include "proxy/proxy_impl.h"
#include "os/sock.h"

static const char GET_A[] = "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
static const char OK_5[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST(a_request_is_forwarded_and_its_answer_relayed)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://a.test:%O/x?y=1 HTTP/1.1\r\nHost: other.test\r\n"
                               "X-Forwarded-For: 10.0.0.1\r\nForwarded: for=x\r\n"
                               "Proxy-Connection: keep-alive\r\nConnection: X-Hop\r\n"
                               "X-Hop: 1\r\nAccept: */*\r\n\r\n");
    int origin = rig_origin(&rig);
    struct str request = rig_read(&rig, origin, "\r\n\r\n");
    assert_true(str_starts(request, STR("GET /x?y=1 HTTP/1.1\r\nHost: a.test:")));
    assert_has(request, "Accept: */*\r\n");
    assert_has(request, "Via: 1.1 lodge\r\n");
    assert_lacks(request, "orwarded");
    assert_lacks(request, "other.test");
    assert_lacks(request, "Hop");
    assert_lacks(request, "Proxy-Connection");
    rig_say(&rig, origin, OK_5);
    struct str answer = rig_read(&rig, client, "hello");
    assert_true(str_starts(answer, STR("HTTP/1.1 200 OK\r\n")));
    assert_has(answer, "Via: 1.1 lodge\r\n");
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(rig.n_events, 1);
    assert_int_equal(event->kind, EVENT_REQUEST);
    assert_int_equal(event->status, 200);
    assert_int_equal(event->bytes_down, 5);
    assert_string_equal(event->host, "a.test");
    assert_string_equal(event->path, "/x");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_kept_connection_serves_the_next_request_of_the_same_site)
{
    struct rig rig;
    int other = -1;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    for (int i = 0; i < 3; i++) {
        rig_read(&rig, origin, "\r\n\r\n");
        rig_say(&rig, origin, OK_5);
        rig_read(&rig, client, "hello");
        rig_say(&rig, client, GET_A);
    }
    assert_false(rig_origin_comes(&rig, &other));
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin, OK_5);
    rig_say(&rig, client, "GET http://b.test:%O/ HTTP/1.1\r\nHost: b.test\r\n\r\n");
    other = rig_origin(&rig); /* another site never shares it */
    close(other);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_kept_connection_that_proves_closed_is_replaced_once)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_say(&rig, client, GET_A);
    rig_read(&rig, origin, "\r\n\r\n");
    close(origin); /* with the second request in hand, and not a word said */
    int second = rig_origin(&rig);
    assert_has(rig_read(&rig, second, "\r\n\r\n"), "GET / HTTP/1.1");
    close(second);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 502 ");
    rig_events(&rig);
    assert_int_equal(rig.n_events, 2);
    close(client);
    rig_free(&rig);
}

TEST(a_connection_that_is_signed_in_serves_the_one_client_only)
{
    struct rig rig;
    int none = -1;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin,
            "HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM\r\n"
            "Content-Length: 5\r\n\r\nhello");
    rig_read(&rig, client, "hello");
    int other = rig_ask(&rig, GET_A);
    int other_origin = rig_origin(&rig); /* not that connection */
    rig_say(&rig, client,
            "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
            "Authorization: NTLM x\r\nContent-Length: 2\r\n\r\nxy");
    assert_false(rig_origin_comes(&rig, &none));
    rig_read(&rig, origin, "xy");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    close(client);
    assert_true(rig_is_closed(&rig, origin));
    close(other);
    close(other_origin);
    close(origin);
    rig_free(&rig);
}

TEST(a_request_that_is_not_safe_to_repeat_gets_a_connection_of_its_own)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_say(&rig, client,
            "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
            "Content-Length: 2\r\n\r\nxy");
    int second = rig_origin(&rig);
    assert_has(rig_read(&rig, second, "xy"), "Content-Length: 2\r\n");
    close(client);
    close(origin);
    close(second);
    rig_free(&rig);
}

TEST(pipelined_requests_are_answered_one_after_the_other)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://a.test:%O/1 HTTP/1.1\r\nHost: a.test\r\n\r\n"
                               "GET http://games.test:%O/2 HTTP/1.1\r\nHost: games.test\r\n\r\n"
                               "GET http://a.test:%O/3 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_lacks(rig_read(&rig, origin, "\r\n\r\n"), "GET /3");
    rig_say(&rig, origin, OK_5);
    struct str answers = rig_read(&rig, client, "</html>");
    assert_has(answers, "hello");
    assert_has(answers, "HTTP/1.1 403 ");
    assert_has(rig_read(&rig, origin, "\r\n\r\n"), "GET /3 ");
    rig_say(&rig, origin, OK_5);
    assert_has(rig_read(&rig, client, "hello"), "HTTP/1.1 200 ");
    rig_events(&rig);
    assert_int_equal(rig.n_events, 3);
    assert_string_equal(rig.events[1].host, "games.test");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_body_goes_up_whole_and_what_follows_it_is_the_next_request)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    int origin = rig_origin(&rig);
    assert_has(rig_read(&rig, origin, "abc\r\n"), "Transfer-Encoding: chunked\r\n");
    rig_say(&rig, client, "0\r\n\r\nGET http://games.test/ HTTP/1.1\r\nHost: games.test\r\n\r\n");
    assert_str_eq(rig_read(&rig, origin, "0\r\n\r\n"), STR("0\r\n\r\n"));
    rig_say(&rig, origin, OK_5);
    struct str answers = rig_read(&rig, client, "</html>");
    assert_has(answers, "hello");
    assert_has(answers, "HTTP/1.1 403 ");
    rig_events(&rig);
    assert_int_equal(rig.events[0].bytes_up, 3);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(expect_is_forwarded_and_the_interim_answer_relayed)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                               "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_has(rig_read(&rig, origin, "\r\n\r\n"), "Expect: 100-continue\r\n");
    rig_say(&rig, origin, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_has(rig_read(&rig, client, "\r\n\r\n"), "HTTP/1.1 100 ");
    rig_say(&rig, client, "body");
    rig_read(&rig, origin, "body");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    rig_events(&rig);
    assert_int_equal(rig.n_events, 2);
    assert_int_equal(rig.events[0].kind, EVENT_OPEN);
    assert_int_equal(rig.events[1].kind, EVENT_CLOSE);
    assert_int_equal(rig.events[1].status, 200);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(the_body_of_a_refused_request_is_never_read_as_a_request)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "POST http://games.test:%O/ HTTP/1.1\r\nHost: games.test\r\n"
                               "Content-Length: 60\r\n\r\n");
    rig_read(&rig, client, "</html>");
    rig_say(&rig, client, "GET http://a.test:%O/smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n");
    int origin = -1;
    assert_false(rig_origin_comes(&rig, &origin));
    assert_true(rig_is_closed(&rig, client));
    rig_events(&rig);
    assert_int_equal(rig.n_events, 1);
    close(client);
    rig_free(&rig);
}

TEST(an_http_1_0_client_gets_the_data_of_chunks_and_the_end)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://a.test:%O/ HTTP/1.0\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_has(rig_read(&rig, origin, "\r\n\r\n"), "Via: 1.0 lodge\r\n");
    rig_say(&rig, origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    rig_say(&rig, origin, "lo\r\n6\r\n world\r\n0\r\n\r\n");
    struct str answer = rig_read_end(&rig, client);
    assert_true(str_ends(answer, STR("\r\n\r\nhello world")));
    assert_lacks(answer, "chunked");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(an_answer_that_ends_with_its_connection_ends_the_clients_too)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin, "HTTP/1.0 200 OK\r\n\r\nall of ");
    rig_say(&rig, origin, "it");
    close(origin);
    struct str answer = rig_read_end(&rig, client);
    assert_true(str_ends(answer, STR("all of it")));
    assert_has(answer, "Connection: close\r\n");
    rig_events(&rig);
    assert_int_equal(rig.events[1].end, EVENT_END_DONE);
    close(client);
    rig_free(&rig);
}

TEST(answers_without_a_body_have_none)
{
    static const struct {
        const char *request;
        const char *answer;
    } cases[] = {
        {"HEAD http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"},
        {GET_A, "HTTP/1.1 204 No Content\r\n\r\n"},
        {GET_A, "HTTP/1.1 304 Not Modified\r\n\r\n"},
    };
    struct rig rig;
    rig_new(&rig);
    int client = rig_client(&rig);
    int origin = -1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_say(&rig, client, cases[i].request);
        origin = i == 0 ? rig_origin(&rig) : origin;
        rig_read(&rig, origin, "\r\n\r\n");
        rig_say(&rig, origin, cases[i].answer);
        struct str answer = rig_read(&rig, client, "\r\n\r\n");
        assert_true(str_ends(answer, STR("\r\n\r\n")));
        assert_int_equal(str_find(answer, STR("Content-Length: 500")) < answer.len, i == 0);
    }
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_broken_answer_becomes_a_page_of_ours)
{
    static const char *const broken[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        "HTTP/1.1 407 Give\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Why\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "SSH-2.0-x\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct rig rig;
        rig_new(&rig);
        int client = rig_ask(&rig, GET_A);
        int origin = rig_origin(&rig);
        rig_say(&rig, origin, broken[i]);
        struct str answer = rig_read(&rig, client, "</html>");
        assert_true(str_starts(answer, STR("HTTP/1.1 502 ")));
        assert_true(rig_is_closed(&rig, origin));
        assert_int_equal(rig_last(&rig)->status, 502);
        close(client);
        close(origin);
        rig_free(&rig);
    }
}

TEST(an_answer_cut_short_cuts_the_client_off)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_say(&rig, origin, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    rig_read(&rig, client, "half");
    close(origin);
    assert_true(rig_is_closed(&rig, client));
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(event->kind, EVENT_CLOSE);
    assert_int_equal(event->end, EVENT_END_ORIGIN);
    close(client);
    rig_free(&rig);
}

TEST(R99_the_event_is_there_before_the_first_byte_of_the_answer)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_events(&rig);
    assert_int_equal(rig.n_events, 0);
    rig_say(&rig, origin, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nb");
    rig_read(&rig, client, "b");
    assert_int_equal(rig_last(&rig)->kind, EVENT_OPEN);
    close(client);
    rig_settle(&rig);
    rig_say(&rig, origin, "more");
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(event->kind, EVENT_CLOSE);
    assert_int_equal(event->end, EVENT_END_CLIENT);
    close(origin);
    rig_free(&rig);
}

TEST(R99_a_request_that_is_given_up_has_its_event_too)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    sock_set_reset(client);
    close(client);
    rig_settle(&rig);
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(rig.n_events, 2);
    assert_int_equal(rig.events[0].kind, EVENT_OPEN);
    assert_int_equal(event->kind, EVENT_CLOSE);
    assert_int_equal(event->status, 0);
    assert_int_equal(event->end, EVENT_END_CLIENT);
    assert_int_equal(event->action, ACTION_ALLOW);
    close(origin);
    rig_free(&rig);
}

TEST(a_large_answer_arrives_whole_and_in_order)
{
    enum { SIZE = 3000000 };
    struct rig rig;
    struct buf body;
    rig_new(&rig);
    buf_init(&body, SIZE + 200);
    buf_printf(&body, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
    size_t head = body.len;
    for (size_t i = 0; i < SIZE; i++) {
        buf_append_byte(&body, (char)(i * 13 % 251));
    }
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    struct buf all;
    buf_init(&all, 2 * SIZE);
    struct str rest = buf_str(&body);
    while (all.len < SIZE || rest.len != 0) {
        ssize_t n = rest.len != 0 ? send(origin, rest.p, rest.len, MSG_NOSIGNAL) : 0;
        rest = str_skip(rest, n > 0 ? (size_t)n : 0);
        assert_ok(loop_turn(rig.loop, 1));
        char *to = buf_reserve(&all, 65536);
        n = recv(client, to, 65536, 0);
        assert_int_not_equal(n, 0);
        buf_commit(&all, n > 0 ? (size_t)n : 0);
    }
    assert_str_eq(str_skip(buf_str(&all), all.len - SIZE), str_skip(buf_str(&body), head));
    buf_fini(&all);
    buf_fini(&body);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(R96_what_the_policy_closes_is_answered_with_the_page)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://games.test:%O/way HTTP/1.1\r\nHost: games.test\r\n\r\n");
    struct str answer = rig_read(&rig, client, "</html>");
    assert_true(str_starts(answer, STR("HTTP/1.1 403 Forbidden\r\n")));
    assert_has(answer, "Content-Security-Policy: default-src 'none'");
    assert_has(answer, "Cache-Control: no-store");
    assert_lacks(answer, "games.test");
    assert_lacks(answer, "/way");
    assert_lacks(answer, "<script");
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(event->action, ACTION_BLOCK);
    assert_int_equal(event->status, 403);
    int origin = -1;
    assert_false(rig_origin_comes(&rig, &origin));
    close(client);
    rig_free(&rig);
}

TEST(U19_the_page_speaks_to_who_reads_it)
{
    static const struct {
        const char *group;
        const char *host;
        const char *says;
        const char *never;
    } cases[] = {
        {"pupils-ks1", "games.test",
         "Stop. This page is not for school. You have done nothing wrong. Show your grown-up.",
         "games"},
        {"pupils-ks2", "games.test", "This page is closed in school. You are not in trouble.",
         "table/"},
        {"pupils-ks2", "sad.test", "It was an accident", "harm"},
        {"pupils-ks2", "sad.test", "Tell someone", "suicide"},
        {"pupils-ks2", "sad.test", "Ask for it", "It is about"},
        {"pupils-ks2", "sad.test", "0800 1111", "sad.test"},
        {"staff", "games.test", "(games)", "games.test"},
        {"staff", "sad.test", "table/games/staff", "sad.test"},
        {"staff", "games.test", "The head and the governors decide", "games.test"},
        {"staff", "games.test", "lodge log --data DIR --id", "games.test"},
        {"signers", "a.test", "You are not in trouble.", "a.test"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        char request[200];
        rig_new(&rig);
        rig_set_unknown(&rig, cases[i].group);
        snprintf(request, sizeof(request), "GET http://%s/ HTTP/1.1\r\nHost: x\r\n\r\n",
                 cases[i].host);
        int client = rig_ask(&rig, request);
        struct str page = rig_read(&rig, client, "</html>");
        page = str_skip(page, str_find(page, STR("</style>")));
        assert_has(page, cases[i].says);
        assert_lacks(page, cases[i].never);
        close(client);
        rig_free(&rig);
    }
}

TEST(a_sealed_hit_leaves_neither_path_nor_name_and_rings)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "staff");
    int client = rig_ask(&rig, "GET http://bad.test/sealed?q HTTP/1.1\r\nHost: bad.test\r\n\r\n");
    struct str page = rig_read(&rig, client, "</html>");
    assert_has(page, "HTTP/1.1 403 ");
    assert_has(page, "Tell the designated safeguarding lead");
    assert_lacks(page, "Ask for it");
    assert_lacks(page, "abuse");
    assert_lacks(page, "/sealed");
    const struct rig_event *event = rig_last(&rig);
    assert_true(event->sealed);
    assert_string_equal(event->path, "");
    assert_int_equal(rig.sealed_rung, 1);
    close(client);
    rig_free(&rig);
}

TEST(the_gates_own_name_has_pages)
{
    static const struct {
        const char *request;
        const char *says[2];
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"HTTP/1.1 200 ", "lodge.test:3128"}},
        {"GET http://lodge.test/ HTTP/1.1\r\nHost: x\r\n\r\n", {"HTTP/1.1 200 ", "proxy.pac"}},
        {"GET /proxy.pac HTTP/1.1\r\nHost: LODGE.test.\r\n\r\n",
         {"application/x-ns-proxy-autoconfig", "return \"PROXY lodge.test:3128\";"}},
        {"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\n", {"HTTP/1.1 200 ", "FindProxy"}},
        {"GET / HTTP/1.1\r\nHost: 192.0.2.1:3128\r\n\r\n", {"HTTP/1.1 400 ", "proxy"}},
        {"OPTIONS http://a.test/ HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n",
         {"HTTP/1.1 200 ", "Allow: "}},
        {"GET /setup HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"HTTP/1.1 200 ", "/setup/windows"}},
        {"GET /setup/apple HTTP/1.1\r\nHost: lodge.test\r\n\r\n",
         {"Certificate Trust Settings", "http://lodge.test:3128/proxy.pac"}},
        {"GET /check HTTP/1.1\r\nHost: lodge.test\r\n\r\n",
         {" https://check.lodge.test; base-uri", "href=\"https://check.lodge.test/check.css?"}},
        {"GET http://check.lodge.test/check.css HTTP/1.1\r\nHost: check.lodge.test\r\n\r\n",
         {"HTTP/1.1 404 ", ""}}, /* says "yes" over HTTPS only */
        {"GET /ca.crt HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"HTTP/1.1 404 ", ""}},
        {"GET /none HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"HTTP/1.1 404 ", "no such page"}},
        {"POST / HTTP/1.1\r\nHost: lodge.test\r\nContent-Length: 0\r\n\r\n", {"HTTP/1.1 405 ", ""}},
        {"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", {"HTTP/1.1 400 ", "proxy"}},
        {"OPTIONS * HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"HTTP/1.1 400 ", ""}},
        {"CONNECT lodge.test:443 HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"HTTP/1.1 502 ", ""}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        rig_new(&rig);
        int client = rig_ask(&rig, cases[i].request);
        shutdown(client, SHUT_WR);
        struct str answer = rig_read_end(&rig, client);
        assert_has(answer, cases[i].says[0]);
        assert_has(answer, cases[i].says[1]);
        rig_events(&rig);
        assert_int_equal(rig.n_events, 1);
        close(client);
        rig_free(&rig);
    }
}

TEST(requests_that_cannot_be_answered_safely_are_refused_and_recorded)
{
    static const struct {
        const char *request;
        const char *status;
    } cases[] = {
        {"GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 501 "},
        {"GET ftp://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 501 "},
        {"GET http://a.test\\@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 "},
        {"GET http://u@b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 "},
        {"GET http://a.test/\\..\\x HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 "},
        {"GET http:///x HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 "},
        {"GET http://a.test:0x50/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 "},
        {"TRACE http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 405 "},
        {"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nVia: 1.1 x, 1.1 lodge\r\n\r\n",
         "HTTP/1.1 508 "},
        {"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nX : y\r\n\r\n", "HTTP/1.1 400 "},
        {"CONNECT a.test HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 400 "},
        {"\x16\x03\x01 hello\r\n\r\n", "HTTP/1.1 400 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        rig_new(&rig);
        int client = rig_ask(&rig, cases[i].request);
        assert_has(rig_read(&rig, client, "</html>"), cases[i].status);
        const struct rig_event *event = rig_last(&rig);
        assert_int_equal(rig.n_events, 1);
        assert_int_equal(event->action, ACTION_BLOCK);
        close(client);
        rig_free(&rig);
    }
}

TEST(nothing_behind_a_broken_request_is_read)
{
    struct rig rig;
    rig_new(&rig);
    int client =
        rig_ask(&rig, "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "0\r\n\r\nGET http://a.test:%O/smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_has(rig_read_end(&rig, client), "HTTP/1.1 400 ");
    int origin = -1;
    assert_false(rig_origin_comes(&rig, &origin));
    rig_events(&rig);
    assert_int_equal(rig.n_events, 1);
    assert_int_equal(rig.events[0].reason, REASON_MALFORMED);
    close(client);
    rig_free(&rig);
}

TEST(a_broken_chunk_in_a_request_ends_it)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
    int origin = rig_origin(&rig);
    assert_has(rig_read_end(&rig, client), "HTTP/1.1 400 ");
    assert_lacks(rig_read_end(&rig, origin), "zz");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(an_upgrade_that_was_offered_becomes_a_tunnel)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://a.test:%O/ws HTTP/1.1\r\nHost: a.test\r\n"
                               "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n");
    int origin = rig_origin(&rig);
    struct str request = rig_read(&rig, origin, "\r\n\r\n");
    assert_has(request, "Upgrade: websocket\r\n");
    assert_has(request, "Connection: Upgrade\r\n");
    rig_say(&rig, origin,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\nfirst");
    struct str answer = rig_read(&rig, client, "first");
    assert_has(answer, "HTTP/1.1 101 ");
    assert_has(answer, "Upgrade: websocket\r\n");
    rig_say(&rig, client, "from the client");
    assert_str_eq(rig_read(&rig, origin, "client"), STR("from the client"));
    rig_say(&rig, origin, "and back");
    rig_read(&rig, client, "and back");
    close(origin);
    assert_true(rig_is_closed(&rig, client));
    close(client);
    rig_settle(&rig);
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(rig.n_events, 2);
    assert_int_equal(event->kind, EVENT_CLOSE);
    assert_int_equal(event->bytes_down, 13);
    assert_string_equal(event->path, "/ws");
    rig_free(&rig);
}

TEST(F20_an_upgrade_that_leads_round_the_gate_is_not_passed_on)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                               "Connection: Upgrade\r\nUpgrade: connect-udp, TLS/1.0, "
                               "Connect-IP, HTTP/2.0, h2c, any\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_lacks(rig_read(&rig, origin, "\r\n\r\n"), "pgrade");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(only_codings_that_we_can_read_are_asked_for)
{
    static const struct {
        const char *asked, *passed;
    } cases[] = {
        {"Accept-Encoding: gzip, deflate, br, zstd",
         "Accept-Encoding: gzip, deflate, br, zstd\r\n"},
        {"Accept-Encoding: dcb,dcz , BR;q=0.5,*", "Accept-Encoding: BR;q=0.5\r\n"},
        {"Accept-Encoding: x-gzip\r\naccept-encoding: compress, identity;q=0",
         "Accept-Encoding: x-gzip, identity;q=0\r\n"},
        {"Accept-Encoding: sdch", "Accept-Encoding: identity\r\n"},
        {"Accept-Encoding:", "Accept-Encoding: identity\r\n"},
        {"X: y", NULL},
    };
    struct rig rig;
    rig_new(&rig);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[200];
        snprintf(request, sizeof(request),
                 "GET http://a.test:%%O/ HTTP/1.1\r\nHost: a.test\r\n%s\r\n\r\n", cases[i].asked);
        int client = rig_ask(&rig, request);
        int origin = rig_origin(&rig);
        struct str head = rig_read(&rig, origin, "\r\n\r\n");
        if (cases[i].passed != NULL) {
            assert_has(head, cases[i].passed);
        } else {
            assert_lacks(head, "ncoding");
        }
        close(client);
        close(origin);
        rig_settle(&rig);
    }
    rig_free(&rig);
}

TEST(F20_no_answer_sends_a_browser_round_the_gate)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, GET_A);
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin,
            "HTTP/1.1 200 OK\r\nalt-svc: h3=\":443\"; ma=86400\r\nContent-Length: 5\r\n"
            "Strict-Transport-Security: max-age=1\r\nAlt-Svc: h2=\"other.test:443\"\r\n\r\nhello");
    struct str answer = rig_read(&rig, client, "hello");
    assert_lacks(answer, "lt-");
    assert_has(answer, "Strict-Transport-Security: max-age=1\r\n");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(an_upgrade_that_was_not_offered_is_refused)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
                               "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_lacks(rig_read(&rig, origin, "\r\n\r\n"), "pgrade");
    rig_say(&rig, origin,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 502 ");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(F10_addresses_inside_are_refused_unless_the_operator_allows_them)
{
    static const char *const targets[] = {"http://a.test:%O/", "http://127.0.0.1:%O/",
                                          "http://2130706433:%O/", "http://[::1]:%O/",
                                          "http://inside.test/"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct rig rig;
        char request[200];
        int origin = -1;
        rig_prepare(&rig);
        rig.options.allow_private = false;
        rig_start(&rig);
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", targets[i]);
        int client = rig_ask(&rig, request);
        assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
        assert_int_equal(rig_last(&rig)->reason, REASON_PRIVATE_ADDRESS);
        assert_false(rig_origin_comes(&rig, &origin));
        close(client);
        rig_free(&rig);
    }
}

TEST(the_gate_gives_its_certificate_to_devices)
{
    static const struct {
        const char *request;
        const char *says[2];
    } cases[] = {
        {"GET /ca.crt HTTP/1.1\r\nHost: lodge.test\r\n\r\n",
         {"Content-Type: application/x-x509-ca-cert\r\n", "\x30\x03xyz"}},
        {"GET /ca.pem HTTP/1.1\r\nHost: lodge.test\r\n\r\n",
         {"Content-Type: application/x-pem-file\r\n", "BEGIN CERTIFICATE"}},
        {"GET /lodge.mobileconfig HTTP/1.1\r\nHost: lodge.test\r\n\r\n",
         {"Content-Type: application/x-apple-aspen-config\r\n", "com.apple.security.root"}},
        {"GET /setup HTTP/1.1\r\nHost: lodge.test\r\n\r\n", {"SHA-256", "no-store"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        rig_new(&rig);
        assert_err(gate_set_ca(rig.proxy, STR("\x30\x09")), ERR_INVALID);
        assert_ok(gate_set_ca(rig.proxy, STR("\x30\x01"
                                             "a"
                                             "\x30\x03"
                                             "xyz")));
        int client = rig_ask(&rig, cases[i].request);
        shutdown(client, SHUT_WR);
        struct str answer = rig_read_end(&rig, client);
        assert_has(answer, cases[i].says[0]);
        assert_has(answer, cases[i].says[1]);
        close(client);
        rig_free(&rig);
    }
}

TEST(the_gate_never_dials_itself)
{
    struct rig rig;
    char request[200];
    rig_new(&rig);
    snprintf(request, sizeof(request), "GET http://a.test:%u/ HTTP/1.1\r\nHost: x\r\n\r\n",
             (unsigned)rig.port);
    int client = rig_ask(&rig, request);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 502 ");
    rig_events(&rig);
    assert_int_equal(rig.n_events, 1);
    close(client);
    rig_free(&rig);
}

TEST(a_name_that_does_not_exist_and_a_port_that_is_closed_are_trouble)
{
    struct rig rig;
    rig_new(&rig);
    close(rig.origin_fd);
    int client = rig_ask(&rig, GET_A);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 502 ");
    rig.origin_fd = rig_client(&rig); /* something for rig_free to close */
    assert_int_equal(rig_last(&rig)->action, ACTION_ALLOW);
    close(client);
    rig_free(&rig);
}

TESTS_MAIN(unit(a_request_is_forwarded_and_its_answer_relayed),
           unit(a_kept_connection_serves_the_next_request_of_the_same_site),
           unit(a_kept_connection_that_proves_closed_is_replaced_once),
           unit(a_connection_that_is_signed_in_serves_the_one_client_only),
           unit(a_request_that_is_not_safe_to_repeat_gets_a_connection_of_its_own),
           unit(pipelined_requests_are_answered_one_after_the_other),
           unit(a_body_goes_up_whole_and_what_follows_it_is_the_next_request),
           unit(expect_is_forwarded_and_the_interim_answer_relayed),
           unit(the_body_of_a_refused_request_is_never_read_as_a_request),
           unit(an_http_1_0_client_gets_the_data_of_chunks_and_the_end),
           unit(an_answer_that_ends_with_its_connection_ends_the_clients_too),
           unit(answers_without_a_body_have_none), unit(a_broken_answer_becomes_a_page_of_ours),
           unit(an_answer_cut_short_cuts_the_client_off),
           unit(R99_the_event_is_there_before_the_first_byte_of_the_answer),
           unit(R99_a_request_that_is_given_up_has_its_event_too),
           unit(a_large_answer_arrives_whole_and_in_order),
           unit(R96_what_the_policy_closes_is_answered_with_the_page),
           unit(U19_the_page_speaks_to_who_reads_it),
           unit(a_sealed_hit_leaves_neither_path_nor_name_and_rings),
           unit(the_gates_own_name_has_pages),
           unit(requests_that_cannot_be_answered_safely_are_refused_and_recorded),
           unit(nothing_behind_a_broken_request_is_read), unit(a_broken_chunk_in_a_request_ends_it),
           unit(an_upgrade_that_was_offered_becomes_a_tunnel),
           unit(F20_an_upgrade_that_leads_round_the_gate_is_not_passed_on),
           unit(only_codings_that_we_can_read_are_asked_for),
           unit(F20_no_answer_sends_a_browser_round_the_gate),
           unit(an_upgrade_that_was_not_offered_is_refused),
           unit(F10_addresses_inside_are_refused_unless_the_operator_allows_them),
           unit(the_gate_gives_its_certificate_to_devices), unit(the_gate_never_dials_itself),
           unit(a_name_that_does_not_exist_and_a_port_that_is_closed_are_trouble))

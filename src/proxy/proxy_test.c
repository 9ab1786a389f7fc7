/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxy whole: requests relayed, refused and recorded. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/test.h"
#include "lib/proxy_rig.h"

static bool has(struct str text, const char *part)
{
    return str_find(text, str_from(part)) < text.len;
}

#define assert_has(text, part)                                        \
    do {                                                              \
        struct str text_ = (text);                                    \
        if (!has(text_, part)) {                                      \
            fail_msg("\"%s\" is not in: %.*s", part, STR_ARG(text_)); \
        }                                                             \
    } while (0)

#define assert_lacks(text, part)                                  \
    do {                                                          \
        struct str text_ = (text);                                \
        if (has(text_, part)) {                                   \
            fail_msg("\"%s\" is in: %.*s", part, STR_ARG(text_)); \
        }                                                         \
    } while (0)

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

TEST(R96_what_the_policy_closes_is_answered_with_the_page)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://games.test:%O/ HTTP/1.1\r\nHost: games.test\r\n\r\n");
    struct str answer = rig_read(&rig, client, "</html>");
    assert_true(str_starts(answer, STR("HTTP/1.1 403 Forbidden\r\n")));
    assert_has(answer, "This page is closed in school. You are not in trouble.");
    assert_has(answer, "Content-Security-Policy: default-src 'none'");
    assert_has(answer, "Cache-Control: no-store");
    assert_lacks(answer, "games.test");
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(event->action, ACTION_BLOCK);
    assert_int_equal(event->status, 403);
    int origin = -1;
    assert_false(rig_origin_comes(&rig, &origin));
    close(client);
    rig_free(&rig);
}

TEST(a_tunnel_is_opened_for_a_group_that_may_and_recorded_twice)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "open");
    int client = rig_ask(&rig, "CONNECT a.test:%O HTTP/1.1\r\nHost: a.test\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_str_eq(rig_read(&rig, client, "\r\n\r\n"),
                  STR("HTTP/1.1 200 Connection established\r\n\r\n"));
    rig_say(&rig, client, "plain words");
    assert_str_eq(rig_read(&rig, origin, "words"), STR("plain words"));
    rig_say(&rig, origin, "an answer");
    assert_str_eq(rig_read(&rig, client, "answer"), STR("an answer"));
    close(client);
    assert_true(rig_is_closed(&rig, origin));
    close(origin);
    rig_settle(&rig);
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(rig.n_events, 2);
    assert_int_equal(rig.events[0].kind, EVENT_OPEN);
    assert_int_equal(event->kind, EVENT_CLOSE);
    assert_memory_equal(&rig.events[0].id, &event->id, sizeof(event->id));
    assert_int_equal(event->bytes_up, 11);
    assert_int_equal(event->bytes_down, 9);
    assert_int_equal(event->end, EVENT_END_DONE);
    rig_free(&rig);
}

TESTS_MAIN(unit(a_request_is_forwarded_and_its_answer_relayed),
           unit(R96_what_the_policy_closes_is_answered_with_the_page),
           unit(a_tunnel_is_opened_for_a_group_that_may_and_recorded_twice))

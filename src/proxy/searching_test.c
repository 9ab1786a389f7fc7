/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searches through the proxy: what the site gets, and what the event holds. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/proxy_rig.h"
#include "lib/test.h"
#include "policy/search.h"

static const char OK_5[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/* What the site gets of a request, and what the event says was searched for. */
static void expect_sent(const char *request, const char *const *has, const char *const *lacks,
                        const char *search)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, request);
    int origin = rig_origin(&rig);
    struct str sent = rig_read(&rig, origin, "\r\n\r\n");
    for (; *has != NULL; has++) {
        assert_has(sent, *has);
    }
    for (; *lacks != NULL; lacks++) {
        assert_lacks(sent, *lacks);
    }
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    assert_string_equal(rig_last(&rig)->search, search);
    close(client);
    close(origin);
    rig_free(&rig);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(F33_D13_a_search_is_held_to_safe_search_and_its_words_are_in_the_event)
{
    expect_sent("GET http://www.google.com:%O/search?safe=off&q=red+cats HTTP/1.1\r\n"
                "Host: x\r\nCookie: a=1\r\n\r\n",
                LIST("GET /search?q=red+cats&safe=active&ssui=on HTTP/1.1\r\n"
                     "Host: www.google.com:",
                     "Cookie: a=1\r\n", "Via: 1.1 lodge\r\n\r\n"),
                LIST("safe=off"), "red cats");
}

TEST(F33_a_header_of_the_client_s_is_replaced)
{
    expect_sent(
        "GET http://www.youtube.com:%O/results?search_query=cats HTTP/1.1\r\n"
        "Host: x\r\nyoutube-restrict: Off\r\nYouTube-Restrict: Moderate\r\n\r\n",
        LIST("GET /results?search_query=cats HTTP/1.1\r\n", "\r\nYouTube-Restrict: Strict\r\n"),
        LIST("Off", "Moderate"), "cats");
}

TEST(F33_cookies_are_put_right)
{
    expect_sent("GET http://duckduckgo.com:%O/?q=cats HTTP/1.1\r\nHost: x\r\n"
                "Cookie: p=-2; a=1\r\ncookie: kp=-2\r\n\r\n",
                LIST("GET /?q=cats&kp=1&p=1 HTTP/1.1\r\n", "Cookie: a=1; p=1\r\n"), LIST("-2"),
                "cats");
    expect_sent("GET http://duckduckgo.com:%O/?q=cats HTTP/1.1\r\nHost: x\r\n\r\n",
                LIST("Cookie: p=1\r\n"), LIST("-2"), "cats");
}

TEST(other_sites_get_what_was_asked)
{
    expect_sent("GET http://a.test:%O/search?q=cats&safe=off HTTP/1.1\r\nHost: x\r\n"
                "Cookie: p=-2\r\nYouTube-Restrict: Off\r\n\r\n",
                LIST("GET /search?q=cats&safe=off HTTP/1.1\r\n", "Cookie: p=-2\r\n",
                     "YouTube-Restrict: Off\r\n"),
                LIST("active"), "cats");
}

TEST(F33_an_engine_without_a_safe_mode_and_a_form_to_any_are_refused)
{
    static const char *const requests[] = {
        "GET http://search.yahoo.com:%O/search?p=cats HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST http://duckduckgo.com:%O/html HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\r\nq=cats",
        "POST http://duckduckgo.com:%O/html HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n"
        "content-type: Multipart/Form-Data; boundary=x\r\n\r\nq=cats",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct rig rig;
        rig_new(&rig);
        int client = rig_ask(&rig, requests[i]);
        assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
        assert_int_equal(rig_last(&rig)->reason, REASON_NO_SAFE_SEARCH);
        close(client);
        rig_free(&rig);
    }
}

static void post(struct rig *rig, const char *head, const char *body, const char *search)
{
    rig_new(rig);
    int client = rig_ask(rig, head);
    rig_say(rig, client, body);
    int origin = rig_origin(rig);
    rig_read(rig, origin, "\r\n\r\n");
    rig_settle(rig);
    rig_say(rig, origin, OK_5);
    rig_read(rig, client, "hello");
    assert_string_equal(rig_last(rig)->search, search);
    close(client);
    close(origin);
    rig_free(rig);
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

TEST(D13_the_words_of_a_form_are_in_the_event)
{
    struct rig rig;
    post(&rig,
         "POST http://a.test:%O/search HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: 15\r\n\r\n",
         "q=red+cats&p=23", "red cats");
    post(&rig,
         "POST http://a.test:%O/search HTTP/1.1\r\nHost: x\r\n" FORM
         "Transfer-Encoding: chunked\r\n\r\n",
         "6\r\nq=red+\r\n4\r\ncats\r\n0\r\n\r\n", "red cats");
    post(&rig,
         "POST http://a.test:%O/login HTTP/1.1\r\nHost: x\r\n" FORM "Content-Length: 18\r\n\r\n",
         "user=a&password=bc", "");
    post(&rig,
         "POST http://a.test:%O/search HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
         "Content-Length: 6\r\n\r\n",
         "q=cats", "");
}

TEST(D13_a_long_form_is_looked_at_as_far_as_its_bound)
{
    static char body[SEARCH_FORM_MAX + 4096];
    char head[256];
    struct rig rig;
    rig_new(&rig);
    memset(body, 'x', sizeof(body));
    memcpy(body, "q=cats&a=", 9);
    memcpy(body + sizeof(body) - 8, "&q=dogs&", 8);
    (void)snprintf(head, sizeof(head),
                   "POST http://a.test:%%O/search HTTP/1.1\r\nHost: x\r\n" FORM
                   "Content-Length: %zu\r\n\r\n",
                   sizeof(body));
    int client = rig_ask(&rig, head);
    rig_say_bytes(&rig, client, str_make(body, sizeof(body)));
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "&q=dogs&");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    assert_string_equal(rig_last(&rig)->search, "cats");
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(T8_a_sealed_hit_and_a_lifeline_keep_no_words)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "GET http://bad.test/sealed?q=cats HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
    assert_true(rig_last(&rig)->sealed);
    assert_string_equal(rig_last(&rig)->search, "");
    close(client);
    client = rig_ask(&rig, "GET http://help.test:%O/search?q=cats HTTP/1.1\r\nHost: x\r\n\r\n");
    int origin = rig_origin(&rig);
    rig_read(&rig, origin, "\r\n\r\n");
    rig_say(&rig, origin, OK_5);
    rig_read(&rig, client, "hello");
    assert_string_equal(rig_last(&rig)->host, "help.test");
    assert_string_equal(rig_last(&rig)->search, "");
    close(client);
    close(origin);
    rig_free(&rig);
}

TESTS_MAIN(unit(F33_D13_a_search_is_held_to_safe_search_and_its_words_are_in_the_event),
           unit(F33_a_header_of_the_client_s_is_replaced), unit(F33_cookies_are_put_right),
           unit(other_sites_get_what_was_asked),
           unit(F33_an_engine_without_a_safe_mode_and_a_form_to_any_are_refused),
           unit(D13_the_words_of_a_form_are_in_the_event),
           unit(D13_a_long_form_is_looked_at_as_far_as_its_bound),
           unit(T8_a_sealed_hit_and_a_lifeline_keep_no_words))

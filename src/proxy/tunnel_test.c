/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tunnels: what may open one, what its first bytes must be, how it ends. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/proxy_rig.h"
#include "lib/test.h"

enum { HELLO_MAX = 512 };

static void u16(struct buf *to, size_t value)
{
    buf_append_byte(to, (char)(value >> 8));
    buf_append_byte(to, (char)value);
}

/* A ClientHello of TLS 1.2 with this server name (RFC 6066 section 3); empty: without one. ech:
 * with an extension of RFC 9849, whose content says nothing. */
static void hello_make(struct buf *to, struct str name, bool ech)
{
    static const struct str noise = STR_INIT("\x00\x00\x01\x00\x01\x07\x00\x01x\x00\x01x");
    size_t extension = (name.len != 0 ? 9 + name.len : 0) + (ech ? 4 + noise.len : 0);
    size_t body = 2 + 32 + 1 + 4 + 2 + 2 + extension;
    buf_init(to, HELLO_MAX);
    buf_append(to, STR("\x16\x03\x01"));
    u16(to, body + 4);
    buf_append(to, STR("\x01\x00"));
    u16(to, body);
    buf_append(to, STR("\x03\x03"));
    for (int i = 0; i < 32; i++) {
        buf_append_byte(to, 'r');
    }
    buf_append(to, STR("\x00\x00\x02\x13\x01\x01\x00"));
    u16(to, extension);
    if (name.len != 0) {
        u16(to, 0);
        u16(to, 5 + name.len);
        u16(to, 3 + name.len);
        buf_append_byte(to, '\0');
        u16(to, name.len);
        buf_append(to, name);
    }
    if (ech) {
        u16(to, 0xfe0d);
        u16(to, noise.len);
        buf_append(to, noise);
    }
    assert_ok(buf_err(to));
}

static void hello_print(struct buf *to, struct str name)
{
    hello_make(to, name, false);
}

static int open_tunnel(struct rig *rig, const char *target)
{
    char request[200];
    snprintf(request, sizeof(request), "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    int client = rig_ask(rig, request);
    assert_str_eq(rig_read(rig, client, "\r\n\r\n"),
                  STR("HTTP/1.1 200 Connection established\r\n\r\n"));
    return client;
}

TEST(a_tunnel_is_recorded_when_it_opens_and_when_it_ends)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "open");
    int client = open_tunnel(&rig, "a.test:%O");
    int origin = rig_origin(&rig);
    assert_int_equal(rig_last(&rig)->kind, EVENT_OPEN);
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
    assert_int_equal(event->kind, EVENT_CLOSE);
    assert_memory_equal(&rig.events[0].id, &event->id, sizeof(event->id));
    assert_int_equal(event->bytes_up, 11);
    assert_int_equal(event->bytes_down, 9);
    assert_int_equal(event->status, 200);
    assert_int_equal(event->end, EVENT_END_DONE);
    assert_string_equal(event->method, "CONNECT");
    rig_free(&rig);
}

TEST(F20_host_and_server_name_must_both_be_allowed)
{
    static const struct {
        const char *name;
        bool open;
    } cases[] = {
        {"a.test", true},        {"www.a.test", true}, {"games.test", false},
        {"x.games.test", false}, {"", false}, /* without a name: refused for this group */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        struct buf hello;
        rig_new(&rig);
        hello_print(&hello, str_from(cases[i].name));
        int client = open_tunnel(&rig, "a.test:%O");
        int origin = rig_origin(&rig);
        rig_say_bytes(&rig, client, buf_str(&hello));
        if (cases[i].open) {
            assert_str_eq(rig_read(&rig, origin, "\x13\x01"), buf_str(&hello));
        } else {
            assert_true(rig_is_closed(&rig, client));
            assert_int_equal(rig_read_end(&rig, origin).len, 0);
            const struct rig_event *event = rig_last(&rig);
            assert_int_equal(event->kind, EVENT_CLOSE);
            assert_int_equal(event->action, ACTION_BLOCK);
            assert_int_equal(event->end, EVENT_END_POLICY);
        }
        buf_fini(&hello);
        close(client);
        close(origin);
        rig_free(&rig);
    }
}

TEST(F20_an_encrypted_name_is_in_the_event_and_what_browsers_feign_is_not)
{
    static const struct {
        const char *unknown;
        const char *name;
        bool open;
        bool ech;
    } cases[] = {
        {"visitors", "a.test", true, false}, /* GREASE */
        {"visitors", "b.test", false, true},
        {"visitors", "cloudflare-ech.com", false, true},
        {"open", "b.test", true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        struct buf hello;
        rig_new(&rig);
        rig_set_unknown(&rig, cases[i].unknown);
        hello_make(&hello, str_from(cases[i].name), true);
        int client = open_tunnel(&rig, "a.test:%O");
        int origin = rig_origin(&rig);
        rig_say_bytes(&rig, client, buf_str(&hello));
        if (cases[i].open) {
            assert_int_equal(rig_read(&rig, origin, "x").len, hello.len);
        } else {
            assert_true(rig_is_closed(&rig, client));
        }
        close(client);
        close(origin);
        rig_settle(&rig);
        const struct rig_event *event = rig_last(&rig);
        assert_int_equal(event->kind, EVENT_CLOSE);
        assert_int_equal(event->ech, cases[i].ech);
        assert_int_equal(event->action, cases[i].open ? ACTION_ALLOW : ACTION_BLOCK);
        buf_fini(&hello);
        rig_free(&rig);
    }
}

TEST(the_first_bytes_are_examined_however_they_are_cut)
{
    for (size_t step = 1; step < 90; step += 11) {
        struct rig rig;
        struct buf hello;
        rig_new(&rig);
        hello_print(&hello, STR("a.test"));
        int client = open_tunnel(&rig, "a.test:%O");
        int origin = rig_origin(&rig);
        for (size_t at = 0; at < hello.len; at += step) {
            assert_true(rig_is_quiet(&rig, origin));
            rig_say_bytes(&rig, client, str_sub(buf_str(&hello), at, step));
        }
        assert_str_eq(rig_read(&rig, origin, "\x13\x01"), buf_str(&hello));
        buf_fini(&hello);
        close(client);
        close(origin);
        rig_free(&rig);
    }
}

TEST(what_a_client_sends_behind_connect_without_waiting_is_examined_too)
{
    struct rig rig;
    rig_new(&rig);
    int client = rig_ask(&rig, "CONNECT a.test:%O HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET http://games.test/ HTTP/1.1\r\nHost: games.test\r\n\r\n");
    int origin = rig_origin(&rig);
    assert_str_eq(rig_read_end(&rig, client), STR("HTTP/1.1 200 Connection established\r\n\r\n"));
    assert_int_equal(rig_read_end(&rig, origin).len, 0);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(R109_a_tunnel_that_is_no_tls_is_closed_and_nothing_passes)
{
    static const char *const firsts[] = {"SSH-2.0-x\r\n", "GET / HTTP/1.1\r\n\r\n", "x"};
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        struct rig rig;
        rig_new(&rig);
        int client = open_tunnel(&rig, "a.test:%O");
        int origin = rig_origin(&rig);
        rig_say(&rig, client, firsts[i]);
        assert_true(rig_is_closed(&rig, client));
        assert_int_equal(rig_read_end(&rig, origin).len, 0);
        assert_int_equal(rig_last(&rig)->reason, REASON_TUNNEL_NOT_TLS);
        close(client);
        close(origin);
        rig_free(&rig);
    }
}

TEST(an_origin_may_speak_first_only_where_anything_may)
{
    static const char *const groups[] = {"visitors", "open"};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_new(&rig);
        rig_set_unknown(&rig, groups[i]);
        int client = open_tunnel(&rig, "a.test:%O");
        int origin = rig_origin(&rig);
        rig_say(&rig, origin, "220 hello");
        if (i == 0) {
            assert_true(rig_is_quiet(&rig, client));
        } else {
            assert_str_eq(rig_read(&rig, client, "hello"), STR("220 hello"));
            rig_say(&rig, client, "EHLO");
            assert_str_eq(rig_read(&rig, origin, "EHLO"), STR("EHLO"));
        }
        close(client);
        close(origin);
        rig_free(&rig);
    }
}

TEST(a_blocked_connect_gets_the_page_and_its_connection_ends)
{
    static const char *const targets[] = {"games.test:443", "bad.test:443"};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        char request[200];
        rig_new(&rig);
        snprintf(request, sizeof(request), "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", targets[i]);
        int client = rig_ask(&rig, request);
        struct str answer = rig_read_end(&rig, client);
        assert_has(answer, "HTTP/1.1 403 ");
        assert_has(answer, "</html>");
        assert_has(answer, "Connection: close\r\n");
        rig_events(&rig);
        assert_int_equal(rig.n_events, 1);
        assert_int_equal(rig.events[0].kind, EVENT_REQUEST);
        close(client);
        rig_free(&rig);
    }
}

TEST(ports_and_addresses_are_refused_where_the_group_says_so)
{
    static const char *const targets[] = {"a.test:22", "a.test:80", "203.0.113.9:443",
                                          "3405803785:443", "[2001:db8::1]:443"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct rig rig;
        char request[200];
        rig_prepare(&rig);
        rig.options.allow_private = false;
        rig_start(&rig);
        snprintf(request, sizeof(request), "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", targets[i]);
        int client = rig_ask(&rig, request);
        assert_has(rig_read_end(&rig, client), "HTTP/1.1 403 ");
        close(client);
        rig_free(&rig);
    }
}

TEST(the_end_of_one_side_is_passed_on_and_the_other_goes_on)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "open");
    int client = open_tunnel(&rig, "a.test:%O");
    int origin = rig_origin(&rig);
    rig_say(&rig, client, "question");
    shutdown(client, SHUT_WR);
    assert_str_eq(rig_read_end(&rig, origin), STR("question"));
    rig_say(&rig, origin, "answer");
    assert_str_eq(rig_read(&rig, client, "answer"), STR("answer"));
    close(origin);
    assert_true(rig_is_closed(&rig, client));
    close(client);
    rig_settle(&rig);
    assert_int_equal(rig_last(&rig)->end, EVENT_END_DONE);
    rig_free(&rig);
}

/* Far more than buffers hold, both ways at once, so that each end blocks again and again. */
TEST(much_goes_both_ways_and_arrives_whole)
{
    enum { SIZE = 6000000 };
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "open");
    int ends[2];
    ends[0] = open_tunnel(&rig, "a.test:%O");
    ends[1] = rig_origin(&rig);
    size_t sent[2] = {0, 0};
    size_t got[2] = {0, 0};
    static char block[200000];
    while (got[0] < SIZE || got[1] < SIZE) {
        for (int i = 0; i < 2; i++) {
            size_t n = SIZE - sent[i] < sizeof(block) ? SIZE - sent[i] : sizeof(block);
            for (size_t k = 0; k < n; k++) {
                block[k] = (char)((sent[i] + k) * (size_t)(i + 3) % 251);
            }
            ssize_t done = n != 0 ? send(ends[i], block, n, MSG_NOSIGNAL) : 0;
            sent[i] += done > 0 ? (size_t)done : 0;
            done = recv(ends[i], block, sizeof(block), 0);
            assert_int_not_equal(done, 0);
            for (ssize_t k = 0; k < done; k++) {
                char want = (char)((got[i] + (size_t)k) * (size_t)(4 - i) % 251);
                if (block[k] != want) {
                    fail_msg("byte %zu is wrong", got[i] + (size_t)k);
                }
            }
            got[i] += done > 0 ? (size_t)done : 0;
        }
        assert_ok(loop_turn(rig.loop, 1));
    }
    close(ends[0]);
    close(ends[1]);
    rig_settle(&rig);
    const struct rig_event *event = rig_last(&rig);
    assert_int_equal(event->bytes_up, SIZE);
    assert_int_equal(event->bytes_down, SIZE);
    rig_free(&rig);
}

TEST(a_tunnel_that_says_nothing_in_time_is_closed)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.hello_timeout_ms = 20;
    rig_start(&rig);
    int client = open_tunnel(&rig, "a.test:%O");
    int origin = rig_origin(&rig);
    assert_true(rig_is_closed(&rig, client));
    assert_int_equal(rig_last(&rig)->end, EVENT_END_TIMEOUT);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_silent_tunnel_is_kept_where_anything_may_come_and_still_examined)
{
    struct rig rig;
    struct buf hello;
    rig_prepare(&rig);
    rig.options.hello_timeout_ms = 20;
    rig_start(&rig);
    rig_set_unknown(&rig, "open");
    hello_print(&hello, STR("games.test"));
    int client = open_tunnel(&rig, "a.test:%O");
    int origin = rig_origin(&rig);
    assert_false(rig_is_closed(&rig, client));
    rig_say_bytes(&rig, client, buf_str(&hello));
    assert_true(rig_is_closed(&rig, client));
    assert_int_equal(rig_last(&rig)->end, EVENT_END_POLICY);
    buf_fini(&hello);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(a_tunnel_without_a_byte_for_too_long_is_closed)
{
    struct rig rig;
    rig_prepare(&rig);
    rig.options.tunnel_timeout_ms = 30;
    rig_start(&rig);
    rig_set_unknown(&rig, "open");
    int client = open_tunnel(&rig, "a.test:%O");
    int origin = rig_origin(&rig);
    rig_say(&rig, client, "words");
    assert_true(rig_is_closed(&rig, client));
    assert_int_equal(rig_last(&rig)->end, EVENT_END_TIMEOUT);
    close(client);
    close(origin);
    rig_free(&rig);
}

TEST(new_images_close_what_is_no_longer_allowed_and_nothing_else)
{
    struct rig rig;
    struct buf hello;
    rig_new(&rig);
    rig_set_unknown(&rig, "open");
    hello_print(&hello, STR("a.test"));
    int raw = open_tunnel(&rig, "a.test:%O");
    int raw_origin = rig_origin(&rig);
    rig_say(&rig, raw, "words");
    int tls = open_tunnel(&rig, "b.test:%O");
    int tls_origin = rig_origin(&rig);
    rig_say_bytes(&rig, tls, buf_str(&hello));
    rig_read(&rig, tls_origin, "\x13\x01");
    rig_set_unknown(&rig, "visitors"); /* TLS only */
    assert_true(rig_is_closed(&rig, raw));
    assert_int_equal(rig_last(&rig)->end, EVENT_END_POLICY);
    rig_say(&rig, tls_origin, "goes on");
    assert_str_eq(rig_read(&rig, tls, "goes on"), STR("goes on"));
    buf_fini(&hello);
    close(raw);
    close(tls);
    close(raw_origin);
    close(tls_origin);
    rig_free(&rig);
}

TESTS_MAIN(unit(a_tunnel_is_recorded_when_it_opens_and_when_it_ends),
           unit(F20_host_and_server_name_must_both_be_allowed),
           unit(F20_an_encrypted_name_is_in_the_event_and_what_browsers_feign_is_not),
           unit(the_first_bytes_are_examined_however_they_are_cut),
           unit(what_a_client_sends_behind_connect_without_waiting_is_examined_too),
           unit(R109_a_tunnel_that_is_no_tls_is_closed_and_nothing_passes),
           unit(an_origin_may_speak_first_only_where_anything_may),
           unit(a_blocked_connect_gets_the_page_and_its_connection_ends),
           unit(ports_and_addresses_are_refused_where_the_group_says_so),
           unit(the_end_of_one_side_is_passed_on_and_the_other_goes_on),
           unit(much_goes_both_ways_and_arrives_whole),
           unit(a_tunnel_that_says_nothing_in_time_is_closed),
           unit(a_silent_tunnel_is_kept_where_anything_may_come_and_still_examined),
           unit(a_tunnel_without_a_byte_for_too_long_is_closed),
           unit(new_images_close_what_is_no_longer_allowed_and_nothing_else))

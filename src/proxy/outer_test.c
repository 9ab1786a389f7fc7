/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxy's own port reached by TLS. */
#include <string.h>
#include <unistd.h>

#include "lib/proxy_tls.h"
#include "lib/test.h"

static const char OK_HELLO[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
static const char PAIR[] = "Proxy-Authorization: Basic cC0xOnNlY3JldA==\r\n"; /* p-1:secret */

static struct rig_tls tls;

static struct host host_of(const char *name)
{
    struct host host;
    assert_ok(host_parse(str_from(name), &host));
    return host;
}

static void begin(const char *unknown, bool passwords_over_tls)
{
    rig_tls_prepare(&tls);
    tls.rig.options.proxy_name = STR("proxy.test:3128");
    tls.rig.options.passwords_over_tls = passwords_over_tls;
    rig_tls_start(&tls, unknown);
}

/* A client that begins TLS at once, asking for this name. */
static void open_end(struct tls_end *end, const char *name, bool trusts)
{
    struct host host = host_of(name);
    *end = (struct tls_end){.fd = rig_client(&tls.rig)};
    end_begin(&tls, end, &host, trusts);
}

static void connect_end(struct tls_end *end, const char *name)
{
    open_end(end, name, true);
    if (!end_handshake(&tls, end)) {
        fail_msg("no TLS: %s", tls_trouble_text(end->trouble));
    }
}

static int fetch(struct tls_end *end)
{
    end_say(&tls, end, "GET http://a.test:%O/x HTTP/1.1\r\nHost: a.test:%O\r\n\r\n");
    int origin = rig_origin(&tls.rig);
    assert_has(rig_read(&tls.rig, origin, "\r\n\r\n"), "GET /x HTTP/1.1\r\n");
    rig_say(&tls.rig, origin, OK_HELLO);
    assert_has(end_read(&tls, end, "hello"), "HTTP/1.1 200 OK\r\n");
    return origin;
}

TEST(the_port_speaks_tls_and_inside_it_is_as_on_the_plain_one)
{
    struct tls_end end;
    begin("visitors", false);
    connect_end(&end, "proxy.test");
    assert_int_equal(tls_alpn(end.session), TLS_ALPN_HTTP_1_1);
    int origin = fetch(&end);
    const struct rig_event *event = rig_last(&tls.rig);
    assert_int_equal(tls.rig.n_events, 1);
    assert_int_equal(event->action, ACTION_ALLOW);
    assert_string_equal(event->scheme, "http");
    assert_string_equal(event->host, "a.test");
    /* The next on the same connection: a page of ours. */
    end_say(&tls, &end, "GET http://games.test/ HTTP/1.1\r\nHost: games.test\r\n\r\n");
    assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
    assert_int_equal(rig_last(&tls.rig)->action, ACTION_BLOCK);
    close(origin);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(a_leaf_is_had_for_our_names_and_addresses_and_for_no_other)
{
    static const struct {
        const char *name;
        const char *leaf;
        bool good;
    } cases[] = {
        {"proxy.test", "proxy.test", true},
        {"lodge.test", "lodge.test", true},
        {"check.lodge.test", "check.lodge.test", true},
        {"127.0.0.1", "127.0.0.1", true},
        {"a.test", "proxy.test", false},
        {"games.test", "proxy.test", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_end end;
        begin("visitors", false);
        open_end(&end, cases[i].name, true);
        for (int turn = 0; turn < 100 && tls.n_asked == 0; turn++) {
            (void)!tls_handshake(end.session);
            assert_ok(loop_turn(tls.rig.loop, 1));
        }
        assert_int_equal(tls.n_asked, 1);
        assert_string_equal(tls.asked[0].text, cases[i].leaf);
        assert_int_equal(end_handshake(&tls, &end), cases[i].good);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(a_hello_that_comes_byte_by_byte_is_a_hello)
{
    struct tls_end end;
    begin("visitors", false);
    open_end(&end, "proxy.test", true);
    end.step = 1;
    bool done = false;
    for (int i = 0; i < 2000 && !done; i++) {
        done = tls_handshake(end.session) == TLS_DONE;
        assert_ok(loop_turn(tls.rig.loop, 0));
        rig_tls_sign(&tls);
    }
    assert_true(done);
    end.step = 0;
    close(fetch(&end));
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(a_tunnel_inside_carries_bytes_both_ways)
{
    enum { MANY = 300000 };
    static char bytes[MANY + 1];
    struct tls_end end;
    begin("open", false);
    memset(bytes, 'x', MANY);
    connect_end(&end, "proxy.test");
    end_say(&tls, &end, "CONNECT a.test:%O HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_has(end_read(&tls, &end, "\r\n\r\n"), "HTTP/1.1 200 ");
    end_say(&tls, &end, "not TLS\n");
    int origin = rig_origin(&tls.rig);
    assert_has(rig_read(&tls.rig, origin, "\n"), "not TLS\n");
    for (size_t sent = 0; sent < MANY;) {
        ssize_t n = write(origin, bytes + sent, MANY - sent);
        sent += n > 0 ? (size_t)n : 0;
        if (sent == MANY) {
            assert_int_equal(write(origin, "end", 3), 3);
        } else if (n <= 0) {
            (void)end_read(&tls, &end, "x");
        }
    }
    assert_has(end_read(&tls, &end, "end"), "xend");
    close(origin);
    assert_int_equal(end_read(&tls, &end, "").len, 0);
    end_close(&tls, &end);
    rig_events(&tls.rig);
    assert_int_equal(rig_last(&tls.rig)->kind, EVENT_CLOSE);
    rig_tls_free(&tls);
}

static int inner_receive(void *context, char *to, size_t room)
{
    size_t n = 0;
    switch (tls_read(context, to, room, &n)) {
    case TLS_DONE:
        return (int)n;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        return TLS_LOWER_AGAIN;
    case TLS_END:
        return TLS_LOWER_END;
    case TLS_BROKEN:
        break;
    }
    return TLS_LOWER_BROKEN;
}

static int inner_transmit(void *context, const char *bytes, size_t len)
{
    size_t n = 0;
    enum tls_result result = tls_write(context, str_make(bytes, len), &n);
    return n > 0 ? (int)n : result == TLS_BROKEN ? TLS_LOWER_BROKEN : TLS_LOWER_AGAIN;
}

TEST(a_refused_site_shows_its_page_in_tls_in_tls)
{
    struct tls_end end;
    struct tls_end inner = {.fd = -1};
    struct host host = host_of("games.test");
    begin("visitors", false);
    connect_end(&end, "proxy.test");
    end_say(&tls, &end, "CONNECT games.test:443 HTTP/1.1\r\nHost: games.test\r\n\r\n");
    assert_has(end_read(&tls, &end, "\r\n\r\n"), "HTTP/1.1 200 ");
    struct tls_lower lower = {end.session, inner_receive, inner_transmit};
    assert_ok(tls_connect(tls.trusting, &host, 443, false, loop_utc_ms(tls.rig.loop), &lower,
                          &inner.session));
    assert_true(end_handshake(&tls, &inner));
    end_say(&tls, &inner, "GET /play HTTP/1.1\r\nHost: games.test\r\n\r\n");
    assert_has(end_read(&tls, &inner, "</html>"), "HTTP/1.1 403 ");
    assert_string_equal(rig_last(&tls.rig)->scheme, "https");
    tls_session_free(inner.session);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(what_begins_like_tls_and_is_none_is_a_bad_request)
{
    static const char *const cases[] = {"\x16GET / HTTP/1.1\r\n\r\n",
                                        "\x16\x03\x01\xff\xff\r\n\r\n", "\x16\r\n\r\n"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin("visitors", false);
        int fd = rig_ask(&tls.rig, cases[i]);
        assert_has(rig_read(&tls.rig, fd, "</html>"), "HTTP/1.1 400 ");
        assert_int_equal(rig_last(&tls.rig)->reason, REASON_MALFORMED);
        close(fd);
        rig_tls_free(&tls);
    }
}

TEST(only_the_first_bytes_of_a_connection_may_be_tls)
{
    struct tls_end end;
    struct host host = host_of("proxy.test");
    begin("visitors", false);
    end = (struct tls_end){.fd = rig_ask(&tls.rig, "GET http://games.test/ HTTP/1.1\r\n"
                                                   "Host: games.test\r\n\r\n")};
    assert_has(rig_read(&tls.rig, end.fd, "</html>"), "HTTP/1.1 403 ");
    end_begin(&tls, &end, &host, true);
    assert_false(end_handshake(&tls, &end));
    assert_int_equal(tls.n_questions, 0);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(who_leaves_while_a_leaf_is_awaited_leaves_nothing_behind)
{
    struct tls_end end;
    begin("visitors", false);
    for (int refused = 0; refused < 2; refused++) {
        open_end(&end, "proxy.test", true);
        for (int turn = 0; turn < 100 && tls.n_asked == 0; turn++) {
            (void)!tls_handshake(end.session);
            assert_ok(loop_turn(tls.rig.loop, 1));
        }
        assert_int_equal(tls.n_asked, 1);
        if (refused != 0) {
            rig_tls_refuse(&tls);
            assert_false(end_handshake(&tls, &end));
        }
        end_close(&tls, &end);
        rig_tls_refuse(&tls);
    }
    connect_end(&end, "proxy.test");
    end_close(&tls, &end);
    rig_events(&tls.rig);
    assert_int_equal(tls.rig.n_events, 0);
    rig_tls_free(&tls);
}

TEST(a_device_that_does_not_know_the_ca_is_told_of)
{
    struct tls_end end;
    begin("visitors", false);
    open_end(&end, "proxy.test", false);
    assert_false(end_handshake(&tls, &end));
    assert_int_equal(tls.trust, PROXY_TRUST_REFUSED);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(once_a_school_says_so_passwords_are_taken_over_tls_only)
{
    char request[300];
    struct tls_end end;
    static const char *const lines[] = {"GET http://a.test:%O/ HTTP/1.1",
                                        "CONNECT a.test:443 HTTP/1.1"};
    begin("visitors", true);
    for (size_t i = 0; i < 2; i++) {
        snprintf(request, sizeof(request), "%s\r\nHost: a.test\r\n%s\r\n", lines[i], PAIR);
        int fd = rig_ask(&tls.rig, request);
        struct str page = rig_read(&tls.rig, fd, "</html>");
        assert_has(page, "HTTP/1.1 403 ");
        assert_has(page, "http://lodge.test/setup");
        assert_lacks(page, "Proxy-Authenticate");
        assert_int_equal(tls.rig.n_tickets, 0); /* auth was not asked */
        assert_int_equal(rig_last(&tls.rig)->reason, REASON_PLAIN_PASSWORD);
        assert_string_equal(rig_last(&tls.rig)->person, "");
        assert_true(rig_is_closed(&tls.rig, fd));
        close(fd);
    }
    connect_end(&end, "proxy.test");
    snprintf(request, sizeof(request),
             "GET http://games.test/ HTTP/1.1\r\nHost: games.test\r\n%s\r\n", PAIR);
    end_say(&tls, &end, request);
    assert_int_equal(tls.rig.n_tickets, 1);
    proxy_auth_answer(tls.rig.proxy, tls.rig.tickets[0], false);
    assert_has(end_read(&tls, &end, "</html>"), "Proxy-Authenticate: Basic");
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(without_credentials_the_plain_port_serves_as_ever)
{
    begin("visitors", true);
    int fd =
        rig_ask(&tls.rig, "GET http://lodge.test/proxy.pac HTTP/1.1\r\nHost: lodge.test\r\n\r\n");
    assert_has(rig_read(&tls.rig, fd, "PROXY proxy.test:3128\""),
               "return \"HTTPS proxy.test:3128; PROXY proxy.test:3128\"");
    close(fd);
    rig_tls_free(&tls);
}

TESTS_MAIN(unit(the_port_speaks_tls_and_inside_it_is_as_on_the_plain_one),
           unit(a_leaf_is_had_for_our_names_and_addresses_and_for_no_other),
           unit(a_hello_that_comes_byte_by_byte_is_a_hello),
           unit(a_tunnel_inside_carries_bytes_both_ways),
           unit(a_refused_site_shows_its_page_in_tls_in_tls),
           unit(what_begins_like_tls_and_is_none_is_a_bad_request),
           unit(only_the_first_bytes_of_a_connection_may_be_tls),
           unit(who_leaves_while_a_leaf_is_awaited_leaves_nothing_behind),
           unit(a_device_that_does_not_know_the_ca_is_told_of),
           unit(once_a_school_says_so_passwords_are_taken_over_tls_only),
           unit(without_credentials_the_plain_port_serves_as_ever))

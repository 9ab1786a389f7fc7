/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CONNECT answered by TLS of ours: when, with which leaf, what may be said inside. Where the origin
 * is needed see secure_test.c. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/proxy_tls.h"
#include "lib/test.h"

static const char STATE_P1[] =
    "{\"lodge_state\":1,\"people\":[{\"id\":\"p-1\",\"group\":\"staff\"}],\"devices\":[],"
    "\"sign_ins\":[],\"suspensions\":[],\"isolated\":[],\"grants\":[],\"filtering_off\":[],"
    "\"nominated\":[]}";

static const struct rig_event *last(struct rig_tls *tls)
{
    return rig_last(&tls->rig);
}

static size_t n_events(struct rig_tls *tls)
{
    rig_events(&tls->rig);
    return tls->rig.n_events;
}

TEST(T5_a_refused_tunnel_shows_its_page_inside)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "visitors");
    end_connect(&tls, &end, "games.test:443", "games.test");
    end_say(&tls, &end, "GET /play?x=1 HTTP/1.1\r\nHost: games.test\r\n\r\n");
    struct str page = end_read(&tls, &end, "</html>");
    assert_has(page, "HTTP/1.1 403 ");
    const struct rig_event *event = last(&tls);
    assert_int_equal(tls.rig.n_events, 1);
    assert_int_equal(event->kind, EVENT_REQUEST);
    assert_int_equal(event->action, ACTION_BLOCK);
    assert_string_equal(event->scheme, "https");
    assert_string_equal(event->host, "games.test");
    assert_string_equal(event->path, "/play");
    assert_true(event->inspected);
    /* The next on the same connection. */
    end_say(&tls, &end, "GET /again HTTP/1.1\r\nHost: games.test:443\r\n\r\n");
    assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
    assert_string_equal(last(&tls)->path, "/again");
    assert_false(rig_origin_comes(&tls.rig, &end.fd));
    end_close(&tls, &end);
    assert_int_equal(n_events(&tls), 2);
    rig_tls_free(&tls);
}

TEST(a_tunnel_that_is_open_and_not_inspected_stays_one)
{
    static const char *const groups[] = {"visitors", "pupils-ks2"};
    static const char *const hosts[] = {"a.test", "bank.test"};
    for (size_t i = 0; i < 2; i++) {
        struct rig_tls tls;
        struct tls_end end;
        char target[64];
        rig_tls_new(&tls, groups[i]);
        snprintf(target, sizeof(target), "%s:%%O", hosts[i]);
        end_open(&tls, &end, target, hosts[i], true);
        int origin = rig_origin(&tls.rig);
        assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
        assert_has(rig_read(&tls.rig, origin, hosts[i]), "\x16\x03\x01");
        assert_int_equal(tls.n_questions, 0);
        assert_int_equal(last(&tls)->kind, EVENT_OPEN);
        assert_string_equal(last(&tls)->scheme, "tunnel");
        close(origin);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(an_inspected_group_is_answered_before_anything_is_dialled)
{
    struct rig_tls tls;
    struct tls_end end;
    int origin = -1;
    rig_tls_new(&tls, "pupils-ks2");
    end_connect(&tls, &end, "a.test:%O", "a.test");
    assert_false(rig_origin_comes(&tls.rig, &origin));
    end_close(&tls, &end);
    assert_int_equal(n_events(&tls), 0); /* nothing was asked */
    assert_int_equal(tls.n_trusts, 0);   /* nor does it say that the device trusts us */
    for (int i = 0; i < 2; i++) {
        end_connect(&tls, &end, "a.test:%O", "a.test");
        assert_int_equal(tls.n_questions, 1); /* the leaf is remembered */
        end_say(&tls, &end, "GET / HTTP/1.1\r\nHost: a.test:%O\r\n\r\n");
        origin = rig_origin(&tls.rig);
        assert_int_equal(tls.trust, PROXY_TRUST_ACCEPTED);
        assert_int_equal(tls.n_trusts, 1); /* the second time is no news */
        close(origin);
        if (i == 0) {
            end_close(&tls, &end);
        }
    }
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(F20_both_names_are_decided_on_and_the_leaf_is_for_the_hellos)
{
    static const struct {
        const char *unknown, *target, *name, *host;
    } cases[] = {
        {"visitors", "a.test:%O", "games.test", "games.test:%O"},
        {"visitors", "games.test:%O", "a.test", "a.test:%O"},
        {"pupils-ks2", "a.test:%O", "games.test", "games.test:%O"},
        {"pupils-ks2", "games.test:%O", "a.test", "a.test:%O"},
        {"visitors", "127.0.0.1:%O", "a.test", "a.test:%O"}, /* a bare address */
        {"visitors", "127.0.0.1:%O", "127.0.0.1", "127.0.0.1:%O"},
        {"pupils-ks2", "a.test:%O", "127.0.0.1", "a.test:%O"}, /* no name */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig_tls tls;
        struct tls_end end;
        char request[200];
        rig_tls_new(&tls, cases[i].unknown);
        end_open(&tls, &end, cases[i].target, cases[i].name, true);
        bool named = i != 6; /* its leaf is for a.test, which the client did not ask for */
        assert_true(end_handshake(&tls, &end) == named);
        if (named) {
            snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
            end_say(&tls, &end, request);
            assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
            assert_int_equal(last(&tls)->action, ACTION_BLOCK);
        }
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

/* What is dialled then is the name and not the address: a hello that lies gains nothing. */
TEST(T5_what_was_asked_for_by_address_goes_back_to_a_tunnel_where_its_name_is_never_inspected)
{
    static const char *const targets[] = {"bank.test:%O", "127.0.0.1:%O", "127.0.0.2:%O"};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, "open");
        end_open(&tls, &end, targets[i], "bank.test", true);
        assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
        int origin = rig_origin(&tls.rig);
        assert_int_equal(rig_read(&tls.rig, origin, "bank.test").p[0], 0x16);
        rig_events(&tls.rig);
        assert_string_equal(last(&tls)->host, "bank.test");
        assert_false(last(&tls)->inspected);
        assert_int_equal(tls.n_questions, 0);
        close(origin);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(R109_bytes_that_are_no_tls_end_where_tls_is_due)
{
    static const char *const firsts[] = {"SSH-2.0-x\r\n", "GET / HTTP/1.1\r\n\r\n", "x"};
    static const char *const targets[] = {"a.test:%O", "games.test:443"};
    static const enum reason reasons[] = {REASON_TUNNEL_NOT_TLS, REASON_TABLE};
    for (size_t i = 0; i < 6; i++) {
        struct rig_tls tls;
        struct tls_end end;
        int origin = -1;
        rig_tls_new(&tls, "pupils-ks2");
        end_open(&tls, &end, targets[i % 2], "a.test", true);
        rig_say(&tls.rig, end.fd, firsts[i / 2]);
        assert_true(rig_is_closed(&tls.rig, end.fd));
        assert_false(rig_origin_comes(&tls.rig, &origin));
        assert_int_equal(last(&tls)->reason, reasons[i % 2]);
        assert_int_equal(last(&tls)->action, ACTION_BLOCK);
        assert_int_equal(last(&tls)->end, EVENT_END_POLICY);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(bytes_that_are_no_tls_pass_where_any_may)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "open");
    end_open(&tls, &end, "a.test:%O", "a.test", true);
    rig_say(&tls.rig, end.fd, "EHLO x\r\n");
    int origin = rig_origin(&tls.rig);
    assert_str_eq(rig_read(&tls.rig, origin, "\n"), STR("EHLO x\r\n"));
    rig_say(&tls.rig, origin, "250 x\r\n");
    assert_str_eq(rig_read(&tls.rig, end.fd, "\n"), STR("250 x\r\n"));
    close(origin);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(a_hello_may_come_in_any_pieces)
{
    for (size_t step = 1; step < 200; step += 37) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, "visitors");
        end_open(&tls, &end, "games.test:443", "games.test", true);
        end.step = step;
        assert_true(end_handshake(&tls, &end));
        end_say(&tls, &end, "GET / HTTP/1.1\r\nHost: games.test\r\n\r\n");
        assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(a_device_that_refuses_the_leaf_is_not_enrolled_until_it_is_said_to_be)
{
    struct rig_tls tls;
    struct tls_end end;
    struct addr addr = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    rig_tls_new(&tls, "pupils-ks2");
    end_open(&tls, &end, "a.test:%O", "a.test", false);
    assert_false(end_handshake(&tls, &end));
    assert_int_equal(tls.trust, PROXY_TRUST_REFUSED);
    assert_int_equal(last(&tls)->reason, REASON_TLS_REFUSED);
    assert_int_equal(last(&tls)->action, ACTION_BLOCK);
    assert_string_equal(last(&tls)->host, "a.test");
    end_close(&tls, &end);
    /* No page can be shown to it. */
    int client = rig_ask(&tls.rig, "CONNECT games.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(rig_read(&tls.rig, client, "</html>"), "HTTP/1.1 403 ");
    close(client);
    /* What is inspected is not tunnelled for it. */
    end_open(&tls, &end, "a.test:%O", "a.test", false);
    assert_false(end_handshake(&tls, &end));
    assert_int_equal(tls.n_trusts, 1); /* no news */
    end_close(&tls, &end);
    proxy_set_enrolled(tls.rig.proxy, &addr, true);
    end_connect(&tls, &end, "games.test:443", "games.test");
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(one_pinned_application_does_not_make_a_device_not_enrolled)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "pupils-ks2");
    for (int i = 0; i < 3; i++) {
        end_connect(&tls, &end, "games.test:443", "games.test");
        end_say(&tls, &end, "GET / HTTP/1.1\r\nHost: games.test\r\n\r\n");
        assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
        end_close(&tls, &end);
        end_open(&tls, &end, "b.test:%O", "b.test", false);
        assert_false(end_handshake(&tls, &end));
        assert_int_equal(tls.trust, PROXY_TRUST_REFUSED);
        end_close(&tls, &end);
    }
    end_connect(&tls, &end, "games.test:443", "games.test");
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

/* An allowed site is asked for something. */
static void visit(struct rig_tls *tls, struct tls_end *end)
{
    end_connect(tls, end, "a.test:%O", "a.test");
    end_say(tls, end, "GET / HTTP/1.1\r\nHost: a.test:%O\r\n\r\n");
    close(rig_origin(&tls->rig));
    end_close(tls, end);
}

TEST(what_is_known_of_a_device_already_is_no_news_to_be_told)
{
    struct rig_tls tls;
    struct tls_end end;
    struct addr addr = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    rig_tls_new(&tls, "pupils-ks2");
    for (int i = 0; i < 3; i++) {
        visit(&tls, &end);
        proxy_set_enrolled(tls.rig.proxy, &addr, true); /* the register answers each note */
    }
    assert_int_equal(tls.n_trusts, 1);
    proxy_set_enrolled(tls.rig.proxy, &addr, false);
    visit(&tls, &end);
    assert_int_equal(tls.n_trusts, 2);
    rig_tls_free(&tls);
}

TEST(F3_the_register_hears_nothing_of_a_host_with_a_sealed_URL)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "visitors");
    end_open(&tls, &end, "bad.test:%O", "bad.test", false);
    assert_false(end_handshake(&tls, &end));
    assert_int_equal(last(&tls)->reason, REASON_TLS_REFUSED);
    assert_int_equal(tls.n_trusts, 0);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

/* Asks, sees the leaf and goes without a word. */
static void leave(struct rig_tls *tls, bool sign)
{
    struct tls_end end;
    end_open(tls, &end, "a.test:%O", "a.test", true);
    assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
    rig_settle(&tls->rig);
    if (sign) {
        rig_tls_sign(tls);
    }
    assert_false(rig_is_quiet(&tls->rig, end.fd));
    shutdown(end.fd, SHUT_RDWR);
    rig_settle(&tls->rig);
    end_close(tls, &end);
}

TEST(closes_right_behind_the_certificate_are_a_refusal_from_the_second_on)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "pupils-ks2");
    leave(&tls, true);
    assert_int_equal(tls.n_trusts, 0);
    visit(&tls, &end);
    leave(&tls, false);
    assert_int_equal(tls.trust,
                     PROXY_TRUST_ACCEPTED); /* one page was closed between two that were read */
    leave(&tls, false);
    assert_int_equal(tls.trust, PROXY_TRUST_REFUSED);
    rig_tls_free(&tls);
}

TEST(a_request_inside_is_for_the_site_of_the_connection)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n", "HTTP/1.1 421 "},
        {"GET / HTTP/1.1\r\nHost: games.test:444\r\n\r\n", "HTTP/1.1 421 "},
        {"GET / HTTP/1.1\r\nHost: x.games.test\r\n\r\n", "HTTP/1.1 421 "},
        {"GET / HTTP/1.1\r\nHost: GAMES.test.:443\r\n\r\n", "HTTP/1.1 403 "},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET https://games.test/x HTTP/1.1\r\nHost: games.test\r\n\r\n", "HTTP/1.1 403 "},
        {"GET https://b.test/x HTTP/1.1\r\nHost: games.test\r\n\r\n", "HTTP/1.1 421 "},
        {"GET https://games.test/x HTTP/1.1\r\nHost: b.test\r\n\r\n", "HTTP/1.1 421 "},
        {"GET http://games.test/x HTTP/1.1\r\nHost: games.test\r\n\r\n", "HTTP/1.1 400 "},
        {"GET https://a@games.test/x HTTP/1.1\r\nHost: games.test\r\n\r\n", "HTTP/1.1 400 "},
        {"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 4"},
        {"TRACE / HTTP/1.1\r\nHost: games.test\r\n\r\n", "HTTP/1.1 405 "},
        {"OPTIONS * HTTP/1.1\r\nHost: games.test\r\n\r\n", "HTTP/1.1 403 "},
        {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 403 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, "visitors");
        end_connect(&tls, &end, "games.test:443", "games.test");
        end_say(&tls, &end, cases[i].request);
        assert_has(end_read(&tls, &end, "</html>"), cases[i].status);
        assert_int_equal(last(&tls)->action, ACTION_BLOCK);
        assert_string_equal(last(&tls)->host, "games.test");
        assert_string_equal(last(&tls)->scheme, "https");
        assert_int_equal(tls.rig.n_events, 1);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(the_gates_own_pages_are_there_over_https)
{
    static const char *const groups[] = {"visitors", "pupils-ks2"};
    for (size_t i = 0; i < 2; i++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, groups[i]);
        end_connect(&tls, &end, "lodge.test:443", "lodge.test");
        end_say(&tls, &end, "GET /proxy.pac HTTP/1.1\r\nHost: lodge.test\r\n\r\n");
        assert_has(end_read(&tls, &end, "}\n"), "HTTP/1.1 200 ");
        end_say(&tls, &end, "GET / HTTP/1.1\r\nHost: lodge.test\r\nConnection: close\r\n\r\n");
        assert_has(end_read(&tls, &end, ""), "</html>");
        assert_int_equal(end.trouble, TLS_TROUBLE_NONE); /* close_notify came */
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(the_check_s_style_is_there_over_https_only_and_says_that_the_device_trusts_us)
{
    static const char *const groups[] = {"visitors", "pupils-ks2"};
    for (size_t i = 0; i < 2; i++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, groups[i]);
        end_connect(&tls, &end, "check.lodge.test:443", "check.lodge.test");
        end_say(&tls, &end,
                "GET /check.css?1 HTTP/1.1\r\nHost: check.lodge.test\r\n"
                "Connection: close\r\n\r\n");
        struct str answer = end_read(&tls, &end, ".yes { display: flex; }");
        assert_has(answer, "HTTP/1.1 200 ");
        assert_has(answer, "Content-Type: text/css\r\n");
        assert_has(answer, "Cache-Control: no-store\r\n");
        assert_int_equal(tls.trust, PROXY_TRUST_CHECKED);
        end_close(&tls, &end);
        end_connect(&tls, &end, "lodge.test:443", "lodge.test");
        end_say(&tls, &end, "GET /ca.pem HTTP/1.1\r\nHost: lodge.test\r\n\r\n");
        assert_has(end_read(&tls, &end, "END CERTIFICATE"), "-----BEGIN CERTIFICATE-----\n");
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(a_sealed_url_is_refused_over_https_and_its_neighbours_are_not)
{
    static const char *const groups[] = {"visitors", "pupils-ks2", "staff"};
    static const char *const spellings[] = {"/sealed", "/%73ealed", "/x/../sealed", "/sealed?a=b"};
    for (size_t i = 0; i < 12; i++) {
        struct rig_tls tls;
        struct tls_end end;
        char request[200];
        rig_tls_new(&tls, groups[i % 3]);
        end_connect(&tls, &end, "bad.test:%O", "bad.test");
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: bad.test:%%O\r\n\r\n",
                 spellings[i / 3]);
        end_say(&tls, &end, request);
        assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
        assert_int_equal(last(&tls)->reason, REASON_SEALED);
        assert_true(last(&tls)->sealed);
        assert_string_equal(last(&tls)->path, "");
        end_say(&tls, &end, "GET /other HTTP/1.1\r\nHost: bad.test:%O\r\n\r\n");
        close(rig_origin(&tls.rig));
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

/* --- leaves
 * ------------------------------------------------------------------------------------------- */

TEST(the_notary_is_asked_once_however_many_wait)
{
    struct rig_tls tls;
    struct tls_end ends[5];
    rig_tls_new(&tls, "pupils-ks2");
    for (size_t i = 0; i < 5; i++) {
        end_open(&tls, &ends[i], "a.test:%O", "a.test", true);
        assert_int_equal(tls_handshake(ends[i].session), TLS_WANT_READ);
        rig_settle(&tls.rig);
    }
    assert_int_equal(tls.n_questions, 1);
    end_close(&tls, &ends[2]); /* tired of waiting */
    for (size_t i = 0; i < 5; i++) {
        if (i != 2) {
            assert_true(end_handshake(&tls, &ends[i]));
            end_close(&tls, &ends[i]);
        }
    }
    assert_int_equal(tls.n_questions, 1);
    rig_tls_free(&tls);
}

/* A CONNECT and hello from an address of the loopback; what came is not read. */
static int connect_from(struct rig_tls *tls, const char *from, const char *name)
{
    struct tls_end end = {0};
    struct host host;
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(tls->rig.port)};
    assert_int_equal(inet_pton(AF_INET, from, &own.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    (void)!connect(fd, (struct sockaddr *)&to, sizeof(to));
    rig_settle(&tls->rig);
    rig_say(&tls->rig, fd, "CONNECT a.test:%O HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_read(&tls->rig, fd, "\r\n\r\n");
    end.fd = fd;
    assert_ok(host_parse(str_from(name), &host));
    end_begin(tls, &end, &host, true);
    assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
    rig_settle(&tls->rig);
    tls_session_free(end.session);
    return fd;
}

TEST(who_makes_up_names_without_end_leaves_others_their_turn)
{
    enum { MANY = 40 };
    struct rig_tls tls;
    int fds[MANY + 3];
    char name[32];
    rig_tls_new(&tls, "pupils-ks2");
    for (size_t i = 0; i < MANY; i++) { /* alone: as a whole school behind one address */
        snprintf(name, sizeof(name), "n%zu.a.test", i);
        fds[i] = connect_from(&tls, "127.0.0.1", name);
    }
    assert_int_equal(tls.n_questions, MANY);
    fds[MANY] = connect_from(&tls, "127.0.0.2", "m.a.test");
    assert_int_equal(tls.n_questions, MANY + 1);
    fds[MANY + 1] = connect_from(&tls, "127.0.0.1", "one-more.a.test");
    assert_int_equal(tls.n_questions, MANY + 1);
    assert_true(rig_is_closed(&tls.rig, fds[MANY + 1]));
    fds[MANY + 2] = connect_from(&tls, "127.0.0.2", "m2.a.test");
    assert_int_equal(tls.n_questions, MANY + 2);
    for (size_t i = 0; i < MANY + 3; i++) {
        close(fds[i]);
    }
    rig_tls_free(&tls);
}

TEST(a_new_key_forgets_leaves_and_asks_again_for_those_who_wait)
{
    struct rig_tls tls;
    struct tls_end waits;
    struct tls_end end;
    rig_tls_new(&tls, "pupils-ks2");
    end_connect(&tls, &end, "a.test:%O", "a.test");
    end_close(&tls, &end);
    end_open(&tls, &waits, "b.test:%O", "b.test", true);
    assert_int_equal(tls_handshake(waits.session), TLS_WANT_READ);
    rig_settle(&tls.rig);
    assert_int_equal(tls.n_questions, 2);
    rig_tls_new_key(&tls);
    assert_int_equal(tls.n_questions, 3);
    assert_true(end_handshake(&tls, &waits));
    end_close(&tls, &waits);
    end_connect(&tls, &end, "a.test:%O", "a.test");
    assert_int_equal(tls.n_questions, 4);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(without_a_leaf_the_connection_ends_and_is_recorded)
{
    for (int busy = 0; busy < 2; busy++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, "pupils-ks2");
        tls.busy = busy != 0;
        end_open(&tls, &end, "a.test:%O", "a.test", true);
        assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
        rig_settle(&tls.rig);
        rig_tls_refuse(&tls);
        assert_true(rig_is_closed(&tls.rig, end.fd));
        assert_int_equal(last(&tls)->reason, REASON_DOUBT);
        assert_int_equal(last(&tls)->action, ACTION_BLOCK);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(before_there_is_a_key_tunnels_are_tunnels_and_sealed_hosts_are_closed)
{
    struct rig rig;
    rig_new(&rig);
    rig_set_unknown(&rig, "pupils-ks2");
    int client = rig_ask(&rig, "CONNECT bad.test:%O HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
    close(client);
    client = rig_ask(&rig, "CONNECT a.test:%O HTTP/1.1\r\nHost: x\r\n\r\n");
    close(rig_origin(&rig));
    close(client);
    rig_free(&rig);
}

TEST(proxies_may_end_while_clients_wait)
{
    for (int stage = 0; stage < 3; stage++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, "pupils-ks2");
        end_open(&tls, &end, "a.test:%O", "a.test", true);
        if (stage >= 1) {
            assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
            rig_settle(&tls.rig);
        }
        if (stage >= 2) {
            rig_tls_sign(&tls);
        }
        proxy_free(tls.rig.proxy);
        tls.rig.proxy = NULL;
        tls_session_free(end.session);
        close(end.fd);
        rig_tls_free(&tls);
    }
}

/* --- time
 * --------------------------------------------------------------------------------------------- */

TEST(who_never_says_hello_is_closed_in_time)
{
    static const char *const groups[] = {"pupils-ks2", "visitors"};
    static const char *const targets[] = {"a.test:%O", "games.test:443"};
    for (size_t i = 0; i < 4; i++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_prepare(&tls);
        tls.rig.options.hello_timeout_ms = 20;
        rig_tls_start(&tls, groups[i % 2]);
        end_open(&tls, &end, targets[i % 2], "a.test", true);
        if (i >= 2) { /* or not all of it */
            rig_say_bytes(&tls.rig, end.fd, STR("\x16\x03\x01\x02\x00\x01\x00"));
        }
        assert_true(rig_is_closed(&tls.rig, end.fd));
        assert_int_equal(last(&tls)->kind, EVENT_CLOSE);
        assert_int_equal(last(&tls)->end, EVENT_END_TIMEOUT);
        end_close(&tls, &end);
        rig_tls_free(&tls);
    }
}

TEST(who_does_not_go_on_with_the_handshake_is_closed_in_time)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_prepare(&tls);
    tls.rig.options.hello_timeout_ms = 20;
    rig_tls_start(&tls, "pupils-ks2");
    end_open(&tls, &end, "a.test:%O", "a.test", true);
    assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
    rig_settle(&tls.rig);
    rig_tls_sign(&tls);
    assert_true(rig_is_closed(&tls.rig, end.fd));
    assert_int_equal(last(&tls)->reason, REASON_TLS_FAILED);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(a_proxy_that_ends_answers_what_was_asked_and_says_that_this_is_all)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "visitors");
    end_connect(&tls, &end, "games.test:443", "games.test");
    end_say(&tls, &end, "GET / HTTP/1.1\r\nHost: games.t");
    proxy_drain(tls.rig.proxy);
    end_say(&tls, &end, "est\r\n\r\n");
    assert_has(end_read(&tls, &end, ""), "Connection: close");
    assert_has(buf_str(&tls.rig.got), "</html>");
    assert_int_equal(end.trouble, TLS_TROUBLE_NONE);
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(who_leaves_a_refused_site_at_any_stage_leaves_one_event)
{
    for (int stage = 0; stage < 5; stage++) {
        struct rig_tls tls;
        struct tls_end end;
        rig_tls_new(&tls, "visitors");
        end_open(&tls, &end, "games.test:443", "games.test", true);
        if (stage == 1) {
            rig_say_bytes(&tls.rig, end.fd, STR("\x16\x03\x01\x02\x00\x01\x00"));
        }
        if (stage >= 2) {
            assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
            rig_settle(&tls.rig);
        }
        if (stage >= 3) {
            rig_tls_sign(&tls);
        }
        if (stage >= 4) {
            assert_true(end_handshake(&tls, &end));
        }
        end_close(&tls, &end);
        rig_tls_sign(&tls); /* for nobody */
        rig_events(&tls.rig);
        assert_true(tls.rig.n_events != 0);
        for (size_t i = 0; i < tls.rig.n_events; i++) {
            assert_memory_equal(&tls.rig.events[i].id, &tls.rig.events[0].id,
                                sizeof(struct event_id));
            assert_int_equal(tls.rig.events[i].action, ACTION_BLOCK);
            assert_string_equal(tls.rig.events[i].host, "games.test");
        }
        rig_tls_free(&tls);
    }
}

TEST(what_is_decided_anew_holds_inside_at_once)
{
    struct rig_tls tls;
    struct tls_end end;
    rig_tls_new(&tls, "pupils-ks2");
    end_connect(&tls, &end, "a.test:%O", "a.test");
    /* Not inspected any more: the next is tunnelled. */
    rig_set_unknown(&tls.rig, "visitors");
    assert_true(rig_is_closed(&tls.rig, end.fd));
    end_close(&tls, &end);
    /* A tunnel, which is to be inspected, and whose names may not be known, waits for a leaf. */
    rig_set_unknown(&tls.rig, "pupils-ks2");
    end_connect(&tls, &end, "games.test:443", "games.test");
    rig_set_state(&tls.rig, STATE_P1);
    end_say(&tls, &end, "GET / HTTP/1.1\r\nHost: games.test\r\n\r\n");
    assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TEST(images_may_change_at_any_stage)
{
    for (int stage = 0; stage < 3; stage++) {
        for (int other = 0; other < 2; other++) {
            struct rig_tls tls;
            struct tls_end end;
            rig_tls_new(&tls, "pupils-ks2");
            end_open(&tls, &end, "games.test:443", "games.test", true);
            if (stage >= 1) {
                assert_int_equal(tls_handshake(end.session), TLS_WANT_READ);
                rig_settle(&tls.rig);
            }
            if (stage >= 2) {
                rig_tls_sign(&tls);
            }
            rig_set_unknown(&tls.rig, other != 0 ? "visitors" : "pupils-ks2");
            assert_true(end_handshake(&tls, &end));
            end_close(&tls, &end);
            assert_int_equal(n_events(&tls), 1); /* refused, though nothing was asked */
            assert_int_equal(last(&tls)->action, ACTION_BLOCK);
            rig_tls_free(&tls);
        }
    }
}

TEST(F1_who_the_connect_was_from_is_who_asks_inside)
{
    struct rig_tls tls;
    struct tls_end end = {0};
    struct host host;
    rig_tls_new(&tls, "visitors");
    rig_set_state(&tls.rig, STATE_P1);
    int client = rig_ask(&tls.rig, "CONNECT games.test:443 HTTP/1.1\r\nHost: x\r\n"
                                   "Proxy-Authorization: Basic cC0xOnNlY3JldA==\r\n\r\n");
    proxy_auth_answer(tls.rig.proxy, tls.rig.tickets[0], true);
    assert_has(rig_read(&tls.rig, client, "\r\n\r\n"), "HTTP/1.1 200 ");
    end.fd = client;
    assert_ok(host_parse(STR("games.test"), &host));
    end_begin(&tls, &end, &host, true);
    assert_true(end_handshake(&tls, &end));
    end_say(&tls, &end,
            "GET / HTTP/1.1\r\nHost: games.test\r\n"
            "Proxy-Authorization: Basic bm9ib2R5Onh4\r\n\r\n");
    assert_has(end_read(&tls, &end, "</html>"), "HTTP/1.1 403 ");
    assert_int_equal(tls.rig.n_tickets, 1);
    assert_string_equal(last(&tls)->person, "p-1");
    end_close(&tls, &end);
    rig_tls_free(&tls);
}

TESTS_MAIN(
    unit(T5_a_refused_tunnel_shows_its_page_inside),
    unit(a_tunnel_that_is_open_and_not_inspected_stays_one),
    unit(an_inspected_group_is_answered_before_anything_is_dialled),
    unit(F20_both_names_are_decided_on_and_the_leaf_is_for_the_hellos),
    unit(T5_what_was_asked_for_by_address_goes_back_to_a_tunnel_where_its_name_is_never_inspected),
    unit(R109_bytes_that_are_no_tls_end_where_tls_is_due),
    unit(bytes_that_are_no_tls_pass_where_any_may), unit(a_hello_may_come_in_any_pieces),
    unit(a_device_that_refuses_the_leaf_is_not_enrolled_until_it_is_said_to_be),
    unit(one_pinned_application_does_not_make_a_device_not_enrolled),
    unit(what_is_known_of_a_device_already_is_no_news_to_be_told),
    unit(F3_the_register_hears_nothing_of_a_host_with_a_sealed_URL),
    unit(closes_right_behind_the_certificate_are_a_refusal_from_the_second_on),
    unit(a_request_inside_is_for_the_site_of_the_connection),
    unit(the_gates_own_pages_are_there_over_https),
    unit(the_check_s_style_is_there_over_https_only_and_says_that_the_device_trusts_us),
    unit(a_sealed_url_is_refused_over_https_and_its_neighbours_are_not),
    unit(the_notary_is_asked_once_however_many_wait),
    unit(who_makes_up_names_without_end_leaves_others_their_turn),
    unit(a_new_key_forgets_leaves_and_asks_again_for_those_who_wait),
    unit(without_a_leaf_the_connection_ends_and_is_recorded),
    unit(before_there_is_a_key_tunnels_are_tunnels_and_sealed_hosts_are_closed),
    unit(proxies_may_end_while_clients_wait), unit(who_never_says_hello_is_closed_in_time),
    unit(who_does_not_go_on_with_the_handshake_is_closed_in_time),
    unit(a_proxy_that_ends_answers_what_was_asked_and_says_that_this_is_all),
    unit(who_leaves_a_refused_site_at_any_stage_leaves_one_event),
    unit(what_is_decided_anew_holds_inside_at_once), unit(images_may_change_at_any_stage),
    unit(F1_who_the_connect_was_from_is_who_asks_inside))

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Origins over TLS: who proves to be the site is asked, nobody else; what is kept for the next
 * request, and what is cut. The request is put into the proxy as an inspected connection would, so
 * that these tests know the origin's side only. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/proxy_rig.h"
#include "lib/test.h"
#include "proxy/proxy_impl.h"
#include "tls/authority.h"
#include "tls/server.h"

enum { TURNS = 400, DAY_MS = 24 * 3600 * 1000 };

static const char OK_5[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
static const char GET[] = "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n";

static const char ISOLATED[] =
    "{\"lodge_state\":1,\"people\":[],\"devices\":[{\"id\":\"d-1\",\"address\":\"127.0.0.1\"}],"
    "\"sign_ins\":[],\"suspensions\":[],\"isolated\":[{\"id\":\"i-1\",\"device\":\"d-1\","
    "\"until\":\"2049-01-01T00:00Z\"}],\"grants\":[],\"filtering_off\":[],\"nominated\":[]}";

/* --- a site
 * ------------------------------------------------------------------------------------------- */

/* What a site shows: a leaf, and the authority that signed it. */
struct proof {
    struct authority *authority;
    struct buf root; /* PEM */
    struct tls_key *key;
    struct tls_leaf *leaf;
    struct tls_server *server;
};

static int64_t now_ms(void)
{
    struct loop *loop = NULL;
    assert_ok(loop_new(&loop));
    int64_t now = loop_utc_ms(loop);
    loop_free(loop);
    return now;
}

/* A leaf for host, signed at a time of which now is so far away. */
static void proof_make(struct proof *proof, const char *host, int64_t ago_ms)
{
    static const uint8_t secret[TLS_TICKET_SECRET_BYTES] = {1};
    int64_t now = now_ms();
    struct buf key;
    struct buf chain;
    struct buf der;
    struct host name;
    const char *why = NULL;
    *proof = (struct proof){0};
    buf_init(&key, 65536);
    buf_init(&chain, 65536);
    buf_init(&der, 65536);
    buf_init(&proof->root, 65536);
    assert_ok(authority_make(STR("Test"), now - 600ll * DAY_MS, &key, &proof->root));
    assert_ok(authority_open(buf_str(&key), buf_str(&proof->root), now, &proof->authority, &why));
    assert_ok(authority_chain(proof->authority, &chain));
    assert_ok(tls_key_make(&proof->key));
    assert_ok(host_parse(str_from(host), &name));
    assert_ok(authority_sign(proof->authority, &name, proof->key, now - ago_ms, &der));
    assert_ok(tls_leaf_new(buf_str(&der), buf_str(&chain), proof->key, &proof->leaf));
    assert_ok(tls_server_new(&proof->server));
    tls_server_set_tickets(proof->server, secret);
    buf_fini(&key);
    buf_fini(&chain);
    buf_fini(&der);
}

static void proof_free(struct proof *proof)
{
    tls_server_free(proof->server);
    tls_leaf_free(proof->leaf);
    tls_key_free(proof->key);
    authority_free(proof->authority);
    buf_fini(&proof->root);
}

struct site {
    int fd;
    struct tls_session *session;
};

static int lower_receive(void *context, char *to, size_t room)
{
    ssize_t n = recv(*(const int *)context, to, room, 0);
    if (n >= 0) {
        return n > 0 ? (int)n : TLS_LOWER_END;
    }
    return errno == EAGAIN ? TLS_LOWER_AGAIN : TLS_LOWER_BROKEN;
}

static int lower_transmit(void *context, const char *bytes, size_t n)
{
    ssize_t sent = send(*(const int *)context, bytes, n, MSG_NOSIGNAL);
    if (sent >= 0) {
        return (int)sent;
    }
    return errno == EAGAIN ? TLS_LOWER_AGAIN : TLS_LOWER_BROKEN;
}

/* Takes the connection that came and does the handshake; true where it was completed. */
static bool site_accept(struct rig *rig, const struct proof *proof, struct site *site)
{
    site->fd = rig_origin(rig);
    const struct tls_lower lower = {&site->fd, lower_receive, lower_transmit};
    assert_ok(tls_accept(proof->server, proof->leaf, STR("a.test"), false, &lower, &site->session));
    for (int i = 0; i < TURNS; i++) {
        enum tls_result result = tls_handshake(site->session);
        if (result == TLS_DONE || result == TLS_BROKEN || result == TLS_END) {
            return result == TLS_DONE;
        }
        assert_ok(loop_turn(rig->loop, 1));
    }
    fail_msg("a handshake that never ends");
    return false;
}

/* Reads until a head is there; false: the connection ended before. */
static bool site_read(struct rig *rig, struct site *site)
{
    char bytes[16384];
    buf_clear(&rig->got);
    for (int i = 0; i < TURNS; i++) {
        size_t n = 0;
        enum tls_result result = tls_read(site->session, bytes, sizeof(bytes), &n);
        if (result == TLS_DONE) {
            buf_append(&rig->got, str_make(bytes, n));
            if (rig_has(buf_str(&rig->got), "\r\n\r\n")) {
                return true;
            }
        } else if (result == TLS_END || result == TLS_BROKEN) {
            return false;
        }
        assert_ok(loop_turn(rig->loop, 1));
    }
    fail_msg("no request came");
    return false;
}

static void site_say(struct rig *rig, struct site *site, const char *text)
{
    size_t n = 0;
    assert_int_equal(tls_write(site->session, str_from(text), &n), TLS_DONE);
    assert_int_equal(n, strlen(text));
    rig_settle(rig);
}

static void site_close(struct site *site)
{
    tls_session_free(site->session);
    close(site->fd);
}

/* --- the rig
 * ------------------------------------------------------------------------------------------- */

static void start(struct rig *rig, const struct proof *trusted)
{
    rig_prepare(rig);
    rig->extra_roots = buf_str(&trusted->root);
    rig_start(rig);
}

/* This request, over https, in the client that came last. */
static void ask(struct rig *rig, const char *text)
{
    struct proxy *proxy = rig->proxy;
    struct client *client = proxy->clients;
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_NONE;
    assert_ok(http1_parse_request(str_from(text), &proxy->head, &len, &fault));
    struct exchange *exchange = exchange_new(client);
    assert_non_null(exchange);
    struct url *url = &exchange->url;
    assert_ok(url_parse_target(proxy->head.target, &exchange->arena, url));
    assert_ok(host_parse(http1_find(&proxy->head, HTTP1_NAME_HOST)->value, &url->host));
    url->scheme = STR("https");
    url->port = rig->origin_port;
    exchange->known_url = true;
    exchange->method = proxy->head.method;
    exchange->method_len = (uint8_t)proxy->head.method_text.len;
    memcpy(exchange->method_text, proxy->head.method_text.p, exchange->method_len);
    exchange->repeatable = proxy->head.method == HTTP1_GET;
    http_body_init(&exchange->up, &proxy->head);
    assert_ok(forward_request(exchange, &proxy->head, proxy->head.target));
    request_go(client);
    rig_settle(rig);
}

/* A request, the handshake, and the request at the site. */
static void reach(struct rig *rig, const struct proof *proof, struct site *site)
{
    ask(rig, GET);
    assert_true(site_accept(rig, proof, site));
    assert_true(site_read(rig, site));
}

/* --- tests
 * --------------------------------------------------------------------------------------------- */

TEST(an_https_page_is_fetched_over_tls)
{
    struct rig rig;
    struct proof proof;
    struct site site;
    proof_make(&proof, "a.test", 0);
    start(&rig, &proof);
    int client = rig_client(&rig);
    ask(&rig, GET);
    int origin = rig_origin(&rig);
    char first = 0;
    assert_int_equal(recv(origin, &first, 1, MSG_PEEK), 1);
    assert_int_equal(first, 22); /* a TLS handshake, and no byte of the request */
    close(origin);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 502 ");
    reach(&rig, &proof, &site);
    assert_true(str_starts(buf_str(&rig.got), STR("GET /x HTTP/1.1\r\nHost: a.test:")));
    site_say(&rig, &site, OK_5);
    assert_has(rig_read(&rig, client, "hello"), "HTTP/1.1 200 OK\r\n");
    assert_int_equal(rig_last(&rig)->status, 200);
    assert_int_equal(rig_last(&rig)->action, ACTION_ALLOW);
    site_close(&site);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TEST(a_site_that_does_not_prove_to_be_itself_is_a_page_and_an_event)
{
    static const struct {
        const char *host;
        int64_t ago_days;
        bool trusted;
        const char *code;
        const char *words;
    } cases[] = {
        {"b.test", 0, true, "wrong-name", "certificate is for another name"},
        {"a.test", 500, true, "expired", "certificate has run out"},
        {"a.test", -30, true, "not-yet", "certificate does not hold yet"},
        {"a.test", 0, false, "untrusted", "comes from somebody this gate does not trust"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        struct proof proof;
        struct proof other;
        struct site site;
        proof_make(&proof, cases[i].host, cases[i].ago_days * DAY_MS);
        proof_make(&other, "a.test", 0);
        start(&rig, cases[i].trusted ? &proof : &other);
        int client = rig_client(&rig);
        ask(&rig, GET);
        /* TLS 1.3 may be over for the site before it hears what we think of its certificate. */
        bool done = site_accept(&rig, &proof, &site);
        assert_false(done && site_read(&rig, &site));
        struct str page = rig_read(&rig, client, "</html>");
        assert_true(str_starts(page, STR("HTTP/1.1 502 ")));
        assert_has(page, cases[i].words);
        const struct rig_event *event = rig_last(&rig);
        assert_int_equal(rig.n_events, 1);
        assert_int_equal(event->action, ACTION_BLOCK);
        assert_int_equal(event->reason, REASON_ORIGIN_CERTIFICATE);
        assert_string_equal(event->rule, cases[i].code);
        site_close(&site);
        close(client);
        rig_free(&rig);
        proof_free(&proof);
        proof_free(&other);
    }
}

TEST(what_does_not_speak_tls_is_a_page)
{
    struct rig rig;
    struct proof proof;
    proof_make(&proof, "a.test", 0);
    start(&rig, &proof);
    int client = rig_client(&rig);
    ask(&rig, GET);
    int origin = rig_origin(&rig);
    rig_say(&rig, origin, OK_5);
    struct str page = rig_read(&rig, client, "</html>");
    assert_has(page, "encryption could not be set up");
    assert_lacks(page, "hello");
    assert_int_equal(rig_last(&rig)->reason, REASON_ORIGIN_TLS);
    close(origin);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TEST(a_handshake_that_stands_still_ends_with_the_connects_time)
{
    struct rig rig;
    struct proof proof;
    proof_make(&proof, "a.test", 0);
    rig_prepare(&rig);
    rig.extra_roots = buf_str(&proof.root);
    rig.options.connect_timeout_ms = 30;
    rig_start(&rig);
    int client = rig_client(&rig);
    ask(&rig, GET);
    int origin = rig_origin(&rig);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 504 ");
    assert_true(rig_is_closed(&rig, origin));
    close(origin);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TEST(a_kept_tls_connection_serves_the_next_https_request_and_no_other)
{
    struct rig rig;
    struct proof proof;
    struct site site;
    int other = -1;
    proof_make(&proof, "a.test", 0);
    start(&rig, &proof);
    int client = rig_client(&rig);
    reach(&rig, &proof, &site);
    for (int i = 0; i < 3; i++) {
        site_say(&rig, &site, OK_5);
        rig_read(&rig, client, "hello");
        ask(&rig, GET);
        assert_true(site_read(&rig, &site));
    }
    site_say(&rig, &site, OK_5);
    rig_read(&rig, client, "hello");
    assert_false(rig_origin_comes(&rig, &other));
    rig_say(&rig, client, "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n");
    other = rig_origin(&rig); /* in the clear, on a connection of its own */
    assert_has(rig_read(&rig, other, "\r\n\r\n"), "GET / HTTP/1.1\r\n");
    rig_say(&rig, other, OK_5);
    rig_read(&rig, client, "hello");
    ask(&rig, GET);
    assert_true(site_read(&rig, &site)); /* and never the other way round */
    assert_true(rig_is_quiet(&rig, other));
    site_close(&site);
    close(other);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TEST(a_kept_tls_connection_that_ends_is_not_used)
{
    struct rig rig;
    struct proof proof;
    struct site site;
    proof_make(&proof, "a.test", 0);
    start(&rig, &proof);
    int client = rig_client(&rig);
    reach(&rig, &proof, &site);
    site_say(&rig, &site, OK_5);
    rig_read(&rig, client, "hello");
    tls_shut(site.session); /* close_notify without a FIN */
    rig_settle(&rig);
    int old = site.fd;
    tls_session_free(site.session);
    reach(&rig, &proof, &site);
    site_say(&rig, &site, OK_5);
    assert_has(rig_read(&rig, client, "hello"), "HTTP/1.1 200 ");
    assert_true(tls_is_resumed(site.session));
    site_close(&site);
    close(old);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TEST(a_kept_tls_connection_that_proves_closed_is_replaced_once)
{
    struct rig rig;
    struct proof proof;
    struct site site;
    proof_make(&proof, "a.test", 0);
    start(&rig, &proof);
    int client = rig_client(&rig);
    reach(&rig, &proof, &site);
    site_say(&rig, &site, OK_5);
    rig_read(&rig, client, "hello");
    ask(&rig, GET);
    assert_true(site_read(&rig, &site));
    site_close(&site); /* with the second request in hand, and not a word said */
    assert_true(site_accept(&rig, &proof, &site));
    assert_true(site_read(&rig, &site));
    site_say(&rig, &site, OK_5);
    assert_has(rig_read(&rig, client, "hello"), "HTTP/1.1 200 ");
    rig_events(&rig);
    assert_int_equal(rig.n_events, 2);
    site_close(&site);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TEST(a_body_that_ends_with_the_connection_is_whole_only_where_tls_says_so)
{
    for (int whole = 0; whole < 2; whole++) {
        struct rig rig;
        struct proof proof;
        struct site site;
        proof_make(&proof, "a.test", 0);
        start(&rig, &proof);
        int client = rig_client(&rig);
        reach(&rig, &proof, &site);
        site_say(&rig, &site, "HTTP/1.1 200 OK\r\n\r\nall of it");
        rig_read(&rig, client, "all of it");
        if (whole) {
            tls_shut(site.session);
        }
        site_close(&site);
        rig_settle(&rig);
        char byte;
        ssize_t n = recv(client, &byte, 1, 0);
        /* A plain end would tell the client that this was all. */
        assert_int_equal(n, whole ? 0 : -1);
        assert_true(whole || errno == ECONNRESET);
        assert_int_equal(rig_last(&rig)->end, whole ? EVENT_END_DONE : EVENT_END_ORIGIN);
        close(client);
        rig_free(&rig);
        proof_free(&proof);
    }
}

TEST(a_request_refused_later_ends_its_handshake)
{
    struct rig rig;
    struct proof proof;
    proof_make(&proof, "a.test", 0);
    start(&rig, &proof);
    int client = rig_client(&rig);
    ask(&rig, GET);
    int origin = rig_origin(&rig);
    rig_set_state(&rig, ISOLATED);
    assert_has(rig_read(&rig, client, "</html>"), "HTTP/1.1 403 ");
    assert_true(rig_is_closed(&rig, origin));
    close(origin);
    close(client);
    rig_free(&rig);
    proof_free(&proof);
}

TESTS_MAIN(unit(an_https_page_is_fetched_over_tls),
           unit(a_site_that_does_not_prove_to_be_itself_is_a_page_and_an_event),
           unit(what_does_not_speak_tls_is_a_page),
           unit(a_handshake_that_stands_still_ends_with_the_connects_time),
           unit(a_kept_tls_connection_serves_the_next_https_request_and_no_other),
           unit(a_kept_tls_connection_that_ends_is_not_used),
           unit(a_kept_tls_connection_that_proves_closed_is_replaced_once),
           unit(a_body_that_ends_with_the_connection_is_whole_only_where_tls_says_so),
           unit(a_request_refused_later_ends_its_handshake))

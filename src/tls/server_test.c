/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/server.h"

#include "lib/test.h"
#include "lib/tls_forge.h"
#include "lib/tls_rig.h"
#include "tls/key_impl.h"
#include "tls/session_impl.h"

struct fixture {
    struct tls_rig rig;
    struct tls_leaf *leaf;
    struct tls_pair pair;
};

static void start(struct fixture *f, bool h2)
{
    tls_rig_init(&f->rig);
    f->leaf = tls_rig_leaf(&f->rig, "a.example");
    tls_pair_init(&f->pair, &f->rig, f->leaf, "a.example", "a.example", h2);
}

static void again(struct fixture *f, const char *host)
{
    tls_pair_fini(&f->pair);
    tls_pair_init(&f->pair, &f->rig, f->leaf, host, "a.example", false);
}

static void stop(struct fixture *f)
{
    tls_pair_fini(&f->pair);
    tls_leaf_free(f->leaf);
    tls_rig_fini(&f->rig);
}

/* A connection as far as its ticket. */
static bool is_resumed(struct fixture *f, const char *host)
{
    again(f, host);
    tls_pair_join(&f->pair);
    assert_int_equal(tls_peek(f->pair.client), TLS_WANT_READ);
    return tls_is_resumed(f->pair.server);
}

/* --- protocols
 * ----------------------------------------------------------------------------------- */

TEST(a_protocol_is_agreed_on_or_the_session_ends)
{
    static const struct {
        const char *offered;
        bool h2;
        enum tls_alpn alpn;
        enum tls_result result;
    } CASES[] = {
        {"\x02h2\x08http/1.1", true, TLS_ALPN_H2, TLS_DONE},
        {"\x08http/1.1\x02h2", true, TLS_ALPN_H2, TLS_DONE},
        {"\x02h2\x08http/1.1", false, TLS_ALPN_HTTP_1_1, TLS_DONE},
        {"\x08http/1.1", true, TLS_ALPN_HTTP_1_1, TLS_DONE},
        {"\x08http/1.0\x08http/1.1", true, TLS_ALPN_HTTP_1_1, TLS_DONE},
        {"", true, TLS_ALPN_NONE, TLS_DONE},
        {"\x02h2", false, TLS_ALPN_NONE, TLS_BROKEN},
        {"\x0a"
         "acme-tls/1",
         true, TLS_ALPN_NONE, TLS_BROKEN},
    };
    struct fixture f;
    start(&f, true);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        enum tls_result server;
        enum tls_result client;
        again(&f, "a.example");
        f.pair.server->offer_h2 = CASES[i].h2;
        SSL_set_alpn_protos(f.pair.client->ssl, (const unsigned char *)CASES[i].offered,
                            (unsigned)strlen(CASES[i].offered));
        tls_pair_shake(&f.pair, &server, &client);
        assert_int_equal(server, CASES[i].result);
        assert_int_equal(client, CASES[i].result);
        assert_int_equal(tls_alpn(f.pair.server), CASES[i].alpn);
        assert_int_equal(tls_alpn(f.pair.client), CASES[i].alpn);
    }
    stop(&f);
}

TEST(F10_nothing_older_than_TLS_1_2_and_no_weak_cipher_is_spoken)
{
    static const struct {
        int version;
        const char *ciphers;
        bool works;
    } CASES[] = {
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", false}, /* CBC */
        {TLS1_2_VERSION, "AES128-GCM-SHA256", false},         /* no forward secrecy */
        {TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256", false},
        {TLS1_1_VERSION, "ALL", false},
        {TLS1_VERSION, "ALL", false},
    };
    struct fixture f;
    start(&f, false);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        enum tls_result server;
        enum tls_result client;
        tls_client_forget(f.rig.client);
        again(&f, "a.example");
        SSL_set_security_level(f.pair.client->ssl, 0);
        SSL_set_min_proto_version(f.pair.client->ssl, TLS1_VERSION);
        SSL_set_max_proto_version(f.pair.client->ssl, CASES[i].version);
        assert_int_equal(SSL_set_cipher_list(f.pair.client->ssl, CASES[i].ciphers), 1);
        tls_pair_shake(&f.pair, &server, &client);
        assert_int_equal(server, CASES[i].works ? TLS_DONE : TLS_BROKEN);
        assert_int_equal(client, CASES[i].works ? TLS_DONE : TLS_BROKEN);
    }
    stop(&f);
}

/* --- tickets
 * ------------------------------------------------------------------------------------- */

TEST(a_ticket_of_one_host_resumes_no_other)
{
    struct fixture f;
    start(&f, false);
    assert_false(is_resumed(&f, "a.example"));
    assert_true(is_resumed(&f, "a.example"));
    assert_false(is_resumed(&f, "b.example")); /* the client takes it for a.example still */
    assert_true(is_resumed(&f, "b.example"));
    assert_false(is_resumed(&f, "a.example"));
    stop(&f);
}

TEST(a_ticket_holds_under_its_secret_and_the_next_and_no_longer)
{
    static const uint8_t SECRETS[3][TLS_TICKET_SECRET_BYTES] = {{1, 2}, {3, 4}, {5, 6}};
    struct fixture f;
    start(&f, false);
    tls_server_set_tickets(f.rig.server, SECRETS[0]);
    assert_false(is_resumed(&f, "a.example"));
    tls_server_set_tickets(f.rig.server, SECRETS[1]);
    tls_server_set_tickets(f.rig.server, SECRETS[1]); /* told twice */
    assert_true(is_resumed(&f, "a.example"));         /* ... and has a new ticket now */
    tls_server_set_tickets(f.rig.server, SECRETS[2]);
    assert_true(is_resumed(&f, "a.example"));
    tls_server_set_tickets(f.rig.server, SECRETS[0]);
    tls_server_set_tickets(f.rig.server, SECRETS[1]);
    assert_false(is_resumed(&f, "a.example"));
    stop(&f);
}

TEST(TLS_1_2_gets_a_new_ticket_once_the_secret_has_changed)
{
    static const uint8_t SECRETS[3][TLS_TICKET_SECRET_BYTES] = {{1, 2}, {3, 4}, {5, 6}};
    struct fixture f;
    SSL_SESSION *last = NULL;
    start(&f, false);
    for (size_t i = 0; i < 3; i++) {
        tls_server_set_tickets(f.rig.server, SECRETS[i]);
        again(&f, "a.example");
        SSL_set_max_proto_version(f.pair.client->ssl, TLS1_2_VERSION);
        SSL_set_session(f.pair.client->ssl, last);
        tls_pair_join(&f.pair);
        assert_int_equal(tls_is_resumed(f.pair.server), i > 0);
        SSL_SESSION_free(last);
        last = SSL_get1_session(f.pair.client->ssl);
    }
    SSL_SESSION_free(last);
    stop(&f);
}

TEST(workers_that_share_a_secret_take_each_others_tickets)
{
    static const uint8_t SECRET[TLS_TICKET_SECRET_BYTES] = {9, 9, 9};
    struct fixture f;
    struct tls_server *workers[2] = {NULL, NULL};
    start(&f, false);
    workers[0] = f.rig.server;
    assert_ok(tls_server_new(&workers[1]));
    assert_false(is_resumed(&f, "a.example"));
    f.rig.server = workers[1];
    assert_false(is_resumed(&f, "a.example"));
    for (size_t i = 0; i < 2; i++) {
        tls_server_set_tickets(workers[i], SECRET);
    }
    assert_true(is_resumed(&f, "a.example")); /* by its secret before */
    f.rig.server = workers[0];
    assert_true(is_resumed(&f, "a.example"));
    f.rig.server = workers[1];
    assert_true(is_resumed(&f, "a.example"));
    f.rig.server = workers[0];
    again(&f, "a.example");
    tls_server_free(workers[1]);
    stop(&f);
}

TEST(one_ticket_is_made_for_a_connection_and_no_early_data_is_offered)
{
    struct fixture f;
    start(&f, false);
    tls_pair_join(&f.pair);
    assert_int_equal(SSL_get_num_tickets(f.pair.server->ssl), 1);
    assert_int_equal(tls_peek(f.pair.client), TLS_WANT_READ);
    assert_int_equal(SSL_SESSION_get_max_early_data(SSL_get0_session(f.pair.client->ssl)), 0);
    stop(&f);
}

/* --- who does not accept the gate's certificate
 * -------------------------------------------------- */

/* A client that says this alert for any certificate; 0: just goes. */
static int alert_to_say;

static int say_alert(X509_STORE_CTX *store, void *context)
{
    (void)context;
    X509_STORE_CTX_set_error(store, alert_to_say);
    return 0;
}

TEST(R109_a_device_that_refuses_the_certificate_says_so_by_an_alert)
{
    /* OpenSSL makes the alert from the error of a verification. */
    static const struct {
        int error;
        enum tls_trouble trouble;
    } CASES[] = {
        {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TLS_TROUBLE_REFUSED}, /* unknown_ca */
        {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TLS_TROUBLE_REFUSED},
        {X509_V_ERR_CERT_HAS_EXPIRED, TLS_TROUBLE_REFUSED},       /* certificate_expired */
        {X509_V_ERR_CERT_REVOKED, TLS_TROUBLE_REFUSED},           /* certificate_revoked */
        {X509_V_ERR_HOSTNAME_MISMATCH, TLS_TROUBLE_REFUSED},      /* bad_certificate */
        {X509_V_ERR_INVALID_PURPOSE, TLS_TROUBLE_REFUSED},        /* unsupported_certificate */
        {X509_V_ERR_APPLICATION_VERIFICATION, TLS_TROUBLE_ALERT}, /* handshake_failure */
        {X509_V_ERR_OUT_OF_MEM, TLS_TROUBLE_ALERT},               /* internal_error */
    };
    static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture f;
    start(&f, false);
    SSL_CTX_set_cert_verify_callback(SSL_get_SSL_CTX(f.pair.client->ssl), say_alert, NULL);
    for (size_t i = 0; i < 2 * sizeof(CASES) / sizeof(CASES[0]); i++) {
        enum tls_result server;
        enum tls_result client;
        alert_to_say = CASES[i / 2].error;
        again(&f, "a.example");
        SSL_set_max_proto_version(f.pair.client->ssl, VERSIONS[i % 2]);
        tls_pair_shake(&f.pair, &server, &client);
        assert_int_equal(server, TLS_BROKEN);
        assert_int_equal(tls_trouble(f.pair.server), CASES[i / 2].trouble);
    }
    stop(&f);
}

TEST(R109_a_device_that_goes_right_after_the_certificate_refuses_it)
{
    static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    static const struct str CLOSE_NOTIFY = STR_INIT("\x15\x03\x03\x00\x02\x01\x00");
    struct fixture f;
    start(&f, false);
    for (size_t i = 0; i < 4; i++) {
        again(&f, "a.example");
        SSL_set_max_proto_version(f.pair.client->ssl, VERSIONS[i]);
        assert_int_equal(tls_handshake(f.pair.client), TLS_WANT_READ);
        assert_int_equal(tls_handshake(f.pair.server), TLS_WANT_READ);
        if (i >= 2) { /* politely */
            memcpy(f.pair.up->bytes, CLOSE_NOTIFY.p, CLOSE_NOTIFY.len);
            f.pair.up->to = CLOSE_NOTIFY.len;
        }
        f.pair.up->ended = true;
        assert_int_equal(tls_handshake(f.pair.server), TLS_BROKEN);
        assert_int_equal(tls_trouble(f.pair.server), TLS_TROUBLE_LEFT);
    }
    stop(&f);
}

TEST(who_resumes_and_goes_has_not_refused_the_certificate)
{
    static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture f;
    start(&f, false);
    for (size_t i = 0; i < 2; i++) {
        tls_client_forget(f.rig.client);
        for (int round = 0; round < 2; round++) {
            again(&f, "a.example");
            SSL_set_max_proto_version(f.pair.client->ssl, VERSIONS[i]);
            if (round == 0) {
                tls_pair_join(&f.pair);
                assert_int_equal(tls_peek(f.pair.client), TLS_WANT_READ);
            }
        }
        assert_int_equal(tls_handshake(f.pair.client), TLS_WANT_READ);
        assert_int_equal(tls_handshake(f.pair.server), TLS_WANT_READ);
        f.pair.up->ended = true;
        assert_int_equal(tls_handshake(f.pair.server), TLS_BROKEN);
        assert_int_equal(tls_trouble(f.pair.server), TLS_TROUBLE_TRUNCATED);
    }
    stop(&f);
}

/* --- leaves
 * -------------------------------------------------------------------------------------- */

TEST(a_leaf_and_its_key_and_chain_belong_together)
{
    struct tls_rig rig;
    struct tls_rig other;
    struct tls_leaf *leaf = NULL;
    struct buf der;
    struct host host = tls_rig_host("a.example");
    tls_rig_init(&rig);
    tls_rig_init(&other);
    struct forged stranger = forge(&(struct forge){.ca = true, .common_name = "Stranger"}, NULL);
    struct buf stranger_der;
    buf_init(&stranger_der, 4096);
    forged_der(&stranger, &stranger_der);
    buf_init(&der, 4096);
    assert_ok(authority_sign(rig.authority, &host, rig.key, rig.now_ms, &der));
    struct str good = buf_str(&der);
    const struct {
        struct str der, chain;
        const struct tls_key *key;
        enum err err;
    } cases[] = {
        {good, buf_str(&rig.chain), rig.key, ERR_OK},
        {good, STR(""), rig.key, ERR_OK},
        {good, buf_str(&rig.chain), other.key, ERR_INVALID},
        {good, buf_str(&stranger_der), rig.key, ERR_INVALID},
        {good, STR("junk"), rig.key, ERR_INVALID},
        {STR(""), buf_str(&rig.chain), rig.key, ERR_INVALID},
        {STR("junk"), buf_str(&rig.chain), rig.key, ERR_INVALID},
        {str_sub(good, 0, good.len - 1), buf_str(&rig.chain), rig.key, ERR_INVALID},
        {buf_str(&rig.chain), buf_str(&rig.chain), rig.key, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_err(tls_leaf_new(cases[i].der, cases[i].chain, cases[i].key, &leaf), cases[i].err);
        if (cases[i].err == ERR_OK) {
            int64_t days = (tls_leaf_until_ms(leaf) - rig.now_ms) / (24 * 3600 * 1000);
            assert_int_equal(days, 88);
            tls_leaf_free(leaf);
        }
    }
    buf_fini(&der);
    buf_fini(&stranger_der);
    forged_free(&stranger);
    tls_rig_fini(&rig);
    tls_rig_fini(&other);
}

TEST(a_session_goes_on_where_its_leaf_was_given_up)
{
    struct fixture f;
    start(&f, false);
    tls_leaf_free(f.leaf);
    f.leaf = NULL;
    tls_pair_join(&f.pair);
    stop(&f);
}

/* The CA itself is on the device, and each byte of it would be sent in each handshake. */
TEST(a_root_is_not_sent)
{
    struct fixture f;
    start(&f, false);
    tls_pair_join(&f.pair);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(f.pair.client->ssl)), 1);
    stop(&f);
}

TESTS_MAIN(unit(a_protocol_is_agreed_on_or_the_session_ends),
           unit(F10_nothing_older_than_TLS_1_2_and_no_weak_cipher_is_spoken),
           unit(a_ticket_of_one_host_resumes_no_other),
           unit(a_ticket_holds_under_its_secret_and_the_next_and_no_longer),
           unit(TLS_1_2_gets_a_new_ticket_once_the_secret_has_changed),
           unit(workers_that_share_a_secret_take_each_others_tickets),
           unit(one_ticket_is_made_for_a_connection_and_no_early_data_is_offered),
           unit(R109_a_device_that_refuses_the_certificate_says_so_by_an_alert),
           unit(R109_a_device_that_goes_right_after_the_certificate_refuses_it),
           unit(who_resumes_and_goes_has_not_refused_the_certificate),
           unit(a_leaf_and_its_key_and_chain_belong_together),
           unit(a_session_goes_on_where_its_leaf_was_given_up), unit(a_root_is_not_sent))

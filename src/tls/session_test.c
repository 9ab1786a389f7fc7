/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/session.h"

#include "lib/test.h"
#include "lib/tls_rig.h"
#include "tls/session_impl.h"

struct fixture {
    struct tls_rig rig;
    struct tls_leaf *leaf;
    struct tls_pair pair;
};

static void start(struct fixture *fixture)
{
    tls_rig_init(&fixture->rig);
    fixture->leaf = tls_rig_leaf(&fixture->rig, "a.example");
    tls_pair_init(&fixture->pair, &fixture->rig, fixture->leaf, "a.example", "a.example", false);
}

static void again(struct fixture *fixture)
{
    tls_pair_fini(&fixture->pair);
    tls_pair_init(&fixture->pair, &fixture->rig, fixture->leaf, "a.example", "a.example", false);
}

static void stop(struct fixture *fixture)
{
    tls_pair_fini(&fixture->pair);
    tls_leaf_free(fixture->leaf);
    tls_rig_fini(&fixture->rig);
}

/* Text from one to the other, in as many calls as it takes. */
static void say(struct tls_session *from, struct tls_session *to, struct str text)
{
    char got[64];
    size_t sent = 0;
    size_t n = 0;
    size_t have = 0;
    for (int i = 0; i < 10000 && have < text.len; i++) {
        if (sent < text.len && tls_write(from, str_skip(text, sent), &n) == TLS_DONE) {
            sent += n;
        }
        if (tls_read(to, got + have, sizeof(got) - have, &n) == TLS_DONE) {
            have += n;
        }
    }
    assert_str_eq(str_make(got, have), text);
}

TEST(both_versions_work_however_little_comes_at_once)
{
    static const struct {
        int version;
        size_t chunk;
        size_t room;
    } CASES[] = {
        {TLS1_2_VERSION, 0, 0}, {TLS1_3_VERSION, 0, 0},  {TLS1_2_VERSION, 1, 0},
        {TLS1_3_VERSION, 1, 0}, {TLS1_2_VERSION, 7, 11}, {TLS1_3_VERSION, 7, 11},
        {TLS1_2_VERSION, 1, 1}, {TLS1_3_VERSION, 1, 1},
    };
    struct fixture f;
    char words[64];
    start(&f);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        tls_client_forget(f.rig.client);
        again(&f);
        f.pair.up->chunk = f.pair.down->chunk = CASES[i].chunk;
        f.pair.up->room = f.pair.down->room = CASES[i].room;
        SSL_set_max_proto_version(f.pair.client->ssl, CASES[i].version);
        tls_pair_join(&f.pair);
        assert_true(tls_is_established(f.pair.server));
        assert_false(tls_is_resumed(f.pair.client));
        assert_true(str_starts(str_from(tls_describe(f.pair.client, words, sizeof(words))),
                               CASES[i].version == TLS1_3_VERSION ? STR("TLS 1.3, TLS_")
                                                                  : STR("TLS 1.2, ECDHE-ECDSA-")));
        assert_false(tls_has_heard(f.pair.server));
        say(f.pair.client, f.pair.server, STR("GET / HTTP/1.1"));
        assert_true(tls_has_heard(f.pair.server));
        say(f.pair.server, f.pair.client, STR("HTTP/1.1 200 OK"));
    }
    stop(&f);
}

TEST(a_session_is_resumed_in_both_versions)
{
    static const int VERSIONS[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    struct fixture f;
    start(&f);
    for (size_t i = 0; i < 2; i++) {
        tls_client_forget(f.rig.client);
        for (int round = 0; round < 3; round++) {
            again(&f);
            SSL_set_max_proto_version(f.pair.client->ssl, VERSIONS[i]);
            tls_pair_join(&f.pair);
            assert_int_equal(tls_is_resumed(f.pair.server), round > 0);
            assert_int_equal(tls_is_resumed(f.pair.client), round > 0);
            say(f.pair.server, f.pair.client, STR("with it comes the ticket"));
        }
    }
    stop(&f);
}

/* --- ends
 * ---------------------------------------------------------------------------------------- */

TEST(a_close_notify_is_an_end_and_leaves_the_other_way_open)
{
    static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct fixture f;
    start(&f);
    for (size_t i = 0; i < 2; i++) {
        char got[8];
        size_t n = 0;
        tls_client_forget(f.rig.client);
        again(&f);
        SSL_set_max_proto_version(f.pair.client->ssl, VERSIONS[i]);
        tls_pair_join(&f.pair);
        f.pair.up->room = 1;
        f.pair.up->to = 1;
        assert_int_equal(tls_shut(f.pair.client), TLS_WANT_WRITE);
        assert_int_equal(tls_shut(f.pair.client), TLS_WANT_WRITE);
        f.pair.up->room = f.pair.up->to = 0;
        assert_int_equal(tls_shut(f.pair.client), TLS_DONE);
        assert_int_equal(tls_shut(f.pair.client), TLS_DONE);
        f.pair.up->ended = true;
        assert_int_equal(tls_read(f.pair.server, got, sizeof(got), &n), TLS_END);
        assert_int_equal(tls_read(f.pair.server, got, sizeof(got), &n), TLS_END);
        assert_int_equal(tls_write(f.pair.client, STR("x"), &n), TLS_BROKEN);
        say(f.pair.server, f.pair.client, STR("the answer"));
        assert_int_equal(tls_trouble(f.pair.server), TLS_TROUBLE_NONE);
    }
    stop(&f);
}

TEST(an_end_without_close_notify_is_a_truncation)
{
    struct fixture f;
    char got[64];
    size_t n = 0;
    start(&f);
    tls_pair_join(&f.pair);
    assert_int_equal(tls_write(f.pair.server, STR("half of it"), &n), TLS_DONE);
    f.pair.down->ended = true;
    assert_int_equal(tls_read(f.pair.client, got, sizeof(got), &n), TLS_DONE);
    assert_str_eq(str_make(got, n), STR("half of it"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tls_read(f.pair.client, got, sizeof(got), &n), TLS_BROKEN);
        assert_int_equal(tls_trouble(f.pair.client), TLS_TROUBLE_TRUNCATED);
    }
    again(&f);
    tls_pair_join(&f.pair);
    assert_true(tls_is_resumed(f.pair.client)); /* the kept session did not suffer */
    stop(&f);
}

TEST(a_record_that_was_changed_on_its_way_breaks_the_session)
{
    struct fixture f;
    char got[64];
    size_t n = 0;
    start(&f);
    tls_pair_join(&f.pair);
    say(f.pair.server, f.pair.client, STR("first"));
    assert_int_equal(tls_write(f.pair.server, STR("pay 10 pounds"), &n), TLS_DONE);
    f.pair.down->bytes[f.pair.down->to - 20] ^= 1;
    assert_int_equal(tls_read(f.pair.client, got, sizeof(got), &n), TLS_BROKEN);
    assert_int_equal(tls_trouble(f.pair.client), TLS_TROUBLE_PROTOCOL);
    assert_int_equal(tls_read(f.pair.server, got, sizeof(got), &n), TLS_BROKEN);
    assert_int_equal(tls_trouble(f.pair.server), TLS_TROUBLE_ALERT);
    stop(&f);
}

TEST(what_is_no_TLS_is_a_protocol_trouble)
{
    static const struct str SAID[] = {
        STR_INIT("GET / HTTP/1.1\r\n\r\n"),
        STR_INIT("SSH-2.0-OpenSSH_9.2\r\n"),
        STR_INIT("\x17\x03\x03\x00\x02zz"),
        STR_INIT("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\x00\x00\x00"),
    };
    struct fixture f;
    start(&f);
    for (size_t i = 0; i < sizeof(SAID) / sizeof(SAID[0]); i++) {
        again(&f);
        memcpy(f.pair.up->bytes, SAID[i].p, SAID[i].len);
        f.pair.up->to = SAID[i].len;
        f.pair.up->ended = true;
        assert_int_equal(tls_handshake(f.pair.server), TLS_BROKEN);
        assert_int_equal(tls_trouble(f.pair.server), TLS_TROUBLE_PROTOCOL);
        assert_int_equal(tls_handshake(f.pair.server), TLS_BROKEN);
    }
    stop(&f);
}

TEST(a_close_notify_in_the_handshake_breaks_it)
{
    static const struct str SAID = STR_INIT("\x15\x03\x03\x00\x02\x01\x00");
    struct fixture f;
    start(&f);
    assert_int_equal(tls_handshake(f.pair.client), TLS_WANT_READ);
    memcpy(f.pair.down->bytes, SAID.p, SAID.len);
    f.pair.down->to = SAID.len;
    assert_int_equal(tls_handshake(f.pair.client), TLS_BROKEN);
    assert_int_equal(tls_trouble(f.pair.client), TLS_TROUBLE_TRUNCATED);
    stop(&f);
}

TEST(a_transport_that_ends_before_a_hello_is_no_refusal)
{
    struct fixture f;
    start(&f);
    f.pair.up->ended = true;
    assert_int_equal(tls_handshake(f.pair.server), TLS_BROKEN);
    assert_int_equal(tls_trouble(f.pair.server), TLS_TROUBLE_TRUNCATED);
    stop(&f);
}

static int broken_receive(void *context, char *to, size_t room)
{
    (void)context;
    (void)to;
    (void)room;
    return TLS_LOWER_BROKEN;
}

TEST(a_transport_that_broke_is_a_truncation_too)
{
    struct fixture f;
    char got[8];
    size_t n = 0;
    start(&f);
    tls_pair_join(&f.pair);
    struct tls_lower lower = f.pair.client_end.lower;
    lower.receive = broken_receive;
    tls_set_lower(f.pair.client, &lower);
    assert_int_equal(tls_read(f.pair.client, got, sizeof(got), &n), TLS_BROKEN);
    assert_int_equal(tls_trouble(f.pair.client), TLS_TROUBLE_TRUNCATED);
    stop(&f);
}

/* --- writing
 * ------------------------------------------------------------------------------------- */

/* What did not fit comes again from another place in memory, with more behind it. */
TEST(a_write_that_had_to_wait_goes_on_with_more_behind_it)
{
    struct fixture f;
    static char text[60000];
    static char moved[60000];
    static char got[60000];
    size_t sent = 0;
    size_t have = 0;
    size_t asked = 20000;
    start(&f);
    tls_pair_join(&f.pair);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * 31 % 253);
    }
    f.pair.down->room = 3000;
    f.pair.down->chunk = 1100;
    while (have < sizeof(text)) {
        size_t n = 0;
        memcpy(moved, text, sizeof(text));
        if (sent < sizeof(text)) {
            struct str rest = str_make((sent & 1) != 0 ? moved + sent : text + sent, asked - sent);
            enum tls_result result = tls_write(f.pair.server, rest, &n);
            sent += result == TLS_DONE ? n : 0;
            asked = asked + 5000 < sizeof(text) ? asked + 5000 : sizeof(text);
        }
        if (tls_read(f.pair.client, got + have, sizeof(got) - have, &n) == TLS_DONE) {
            have += n;
        }
    }
    assert_memory_equal(got, text, sizeof(text));
    stop(&f);
}

TEST(pending_is_what_can_be_read_without_the_transport)
{
    struct fixture f;
    char got[4];
    size_t n = 0;
    start(&f);
    tls_pair_join(&f.pair);
    assert_int_equal(tls_peek(f.pair.client), TLS_WANT_READ);
    assert_int_equal(tls_write(f.pair.server, STR("123456"), &n), TLS_DONE);
    assert_false(tls_has_pending(f.pair.client));
    assert_int_equal(tls_read(f.pair.client, got, 4, &n), TLS_DONE);
    assert_true(tls_has_pending(f.pair.client));
    assert_int_equal(tls_peek(f.pair.client), TLS_DONE);
    assert_int_equal(tls_read(f.pair.client, got, 4, &n), TLS_DONE);
    assert_int_equal(n, 2);
    assert_false(tls_has_pending(f.pair.client));
    stop(&f);
}

TEST(new_keys_are_taken_and_answered)
{
    struct fixture f;
    start(&f);
    tls_pair_join(&f.pair);
    assert_int_equal(SSL_key_update(f.pair.client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    say(f.pair.client, f.pair.server, STR("under a new key"));
    say(f.pair.server, f.pair.client, STR("under another"));
    stop(&f);
}

TEST(every_trouble_has_a_code_and_a_sentence_of_its_own)
{
    for (int i = 0; i < TLS_TROUBLE_COUNT_; i++) {
        struct str code = tls_trouble_code((enum tls_trouble)i);
        assert_true(code.len != 0 && strlen(tls_trouble_text((enum tls_trouble)i)) > 10);
        for (int k = 0; k < i; k++) {
            assert_false(str_eq(code, tls_trouble_code((enum tls_trouble)k)));
        }
    }
}

TESTS_MAIN(unit(both_versions_work_however_little_comes_at_once),
           unit(a_session_is_resumed_in_both_versions),
           unit(a_close_notify_is_an_end_and_leaves_the_other_way_open),
           unit(an_end_without_close_notify_is_a_truncation),
           unit(a_record_that_was_changed_on_its_way_breaks_the_session),
           unit(what_is_no_TLS_is_a_protocol_trouble),
           unit(a_close_notify_in_the_handshake_breaks_it),
           unit(a_transport_that_ends_before_a_hello_is_no_refusal),
           unit(a_transport_that_broke_is_a_truncation_too),
           unit(a_write_that_had_to_wait_goes_on_with_more_behind_it),
           unit(pending_is_what_can_be_read_without_the_transport),
           unit(new_keys_are_taken_and_answered),
           unit(every_trouble_has_a_code_and_a_sentence_of_its_own))

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

TESTS_MAIN(unit(both_versions_work_however_little_comes_at_once),
           unit(a_session_is_resumed_in_both_versions))

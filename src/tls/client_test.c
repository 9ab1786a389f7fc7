/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/client.h"

#include "lib/test.h"
#include "lib/tls_forge.h"
#include "lib/tls_rig.h"
#include "tls/kept_impl.h"
#include "tls/key_impl.h"
#include "tls/session_impl.h"

/* An origin whose certificate has any fault, under a root that the client trusts. */
struct world {
    struct tls_rig rig; /* its server is the origin's */
    struct forged root;
    struct forged stranger; /* a root that nobody trusts */
    struct forged old_root;
    struct forged weak_root;
    struct buf roots;
};

static void world_init(struct world *world)
{
    const char *why = NULL;
    tls_rig_init(&world->rig);
    world->root = forge(&(struct forge){.ca = true, .common_name = "Root"}, NULL);
    world->stranger = forge(&(struct forge){.ca = true, .common_name = "Stranger"}, NULL);
    world->old_root = forge(
        &(struct forge){.ca = true, .common_name = "Old", .from_day = -90, .until_day = -1}, NULL);
    world->weak_root =
        forge(&(struct forge){.ca = true, .common_name = "Weak", .key = FORGE_RSA_1024}, NULL);
    buf_init(&world->roots, 65536);
    forged_pem(&world->root, &world->roots);
    forged_pem(&world->old_root, &world->roots);
    forged_pem(&world->weak_root, &world->roots);
    tls_client_free(world->rig.client);
    assert_ok(tls_client_new(buf_str(&world->roots), STR(""), &world->rig.client, &why));
}

static void world_fini(struct world *world)
{
    forged_free(&world->root);
    forged_free(&world->stranger);
    forged_free(&world->old_root);
    forged_free(&world->weak_root);
    buf_fini(&world->roots);
    tls_rig_fini(&world->rig);
}

/* The staple that the origin sends, or empty. */
static struct str stapled;

static int on_status(SSL *ssl, void *context)
{
    (void)context;
    if (stapled.len == 0) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    unsigned char *copy = OPENSSL_memdup(stapled.p, stapled.len);
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (int)stapled.len);
    return SSL_TLSEXT_ERR_OK;
}

/* Connects a client that wants `wanted` to an origin that shows this certificate. The pair is the
 * caller's to end. */
static enum tls_trouble meet(struct world *world, struct tls_pair *pair,
                             const struct forged *certificate, const struct forged *between,
                             const char *wanted, enum tls_result *ret_client)
{
    struct tls_leaf *leaf = NULL;
    struct tls_key key = {certificate->key};
    struct buf der;
    struct buf chain;
    enum tls_result server;
    buf_init(&der, 16384);
    buf_init(&chain, 16384);
    forged_der(certificate, &der);
    if (between != NULL) {
        forged_der(between, &chain);
    }
    assert_ok(tls_leaf_new(buf_str(&der), buf_str(&chain), &key, &leaf));
    tls_pair_init(pair, &world->rig, leaf, "origin", wanted, true);
    SSL_set_security_level(pair->server->ssl, 0);
    SSL_CTX_set_tlsext_status_cb(SSL_get_SSL_CTX(pair->server->ssl), on_status);
    tls_leaf_free(leaf);
    buf_fini(&der);
    buf_fini(&chain);
    tls_pair_shake(pair, &server, ret_client);
    return tls_trouble(pair->client);
}

static void judge(struct world *world, const struct forge *how, const struct forged *issuer,
                  const char *wanted, enum tls_trouble want, const char *label)
{
    struct tls_pair pair;
    enum tls_result client;
    struct forged certificate = forge(how, issuer);
    enum tls_trouble got = meet(world, &pair, &certificate, NULL, wanted, &client);
    if (got != want || client != (want == TLS_TROUBLE_NONE ? TLS_DONE : TLS_BROKEN)) {
        fail_msg("%s: result %d, trouble \"%s\"", label, client, tls_trouble_text(got));
    }
    tls_client_forget(world->rig.client);
    tls_pair_fini(&pair);
    forged_free(&certificate);
}

TEST(F10_a_bad_certificate_is_told_apart_and_never_accepted)
{
    struct world w;
    world_init(&w);
    const char *a = "DNS:a.example";
    const struct {
        const char *label;
        struct forge how;
        const struct forged *issuer;
        const char *wanted;
        enum tls_trouble trouble;
    } cases[] = {
        {"good", {.san = a}, &w.root, "a.example", TLS_TROUBLE_NONE},
        {"good RSA", {.san = a, .key = FORGE_RSA_2048}, &w.root, "a.example", TLS_TROUBLE_NONE},
        {"server auth",
         {.san = a, .purpose = NID_server_auth},
         &w.root,
         "a.example",
         TLS_TROUBLE_NONE},
        {"expired",
         {.san = a, .from_day = -9, .until_day = -1},
         &w.root,
         "a.example",
         TLS_TROUBLE_EXPIRED},
        {"not yet",
         {.san = a, .from_day = 1, .until_day = 9},
         &w.root,
         "a.example",
         TLS_TROUBLE_NOT_YET},
        {"wrong host", {.san = "DNS:b.example"}, &w.root, "a.example", TLS_TROUBLE_NAME},
        {"self-signed", {.san = a}, NULL, "a.example", TLS_TROUBLE_SELF_SIGNED},
        {"untrusted", {.san = a}, &w.stranger, "a.example", TLS_TROUBLE_UNTRUSTED},
        {"weak RSA", {.san = a, .key = FORGE_RSA_1024}, &w.root, "a.example", TLS_TROUBLE_WEAK},
        {"SHA-1", {.san = a, .sha1 = true}, &w.root, "a.example", TLS_TROUBLE_WEAK},
        {"weak issuer", {.san = a}, &w.weak_root, "a.example", TLS_TROUBLE_WEAK},
        {"old issuer", {.san = a}, &w.old_root, "a.example", TLS_TROUBLE_EXPIRED},
        {"for mail",
         {.san = a, .purpose = NID_email_protect},
         &w.root,
         "a.example",
         TLS_TROUBLE_CERTIFICATE},
        {"for clients",
         {.san = a, .purpose = NID_client_auth},
         &w.root,
         "a.example",
         TLS_TROUBLE_CERTIFICATE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        judge(&w, &cases[i].how, cases[i].issuer, cases[i].wanted, cases[i].trouble,
              cases[i].label);
    }
    world_fini(&w);
}

TEST(a_name_is_matched_as_RFC_9525_says)
{
    static const struct {
        const char *san;
        const char *common_name;
        const char *wanted;
        bool good;
    } CASES[] = {
        {"DNS:A.Example", NULL, "a.example", true},
        {"DNS:b.example,DNS:a.example", NULL, "a.example", true},
        {"DNS:*.example", NULL, "a.example", false}, /* a whole public suffix */
        {"DNS:*.a.example", NULL, "www.a.example", true},
        {"DNS:*.a.example", NULL, "a.example", false},
        {"DNS:*.a.example", NULL, "b.www.a.example", false},
        {"DNS:w*.a.example", NULL, "www.a.example", false},
        {"DNS:*w.a.example", NULL, "www.a.example", false},
        {"DNS:www.*.example", NULL, "www.a.example", false},
        {"DNS:*", NULL, "example", false},
        {"DNS:a.example.evil.example", NULL, "a.example", false},
        {NULL, "a.example", "a.example", false}, /* no SAN: the common name does not count */
        {"DNS:b.example", "a.example", "a.example", false},
        {"IP:192.0.2.1", NULL, "192.0.2.1", true},
        {"IP:192.0.2.1", NULL, "192.0.2.2", false},
        {"IP:2001:db8::1", NULL, "[2001:db8::1]", true},
        {"DNS:192.0.2.1", NULL, "192.0.2.1", false},
        {"DNS:xn--bcher-kva.example", NULL,
         "b\xc3\xbc"
         "cher.example",
         true},
    };
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct forge how = {.san = CASES[i].san, .common_name = CASES[i].common_name};
        judge(&w, &how, &w.root, CASES[i].wanted,
              CASES[i].good ? TLS_TROUBLE_NONE : TLS_TROUBLE_NAME, CASES[i].wanted);
    }
    world_fini(&w);
}

TEST(a_chain_goes_over_what_may_sign_only)
{
    struct world w;
    world_init(&w);
    const struct {
        const char *label;
        struct forge between;
        const struct forged *issuer;
        bool sent;
        enum tls_trouble trouble;
    } cases[] = {
        {"whole", {.ca = true, .common_name = "Between"}, &w.root, true, TLS_TROUBLE_NONE},
        {"not sent", {.ca = true, .common_name = "Between"}, &w.root, false, TLS_TROUBLE_UNTRUSTED},
        {"of a stranger",
         {.ca = true, .common_name = "Between"},
         &w.stranger,
         true,
         TLS_TROUBLE_UNTRUSTED},
        {"no CA",
         {.common_name = "Between", .san = "DNS:c.example"},
         &w.root,
         true,
         TLS_TROUBLE_CERTIFICATE},
        {"SHA-1",
         {.ca = true, .common_name = "Between", .sha1 = true},
         &w.root,
         true,
         TLS_TROUBLE_WEAK},
        {"expired",
         {.ca = true, .common_name = "Between", .from_day = -9, .until_day = -1},
         &w.root,
         true,
         TLS_TROUBLE_EXPIRED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_pair pair;
        enum tls_result client;
        struct forged between = forge(&cases[i].between, cases[i].issuer);
        struct forged leaf = forge(&(struct forge){.san = "DNS:a.example"}, &between);
        enum tls_trouble got =
            meet(&w, &pair, &leaf, cases[i].sent ? &between : NULL, "a.example", &client);
        if (got != cases[i].trouble) {
            fail_msg("%s: \"%s\"", cases[i].label, tls_trouble_text(got));
        }
        tls_client_forget(w.rig.client);
        tls_pair_fini(&pair);
        forged_free(&leaf);
        forged_free(&between);
    }
    world_fini(&w);
}

TEST(what_the_school_trusts_besides_may_be_the_origin_itself)
{
    struct world w;
    const char *why = NULL;
    struct buf extra;
    world_init(&w);
    buf_init(&extra, 16384);
    struct forged own = forge(&(struct forge){.san = "DNS:a.example"}, NULL);
    struct forged below = forge(&(struct forge){.san = "DNS:b.example"}, &w.stranger);
    struct forged old =
        forge(&(struct forge){.san = "DNS:a.example", .from_day = -9, .until_day = -1}, NULL);
    forged_pem(&own, &extra);
    forged_pem(&below, &extra);
    forged_pem(&old, &extra);
    const struct {
        const struct forged *shown;
        const char *wanted;
        enum tls_trouble before, after;
    } cases[] = {
        {&own, "a.example", TLS_TROUBLE_SELF_SIGNED, TLS_TROUBLE_NONE},
        {&own, "b.example", TLS_TROUBLE_SELF_SIGNED, TLS_TROUBLE_NAME},
        {&below, "b.example", TLS_TROUBLE_UNTRUSTED, TLS_TROUBLE_NONE},
        {&old, "a.example", TLS_TROUBLE_SELF_SIGNED, TLS_TROUBLE_EXPIRED},
    };
    for (int trusted = 0; trusted < 2; trusted++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct tls_pair pair;
            enum tls_result client;
            enum tls_trouble got = meet(&w, &pair, cases[i].shown, NULL, cases[i].wanted, &client);
            assert_int_equal(got, trusted != 0 ? cases[i].after : cases[i].before);
            tls_client_forget(w.rig.client);
            tls_pair_fini(&pair);
        }
        tls_client_free(w.rig.client);
        assert_ok(tls_client_new(buf_str(&w.roots), buf_str(&extra), &w.rig.client, &why));
    }
    forged_free(&own);
    forged_free(&below);
    forged_free(&old);
    buf_fini(&extra);
    world_fini(&w);
}

TEST(what_cannot_be_read_is_passed_over_in_roots_and_refused_in_extra)
{
    struct tls_rig rig;
    tls_rig_init(&rig);
    struct str ca = buf_str(&rig.ca);
    struct str cut = str_sub(ca, 0, 300);
    struct buf both;
    buf_init(&both, 8192);
    buf_append(&both, STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    buf_append(&both, ca);
    const struct {
        struct str roots, extra;
        enum err err;
    } cases[] = {
        {ca, STR(""), ERR_OK},
        {STR(""), STR(""), ERR_OK},
        {buf_str(&both), STR(""), ERR_OK},
        {STR("nothing"), ca, ERR_OK},
        {ca, ca, ERR_OK},
        {ca, STR("nothing"), ERR_INVALID},
        {ca, cut, ERR_INVALID},
        {ca, buf_str(&both), ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_client *client = NULL;
        const char *why = NULL;
        assert_err(tls_client_new(cases[i].roots, cases[i].extra, &client, &why), cases[i].err);
        assert_true(cases[i].err == ERR_OK || why != NULL);
        tls_client_free(client);
    }
    buf_fini(&both);
    tls_rig_fini(&rig);
}

/* --- stapled answers
 * ----------------------------------------------------------------------------- */

struct staples {
    struct world world;
    struct forged leaf, must, other, delegate, old_delegate, plain, forged_issuer;
};

static void staples_init(struct staples *s)
{
    world_init(&s->world);
    const struct forged *root = &s->world.root;
    s->leaf = forge(&(struct forge){.san = "DNS:a.example"}, root);
    s->must = forge(&(struct forge){.san = "DNS:a.example", .must_staple = true}, root);
    s->other = forge(&(struct forge){.san = "DNS:a.example"}, root);
    s->delegate = forge(&(struct forge){.common_name = "OCSP", .purpose = NID_OCSP_sign}, root);
    s->old_delegate = forge(
        &(struct forge){
            .common_name = "OCSP", .purpose = NID_OCSP_sign, .from_day = -9, .until_day = -1},
        root);
    s->plain = forge(&(struct forge){.common_name = "OCSP"}, root);
    s->forged_issuer =
        forge(&(struct forge){.common_name = "OCSP", .purpose = NID_OCSP_sign}, &s->world.stranger);
}

static void staples_fini(struct staples *s)
{
    struct forged *all[] = {&s->leaf,         &s->must,  &s->other,        &s->delegate,
                            &s->old_delegate, &s->plain, &s->forged_issuer};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        forged_free(all[i]);
    }
    world_fini(&s->world);
}

TEST(F10_a_staple_says_whether_a_certificate_still_holds)
{
    struct staples s;
    staples_init(&s);
    const struct forged *root = &s.world.root;
    const enum tls_trouble none = TLS_TROUBLE_NONE;
    const enum tls_trouble due = TLS_TROUBLE_STAPLE;
    /* What an origin without and with the promise to staple comes to. about: 0 its own. */
    const struct {
        const char *label;
        struct forge_staple how;
        enum tls_trouble without, with;
    } cases[] = {
        {"good", {.signer = root}, none, none},
        {"by a delegate", {.signer = &s.delegate}, none, none},
        {"by an old delegate", {.signer = &s.old_delegate}, none, due},
        {"by a sibling that is no delegate", {.signer = &s.plain}, none, due},
        {"by another's delegate", {.signer = &s.forged_issuer}, none, due},
        {"by another", {.signer = &s.world.stranger}, none, due},
        {"about another", {.signer = root, .about = &s.other}, none, due},
        {"unknown", {.signer = root, .unknown = true}, none, due},
        {"SHA-1", {.signer = root, .sha1 = true}, none, due},
        {"stale", {.signer = root, .from_day = -9, .next_day = -1}, none, due},
        {"of tomorrow", {.signer = root, .from_day = 1, .next_day = 9}, none, due},
        {"without an end", {.signer = root, .no_next = true}, none, none},
        {"old, without an end", {.signer = root, .no_next = true, .from_day = -8}, none, due},
        {"revoked", {.signer = root, .revoked = true}, TLS_TROUBLE_REVOKED, TLS_TROUBLE_REVOKED},
        {"revoked long ago",
         {.signer = root, .revoked = true, .from_day = -90, .next_day = -80},
         TLS_TROUBLE_REVOKED,
         TLS_TROUBLE_REVOKED},
        {"revoked by a delegate",
         {.signer = &s.delegate, .revoked = true},
         TLS_TROUBLE_REVOKED,
         TLS_TROUBLE_REVOKED},
        {"revoked by nobody", {.signer = &s.forged_issuer, .revoked = true}, none, due},
    };
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_pair pair;
        enum tls_result client;
        struct buf der;
        const struct forged *shown = i % 2 == 0 ? &s.leaf : &s.must;
        struct forge_staple how = cases[i / 2].how;
        how.about = how.about != NULL ? how.about : shown;
        buf_init(&der, 16384);
        forge_staple(&how, root, &der);
        stapled = buf_str(&der);
        enum tls_trouble got = meet(&s.world, &pair, shown, NULL, "a.example", &client);
        if (got != (i % 2 == 0 ? cases[i / 2].without : cases[i / 2].with)) {
            fail_msg("%s, %zu: \"%s\"", cases[i / 2].label, i % 2, tls_trouble_text(got));
        }
        tls_client_forget(s.world.rig.client);
        tls_pair_fini(&pair);
        buf_fini(&der);
    }
    staples_fini(&s);
}

TEST(what_is_no_staple_counts_as_none)
{
    static const struct str BYTES[] = {STR_INIT(""), STR_INIT("junk"),
                                       STR_INIT("\x30\x03\x0a\x01\x03")}; /* try later */
    struct staples s;
    staples_init(&s);
    for (size_t i = 0; i < 2 * sizeof(BYTES) / sizeof(BYTES[0]); i++) {
        struct tls_pair pair;
        enum tls_result client;
        stapled = BYTES[i / 2];
        enum tls_trouble got =
            meet(&s.world, &pair, i % 2 == 0 ? &s.leaf : &s.must, NULL, "a.example", &client);
        assert_int_equal(got, i % 2 == 0 ? TLS_TROUBLE_NONE : TLS_TROUBLE_STAPLE);
        tls_client_forget(s.world.rig.client);
        tls_pair_fini(&pair);
    }
    staples_fini(&s);
}

/* --- protocols
 * ----------------------------------------------------------------------------------- */

TEST(F10_an_origin_that_speaks_only_what_is_weak_is_refused)
{
    static const struct {
        int version;
        const char *ciphers;
        enum tls_trouble trouble;
    } CASES[] = {
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", TLS_TROUBLE_NONE},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", TLS_TROUBLE_ALERT}, /* no shared cipher */
        {TLS1_2_VERSION, "AES128-GCM-SHA256", TLS_TROUBLE_ALERT},
        {TLS1_1_VERSION, "ALL", TLS_TROUBLE_WEAK},
        {TLS1_VERSION, "ALL", TLS_TROUBLE_WEAK},
    };
    struct world w;
    world_init(&w);
    stapled = STR("");
    struct forged shown =
        forge(&(struct forge){.san = "DNS:a.example", .key = FORGE_RSA_2048}, &w.root);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct tls_pair pair;
        enum tls_result client;
        SSL_CTX *ctx = NULL;
        tls_server_free(w.rig.server);
        assert_ok(tls_server_new(&w.rig.server));
        struct tls_leaf *leaf = tls_rig_leaf(&w.rig, "a.example");
        tls_pair_init(&pair, &w.rig, leaf, "a.example", "a.example", false);
        ctx = SSL_get_SSL_CTX(pair.server->ssl);
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(ctx, CASES[i].version);
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, CASES[i].ciphers), 1);
        tls_pair_fini(&pair);
        tls_leaf_free(leaf);
        enum tls_trouble got = meet(&w, &pair, &shown, NULL, "a.example", &client);
        assert_int_equal(got, CASES[i].trouble);
        tls_client_forget(w.rig.client);
        tls_pair_fini(&pair);
    }
    forged_free(&shown);
    world_fini(&w);
}

/* --- kept sessions
 * ------------------------------------------------------------------------------- */

/* A connection as far as its ticket. */
static bool is_resumed(struct tls_rig *rig, const char *host, bool h2)
{
    struct tls_pair pair;
    struct tls_leaf *leaf = tls_rig_leaf(rig, host);
    tls_pair_init(&pair, rig, leaf, "all hosts of it", host, h2);
    tls_pair_join(&pair);
    assert_int_equal(tls_peek(pair.client), TLS_WANT_READ);
    bool resumed = tls_is_resumed(pair.client);
    tls_pair_fini(&pair);
    tls_leaf_free(leaf);
    return resumed;
}

TEST(a_session_is_kept_by_host_and_protocols)
{
    struct tls_rig rig;
    tls_rig_init(&rig);
    assert_false(is_resumed(&rig, "a.example", false));
    assert_false(is_resumed(&rig, "a.example", true));
    assert_false(is_resumed(&rig, "b.example", false));
    assert_true(is_resumed(&rig, "a.example", false));
    assert_true(is_resumed(&rig, "a.example", true));
    assert_true(is_resumed(&rig, "b.example", false));
    tls_client_forget(rig.client);
    assert_false(is_resumed(&rig, "a.example", false));
    tls_rig_fini(&rig);
}

TEST(a_session_is_resumed_for_a_day_from_when_it_was_verified)
{
    enum { HOUR_MS = 3600 * 1000 };
    struct tls_rig rig;
    tls_rig_init(&rig);
    assert_false(is_resumed(&rig, "a.example", false));
    for (int hours = 6; hours <= 24; hours += 6) {
        rig.now_ms = TLS_RIG_NOW_MS + hours * (int64_t)HOUR_MS;
        assert_true(is_resumed(&rig, "a.example", false)); /* each gives a new ticket */
    }
    rig.now_ms = TLS_RIG_NOW_MS + 24 * (int64_t)HOUR_MS + 1;
    assert_false(is_resumed(&rig, "a.example", false));
    assert_true(is_resumed(&rig, "a.example", false));
    rig.now_ms = TLS_RIG_NOW_MS; /* the clock was set back */
    assert_false(is_resumed(&rig, "a.example", false));
    tls_rig_fini(&rig);
}

TEST(the_least_used_session_goes_first)
{
    static struct kept kept;
    struct tls_rig rig;
    struct tls_pair pair;
    int64_t verified_ms = 0;
    tls_rig_init(&rig);
    struct tls_leaf *leaf = tls_rig_leaf(&rig, "a.example");
    tls_pair_init(&pair, &rig, leaf, "a.example", "a.example", false);
    tls_pair_join(&pair);
    assert_int_equal(tls_peek(pair.client), TLS_WANT_READ);
    SSL_SESSION *session = SSL_get0_session(pair.client->ssl);
    struct host host = tls_rig_host("a.example");
    for (int port = 1; port <= KEPT_MAX; port++) {
        kept_put(&kept, &(struct kept_key){&host, (uint16_t)port, false}, session, 5);
    }
    for (int port = 1; port <= KEPT_MAX; port += 2) {
        SSL_SESSION *found =
            kept_find(&kept, &(struct kept_key){&host, (uint16_t)port, false}, 0, 9, &verified_ms);
        assert_non_null(found);
        assert_int_equal(verified_ms, 5);
        SSL_SESSION_free(found);
    }
    for (int port = KEPT_MAX + 1; port <= KEPT_MAX + KEPT_MAX / 2; port++) {
        kept_put(&kept, &(struct kept_key){&host, (uint16_t)port, false}, session, 5);
    }
    assert_int_equal(kept.count, KEPT_MAX);
    for (int port = 1; port <= KEPT_MAX; port++) {
        SSL_SESSION *found =
            kept_find(&kept, &(struct kept_key){&host, (uint16_t)port, false}, 0, 9, &verified_ms);
        assert_int_equal(found != NULL, port % 2 == 1);
        SSL_SESSION_free(found);
    }
    kept_fini(&kept);
    assert_int_equal(kept.count, 0);
    tls_pair_fini(&pair);
    tls_leaf_free(leaf);
    tls_rig_fini(&rig);
}

TEST(what_is_kept_has_no_certificate_in_it)
{
    static unsigned char der[16384];
    struct tls_rig rig;
    struct tls_pair pair;
    tls_rig_init(&rig);
    struct tls_leaf *leaf = tls_rig_leaf(&rig, "a.example");
    tls_pair_init(&pair, &rig, leaf, "a.example", "a.example", false);
    tls_pair_join(&pair);
    assert_int_equal(tls_peek(pair.client), TLS_WANT_READ);
    SSL_SESSION *session = SSL_get0_session(pair.client->ssl);
    unsigned char *at = der;
    const unsigned char *from = der;
    int n = i2d_SSL_SESSION(session, &at);
    int less = kept_without_peer(der, n);
    int certificate = i2d_X509(SSL_SESSION_get0_peer(session), NULL);
    assert_true(less < n - certificate);
    assert_int_equal(kept_without_peer(der, less), less);
    SSL_SESSION *back = d2i_SSL_SESSION(NULL, &from, less);
    assert_non_null(back);
    assert_null(SSL_SESSION_get0_peer(back));
    assert_int_equal(SSL_SESSION_get_master_key(back, NULL, 0),
                     SSL_SESSION_get_master_key(session, NULL, 0));
    SSL_SESSION_free(back);
    tls_pair_fini(&pair);
    tls_leaf_free(leaf);
    tls_rig_fini(&rig);
}

TEST(an_encoding_that_is_not_as_expected_is_kept_as_it_is)
{
    static const struct str CASES[] = {
        STR_INIT(""),
        STR_INIT("\x30"),
        STR_INIT("\x30\x03\x02\x01"),                 /* cut */
        STR_INIT("\x30\x03\x02\x01\x05\x00"),         /* something behind */
        STR_INIT("\x30\x03\x02\x01\x05"),             /* no certificate */
        STR_INIT("\x30\x04\x02\x05\x05\x05"),         /* a part that is too long */
        STR_INIT("\x30\x85\x00\x00\x00\x00\x01\x05"), /* a length that is too long */
    };
    unsigned char bytes[16];
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        memcpy(bytes, CASES[i].p, CASES[i].len);
        assert_int_equal(kept_without_peer(bytes, (int)CASES[i].len), CASES[i].len);
        assert_memory_equal(bytes, CASES[i].p, CASES[i].len);
    }
}

TEST(a_name_is_sent_as_SNI_and_an_address_is_not)
{
    static const struct {
        const char *host;
        const char *sni;
    } CASES[] = {{"a.example", "a.example"}, {"192.0.2.1", NULL}, {"[2001:db8::1]", NULL}};
    struct tls_rig rig;
    tls_rig_init(&rig);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct tls_pair pair;
        struct tls_leaf *leaf = tls_rig_leaf(&rig, CASES[i].host);
        tls_pair_init(&pair, &rig, leaf, CASES[i].host, CASES[i].host, false);
        tls_pair_join(&pair);
        const char *sni = SSL_get_servername(pair.server->ssl, TLSEXT_NAMETYPE_host_name);
        assert_str_eq(str_from(sni), str_from(CASES[i].sni));
        tls_pair_fini(&pair);
        tls_leaf_free(leaf);
    }
    tls_rig_fini(&rig);
}

TESTS_MAIN(unit(F10_a_bad_certificate_is_told_apart_and_never_accepted),
           unit(a_name_is_matched_as_RFC_9525_says), unit(a_chain_goes_over_what_may_sign_only),
           unit(what_the_school_trusts_besides_may_be_the_origin_itself),
           unit(what_cannot_be_read_is_passed_over_in_roots_and_refused_in_extra),
           unit(F10_a_staple_says_whether_a_certificate_still_holds),
           unit(what_is_no_staple_counts_as_none),
           unit(F10_an_origin_that_speaks_only_what_is_weak_is_refused),
           unit(a_session_is_kept_by_host_and_protocols),
           unit(a_session_is_resumed_for_a_day_from_when_it_was_verified),
           unit(the_least_used_session_goes_first), unit(what_is_kept_has_no_certificate_in_it),
           unit(an_encoding_that_is_not_as_expected_is_kept_as_it_is),
           unit(a_name_is_sent_as_SNI_and_an_address_is_not))

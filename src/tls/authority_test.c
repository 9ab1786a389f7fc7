/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/authority.h"

#include <openssl/x509v3.h>

#include "lib/test.h"
#include "lib/tls_forge.h"
#include "lib/tls_rig.h"
#include "tls/authority_impl.h"
#include "tls/key_impl.h"

enum { DAY_S = AUTHORITY_DAY_S };

static X509 *leaf_of(const struct authority *authority, const struct tls_key *key, const char *name,
                     int64_t now_ms)
{
    struct buf der;
    struct host host = tls_rig_host(name);
    buf_init(&der, 4096);
    assert_ok(authority_sign(authority, &host, key, now_ms, &der));
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *leaf = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(leaf);
    buf_fini(&der);
    return leaf;
}

static int64_t seconds(const ASN1_TIME *time)
{
    int64_t s = 0;
    assert_true(x509_seconds(time, &s));
    return s;
}

/* True where the leaf is one of these roots' for this name, by OpenSSL's own strict reading. */
static bool holds(X509 *leaf, X509 *root, const char *name, int64_t now_ms)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    bool address = tls_rig_host(name).kind != HOST_NAME;
    address ? X509_VERIFY_PARAM_set1_ip_asc(param, name)
            : X509_VERIFY_PARAM_set1_host(param, name, 0);
    bool good = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return good;
}

TEST(a_leaf_is_what_a_strict_verifier_takes)
{
    static const char *const NAMES[] = {"a.example", "xn--bcher-kva.example", "192.0.2.7", "single",
                                        "a-label.of.many.labels.example.co.uk"};
    struct tls_rig rig;
    tls_rig_init(&rig);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        X509 *leaf = leaf_of(rig.authority, rig.key, NAMES[i], rig.now_ms);
        assert_true(holds(leaf, rig.authority->certificate, NAMES[i], rig.now_ms));
        assert_false(holds(leaf, rig.authority->certificate, "other.example", rig.now_ms));
        X509_free(leaf);
    }
    tls_rig_fini(&rig);
}

TEST(a_server_s_certificate_is_for_all_its_names_and_398_days)
{
    static const char *const NAMES[] = {"localhost", "lodge.oak.example", "192.0.2.7"};
    struct tls_rig rig;
    struct host hosts[3];
    struct buf public_key;
    struct buf der;
    struct tls_key *half;
    tls_rig_init(&rig);
    buf_init(&der, 4096);
    buf_init(&public_key, 1024);
    for (size_t i = 0; i < 3; i++) {
        hosts[i] = tls_rig_host(NAMES[i]);
    }
    assert_ok(tls_key_print_public(rig.key, &public_key));
    assert_ok(tls_key_read_public(buf_str(&public_key), &half));
    assert_ok(authority_sign_server(rig.authority, hosts, 3, half, rig.now_ms, &der));
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *server = d2i_X509(NULL, &at, (long)der.len);
    for (size_t i = 0; i < 3; i++) {
        assert_true(holds(server, rig.authority->certificate, NAMES[i], rig.now_ms));
    }
    assert_false(holds(server, rig.authority->certificate, "other.example", rig.now_ms));
    assert_true(seconds(X509_get0_notAfter(server)) - seconds(X509_get0_notBefore(server)) ==
                398LL * DAY_S - 1);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(server)), 0);
    assert_int_equal(X509_get_key_usage(server), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(server), XKU_SSL_SERVER);
    assert_int_equal(X509_check_ca(server), 0);
    assert_err(authority_sign_server(rig.authority, hosts, 0, half, rig.now_ms, &der), ERR_INVALID);
    assert_err(tls_key_read_public(STR("no key"), &half), ERR_INVALID);
    X509_free(server);
    tls_key_free(half);
    buf_fini(&public_key);
    buf_fini(&der);
    tls_rig_fini(&rig);
}

TEST(an_ipv6_address_is_an_ip_san)
{
    struct tls_rig rig;
    struct addr addr;
    struct host host;
    struct buf der;
    tls_rig_init(&rig);
    buf_init(&der, 4096);
    assert_ok(addr_parse(STR("2001:db8::7"), &addr));
    host_from_addr(&addr, &host);
    assert_ok(authority_sign(rig.authority, &host, rig.key, rig.now_ms, &der));
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *leaf = d2i_X509(NULL, &at, (long)der.len);
    assert_int_equal(X509_check_ip_asc(leaf, "2001:db8::7", 0), 1);
    X509_free(leaf);
    buf_fini(&der);
    tls_rig_fini(&rig);
}

TEST(F22_a_leaf_says_no_more_than_it_must)
{
    struct tls_rig rig;
    int critical = 0;
    tls_rig_init(&rig);
    X509 *leaf = leaf_of(rig.authority, rig.key, "a.example", rig.now_ms);
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(leaf)), 0);
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    assert_int_equal(critical, 1);
    GENERAL_NAMES_free(names);
    assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_SERVER);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf),
                                           X509_get0_subject_key_id(rig.authority->certificate)),
                     0);
    assert_non_null(X509_get0_subject_key_id(leaf));
    X509_free(leaf);
    tls_rig_fini(&rig);
}

TEST(serials_are_positive_and_of_128_bits_and_never_the_same)
{
    struct tls_rig rig;
    tls_rig_init(&rig);
    X509 *one = leaf_of(rig.authority, rig.key, "a.example", rig.now_ms);
    X509 *other = leaf_of(rig.authority, rig.key, "a.example", rig.now_ms);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(one);
    assert_int_equal(ASN1_STRING_length(serial), 16);
    assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not V_ASN1_NEG_INTEGER */
    assert_true((ASN1_STRING_get0_data(serial)[0] & 0x40) != 0);
    assert_int_not_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(other)), 0);
    X509_free(one);
    X509_free(other);
    tls_rig_fini(&rig);
}

TEST(a_leaf_lives_for_90_days_and_within_its_CA)
{
    struct tls_rig rig;
    tls_rig_init(&rig);
    int64_t ca_until_s = rig.authority->until_s;
    int64_t now_s = rig.now_ms / 1000;
    X509 *leaf = leaf_of(rig.authority, rig.key, "a.example", rig.now_ms);
    assert_int_equal(seconds(X509_get0_notBefore(leaf)), now_s - DAY_S);
    /* Both ends count (RFC 5280 section 4.1.2.5). */
    assert_int_equal(seconds(X509_get0_notAfter(leaf)) + 1 - seconds(X509_get0_notBefore(leaf)),
                     90 * DAY_S);
    X509_free(leaf);
    leaf = leaf_of(rig.authority, rig.key, "a.example", (ca_until_s - 5 * DAY_S) * 1000);
    assert_int_equal(seconds(X509_get0_notAfter(leaf)), ca_until_s);
    X509_free(leaf);
    struct buf der;
    struct host host = tls_rig_host("a.example");
    buf_init(&der, 4096);
    assert_err(authority_sign(rig.authority, &host, rig.key, ca_until_s * 1000, &der), ERR_INVALID);
    assert_err(authority_sign(rig.authority, &(struct host){0}, rig.key, rig.now_ms, &der),
               ERR_INVALID);
    assert_int_equal(der.len, 0);
    tls_rig_fini(&rig);
}

TEST(a_name_for_a_CA_is_printable_and_not_too_long)
{
    static const struct {
        struct str name;
        enum err err;
    } CASES[] = {
        {STR_INIT("Lodge at oak-primary"), ERR_OK},
        {STR_INIT("Ysgol Pen-y-bont \xc3\xa2"), ERR_OK},
        {STR_INIT(""), ERR_INVALID},
        {STR_INIT("two\nlines"), ERR_INVALID},
        {STR_INIT("\xff\xfe"), ERR_INVALID},
        {STR_INIT("0123456789012345678901234567890123456789012345678901234567890123"), ERR_OK},
        {STR_INIT("01234567890123456789012345678901234567890123456789012345678901234"),
         ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct buf key;
        struct buf certificate;
        buf_init(&key, 4096);
        buf_init(&certificate, 4096);
        assert_err(authority_make(CASES[i].name, TLS_RIG_NOW_MS, &key, &certificate), CASES[i].err);
        buf_fini(&key);
        buf_fini(&certificate);
    }
}

/* --- a school's own
 * ------------------------------------------------------------------------------ */

struct own {
    struct forged root, ca, other, leaf, weak, old, early, p384, ca_rsa, mail;
    struct buf key;
    struct buf certificate;
};

static void own_init(struct own *own)
{
    own->root =
        forge(&(struct forge){.ca = true, .common_name = "Root", .key = FORGE_RSA_2048}, NULL);
    own->ca = forge(&(struct forge){.ca = true, .common_name = "School"}, &own->root);
    own->ca_rsa = forge(
        &(struct forge){.ca = true, .common_name = "School RSA", .key = FORGE_RSA_2048}, NULL);
    own->other = forge(&(struct forge){.ca = true, .common_name = "Other"}, NULL);
    own->leaf = forge(&(struct forge){.san = "DNS:a.example"}, &own->root);
    own->weak = forge(&(struct forge){.ca = true, .key = FORGE_RSA_1024}, NULL);
    own->old = forge(&(struct forge){.ca = true, .from_day = -90, .until_day = -1}, NULL);
    own->early = forge(&(struct forge){.ca = true, .from_day = 1, .until_day = 90}, NULL);
    own->p384 = forge(&(struct forge){.ca = true, .key = FORGE_P384}, NULL);
    own->mail = forge(&(struct forge){.ca = true, .purpose = NID_email_protect}, NULL);
    buf_init(&own->key, 16384);
    buf_init(&own->certificate, 16384);
}

static void own_fini(struct own *own)
{
    struct forged *all[] = {&own->root, &own->ca,    &own->other, &own->leaf,   &own->weak,
                            &own->old,  &own->early, &own->p384,  &own->ca_rsa, &own->mail};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        forged_free(all[i]);
    }
    buf_fini(&own->key);
    buf_fini(&own->certificate);
}

/* Opens key's key with these certificates, one behind the other. */
static enum err open_own(struct own *own, const struct forged *key, const char *password,
                         const struct forged *const *certificates, struct authority **ret_authority,
                         const char **ret_why)
{
    buf_clear(&own->key);
    buf_clear(&own->certificate);
    forged_key_pem(key, password, &own->key);
    for (; *certificates != NULL; certificates++) {
        forged_pem(*certificates, &own->certificate);
    }
    return authority_open(buf_str(&own->key), buf_str(&own->certificate), TLS_RIG_NOW_MS,
                          ret_authority, ret_why);
}

TEST(a_school_brings_its_own_CA_of_any_usual_kind)
{
    struct own own;
    struct tls_key *key = NULL;
    own_init(&own);
    assert_ok(tls_key_make(&key));
    const struct {
        const struct forged *key;
        const struct forged *certificates[4];
        int chain;
    } cases[] = {
        {&own.ca, {&own.ca, &own.root}, 2},
        {&own.ca, {&own.ca}, 1},
        {&own.ca_rsa, {&own.ca_rsa}, 1},
        {&own.p384, {&own.p384}, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct authority *authority = NULL;
        const char *why = NULL;
        struct buf chain;
        struct tls_leaf *leaf = NULL;
        struct buf der;
        struct host host = tls_rig_host("a.example");
        buf_init(&chain, 16384);
        buf_init(&der, 16384);
        assert_ok(open_own(&own, cases[i].key, NULL, cases[i].certificates, &authority, &why));
        X509 *signed_one = leaf_of(authority, key, "a.example", TLS_RIG_NOW_MS);
        assert_int_equal(X509_verify(signed_one, cases[i].key->key), 1);
        X509_free(signed_one);
        assert_ok(authority_chain(authority, &chain));
        assert_ok(authority_sign(authority, &host, key, TLS_RIG_NOW_MS, &der));
        assert_ok(tls_leaf_new(buf_str(&der), buf_str(&chain), key, &leaf));
        tls_leaf_free(leaf);
        buf_fini(&chain);
        buf_fini(&der);
        authority_free(authority);
    }
    tls_key_free(key);
    own_fini(&own);
}

TEST(what_cannot_be_a_CA_is_refused_with_a_sentence_that_says_why)
{
    struct own own;
    own_init(&own);
    const struct {
        const char *says;
        const struct forged *key;
        const char *password;
        const struct forged *certificates[4];
    } cases[] = {
        {"encrypted", &own.ca, "secret", {&own.ca}},
        {"do not belong together", &own.other, NULL, {&own.ca}},
        {"must come first", &own.ca, NULL, {&own.root, &own.ca}},
        {"not one of a CA", &own.leaf, NULL, {&own.leaf}},
        {"too short", &own.weak, NULL, {&own.weak}},
        {"has run out", &own.old, NULL, {&own.old}},
        {"does not hold yet", &own.early, NULL, {&own.early}},
        {"web servers", &own.mail, NULL, {&own.mail}},
        {"issuer of the one before", &own.ca, NULL, {&own.ca, &own.other}},
        {"holds none", &own.ca, NULL, {NULL}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct authority *authority = NULL;
        const char *why = "";
        assert_err(open_own(&own, cases[i].key, cases[i].password, cases[i].certificates,
                            &authority, &why),
                   ERR_INVALID);
        if (strstr(why, cases[i].says) == NULL) {
            fail_msg("case %zu: %s", i, why);
        }
    }
    own_fini(&own);
}

TEST(files_that_hold_no_key_or_certificate_are_refused)
{
    struct tls_rig rig;
    struct authority *authority = NULL;
    const char *why = NULL;
    tls_rig_init(&rig);
    struct str key = buf_str(&rig.ca_key);
    struct str ca = buf_str(&rig.ca);
    const struct {
        struct str key, ca;
    } cases[] = {
        {STR(""), ca},  {STR("hello"), ca},         {ca, ca},
        {key, STR("")}, {key, STR("hello")},        {key, key},
        {ca, key},      {key, str_sub(ca, 0, 300)}, {str_sub(key, 0, 100), ca},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_err(authority_open(cases[i].key, cases[i].ca, rig.now_ms, &authority, &why),
                   ERR_INVALID);
        assert_non_null(why);
    }
    tls_rig_fini(&rig);
}

TEST(the_CA_is_given_as_it_was_made)
{
    struct tls_rig rig;
    struct buf pem;
    tls_rig_init(&rig);
    buf_init(&pem, 4096);
    assert_ok(authority_pem(rig.authority, &pem));
    assert_str_eq(buf_str(&pem), buf_str(&rig.ca));
    assert_true(str_starts(buf_str(&rig.ca_key), STR("-----BEGIN PRIVATE KEY-----\n")));
    X509 *ca = rig.authority->certificate;
    assert_int_equal(X509_get_pathlen(ca), 0);
    assert_int_equal(X509_get_key_usage(ca), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal((seconds(X509_get0_notAfter(ca)) - rig.now_ms / 1000) / (365 * DAY_S), 10);
    buf_fini(&pem);
    tls_rig_fini(&rig);
}

/* --- keys
 * ---------------------------------------------------------------------------------------- */

TEST(a_leaf_key_goes_over_a_line_and_comes_back)
{
    struct tls_key *key = NULL;
    struct tls_key *back = NULL;
    struct buf der;
    buf_init(&der, 1024);
    assert_ok(tls_key_make(&key));
    assert_ok(tls_key_print(key, &der));
    assert_ok(tls_key_read(buf_str(&der), &back));
    assert_int_equal(EVP_PKEY_eq(key->pkey, back->pkey), 1);
    for (size_t n = 0; n < der.len; n++) {
        struct tls_key *none = NULL;
        assert_err(tls_key_read(str_sub(buf_str(&der), 0, n), &none), ERR_INVALID);
    }
    buf_append_byte(&der, '\0');
    assert_err(tls_key_read(buf_str(&der), &back), ERR_INVALID);
    tls_key_free(key);
    tls_key_free(back);
    tls_key_free(NULL);
    buf_fini(&der);
}

TEST(a_leaf_key_of_another_kind_is_refused)
{
    static const enum forge_key KINDS[] = {FORGE_P384, FORGE_RSA_2048};
    for (size_t i = 0; i < 2; i++) {
        struct forged other = forge(&(struct forge){.key = KINDS[i]}, NULL);
        struct tls_key as_key = {other.key};
        struct tls_key *back = NULL;
        struct buf der;
        buf_init(&der, 4096);
        assert_ok(tls_key_print(&as_key, &der));
        assert_err(tls_key_read(buf_str(&der), &back), ERR_INVALID);
        buf_fini(&der);
        forged_free(&other);
    }
}

TESTS_MAIN(unit(a_leaf_is_what_a_strict_verifier_takes),
           unit(a_server_s_certificate_is_for_all_its_names_and_398_days),
           unit(an_ipv6_address_is_an_ip_san), unit(F22_a_leaf_says_no_more_than_it_must),
           unit(serials_are_positive_and_of_128_bits_and_never_the_same),
           unit(a_leaf_lives_for_90_days_and_within_its_CA),
           unit(a_name_for_a_CA_is_printable_and_not_too_long),
           unit(a_school_brings_its_own_CA_of_any_usual_kind),
           unit(what_cannot_be_a_CA_is_refused_with_a_sentence_that_says_why),
           unit(files_that_hold_no_key_or_certificate_are_refused),
           unit(the_CA_is_given_as_it_was_made), unit(a_leaf_key_goes_over_a_line_and_comes_back),
           unit(a_leaf_key_of_another_kind_is_refused))

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outbound/oidc.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <stdlib.h>

#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1790000000)

static const char CONFIG[] =
    "{\"providers\": [{\"name\": \"google\", \"label\": \"Google\","
    " \"issuer\": \"https://id.example\", \"client_id\": \"lodge\", \"client_secret\": \"s+/ 1\","
    " \"link\": \"email\", \"domains\": [\"School.Example\"], \"trust_mfa\": true}]}";

static struct oidc_config read_config(void)
{
    struct oidc_config config;
    struct buf why;
    buf_init(&why, 1024);
    assert_ok(oidc_config_read(str_from(CONFIG), &config, &why));
    buf_fini(&why);
    return config;
}

TEST(the_operators_file_is_read)
{
    struct oidc_config config = read_config();
    assert_int_equal(config.n_providers, 1);
    assert_string_equal(config.providers[0].issuer, "https://id.example");
    assert_string_equal(config.providers[0].domains[0], "school.example");
    assert_int_equal(config.providers[0].link, OIDC_LINK_EMAIL);
    assert_true(config.providers[0].trust_mfa);
}

TEST(a_file_that_says_it_wrongly_is_refused_with_the_place)
{
    static const struct {
        const char *json;
        const char *why;
    } cases[] = {
        {"{", "line 1: string or '}' expected near end of file"},
        {"{\"providers\": []}", "\"providers\" must be a list of 1 to 8"},
        {"{\"providers\": [{\"name\": \"A b\"}]}",
         "provider 1: \"name\" must be 1 to 32 of a-z, 0-9 and -"},
        {"{\"providers\": [{\"name\": \"a\", \"secret\": 1}]}",
         "provider 1: a member has a name that is not known here"},
        {"{\"providers\": [{\"name\": \"a\", \"label\": \"A\", \"issuer\": "
         "\"http://id.example\"}]}",
         "provider 1: \"issuer\" must be the provider's own https address; for Microsoft the one "
         "with the school's tenant, never \"common\""},
        {"{\"providers\": [{\"name\": \"a\", \"label\": \"A\","
         " \"issuer\": \"https://login.example/{tenantid}/v2.0\"}]}",
         "provider 1: \"issuer\" must be the provider's own https address; for Microsoft the one "
         "with the school's tenant, never \"common\""},
        {"{\"providers\": [{\"name\": \"a\", \"label\": \"A\", \"issuer\": "
         "\"https://id.example\"}]}",
         "provider 1: \"client_id\" and \"client_secret\" are needed, as the provider gave them"},
        {"{\"providers\": [{\"name\": \"a\", \"label\": \"A\", \"issuer\": \"https://id.example\","
         " \"client_id\": \"c\", \"client_secret\": \"s\", \"link\": \"email\"}]}",
         "provider 1: \"link\" needs \"domains\": whose addresses count"},
        {"{\"providers\": [{\"name\": \"a\", \"label\": \"A\", \"issuer\": \"https://id.example\","
         " \"client_id\": \"c\", \"client_secret\": \"s\", \"link\": \"mail\"}]}",
         "provider 1: \"link\" must be \"none\", \"email\" or \"username\""},
        {"{\"providers\": [{\"name\": \"a\", \"label\": \"A\", \"issuer\": \"https://id.example\","
         " \"client_id\": \"c\", \"client_secret\": \"s\"},"
         "{\"name\": \"a\", \"label\": \"A\", \"issuer\": \"https://id.example\","
         " \"client_id\": \"c\", \"client_secret\": \"s\"}]}",
         "provider 2: \"name\" stands twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct oidc_config config;
        struct buf why;
        buf_init(&why, 1024);
        assert_err(oidc_config_read(str_from(cases[i].json), &config, &why), ERR_INVALID);
        assert_str_eq(buf_str(&why), str_from(cases[i].why));
        buf_fini(&why);
    }
}

static const char DISCOVERY[] =
    "{\"issuer\": \"https://id.example\", \"authorization_endpoint\": \"https://id.example/a?t=1\","
    " \"token_endpoint\": \"https://id.example/t\", \"jwks_uri\": \"https://id.example/k\","
    " \"response_types_supported\": [\"code\"]}";

TEST(discovery_gives_the_endpoints)
{
    struct oidc_config config = read_config();
    struct oidc_endpoints endpoints;
    const char *why = "";
    assert_ok(oidc_discovery_read(&config.providers[0], str_from(DISCOVERY), &endpoints, &why));
    assert_string_equal(endpoints.token, "https://id.example/t");
    assert_false(endpoints.secret_in_body);
}

TEST(discovery_of_another_or_without_tls_is_refused)
{
    static const struct {
        const char *json;
        const char *why;
    } cases[] = {
        {"[", "it is not JSON"},
        {"{\"issuer\": \"https://id.example/\"}", "it is another issuer's"},
        {"{\"issuer\": \"https://id.example\"}", "it does not offer the code flow"},
        {"{\"issuer\": \"https://id.example\", \"response_types_supported\": [\"code\"],"
         " \"authorization_endpoint\": \"https://id.example/a\","
         " \"token_endpoint\": \"http://id.example/t\", \"jwks_uri\": \"https://id.example/k\"}",
         "an endpoint is missing or not https"},
        {"{\"issuer\": \"https://id.example\", \"response_types_supported\": [\"code\"],"
         " \"token_endpoint_auth_methods_supported\": [\"private_key_jwt\"],"
         " \"authorization_endpoint\": \"https://id.example/a\","
         " \"token_endpoint\": \"https://id.example/t\", \"jwks_uri\": \"https://id.example/k\"}",
         "it takes no client secret"},
    };
    struct oidc_config config = read_config();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct oidc_endpoints endpoints;
        const char *why = "";
        assert_err(
            oidc_discovery_read(&config.providers[0], str_from(cases[i].json), &endpoints, &why),
            ERR_INVALID);
        assert_string_equal(why, cases[i].why);
    }
}

TEST(the_addresses_and_forms_are_as_the_standards_say)
{
    struct oidc_config config = read_config();
    struct oidc_endpoints endpoints = {.authorize = "https://id.example/a?t=1"};
    /* The verifier and challenge of RFC 7636 appendix B. */
    struct oidc_attempt attempt = {
        .state = "s", .nonce = "n", .verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"};
    struct buf to;
    struct buf header;
    buf_init(&to, 8192);
    buf_init(&header, 8192);
    oidc_authorize_address(&config.providers[0], &endpoints, &attempt,
                           STR("https://lodge.example/back"), true, &to);
    assert_str_eq(buf_str(&to),
                  STR("https://id.example/a?t=1&response_type=code&scope=openid%20email%20profile"
                      "&client_id=lodge&redirect_uri=https%3A%2F%2Flodge.example%2Fback&state=s"
                      "&nonce=n&code_challenge_method=S256"
                      "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
                      "&hd=school.example&prompt=none"));
    buf_clear(&to);
    oidc_token_form(&config.providers[0], &endpoints, &attempt, STR("c&d"), STR("https://l/"), &to,
                    &header);
    assert_str_eq(buf_str(&to), STR("grant_type=authorization_code&code=c%26d"
                                    "&redirect_uri=https%3A%2F%2Fl%2F&code_verifier="
                                    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    /* lodge:s%2B%2F%201 */
    assert_str_eq(buf_str(&header), STR("Authorization: Basic bG9kZ2U6cyUyQiUyRiUyMDE="));
    endpoints.secret_in_body = true;
    buf_clear(&to);
    oidc_token_form(&config.providers[0], &endpoints, &attempt, STR("c"), STR("r"), &to, &header);
    assert_true(str_ends(buf_str(&to), STR("&client_id=lodge&client_secret=s%2B%2F%201")));
    buf_fini(&to);
    buf_fini(&header);
}

TEST(no_two_attempts_are_alike)
{
    struct oidc_attempt a;
    struct oidc_attempt b;
    oidc_attempt_make(&a);
    oidc_attempt_make(&b);
    assert_int_equal(strlen(a.verifier), 43);
    assert_string_not_equal(a.state, b.state);
    assert_string_not_equal(a.nonce, a.state);
    assert_string_not_equal(a.verifier, b.verifier);
}

/* ---- tokens ---- */

static cjose_jwk_t *rsa_key;
static cjose_jwk_t *ec_key;
static cjose_jwk_t *other_key;

static int make_keys(void **state)
{
    static const uint8_t exponent[] = {1, 0, 1};
    cjose_err error;
    (void)state;
    rsa_key = cjose_jwk_create_RSA_random(2048, exponent, sizeof(exponent), &error);
    ec_key = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
    other_key = cjose_jwk_create_RSA_random(2048, exponent, sizeof(exponent), &error);
    bool named = cjose_jwk_set_kid(rsa_key, "r", 1, &error) &&
                 cjose_jwk_set_kid(ec_key, "e", 1, &error) &&
                 cjose_jwk_set_kid(other_key, "r", 1, &error);
    return named ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    cjose_jwk_release(rsa_key);
    cjose_jwk_release(ec_key);
    cjose_jwk_release(other_key);
    return 0;
}

static char *keys_json(void)
{
    cjose_err error;
    char *rsa = cjose_jwk_to_json(rsa_key, false, &error);
    char *ec = cjose_jwk_to_json(ec_key, false, &error);
    json_t *set = json_pack("{s:[o,o]}", "keys", json_loads(rsa, 0, NULL), json_loads(ec, 0, NULL));
    char *text = json_dumps(set, JSON_COMPACT);
    json_decref(set);
    free(rsa);
    free(ec);
    return text;
}

/* Frees claims. */
static char *sign(cjose_jwk_t *key, const char *algorithm, const char *kid, const char *crit,
                  json_t *claims)
{
    cjose_err error;
    const char *compact = NULL;
    char *text = json_dumps(claims, JSON_COMPACT);
    cjose_header_t *header = cjose_header_new(&error);
    assert_true(cjose_header_set(header, "alg", algorithm, &error));
    if (kid != NULL) {
        assert_true(cjose_header_set(header, "kid", kid, &error));
    }
    if (crit != NULL) {
        assert_true(cjose_header_set_raw(header, "crit", crit, &error));
    }
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)text, strlen(text), &error);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &compact, &error));
    char *copy = strdup(compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    free(text);
    json_decref(claims);
    return copy;
}

static json_t *good_claims(void)
{
    return json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:s,s:b,s:s,s:[s,s]}", "iss", "https://id.example",
                     "aud", "lodge", "sub", "1234", "exp", (json_int_t)(NOW_S + 300), "iat",
                     (json_int_t)NOW_S, "nonce", "n-1", "email", "G.Okafor@School.example",
                     "email_verified", 1, "name", "Grace Okafor", "amr", "pwd", "mfa");
}

static enum err check(char *token, struct oidc_who *who, const char **why)
{
    struct oidc_config config = read_config();
    char *keys = keys_json();
    enum err err = oidc_token_check(&config.providers[0], str_from(keys), str_from(token),
                                    STR("n-1"), NOW_S * 1000, who, why);
    free(keys);
    free(token);
    return err;
}

TEST(a_token_by_either_algorithm_says_who_it_is)
{
    struct oidc_who who;
    const char *why = "";
    assert_ok(check(sign(rsa_key, "RS256", "r", NULL, good_claims()), &who, &why));
    assert_string_equal(who.subject, "1234");
    assert_string_equal(who.match, "g.okafor@school.example");
    assert_string_equal(who.name, "Grace Okafor");
    assert_true(who.mfa);
    assert_ok(check(sign(ec_key, "ES256", "e", NULL, good_claims()), &who, &why));
    assert_ok(check(sign(ec_key, "ES256", NULL, NULL, good_claims()), &who, &why));
}

TEST(another_signature_is_refused)
{
    static const uint8_t secret[] = "0123456789abcdef0123456789abcdef";
    cjose_err error;
    cjose_jwk_t *oct = cjose_jwk_create_oct_spec(secret, 32, &error);
    struct oidc_who who;
    const char *why = "";
    assert_err(check(sign(other_key, "RS256", "r", NULL, good_claims()), &who, &why), ERR_INVALID);
    assert_string_equal(why, "the token's signature is wrong");
    assert_err(check(sign(other_key, "RS256", "new", NULL, good_claims()), &who, &why),
               ERR_NOT_FOUND);
    assert_err(check(sign(rsa_key, "RS384", "r", NULL, good_claims()), &who, &why), ERR_INVALID);
    assert_string_equal(why, "the token's algorithm is not one of RS256, ES256");
    assert_err(check(sign(oct, "HS256", "r", NULL, good_claims()), &who, &why), ERR_INVALID);
    assert_err(check(sign(rsa_key, "RS256", "r", "[\"exp\"]", good_claims()), &who, &why),
               ERR_INVALID);
    assert_string_equal(why, "the token demands what is not known here");
    /* {"alg":"none"} and {"alg":"RS256"}, nothing behind the last dot. */
    assert_err(check(strdup("eyJhbGciOiJub25lIn0.e30."), &who, &why), ERR_INVALID);
    assert_err(check(strdup("eyJhbGciOiJSUzI1NiJ9.e30."), &who, &why), ERR_INVALID);
    /* What cjose would end the process over. */
    assert_err(check(strdup("eyJhbGciOiJSUzI1NiJ9.e30.A"), &who, &why), ERR_INVALID);
    assert_err(check(strdup("e.e30.AA"), &who, &why), ERR_INVALID);
    assert_err(check(strdup("eyJhbGciOiJSUzI1NiJ9.e30.AA.AA"), &who, &why), ERR_INVALID);
    assert_err(check(strdup("x"), &who, &why), ERR_INVALID);
    assert_err(check(strdup(""), &who, &why), ERR_INVALID);
    cjose_jwk_release(oct);
}

TEST(a_key_that_is_not_written_as_bytes_is_no_key)
{
    static const char *const keys[] = {
        "{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"A\", \"y\": \"AA\"}]}",
        "{\"keys\": [{\"kty\": \"RSA\", \"n\": \"AAAAA\", \"e\": \"AQAB\"}]}",
        "{\"keys\": [{\"kty\": \"RSA\", \"n\": 7, \"e\": \"AQ=\"}]}",
    };
    struct oidc_config config = read_config();
    char *rsa = sign(rsa_key, "RS256", NULL, NULL, good_claims());
    char *ec = sign(ec_key, "ES256", NULL, NULL, good_claims());
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct oidc_who who;
        const char *why = "";
        assert_err(oidc_token_check(&config.providers[0], str_from(keys[i]),
                                    str_from(i == 0 ? ec : rsa), STR("n-1"), NOW_S * 1000, &who,
                                    &why),
                   ERR_INVALID);
    }
    free(rsa);
    free(ec);
}

TEST(a_flipped_bit_anywhere_is_refused)
{
    struct oidc_who who;
    const char *why = "";
    char *token = sign(ec_key, "ES256", "e", NULL, good_claims());
    size_t len = strlen(token);
    for (size_t i = 0; i + 1 < len; i += 7) {
        char *bad = strdup(token);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        if (strcmp(bad, token) != 0) {
            assert_int_not_equal(check(bad, &who, &why), ERR_OK);
        } else {
            free(bad);
        }
    }
    free(token);
}

TEST(claims_that_are_not_ours_or_not_now_are_refused)
{
    static const struct {
        const char *member;
        const char *json;
        const char *why;
    } cases[] = {
        {"iss", "\"https://id.example/\"", "the token is another issuer's"},
        {"aud", "\"other\"", "the token is for another client"},
        {"aud", "[\"lodge\", \"other\"]", "the token is for another client"},
        {"aud", "[]", "the token is for another client"},
        {"azp", "\"other\"", "the token is for another client"},
        {"exp", "1789999940", "the token is not valid now: is the clock right?"},
        {"exp", "1790000300.5", "the token is not valid now: is the clock right?"},
        {"exp", "\"1790000300\"", "the token is not valid now: is the clock right?"},
        {"iat", "1789999399", "the token is not valid now: is the clock right?"},
        {"iat", "1790000061", "the token is not valid now: is the clock right?"},
        {"nbf", "1790000061", "the token is not valid now: is the clock right?"},
        {"nonce", "\"n-2\"", "the token is of another sign-in"},
        {"nonce", "null", "the token is of another sign-in"},
        {"sub", "\"\"", "the token names nobody"},
        {"sub", "7", "the token names nobody"},
        {"sub", "\"a\\u0000b\"", "the token's claims are not JSON"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct oidc_who who;
        const char *why = "";
        json_t *claims = good_claims();
        json_object_set_new(claims, cases[i].member,
                            json_loads(cases[i].json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
        assert_err(check(sign(ec_key, "ES256", "e", NULL, claims), &who, &why), ERR_INVALID);
        assert_string_equal(why, cases[i].why);
    }
}

TEST(an_account_is_matched_only_by_what_the_provider_vouches_for)
{
    static const struct {
        const char *member;
        const char *json;
    } cases[] = {
        {"email_verified", "false"},
        {"email_verified", "\"true\""},
        {"email_verified", "null"},
        {"email", "\"g.okafor@other.example\""},
        {"email", "\"g.okafor@school.example@other.example\""},
        {"email", "\"@school.example\""},
        {"email", "\"school.example\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct oidc_who who;
        const char *why = "";
        json_t *claims = good_claims();
        json_object_set_new(claims, cases[i].member,
                            json_loads(cases[i].json, JSON_DECODE_ANY, NULL));
        assert_ok(check(sign(ec_key, "ES256", "e", NULL, claims), &who, &why));
        assert_string_equal(who.match, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(the_operators_file_is_read),
        unit(a_file_that_says_it_wrongly_is_refused_with_the_place),
        unit(discovery_gives_the_endpoints),
        unit(discovery_of_another_or_without_tls_is_refused),
        unit(the_addresses_and_forms_are_as_the_standards_say),
        unit(no_two_attempts_are_alike),
        unit(a_token_by_either_algorithm_says_who_it_is),
        unit(another_signature_is_refused),
        unit(a_key_that_is_not_written_as_bytes_is_no_key),
        unit(a_flipped_bit_anywhere_is_refused),
        unit(claims_that_are_not_ours_or_not_now_are_refused),
        unit(an_account_is_matched_only_by_what_the_provider_vouches_for),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What single sign-on reads from outside. The first byte says as what the rest is taken: the
 * operator's file, a discovery document, a set of keys and a token (two lines), a token endpoint's
 * answer, or claims, which are signed here by a key of the issuer. */
#include <cjose/cjose.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "outbound/oidc.h"

#define NOW_MS INT64_C(1790000000000)

static const char KEY[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"; /* RFC 7515 appendix A.3.1 */

static struct oidc_provider provider = {.name = "oak",
                                        .label = "Oak",
                                        .issuer = "https://id.example",
                                        .client_id = "lodge",
                                        .client_secret = "secret",
                                        .link = OIDC_LINK_EMAIL,
                                        .domains = {"school.example"},
                                        .n_domains = 1,
                                        .trust_mfa = true};

static bool is_whole(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void try_config(struct str text)
{
    static struct oidc_config config;
    struct buf why;
    buf_init(&why, 4096);
    if (oidc_config_read(text, &config, &why) == ERR_OK) {
        CHECK(config.n_providers >= 1 && config.n_providers <= OIDC_PROVIDERS_MAX);
        for (size_t i = 0; i < config.n_providers; i++) {
            const struct oidc_provider *read = &config.providers[i];
            CHECK(is_whole(read->issuer, sizeof(read->issuer)) && read->link != OIDC_LINK_UNSET);
            CHECK(read->n_domains <= OIDC_DOMAINS_MAX);
        }
    } else {
        CHECK(why.len != 0);
    }
    buf_fini(&why);
}

static void try_discovery(struct str text)
{
    static struct oidc_endpoints endpoints;
    const struct oidc_attempt attempt = {.state = "s", .nonce = "n", .verifier = "v"};
    const char *why = NULL;
    struct buf to;
    if (oidc_discovery_read(&provider, text, &endpoints, &why) != ERR_OK) {
        CHECK(why != NULL);
        return;
    }
    buf_init(&to, 16 * (size_t)OIDC_TEXT_MAX);
    oidc_authorize_address(&provider, &endpoints, &attempt, STR("https://l/"), false, &to);
    CHECK(buf_err(&to) == ERR_OK && str_starts(buf_str(&to), STR("https://")));
    CHECK(str_index(buf_str(&to), '\n') == to.len && str_index(buf_str(&to), ' ') == to.len);
    buf_fini(&to);
}

static enum err check_token(struct str keys, struct str token)
{
    static struct oidc_who who;
    const char *why = NULL;
    enum err err = oidc_token_check(&provider, keys, token, STR("n-1"), NOW_MS, &who, &why);
    CHECK(err == ERR_OK || why != NULL);
    if (err == ERR_OK) {
        CHECK(who.subject[0] != '\0' && is_whole(who.subject, sizeof(who.subject)));
        CHECK(is_whole(who.match, sizeof(who.match)) && is_whole(who.name, sizeof(who.name)));
    }
    return err;
}

static void try_answer(struct str text)
{
    struct buf to;
    buf_init(&to, OIDC_ANSWER_MAX);
    (void)!oidc_token_read(text, &to);
    buf_fini(&to);
}

static void try_claims(struct str claims)
{
    cjose_err error;
    const char *token = NULL;
    struct buf keys;
    cjose_jwk_t *key = cjose_jwk_import(KEY, strlen(KEY), &error);
    cjose_header_t *header = cjose_header_new(&error);
    CHECK(key != NULL && cjose_header_set(header, "alg", "ES256", &error));
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)claims.p, claims.len, &error);
    buf_init(&keys, 4096);
    buf_printf(&keys, "{\"keys\":[%s]}", KEY);
    if (jws != NULL && cjose_jws_export(jws, &token, &error)) {
        (void)!check_token(buf_str(&keys), str_from(token));
    }
    buf_fini(&keys);
    cjose_jws_release(jws);
    cjose_header_release(header);
    cjose_jwk_release(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str keys, token;
    if (size == 0) {
        return 0;
    }
    struct str text = str_make((const char *)data + 1, size - 1);
    switch (data[0] % 5) {
    case 0:
        try_config(text);
        break;
    case 1:
        try_discovery(text);
        break;
    case 2:
        (void)str_cut(text, '\n', &keys, &token);
        (void)!check_token(keys, token);
        break;
    case 3:
        try_answer(text);
        break;
    default:
        try_claims(text);
        break;
    }
    return 0;
}

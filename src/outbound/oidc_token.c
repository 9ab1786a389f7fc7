/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ID token: its signature, and every rule of Core 1.0 section 3.1.3.7 that holds for the code
 * flow. */
#include <cjose/cjose.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "outbound/oidc.h"

enum { GRACE_S = 60, AGE_MAX_S = 600, SECOND_MS = 1000 };

/* Algorithms that are taken, each with the only kind of key it may be checked with (RFC 8725
 * section 3.1: the list is ours, never the token's word). */
static const struct {
    const char *name;
    cjose_jwk_kty_t kind;
} algorithms[] = {
    {"RS256", CJOSE_JWK_KTY_RSA},
    {"ES256", CJOSE_JWK_KTY_EC},
};

static json_t *load(struct str json)
{
    json_error_t error;
    return json_loadb(json.p != NULL ? json.p : "", json.len, JSON_REJECT_DUPLICATES, &error);
}

/* ---- what cjose may be given ---- */

/* cjose ends the process (assert) over a text of base64url that no bytes have. */
static bool is_base64url(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_alpha(text.p[i]) && !ascii_is_digit(text.p[i]) && text.p[i] != '-' &&
            text.p[i] != '_') {
            return false;
        }
    }
    return text.len % 4 != 1;
}

/* RFC 7515 section 7.1. */
static bool is_compact(struct str token)
{
    size_t parts = 0;
    bool more = true;
    while (more) {
        struct str part;
        more = str_cut(token, '.', &part, &token);
        if (!is_base64url(part) || ++parts > 3) {
            return false;
        }
    }
    return parts == 3;
}

/* RFC 7518 section 6: every member of a key that is bytes. */
static bool is_importable(const json_t *key)
{
    static const char *const members[] = {"n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "k"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *value = json_object_get(key, members[i]);
        if (value != NULL &&
            (!json_is_string(value) ||
             !is_base64url(str_make(json_string_value(value), json_string_length(value))))) {
            return false;
        }
    }
    return true;
}

/* ---- the signature ---- */

static bool algorithm_find(const char *name, cjose_jwk_kty_t *ret_kind)
{
    for (size_t i = 0; name != NULL && i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (strcmp(name, algorithms[i].name) == 0) {
            *ret_kind = algorithms[i].kind;
            return true;
        }
    }
    return false;
}

static bool member_is(const json_t *object, const char *member, const char *text)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value != NULL && strcmp(value, text) == 0;
}

/* Whether a key of the set may be the one: its id, its use. */
static bool key_fits(const json_t *key, const char *kid)
{
    const json_t *use = json_object_get(key, "use");
    if (use != NULL && !member_is(key, "use", "sig")) {
        return false;
    }
    return kid == NULL || member_is(key, "kid", kid);
}

static bool verify_with(cjose_jws_t *jws, const json_t *key, cjose_jwk_kty_t kind)
{
    cjose_err error;
    bool good = false;
    char *text = is_importable(key) ? json_dumps(key, JSON_COMPACT) : NULL;
    cjose_jwk_t *jwk = text != NULL ? cjose_jwk_import(text, strlen(text), &error) : NULL;
    if (jwk != NULL && cjose_jwk_get_kty(jwk, &error) == kind) {
        good = cjose_jws_verify(jws, jwk, &error);
    }
    cjose_jwk_release(jwk);
    free(text);
    return good;
}

/* ERR_NOT_FOUND: no key fits; ERR_INVALID: none that fits verifies it. */
static enum err verify(cjose_jws_t *jws, const json_t *keys, const char *kid, cjose_jwk_kty_t kind)
{
    size_t i;
    const json_t *key;
    enum err err = ERR_NOT_FOUND;
    json_array_foreach(keys, i, key)
    {
        if (key_fits(key, kid)) {
            err = ERR_INVALID;
            if (verify_with(jws, key, kind)) {
                return ERR_OK;
            }
        }
    }
    return err;
}

/* The claims of a token whose signature holds. The header is read by our own eyes as well: cjose
 * does not know "crit". */
static enum err read_signed(struct str token, const json_t *keys, json_t **ret_claims,
                            const char **why)
{
    cjose_err error;
    cjose_jwk_kty_t kind = CJOSE_JWK_KTY_OCT;
    uint8_t *plain = NULL;
    size_t plain_len = 0;
    enum err err = ERR_INVALID;
    cjose_jws_t *jws = is_compact(token) ? cjose_jws_import(token.p, token.len, &error) : NULL;
    cjose_header_t *header = jws != NULL ? cjose_jws_get_protected(jws) : NULL;
    *why = "the token cannot be read";
    if (header == NULL) {
        goto out;
    }
    *why = "the token's algorithm is not one of RS256, ES256";
    if (!algorithm_find(cjose_header_get(header, "alg", &error), &kind)) {
        goto out;
    }
    char *crit = cjose_header_get_raw(header, "crit", &error);
    free(crit);
    *why = "the token demands what is not known here";
    if (crit != NULL) {
        goto out;
    }
    err = verify(jws, keys, cjose_header_get(header, "kid", &error), kind);
    *why = err == ERR_NOT_FOUND ? "no key has the token's id" : "the token's signature is wrong";
    if (err == ERR_OK) {
        err = ERR_INVALID;
        *why = "the token's claims are not JSON";
        if (cjose_jws_get_plaintext(jws, &plain, &plain_len, &error)) {
            *ret_claims = load(str_make((const char *)plain, plain_len));
            err = *ret_claims != NULL ? ERR_OK : ERR_INVALID;
        }
    }
out:
    cjose_jws_release(jws);
    return err;
}

/* ---- the claims ---- */

static bool is_for_us(const json_t *claims, const char *client)
{
    const json_t *audience = json_object_get(claims, "aud");
    const json_t *party = json_object_get(claims, "azp");
    if (party != NULL && !member_is(claims, "azp", client)) {
        return false;
    }
    if (json_is_string(audience)) {
        return strcmp(json_string_value(audience), client) == 0;
    }
    size_t i;
    const json_t *value;
    bool found = false;
    json_array_foreach(audience, i, value)
    {
        const char *text = json_string_value(value);
        found = found || (text != NULL && strcmp(text, client) == 0);
    }
    return found && (json_array_size(audience) == 1 || party != NULL);
}

static bool is_in_time(const json_t *claims, int64_t now_s)
{
    const json_t *end = json_object_get(claims, "exp");
    const json_t *made = json_object_get(claims, "iat");
    const json_t *begin = json_object_get(claims, "nbf");
    if (!json_is_integer(end) || !json_is_integer(made) ||
        (begin != NULL && !json_is_integer(begin))) {
        return false;
    }
    return json_integer_value(end) > now_s - GRACE_S &&
           json_integer_value(made) <= now_s + GRACE_S &&
           json_integer_value(made) >= now_s - AGE_MAX_S &&
           json_integer_value(begin) <= now_s + GRACE_S;
}

static const char *judge(const struct oidc_provider *provider, const json_t *claims,
                         struct str nonce, int64_t now_s)
{
    const char *said = json_string_value(json_object_get(claims, "nonce"));
    if (!member_is(claims, "iss", provider->issuer)) {
        return "the token is another issuer's";
    }
    if (!is_for_us(claims, provider->client_id)) {
        return "the token is for another client";
    }
    if (!is_in_time(claims, now_s)) {
        return "the token is not valid now: is the clock right?";
    }
    if (said == NULL || nonce.len == 0 || !secret_eq(str_from(said), nonce)) {
        return "the token is of another sign-in";
    }
    return NULL;
}

static bool copy_claim(const json_t *claims, const char *member, char to[OIDC_TEXT_MAX])
{
    const json_t *value = json_object_get(claims, member);
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || strlen(text) >= OIDC_TEXT_MAX ||
        strlen(text) != json_string_length(value)) {
        return false;
    }
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool is_in_domains(const struct oidc_provider *provider, const char *address)
{
    const char *at = strrchr(address, '@');
    for (size_t i = 0; at != NULL && at != address && i < provider->n_domains; i++) {
        if (str_eq_nocase(str_from(at + 1), str_from(provider->domains[i]))) {
            return true;
        }
    }
    return false;
}

/* What an account may be matched by (header); empty where nothing may. */
static void take_match(const struct oidc_provider *provider, const json_t *claims,
                       struct oidc_who *who)
{
    char text[OIDC_TEXT_MAX];
    bool by_email = provider->link == OIDC_LINK_EMAIL &&
                    json_is_true(json_object_get(claims, "email_verified")) &&
                    copy_claim(claims, "email", text);
    bool by_name =
        provider->link == OIDC_LINK_USERNAME && copy_claim(claims, "preferred_username", text);
    if ((by_email || by_name) && is_in_domains(provider, text)) {
        for (size_t i = 0; i == 0 || text[i - 1] != '\0'; i++) {
            who->match[i] = ascii_lower(text[i]);
        }
    }
}

static bool shows_mfa(const json_t *claims)
{
    size_t i;
    const json_t *value;
    json_array_foreach(json_object_get(claims, "amr"), i, value)
    {
        const char *text = json_string_value(value);
        if (text != NULL && strcmp(text, "mfa") == 0) {
            return true;
        }
    }
    return false;
}

enum err oidc_token_check(const struct oidc_provider *provider, struct str keys_json,
                          struct str token, struct str nonce, int64_t now_ms,
                          struct oidc_who *ret_who, const char **why)
{
    struct oidc_who who = {{0}};
    json_t *claims = NULL;
    json_t *set = load(keys_json);
    enum err err = read_signed(token, json_object_get(set, "keys"), &claims, why);
    if (err == ERR_OK) {
        const char *fault = judge(provider, claims, nonce, now_ms / SECOND_MS);
        if (fault == NULL && !copy_claim(claims, "sub", who.subject)) {
            fault = "the token names nobody";
        }
        if (fault != NULL) {
            *why = fault;
            err = ERR_INVALID;
        }
    }
    if (err == ERR_OK) {
        (void)copy_claim(claims, "name", who.name);
        take_match(provider, claims, &who);
        who.mfa = provider->trust_mfa && shows_mfa(claims);
        *ret_who = who;
    }
    json_decref(claims);
    json_decref(set);
    return err;
}

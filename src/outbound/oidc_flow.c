/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts of the code flow: where the browser goes, what the token endpoint is asked. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "outbound/oidc.h"
#include "wire/base64.h"

enum { ATTEMPT_BYTES = 32 };

/* 43 characters of base64url: fit for a state, a nonce and a verifier (RFC 7636 section 4.1). */
static void make_text(char to[OIDC_SECRET_MAX + 1])
{
    uint8_t bytes[ATTEMPT_BYTES];
    struct buf text;
    buf_init(&text, OIDC_SECRET_MAX + 1);
    random_bytes(bytes, sizeof(bytes));
    base64url_encode(str_make((const char *)bytes, sizeof(bytes)), &text);
    const char *whole = buf_cstr(&text);
    CHECK(whole != NULL);
    memcpy(to, whole, text.len + 1);
    secret_wipe(bytes, sizeof(bytes));
    secret_wipe(text.p, text.len);
    buf_fini(&text);
}

void oidc_attempt_make(struct oidc_attempt *ret_attempt)
{
    *ret_attempt = (struct oidc_attempt){{0}};
    make_text(ret_attempt->state);
    make_text(ret_attempt->nonce);
    make_text(ret_attempt->verifier);
}

/* All but RFC 3986's unreserved characters, which is right in a query and in a form alike. */
static void append_escaped(struct buf *to, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.p[i];
        if (ascii_is_alpha(text.p[i]) || ascii_is_digit(text.p[i]) ||
            str_index(STR("-._~"), text.p[i]) < 4) {
            buf_append_byte(to, text.p[i]);
        } else {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            buf_append(to, str_make(escape, sizeof(escape)));
        }
    }
}

static void append_pair(struct buf *to, const char *name, struct str value)
{
    buf_append(to, str_from(name));
    buf_append_byte(to, '=');
    append_escaped(to, value);
}

void oidc_authorize_address(const struct oidc_provider *provider,
                            const struct oidc_endpoints *endpoints,
                            const struct oidc_attempt *attempt, struct str redirect, bool silent,
                            struct buf *to)
{
    uint8_t hash[SHA256_BYTES];
    struct str endpoint = str_from(endpoints->authorize);
    sha256(str_from(attempt->verifier), hash);
    buf_append(to, endpoint);
    buf_append_byte(to, str_index(endpoint, '?') < endpoint.len ? '&' : '?');
    buf_append(to, STR("response_type=code&scope=openid%20email%20profile&"));
    append_pair(to, "client_id", str_from(provider->client_id));
    append_pair(to, "&redirect_uri", redirect);
    append_pair(to, "&state", str_from(attempt->state));
    append_pair(to, "&nonce", str_from(attempt->nonce));
    buf_append(to, STR("&code_challenge_method=S256&code_challenge="));
    base64url_encode(str_make((const char *)hash, sizeof(hash)), to);
    if (provider->n_domains == 1) {
        append_pair(to, "&hd", str_from(provider->domains[0])); /* Google's: which account */
    }
    if (silent) {
        buf_append(to, STR("&prompt=none"));
    }
}

/* RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
static void append_basic(const struct oidc_provider *provider, struct buf *header)
{
    struct buf pair;
    buf_init(&pair, 4 * (OIDC_TEXT_MAX + OIDC_SECRET_MAX));
    append_escaped(&pair, str_from(provider->client_id));
    buf_append_byte(&pair, ':');
    append_escaped(&pair, str_from(provider->client_secret));
    buf_append(header, STR("Authorization: Basic "));
    base64_encode(buf_str(&pair), header);
    secret_wipe(pair.p, pair.len);
    buf_fini(&pair);
}

void oidc_token_form(const struct oidc_provider *provider, const struct oidc_endpoints *endpoints,
                     const struct oidc_attempt *attempt, struct str code, struct str redirect,
                     struct buf *form, struct buf *header)
{
    append_pair(form, "grant_type", STR("authorization_code"));
    append_pair(form, "&code", code);
    append_pair(form, "&redirect_uri", redirect);
    append_pair(form, "&code_verifier", str_from(attempt->verifier));
    if (endpoints->secret_in_body) {
        append_pair(form, "&client_id", str_from(provider->client_id));
        append_pair(form, "&client_secret", str_from(provider->client_secret));
    } else {
        append_basic(provider, header);
    }
}

enum err oidc_token_read(struct str json, struct buf *to)
{
    json_error_t error;
    json_t *root =
        json_loadb(json.p != NULL ? json.p : "", json.len, JSON_REJECT_DUPLICATES, &error);
    const json_t *token = json_object_get(root, "id_token");
    enum err err = ERR_INVALID;
    if (json_is_string(token)) {
        buf_append(to, str_make(json_string_value(token), json_string_length(token)));
        err = buf_err(to);
    }
    json_decref(root);
    return err;
}

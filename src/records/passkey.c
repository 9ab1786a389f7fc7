/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passkeys: what a browser answers is checked against what was asked. */
#include "records/passkey.h"

#include <jansson.h>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/signature.h"
#include "records/factor.h"
#include "wire/base64.h"
#include "wire/utf8.h"
#include "wire/webauthn.h"

enum { ARENA_BYTES = 128 * 1024 };

struct answer {
    struct str id, client, data, signature; /* data: the attestation object at registration */
};

/* ---- reading ---- */

static struct str member(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return json_is_string(text) ? str_make(json_string_value(text), json_string_length(text))
                                : STR("");
}

static enum err decode(struct arena *arena, struct str text, struct str *ret_bytes)
{
    struct buf bytes;
    buf_init(&bytes, PASSKEY_ANSWER_MAX);
    enum err err = text.len > 0 ? base64url_decode(text, &bytes) : ERR_INVALID;
    if (err == ERR_OK) {
        *ret_bytes = arena_dup(arena, buf_str(&bytes));
        err = arena->failed ? ERR_MEMORY : ERR_OK;
    }
    buf_fini(&bytes);
    return err;
}

static enum err read_members(struct arena *arena, const json_t *object, bool fresh,
                             struct answer *answer)
{
    ERR_TRY(decode(arena, member(object, "id"), &answer->id));
    ERR_TRY(decode(arena, member(object, "client"), &answer->client));
    ERR_TRY(decode(arena, member(object, fresh ? "attestation" : "data"), &answer->data));
    return fresh ? ERR_OK : decode(arena, member(object, "signature"), &answer->signature);
}

static enum err read_answer(struct arena *arena, struct str text, bool fresh,
                            struct answer *ret_answer)
{
    if (text.len == 0 || text.len > PASSKEY_ANSWER_MAX) {
        return ERR_INVALID;
    }
    json_t *object = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    enum err err = object != NULL ? read_members(arena, object, fresh, ret_answer) : ERR_INVALID;
    json_decref(object);
    return err;
}

/* ---- checking ---- */

/* Section 7.1 steps 7 to 10, 7.2 steps 11 to 14: what the browser says of where it was asked. */
static bool is_ours(struct str client, const char *type, struct str host,
                    const uint8_t challenge[SESSION_CHALLENGE_BYTES])
{
    struct buf origin;
    struct buf want;
    json_t *said = json_loadb(client.p, client.len, JSON_REJECT_DUPLICATES, NULL);
    buf_init(&origin, 512);
    buf_init(&want, 128);
    buf_append(&origin, STR("https://"));
    buf_append(&origin, host);
    base64url_encode(str_make((const char *)challenge, SESSION_CHALLENGE_BYTES), &want);
    bool good = said != NULL && buf_err(&origin) == ERR_OK && buf_err(&want) == ERR_OK &&
                str_eq(member(said, "type"), str_from(type)) &&
                secret_eq(member(said, "challenge"), buf_str(&want)) &&
                str_eq(member(said, "origin"), buf_str(&origin)) &&
                !json_is_true(json_object_get(said, "crossOrigin"));
    buf_fini(&origin);
    buf_fini(&want);
    json_decref(said);
    return good;
}

static struct str without_port(struct str host)
{
    size_t at = host.len;
    while (at > 0 && ascii_is_digit(host.p[at - 1])) {
        at--;
    }
    return at > 0 && at < host.len && host.p[at - 1] == ':' ? str_sub(host, 0, at - 1) : host;
}

static bool is_for_site(const struct webauthn_data *data, struct str host)
{
    uint8_t hash[SHA256_BYTES];
    sha256(without_port(host), hash);
    return str_eq(data->rp_hash, str_make((const char *)hash, sizeof(hash))) &&
           (data->flags & WEBAUTHN_PRESENT) != 0;
}

static enum err check_new(struct engine *engine, const struct actor *actor, struct str host,
                          const struct answer *answer, struct webauthn_data *ret_data)
{
    uint8_t challenge[SESSION_CHALLENGE_BYTES];
    struct cose_key key;
    struct str data;
    enum err err = session_challenge_take(engine->store, actor, challenge);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_INVALID : err;
    }
    if (!is_ours(answer->client, "webauthn.create", host, challenge) ||
        webauthn_parse_attestation(answer->data, &data) != ERR_OK ||
        webauthn_parse_data(data, ret_data) != ERR_OK || !is_for_site(ret_data, host) ||
        (ret_data->flags & WEBAUTHN_CREDENTIAL) == 0 || !str_eq(ret_data->credential, answer->id) ||
        cose_parse_key(ret_data->key, &key) != ERR_OK) {
        return ERR_INVALID;
    }
    return ERR_OK;
}

enum err passkey_register(struct engine *engine, const struct actor *actor, struct str host,
                          struct str label, struct str answer)
{
    struct arena arena;
    struct answer read = {0};
    struct webauthn_data data;
    arena_init(&arena, ARENA_BYTES);
    label = utf8_head(str_trim_space(label), FACTOR_LABEL_MAX);
    enum err err = read_answer(&arena, answer, true, &read);
    if (err == ERR_OK) {
        err = check_new(engine, actor, host, &read, &data);
    }
    if (err == ERR_OK) {
        err = passkey_add(engine, actor, label.len > 0 ? label : STR("Passkey"), data.credential,
                          data.key, data.counter);
    }
    arena_fini(&arena);
    return err;
}

/* Section 7.2 steps 19 and 20: the signature is over the data and the hash of what the browser
 * said. */
static bool is_signed(struct arena *arena, struct str key_bytes, const struct answer *answer)
{
    struct cose_key key;
    uint8_t hash[SHA256_BYTES];
    char *message = arena_alloc(arena, answer->data.len + sizeof(hash));
    if (message == NULL || cose_parse_key(key_bytes, &key) != ERR_OK) {
        return false;
    }
    sha256(answer->client, hash);
    memcpy(message, answer->data.p, answer->data.len);
    memcpy(message + answer->data.len, hash, sizeof(hash));
    struct str bytes = str_make(message, answer->data.len + sizeof(hash));
    switch (key.algorithm) {
    case COSE_UNSET:
        return false;
    case COSE_ES256:
        return signature_is_es256(key.x, key.y, bytes, answer->signature);
    case COSE_EDDSA:
        return signature_is_ed25519(key.x, bytes, answer->signature);
    case COSE_RS256:
        return signature_is_rs256(key.n, key.e, bytes, answer->signature);
    }
    return false;
}

static enum err judge(struct engine *engine, const struct actor *actor, struct arena *arena,
                      struct str host, struct str text)
{
    uint8_t challenge[SESSION_CHALLENGE_BYTES];
    struct answer answer = {0};
    struct webauthn_data data;
    struct str id;
    struct str key;
    int64_t counter;
    ERR_TRY(read_answer(arena, text, false, &answer));
    ERR_TRY(session_challenge_take(engine->store, actor, challenge));
    ERR_TRY(passkey_find(engine, actor, arena, answer.id, &id, &key, &counter));
    if (!is_ours(answer.client, "webauthn.get", host, challenge) ||
        webauthn_parse_data(answer.data, &data) != ERR_OK || !is_for_site(&data, host) ||
        !is_signed(arena, key, &answer)) {
        return ERR_INVALID;
    }
    return passkey_used(engine, actor, id, counter, data.counter);
}

enum err passkey_judge(struct engine *engine, const struct actor *actor, struct str host,
                       struct str answer)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err err = judge(engine, actor, &arena, host, answer);
    arena_fini(&arena);
    return err == ERR_NOT_FOUND ? ERR_INVALID : err;
}

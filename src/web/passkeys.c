/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passkeys: what a page tells the browser's script (assets/passkey.js), and what comes back.
 * Without the script the forms stay hidden, and the other second factors do. */
#include "records/passkey.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "wire/base64.h"

static void set_base64(json_t *object, const char *name, struct str bytes)
{
    struct buf text;
    buf_init(&text, 4096);
    base64url_encode(bytes, &text);
    json_object_set_new(object, name, json_stringn(text.len > 0 ? text.p : "", text.len));
    buf_fini(&text);
}

/* The ids that the account has, one behind the other with spaces between. */
static void set_ids(json_t *object, const json_t *ids)
{
    struct buf text;
    size_t i;
    json_t *id;
    buf_init(&text, 32 * 1024);
    json_array_foreach(ids, i, id)
    {
        buf_append(&text, i > 0 ? STR(" ") : STR(""));
        buf_append(&text, str_from(json_string_value(id)));
    }
    json_object_set_new(object, "ids", json_stringn(text.len > 0 ? text.p : "", text.len));
    buf_fini(&text);
}

enum err sign_add_passkey(struct web_exchange *exchange, const struct actor *actor,
                          json_t *document)
{
    struct engine engine = sign_engine(exchange);
    uint8_t challenge[SESSION_CHALLENGE_BYTES];
    json_t *ids;
    ERR_TRY(session_challenge_make(engine.store, actor, challenge));
    ERR_TRY(passkey_ids(&engine, actor, &ids));
    json_t *options = json_object();
    set_base64(options, "challenge", str_make((const char *)challenge, sizeof(challenge)));
    set_ids(options, ids);
    set_base64(options, "user", actor->account);
    json_object_set_new(options, "name",
                        json_stringn(actor->name.len > 0 ? actor->name.p : "", actor->name.len));
    json_object_set_new(document, "passkey", options);
    json_decref(ids);
    return ERR_OK;
}

/* ---- showing one ---- */

enum web_next web_sign_in_passkey(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    enum err err = sign_actor(exchange, &actor);
    if (err == ERR_OK) {
        err = passkey_judge(&engine, &actor, exchange->request->host,
                            form_text(exchange, STR("answer")));
    }
    if (err == ERR_INVALID) {
        return page_trouble(exchange, 403,
                            STR("This passkey is not one of yours, or the page was open for too "
                                "long. Go back, load the page again and try once more."));
    }
    if (err == ERR_DENIED) {
        return page_trouble(exchange, 403,
                            STR("There may be a copy of this passkey. Take it off your account, "
                                "and tell the technician."));
    }
    return err == ERR_OK ? sign_on(exchange, &actor, actor.now_ms) : page_err(exchange, err);
}

/* ---- adding one ---- */

static enum err add(struct web_exchange *exchange, struct actor *ret_actor)
{
    struct engine engine = sign_engine(exchange);
    ERR_TRY(sign_enrol_actor(exchange, ret_actor));
    return passkey_register(&engine, ret_actor, exchange->request->host,
                            form_text(exchange, STR("label")), form_text(exchange, STR("answer")));
}

static enum web_next not_added(struct web_exchange *exchange, enum err err)
{
    struct str here = exchange->request->path;
    if (err == ERR_DENIED) {
        return page_redirect(exchange, web_path(exchange, "/sign-in/factor?next=%", &here, 1));
    }
    if (err == ERR_INVALID) {
        return page_trouble(exchange, 403,
                            STR("The passkey was not added: the page was open for too long, or the "
                                "browser said something else. Go back and load the page again."));
    }
    if (err == ERR_CONFLICT || err == ERR_LIMIT) {
        return page_trouble(exchange, 409,
                            STR("The passkey was not added: it is in use already, or you have "
                                "ten."));
    }
    return page_err(exchange, err);
}

enum web_next web_sign_in_passkey_add(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = add(exchange, &actor);
    return err == ERR_OK ? sign_on(exchange, &actor, actor.now_ms) : not_added(exchange, err);
}

enum web_next web_account_passkey(struct web_exchange *exchange)
{
    struct actor actor;
    json_t *document = sign_document(exchange, "Add a passkey");
    enum err err = sign_enrol_actor(exchange, &actor);
    if (err == ERR_OK) {
        err = sign_add_passkey(exchange, &actor, document);
    }
    if (err != ERR_OK) {
        json_decref(document);
        return not_added(exchange, err);
    }
    return page_answer(exchange, 200, view_account_passkey, document);
}

enum web_next web_account_passkey_add(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = add(exchange, &actor);
    if (err != ERR_OK) {
        return not_added(exchange, err);
    }
    page_flash(exchange, STR("success"), STR("The passkey is added."));
    return page_redirect(exchange, STR("/account"));
}

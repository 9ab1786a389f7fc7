/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps behind the password: a password of one's own, the second factor, setting one up.
 *
 * Setting up without showing a factor is for accounts that have none; a password is changed here
 * only where it is a one-time one or may be known to others.
 */
#include "crypto/secret.h"
#include "web/qr.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "web/web_impl.h"

enum { URI_MAX = 512, SVG_MAX = 64 * 1024 };

/* ---- the second factor ---- */

static enum web_next show_factor(struct web_exchange *exchange, const struct actor *actor,
                                 unsigned status, const char *fault)
{
    struct engine engine = sign_engine(exchange);
    struct factors factors;
    enum err err = factors_of(&engine, actor, &factors);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    if (!factors_any(&factors)) {
        struct str next = web_next_path(exchange);
        return page_redirect(exchange, web_path(exchange, "/sign-in/set-up?next=%", &next, 1));
    }
    json_t *document = sign_document(exchange, "Show that it is you");
    json_object_set_new(document, "totp", json_boolean(factors.totp));
    json_object_set_new(document, "sheet", json_boolean(factors.sheet_left > 0));
    if (factors.passkey && sign_add_passkey(exchange, actor, document) != ERR_OK) {
        json_object_set_new(document, "passkey", json_null()); /* the others do */
    }
    json_object_set_new(document, "again", json_boolean(exchange->session.stage == SESSION_WHOLE));
    if (fault != NULL) {
        sign_fault(document, "code", fault);
    }
    return page_answer(exchange, status, view_sign_in_factor, document);
}

enum web_next web_sign_in_factor(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = sign_actor(exchange, &actor);
    return err == ERR_OK ? show_factor(exchange, &actor, 200, NULL) : page_err(exchange, err);
}

/* Only where the whole sign-in is new: a page that asks for the factor itself is not remembered. */
static enum err remember(struct web_exchange *exchange, const struct actor *actor)
{
    struct engine engine = sign_engine(exchange);
    struct session_token token;
    if (!form_has(exchange, STR("remember")) || exchange->session.stage == SESSION_WHOLE) {
        return ERR_OK;
    }
    ERR_TRY(computer_remember(&engine, actor, &token));
    cookie_set(exchange, SIGN_COMPUTER_COOKIE, str_from(token.text), COMPUTER_MS / MS_PER_SECOND);
    secret_wipe(&token, sizeof(token));
    return ERR_OK;
}

enum web_next web_sign_in_factor_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    enum err err = sign_actor(exchange, &actor);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    err = factor_judge(&engine, &actor, form_text(exchange, STR("code")));
    if (err == ERR_INVALID) {
        return show_factor(exchange, &actor, SIGN_FAULT_STATUS,
                           "This code is not right, or it was used already. Wait for the next one "
                           "in your app, or take the next one of your sheet.");
    }
    if (err == ERR_DENIED) {
        return show_factor(exchange, &actor, 429,
                           "There were too many wrong codes. Wait 15 minutes, or ask the "
                           "technician.");
    }
    if (err == ERR_OK) {
        err = remember(exchange, &actor);
    }
    return err == ERR_OK ? sign_on(exchange, &actor, actor.now_ms) : page_err(exchange, err);
}

/* ---- setting one up at the first sign-in ---- */

enum err sign_enrol_actor(struct web_exchange *exchange, struct actor *ret_actor)
{
    struct engine engine = sign_engine(exchange);
    struct factors factors;
    bool awaited;
    ERR_TRY(sign_actor(exchange, ret_actor));
    if (ret_actor->account.len == 0) {
        return ERR_NOT_FOUND; /* the sealed credential has no account */
    }
    ERR_TRY(account_awaits_password(&engine, ret_actor, &awaited));
    ERR_TRY(factors_of(&engine, ret_actor, &factors));
    bool shown = exchange->session.stage == SESSION_WHOLE && sign_factor_is_fresh(exchange);
    return awaited || (factors_any(&factors) && !shown) ? ERR_DENIED : ERR_OK;
}

static enum web_next show_set_up(struct web_exchange *exchange, const struct actor *actor,
                                 unsigned status, const char *fault)
{
    struct engine engine = sign_engine(exchange);
    uint8_t secret[TOTP_SECRET_BYTES];
    char text[TOTP_SECRET_CHARS + 1];
    enum err err = factor_totp_begin(&engine, actor, secret);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    totp_print_secret(secret, text);
    json_t *document = sign_document(exchange, "Set up your second factor");
    json_object_set_new(document, "secret", json_string(text));
    secret_wipe(secret, sizeof(secret));
    secret_wipe(text, sizeof(text));
    if (sign_add_passkey(exchange, actor, document) != ERR_OK) {
        json_object_set_new(document, "passkey", json_null()); /* the others do */
    }
    if (fault != NULL) {
        sign_fault(document, "code", fault);
    }
    return page_answer(exchange, status, view_sign_in_set_up, document);
}

static enum web_next not_here(struct web_exchange *exchange, enum err err)
{
    struct str next = web_next_path(exchange);
    return err == ERR_DENIED
               ? page_redirect(exchange, web_path(exchange, "/sign-in/factor?next=%", &next, 1))
               : page_err(exchange, err);
}

enum web_next web_sign_in_set_up(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = sign_enrol_actor(exchange, &actor);
    return err == ERR_OK ? show_set_up(exchange, &actor, 200, NULL) : not_here(exchange, err);
}

enum web_next web_sign_in_set_up_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    enum err err = sign_enrol_actor(exchange, &actor);
    if (err != ERR_OK) {
        return not_here(exchange, err);
    }
    err = factor_totp_confirm(&engine, &actor, form_text(exchange, STR("code")));
    if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
        return show_set_up(exchange, &actor, SIGN_FAULT_STATUS,
                           "This code is not right. Enter the six digits that your app shows now.");
    }
    if (err == ERR_DENIED) {
        return show_set_up(exchange, &actor, 429,
                           "There were too many wrong codes. Wait 15 minutes.");
    }
    return err == ERR_OK ? sign_on(exchange, &actor, actor.now_ms) : page_err(exchange, err);
}

/* The code that an application photographs: its secret is the account's own, and not set up yet. */
enum web_next web_totp_picture(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    uint8_t secret[TOTP_SECRET_BYTES];
    struct buf uri;
    struct buf svg;
    enum err err = sign_enrol_actor(exchange, &actor);
    if (err == ERR_OK) {
        err = factor_totp_begin(&engine, &actor, secret);
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    buf_init(&uri, URI_MAX);
    buf_init(&svg, SVG_MAX);
    totp_print_uri(secret, str_sub(page_school(exchange), 0, 60), actor.name, &uri);
    err = buf_err(&uri);
    if (err == ERR_OK) {
        err = qr_print_svg(buf_str(&uri), &svg);
    }
    enum web_next next = err == ERR_OK
                             ? page_bytes(exchange, STR("image/svg+xml"), STR(""), buf_str(&svg))
                             : page_err(exchange, err);
    secret_wipe(secret, sizeof(secret));
    if (uri.p != NULL) {
        secret_wipe(uri.p, uri.len);
    }
    if (svg.p != NULL) {
        secret_wipe(svg.p, svg.len);
    }
    buf_fini(&uri);
    buf_fini(&svg);
    return next;
}

/* A printed sheet instead of an application; a code of it is asked for next. */
enum web_next web_sign_in_sheet(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    struct sheet sheet;
    enum err err = sign_enrol_actor(exchange, &actor);
    if (err != ERR_OK) {
        return not_here(exchange, err);
    }
    err = sheet_make(&engine, &actor, &sheet);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    struct str next = web_next_path(exchange);
    return sign_show_sheet(exchange, &sheet,
                           web_path(exchange, "/sign-in/factor?next=%", &next, 1));
}

enum web_next sign_show_sheet(struct web_exchange *exchange, struct sheet *sheet, struct str on)
{
    json_t *document = sign_document(exchange, "Your sheet of codes");
    json_t *codes = json_array();
    for (size_t i = 0; i < SHEET_CODES; i++) {
        json_array_append_new(codes, json_string(sheet->codes[i]));
    }
    json_object_set_new(document, "codes", codes);
    json_object_set_new(document, "on", json_stringn(on.p, on.len));
    secret_wipe(sheet, sizeof(*sheet));
    return page_answer(exchange, 200, view_account_sheet, document);
}

/* ---- a password of one's own ---- */

static enum err password_actor(struct web_exchange *exchange, struct actor *ret_actor)
{
    struct engine engine = sign_engine(exchange);
    bool awaited;
    ERR_TRY(sign_actor(exchange, ret_actor));
    ERR_TRY(account_awaits_password(&engine, ret_actor, &awaited));
    return awaited ? ERR_OK : ERR_DENIED;
}

static enum web_next show_password(struct web_exchange *exchange, unsigned status,
                                   const char *field, const char *fault)
{
    json_t *document = sign_document(exchange, "Choose a password of your own");
    if (field != NULL) {
        sign_fault(document, field, fault);
    }
    return page_answer(exchange, status, view_sign_in_password, document);
}

enum web_next web_sign_in_password(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = password_actor(exchange, &actor);
    if (err == ERR_DENIED) {
        return page_redirect(exchange, STR("/sign-in"));
    }
    return err == ERR_OK ? show_password(exchange, 200, NULL, NULL) : page_err(exchange, err);
}

static enum web_next password_made(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    if (exchange->verdict.busy || exchange->verdict.hash.len == 0) {
        return show_password(exchange, 503, "password",
                             "That could not be done just now. Try again in a few seconds.");
    }
    enum err err = password_actor(exchange, &actor);
    if (err == ERR_OK) {
        err = account_set_password(&engine, &actor, exchange->verdict.hash);
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    return sign_on(exchange, &actor, actor.factor_ms);
}

enum web_next web_sign_in_password_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct str password = form_text(exchange, STR("password"));
    struct actor actor;
    struct str log_on;
    enum err err = password_actor(exchange, &actor);
    if (err == ERR_OK) {
        err = account_log_on(&engine, exchange->arena, &actor, &log_on, NULL);
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    const char *fault = account_password_fault(password, log_on, actor.name);
    if (fault != NULL) {
        return show_password(exchange, SIGN_FAULT_STATUS, "password", fault);
    }
    if (!secret_eq(password, form_text(exchange, STR("again")))) {
        return show_password(exchange, SIGN_FAULT_STATUS, "again",
                             "The two passwords are not the same. Type the new one twice.");
    }
    err = sign_ask(exchange, password, true);
    exchange->resume = password_made;
    return err == ERR_OK ? WEB_ASK : page_err(exchange, err);
}

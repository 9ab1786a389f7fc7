/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A person's own account: sessions, password, second factors, and what others must hear of. */
#include "crypto/secret.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "web/web_impl.h"

/* ---- the page ---- */

enum web_next web_account(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    enum err err = exchange->actor.account.len > 0
                       ? account_mine(&engine, &exchange->actor, &document)
                       : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_object_set_new(document, "title", json_string("Your account"));
    json_object_set_new(document, "crumbs",
                        json_pack("[{s:s, s:s}]", "text", "Start", "href", "/"));
    json_object_set_new(document, "sso", sign_ways(exchange, STR("/account")));
    err = gate_add_own(exchange, document);
    if (err != ERR_OK) {
        json_decref(document);
        return page_err(exchange, err);
    }
    return page_answer(exchange, 200, view_account, document);
}

/* Back to the page, with a note. */
static enum web_next back(struct web_exchange *exchange, enum err err, struct str note)
{
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"), note);
    return page_redirect(exchange, STR("/account"));
}

enum web_next web_account_session_end(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    if (str_eq(exchange->parameters[0], exchange->actor.session)) {
        return page_redirect(exchange, STR("/account"));
    }
    return back(exchange, session_end(&engine, &exchange->actor, exchange->parameters[0]),
                STR("Signed out there."));
}

enum web_next web_account_sessions_end(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    return back(exchange, session_end_others(&engine, &exchange->actor),
                STR("You are signed out everywhere but here."));
}

/* R95: told at once, before anything else is asked. */
enum web_next web_account_compromised(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    enum err err = exchange->actor.account.len > 0 ? account_compromised(&engine, &exchange->actor)
                                                   : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    return page_redirect(exchange, STR("/sign-in/password?next=%2Faccount"));
}

/* ---- the password ---- */

static enum web_next show_password(struct web_exchange *exchange, unsigned status,
                                   const char *field, const char *fault)
{
    json_t *document = sign_document(exchange, "Change your password");
    if (field != NULL) {
        sign_fault(document, field, fault);
    }
    return page_answer(exchange, status, view_account_password, document);
}

enum web_next web_account_password(struct web_exchange *exchange)
{
    return show_password(exchange, 200, NULL, NULL);
}

static enum web_next password_made(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    if (exchange->verdict.busy || exchange->verdict.hash.len == 0) {
        return show_password(exchange, 503, "password",
                             "That could not be done just now. Try again in a few seconds.");
    }
    enum err err = account_set_password(&engine, &exchange->actor, exchange->verdict.hash);
    return back(exchange, err,
                STR("Your password is changed. You are signed out everywhere but here."));
}

static enum web_next old_judged(struct web_exchange *exchange)
{
    if (exchange->verdict.busy) {
        return show_password(exchange, 503, "old",
                             "That could not be done just now. Try again in a few seconds.");
    }
    if (exchange->verdict.locked) {
        return show_password(exchange, 429, "old",
                             "There were too many wrong tries. Wait 15 minutes.");
    }
    if (!exchange->verdict.right) {
        return show_password(exchange, SIGN_FAULT_STATUS, "old",
                             "This is not the password that you have now.");
    }
    enum err err = sign_ask(exchange, form_text(exchange, STR("password")), true);
    exchange->resume = password_made;
    return err == ERR_OK ? WEB_ASK : page_err(exchange, err);
}

enum web_next web_account_password_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct str password = form_text(exchange, STR("password"));
    struct str log_on;
    struct str hash;
    enum err err = exchange->actor.account.len > 0
                       ? account_log_on(&engine, exchange->arena, &exchange->actor, &log_on, &hash)
                       : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    const char *fault = account_password_fault(password, log_on, exchange->actor.name);
    if (fault != NULL) {
        return show_password(exchange, SIGN_FAULT_STATUS, "password", fault);
    }
    if (!secret_eq(password, form_text(exchange, STR("again")))) {
        return show_password(exchange, SIGN_FAULT_STATUS, "again",
                             "The two passwords are not the same. Type the new one twice.");
    }
    if (sign_ask(exchange, form_text(exchange, STR("old")), false) != ERR_OK) {
        return show_password(exchange, SIGN_FAULT_STATUS, "old",
                             "This is not the password that you have now.");
    }
    exchange->question.hash = hash;
    exchange->question.account = account_fold(exchange->arena, log_on);
    exchange->resume = old_judged;
    return WEB_ASK;
}

/* ---- second factors ---- */

/* Who has one shows it first; then they come back here. */
static enum web_next not_yet(struct web_exchange *exchange, enum err err)
{
    struct str here = exchange->request->path;
    return err == ERR_DENIED
               ? page_redirect(exchange, web_path(exchange, "/sign-in/factor?next=%", &here, 1))
               : page_err(exchange, err);
}

static enum web_next show_totp(struct web_exchange *exchange, const struct actor *actor,
                               unsigned status, const char *fault)
{
    struct engine engine = sign_engine(exchange);
    uint8_t secret[TOTP_SECRET_BYTES];
    char text[TOTP_SECRET_CHARS + 1];
    enum err err = factor_totp_begin(&engine, actor, secret);
    if (err == ERR_LIMIT) {
        return page_trouble(exchange, 409, STR("You have ten already. Take one off first."));
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    totp_print_secret(secret, text);
    json_t *document = sign_document(exchange, "Add an authenticator app");
    json_object_set_new(document, "secret", json_string(text));
    secret_wipe(secret, sizeof(secret));
    secret_wipe(text, sizeof(text));
    if (fault != NULL) {
        sign_fault(document, "code", fault);
    }
    return page_answer(exchange, status, view_account_totp, document);
}

enum web_next web_account_totp(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = sign_enrol_actor(exchange, &actor);
    return err == ERR_OK ? show_totp(exchange, &actor, 200, NULL) : not_yet(exchange, err);
}

enum web_next web_account_totp_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    enum err err = sign_enrol_actor(exchange, &actor);
    if (err != ERR_OK) {
        return not_yet(exchange, err);
    }
    err = factor_totp_confirm(&engine, &actor, form_text(exchange, STR("code")));
    if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
        return show_totp(exchange, &actor, SIGN_FAULT_STATUS,
                         "This code is not right. Enter the six digits that your app shows now.");
    }
    if (err == ERR_DENIED) {
        return show_totp(exchange, &actor, 429,
                         "There were too many wrong codes. Wait 15 minutes.");
    }
    return back(exchange, err, STR("The app is set up."));
}

enum web_next web_account_sheet(struct web_exchange *exchange)
{
    struct actor actor;
    enum err err = sign_enrol_actor(exchange, &actor);
    return err == ERR_OK ? page_answer(exchange, 200, view_account_sheet_new,
                                       sign_document(exchange, "Print a sheet of codes"))
                         : not_yet(exchange, err);
}

enum web_next web_account_sheet_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    struct sheet sheet;
    enum err err = sign_enrol_actor(exchange, &actor);
    if (err != ERR_OK) {
        return not_yet(exchange, err);
    }
    err = sheet_make(&engine, &actor, &sheet);
    return err == ERR_OK ? sign_show_sheet(exchange, &sheet, STR("/account"))
                         : page_err(exchange, err);
}

enum web_next web_account_factor_remove(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    enum err err = factor_remove(&engine, &exchange->actor, exchange->parameters[0]);
    return err == ERR_CONFLICT
               ? page_trouble(exchange, 409,
                              STR("Your role asks for a second factor, and this is your last one. "
                                  "Add another first."))
               : back(exchange, err, STR("It is taken off."));
}

/* ---- notices ---- */

enum web_next web_notices(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    enum err err = notice_list(&engine, &exchange->actor, &document);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_object_set_new(document, "title", json_string("Notices"));
    json_object_set_new(document, "crumbs",
                        json_pack("[{s:s, s:s}]", "text", "Start", "href", "/"));
    return page_answer(exchange, 200, view_notices, document);
}

enum web_next web_notice_seen(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    enum err err = notice_seen(&engine, &exchange->actor, exchange->parameters[0]);
    return err == ERR_OK ? page_redirect(exchange, web_next_path(exchange))
                         : page_err(exchange, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing in by name and password, signing out, and the sealed credential of the safe.
 *
 * A name that is nobody's takes the same way as one that is somebody's: a look into the store, one
 * password hash in auth, the same words. Guesses are counted by what was typed.
 */
#include "base/clock.h"
#include "crypto/secret.h"
#include "records/glass.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "web/web_impl.h"

struct signing {
    struct account account;
    bool known;
};

/* ---- what the pages of signing in share ---- */

struct engine sign_engine(const struct web_exchange *exchange)
{
    return (struct engine){.store = exchange->web->options.store,
                           .keys = exchange->web->options.keys};
}

json_t *sign_ways(struct web_exchange *exchange, struct str next)
{
    const struct web_providers *providers = exchange->web->options.providers;
    json_t *ways = json_array();
    for (size_t i = 0; providers != NULL && i < providers->n; i++) {
        const struct str places[] = {str_from(providers->items[i].name), next};
        struct str href = web_path(exchange, "/sign-in/with/%?next=%", places, 2);
        json_array_append_new(ways, json_pack("{s:s, s:s%}", "text", providers->items[i].label,
                                              "href", href.p, href.len));
    }
    return ways;
}

json_t *sign_document(struct web_exchange *exchange, const char *title)
{
    struct str next = web_next_path(exchange);
    return json_pack("{s:s, s:s%, s:{}, s:[], s:o}", "title", title, "next", next.p, next.len,
                     "faults", "errors", "sso", sign_ways(exchange, next));
}

void sign_fault(json_t *document, const char *field, const char *text)
{
    char href[64] = "#";
    json_object_set_new(json_object_get(document, "faults"), field, json_string(text));
    memcpy(href + 1, field, strnlen(field, sizeof(href) - 2));
    json_array_append_new(json_object_get(document, "errors"),
                          json_pack("{s:s, s:s}", "text", text, "href", href));
}

enum err sign_actor(struct web_exchange *exchange, struct actor *ret_actor)
{
    struct engine engine = sign_engine(exchange);
    if (exchange->session.stage == SESSION_WHOLE) {
        *ret_actor = exchange->actor;
        return ERR_OK;
    }
    *ret_actor = (struct actor){.now_ms = exchange->request->now_ms};
    ret_actor->today = clock_british_day(exchange->request->now_ms);
    memcpy(ret_actor->client, exchange->request->client, sizeof(ret_actor->client));
    return session_actor(&engine, exchange->arena, &exchange->session, ret_actor);
}

enum err sign_ask(struct web_exchange *exchange, struct str password, bool make)
{
    if (password.len > sizeof(exchange->question.password)) {
        return ERR_LIMIT;
    }
    exchange->question.make = make;
    if (password.len > 0) {
        memcpy(exchange->question.password, password.p, password.len);
    }
    exchange->question.password_len = password.len;
    return ERR_OK;
}

bool sign_factor_is_fresh(const struct web_exchange *exchange)
{
    int64_t since_ms = exchange->request->now_ms - exchange->session.factor_ms;
    return exchange->session.factor_ms != 0 && since_ms >= 0 && since_ms < WEB_FACTOR_MS;
}

/* ---- the next step ---- */

enum step { STEP_PASSWORD, STEP_FACTOR, STEP_SET_UP, STEP_IN };

static enum err next_step(struct web_exchange *exchange, const struct actor *actor,
                          int64_t factor_ms, enum step *ret_step)
{
    struct engine engine = sign_engine(exchange);
    struct factors factors;
    bool awaited;
    bool known;
    ERR_TRY(account_awaits_password(&engine, actor, &awaited));
    if (awaited) {
        *ret_step = STEP_PASSWORD;
        return ERR_OK;
    }
    ERR_TRY(factors_of(&engine, actor, &factors));
    ERR_TRY(computer_is_known(&engine, actor, cookie_text(exchange, SIGN_COMPUTER_COOKIE), &known));
    if (factors_any(&factors)) {
        *ret_step = factor_ms != 0 || known ? STEP_IN : STEP_FACTOR;
    } else {
        *ret_step = permit_needs_factor(actor->roles) ? STEP_SET_UP : STEP_IN;
    }
    return ERR_OK;
}

static enum web_next go_on(struct web_exchange *exchange, const struct actor *actor,
                           struct str next, int64_t factor_ms)
{
    static const char *const paths[] = {
        [STEP_PASSWORD] = "/sign-in/password?next=%",
        [STEP_FACTOR] = "/sign-in/factor?next=%",
        [STEP_SET_UP] = "/sign-in/set-up?next=%",
    };
    struct engine engine = sign_engine(exchange);
    struct session_token token;
    enum step step = STEP_IN;
    enum err err = next_step(exchange, actor, factor_ms, &step);
    if (err == ERR_OK) {
        err = session_begin(&engine, actor, step == STEP_IN ? SESSION_WHOLE : SESSION_PASSWORD,
                            factor_ms, &token);
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    cookie_set(exchange, WEB_SESSION_COOKIE, str_from(token.text), 0);
    secret_wipe(&token, sizeof(token));
    return page_redirect(exchange,
                         step == STEP_IN ? next : web_path(exchange, paths[step], &next, 1));
}

enum web_next sign_on(struct web_exchange *exchange, const struct actor *actor, int64_t factor_ms)
{
    return go_on(exchange, actor, web_next_path(exchange), factor_ms);
}

/* ---- name and password ---- */

static enum web_next show_sign_in(struct web_exchange *exchange, unsigned status, const char *field,
                                  const char *fault)
{
    struct str typed = form_text(exchange, STR("account"));
    json_t *document = sign_document(exchange, "Sign in");
    json_object_set_new(document, "typed",
                        json_pack("{s:s%}", "account", typed.p != NULL ? typed.p : "", typed.len));
    if (field != NULL) {
        sign_fault(document, field, fault);
    }
    return page_answer(exchange, status, view_sign_in, document);
}

enum web_next web_sign_in(struct web_exchange *exchange)
{
    return exchange->session.stage == SESSION_WHOLE
               ? page_redirect(exchange, web_next_path(exchange))
               : show_sign_in(exchange, 200, NULL, NULL);
}

/* The session that this browser had before, where it is the same person's, ends with the new one.
 */
static void take_over(const struct web_exchange *exchange, struct actor *actor)
{
    if (str_eq(exchange->session.account, actor->account)) {
        actor->session = exchange->session.id;
    }
}

enum web_next sign_account(struct web_exchange *exchange, const struct account *account,
                           struct str next, int64_t factor_ms)
{
    struct actor actor = {.now_ms = exchange->request->now_ms};
    struct engine engine = sign_engine(exchange);
    if (account->class_group.len > 0) {
        return show_sign_in(exchange, SIGN_FAULT_STATUS, "account",
                            "This log-on is for a class’s computers. Sign in with your own.");
    }
    actor.today = clock_british_day(actor.now_ms);
    memcpy(actor.client, exchange->request->client, sizeof(actor.client));
    const struct session as = {
        .school = account->school, .account = account->id, .person = account->person};
    enum err err = session_actor(&engine, exchange->arena, &as, &actor);
    if (err == ERR_DENIED) {
        return show_sign_in(exchange, SIGN_FAULT_STATUS, "account",
                            "You have no role at the school today. Ask the school office.");
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    take_over(exchange, &actor);
    return go_on(exchange, &actor, next, factor_ms);
}

static enum web_next judged(struct web_exchange *exchange)
{
    const struct signing *signing = exchange->work;
    if (exchange->verdict.busy) {
        return show_sign_in(exchange, 503, "password",
                            "Too many people are signing in. Wait a few seconds, then try again.");
    }
    if (exchange->verdict.locked) {
        return show_sign_in(exchange, 429, "password",
                            "There were too many wrong tries from this computer. Wait 15 minutes, "
                            "or ask the technician for a new password.");
    }
    if (!exchange->verdict.right || !signing->known) {
        return show_sign_in(exchange, SIGN_FAULT_STATUS, "password",
                            "The log-on or the password is not right. Check both and try again.");
    }
    return sign_account(exchange, &signing->account, web_next_path(exchange), 0);
}

enum web_next web_sign_in_send(struct web_exchange *exchange)
{
    struct str name = form_text(exchange, STR("account"));
    struct str password = form_text(exchange, STR("password"));
    struct signing *signing = arena_alloc(exchange->arena, sizeof(*signing));
    if (signing == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    if (str_trim_space(name).len == 0) {
        return show_sign_in(exchange, SIGN_FAULT_STATUS, "account", "Enter your log-on.");
    }
    if (password.len == 0) {
        return show_sign_in(exchange, SIGN_FAULT_STATUS, "password", "Enter your password.");
    }
    if (sign_ask(exchange, password, false) != ERR_OK) {
        return show_sign_in(exchange, SIGN_FAULT_STATUS, "password",
                            "The log-on or the password is not right. Check both and try again.");
    }
    enum err err = account_find(exchange->web->options.store, exchange->arena, name,
                                exchange->request->now_ms, &signing->account);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        secret_wipe(exchange->question.password, sizeof(exchange->question.password));
        return page_err(exchange, err);
    }
    signing->known = err == ERR_OK;
    exchange->question.hash = signing->known ? signing->account.hash : STR("");
    exchange->question.account = account_fold(exchange->arena, name);
    exchange->work = signing;
    exchange->resume = judged;
    return WEB_ASK;
}

enum web_next web_sign_out(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor;
    enum err err = sign_actor(exchange, &actor);
    if (err == ERR_OK) {
        err = session_end(&engine, &actor, actor.session);
    }
    if (err != ERR_OK && err != ERR_DENIED && err != ERR_NOT_FOUND) {
        return page_err(exchange, err);
    }
    cookie_set(exchange, WEB_SESSION_COOKIE, STR("x"), -1);
    return page_redirect(exchange, STR("/sign-in"));
}

/* ---- the sealed credential ---- */

static json_t *emergency_document(struct web_exchange *exchange)
{
    struct str name = form_text(exchange, STR("name"));
    struct str reason = form_text(exchange, STR("reason"));
    json_t *document = sign_document(exchange, "Open the sealed credential");
    json_object_set_new(document, "typed",
                        json_pack("{s:s%, s:s%}", "name", name.p != NULL ? name.p : "", name.len,
                                  "reason", reason.p != NULL ? reason.p : "", reason.len));
    return document;
}

enum web_next web_sign_in_emergency(struct web_exchange *exchange)
{
    return page_answer(exchange, 200, view_sign_in_emergency, emergency_document(exchange));
}

enum web_next web_sign_in_emergency_send(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct actor actor = {.now_ms = exchange->request->now_ms};
    struct session_token token;
    memcpy(actor.client, exchange->request->client, sizeof(actor.client));
    enum err err =
        glass_break(&engine, exchange->arena, &actor, form_text(exchange, STR("code")),
                    form_text(exchange, STR("name")), form_text(exchange, STR("reason")), &token);
    if (err == ERR_OK) {
        cookie_set(exchange, WEB_SESSION_COOKIE, str_from(token.text), 0);
        secret_wipe(&token, sizeof(token));
        return page_redirect(exchange, STR("/"));
    }
    if (err != ERR_INVALID && err != ERR_NOT_FOUND) {
        return page_err(exchange, err);
    }
    json_t *document = emergency_document(exchange);
    if (err == ERR_NOT_FOUND) {
        sign_fault(document, "code",
                   "This is not the school’s sealed credential, or it was used already. "
                   "Check each letter.");
    } else {
        if (!glass_is_name(form_text(exchange, STR("name")))) {
            sign_fault(document, "name", "Enter your name, in up to 100 characters.");
        }
        if (!glass_is_reason(form_text(exchange, STR("reason")))) {
            sign_fault(document, "reason", "Enter why you open it, in up to 500 characters.");
        }
    }
    return page_answer(exchange, SIGN_FAULT_STATUS, view_sign_in_emergency, document);
}

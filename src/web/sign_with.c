/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing in at a provider of single sign-on (docs/running.md): to the console here, at the gate in
 * gate.c, by the same way.
 *
 * What was sent along (state, nonce, verifier) rests in a cookie of this browser for ten minutes
 * and counts once: a code that somebody else's browser was given opens nothing here. A second
 * factor is asked for as after a password, but where the provider vouches for one and the operator
 * trusts it.
 */
#include "base/num.h"
#include "crypto/secret.h"
#include "outbound/oidc.h"
#include "records/account.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "web/web_impl.h"
#include "wire/base64.h"

#define WITH_COOKIE STR("__Host-lodge-with")

enum { WITH_SECONDS = 600, WITH_COOKIE_MAX = 3584, CLIENT_BYTES = 16 };

static bool is_of_the_gate(const struct sign_with *with)
{
    return with->kind == SIGN_WITH_GATE || with->kind == SIGN_WITH_SILENT;
}

size_t sign_provider_find(const struct web_exchange *exchange, struct str name)
{
    const struct web_providers *providers = exchange->web->options.providers;
    size_t i = 0;
    while (providers != NULL && i < providers->n &&
           !str_eq(name, str_from(providers->items[i].name))) {
        i++;
    }
    return providers != NULL && i < providers->n ? i : SIZE_MAX;
}

/* ---- the cookie: provider.kind.state.nonce.verifier.base64url(client next) ---- */

/* client: the address that began it. */
static void with_keep(struct web_exchange *exchange, const struct sign_with *with)
{
    struct buf value;
    struct buf rest;
    buf_init(&value, WITH_COOKIE_MAX);
    buf_init(&rest, CLIENT_BYTES + SIGN_NEXT_MAX);
    buf_printf(&value, "%u.%c.%s.%s.%s.", with->provider, (char)with->kind, with->attempt.state,
               with->attempt.nonce, with->attempt.verifier);
    buf_append(&rest, str_make((const char *)exchange->request->client, CLIENT_BYTES));
    buf_append(&rest, with->next);
    base64url_encode(buf_str(&rest), &value);
    buf_fini(&rest);
    if (buf_err(&value) == ERR_OK) {
        cookie_set(exchange, WITH_COOKIE, buf_str(&value), WITH_SECONDS);
    }
    secret_wipe(value.p, value.len);
    buf_fini(&value);
}

static bool take_text(struct str *rest, char *to, size_t size)
{
    struct str part;
    if (!str_cut(*rest, '.', &part, rest) || part.len == 0 || part.len >= size) {
        return false;
    }
    memcpy(to, part.p, part.len);
    to[part.len] = '\0';
    return true;
}

static bool take_rest(struct web_exchange *exchange, struct str text, struct sign_with *with)
{
    struct buf rest;
    buf_init(&rest, CLIENT_BYTES + SIGN_NEXT_MAX);
    bool good = base64url_decode(text, &rest) == ERR_OK && rest.len >= CLIENT_BYTES;
    if (good) {
        with->same_client = memcmp(rest.p, exchange->request->client, CLIENT_BYTES) == 0;
        with->next = arena_dup(exchange->arena, str_skip(buf_str(&rest), CLIENT_BYTES));
    }
    buf_fini(&rest);
    return good;
}

static bool take_kind(struct str text, enum sign_with_kind *ret_kind)
{
    static const enum sign_with_kind kinds[] = {SIGN_WITH_CONSOLE, SIGN_WITH_LINK, SIGN_WITH_GATE,
                                                SIGN_WITH_SILENT};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (text.len == 1 && text.p[0] == (char)kinds[i]) {
            *ret_kind = kinds[i];
            return true;
        }
    }
    return false;
}

static bool with_read(struct web_exchange *exchange, struct sign_with *ret_with)
{
    struct str rest = cookie_text(exchange, WITH_COOKIE);
    struct str number;
    struct str kind;
    uint64_t provider;
    if (!str_cut(rest, '.', &number, &rest) || !str_cut(rest, '.', &kind, &rest) ||
        parse_u64(number, 0, OIDC_PROVIDERS_MAX - 1, &provider) != ERR_OK) {
        return false;
    }
    ret_with->provider = (uint32_t)provider;
    return take_kind(kind, &ret_with->kind) &&
           take_text(&rest, ret_with->attempt.state, sizeof(ret_with->attempt.state)) &&
           take_text(&rest, ret_with->attempt.nonce, sizeof(ret_with->attempt.nonce)) &&
           take_text(&rest, ret_with->attempt.verifier, sizeof(ret_with->attempt.verifier)) &&
           take_rest(exchange, rest, ret_with) &&
           (is_of_the_gate(ret_with) || web_path_is_ours(ret_with->next));
}

/* ---- what the two ways share ---- */

static enum web_next fail(struct web_exchange *exchange, unsigned status, const char *sentence)
{
    json_t *document = sign_document(exchange, "Sign in");
    sign_fault(document, "account", sentence);
    return page_answer(exchange, status, view_sign_in, document);
}

static struct str redirect_address(struct web_exchange *exchange)
{
    struct buf text;
    buf_init(&text, OIDC_TEXT_MAX);
    buf_printf(&text, "https://%.*s/sign-in/back", STR_ARG(exchange->request->host));
    struct str address = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return address;
}

static enum web_next ask(struct web_exchange *exchange, struct sign_with *with, struct str code,
                         enum web_next (*resume)(struct web_exchange *exchange))
{
    exchange->work = with;
    exchange->provider_question = (struct web_provider_question){
        .provider = with->provider,
        .attempt = with->attempt,
        .silent = with->kind == SIGN_WITH_SILENT,
        .redirect = redirect_address(exchange),
        .code = code,
    };
    exchange->resume = resume;
    return WEB_ASK_PROVIDER;
}

/* ---- going there ---- */

static enum web_next go(struct web_exchange *exchange)
{
    const struct sign_with *with = exchange->work;
    if (!exchange->provider_answer.good) {
        return is_of_the_gate(with)
                   ? gate_came_back(exchange, with, ERR_AGAIN, NULL)
                   : fail(exchange, 503,
                          "That way of signing in does not answer. Use your log-on and password, "
                          "or try again in a minute.");
    }
    exchange->status = 303;
    web_header(exchange, STR("Location"), str_from(exchange->provider_answer.address));
    return WEB_DONE;
}

enum web_next sign_with_go(struct web_exchange *exchange, size_t provider, enum sign_with_kind kind,
                           struct str next)
{
    struct sign_with *with = arena_alloc(exchange->arena, sizeof(*with));
    if (with == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    *with = (struct sign_with){.provider = (uint32_t)provider,
                               .kind = kind,
                               .next = next.len < SIGN_NEXT_MAX ? next : STR("/")};
    oidc_attempt_make(&with->attempt);
    with_keep(exchange, with);
    return ask(exchange, with, STR(""), go);
}

enum web_next web_sign_in_with(struct web_exchange *exchange)
{
    size_t provider = sign_provider_find(exchange, exchange->parameters[0]);
    if (provider == SIZE_MAX) {
        return page_trouble(exchange, 404, STR("Your school does not sign in that way."));
    }
    bool link = exchange->session.stage == SESSION_WHOLE;
    return sign_with_go(exchange, provider, link ? SIGN_WITH_LINK : SIGN_WITH_CONSOLE,
                        web_next_path(exchange));
}

/* ---- coming back ---- */

/* The account of who it is: linked before, or matched by what the provider vouches for. */
static enum err find_account(struct web_exchange *exchange, const struct oidc_who *who,
                             struct str issuer, struct account *account)
{
    struct engine engine = sign_engine(exchange);
    struct store *store = exchange->web->options.store;
    enum err err =
        account_find_identity(store, exchange->arena, issuer, str_from(who->subject), account);
    if (err != ERR_NOT_FOUND || who->match[0] == '\0') {
        return err;
    }
    ERR_TRY(account_find_match(store, exchange->arena, str_from(who->match), account));
    struct actor actor = {.school = account->school,
                          .account = account->id,
                          .person = account->person,
                          .now_ms = exchange->request->now_ms};
    memcpy(actor.client, exchange->request->client, sizeof(actor.client));
    return account_link_match(&engine, &actor, issuer, str_from(who->subject));
}

static enum web_next link_own(struct web_exchange *exchange, const struct oidc_who *who,
                              struct str issuer)
{
    struct engine engine = sign_engine(exchange);
    enum err err = account_link_identity(&engine, &exchange->actor, issuer, str_from(who->subject));
    if (err == ERR_CONFLICT) {
        return page_trouble(exchange, 409,
                            STR("That sign-in belongs to another account here. Ask the "
                                "technician."));
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"), STR("You can sign in that way from now on."));
    return page_redirect(exchange, STR("/account"));
}

static enum web_next come_back(struct web_exchange *exchange)
{
    const struct sign_with *with = exchange->work;
    const struct web_provider_answer *answer = &exchange->provider_answer;
    struct account account;
    if (is_of_the_gate(with)) {
        enum err known =
            answer->good ? find_account(exchange, &answer->who, str_from(answer->issuer), &account)
                         : ERR_INVALID;
        return gate_came_back(exchange, with, known, &account);
    }
    if (!answer->good) {
        return fail(exchange, SIGN_FAULT_STATUS,
                    "You could not be signed in that way. Try again, or use your log-on and "
                    "password.");
    }
    if (with->kind == SIGN_WITH_LINK && exchange->session.stage == SESSION_WHOLE) {
        return link_own(exchange, &answer->who, str_from(answer->issuer));
    }
    enum err err = find_account(exchange, &answer->who, str_from(answer->issuer), &account);
    if (err == ERR_NOT_FOUND || err == ERR_CONFLICT) {
        return fail(exchange, SIGN_FAULT_STATUS,
                    "Nobody here is known by that sign-in. Use your log-on and password; then you "
                    "can add it under Your account.");
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    return sign_account(exchange, &account, with->next,
                        answer->who.mfa ? exchange->request->now_ms : 0);
}

enum web_next web_sign_in_back(struct web_exchange *exchange)
{
    struct sign_with *with = arena_alloc(exchange->arena, sizeof(*with));
    struct str code = query_text(exchange, STR("code"));
    struct str state = query_text(exchange, STR("state"));
    if (with == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    bool known = with_read(exchange, with) && secret_eq(state, str_from(with->attempt.state));
    cookie_set(exchange, WITH_COOKIE, STR("x"), -1);
    if (!known) {
        return fail(exchange, SIGN_FAULT_STATUS,
                    "This sign-in was begun elsewhere or took longer than ten minutes. Begin "
                    "again.");
    }
    bool coded = code.len != 0 && code.len < OIDC_CODE_MAX;
    if (is_of_the_gate(with) && (!coded || !with->same_client)) {
        return gate_came_back(exchange, with, coded ? ERR_CONFLICT : ERR_DENIED, NULL);
    }
    if (!coded) {
        return fail(exchange, SIGN_FAULT_STATUS,
                    "You were not signed in. Try again, or use your log-on and password.");
    }
    return ask(exchange, with, code, come_back);
}

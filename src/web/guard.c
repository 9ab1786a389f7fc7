/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks, and whether they may reach a page at all: the session, its stage, and whether a form is
 * our own. What a page may show is decided by records/, behind this. */
#include <string.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "web/web_impl.h"

/* ---- the session ---- */

static enum err load_actor(struct web_exchange *exchange)
{
    struct store *store = exchange->web->options.store;
    const struct session *session = &exchange->session;
    struct actor *actor = &exchange->actor;
    actor->now_ms = exchange->request->now_ms;
    actor->today = clock_british_day(exchange->request->now_ms);
    memcpy(actor->client, exchange->request->client, sizeof(actor->client));
    struct engine engine = {store, exchange->web->options.keys};
    return session_actor(&engine, exchange->arena, session, actor);
}

static void sign_out(struct web_exchange *exchange)
{
    exchange->session = (struct session){.stage = SESSION_NONE};
    exchange->actor = (struct actor){.now_ms = exchange->request->now_ms};
}

enum err web_guard_load(struct web_exchange *exchange)
{
    struct str token = cookie_text(exchange, WEB_SESSION_COOKIE);
    sign_out(exchange);
    if (token.len == 0) {
        return ERR_OK;
    }
    ERR_TRY(session_find(exchange->web->options.store, exchange->arena, token,
                         exchange->request->now_ms, &exchange->session));
    if (exchange->session.stage != SESSION_WHOLE) {
        return ERR_OK;
    }
    enum err err = load_actor(exchange);
    if (err != ERR_OK) {
        sign_out(exchange);
    }
    /* A person who is no longer there, or has no role left, has no session. */
    return err == ERR_DENIED ? ERR_OK : err;
}

/* ---- forms of our own ---- */

/* What a browser says of where a form stood; nothing said is not enough by itself. */
enum place { PLACE_UNSAID, PLACE_OURS, PLACE_OTHER };

static enum place place_of(const struct web_request *request)
{
    enum place place = PLACE_UNSAID;
    if (request->fetch_site.len != 0) {
        if (!str_eq(request->fetch_site, STR("same-origin"))) {
            return PLACE_OTHER;
        }
        place = PLACE_OURS;
    }
    if (request->origin.len != 0) {
        struct str host = str_skip(request->origin, sizeof("https://") - 1);
        if (!str_starts(request->origin, STR("https://")) || !str_eq_nocase(host, request->host)) {
            return PLACE_OTHER;
        }
        place = PLACE_OURS;
    }
    return place;
}

static bool has_token(const struct web_exchange *exchange)
{
    struct str sent =
        exchange->request->csrf.len != 0 ? exchange->request->csrf : exchange->form->csrf;
    struct str want = str_from(exchange->session.csrf);
    return want.len != 0 && secret_eq(sent, want);
}

/* JSON is taken as ours without more where there is no session: a browser sends it to another host
 * only after asking that host, which never agrees (no CORS). */
static bool is_json(const struct web_exchange *exchange)
{
    return str_eq_nocase(web_media_type(exchange->request->content_type), STR("application/json"));
}

static bool is_our_form(const struct web_exchange *exchange, const struct web_route *route)
{
    enum place place = place_of(exchange->request);
    if (place == PLACE_OTHER) {
        return false;
    }
    if (route->guard == GUARD_OPEN || exchange->session.stage == SESSION_NONE) {
        return place == PLACE_OURS || is_json(exchange) || has_token(exchange);
    }
    return has_token(exchange);
}

/* ---- stages ---- */

static bool is_far_enough(const struct web_exchange *exchange, enum web_guard guard)
{
    const struct session *session = &exchange->session;
    int64_t since_ms = exchange->request->now_ms - session->factor_ms;
    switch (guard) {
    case GUARD_UNSET:
        return false;
    case GUARD_OPEN:
        return true;
    case GUARD_SIGNING:
        return session->stage != SESSION_NONE;
    case GUARD_SIGNED:
        return session->stage == SESSION_WHOLE;
    case GUARD_FACTOR:
        return session->stage == SESSION_WHOLE && session->factor_ms != 0 && since_ms >= 0 &&
               since_ms < WEB_FACTOR_MS;
    }
    return false;
}

/* Path and query. */
static struct str came_from(const struct web_exchange *exchange)
{
    const struct web_request *request = exchange->request;
    struct buf text;
    buf_init(&text, LIMIT_URL_LEN);
    buf_append(&text, request->path);
    if (request->query.len != 0) {
        buf_append_byte(&text, '?');
        buf_append(&text, request->query);
    }
    struct str from = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return from;
}

/* To where the next step of signing in is done, and back. A form's own page is what is gone back
 * to.
 */
static void send_to_sign_in(struct web_exchange *exchange)
{
    bool begun = exchange->session.stage != SESSION_NONE;
    if (exchange->wants_json) {
        (void)page_trouble(exchange, begun ? 403 : 401,
                           begun ? STR("Show your second factor first, at /sign-in/factor.")
                                 : STR("Sign in first, at /sign-in."));
        return;
    }
    struct str from = came_from(exchange);
    struct str path =
        web_path(exchange, begun ? "/sign-in/factor?next=%" : "/sign-in?next=%", &from, 1);
    (void)page_redirect(exchange, path);
}

bool web_guard_pass(struct web_exchange *exchange, const struct web_route *route)
{
    if (!is_far_enough(exchange, route->guard)) {
        send_to_sign_in(exchange);
        return false;
    }
    if (route->method == WEB_POST && !is_our_form(exchange, route)) {
        (void)page_trouble(exchange, 403,
                           STR("This form is too old, or was not made by this console. Nothing was "
                               "saved. Go back, load the page again and send it once more."));
        return false;
    }
    return true;
}

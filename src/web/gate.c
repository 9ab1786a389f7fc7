/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signing in at the gate: the internet of the device at the client's address is used as somebody's
 * (records/gate_sign_in.h). Nothing here begins a session of the console: a classroom's computer
 * that was left unlocked must not open the records.
 *
 * Where the gate sends a browser here (proxy/to_console.c), a provider of single sign-on is asked
 * first whether it knows the browser, without a page (OpenID Connect Core 3.1.2.1, prompt=none).
 * What it tried, and that somebody wants to go on without, rests in cookies: no way leads in a
 * circle, whichever worker of the gate answers.
 *
 * What is bound is always the device at the address of the browser that comes back, and that must
 * be the address that began. `to` is where the browser was going: http or https, shown, and gone to
 * by way of the gate itself, which waits until it knows the sign-in.
 */
#include "base/clock.h"
#include "crypto/secret.h"
#include "records/gate_sign_in.h"
#include "web/document.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "web/web_impl.h"
#include "wire/addr.h"
#include "wire/form.h"
#include "wire/url.h"

/* The silent way was tried in vain, or somebody signed out: it is not tried again for a while. */
#define TRIED_COOKIE STR("__Host-lodge-tried")
/* Goes on without signing in. */
#define WITHOUT_COOKIE STR("__Host-lodge-without")

enum {
    TRIED_SECONDS = 5 * 60,
    OUT_SECONDS = 8 * 60 * 60,
    WITHOUT_SECONDS = 30 * 60,
    ADDRESS_MAX = 6 * 1024,
};

/* ---- where to go on ---- */

/* Of the form or the query, where it is a page of the web; else empty. */
static struct str wanted(struct web_exchange *exchange)
{
    struct str to = form_text(exchange, STR("to"));
    struct url url;
    to = to.len != 0 ? to : query_text(exchange, STR("to"));
    return url_parse_page(to, exchange->arena, &url) == ERR_OK ? to : STR("");
}

/* base, and behind it the page that was wanted, where there is one. */
static struct str with_to(struct web_exchange *exchange, const char *base, struct str host,
                          const char *path, struct str to)
{
    struct buf text;
    buf_init(&text, ADDRESS_MAX);
    buf_printf(&text, "%s%.*s%s", base, STR_ARG(host), path);
    if (to.len != 0) {
        buf_append(&text, STR("?to="));
        form_encode(&text, to);
    }
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    bool good = buf_err(&text) == ERR_OK;
    buf_fini(&text);
    return good ? made : STR("/gate/sign-in");
}

static struct str path_to(struct web_exchange *exchange, const char *path, struct str to)
{
    return with_to(exchange, "", STR(""), path, to);
}

static struct str gate_address(struct web_exchange *exchange, const char *path, struct str to)
{
    return with_to(exchange, "http://", exchange->web->options.gate_name, path, to);
}

/* ---- documents ---- */

/* "3:30pm": the end is today. */
static json_t *clock_text(int64_t ms)
{
    char text[CIVIL_TEXT_MAX];
    struct str day;
    struct str clock;
    size_t len = clock_british_print(ms, text);
    (void)str_cut(str_make(text, len), ',', &day, &clock);
    clock = str_trim(clock);
    return str_eq(clock, STR("12:00am")) ? json_string("midnight")
                                         : json_stringn(clock.p, clock.len);
}

/* Until when somebody would be signed in. */
static json_t *would_end(const struct web_exchange *exchange)
{
    int64_t now_ms = exchange->request->now_ms;
    int64_t end_ms = now_ms + exchange->web->options.gate_sign_in_ms;
    bool today = clock_british_day(end_ms) == clock_british_day(now_ms);
    return today ? clock_text(end_ms) : json_string("midnight");
}

static json_t *ways(struct web_exchange *exchange, struct str to)
{
    const struct web_providers *providers = exchange->web->options.providers;
    json_t *list = json_array();
    for (size_t i = 0; providers != NULL && i < providers->n; i++) {
        struct str name = str_from(providers->items[i].name);
        struct str path = web_path(exchange, "/gate/sign-in/with/%", &name, 1);
        struct buf text;
        buf_init(&text, ADDRESS_MAX);
        buf_append(&text, path);
        if (to.len != 0) {
            buf_append(&text, STR("?to="));
            form_encode(&text, to);
        }
        json_t *way = document_add(list);
        document_put(way, "text", str_from(providers->items[i].label));
        document_put(way, "href", buf_str(&text));
        buf_fini(&text);
    }
    return list;
}

static json_t *page_document(struct web_exchange *exchange, const char *title, struct str to)
{
    struct url url;
    json_t *document = json_pack("{s:s, s:s%, s:{}, s:[]}", "title", title, "to",
                                 to.len != 0 ? to.p : "", to.len, "faults", "errors");
    if (to.len != 0 && url_parse(to, STR(""), exchange->arena, &url) == ERR_OK) {
        document_put(document, "host", host_str(&url.host));
    }
    return document;
}

/* ---- pages that say why not ---- */

static enum web_next stop(struct web_exchange *exchange, unsigned status, const char *title,
                          const char *text, const char *advice)
{
    struct str to = wanted(exchange);
    json_t *document = page_document(exchange, title, to);
    document_put(document, "error", str_from(text)); /* as programs know it of other pages */
    document_put(document, "text", str_from(text));
    document_put(document, "advice", str_from(advice));
    if (to.len != 0) {
        document_put(document, "on", gate_address(exchange, "/closed", to));
    }
    return page_answer(exchange, status, view_gate_stop, document);
}

static enum web_next stop_unknown(struct web_exchange *exchange)
{
    char text[ADDR_TEXT_MAX];
    char advice[ADDR_TEXT_MAX + 160];
    struct addr addr;
    memcpy(addr.bytes, exchange->request->client, sizeof(addr.bytes));
    int len = (int)addr_print(&addr, text);
    snprintf(advice, sizeof(advice),
             "If it is the school’s, ask the technician to add it to the devices with its address, "
             "%.*s.",
             len, text);
    return stop(exchange, 403, "This device is not known here",
                "It is not in the school’s register of devices, so nobody can be signed in on it.",
                advice);
}

static enum web_next stop_nobody(struct web_exchange *exchange)
{
    return stop(exchange, 403, "You are not signed in",
                "The school’s policy does not say what you may use on its internet, or your "
                "account cannot be used now.",
                "Ask the technician. Nothing was changed on this device.");
}

/* The device of this request, and true; or it was answered why not (*ret_next). */
static bool find_device(struct web_exchange *exchange, struct gate_device *ret_device,
                        enum web_next *ret_next)
{
    const struct web_options *options = &exchange->web->options;
    enum err err = gate_device_at(options->store, exchange->arena, options->school,
                                  exchange->request->client, ret_device);
    if (err == ERR_NOT_FOUND) {
        *ret_next = stop_unknown(exchange);
    } else if (err != ERR_OK) {
        *ret_next = page_err(exchange, err);
    } else if (ret_device->isolated) {
        *ret_next = stop(exchange, 403, "This device is kept as it is",
                         "It is kept as evidence, so nobody can be signed in on it.",
                         "Leave it as it is and tell the designated safeguarding lead.");
    } else if (ret_device->owned) {
        *ret_next = stop(exchange, 403, "This device is one person’s",
                         "It is assigned to one person, and its internet is used as theirs.",
                         "There is nothing to sign in to. If it is assigned to the wrong person, "
                         "tell the technician.");
    } else {
        return true;
    }
    return false;
}

/* ---- the page with all ways ---- */

/* Whether this browser's session is somebody's who could be signed in here with one button. */
static bool has_session(const struct web_exchange *exchange)
{
    return exchange->session.stage == SESSION_WHOLE && exchange->actor.account.len != 0 &&
           exchange->actor.person.len != 0;
}

static enum web_next show(struct web_exchange *exchange, const struct gate_device *device,
                          unsigned status, struct str to, const char *field, const char *fault)
{
    struct str typed = form_text(exchange, STR("account"));
    json_t *document = page_document(exchange, "Sign in to use the internet", to);
    document_put(document, "tag", device->tag);
    json_object_set_new(document, "sso", ways(exchange, to));
    json_object_set_new(document, "until", would_end(exchange));
    document_put_bool(document, "session", has_session(exchange));
    if (to.len != 0) {
        document_put(document, "without", path_to(exchange, "/gate/without", to));
    }
    document_put(document_object(document, "typed"), "account", typed);
    if (field != NULL) {
        sign_fault(document, field, fault);
    }
    return page_answer(exchange, status, view_gate_sign_in, document);
}

/* The same where the device is not known yet. */
static enum web_next show_fault(struct web_exchange *exchange, struct str to, unsigned status,
                                const char *field, const char *fault)
{
    struct gate_device device;
    enum web_next next;
    return find_device(exchange, &device, &next) ? show(exchange, &device, status, to, field, fault)
                                                 : next;
}

static enum web_next try_silent(struct web_exchange *exchange, size_t provider, struct str to)
{
    const struct web_providers *providers = exchange->web->options.providers;
    if (providers != NULL && provider < providers->n) {
        return sign_with_go(exchange, provider, SIGN_WITH_SILENT, to);
    }
    cookie_set(exchange, TRIED_COOKIE, STR("1"), TRIED_SECONDS);
    return page_redirect(exchange, path_to(exchange, "/gate/sign-in", to));
}

static bool may_try_silent(const struct web_exchange *exchange)
{
    const struct web_providers *providers = exchange->web->options.providers;
    return providers != NULL && providers->n != 0 && !exchange->wants_json &&
           !has_session(exchange) && cookie_text(exchange, TRIED_COOKIE).len == 0;
}

static enum web_next leave(struct web_exchange *exchange, struct str to)
{
    exchange->status = 303;
    exchange->type = STR("text/plain; charset=utf-8");
    web_header(exchange, STR("Location"), gate_address(exchange, "/closed", to));
    return WEB_DONE;
}

enum web_next web_gate_sign_in(struct web_exchange *exchange)
{
    struct str to = wanted(exchange);
    struct gate_device device;
    struct gate_sign_in sign_in;
    enum web_next next;
    if (!find_device(exchange, &device, &next)) {
        return next;
    }
    enum err err = gate_sign_in_at(exchange->web->options.store, exchange->arena, &device,
                                   exchange->request->now_ms, &sign_in);
    if (err == ERR_OK) {
        return page_redirect(exchange, path_to(exchange, "/gate/signed-in", to));
    }
    if (err != ERR_NOT_FOUND) {
        return page_err(exchange, err);
    }
    if (to.len != 0 && cookie_text(exchange, WITHOUT_COOKIE).len != 0) {
        return leave(exchange, to);
    }
    return may_try_silent(exchange) ? try_silent(exchange, 0, to)
                                    : show(exchange, &device, 200, to, NULL, NULL);
}

/* ---- signing in ---- */

static enum web_next bind(struct web_exchange *exchange, const struct actor *actor,
                          enum gate_how how, struct str to)
{
    const struct web_options *options = &exchange->web->options;
    struct engine engine = sign_engine(exchange);
    int64_t until_ms;
    enum err err = gate_sign_in_begin(&engine, actor, options->school, how,
                                      options->gate_sign_in_ms, &until_ms);
    if (err == ERR_DENIED) {
        return stop_nobody(exchange);
    }
    if (err == ERR_NOT_FOUND) {
        return page_redirect(exchange, path_to(exchange, "/gate/sign-in", to));
    }
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    cookie_set(exchange, TRIED_COOKIE, STR("x"), -1);
    cookie_set(exchange, WITHOUT_COOKIE, STR("x"), -1);
    return page_redirect(exchange, path_to(exchange, "/gate/signed-in", to));
}

static enum web_next bind_account(struct web_exchange *exchange, const struct account *account,
                                  enum gate_how how, struct str to)
{
    struct actor actor = {.school = account->school,
                          .account = account->id,
                          .person = account->person,
                          .now_ms = exchange->request->now_ms};
    memcpy(actor.client, exchange->request->client, sizeof(actor.client));
    if (account->must_change) {
        return show_fault(exchange, to, SIGN_FAULT_STATUS, "account",
                          "Choose a password of your own first: sign in to the console once with "
                          "the one on your card.");
    }
    return bind(exchange, &actor, how, to);
}

enum web_next web_gate_sign_in_with(struct web_exchange *exchange)
{
    size_t provider = sign_provider_find(exchange, exchange->parameters[0]);
    struct gate_device device;
    enum web_next next;
    if (provider == SIZE_MAX) {
        return page_trouble(exchange, 404, STR("Your school does not sign in that way."));
    }
    return find_device(exchange, &device, &next)
               ? sign_with_go(exchange, provider, SIGN_WITH_GATE, wanted(exchange))
               : next;
}

enum web_next gate_came_back(struct web_exchange *exchange, const struct sign_with *with,
                             enum err err, const struct account *account)
{
    bool silent = with->kind == SIGN_WITH_SILENT;
    if (err == ERR_OK) {
        return bind_account(exchange, account, silent ? GATE_HOW_SILENT : GATE_HOW_PROVIDER,
                            with->next);
    }
    if (err == ERR_CONFLICT && account == NULL) {
        return show_fault(exchange, with->next, SIGN_FAULT_STATUS, "account",
                          "This sign-in was begun at another device, so nobody was signed in. "
                          "Begin again here.");
    }
    bool nobody = err == ERR_NOT_FOUND || err == ERR_CONFLICT;
    if (!nobody && err != ERR_AGAIN && err != ERR_INVALID && err != ERR_DENIED) {
        return page_err(exchange, err);
    }
    if (silent) {
        return try_silent(exchange, (size_t)with->provider + 1, with->next);
    }
    return show_fault(exchange, with->next, SIGN_FAULT_STATUS, "account",
                      nobody ? "Nobody here is known by that sign-in. Use your log-on and password."
                             : "You were not signed in. Try again, or use your log-on and "
                               "password.");
}

struct guess {
    struct account account;
    bool known;
};

static enum web_next judged(struct web_exchange *exchange)
{
    const struct guess *guess = exchange->work;
    struct str to = wanted(exchange);
    if (exchange->verdict.busy) {
        return show_fault(exchange, to, 503, "password",
                          "Too many people are signing in. Wait a few seconds, then try again.");
    }
    if (exchange->verdict.locked) {
        return show_fault(exchange, to, 429, "password",
                          "There were too many wrong tries from this computer. Wait 15 minutes, "
                          "or ask the technician for a new password.");
    }
    if (!exchange->verdict.right || !guess->known) {
        return show_fault(exchange, to, SIGN_FAULT_STATUS, "password",
                          "The log-on or the password is not right. Check both and try again.");
    }
    return bind_account(exchange, &guess->account, GATE_HOW_PASSWORD, to);
}

static enum web_next judge(struct web_exchange *exchange, struct str name)
{
    struct guess *guess = arena_alloc(exchange->arena, sizeof(*guess));
    if (guess == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    enum err err = account_find(exchange->web->options.store, exchange->arena, name,
                                exchange->request->now_ms, &guess->account);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        secret_wipe(exchange->question.password, sizeof(exchange->question.password));
        return page_err(exchange, err);
    }
    guess->known = err == ERR_OK;
    exchange->question.hash = guess->known ? guess->account.hash : STR("");
    exchange->question.account = account_fold(exchange->arena, name);
    exchange->work = guess;
    exchange->resume = judged;
    return WEB_ASK;
}

enum web_next web_gate_sign_in_send(struct web_exchange *exchange)
{
    struct str to = wanted(exchange);
    struct str name = form_text(exchange, STR("account"));
    struct str password = form_text(exchange, STR("password"));
    struct gate_device device;
    enum web_next next;
    if (!find_device(exchange, &device, &next)) {
        return next;
    }
    if (!form_has(exchange, STR("account")) && has_session(exchange)) {
        return bind(exchange, &exchange->actor, GATE_HOW_SESSION, to);
    }
    if (str_trim_space(name).len == 0) {
        return show(exchange, &device, SIGN_FAULT_STATUS, to, "account", "Enter your log-on.");
    }
    if (password.len == 0) {
        return show(exchange, &device, SIGN_FAULT_STATUS, to, "password", "Enter your password.");
    }
    if (sign_ask(exchange, password, false) != ERR_OK) {
        return show(exchange, &device, SIGN_FAULT_STATUS, to, "password",
                    "The log-on or the password is not right. Check both and try again.");
    }
    return judge(exchange, name);
}

/* ---- signed in, and out again ---- */

enum web_next web_gate_signed_in(struct web_exchange *exchange)
{
    struct str to = wanted(exchange);
    struct gate_device device;
    struct gate_sign_in sign_in;
    enum web_next next;
    if (!find_device(exchange, &device, &next)) {
        return next;
    }
    enum err err = gate_sign_in_at(exchange->web->options.store, exchange->arena, &device,
                                   exchange->request->now_ms, &sign_in);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND
                   ? page_redirect(exchange, path_to(exchange, "/gate/sign-in", to))
                   : page_err(exchange, err);
    }
    json_t *document = page_document(exchange, "You are signed in", to);
    document_put(document, "name", sign_in.name);
    document_put(document, "tag", device.tag);
    json_object_set_new(document, "until", clock_text(sign_in.until_ms));
    if (to.len != 0) {
        /* Not as a redirect: what a form of ours led to may not lead elsewhere (form-action). */
        struct str on = gate_address(exchange, "/signed-in", to);
        struct buf refresh;
        document_put(document, "on", on);
        buf_init(&refresh, ADDRESS_MAX);
        buf_printf(&refresh, "0; url=%.*s", STR_ARG(on));
        web_header(exchange, STR("Refresh"), buf_str(&refresh));
        buf_fini(&refresh);
    }
    return page_answer(exchange, 200, view_gate_signed_in, document);
}

enum err gate_add_own(struct web_exchange *exchange, json_t *document)
{
    const struct actor *actor = &exchange->actor;
    struct store *store = exchange->web->options.store;
    json_t *list = document_list(document, "gate");
    if (actor->account.len == 0) {
        return ERR_OK;
    }
    ERR_TRY(store_begin(store, actor->school, STORE_READ));
    enum err err = gate_sign_ins_of(store, actor->school, actor->account, actor->now_ms, list);
    store_rollback(store);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        json_object_set_new(item, "until", clock_text(document_number(item, "until_ms")));
    }
    return err;
}

enum web_next web_gate_without(struct web_exchange *exchange)
{
    struct str to = wanted(exchange);
    if (to.len == 0) {
        return page_redirect(exchange, STR("/gate/sign-in"));
    }
    cookie_set(exchange, WITHOUT_COOKIE, STR("1"), WITHOUT_SECONDS);
    return leave(exchange, to);
}

static enum web_next sign_out_own(struct web_exchange *exchange, struct str id)
{
    struct engine engine = sign_engine(exchange);
    enum err err =
        has_session(exchange) ? gate_sign_in_end(&engine, &exchange->actor, id) : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"), STR("Signed out of the internet there."));
    return page_redirect(exchange, STR("/account"));
}

/* Whoever is at the device may end what is bound to it; the provider's own session stays, so the
 * silent way is not tried again in this browser. */
enum web_next web_gate_sign_out(struct web_exchange *exchange)
{
    struct str id = form_text(exchange, STR("sign_in"));
    struct engine engine = sign_engine(exchange);
    struct actor actor = exchange->actor;
    if (id.len != 0) {
        return sign_out_own(exchange, id);
    }
    actor.now_ms = exchange->request->now_ms;
    memcpy(actor.client, exchange->request->client, sizeof(actor.client));
    enum err err = gate_sign_in_end_here(&engine, &actor, exchange->web->options.school);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? stop_unknown(exchange) : page_err(exchange, err);
    }
    cookie_set(exchange, TRIED_COOKIE, STR("1"), OUT_SECONDS);
    page_flash(exchange, STR("success"), STR("Nobody is signed in on this device any more."));
    return page_redirect(exchange, STR("/gate/sign-in"));
}

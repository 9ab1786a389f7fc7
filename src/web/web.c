/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a request through the console: session, route, form, guard, handler. */
#include "web/web.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/num.h"
#include "crypto/secret.h"
#include "web/web_impl.h"

enum err web_new(const struct web_options *options, struct web **ret_web)
{
    struct web *web = calloc(1, sizeof(*web));
    if (web == NULL) {
        return ERR_MEMORY;
    }
    web->options = *options;
    web->has_school = options->first_code == NULL;
    *ret_web = web;
    return ERR_OK;
}

void web_free(struct web *web)
{
    free(web);
}

/* ---- JSON or HTML ---- */

/* The weight of "a/b;q=0.5" in thousandths (RFC 9110 section 12.4.2); 1000 where it says none or
 * what is none. */
static unsigned weight(struct str parameters)
{
    while (parameters.len != 0) {
        struct str one;
        str_cut(parameters, ';', &one, &parameters);
        one = str_trim(one);
        if (one.len >= 3 && ascii_lower(one.p[0]) == 'q' && one.p[1] == '=') {
            uint64_t fraction = 0;
            unsigned scale = 100;
            struct str digits = str_sub(one, 3, 4);
            if (one.p[2] != '0') {
                return 1000;
            }
            for (size_t i = 1; i < digits.len && scale != 0; i++, scale /= 10) {
                fraction += ascii_is_digit(digits.p[i]) ? scale * (unsigned)(digits.p[i] - '0') : 0;
            }
            return (unsigned)fraction;
        }
    }
    return 1000;
}

/* How much a type is wanted: by its own name, else by its half, else by the wildcard. */
static unsigned wanted(struct str accept, struct str type, struct str half)
{
    struct str names[] = {type, half, STR("*/*")};
    unsigned weights[] = {0, 0, 0};
    bool named[] = {false, false, false};
    while (accept.len != 0) {
        struct str item;
        struct str parameters;
        str_cut(accept, ',', &item, &accept);
        str_cut(item, ';', &item, &parameters);
        for (size_t i = 0; i < 3; i++) {
            if (str_eq_nocase(str_trim(item), names[i])) {
                named[i] = true;
                weights[i] = weight(parameters);
            }
        }
    }
    return named[0] ? weights[0] : named[1] ? weights[1] : weights[2];
}

bool web_accept_json(struct str accept, bool sent_json)
{
    unsigned json = wanted(accept, STR("application/json"), STR("application/*"));
    unsigned html = wanted(accept, STR("text/html"), STR("text/*"));
    return json > html || (json == html && sent_json);
}

/* ---- the way ---- */

static enum web_next form_trouble(struct web_exchange *exchange, enum err err)
{
    if (err == ERR_RANGE) {
        return page_trouble(exchange, 415,
                            STR("Send a form (application/x-www-form-urlencoded or "
                                "multipart/form-data) or JSON (application/json)."));
    }
    if (err == ERR_LIMIT) {
        return page_trouble(exchange, 413,
                            STR("The form has too many parts, or is nested too deep. Send less at "
                                "once."));
    }
    if (err == ERR_MEMORY) {
        return page_err(exchange, ERR_MEMORY);
    }
    return page_trouble(exchange, 400,
                        STR("The form did not arrive whole, or is not written as it should be. Go "
                            "back and send it once more."));
}

static enum web_next route_trouble(struct web_exchange *exchange, enum err err)
{
    if (err == ERR_DENIED) {
        web_header(exchange, STR("Allow"),
                   exchange->request->method == WEB_GET ? STR("POST") : STR("GET, HEAD"));
        return page_trouble(exchange, 405,
                            STR("This address is not used that way. Go back and try again."));
    }
    return page_err(exchange, err);
}

/* Where people come first. */
static bool leads_to_first_run(const struct web_request *request)
{
    return request->method == WEB_GET &&
           (str_eq(request->path, STR("/")) || str_eq(request->path, STR("/sign-in")));
}

static enum web_next handle(struct web_exchange *exchange)
{
    const struct web_request *request = exchange->request;
    const struct web_route *route;
    enum err err = web_guard_load(exchange);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    err = web_route_find(WEB_ROUTES, N_WEB_ROUTES, request->method, request->path, exchange->arena,
                         &route, exchange->parameters);
    if (err != ERR_OK) {
        return route_trouble(exchange, err);
    }
    if (leads_to_first_run(request)) {
        bool open;
        err = web_first_run_open(exchange->web, &open);
        if (err != ERR_OK || open) {
            return err != ERR_OK ? page_err(exchange, err)
                                 : page_redirect(exchange, STR("/first-run"));
        }
    }
    err = request->method == WEB_POST ? web_form_read(exchange) : ERR_OK;
    if (err != ERR_OK) {
        return form_trouble(exchange, err);
    }
    if (!web_guard_pass(exchange, route)) {
        return WEB_DONE;
    }
    return route->handler(exchange);
}

/* A handler that filled a buffer to its end has told half of something. */
static enum web_next finish(struct web_exchange *exchange, enum web_next next)
{
    CHECK(next == WEB_DONE || exchange->resume != NULL);
    if (next == WEB_DONE && buf_err(&exchange->headers) != ERR_OK) {
        buf_clear(&exchange->headers);
        return page_err(exchange, ERR_LIMIT);
    }
    return next;
}

enum web_next web_handle(struct web_exchange *exchange)
{
    const struct web_request *request = exchange->request;
    CHECK(request->method == WEB_GET || request->method == WEB_POST);
    bool sent_json = str_eq_nocase(web_media_type(request->content_type), STR("application/json"));
    exchange->status = 200;
    exchange->type = STR("text/html; charset=utf-8");
    exchange->wants_json = web_accept_json(request->accept, sent_json);
    buf_init(&exchange->headers, WEB_HEADERS_MAX);
    buf_init(&exchange->body, WEB_ANSWER_MAX);
    return finish(exchange, handle(exchange));
}

enum web_next web_resume(struct web_exchange *exchange)
{
    CHECK(exchange->resume != NULL);
    return finish(exchange, exchange->resume(exchange));
}

bool web_concerns_gate(const struct web_exchange *exchange)
{
    static const struct str others[] = {STR_INIT("/sign-in"), STR_INIT("/sign-in/factor"),
                                        STR_INIT("/sign-out")};
    bool refused = exchange->status >= 400 && exchange->status < 500;
    /* The way back from a provider may sign somebody in at the gate. */
    bool acts = exchange->request->method == WEB_POST ||
                str_eq(exchange->request->path, STR("/sign-in/back"));
    if (!acts || refused) {
        return false;
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (str_eq(exchange->request->path, others[i])) {
            return false;
        }
    }
    return true;
}

void web_exchange_fini(struct web_exchange *exchange)
{
    if (exchange->form != NULL) {
        json_decref(exchange->form->fields);
        exchange->form = NULL;
    }
    secret_wipe(&exchange->question.password, sizeof(exchange->question.password));
    buf_fini(&exchange->headers);
    buf_fini(&exchange->body);
}

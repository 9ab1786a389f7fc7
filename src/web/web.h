/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console: routes, guard, pages. Requests come validated from front (proc/), answers go back
 * there; nothing here knows a socket.
 *
 * A handler makes one JSON document; `Accept` chooses whether its view (views/console/) or the
 * document itself is sent. The guard (guard.c) runs before every handler: session, second factor,
 * CSRF, sizes, rates; what a handler may show is decided by records/.
 */
#ifndef LODGE_WEB_WEB_H
#define LODGE_WEB_WEB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "outbound/oidc.h"
#include "records/actor.h"
#include "records/engine.h"
#include "records/session.h"
#include "store/keys.h"
#include "store/store.h"

enum web_method {
    WEB_METHOD_UNSET,
    WEB_GET, /* HEAD too: front drops the body */
    WEB_POST,
};

enum { WEB_PARAMETERS_MAX = 4 };

/* The session's token; HttpOnly, and by its name (RFC 6265bis, 4.1.3) never from another host. */
#define WEB_SESSION_COOKIE STR("__Host-lodge")

/* As front validated it. Slices live as long as the request. */
struct web_request {
    enum web_method method;
    struct str path;  /* decoded per segment by the router; begins with '/' */
    struct str query; /* without '?' */
    struct str host;  /* with a port unless 443; checked by front against the console's own names */
    struct str cookie, accept, content_type, origin, fetch_site, user_agent, csrf; /* headers */
    struct str body;
    uint8_t client[16];
    int64_t now_ms;
};

/* One that is being answered. */
struct web_exchange {
    struct web *web;
    const struct web_request *request;
    struct arena *arena; /* of the request */
    struct actor actor;  /* signed out: all empty */
    struct session session;
    struct str parameters[WEB_PARAMETERS_MAX]; /* of the route's {places}, decoded */
    const struct web_form *form;               /* of a POST: urlencoded, multipart or JSON alike */
    bool wants_json;
    bool gone;       /* the database could not be reached */
    enum err failed; /* what made it a page of status 500, for the operator's log */
    /* The answer. */
    unsigned status;    /* 200 */
    struct str type;    /* text/html; charset=utf-8 */
    struct buf headers; /* whole lines with CRLF; by web_header only */
    struct buf body;
    /* A password to be judged or hashed by auth, where the handler answered WEB_ASK. */
    struct web_question {
        bool make;          /* hash it; else compare */
        struct str hash;    /* to compare with; empty: with nobody's (costs the same) */
        struct str account; /* who is being guessed at; empty: not counted */
        char password[LIMIT_PASSWORD_LEN];
        size_t password_len; /* wiped once it is asked */
    } question;
    struct web_verdict {
        bool right;      /* the password is this one */
        bool locked;     /* too many wrong ones for this account from this address (S2) */
        bool busy;       /* auth is not there or has too much to do */
        struct str hash; /* of a question that made one */
    } verdict;
    /* What a provider of single sign-on is asked, where the handler answered WEB_ASK_PROVIDER:
     * where to send the browser (code empty), or who came back with this code. */
    struct web_provider_question {
        uint32_t provider;
        bool silent; /* without a page of the provider's */
        struct oidc_attempt attempt;
        struct str redirect;
        struct str code;
    } provider_question;
    struct web_provider_answer {
        bool good;
        char address[OIDC_ADDRESS_MAX]; /* of the first question */
        char issuer[OIDC_TEXT_MAX];     /* of the second, and who it is */
        struct oidc_who who;
    } provider_answer;
    /* Called with the verdict or the answer, as the handler's second half. */
    enum web_next (*resume)(struct web_exchange *exchange);
    void *work; /* the handler's own, in the arena */
};

enum web_next {
    WEB_DONE,
    WEB_ASK,          /* question and resume are set */
    WEB_ASK_PROVIDER, /* provider_question and resume are set */
};

typedef enum web_next web_handler(struct web_exchange *exchange);

/* The school's providers of single sign-on, for pages. */
struct web_providers {
    size_t n;
    struct web_provider {
        char name[OIDC_NAME_MAX + 1];
        char label[OIDC_LABEL_MAX + 1];
    } items[OIDC_PROVIDERS_MAX];
};

struct web_options {
    struct store *store;
    struct keys *keys;
    const char *data;                      /* for what is shown, never opened */
    struct str school;                     /* the name of --school */
    const struct web_providers *providers; /* may grow while it runs; NULL: none */
    struct str gate_name;                  /* the gate's own host; empty: there is none */
    int64_t gate_sign_in_ms;               /* how long somebody is signed in at the gate */
    bool policy_fixed;                     /* --policy FILE: read-only on screen */
    bool mail;                             /* there is a mail server */
    const char *first_code; /* what the first run asks for; NULL: there is no first run */
    void (*first_done)(void *context); /* the school is made, the code is over */
    void *first_context;
};

struct web;
MUST_USE enum err web_new(const struct web_options *options, struct web **ret_web);
void web_free(struct web *web);

/* Routes, guards and handles. WEB_ASK: the caller asks auth, fills verdict and calls
 * web_resume; WEB_ASK_PROVIDER: the same with signon and provider_answer.
 * Never fails: what goes wrong is a page. The exchange is the caller's, zeroed but for web, request
 * and arena; web_exchange_fini frees its buffers. */
enum web_next web_handle(struct web_exchange *exchange);
enum web_next web_resume(struct web_exchange *exchange);
void web_exchange_fini(struct web_exchange *exchange);

/* Whether what was done for a finished exchange may concern the gate, so that the clerk is rung:
 * nobody else asks, and no handler needs to say it. Accounts, people, devices and the policy do;
 * coming and going does not. What failed may have failed behind its commit. The clerk looks at what
 * is new, so one ring too many costs a look. */
bool web_concerns_gate(const struct web_exchange *exchange);

#endif

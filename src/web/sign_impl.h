/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages of signing in and of accounts share. */
#ifndef LODGE_WEB_SIGN_IMPL_H
#define LODGE_WEB_SIGN_IMPL_H

#include "records/account.h"
#include "records/factor.h"
#include "web/page.h"

#define SIGN_COMPUTER_COOKIE STR("__Host-lodge-computer")

enum { SIGN_FAULT_STATUS = 422 }; /* a form that came back with what is wrong beside the field */

struct engine sign_engine(const struct web_exchange *exchange);

/* {"title", "next", "faults": {}, "errors": []}. */
json_t *sign_document(struct web_exchange *exchange, const char *title);
/* [{"text", "href"}] of the providers of single sign-on. */
json_t *sign_ways(struct web_exchange *exchange, struct str next);
void sign_fault(json_t *document, const char *field, const char *text);

/* ---- single sign-on (sign_with.c) ---- */

enum { SIGN_NEXT_MAX = 1536 };
_Static_assert((int)SIGN_NEXT_MAX > (int)LIMIT_PAGE_LEN, "a page that was wanted is kept");

/* What somebody goes to a provider for; on the way in the browser's cookie, as a letter. */
enum sign_with_kind {
    SIGN_WITH_UNSET,
    SIGN_WITH_CONSOLE = 's',
    SIGN_WITH_LINK = 'l',   /* for the account that is signed in */
    SIGN_WITH_GATE = 'g',   /* at the gate, by the provider's page */
    SIGN_WITH_SILENT = 'q', /* at the gate, where the provider knows the browser already */
};

struct sign_with {
    uint32_t provider;
    enum sign_with_kind kind;
    bool same_client; /* on the way back: it comes from the address that began it */
    struct oidc_attempt attempt;
    struct str next; /* a path of ours; at the gate: the page that was wanted, or empty */
};

/* Its number in the list of providers; SIZE_MAX for none. */
size_t sign_provider_find(const struct web_exchange *exchange, struct str name);
/* Sends the browser there. next: at most SIGN_NEXT_MAX - 1 bytes, else it is forgotten. */
enum web_next sign_with_go(struct web_exchange *exchange, size_t provider, enum sign_with_kind kind,
                           struct str next);
/* gate.c: the way back of a sign-in at the gate. err: OK, this account is who it is; NOT_FOUND,
 * CONFLICT of the account: nobody's; DENIED: the provider signed nobody in; CONFLICT without an
 * account: from another address than it was begun; AGAIN: the provider cannot be reached; INVALID:
 * its answer did not hold; others as the store's. */
enum web_next gate_came_back(struct web_exchange *exchange, const struct sign_with *with,
                             enum err err, const struct account *account);

/* "gate": [{id, tag, until}], where whoever is signed in here is signed in at the gate. */
MUST_USE enum err gate_add_own(struct web_exchange *exchange, json_t *document);

/* Who is signed in, or signing in: also while the second factor is awaited, when the exchange has
 * no actor. ERR_DENIED: nobody any more. */
MUST_USE enum err sign_actor(struct web_exchange *exchange, struct actor *ret_actor);

/* The next step for somebody whose password was right: a password of their own, the second factor,
 * setting one up, or the page they came for. Each is a new session. factor_ms: when the second
 * factor was shown, else 0. */
enum web_next sign_on(struct web_exchange *exchange, const struct actor *actor, int64_t factor_ms);

/* The same for an account whose person is proven by other means than a form of ours: next is where
 * to go on, a path of ours. */
enum web_next sign_account(struct web_exchange *exchange, const struct account *account,
                           struct str next, int64_t factor_ms);

/* Whether the second factor was shown in this session within ten minutes. */
bool sign_factor_is_fresh(const struct web_exchange *exchange);

/* Who may set a second factor up: an account that has none, or one that showed it within ten
 * minutes. ERR_DENIED else; ERR_NOT_FOUND for the sealed credential. */
MUST_USE enum err sign_enrol_actor(struct web_exchange *exchange, struct actor *ret_actor);

/* The page that shows a sheet's codes, once; wipes them. on: where it leads. */
enum web_next sign_show_sheet(struct web_exchange *exchange, struct sheet *sheet, struct str on);

/* Adds "passkey": {"challenge", "ids", "user", "name"} for assets/passkey.js, with a new challenge.
 */
MUST_USE enum err sign_add_passkey(struct web_exchange *exchange, const struct actor *actor,
                                   json_t *document);

/* Copies a password into the exchange's question; ERR_LIMIT for one that is too long. */
MUST_USE enum err sign_ask(struct web_exchange *exchange, struct str password, bool make);

#endif

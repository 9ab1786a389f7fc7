/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts as technician and head keep them, and the sealed credential of the safe. */
#include "base/num.h"
#include "crypto/secret.h"
#include "records/glass.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "wire/utf8.h"

enum { SEARCH_MAX = 100 };

/* A one-time password between its making and its card. */
struct card {
    char password[ACCOUNT_ONE_TIME_CHARS + 1];
    struct str id; /* of an account that is reset; empty: a new one */
};

static json_t *crumbs(void)
{
    return json_pack("[{s:s, s:s}, {s:s, s:s}]", "text", "Start", "href", "/", "text", "Accounts",
                     "href", "/accounts");
}

static enum web_next show(struct web_exchange *exchange, unsigned status, web_view *view,
                          json_t *document, const char *title)
{
    json_object_set_new(document, "title", json_string(title));
    json_object_set_new(document, "crumbs", crumbs());
    return page_answer(exchange, status, view, document);
}

/* ---- the list ---- */

enum web_next web_accounts(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    uint64_t page = 1;
    if (parse_u64(query_text(exchange, STR("page")), 1, 100000, &page) != ERR_OK) {
        page = 1;
    }
    enum err err = account_list(&engine, &exchange->actor,
                                utf8_head(query_text(exchange, STR("search")), SEARCH_MAX),
                                (size_t)page, &document);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_object_set_new(document, "before", json_integer((json_int_t)page - 1));
    json_object_set_new(document, "behind", json_integer((json_int_t)page + 1));
    json_object_set_new(document, "title", json_string("Accounts"));
    json_object_set_new(document, "crumbs",
                        json_pack("[{s:s, s:s}]", "text", "Start", "href", "/"));
    return page_answer(exchange, 200, view_accounts, document);
}

enum web_next web_accounts_one(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    enum err err = account_show(&engine, &exchange->actor, exchange->parameters[0], &document);
    return err == ERR_OK ? show(exchange, 200, view_accounts_one, document, "Account")
                         : page_err(exchange, err);
}

/* ---- a card ---- */

static enum web_next show_card(struct web_exchange *exchange, struct card *card, struct str id)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    enum err err = account_show(&engine, &exchange->actor, id, &document);
    if (err == ERR_OK) {
        json_object_set_new(document, "password", json_string(card->password));
        json_object_set_new(document, "days", json_integer(ACCOUNT_ONE_TIME_DAYS));
    }
    secret_wipe(card->password, sizeof(card->password));
    return err == ERR_OK ? show(exchange, 200, view_accounts_card, document, "One-time password")
                         : page_err(exchange, err);
}

/* Asks auth for the hash of a new one-time password. */
static enum web_next ask_card(struct web_exchange *exchange, struct str id,
                              enum web_next (*resume)(struct web_exchange *))
{
    struct card *card = arena_alloc(exchange->arena, sizeof(*card));
    if (card == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    account_one_time(card->password);
    card->id = id;
    enum err err = sign_ask(exchange, str_from(card->password), true);
    exchange->work = card;
    exchange->resume = resume;
    return err == ERR_OK ? WEB_ASK : page_err(exchange, err);
}

static bool was_made(struct web_exchange *exchange)
{
    if (exchange->verdict.busy || exchange->verdict.hash.len == 0) {
        (void)page_trouble(exchange, 503,
                           STR("That could not be done just now. Try again in a few seconds."));
        return false;
    }
    return true;
}

/* ---- a new one ---- */

static enum web_next show_new(struct web_exchange *exchange, unsigned status,
                              const struct account_fault *fault)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    enum err err = account_people_without(
        &engine, &exchange->actor, utf8_head(query_text(exchange, STR("search")), SEARCH_MAX),
        &document);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    struct str person = form_text(exchange, STR("person"));
    struct str log_on = form_text(exchange, STR("log_on"));
    if (person.len == 0) {
        person = query_text(exchange, STR("person"));
        log_on = query_text(exchange, STR("log_on"));
    }
    json_object_set_new(document, "faults", json_object());
    json_object_set_new(document, "errors", json_array());
    json_object_set_new(document, "typed",
                        json_pack("{s:s%, s:s%}", "person", person.p != NULL ? person.p : "",
                                  person.len, "log_on", log_on.p != NULL ? log_on.p : "",
                                  log_on.len));
    if (fault != NULL) {
        sign_fault(document, fault->field, fault->why);
    }
    return show(exchange, status, view_accounts_new, document, "Add an account");
}

enum web_next web_accounts_new(struct web_exchange *exchange)
{
    return show_new(exchange, 200, NULL);
}

static enum web_next new_made(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct card *card = exchange->work;
    struct account_fault fault;
    struct record_id id;
    if (exchange->verdict.busy || exchange->verdict.hash.len == 0) {
        secret_wipe(card->password, sizeof(card->password));
        return show_new(exchange, 503,
                        &(struct account_fault){
                            "log_on", "That could not be done just now. Send it again in a few "
                                      "seconds."});
    }
    const struct account_new fresh = {.person = form_text(exchange, STR("person")),
                                      .log_on = form_text(exchange, STR("log_on")),
                                      .hash = exchange->verdict.hash,
                                      .must_change = true};
    enum err err = account_make(&engine, &exchange->actor, &fresh, &id, &fault);
    if (err == ERR_INVALID) {
        secret_wipe(card->password, sizeof(card->password));
        return show_new(exchange, SIGN_FAULT_STATUS, &fault);
    }
    return err == ERR_OK ? show_card(exchange, card, str_from(id.text)) : page_err(exchange, err);
}

enum web_next web_accounts_new_send(struct web_exchange *exchange)
{
    if (permit_widest(exchange->actor.roles, AREA_accounts, VERB_make) < SCOPE_SCHOOL) {
        return page_err(exchange, ERR_DENIED);
    }
    return ask_card(exchange, STR(""), new_made);
}

/* ---- changes ---- */

static enum web_next reset_made(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    struct card *card = exchange->work;
    if (!was_made(exchange)) {
        return WEB_DONE;
    }
    enum err err = account_reset(&engine, &exchange->actor, card->id, exchange->verdict.hash);
    return err == ERR_OK ? show_card(exchange, card, card->id) : page_err(exchange, err);
}

static enum web_next reset(struct web_exchange *exchange)
{
    if (permit_widest(exchange->actor.roles, AREA_accounts, VERB_change) < SCOPE_SCHOOL) {
        return page_err(exchange, ERR_DENIED);
    }
    return ask_card(exchange, exchange->parameters[0], reset_made);
}

static enum web_next changed(struct web_exchange *exchange, enum err err, struct str note)
{
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"), note);
    return page_redirect(exchange, web_path(exchange, "/accounts/%", exchange->parameters, 1));
}

static enum web_next disable(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    return changed(exchange, account_disable(&engine, &exchange->actor, exchange->parameters[0]),
                   STR("The account is disabled, and signed out everywhere."));
}

static enum web_next enable(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    return changed(exchange, account_enable(&engine, &exchange->actor, exchange->parameters[0]),
                   STR("The account can sign in again."));
}

static enum web_next reset_factors(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    return changed(exchange,
                   account_reset_factors(&engine, &exchange->actor, exchange->parameters[0]),
                   STR("The second factors are taken off. Head, DSL and chair are told."));
}

static const struct change_row {
    struct str name;
    const char *title;
    const char *button;
    const char *text;
    enum web_next (*run)(struct web_exchange *exchange);
} changes[] = {
    {STR_INIT("disable"), "Disable this account", "Disable the account",
     "They are signed out everywhere at once and cannot sign in until the account is enabled "
     "again.",
     disable},
    {STR_INIT("enable"), "Enable this account", "Enable the account",
     "They can sign in again with the password that they had.", enable},
    {STR_INIT("reset"), "Reset the password", "Make a one-time password",
     "They are signed out everywhere. You get a card with a one-time password, once: give it to "
     "them in person. Their second factor stays.",
     reset},
    {STR_INIT("reset-factors"), "Take the second factors off", "Take them off",
     "Only after they have told you themselves that their phone or sheet is lost. They set up a "
     "new "
     "one when they next sign in. Head, DSL and chair of governors are told.",
     reset_factors},
};

static const struct change_row *find_change(struct str name)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        if (str_eq(changes[i].name, name)) {
            return &changes[i];
        }
    }
    return NULL;
}

enum web_next web_accounts_change(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    const struct change_row *row = find_change(exchange->parameters[1]);
    json_t *document;
    enum err err = row != NULL
                       ? account_show(&engine, &exchange->actor, exchange->parameters[0], &document)
                       : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_object_set_new(document, "button", json_string(row->button));
    json_object_set_new(document, "text", json_string(row->text));
    return show(exchange, 200, view_accounts_change, document, row->title);
}

enum web_next web_accounts_change_send(struct web_exchange *exchange)
{
    const struct change_row *row = find_change(exchange->parameters[1]);
    return row != NULL ? row->run(exchange) : page_err(exchange, ERR_NOT_FOUND);
}

/* ---- the sealed credential ---- */

enum web_next web_accounts_safe(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    json_t *document;
    enum err err = glass_list(&engine, &exchange->actor, &document);
    return err == ERR_OK ? show(exchange, 200, view_accounts_safe, document,
                                "The sealed credential of the safe")
                         : page_err(exchange, err);
}

enum web_next web_accounts_safe_ask(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    enum err err = glass_ask(&engine, &exchange->actor);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    page_flash(exchange, STR("success"),
               STR("Asked for. The head confirms it here within a day and prints it."));
    return page_redirect(exchange, STR("/accounts/safe"));
}

enum web_next web_accounts_safe_seal(struct web_exchange *exchange)
{
    struct engine engine = sign_engine(exchange);
    char code[GLASS_CODE_CHARS + 1];
    enum err err = glass_seal(&engine, &exchange->actor, exchange->parameters[0], code);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *document = json_pack("{s:s}", "code", code);
    secret_wipe(code, sizeof(code));
    return show(exchange, 200, view_accounts_safe_card, document, "For the safe");
}

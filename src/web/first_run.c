/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first run in the console: one page makes the school, its head, its technician and its policy.
 *
 * It is open while the store has no school, and asks for the code that the desk put where only the
 * operator reads (proc/desk.c): nobody else on the network takes the machine first. */
#include "records/first_run.h"

#include <string.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "web/document.h"
#include "web/preset.h"
#include "web/route.h"
#include "web/sign_impl.h"
#include "web/views.h"
#include "web/web_impl.h"

enum {
    TEXT_MAX = 200, /* of what is shown again */
    URN_DIGITS = 6,
};

/* What was sent, between the questions to auth. */
struct setting_up {
    struct first_run first;
    char one_time[ACCOUNT_ONE_TIME_CHARS + 1];
};

struct choice {
    const char *value, *text, *hint;
};

static const struct choice kinds[] = {
    {"primary", "Primary", ""}, {"secondary", "Secondary", ""}, {"all-through", "All-through", ""},
    {"special", "Special", ""}, {"college", "College", ""},
};

static const struct choice presets[] = {
    {"church-primary", "Church primary",
     "The stricter one for staff: personal email and programs to install are closed to everybody; "
     "games and video open only at times that you set."},
    {"trust-primary", "Primary school in a trust",
     "Staff may shop and use social media outside contracted hours; programs to install are closed "
     "to pupils and visitors, not to staff."},
};

enum {
    KINDS_N = sizeof(kinds) / sizeof(kinds[0]),
    PRESETS_N = sizeof(presets) / sizeof(presets[0])
};

enum err web_first_run_open(struct web *web, bool *ret_open)
{
    bool open = false;
    if (!web->has_school) {
        ERR_TRY(first_run_is_open(web->options.store, &open));
        web->has_school = !open;
    }
    *ret_open = open;
    return ERR_OK;
}

/* ---- the page ---- */

static void add_choices(json_t *document, const char *name, const struct choice *choices, size_t n)
{
    json_t *items = document_list(document, name);
    for (size_t i = 0; i < n; i++) {
        json_t *item = document_add(items);
        document_put(item, "value", str_from(choices[i].value));
        document_put(item, "text", str_from(choices[i].text));
        if (choices[i].hint[0] != '\0') {
            document_put(document_object(item, "hint"), "text", str_from(choices[i].hint));
        }
    }
}

static bool is_choice(struct str value, const struct choice *choices, size_t n)
{
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found = found || str_eq(value, str_from(choices[i].value));
    }
    return found;
}

/* Passwords are not shown again; all else is. */
static json_t *form_document(struct web_exchange *exchange)
{
    static const char *const shown[] = {"code",      "school_name", "urn",
                                        "kind",      "head_name",   "head_log_on",
                                        "tech_name", "tech_log_on", "preset"};
    json_t *document = sign_document(exchange, "Set up this Lodge for your school");
    json_t *typed = document_object(document, "typed");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (exchange->form != NULL) {
            document_put(typed, shown[i],
                         str_sub(form_text(exchange, str_from(shown[i])), 0, TEXT_MAX));
        }
    }
    add_choices(document, "kinds", kinds, KINDS_N);
    add_choices(document, "presets", presets, PRESETS_N);
    document_put_bool(document, "policy_fixed", exchange->web->options.policy_fixed);
    return document;
}

static bool has_faults(const json_t *document)
{
    return json_array_size(json_object_get(document, "errors")) != 0;
}

static enum web_next show_form(struct web_exchange *exchange, unsigned status, json_t *document)
{
    return page_answer(exchange, status, view_first_run, document);
}

static enum web_next show_fault(struct web_exchange *exchange, unsigned status, const char *field,
                                const char *why)
{
    json_t *document = form_document(exchange);
    sign_fault(document, field, why);
    return show_form(exchange, status, document);
}

enum web_next web_first_run(struct web_exchange *exchange)
{
    bool open;
    enum err err = web_first_run_open(exchange->web, &open);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    return open ? show_form(exchange, 200, form_document(exchange))
                : page_redirect(exchange, STR("/sign-in"));
}

/* ---- what was sent ---- */

static struct str sent(const struct web_exchange *exchange, const char *name)
{
    return str_trim_space(form_text(exchange, str_from(name)));
}

static void need(const struct web_exchange *exchange, json_t *document, const char *field,
                 const char *why)
{
    if (sent(exchange, field).len == 0) {
        sign_fault(document, field, why);
    }
}

static void check_school(const struct web_exchange *exchange, json_t *document)
{
    struct str urn = sent(exchange, "urn");
    bool digits = urn.len == 0 || urn.len == URN_DIGITS;
    for (size_t i = 0; i < urn.len; i++) {
        digits = digits && urn.p[i] >= '0' && urn.p[i] <= '9';
    }
    need(exchange, document, "school_name", "Enter the school’s name.");
    if (sent(exchange, "school_name").len > TEXT_MAX) {
        sign_fault(document, "school_name", "Enter a shorter name, of up to 200 characters.");
    }
    if (!digits) {
        sign_fault(document, "urn",
                   "A URN is six digits, such as 123456. Leave it empty if the "
                   "school has none.");
    }
    if (!is_choice(sent(exchange, "kind"), kinds, KINDS_N)) {
        sign_fault(document, "kind", "Choose what kind of school it is.");
    }
    if (!exchange->web->options.policy_fixed &&
        !is_choice(sent(exchange, "preset"), presets, PRESETS_N)) {
        sign_fault(document, "preset", "Choose the policy to begin with.");
    }
}

static void check_people(struct web_exchange *exchange, json_t *document)
{
    struct str password = form_text(exchange, STR("password"));
    struct str head = account_fold(exchange->arena, sent(exchange, "head_log_on"));
    struct str tech = account_fold(exchange->arena, sent(exchange, "tech_log_on"));
    need(exchange, document, "head_name", "Enter the head’s name.");
    need(exchange, document, "head_log_on", "Enter a log-on for the head.");
    const char *why = account_password_fault(password, sent(exchange, "head_log_on"),
                                             sent(exchange, "head_name"));
    if (password.len == 0) {
        sign_fault(document, "password", "Choose a password.");
    } else if (why != NULL) {
        sign_fault(document, "password", why);
    } else if (password.len > sizeof(exchange->question.password)) {
        sign_fault(document, "password", "Choose a shorter password.");
    } else if (!secret_eq(password, form_text(exchange, STR("again")))) {
        sign_fault(document, "again", "The two passwords are not the same. Type both again.");
    }
    need(exchange, document, "tech_name", "Enter the technician’s name.");
    need(exchange, document, "tech_log_on", "Enter a log-on for the technician.");
    if (head.len != 0 && str_eq(head, tech)) {
        sign_fault(document, "tech_log_on", "The head has this log-on. Choose another.");
    }
}

/* True: the code is right. False: it was answered. */
static bool take_code(struct web_exchange *exchange)
{
    struct web *web = exchange->web;
    int64_t now_ms = exchange->request->now_ms;
    const uint8_t *client = exchange->request->client;
    if (!first_code_may(&web->first_code, client, now_ms)) {
        (void)show_fault(exchange, 429, "code",
                         "There were too many wrong codes. Wait a minute, then try again.");
        return false;
    }
    struct str code = account_fold(exchange->arena, sent(exchange, "code"));
    if (secret_eq(code, str_from(web->options.first_code))) {
        return true;
    }
    first_code_note(&web->first_code, client, now_ms);
    (void)show_fault(exchange, SIGN_FAULT_STATUS, "code",
                     "This is not the code. It is in the file that the log of this Lodge names; a "
                     "restart makes a new one.");
    return false;
}

static struct str policy_of(const struct web_exchange *exchange)
{
    struct str preset = sent(exchange, "preset");
    struct str found = STR("");
    for (size_t i = 0; i < n_web_presets && !exchange->web->options.policy_fixed; i++) {
        struct str name = str_skip(str_from(web_presets[i].name), sizeof("presets/") - 1);
        if (str_eq(str_sub(name, 0, name.len - (sizeof(".json") - 1)), preset)) {
            found = web_presets[i].bytes;
        }
    }
    return found;
}

/* ---- making it ---- */

/* The head is signed in as far as the second factor, which is set up next. */
static enum err begin_session(struct web_exchange *exchange, const struct first_run_made *made)
{
    struct engine engine = sign_engine(exchange);
    struct session_token token;
    struct actor actor = {.now_ms = exchange->request->now_ms};
    const struct session as = {.school = str_from(made->school.text),
                               .account = str_from(made->head_account.text),
                               .person = str_from(made->head.text)};
    actor.today = clock_british_day(actor.now_ms);
    memcpy(actor.client, exchange->request->client, sizeof(actor.client));
    ERR_TRY(session_actor(&engine, exchange->arena, &as, &actor));
    ERR_TRY(session_begin(&engine, &actor, SESSION_PASSWORD, 0, &token));
    cookie_set(exchange, WEB_SESSION_COOKIE, str_from(token.text), 0);
    secret_wipe(&token, sizeof(token));
    return ERR_OK;
}

static enum web_next show_card(struct web_exchange *exchange, struct setting_up *setting)
{
    json_t *document = json_object();
    document_put(document, "title", STR("Your school is set up"));
    document_put(document, "school", setting->first.name);
    document_put(document, "name", setting->first.technician.name);
    document_put(document, "log_on", setting->first.technician.log_on);
    document_put(document, "password", str_from(setting->one_time));
    document_put_number(document, "days", ACCOUNT_ONE_TIME_DAYS);
    document_put(document, "on", STR("/sign-in/set-up?next=%2F"));
    secret_wipe(setting->one_time, sizeof(setting->one_time));
    return page_answer(exchange, 200, view_first_run_done, document);
}

static enum web_next refused(struct web_exchange *exchange, enum err err,
                             const struct first_run_fault *fault)
{
    if (err == ERR_CONFLICT) {
        exchange->web->has_school = true;
        return page_trouble(exchange, 409,
                            STR("Somebody else has set this Lodge up just now. Sign in, or ask "
                                "them who is its technician."));
    }
    if (err != ERR_INVALID || fault->field == NULL) {
        return page_err(exchange, err);
    }
    bool name = strcmp(fault->field, "name") == 0;
    return show_fault(exchange, SIGN_FAULT_STATUS,
                      fault->technician ? (name ? "tech_name" : "tech_log_on")
                                        : (name ? "head_name" : "head_log_on"),
                      fault->why);
}

static enum web_next make(struct web_exchange *exchange, struct setting_up *setting)
{
    struct engine engine = sign_engine(exchange);
    const struct web_options *options = &exchange->web->options;
    struct first_run_made made;
    struct first_run_fault fault;
    enum err err = first_run_make(&engine, &setting->first, &made, &fault);
    if (err != ERR_OK) {
        secret_wipe(setting->one_time, sizeof(setting->one_time));
        return refused(exchange, err, &fault);
    }
    exchange->web->has_school = true;
    if (options->first_done != NULL) {
        options->first_done(options->first_context);
    }
    err = begin_session(exchange, &made);
    return err == ERR_OK ? show_card(exchange, setting) : page_err(exchange, err);
}

/* The hash that auth made, in the arena; empty: it was answered. */
static struct str take_hash(struct web_exchange *exchange)
{
    if (exchange->verdict.busy || exchange->verdict.hash.len == 0) {
        (void)show_fault(exchange, 503, "password",
                         "That could not be done just now. Type the password again and send it "
                         "once more.");
        return STR("");
    }
    return arena_dup(exchange->arena, exchange->verdict.hash);
}

static enum web_next got_technician(struct web_exchange *exchange)
{
    struct setting_up *setting = exchange->work;
    setting->first.technician.hash = take_hash(exchange);
    return setting->first.technician.hash.len != 0 ? make(exchange, setting) : WEB_DONE;
}

static enum web_next got_head(struct web_exchange *exchange)
{
    struct setting_up *setting = exchange->work;
    setting->first.head.hash = take_hash(exchange);
    if (setting->first.head.hash.len == 0) {
        return WEB_DONE;
    }
    account_one_time(setting->one_time);
    enum err err = sign_ask(exchange, str_from(setting->one_time), true);
    exchange->resume = got_technician;
    return err == ERR_OK ? WEB_ASK : page_err(exchange, err);
}

static enum web_next ask_head(struct web_exchange *exchange)
{
    struct setting_up *setting = arena_alloc(exchange->arena, sizeof(*setting));
    if (setting == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    *setting =
        (struct setting_up){.first = {.name = sent(exchange, "school_name"),
                                      .urn = sent(exchange, "urn"),
                                      .kind = sent(exchange, "kind"),
                                      .head = {.name = sent(exchange, "head_name"),
                                               .log_on = sent(exchange, "head_log_on")},
                                      .technician = {.name = sent(exchange, "tech_name"),
                                                     .log_on = sent(exchange, "tech_log_on")},
                                      .policy = policy_of(exchange),
                                      .now_ms = exchange->request->now_ms}};
    enum err err = sign_ask(exchange, form_text(exchange, STR("password")), true);
    exchange->work = setting;
    exchange->resume = got_head;
    return err == ERR_OK ? WEB_ASK : page_err(exchange, err);
}

enum web_next web_first_run_send(struct web_exchange *exchange)
{
    bool open;
    enum err err = web_first_run_open(exchange->web, &open);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    if (!open) {
        return page_trouble(exchange, 409, STR("This Lodge has its school already. Sign in."));
    }
    if (!take_code(exchange)) {
        return WEB_DONE;
    }
    json_t *document = form_document(exchange);
    check_school(exchange, document);
    check_people(exchange, document);
    if (has_faults(document)) {
        return show_form(exchange, SIGN_FAULT_STATUS, document);
    }
    json_decref(document);
    return ask_head(exchange);
}

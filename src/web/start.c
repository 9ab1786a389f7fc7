/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The start page: what waits for this person, from what their roles may see. Every record on it
 * went through the engine, one by one: nothing stands here that its own page would not show. */
#include "base/clock.h"
#include "records/account.h"
#include "web/policy_impl.h"
#include "web/records_impl.h"
#include "web/sign_impl.h"
#include "web/views.h"

enum { SHOWN_MAX = 5, TERM_DAYS = 120, NOTE_MAX = 1024 };

static bool may(const struct web_exchange *exchange, const struct register_def *def, enum verb verb)
{
    return permit_widest(exchange->actor.roles, def->area, verb) > SCOPE_NONE;
}

static struct str day_text(struct web_exchange *exchange, int32_t day)
{
    struct civil civil;
    struct buf text;
    civil_from_ms((int64_t)day * 24 * 60 * 60 * 1000, &civil);
    buf_init(&text, 32);
    buf_printf(&text, "%04d-%02d-%02d", (int)civil.year, (int)civil.month, (int)civil.day);
    struct str made = arena_dup(exchange->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

static void add_item(struct web_exchange *exchange, const struct register_def *def,
                     const json_t *record, struct str note, json_t *items)
{
    json_t *item = document_add(items);
    struct str title = document_get(record, "title");
    document_put(item, "text", title.len != 0 ? title : def->label);
    document_put(item, "href", records_path(exchange, def, document_get(record, "id"), ""));
    document_put(item, "note", note);
}

static json_t *add_card(struct web_exchange *exchange, json_t *cards,
                        const struct register_def *def, struct str title, const char *tone)
{
    json_t *card = document_add(cards);
    document_put(card, "title", title);
    document_put(card, "tone", str_from(tone));
    document_put(card, "href", records_path(exchange, def, STR(""), ""));
    document_put(card, "all", def->label_plural);
    (void)document_list(card, "items");
    return card;
}

/* ---- what is open ---- */

/* Whom it is about, and how far it is where it has moved on. */
static struct str open_note(struct web_exchange *exchange, const struct register_def *def,
                            const json_t *record)
{
    struct str about = document_get(json_object_get(record, "about"), "name");
    bool begun = !str_eq(document_get(record, "state"), def->states[0].name);
    struct buf note;
    buf_init(&note, NOTE_MAX);
    buf_append(&note, about);
    if (begun) {
        buf_append(&note, about.len != 0 ? STR(", ") : STR(""));
        buf_append(&note, document_get(record, "state_label"));
    }
    struct str made = arena_dup(exchange->arena, buf_str(&note));
    buf_fini(&note);
    return made;
}

/* Who looks after the whole school's is told that there are none, too. */
static enum err add_open(struct web_exchange *exchange, const struct register_def *def,
                         json_t *cards)
{
    struct engine engine = records_engine(exchange);
    const struct engine_query query = {.page = 1, .per_page = SHOWN_MAX, .waiting = true};
    json_t *list = NULL;
    json_t *record;
    size_t i;
    enum scope scope = permit_widest(exchange->actor.roles, def->area, VERB_see);
    if (def->waiting.len == 0 || scope == SCOPE_NONE) {
        return ERR_OK;
    }
    enum err err = engine_list(&engine, &exchange->actor, def, &query, &list);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    int64_t open = document_number(list, "total");
    if (open != 0 || scope >= SCOPE_SCHOOL) {
        json_t *card = add_card(exchange, cards, def, def->waiting, open != 0 ? "urgent" : "calm");
        json_array_foreach(json_object_get(list, "items"), i, record)
        {
            add_item(exchange, def, record, open_note(exchange, def, record),
                     json_object_get(card, "items"));
        }
        document_put_number(card, "count", open);
        document_put_bool(card, "least", document_is(list, "total_is_least"));
        document_put_bool(card, "none", open == 0);
        document_put_bool(card, "more", document_is(list, "more"));
    }
    json_decref(list);
    return ERR_OK;
}

/* ---- what ends soon ---- */

static const struct {
    struct str plural, title, field;
    enum store_statement statement;
    int32_t days;
} ending_cards[] = {
    {STR_INIT("memberships"), STR_INIT("Memberships that end soon"), STR_INIT("until"),
     STATEMENT_START_MEMBERSHIPS_END, 14},
    {STR_INIT("posts"), STR_INIT("Roles that end soon"), STR_INIT("until"),
     STATEMENT_START_POSTS_END, 30},
    {STR_INIT("contracts"), STR_INIT("Contracts that end soon"), STR_INIT("ends"),
     STATEMENT_START_CONTRACTS_END, 60},
};

static enum err read_ids(struct web_exchange *exchange, enum store_statement statement,
                         int32_t days, struct str ret_ids[SHOWN_MAX + 1], size_t *ret_n)
{
    struct store *store = exchange->web->options.store;
    const struct actor *actor = &exchange->actor;
    const struct store_value values[] = {
        store_text(actor->school), store_text(day_text(exchange, actor->today)),
        store_text(day_text(exchange, actor->today + days)), store_number(SHOWN_MAX + 1)};
    struct store_rows *rows;
    enum err err = store_begin(store, actor->school, STORE_READ);
    if (err != ERR_OK) {
        return err;
    }
    *ret_n = 0;
    err = store_query(store, statement, values, sizeof(values) / sizeof(values[0]), &rows);
    if (err == ERR_OK) {
        while (*ret_n <= SHOWN_MAX && store_rows_next(rows, &err)) {
            ret_ids[(*ret_n)++] = arena_dup(exchange->arena, store_rows_bytes(rows, 0));
        }
        store_rows_free(rows);
    }
    store_rollback(store);
    return err;
}

static enum err add_ending(struct web_exchange *exchange, size_t row, json_t *cards)
{
    const struct register_def *def = register_find(ending_cards[row].plural);
    struct engine engine = records_engine(exchange);
    struct str ids[SHOWN_MAX + 1];
    size_t n = 0;
    if (def == NULL || permit_widest(exchange->actor.roles, def->area, VERB_see) < SCOPE_SCHOOL) {
        return ERR_OK;
    }
    ERR_TRY(read_ids(exchange, ending_cards[row].statement, ending_cards[row].days, ids, &n));
    json_t *card = NULL;
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        json_t *record = NULL;
        if (engine_get(&engine, &exchange->actor, def, ids[i], &record) != ERR_OK) {
            continue; /* not for this person, or gone meanwhile */
        }
        if (card == NULL) {
            card = add_card(exchange, cards, def, ending_cards[row].title, "");
        }
        add_item(exchange, def, record,
                 document_get_str(json_object_get(record, "shown"), ending_cards[row].field),
                 json_object_get(card, "items"));
        json_decref(record);
    }
    document_put_bool(card, "more", n > SHOWN_MAX);
    return ERR_OK;
}

/* ---- what is due ---- */

/* Each term a backup is read back (S4). */
static enum err add_restore_test(struct web_exchange *exchange, json_t *cards)
{
    const struct register_def *def = register_find(STR("restore-tests"));
    struct store *store = exchange->web->options.store;
    const struct store_value values[] = {store_text(exchange->actor.school)};
    struct store_value last;
    unsigned whose = 1U << ROLE_technician | 1U << ROLE_head;
    if (def == NULL || !may(exchange, def, VERB_make) || (exchange->actor.roles & whose) == 0) {
        return ERR_OK;
    }
    ERR_TRY(store_begin(store, exchange->actor.school, STORE_READ));
    enum err err =
        store_row(store, STATEMENT_START_RESTORE_TESTED, values, 1, exchange->arena, &last, 1);
    store_rollback(store);
    if (err != ERR_OK) {
        return err;
    }
    struct str due = day_text(exchange, exchange->actor.today - TERM_DAYS);
    if (last.kind == STORE_TEXT && str_compare(last.bytes, due) > 0) {
        return ERR_OK;
    }
    json_t *card = add_card(exchange, cards, def, STR("A restore test is due"), "urgent");
    document_put(card, "text",
                 last.kind == STORE_TEXT
                     ? STR("The last one was more than a term ago. Read a backup back and compare.")
                     : STR("No backup has been read back yet. Do it once, and every term."));
    return ERR_OK;
}

/* ---- accounts ---- */

/* One line for each account whose roles ask for a factor; *ret_n counts them all. */
static void add_accounts(struct web_exchange *exchange, struct store_rows *rows, json_t *items,
                         int64_t *ret_n, enum err *ret_err)
{
    struct str last = STR("");
    *ret_n = 0;
    while (store_rows_next(rows, ret_err)) {
        struct str id = store_rows_bytes(rows, 0);
        enum role role = role_find(store_rows_bytes(rows, 2));
        if (role == ROLE_COUNT || !permit_needs_factor(1U << role) || str_eq(id, last)) {
            continue;
        }
        last = arena_dup(exchange->arena, id);
        if (++*ret_n <= SHOWN_MAX) {
            json_t *item = document_add(items);
            document_put(item, "text", store_rows_bytes(rows, 1));
            document_put(item, "href", web_path(exchange, "/accounts/%", &last, 1));
        }
    }
}

/* Who may do much should have a second factor (S2); who looks after accounts sees who has none. */
static enum err add_without_factor(struct web_exchange *exchange, json_t *cards)
{
    struct store *store = exchange->web->options.store;
    const struct actor *actor = &exchange->actor;
    const struct store_value values[] = {store_text(actor->school),
                                         store_text(day_text(exchange, actor->today))};
    struct store_rows *rows;
    int64_t n = 0;
    if (permit_widest(actor->roles, AREA_accounts, VERB_see) < SCOPE_SCHOOL) {
        return ERR_OK;
    }
    ERR_TRY(store_begin(store, actor->school, STORE_READ));
    json_t *items = json_array();
    enum err err = store_query(store, STATEMENT_START_WITHOUT_FACTOR, values, 2, &rows);
    if (err == ERR_OK) {
        add_accounts(exchange, rows, items, &n, &err);
        store_rows_free(rows);
    }
    store_rollback(store);
    if (err == ERR_OK && n != 0) {
        json_t *card = document_add(cards);
        document_put(card, "title", STR("Accounts without their second factor"));
        document_put(card, "text",
                     STR("Their role asks for one: they set it up at the next sign-in."));
        document_put(card, "href", STR("/accounts"));
        document_put(card, "all", STR("Accounts"));
        document_put_number(card, "count", n);
        (void)json_object_set(card, "items", items);
    }
    json_decref(items);
    return err;
}

/* What was announced to this person, such as the use of the sealed credential (R89). */
static enum err add_notices(struct web_exchange *exchange, json_t *cards)
{
    struct engine engine = records_engine(exchange);
    json_t *list = NULL;
    json_t *notice;
    size_t i;
    enum err err = notice_list(&engine, &exchange->actor, &list);
    if (err != ERR_OK || json_array_size(json_object_get(list, "items")) == 0) {
        json_decref(list);
        return err == ERR_NOT_FOUND || err == ERR_DENIED ? ERR_OK : err;
    }
    json_t *card = document_add(cards);
    json_t *items = document_list(card, "items");
    document_put(card, "title", STR("Announced to you"));
    document_put(card, "tone", STR("urgent"));
    document_put(card, "href", STR("/notices"));
    document_put(card, "all", STR("what is announced"));
    json_array_foreach(json_object_get(list, "items"), i, notice)
    {
        json_t *item = i < SHOWN_MAX ? document_add(items) : NULL;
        document_put(item, "text", document_get(notice, "text"));
        document_put(item, "href", STR("/notices"));
    }
    json_decref(list);
    return ERR_OK;
}

/* What the gate could not be given: to those who may put all of it right, and to whoever made the
 * change. */
static enum err add_unpublished(struct web_exchange *exchange, json_t *cards)
{
    json_t *faults = NULL;
    json_t *fault;
    size_t i;
    ERR_TRY(policy_faults(exchange, &faults));
    size_t n = json_array_size(faults);
    json_t *card = n != 0 ? document_add(cards) : NULL;
    json_t *items = n != 0 ? document_list(card, "items") : NULL;
    document_put(card, "title", STR("The gate could not be given everything"));
    document_put(card, "tone", STR("urgent"));
    document_put(card, "text", STR("Until these are put right, the gate goes by what it had."));
    document_put(card, "href", STR("/policy"));
    document_put(card, "all", STR("the policy"));
    document_put_number(card, "count", (int64_t)n);
    json_array_foreach(faults, i, fault)
    {
        struct str href = document_get(fault, "href");
        json_t *item = i < SHOWN_MAX ? document_add(items) : NULL;
        document_put(item, "text", document_get(fault, "words"));
        document_put(item, "href", href.len != 0 ? href : STR("/policy"));
    }
    json_decref(faults);
    return ERR_OK;
}

/* ---- the page ---- */

/* What one comes here to do most; at most a few. */
static void add_actions(struct web_exchange *exchange, json_t *document)
{
    static const struct {
        struct str plural, text;
    } rows[] = {
        {STR_INIT("concerns"), STR_INIT("Report a concern about a child")},
        {STR_INIT("people"), STR_INIT("Add a person")},
        {STR_INIT("devices"), STR_INIT("Add a device")},
    };
    json_t *actions = document_list(document, "actions");
    bool pupil = exchange->actor.roles == 1U << ROLE_pupil;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct register_def *def = register_find(rows[i].plural);
        if (def != NULL && may(exchange, def, VERB_make)) {
            json_t *action = document_add(actions);
            document_put(action, "text",
                         i == 0 && pupil ? STR("Tell us about a worry") : rows[i].text);
            document_put(action, "href", records_path(exchange, def, STR(""), "/new"));
            document_put(action, "classes", i == 0 ? STR("") : STR("govuk-button--secondary"));
        }
    }
}

static void add_registers(struct web_exchange *exchange, json_t *document)
{
    json_t *registers = document_list(document, "registers");
    for (size_t i = 0; i < N_REGISTERS; i++) {
        if (may(exchange, REGISTERS[i], VERB_see)) {
            json_t *row = document_add(registers);
            document_put(row, "text", REGISTERS[i]->label_plural);
            document_put(row, "href", records_path(exchange, REGISTERS[i], STR(""), ""));
        }
    }
}

static enum err add_cards(struct web_exchange *exchange, json_t *cards)
{
    ERR_TRY(add_notices(exchange, cards));
    ERR_TRY(add_unpublished(exchange, cards));
    for (size_t i = 0; i < N_REGISTERS; i++) {
        ERR_TRY(add_open(exchange, REGISTERS[i], cards));
    }
    ERR_TRY(add_without_factor(exchange, cards));
    ERR_TRY(add_restore_test(exchange, cards));
    for (size_t i = 0; i < sizeof(ending_cards) / sizeof(ending_cards[0]); i++) {
        ERR_TRY(add_ending(exchange, i, cards));
    }
    return ERR_OK;
}

enum web_next web_start(struct web_exchange *exchange)
{
    json_t *document = json_object();
    document_put(document, "title", STR("Start"));
    add_actions(exchange, document);
    enum err err = add_cards(exchange, document_list(document, "cards"));
    if (err == ERR_OK) {
        err = gate_add_own(exchange, document);
    }
    err = err == ERR_OK ? class_add_to_start(exchange, document) : err;
    if (err != ERR_OK) {
        json_decref(document);
        return page_err(exchange, err);
    }
    document_put_bool(document, "nothing",
                      json_array_size(json_object_get(document, "cards")) == 0);
    add_registers(exchange, document);
    return page_answer(exchange, 200, view_start, document);
}
